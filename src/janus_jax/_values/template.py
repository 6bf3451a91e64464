"""What a value that leaves a region is, apart from the arrays in it: its template; those are its leaves.

Branches whose templates join can be merged, and a loop whose body gives back the template it was given can be rolled.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeAlias, assert_never

import jax
import jax.numpy as jnp

from janus_jax._guards import same_bits
from janus_jax._values.heap import MUTABLE, Entry, Heap, Region, parts_of
from janus_jax._values.identities import Identities
from janus_jax._values.kinds import (
    ClosureValue,
    Conflict,
    Instance,
    Later,
    Maybe,
    NativeValue,
    PartialValue,
    Room,
    Run,
    TransformedValue,
    Transient,
    Unbound,
    Union,
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
    """A tuple, named tuple, list or deque; `identity` as for arrays.

    `labels` are those of the objects that it may be; `entry` is given where it is certainly that one.
    """

    type: Any
    children: tuple[Template, ...]
    identity: int | None = 0
    labels: frozenset[int] = field(default=frozenset(), compare=False)
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A dict in key order, or an object of a user's class; the rest as for groups."""

    keys: tuple[Any, ...]
    children: tuple[Template, ...]
    identity: int | None = 0
    labels: frozenset[int] = field(default=frozenset(), compare=False)
    entry: Entry | None = None
    type: Any = dict


