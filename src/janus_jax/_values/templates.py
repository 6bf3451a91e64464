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

from janus_jax._guards import Path, same_bits
from janus_jax._values.kinds import UNBOUND, Conflict, Maybe, Unbound, Union
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
    """A tuple, list or named tuple; `identity` as for arrays."""

    type: type
    children: tuple[Template, ...]
    identity: int | None = 0


@dataclass(frozen=True, slots=True)
class Table:
    """A dict, in key order; `identity` as for arrays."""

    keys: tuple[Any, ...]
    children: tuple[Template, ...]
    identity: int | None = 0


@dataclass(frozen=True, slots=True)
class MaybeLeaf:
    """A value that is bound only where the first leaf is true."""

    child: Template


@dataclass(frozen=True, slots=True)
class Either:
    """A value of one of several templates; the first leaf says which."""

    children: tuple[Template, ...]


@dataclass(frozen=True, slots=True)
class Absent:
    """An unbound name."""


@dataclass(frozen=True, slots=True)
class Clash:
    """Two values that no single program value can stand for."""

    detail: str
    blame: frozenset[Any] = field(default=frozenset(), compare=False)


Template: TypeAlias = Static | ArrayLeaf | NumberLeaf | Group | Table | MaybeLeaf | Either | Absent | Clash

MAX_ALTERNATIVES = 4  # with values that only the run knows; each operation is done for every one of them
MAX_CONSTANTS = 16


class Identities:
    """Knows which arrays and containers stand for an object that existed before the call.

    So results keep their identity: a code is 0 for a new object and k + 1 for the object at path k.
    """

    def __init__(self) -> None:
        self._table: dict[int, tuple[Any, int | jax.Array]] = {}
        self.paths: list[Path] = []

    def of(self, value: Any) -> int | jax.Array:
        """Return 0 for a new object, the code of one that existed before, or a tracer of that code."""
        entry = self._table.get(id(value))
        return entry[1] if entry else 0

    def set(self, value: Any, code: int | jax.Array) -> None:
        """Record that `value` stands for the object that `code` names."""
        self._table[id(value)] = (value, code)

    def register(self, value: Any, path: Path) -> None:
        """Record that `value` stands for the object at `path`."""
        if path not in self.paths:
            self.paths.append(path)
        self.set(value, self.paths.index(path) + 1)


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
    if type(value) in (tuple, list, dict) or is_named_tuple(value):
        return _flatten_container(value, identities, leaves)
    if isinstance(value, Maybe):
        leaves.append(value.bound)
        return MaybeLeaf(_flatten(value.value, identities, leaves))
    if isinstance(value, Union):
        leaves.append(value.tag)
        return Either(tuple([_flatten(item, identities, leaves) for item in value.alternatives]))
    if isinstance(value, Unbound):
        return Absent()
    if isinstance(value, Conflict):
        return Clash(value.detail, value.blame)
    return Static(value)


def _flatten_container(value: Any, identities: Identities, leaves: list[Any]) -> Template:
    items = value.values() if type(value) is dict else value
    children = tuple([_flatten(item, identities, leaves) for item in items])
    identity = identities.of(value)
    if not isinstance(identity, int):
        leaves.append(identity)
        identity = None
    return Table(tuple(value), children, identity) if type(value) is dict else Group(type(value), children, identity)


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
        case (Absent(), Absent()):
            return left
        case (Absent() | MaybeLeaf(), _) | (_, Absent() | MaybeLeaf()):
            return _join_maybe(left, right, implied)
        case (Either(), _) | (_, Either()):
            return _join_either(left, right)
        case _:
            joined = _join_alike(left, right)
            return joined if joined is not None else _join_either(left, right)


def _join_alike(left: Template, right: Template) -> Template | None:
    """Return the join of two templates of one kind, or None where only `Either` can hold both."""
    match left, right:
        case (Static(a), Static(b)):
            number = type(a) is type(b) and type(a) in NUMBER_TYPES
            return left if left == right else NumberLeaf(type(a)) if number else None
        case (Static(a), NumberLeaf(kind)) if type(a) is kind:
            return right
        case (NumberLeaf(kind), Static(b)) if type(b) is kind:
            return left
        case (NumberLeaf(a, origin), NumberLeaf(b, other)) if a is b:
            return NumberLeaf(a, origin | other)
        case (ArrayLeaf(), ArrayLeaf()) if replace(left, identity=0) == replace(right, identity=0):
            return left if left.identity == right.identity else replace(left, identity=None)
        case (Group(a, mine), Group(b, theirs)) if a is b and len(mine) == len(theirs):
            return _join_children(left, right)
        case (Table(a, mine), Table(b, theirs)) if a == b:
            return _join_children(left, right)
        case _:
            return None


