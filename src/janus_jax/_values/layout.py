"""Lays out leaves: those of a value as a wider template wants them, and those of no value at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias, assert_never

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from janus_jax._values.join import join_alike, with_fields
from janus_jax._values.template import (
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
    leaf_count,
)

_WIDE = {bool: jnp.bool_, int: jnp.int64, float: jnp.float64}
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
        case (_, Clash() | Held()):
            _skip(source, leaves)
        case (Static(value), NumberLeaf()):
            result.append(constant(value))
        case (ArrayLeaf(identity=mine), ArrayLeaf(identity=theirs)):
            result.append(next(leaves))
            if theirs is None:
                result.append(np.int32(mine) if mine is not None else next(leaves))
            elif mine is None:
                next(leaves)
        case (Group(), Group(children=(Series(count=None) as series,))) if source.children != (series,):
            own = [next(leaves) for _ in range(sum(map(leaf_count, source.children)))]
            result.extend(_rows_of(source, own, series, constant))
        case (Group(), Group()) | (Table(), Table()):
            if isinstance(source, Table) and isinstance(target, Table):
                source = with_fields(source, target.keys)
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
        if join_alike(child, source) == child:
            return index
    raise AssertionError(f"{describe(source)} is no alternative of {describe(target)}")


def refreshed(
    template: Template, leaves: Sequence[Any], changed: Mapping[str, tuple[Template, Sequence[Any]]]
) -> tuple[Template, list[Any]]:
    """Return a value that an arm has not bound anew, as it is at the end of the arm: objects in it may have changed.

    `changed` says what the objects at these places hold by then.
    """
    result: list[Any] = []
    return _refreshed(template, iter(leaves), changed, result), result


def _refreshed(
    template: Template,
    leaves: Iterator[Any],
    changed: Mapping[str, tuple[Template, Sequence[Any]]],
    result: list[Any],
) -> Template:
    match template:
        case Group(entry=entry) | Table(entry=entry) if entry is not None and entry.place in changed:
            _skip(template, leaves)
            after, own = changed[entry.place]
            assert isinstance(after, Group | Table)
            result.extend(own)
            return replace(after, labels=template.labels, entry=entry)
        case Group(children=children, identity=identity) | Table(children=children, identity=identity):
            inner = tuple([_refreshed(child, leaves, changed, result) for child in children])
            result.extend([next(leaves)] if identity is None else [])
            return replace(template, children=inner)
        case Either(children):
            result.append(next(leaves))
            return Either(tuple([_refreshed(child, leaves, changed, result) for child in children]))
        case MaybeLeaf(child):
            result.append(next(leaves))
            return MaybeLeaf(_refreshed(child, leaves, changed, result))
        case _:
            result.extend(next(leaves) for _ in range(leaf_count(template)))
            return template


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
        case Series(element, capacity, count):
            one: list[Any] = []
            _placeholder(element, one, constant)
            result.extend(jnp.broadcast_to(jnp.asarray(leaf), (capacity, *jnp.shape(leaf))) for leaf in one)
            result.extend([jnp.int64(0)] if count is None else [])
        case Static() | Held() | Absent() | Clash():
            pass
        case _:
            assert_never(template)


def zeros(shape: tuple[int, ...], dtype: Any, weak_type: bool) -> jax.Array:
    """Return an array of zeros of this type, weak or not."""
    return _weakened(jnp.zeros(shape, dtype), weak_type)


def with_row(rows: Any, place: Any, leaf: Any) -> jax.Array:
    """Return the rows, with `leaf` in this place; `dynamic_update_slice` alone forgets that both are weakly typed."""
    weak_type = bool(getattr(jax.typeof(rows), "weak_type", False))
    return _weakened(lax.dynamic_update_index_in_dim(rows, leaf, place, 0), weak_type)


def _weakened(array: jax.Array, weak_type: bool) -> jax.Array:
    if not weak_type:
        return array
    return lax.convert_element_type_p.bind(array, new_dtype=array.dtype, weak_type=True, sharding=None)


def avals(template: Template) -> list[jax.ShapeDtypeStruct]:
    """Return the types of the leaves; call it where 64-bit types are enabled."""
    match template:
        case Series(element, capacity, count):
            rows = [
                jax.ShapeDtypeStruct((capacity, *aval.shape), aval.dtype, weak_type=bool(aval.weak_type))
                for aval in avals(element)
            ]
            return [*rows, *([jax.ShapeDtypeStruct((), jnp.int64)] if count is None else [])]
        case Static() | Held() | Absent() | Clash():
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


def _rows_of(template: Group, leaves: Sequence[Any], target: Series, constant: Constant) -> list[Any]:
    """Return the leaves of a list as rows: those that it has already, and its other elements around them."""
    before: list[list[Any]] = []
    after: list[list[Any]] = []
    rows: list[Any] | None = None
    count: Any = 0
    position = 0
    for child in template.children:
        own = list(leaves[position : position + leaf_count(child)])
        position += leaf_count(child)
        if isinstance(child, Series):
            assert rows is None
            count = child.count if child.count is not None else own.pop()
            rows = list(convert_rows(child.element, own, child.capacity, target.element, constant))
        else:
            column = [jnp.asarray(leaf) for leaf in conform(child, own, target.element, constant)]
            (before if rows is None else after).append(column)
    if rows is None and not before:
        _placeholder(target, empty := [], constant)
        return [*empty[:-1], jnp.int64(0)]
    stacked = [jnp.stack(column) for column in zip(*before, strict=True)]
    if rows is not None:
        stacked = [lax.concatenate(pair, 0) for pair in zip(stacked, rows, strict=True)] if before else rows
    result: list[Any] = [_padded(row, target.capacity) for row in stacked]
    for offset, column in enumerate(after, len(before)):
        place = lax.convert_element_type(jnp.asarray(count) + offset, jnp.int32)
        pairs = zip(result, column, strict=True)
        result = [with_row(row, place, leaf) for row, leaf in pairs]
    others = jnp.int64(len(before) + len(after))
    return [*result, lax.convert_element_type(jnp.asarray(count), jnp.int64) + others]


def convert_rows(
    source: Template, rows: Sequence[Any], count: int, target: Template, constant: Constant
) -> Sequence[Any]:
    """Return rows of `count` elements of one template as rows of a join of it."""
    if source == target:
        return rows

    def one(*leaves: Any) -> list[Any]:
        return [jnp.asarray(leaf) for leaf in conform(source, leaves, target, constant)]

    return list(jax.vmap(one)(*rows)) if rows else [jnp.stack([leaf] * count) for leaf in one()]


def _padded(row: Any, capacity: int) -> jax.Array:
    missing = capacity - row.shape[0]
    if missing <= 0:
        return row
    filler = jnp.broadcast_to(lax.index_in_dim(row, 0, keepdims=False), (missing, *row.shape[1:]))
    return lax.concatenate([row, filler], 0)
