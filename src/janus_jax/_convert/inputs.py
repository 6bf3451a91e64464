"""Reads of what existed before the call: arrays and varying numbers become inputs, the rest is frozen and guarded."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, Literal, Protocol, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from janus_jax._base import Unstageable
from janus_jax._base.enums import COMPARING, is_member, is_plain_key, users_bases
from janus_jax._base.objects import bases_of, is_a, is_one_of, module_of
from janus_jax._convert.pure import pure_function
from janus_jax._convert.refused import refused
from janus_jax._guards import (
    CodeIs,
    Expectation,
    Item,
    KeysAre,
    Lacks,
    LengthIs,
    MroIs,
    Namespace,
    ObjectIs,
    Path,
    Pinned,
    SameObject,
    Slot,
    TypeIs,
    ValueIs,
)
from janus_jax._jax import ARRAY_TYPES, is_tracer
from janus_jax._values.identities import Identities
from janus_jax._values.kinds import FunctionValue, HostArray, ModuleValue, Opaque, PartialValue
from janus_jax._values.number import from_input, wide

InputKind: TypeAlias = Literal["array", "numpy", "bool", "int", "float", "zero", "force"]

SCALAR_TYPES = (str, bytes, type(None), type(Ellipsis), complex)
_NUMBER_DTYPES = {bool: jnp.bool_, int: jnp.int64, float: jnp.float64}

# An array that is read from outside passes through this identity, so that it is a tracer at once: a later `bool(x)`
# raises instead of freezing the value, and the constants of the jaxpr are the originals by identity.
input_p = Primitive("janus_input")
input_p.def_impl(lambda x: x)
input_p.def_abstract_eval(lambda x: x)
mlir.register_lowering(input_p, mlir.lower_fun(lambda x: x, multiple_results=False))
ad.deflinear2(input_p, lambda ct, _: [ct])
batching.primitive_batchers[input_p] = lambda args, dims: (input_p.bind(*args), dims[0])


@dataclass(frozen=True, slots=True, eq=False)
class Input:
    """One input of the program: where the entry function finds it, and how it is handed over."""

    path: Path | None
    kind: InputKind
    placeholder: Any  # the constant that stands for it in the jaxpr; None for an input known before tracing
    type: type | None = None  # the class of an array
    dtype: Any = None  # what a NumPy array is converted to
    host_dtype: Any = None  # what it comes as


class Policy(Protocol):
    """What the plan says of a number that was read."""

    def is_input(self, path: Path) -> bool:
        """Return whether the number at `path` is fed at run time."""
        ...


class Externals:
    """All reads of one conversion, with what each of them is expected to find at the next call."""

    def __init__(self, policy: Policy, speculated: type, identities: Identities) -> None:
        self._policy = policy
        self.speculated = speculated
        self._identities = identities
        self.inputs: list[Input] = []
        self.expectations: list[Expectation] = []
        self.avals: list[jax.ShapeDtypeStruct] = []  # types of the trace's own arguments
        self.arguments: list[Any] = []  # the trace's own arguments, once it has begun, one for each declared input
        self._known: dict[Path, Any] = {}
        self._hosts: dict[Path, _Slot] = {}
        self._expected: set[tuple[Any, ...]] = set()
        self._objects: dict[int, tuple[Any, int, Path]] = {}

    def expect(self, expectation: Expectation) -> None:
        """Have the entry function check this before every call."""
        self.expectations.append(expectation)

    def expect_once(self, expectation: Lacks | MroIs | ObjectIs | TypeIs) -> None:
        """Have it checked, if that is not done yet."""
        key = (type(expectation), expectation.path, getattr(expectation, "name", None))
        if key not in self._expected:
            self._expected.add(key)
            self.expect(expectation)

    def read_slot(self, path: Path, owner: Any, name: str) -> Any:
        """Return what stands for `owner.name`, an attribute that Python itself defines, of the object at `path`."""
        if Slot(path, name) not in self._known:
            self.expect(TypeIs(path, type(owner)))
        return self.read(Slot(path, name), getattr(owner, name))

    def declare(self, path: Path, value: Any) -> None:
        """Classify an argument of the call before the trace begins: its arrays become arguments of the trace."""
        self._known[path] = self._classify(path, value, argument=True)

    def read(self, path: Path, value: Any) -> Any:
        """Return what stands for `value`, found at `path`, in the staged program."""
        if path not in self._known:
            self._known[path] = self._classify(path, value, argument=False)
        return self._open(self._known[path])

    def _open(self, known: Any) -> Any:
        """Return the value in the trace that is open now: a tracer of an inner region must not leave it."""
        match known:
            case _Slot():
                return self._bind(known)
            case _Container(path, kind, keys):
                items = [self._open(self._known[Item(path, key)]) for key in keys]
                value = dict(zip(keys, items, strict=True)) if kind is dict else kind(items)
                self._identities.register(value, path)
                return value
            case PartialValue(path, function, args, keywords) if path is not None:
                return PartialValue(path, self._open(function), self._open(args), self._open(keywords))
            case _:
                return known

    def _bind(self, slot: _Slot) -> Any:
        source = self.inputs[slot.index]
        with wide():
            tracer = input_p.bind(source.placeholder) if slot.position is None else self.arguments[slot.position]
        if slot.kind in (bool, int, float):
            return from_input(tracer, slot.kind, frozenset([source.path]))
        assert source.path is not None
        self._identities.register(tracer, source.path)
        return tracer

    def array_of(self, host: HostArray) -> Any:
        """Return a new array with the content of a NumPy array, as JAX makes one of it."""
        slot = self._hosts[host.path]
        source = self.inputs[slot.index]
        with wide():
            return input_p.bind(source.placeholder if slot.position is None else self.arguments[slot.position])

    def _classify(self, path: Path, value: Any, *, argument: bool) -> Any:
        kind = type(value)
        if is_one_of(kind, ARRAY_TYPES):
            return self._array(path, value, argument)
        if is_one_of(kind, (bool, int, float)):
            return self._number(path, value, argument)
        if is_one_of(kind, SCALAR_TYPES):
            self.expect(ValueIs(path, value))
            return value
        if is_one_of(kind, (tuple, list, dict)):
            return self._container(path, value, argument)
        if is_a(value, np.ndarray, np.generic) and module_of(kind) in ("numpy", "ml_dtypes"):
            return self._host_array(path, value, argument)
        return self._object(path, value)

    def _container(self, path: Path, value: Any, argument: bool) -> Any:
        if type(value) is not dict:
            self.expect(LengthIs(path, type(value), len(value)))
            items: Any = enumerate(value)
        elif not all(map(is_plain_key, value)):
            return self._opaque(path, value)
        else:
            self.expect(KeysAre(path, tuple(value)))
            self._expect_comparing(value)
            items = value.items()
        keys: list[Any] = []
        for key, item in items:
            keys.append(key)
            self._known[Item(path, key)] = self._classify(Item(path, key), item, argument=argument)
        return _Container(path, type(value), tuple(keys))

    def _expect_comparing(self, key: Any) -> None:
        """Expect that the members in a key, or in all keys of a dict, are still compared by Python's own code."""
        if type(key) in (tuple, dict):
            for part in key:
                self._expect_comparing(part)
        elif is_member(key):
            bases = bases_of(type(key))
            self.expect_once(MroIs(Pinned(type(key)), bases, type(type(key))))
            for one in users_bases(type(key)):
                for name in COMPARING:
                    self.expect_once(Lacks(Namespace(Pinned(one)), name))

    def _object(self, path: Path, value: Any) -> Any:
        kind = type(value)
        if is_tracer(value):
            raise Unstageable("outer-trace", str(path))
        known = pure_function(value) is not None or refused(value) is not None
        if known or is_a(value, type, BuiltinFunctionType, np.ufunc, np.dtype):
            self.expect(ObjectIs(path, value))
            return value
        if is_member(value):
            self.expect(ObjectIs(path, value))
            self._expect_comparing(value)
            return value
        if kind is FunctionType:
            return self._function(path, value)
        if kind is ModuleType:
            self.expect(TypeIs(path, ModuleType))
            return ModuleValue(path, value)
        if kind is functools.partial:
            self.expect(TypeIs(path, kind))
            return PartialValue(path, *(self._classified(Slot(path, name), getattr(value, name)) for name in _PARTIAL))
        if kind is self.speculated:
            self.expect(TypeIs(path, kind))
            return self._classified(Slot(path, "__janus_function__"), value.__janus_function__)
        if module_of(kind).partition(".")[0] in ("jaxlib", "jax") and callable(value):
            self.expect(ObjectIs(path, value))
            return value
        return self._opaque(path, value)

    def _classified(self, path: Path, value: Any) -> Any:
        self._known[path] = self._classify(path, value, argument=False)
        return self._known[path]

    def _function(self, path: Path, value: FunctionType) -> Any:
        if _from_library(value):
            self.expect(ObjectIs(path, value))
            return value
        self.expect(CodeIs(path, value.__code__))
        return FunctionValue(path, value)

    def _opaque(self, path: Path, value: Any) -> Opaque:
        self.expect(TypeIs(path, type(value)))
        return Opaque(path, type(value), value)

    def _array(self, path: Path, value: jax.Array, argument: bool) -> _Slot:
        if argument:
            return self._add(Input(path, "array", None, type(value)), path, None, aval_of(value))
        seen = self._objects.get(id(value))
        if seen is not None:  # one object by two paths: results must keep the identity, so the alias is expected too
            self.expect(SameObject(path, seen[2]))
            return _Slot(path, seen[1], None, None)
        slot = self._add(Input(path, "array", value, type(value)), path, None)
        self._objects[id(value)] = (value, slot.index, path)
        return slot

    def _host_array(self, path: Path, value: Any, argument: bool) -> Any:
        if not _is_numeric(value.dtype):
            return self._opaque(path, value)
        self.expect(TypeIs(path, type(value)))
        with jax.ensure_compile_time_eval():
            placeholder = jnp.array(value)
        kept = None if argument else placeholder
        item = Input(path, "numpy", kept, type(value), placeholder.dtype, value.dtype)
        self._hosts[path] = self._add(item, path, None, aval_of(placeholder) if argument else None)
        return HostArray(path, type(value), placeholder.shape)

    def _number(self, path: Path, value: Any, argument: bool) -> Any:
        if not self._policy.is_input(path):
            self.expect(ValueIs(path, value))
            return value
        if type(value) is int and not -(2**63) <= value < 2**63:
            raise Unstageable("number-math", "an integer beyond 64 bits")
        kind: Any = type(value).__name__
        with wide(), jax.ensure_compile_time_eval():
            placeholder = jnp.asarray(value, _NUMBER_DTYPES[type(value)])
            aval = aval_of(placeholder)
        self.expect(TypeIs(path, type(value)))
        if argument:
            return self._add(Input(path, kind, None), path, type(value), aval)
        return self._add(Input(path, kind, placeholder), path, type(value))

    def _add(self, item: Input, path: Path, kind: type | None, aval: Any = None) -> _Slot:
        position = None
        if aval is not None:
            position = len(self.avals)
            self.avals.append(aval)
        return _Slot(path, self.add(item), kind, position)

    def add(self, item: Input) -> int:
        """Append an input; return its index."""
        # what is made under an open trace is a tracer: its constant in the jaxpr would be taken for a real constant
        assert item.placeholder is None or type(item.placeholder) in ARRAY_TYPES, item
        self.inputs.append(item)
        return len(self.inputs) - 1


def _is_numeric(dtype: np.dtype[Any]) -> bool:
    """Return whether JAX can have a type of NumPy's: the small floats of ml_dtypes are among those without a letter."""
    return dtype.kind in "biufc" or (dtype.kind == "V" and jnp.issubdtype(dtype, jnp.number))


def aval_of(value: jax.Array) -> jax.ShapeDtypeStruct:
    """Return the type of an array as a trace's argument has it."""
    aval = jax.typeof(value)
    return jax.ShapeDtypeStruct(aval.shape, aval.dtype, weak_type=bool(getattr(aval, "weak_type", False)))


@dataclass(frozen=True, slots=True)
class _Slot:
    """A value fed by input number `index`: argument `position` of the trace, or a constant found while tracing."""

    path: Path
    index: int
    kind: type | None  # a number's type; None for an array
    position: int | None


@dataclass(frozen=True, slots=True)
class _Container:
    """A tuple, list or dict that existed before the call."""

    path: Path
    kind: type
    keys: tuple[Any, ...]


_PARTIAL = ("func", "args", "keywords")


def _from_library(function: FunctionType) -> bool:
    module = function.__module__
    return type(module) is str and module.partition(".")[0] in ("jax", "jaxlib", "numpy", "optax", "flax")
