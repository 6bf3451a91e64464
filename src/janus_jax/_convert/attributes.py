"""Attributes and items of staged values."""

from __future__ import annotations

import itertools
import operator
from collections import deque
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from janus_jax._base import Unstageable
from janus_jax._convert import arranged, dunders, enums, iterables, later, objects, runs, slices
from janus_jax._convert.classes import expect_same
from janus_jax._convert.identity import as_eager_object
from janus_jax._convert.names import belongs_to, words
from janus_jax._convert.native import (
    is_array,
    is_constant,
    is_key,
    is_scalar,
    key_of,
    numbers_within,
    run_native,
    run_python,
    through_single,
)
from janus_jax._convert.objects import class_of
from janus_jax._convert.pure import ARRAY_ATTRIBUTES, ARRAY_METHODS, AT_METHODS
from janus_jax._convert.refused import REFUSED_OF_ARRAYS
from janus_jax._convert.stager import Stager
from janus_jax._convert.unions import spread
from janus_jax._guards import Member, Pinned
from janus_jax._values.kinds import (
    ExceptionValue,
    HostArray,
    Instance,
    Later,
    MethodValue,
    ModuleValue,
    NativeValue,
    Opaque,
    SuperValue,
    Union,
)
from janus_jax._values.number import Number
from janus_jax._values.template import is_named_tuple

# Methods of containers, each of which `containers` knows how to do.
CONTAINER_METHODS: dict[type, frozenset[str]] = {}
# Methods that read a builtin value and call no user code.
READING_METHODS: dict[type, frozenset[str]] = {
    tuple: words("index count"),
    str: words(
        """
        startswith endswith upper lower title capitalize swapcase casefold strip lstrip rstrip split rsplit splitlines
        partition rpartition join replace removeprefix removesuffix format find rfind index rindex count zfill ljust
        rjust center isdigit isalpha isalnum isupper islower isspace isidentifier
        """
    ),
}
# Methods of arrays that give a Python number.
NUMBER_METHODS = frozenset({"item"})
HOST_ATTRIBUTES = frozenset({"shape", "ndim", "size"})
_LIBRARIES = ("numpy", "jax", "jaxlib", "ml_dtypes")


def read(stager: Stager, owner: Any, name: str) -> Any:
    """Return `owner.name`."""
    if isinstance(owner, Union):
        if any(_has_method(alternative, name) for alternative in owner.alternatives):
            return MethodValue(owner, name)
        return spread(stager, lambda x: read(stager, x, name), (owner,))
    match owner:
        case ModuleValue():
            return _member(stager, owner, name)
        case NativeValue() if name in AT_METHODS:
            return MethodValue(owner, name)
        case HostArray():
            return _of_host_array(stager, owner, name)
        case ExceptionValue() if name == "args":
            return owner.args
        case Later():
            raise Unstageable("concrete-value", f"{name} of {owner.recipe.what} that only the run knows", stager.site)
        case Opaque() | Instance() | SuperValue():
            return objects.read(stager, owner, name)
        case _ if enums.is_member(owner):
            return objects.read(stager, owner, name)
        case _ if is_array(owner):
            return _of_array(stager, owner, name)
        case _ if type(owner) in READING_METHODS or type(owner) in CONTAINER_METHODS:
            return _of_builtin(stager, owner, name)
        case type() if owner is object and getattr(object, name, None) in objects.OBJECT_METHODS:
            return getattr(object, name)
        case type() if (owner is dict and name == "fromkeys") or (owner is itertools.chain and name == "from_iterable"):
            return MethodValue(owner, name)
        case type() if enums.is_enum_class(owner):
            return enums.read(stager, owner, name) if enums.is_name(owner, name) else _of_enum(stager, owner, name)
        case type() if name == "__name__" and objects.is_user_class(owner):
            return stager.externals.read_slot(Pinned(owner), owner, name)
        case type() if objects.is_user_class(owner):
            return objects.read_of_class(stager, owner, name)
        case _ if is_named_tuple(owner) and name in (*type(owner)._fields, "_replace", "_asdict"):
            return _of_named_tuple(stager, owner, name)
        case _ if _from_library(owner):
            return run_native(stager, getattr, owner, name)
        case _ if is_scalar(owner) and not hasattr(owner, name):
            raise Unstageable("raises", f"AttributeError: {type(owner).__name__}.{name}", stager.site)
        case _:
            raise Unstageable("object-attribute", name, stager.site)


