"""Joins templates: what is a value that comes from either of two paths?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from janus_jax._values.number_bounds import drift_of_either, hull
from janus_jax._values.template import (
    NUMBER_TYPES,
    Absent,
    ArrayLeaf,
    Clash,
    Either,
    Group,
    Held,
    MaybeLeaf,
    NumberLeaf,
    Series,
    Static,
    Table,
    Template,
    describe,
    has_placeholder,
    number_leaf,
)

MAX_ALTERNATIVES = 4  # with values that only the run knows; each operation is done for every one of them
MAX_CONSTANTS = 16


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
        case (Series(), _) | (_, Series()):
            return _join_series(left, right)
        case (Either(), _) | (_, Either()):
            return _join_either(left, right)
        case _:
            joined = join_alike(left, right)
            return joined if joined is not None else _join_either(left, right)


def _join_series(left: Template, right: Template) -> Template:
    if not (isinstance(left, Series) and isinstance(right, Series) and left == right):
        return Clash("lists of different lengths")
    return replace(left, room=left.room and left.room.joined(right.room))


def join_alike(left: Template, right: Template) -> Template | None:
    """Return the join of two templates of one kind, or None where only `Either` can hold both."""
    match left, right:
        case (Static(), Static()) if left == right:
            return left
        case (Static() | NumberLeaf(), Static() | NumberLeaf()):
            return _join_numbers(left, right)
        case (ArrayLeaf(), ArrayLeaf()) if replace(left, identity=0) == replace(right, identity=0):
            return left if left.identity == right.identity else replace(left, identity=None)
        case (Group() | Table() | Held(), Group() | Table() | Held()):
            return _join_containers(left, right)
        case _:
            return None


def _join_containers(left: Group | Table | Held, right: Group | Table | Held) -> Template | None:
    if isinstance(left, Held) or isinstance(right, Held):
        return Held(left.entry) if left.entry is not None and left.entry is right.entry else None
    if isinstance(left, Table) and isinstance(right, Table) and left.type is right.type is not dict:
        left, right = with_fields(left, right.keys), with_fields(right, left.keys)
    joined = _join_children(left, right) if _is_shaped_alike(left, right) else None
    if left.entry is not None and left.entry is right.entry and (joined is None or isinstance(joined, Clash)):
        return Held(left.entry)
    return joined


def _is_shaped_alike(left: Group | Table, right: Group | Table) -> bool:
    if left.type is not right.type or len(left.children) != len(right.children):
        return False
    if not isinstance(left, Table) or not isinstance(right, Table):
        return type(left) is type(right)
    return all(type(a) is type(b) and a == b for a, b in zip(left.keys, right.keys, strict=True))


def _join_numbers(left: Static | NumberLeaf, right: Static | NumberLeaf) -> Template | None:
    one, other = (number_leaf(side.value) if isinstance(side, Static) else side for side in (left, right))
    if one.kind is not other.kind or one.kind not in NUMBER_TYPES:
        return None
    drift = drift_of_either((one.bounds, one.drift), (other.bounds, other.drift))
    return NumberLeaf(one.kind, one.origin | other.origin, hull(one.bounds, other.bounds), drift)


def with_fields(table: Table, keys: tuple[Any, ...]) -> Table:
    """Return the template of an object, with the fields that another path gives it."""
    missing = tuple(key for key in keys if key not in table.keys)
    return replace(table, keys=table.keys + missing, children=table.children + (Absent(),) * len(missing))


def _join_children(left: Group | Table, right: Group | Table) -> Template:
    children = tuple(join(a, b) for a, b in zip(left.children, right.children, strict=True))
    clash = next((child for child in children if isinstance(child, Clash)), None)
    identity = left.identity if left.identity == right.identity else None
    entry = left.entry if left.entry is right.entry else None
    return clash or replace(left, children=children, identity=identity, labels=left.labels | right.labels, entry=entry)


def _join_maybe(left: Template, right: Template, implied: bool) -> Template:
    inner = [side.child if isinstance(side, MaybeLeaf) else side for side in (left, right)]
    present = [side for side in inner if not isinstance(side, Absent)]
    child = present[0] if len(present) == 1 else join(present[0], present[1])
    if isinstance(child, Clash):
        return child
    if not has_placeholder(child):
        return Clash(f"{describe(child)} on one path, unbound on another")
    return (
        child if implied and not isinstance(left, MaybeLeaf) and not isinstance(right, MaybeLeaf) else MaybeLeaf(child)
    )


def _join_either(left: Template, right: Template) -> Template:
    """Return both templates as alternatives, those of one kind joined."""
    children = list(left.children if isinstance(left, Either) else (left,))
    for candidate in right.children if isinstance(right, Either) else (right,):
        for index, child in enumerate(children):
            joined = join_alike(child, candidate)
            if joined is not None and not isinstance(joined, Clash):
                children[index] = joined
                break
        else:
            children.append(candidate)
    constants = sum(isinstance(child, Static) for child in children)
    too_many = constants > MAX_CONSTANTS or len(children) - constants > MAX_ALTERNATIVES
    if too_many or not all(map(has_placeholder, children)):
        return Clash(f"{describe(left)} on one path, {describe(right)} on another")
    return Either(tuple(children))
