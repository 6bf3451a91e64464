"""One mechanism for values that leave a region: flatten to a template and leaves, join templates, build again.

A template says what a value is; its leaves are arrays. Branches whose templates join can be merged, and a loop
whose body gives back the template it was given can be rolled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, assert_never

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from janus_jax._guards import same_bits
from janus_jax._values.kinds import UNBOUND, Conflict, Maybe, Unbound
from janus_jax._values.number import Number

NUMBER_TYPES = (bool, int, float)
_WIDE = {bool: jnp.bool_, int: jnp.int64, float: jnp.float64}


@dataclass(frozen=True, slots=True)
class Static:
    """A value known while converting."""

    value: Any

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Static):
            return False
        return self.value is other.value or (_is_scalar(self.value) and same_bits(self.value, other.value))

    __hash__ = None  # type: ignore[assignment]  # compared, never stored in a set


@dataclass(frozen=True, slots=True)
class ArrayLeaf:
    """An array. `identity` is 0 for a new one, k + 1 for input k itself, None where only the run decides."""

    shape: tuple[int, ...]
    dtype: Any
    weak_type: bool
    identity: int | None = 0


@dataclass(frozen=True, slots=True)
class NumberLeaf:
    """A Python number known at run time only."""

    kind: type
    origin: frozenset[Any] = field(default=frozenset(), compare=False)


@dataclass(frozen=True, slots=True)
class Group:
    """A tuple, list or named tuple."""

    type: type
    children: tuple[Template, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A dict, in key order."""

    keys: tuple[Any, ...]
    children: tuple[Template, ...]


@dataclass(frozen=True, slots=True)
class MaybeLeaf:
    """A value that is bound only where the first leaf is true."""

    child: Template


@dataclass(frozen=True, slots=True)
class Absent:
    """An unbound name."""


@dataclass(frozen=True, slots=True)
class Clash:
    """Two values that no single program value can stand for."""

    detail: str
    blame: frozenset[Any] = field(default=frozenset(), compare=False)


Template: TypeAlias = Static | ArrayLeaf | NumberLeaf | Group | Table | MaybeLeaf | Absent | Clash


class Identities:
    """Knows which tracers stand for an input object itself, so that results keep their identity."""

    def __init__(self) -> None:
        self._table: dict[int, tuple[Any, int | jax.Array]] = {}

    def of(self, tracer: Any) -> int | jax.Array:
        """Return 0 for a new array, k + 1 for input k, or a tracer of that code."""
        entry = self._table.get(id(tracer))
        return entry[1] if entry else 0

    def set(self, tracer: Any, code: int | jax.Array) -> None:
        """Record that `tracer` stands for the object that `code` names."""
        self._table[id(tracer)] = (tracer, code)


def _is_scalar(value: Any) -> bool:
    return type(value) in (bool, int, float, complex, str, bytes, type(None), type(Ellipsis))


def is_named_tuple(value: Any) -> bool:
    """Return whether `value` is an instance of a named tuple class."""
    return isinstance(value, tuple) and hasattr(type(value), "_fields")


def flatten(value: Any, identities: Identities) -> tuple[Template, list[Any]]:
    """Return what `value` is, and the arrays in it."""
    leaves: list[Any] = []
    return _flatten(value, identities, leaves), leaves


def _flatten(value: Any, identities: Identities, leaves: list[Any]) -> Template:
    if isinstance(value, jax.Array):
        return _flatten_array(value, identities, leaves)
    if isinstance(value, Number):
        leaves.append(value.value)
        return NumberLeaf(value.kind, value.origin)
    if type(value) in (tuple, list) or is_named_tuple(value):
        return Group(type(value), tuple(_flatten(item, identities, leaves) for item in value))
    if type(value) is dict:
        return Table(tuple(value), tuple(_flatten(item, identities, leaves) for item in value.values()))
    if isinstance(value, Maybe):
        leaves.append(value.bound)
        return MaybeLeaf(_flatten(value.value, identities, leaves))
    if isinstance(value, Unbound):
        return Absent()
    if isinstance(value, Conflict):
        return Clash(value.detail, value.blame)
    return Static(value)


def _flatten_array(value: Any, identities: Identities, leaves: list[Any]) -> ArrayLeaf:
    aval = jax.typeof(value)
    identity = identities.of(value)
    leaves.append(value)
    if isinstance(identity, int):
        return ArrayLeaf(
            aval.shape, aval.dtype, bool(aval.weak_type) if hasattr(aval, "weak_type") else False, identity
        )
    leaves.append(identity)
    return ArrayLeaf(aval.shape, aval.dtype, bool(aval.weak_type), None)