def _of_enum(stager: Stager, owner: type, name: str) -> Any:
    if name == "__name__":
        return stager.externals.read_slot(Pinned(owner), owner, name)
    return objects.read_of_class(stager, owner, name)


def _of_named_tuple(stager: Stager, owner: Any, name: str) -> Any:
    """Return a field, or a method, as `collections.namedtuple` has made it."""
    found = expect_same(stager, type(owner), name)
    is_field = name in type(owner)._fields
    if not (isinstance(found, type(_Example.x)) if is_field else belongs_to(("collections",), found)):
        raise Unstageable("object-attribute", f"{type(owner).__qualname__}.{name}", stager.site)
    return owner[type(owner)._fields.index(name)] if is_field else MethodValue(owner, name)


class _Example(NamedTuple):
    x: int


def find(stager: Stager, owner: Any, name: str) -> Any:
    """Return `owner.name`, or `MISSING` where Python would raise an `AttributeError`."""
    if class_of(owner) is not None:
        return objects.find(stager, owner, name)
    if isinstance(owner, ModuleValue) and name not in vars(owner.module):
        raise Unstageable("object-attribute", f"whether {owner.path} has {name}", stager.site)
    return read(stager, owner, name)


def _has_method(value: Any, name: str) -> bool:
    if is_array(value):
        return name in ARRAY_METHODS or name in NUMBER_METHODS
    return name in _methods_of(value) or (isinstance(value, NativeValue) and name in AT_METHODS)


def _methods_of(value: Any) -> frozenset[str]:
    return READING_METHODS.get(type(value)) or CONTAINER_METHODS.get(type(value)) or frozenset()


def _member(stager: Stager, owner: ModuleValue, name: str) -> Any:
    members = vars(owner.module)
    if name not in members:
        raise Unstageable("object-attribute", f"module {owner.module.__name__} computes {name}", stager.site)
    return stager.externals.read(Member(owner.path, name), members[name])


def _of_array(stager: Stager, owner: Any, name: str) -> Any:
    if name == "at":
        return NativeValue(owner.at)
    if name in ARRAY_ATTRIBUTES:
        return as_eager_object(stager, f"Array.{name}", (owner,), run_native(stager, getattr, owner, name))
    if name in ARRAY_METHODS or name in NUMBER_METHODS:
        return MethodValue(owner, name)
    raise Unstageable(REFUSED_OF_ARRAYS.get(name, "opaque-call"), f"the attribute {name} of an array", stager.site)


def _of_host_array(stager: Stager, owner: HostArray, name: str) -> Any:
    if name in HOST_ATTRIBUTES:
        return getattr(jax.ShapeDtypeStruct(owner.shape, jnp.bool_), name)
    raise Unstageable("numpy-array", f"{owner.path}.{name}", stager.site)


def _of_builtin(stager: Stager, owner: Any, name: str) -> Any:
    if name in _methods_of(owner):
        return MethodValue(owner, name)
    raise Unstageable("unsupported-expression", f"{type(owner).__name__}.{name}", stager.site)


def _from_library(owner: Any) -> bool:
    """Return whether `owner` is a dtype or a table of machine limits, whose attributes are constants."""
    if isinstance(owner, type):
        return owner.__module__.partition(".")[0] in _LIBRARIES
    return type(owner).__module__.partition(".")[0] in _LIBRARIES and not is_array(owner)