def _join_children(left: Group | Table, right: Group | Table) -> Template:
    children = tuple(join(a, b) for a, b in zip(left.children, right.children, strict=True))
    clash = next((child for child in children if isinstance(child, Clash)), None)
    identity = left.identity if left.identity == right.identity else None
    return clash or replace(left, children=children, identity=identity)


def _join_maybe(left: Template, right: Template, implied: bool) -> Template:
    inner = [side.child if isinstance(side, MaybeLeaf) else side for side in (left, right)]
    present = [side for side in inner if not isinstance(side, Absent)]
    child = present[0] if len(present) == 1 else join(present[0], present[1])
    if isinstance(child, Clash):
        return child
    if not _has_placeholder(child):
        return Clash(f"{describe(child)} on one path, unbound on another")
    return (
        child if implied and not isinstance(left, MaybeLeaf) and not isinstance(right, MaybeLeaf) else MaybeLeaf(child)
    )


def _join_either(left: Template, right: Template) -> Template:
    """Return both templates as alternatives, those of one kind joined."""
    children = list(left.children if isinstance(left, Either) else (left,))
    for candidate in right.children if isinstance(right, Either) else (right,):
        for index, child in enumerate(children):
            joined = _join_alike(child, candidate)
            if joined is not None and not isinstance(joined, Clash):
                children[index] = joined
                break
        else:
            children.append(candidate)
    constants = sum(isinstance(child, Static) for child in children)
    too_many = constants > MAX_CONSTANTS or len(children) - constants > MAX_ALTERNATIVES
    if too_many or not all(map(_has_placeholder, children)):
        return Clash(f"{describe(left)} on one path, {describe(right)} on another")
    return Either(tuple(children))


def holds_union(template: Template) -> bool:
    """Return whether a value of this template may be of several types, or something in it may."""
    match template:
        case Either():
            return True
        case Group(children=children) | Table(children=children):
            return any(map(holds_union, children))
        case MaybeLeaf(child):
            return holds_union(child)
        case _:
            return False


def _has_placeholder(template: Template) -> bool:
    match template:
        case ArrayLeaf(_, dtype):
            return not jnp.issubdtype(dtype, jax.dtypes.extended)
        case Group(children=children) | Table(children=children) | Either(children):
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
            elif mine is None:
                next(leaves)
        case (Group(), Group()) | (Table(), Table()):
            for child, wanted in zip(source.children, target.children, strict=True):
                _conform(child, leaves, wanted, result, constant)
            if target.identity is None:
                result.append(np.int32(source.identity) if source.identity is not None else next(leaves))
            elif source.identity is None:
                next(leaves)
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
        case (Either(children), Either()):
            _conform_alternatives(next(leaves), children, leaves, target, result, constant)
        case (_, Either()):
            _conform_alternatives(None, (source,), leaves, target, result, constant)
        case _:
            result.extend(next(leaves) for _ in range(leaf_count(source)))


def _conform_alternatives(
    tag: Any,
    sources: Sequence[Template],
    leaves: Iterator[Any],
    target: Either,
    result: list[Any],
    constant: Constant,
) -> None:
    """Lay out the alternatives of a value; several that have become one are told apart by the tag."""
    places = [_alternative(source, target) for source in sources]
    own = [
        conform(source, [next(leaves) for _ in range(leaf_count(source))], target.children[place], constant)
        for source, place in zip(sources, places, strict=True)
    ]
    result.append(
        np.int32(places[0]) if tag is None else select(tag, range(len(places)), [np.int32(place) for place in places])
    )
    for index, child in enumerate(target.children):
        found = [k for k, place in enumerate(places) if place == index]
        if not found:
            _placeholder(child, result, constant)
        result.extend(select(tag, found, column) for column in zip(*(own[k] for k in found), strict=True))