def join(left: Template, right: Template, *, implied: bool = False) -> Template:
    """Return the most special template that both fit, or a `Clash`.

    With `implied`, boundness is known from elsewhere (a return value, from the jump code): no flag is added.
    """
    match left, right:
        case (Clash(), _):
            return left
        case (_, Clash()):
            return right
        case (Static(a), Static(b)):
            return left if left == right else _join_constants(a, b)
        case (Static(a), NumberLeaf(kind)) if type(a) is kind:
            return right
        case (NumberLeaf(kind), Static(b)) if type(b) is kind:
            return left
        case (NumberLeaf(a, origin), NumberLeaf(b, other)) if a is b:
            return NumberLeaf(a, origin | other)
        case (ArrayLeaf(), ArrayLeaf()):
            return _join_arrays(left, right)
        case (Group(a, mine), Group(b, theirs)) if a is b and len(mine) == len(theirs):
            return _join_children(mine, theirs, implied, lambda children: Group(a, children))
        case (Table(a, mine), Table(b, theirs)) if a == b:
            return _join_children(mine, theirs, implied, lambda children: Table(a, children))
        case (Absent(), Absent()):
            return left
        case (Absent() | MaybeLeaf(), _) | (_, Absent() | MaybeLeaf()):
            return _join_maybe(left, right, implied)
        case _:
            return Clash(f"{describe(left)} on one path, {describe(right)} on another")


def _join_constants(left: Any, right: Any) -> Template:
    if type(left) is type(right) and type(left) in NUMBER_TYPES:
        return NumberLeaf(type(left))
    return Clash(f"{_name(left)} on one path, {_name(right)} on another")


def _join_arrays(left: ArrayLeaf, right: ArrayLeaf) -> Template:
    if replace(left, identity=0) != replace(right, identity=0):
        return Clash(f"{describe(left)} on one path, {describe(right)} on another")
    return left if left.identity == right.identity else replace(left, identity=None)


def _join_children(
    mine: Sequence[Template],
    theirs: Sequence[Template],
    implied: bool,
    make: Callable[[tuple[Template, ...]], Template],
) -> Template:
    children = tuple(join(a, b, implied=implied) for a, b in zip(mine, theirs, strict=True))
    clash = next((child for child in children if isinstance(child, Clash)), None)
    return clash or make(children)


def _join_maybe(left: Template, right: Template, implied: bool) -> Template:
    inner = [side.child if isinstance(side, MaybeLeaf) else side for side in (left, right)]
    present = [side for side in inner if not isinstance(side, Absent)]
    child = present[0] if len(present) == 1 else join(present[0], present[1])
    if isinstance(child, Clash) or not _has_placeholder(child):
        return child if isinstance(child, Clash) else Clash(f"{describe(child)} on one path, unbound on another")
    return (
        child if implied and not isinstance(left, MaybeLeaf) and not isinstance(right, MaybeLeaf) else MaybeLeaf(child)
    )


def _has_placeholder(template: Template) -> bool:
    match template:
        case ArrayLeaf(_, dtype):
            return not jnp.issubdtype(dtype, jax.dtypes.extended)
        case Group(_, children) | Table(_, children):
            return all(map(_has_placeholder, children))
        case _:
            return True


Constant: TypeAlias = Callable[[Any], Any]


def conform(source: Template, leaves: Sequence[Any], target: Template, constant: Constant) -> list[Any]:
    """Return the leaves of a value of template `source` as `target`, a join of it, lays them out.

    `constant` makes the leaf of a Python number.
    """
    result: list[Any] = []
    _conform(source, iter(leaves), target, result, constant)
    return result


def _conform(source: Template, leaves: Iterator[Any], target: Template, result: list[Any], constant: Constant) -> None:
    match source, target:
        case (_, Clash()):
            _skip(source, leaves)
        case (Static(value), NumberLeaf()):
            result.append(constant(value))
        case (ArrayLeaf(identity=mine), ArrayLeaf(identity=theirs)):
            result.append(next(leaves))
            if theirs is None:
                result.append(np.int32(mine) if mine is not None else next(leaves))
        case (Group(children=mine), Group(children=theirs)) | (Table(children=mine), Table(children=theirs)):
            for child, wanted in zip(mine, theirs, strict=True):
                _conform(child, leaves, wanted, result, constant)
        case (MaybeLeaf(child), MaybeLeaf(wanted)):
            result.append(next(leaves))
            _conform(child, leaves, wanted, result, constant)
        case (Absent(), MaybeLeaf(wanted)):
            result.append(np.bool_(False))
            _placeholder(wanted, result, constant)
        case (_, MaybeLeaf(wanted)):
            result.append(np.bool_(True))
            _conform(source, leaves, wanted, result, constant)
        case (Absent(), _):
            _placeholder(target, result, constant)
        case _:
            result.extend(next(leaves) for _ in range(leaf_count(source)))


