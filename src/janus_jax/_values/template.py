"""What a value that leaves a region is, apart from the arrays in it: its template; those are its leaves.

Branches whose templates join can be merged, and a loop whose body gives back the template it was given can be rolled.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeAlias, assert_never

import jax
import jax.numpy as jnp

from janus_jax._guards import same_bits
from janus_jax._values.identities import Identities
from janus_jax._values.kinds import (
    ClosureValue,
    Conflict,
    GradValue,
    Maybe,
    NativeValue,
    PartialValue,
    Transient,
    Unbound,
    Union,
    leaves_of,
)
from janus_jax._values.number import Number
from janus_jax._values.number_bounds import INT64, Bounds, Drift

NUMBER_TYPES = (bool, int, float)


@dataclass(frozen=True, slots=True)
class Static:
    """A value known while converting."""

    value: Any

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Static):
            return False
        return self.value is other.value or (is_scalar(self.value) and same_bits(self.value, other.value))

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
    """A Python number known at run time only; what else is known of it is no part of its type."""

    kind: type
    origin: frozenset[Any] = field(default=frozenset(), compare=False)
    bounds: Bounds = field(default=INT64, compare=False)
    drift: Drift | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Group:
    """A tuple, list or named tuple; `identity` as for arrays. `labels` are those of the lists that it may be."""

    type: type
    children: tuple[Template, ...]
    identity: int | None = 0
    labels: frozenset[int] = field(default=frozenset(), compare=False)


@dataclass(frozen=True, slots=True)
class Table:
    """A dict, in key order; `identity` as for arrays. `labels` are those of the dicts that it may be."""

    keys: tuple[Any, ...]
    children: tuple[Template, ...]
    identity: int | None = 0
    labels: frozenset[int] = field(default=frozenset(), compare=False)


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


def is_scalar(value: Any) -> bool:
    """Return whether `value` is of a builtin type without parts."""
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
        return NumberLeaf(value.kind, value.origin, value.bounds, value.drift)
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
    return Clash("it belongs to one path alone") if _is_of_region(value, set()) else Static(value)


def _is_of_region(value: Any, seen: set[int]) -> bool:
    """Return whether a value that is no leaf may hold arrays of the region that is being traced."""
    match value:
        case ClosureValue():
            return _hold_staged([value.defaults, value.keyword_defaults], seen) or _is_frame_of_region(
                value.frame, seen
            )
        case PartialValue():
            return _hold_staged([value.args, value.keywords], seen) or _is_of_region(value.function, seen)
        case GradValue():
            return _is_of_region(value.function, seen)
        case NativeValue():
            return True
        case Transient():
            return _hold_staged([getattr(value, part.name) for part in fields(value)], seen)
        case _:
            return False


def _is_frame_of_region(frame: Any, seen: set[int]) -> bool:
    """Return whether a call that has returned left arrays behind, for a function that it made to read."""
    if frame is None or id(frame) in seen:
        return False
    seen.add(id(frame))
    return (frame.is_over and _hold_staged(list(frame.env.values()), seen)) or _is_frame_of_region(frame.parent, seen)


def _hold_staged(values: list[Any], seen: set[int]) -> bool:
    staged = (jax.Array, Number, Maybe, Union)
    return any(isinstance(leaf, staged) or _is_of_region(leaf, seen) for leaf in leaves_of(values))


def _flatten_container(value: Any, identities: Identities, leaves: list[Any]) -> Template:
    items = value.values() if type(value) is dict else value
    children = tuple([_flatten(item, identities, leaves) for item in items])
    identity = identities.of(value)
    if not isinstance(identity, int):
        leaves.append(identity)
        identity = None
    labels = frozenset([identities.label(value)] if type(value) in (list, dict) else [])
    if type(value) is dict:
        return Table(tuple(value), children, identity, labels)
    return Group(type(value), children, identity, labels)


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


def without_bounds(template: Template) -> Template:
    """Return the template of a value of the same type, of whose numbers nothing is known."""
    match template:
        case NumberLeaf(kind, origin):
            return NumberLeaf(kind, origin)
        case Group(children=children) | Table(children=children) | Either(children):
            return replace(template, children=tuple(map(without_bounds, children)))
        case MaybeLeaf(child):
            return MaybeLeaf(without_bounds(child))
        case _:
            return template


def number_leaf(value: Any) -> NumberLeaf:
    """Return the template of a number that may be this one."""
    return NumberLeaf(type(value), bounds=(value, value) if type(value) is int else INT64)


def has_placeholder(template: Template) -> bool:
    """Return whether leaves of the right type can be made where there is no value."""
    match template:
        case ArrayLeaf(_, dtype):
            return not jnp.issubdtype(dtype, jax.dtypes.extended)
        case Group(children=children) | Table(children=children) | Either(children):
            return all(map(has_placeholder, children))
        case _:
            return True


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
    return repr(value) if is_scalar(value) else f"a {type(value).__name__}"