def _alternative(source: Template, target: Either) -> int:
    for index, child in enumerate(target.children):
        if _join_alike(child, source) == child:
            return index
    raise AssertionError(f"{describe(source)} is no alternative of {describe(target)}")


def select(tag: Any, numbers: Sequence[int], values: Sequence[Any]) -> Any:
    """Return the value whose number is `tag`; the last where none is."""
    if all(value is values[0] for value in values):
        return values[0]
    result = jnp.asarray(values[-1])
    for number, value in reversed(list(zip(numbers[:-1], values[:-1], strict=True))):
        chosen = jnp.broadcast_to(tag == np.int32(number), result.shape)
        result = lax.select(chosen, jnp.asarray(value), result)
    return result


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
        case Group(children=children, identity=identity) | Table(children=children, identity=identity):
            return sum(map(leaf_count, children)) + (identity is None)
        case MaybeLeaf(child):
            return 1 + leaf_count(child)
        case Either(children):
            return 1 + sum(map(leaf_count, children))
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
        case Group(children=children, identity=identity) | Table(children=children, identity=identity):
            for child in children:
                _placeholder(child, result, constant)
            result.extend([np.int32(0)] if identity is None else [])
        case MaybeLeaf(child):
            result.append(np.bool_(False))
            _placeholder(child, result, constant)
        case Either(children):
            result.append(np.int32(0))
            for child in children:
                _placeholder(child, result, constant)
        case Static() | Absent() | Clash():
            pass
        case _:
            assert_never(template)


def zeros(shape: tuple[int, ...], dtype: Any, weak_type: bool) -> jax.Array:
    """Return an array of zeros of this type, weak or not."""
    new = jnp.zeros(shape, dtype)
    return lax.convert_element_type_p.bind(new, new_dtype=dtype, weak_type=True, sharding=None) if weak_type else new


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
        case Group() | Table():
            return _build_container(template, leaves, identities, blame)
        case MaybeLeaf(child):
            bound = next(leaves)
            return Maybe(bound, build(child, leaves, identities, blame))
        case Either(children):
            tag = next(leaves)
            return Union(tag, tuple([build(child, leaves, identities, blame) for child in children]))
        case Absent():
            return UNBOUND
        case Clash(detail, earlier):
            return Conflict(blame | earlier, detail)
        case _:
            assert_never(template)


def _build_container(
    template: Group | Table, leaves: Iterator[Any], identities: Identities, blame: frozenset[Any]
) -> Any:
    items = [build(child, leaves, identities, blame) for child in template.children]
    if isinstance(template, Table):
        value: Any = dict(zip(template.keys, items, strict=True))
    else:
        plain = template.type in (list, tuple)
        value = template.type(items) if plain else template.type(*items)
    if template.identity is None or template.identity:
        identities.set(value, next(leaves) if template.identity is None else template.identity)
    return value


def settle(value: Any, known: Template, identities: Identities) -> None:
    """Note that `value`, of the build of `known`, has the identities that `known` is certain of."""
    if isinstance(known, ArrayLeaf | Group | Table) and known.identity is not None:
        identities.set(value, known.identity)
    if isinstance(known, Group | Table) and type(value) in (tuple, list, dict):
        items = value.values() if type(value) is dict else value
        for item, child in zip(items, known.children, strict=True):
            settle(item, child, identities)


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
        case Group(children=children, identity=identity) | Table(children=children, identity=identity):
            code = [jax.ShapeDtypeStruct((), jnp.int32)] if identity is None else []
            return [*(aval for child in children for aval in avals(child)), *code]
        case MaybeLeaf(child):
            return [jax.ShapeDtypeStruct((), jnp.bool_), *avals(child)]
        case Either(children):
            return [jax.ShapeDtypeStruct((), jnp.int32), *(aval for child in children for aval in avals(child))]
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
        case Either(children):
            return " or ".join(map(describe, children))
        case Absent():
            return "unbound"
        case Clash(detail):
            return detail
        case _:
            assert_never(template)


def _name(value: Any) -> str:
    return repr(value) if _is_scalar(value) else f"a {type(value).__name__}"