def item(stager: Stager, owner: Any, index: Any) -> Any:
    """Return `owner[index]`."""
    if isinstance(owner, Union) or isinstance(index, Union):
        return spread(stager, lambda *x: item(stager, *x), (owner, index))
    if class_of(owner) is not None:
        return dunders.item(stager, owner, index)
    if enums.is_enum_class(owner):
        return enums.by_name(stager, owner, index)
    (index,) = enums.operands(stager, [index], ("__index__",)) if type(owner) is not dict else (index,)
    if is_array(owner):
        return run_native(stager, operator.getitem, owner, _index(stager, index))
    if isinstance(owner, NativeValue):
        return NativeValue(run_native(stager, operator.getitem, owner.object, _index(stager, index)))
    if type(owner) in (tuple, list, deque) or is_named_tuple(owner):
        return stager.settle("the element", _item_of_sequence(stager, owner, index))
    if type(owner) is dict:
        key = key_of(stager, index, "the key of a dict")
        return stager.settle("the element", run_python(stager, lambda: owner[key]))
    if is_scalar(owner) and is_constant(index):
        return run_native(stager, operator.getitem, owner, index)
    if isinstance(owner, HostArray):
        raise Unstageable("numpy-array", str(owner.path), stager.site)
    raise Unstageable("unsupported-expression", "an item of this value", stager.site)


def _index(stager: Stager, index: Any) -> Any:
    """Return `index` where the bounds of slices are known: they decide the shape of the result."""
    if isinstance(index, slice):
        return _known_slice(stager, index)
    if isinstance(index, tuple):
        return tuple(_index(stager, part) for part in index)
    return index


def _known_slice(stager: Stager, index: slice) -> slice:
    numbers = numbers_within(index)
    if numbers:
        raise stager.need_static(numbers, "the bound of a slice")
    return index


def _item_of_sequence(stager: Stager, owner: Any, index: Any) -> Any:
    if runs.holds_run(owner):
        return _item_of_run(stager, owner, index)
    numbers = numbers_within(index)
    if numbers:
        raise stager.need_static(numbers, "the index of a list or tuple")
    if is_array(index):
        raise Unstageable("concrete-value", "an array is the index of a list or tuple", stager.site)
    if not is_constant(index):
        raise Unstageable("unsupported-expression", "this index", stager.site)
    # looked up here, not handed to `run_native`, which would lower the elements
    return run_python(stager, lambda: owner[index])


def _item_of_run(stager: Stager, owner: list[Any], index: Any) -> Any:
    if isinstance(index, slice):
        return slices.part_of(stager, owner, _known_slice(stager, index))
    if not (isinstance(index, Number) or type(index) is int):
        raise Unstageable("concrete-value", "the index of a list", stager.site)
    return runs.element(stager, owner, index)


def call_method(stager: Stager, method: MethodValue, args: list[Any], keywords: dict[str, Any]) -> Any:
    """Return what a method of `array.at[...]` or of a builtin value gives."""
    receiver, name = method.receiver, method.name
    if isinstance(receiver, NativeValue):
        _, *args = through_single([getattr(receiver.object, "array", None), *args])
        return run_native(stager, getattr(receiver.object, name), *args, **keywords)
    if receiver is dict:
        return _from_keys(stager, args, keywords)
    if receiver is itertools.chain:
        return arranged.chain_of(stager, args, keywords)
    args = [iterables.used_up(stager, arg) for arg in args]
    if is_named_tuple(receiver) and not args:
        return run_native(stager, lambda: getattr(receiver, name)(**keywords))
    if type(receiver) is tuple:  # which compares what it holds
        given = [key_of(stager, value, f"tuple.{name} of values of the program") for value in (*receiver, *args)]
        return run_python(stager, lambda: getattr(tuple(given[: len(receiver)]), name)(*given[len(receiver) :]))
    if all(map(is_constant, (*args, *keywords.values()))):
        return run_native(stager, getattr(receiver, name), *args, **keywords)
    return later.method_of_text(stager, receiver, name, args, keywords)


def _from_keys(stager: Stager, args: list[Any], keywords: dict[str, Any]) -> dict[Any, Any]:
    keys = iterables.items(stager, args[0]) if args else []
    if not 1 <= len(args) <= 2 or keywords or not all(map(is_key, keys)):
        raise Unstageable("unsupported-expression", "dict.fromkeys with these keys", stager.site)
    return run_native(stager, lambda: dict.fromkeys(keys, *args[1:]))


def number_of_item(value: Any) -> type:
    """Return the Python type that `.item()` of an array gives."""
    if value.dtype == jnp.bool_:
        return bool
    return int if jnp.issubdtype(value.dtype, jnp.integer) else float