@dataclass(frozen=True, slots=True)
class Held:
    """An object that was there before, whatever it holds by now."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Series:
    """Elements of a list that are all alike, in rows of `capacity`; `count` of them, None where only the run knows."""

    element: Template
    capacity: int
    count: int | None
    site: Any = field(default=None, compare=False)  # where the capacity was decided
    room: Room | None = field(default=None, compare=False)


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


Container: TypeAlias = Group | Table | Held | Series
Template: TypeAlias = Static | ArrayLeaf | NumberLeaf | Container | MaybeLeaf | Either | Absent | Clash


def is_scalar(value: Any) -> bool:
    """Return whether `value` is of a builtin type without parts."""
    return type(value) in (bool, int, float, complex, str, bytes, type(None), type(Ellipsis))


def is_named_tuple(value: Any) -> bool:
    """Return whether `value` is an instance of a named tuple class."""
    return isinstance(value, tuple) and hasattr(type(value), "_fields")


def flatten(value: Any, identities: Identities, leaving: Region | None = None) -> tuple[Template, list[Any]]:
    """Return what `value` is, and the arrays in it, at the end of the region `leaving`."""
    flat = _Flattening(identities, leaving)
    return flat.of(value), flat.leaves


@dataclass(slots=True, eq=False)
class _Flattening:
    identities: Identities
    leaving: Region | None
    leaves: list[Any] = field(default_factory=list[Any])
    open: set[int] = field(default_factory=set[int])  # the objects that are being flattened

    def of(self, value: Any) -> Template:
        if isinstance(value, jax.Array):
            return self._array(value)
        if isinstance(value, Number):
            self.leaves.append(value.value)
            return NumberLeaf(value.kind, value.origin, value.bounds, value.drift)
        if type(value) in (tuple, list, dict, deque, Instance) or is_named_tuple(value):
            return self._container(value)
        if isinstance(value, Maybe):
            self.leaves.append(value.bound)
            return MaybeLeaf(self.of(value.value))
        if isinstance(value, Union):
            self.leaves.append(value.tag)
            return Either(tuple([self.of(item) for item in value.alternatives]))
        if isinstance(value, Unbound):
            return Absent()
        if isinstance(value, Conflict):
            return Clash(value.detail, value.blame)
        if type(value) is set:
            return self._set(value)
        if isinstance(value, Run):
            return self._run(value)
        if isinstance(value, Later) and value.recipe.mutable:
            return Clash(f"{value.recipe.what} that somebody may change belongs to one path alone")
        if isinstance(value, Later):
            return Group(value.recipe, tuple(map(self.of, value.parts)))
        if _Search(self.identities.heap, self.leaving).is_of_region(value):
            return Clash("it belongs to one path alone")
        return Static(value)

    def _container(self, value: Any) -> Template:
        if id(value) in self.open:
            return self._leads_back(value)
        named: Any = value.fields if isinstance(value, Instance) else value if type(value) is dict else None
        self.open.add(id(value))
        held: Any = value if named is None else named.values()
        children = tuple(map(self.of, held))
        self.open.remove(id(value))
        identity = self._identity(value)
        labels, entry = self._entry(value)
        if named is None:
            return Group(type(value), children, identity, labels, entry)
        kind = value.kind if isinstance(value, Instance) else dict
        return Table(tuple(named), children, identity, labels, entry, kind)

    def _identity(self, value: Any) -> int | None:
        identity = self.identities.of(value)
        if isinstance(identity, int):
            return identity
        self.leaves.append(identity)
        return None

    def _entry(self, value: Any) -> tuple[frozenset[int], Entry | None]:
        if isinstance(value, tuple):
            return frozenset(), None
        heap = self.identities.heap
        return frozenset([heap.entry(value).label]), heap.outlives(value, self.leaving)

    def _leads_back(self, value: Any) -> Template:
        """Return what an object is inside itself: it can be named where it is still there behind the region."""
        _, entry = self._entry(value)
        return Held(entry) if entry else Clash("an object that leads back to itself belongs to one path alone")

    def _set(self, value: Any) -> Template:
        _, entry = self._entry(value)
        return Held(entry) if entry else Clash("a set belongs to one path alone")

    def _run(self, value: Run) -> Template:
        self.leaves.extend(value.rows)
        if isinstance(value.count, Number):
            self.leaves.append(value.count.value)
            return Series(value.template, value.capacity, None, value.site, value.room)
        return Series(value.template, value.capacity, value.count, value.site)

    def _array(self, value: Any) -> ArrayLeaf:
        aval = jax.typeof(value)
        self.leaves.append(value)
        weak = bool(getattr(aval, "weak_type", False))
        return ArrayLeaf(aval.shape, aval.dtype, weak, self._identity(value))


@dataclass(slots=True, eq=False)
class _Search:
    """Looks for what does not outlive the region that is being left, in a value that is no leaf."""

    heap: Heap
    leaving: Region | None
    seen: set[int] = field(default_factory=set[int])

    def is_of_region(self, value: Any) -> bool:
        """Return whether `value` may hold arrays of the region, or objects that were made in it."""
        match value:
            case ClosureValue():
                return self._any_of([value.defaults, value.keyword_defaults]) or self._is_frame_of_region(value.frame)
            case PartialValue():
                return self._any_of([value.args, value.keywords]) or self.is_of_region(value.function)
            case TransformedValue():
                return self.is_of_region(value.function)
            case NativeValue():
                return True
            case Transient():
                return self._any_of([getattr(value, part.name) for part in fields(value)])
            case _:
                return False

    def _is_frame_of_region(self, frame: Any) -> bool:
        """Return whether a call that has returned left such values behind, for a function that it made to read."""
        if frame is None or id(frame) in self.seen:
            return False
        self.seen.add(id(frame))
        held = [*frame.env.values(), *frame.boxes.values()]
        return (frame.is_over and self._any_of(held)) or self._is_frame_of_region(frame.parent)

    def _any_of(self, values: list[Any]) -> bool:
        pending: list[Any] = list(values)
        while pending:
            value = pending.pop()
            if id(value) in self.seen:
                continue
            self.seen.add(id(value))
            if isinstance(value, (jax.Array, Number, Maybe, Union)) or self._is_lost(value) or self.is_of_region(value):
                return True
            pending.extend(parts_of(value))
        return False

    def _is_lost(self, value: Any) -> bool:
        return self.leaving is not None and isinstance(value, MUTABLE) and not self.heap.outlives(value, self.leaving)


def leaf_count(template: Template) -> int:
    """Return how many leaves a value of this template has."""
    match template:
        case Static() | Held() | Absent() | Clash():
            return 0
        case Series(element, _, count):
            return leaf_count(element) + (count is None)
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


def labels_of(template: Template) -> list[int]:
    """Return the labels of the objects in a value that somebody may change, each as often as it is met."""
    match template:
        case Group(children=children, labels=labels) | Table(children=children, labels=labels):
            return [*labels, *(label for child in children for label in labels_of(child))]
        case Series(element) | MaybeLeaf(element):
            return labels_of(element)
        case Either(children):
            return [label for child in children for label in labels_of(child)]
        case _:
            return []


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


def computes(template: Template) -> bool:
    """Return whether laying out leaves as this template wants them may take more than moving them."""
    match template:
        case Either() | Series():
            return True
        case Group(children=children) | Table(children=children):
            return any(map(computes, children))
        case MaybeLeaf(child):
            return computes(child)
        case _:
            return False


def without_bounds(template: Template) -> Template:
    """Return the template of a value of the same type, of whose numbers and lists nothing more is known."""
    match template:
        case Series(element):
            return replace(template, element=without_bounds(element), room=template.room and template.room.unknown())
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
        case Table(type=kind):
            return f"a {kind.__name__}"
        case Series(element):
            return f"elements, each {describe(element)}"
        case Held(entry):
            return f"a {type(entry.object).__name__}"
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