def _skip(source: Template, leaves: Iterator[Any]) -> None:
    for _ in range(leaf_count(source)):
        next(leaves)


def leaf_count(template: Template) -> int:
    """Return how many leaves a value of this template has."""
    match template:
        case Static() | Absent() | Clash():
            return 0
        case ArrayLeaf(identity=identity):
            return 2 if identity is None else 1
        case NumberLeaf():
            return 1
        case Group(children=children) | Table(children=children):
            return sum(map(leaf_count, children))
        case MaybeLeaf(child):
            return 1 + leaf_count(child)
        case _:
            assert_never(template)


def _placeholder(template: Template, result: list[Any], constant: Constant) -> None:
    """Append leaves of the right type that nobody will read."""
    match template:
        case ArrayLeaf(shape, dtype, weak_type, identity):
            result.append(zeros(shape, dtype, weak_type))
            if identity is None:
                result.append(np.int32(0))
        case NumberLeaf(kind):
            result.append(constant(kind()))
        case Group(children=children) | Table(children=children):
            for child in children:
                _placeholder(child, result, constant)
        case MaybeLeaf(child):
            result.append(np.bool_(False))
            _placeholder(child, result, constant)
        case Static() | Absent() | Clash():
            pass
        case _:
            assert_never(template)


def zeros(shape: tuple[int, ...], dtype: Any, weak_type: bool) -> jax.Array:
    """Return an array of zeros of this type, weak or not."""
    if not weak_type:
        return jnp.zeros(shape, dtype)
    kind = {"f": 0.0, "i": 0, "c": 0j}[np.dtype(dtype).kind]
    return lax.broadcast(jnp.asarray(kind), shape)


def build(template: Template, leaves: Iterator[Any], identities: Identities, blame: frozenset[Any]) -> Any:
    """Return the value that `template` and its leaves stand for."""
    match template:
        case Static(value):
            return value
        case ArrayLeaf(identity=identity):
            array = next(leaves)
            identities.set(array, next(leaves) if identity is None else identity)
            return array
        case NumberLeaf(kind, origin):
            return Number(kind, next(leaves), origin | blame)
        case Group(kind, children):
            items = [build(child, leaves, identities, blame) for child in children]
            return items if kind is list else tuple(items) if kind is tuple else kind(*items)
        case Table(keys, children):
            return {key: build(child, leaves, identities, blame) for key, child in zip(keys, children, strict=True)}
        case MaybeLeaf(child):
            bound = next(leaves)
            return Maybe(bound, build(child, leaves, identities, blame))
        case Absent():
            return UNBOUND
        case Clash(detail, earlier):
            return Conflict(blame | earlier, detail)
        case _:
            assert_never(template)


def avals(template: Template) -> list[jax.ShapeDtypeStruct]:
    """Return the types of the leaves; call it where 64-bit types are enabled."""
    match template:
        case Static() | Absent() | Clash():
            return []
        case ArrayLeaf(shape, dtype, weak_type, identity):
            code = [jax.ShapeDtypeStruct((), jnp.int32)] if identity is None else []
            return [jax.ShapeDtypeStruct(shape, dtype, weak_type=weak_type), *code]
        case NumberLeaf(kind):
            return [jax.ShapeDtypeStruct((), _WIDE[kind])]
        case Group(children=children) | Table(children=children):
            return [aval for child in children for aval in avals(child)]
        case MaybeLeaf(child):
            return [jax.ShapeDtypeStruct((), jnp.bool_), *avals(child)]
        case _:
            assert_never(template)


def describe(template: Template) -> str:
    """Return what a value of this template is, in the user's words."""
    match template:
        case Static(value):
            return _name(value)
        case ArrayLeaf(shape, dtype, weak_type):
            return f"an array {dtype}[{','.join(map(str, shape))}]{' (weak)' if weak_type else ''}"
        case NumberLeaf(kind):
            return f"a Python {kind.__name__}"
        case Group(kind, children):
            return f"a {kind.__name__} of {len(children)}"
        case Table():
            return "a dict"
        case MaybeLeaf(child):
            return describe(child)
        case Absent():
            return "unbound"
        case Clash(detail):
            return detail
        case _:
            assert_never(template)


def _name(value: Any) -> str:
    return repr(value) if _is_scalar(value) else f"a {type(value).__name__}"
