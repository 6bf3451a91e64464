"""Builds values of templates and leaves, the way back from `flatten`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, assert_never

from janus_jax._values.identities import Identities
from janus_jax._values.kinds import UNBOUND, Conflict, Instance, Later, Maybe, Recipe, Run, Union
from janus_jax._values.number import Number
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
    labels_of,
    leaf_count,
)


def build(template: Template, leaves: Iterator[Any], identities: Identities, blame: frozenset[Any]) -> Any:
    """Return the value that `template` and its leaves stand for."""
    match template:
        case Static(value):
            return value
        case ArrayLeaf(identity=identity):
            array = next(leaves)
            identities.set(array, next(leaves) if identity is None else identity)
            return array
        case NumberLeaf(kind, origin, bounds, drift):
            return Number(kind, next(leaves), origin | blame, bounds, drift)
        case Group() | Table():
            return _build_container(template, leaves, identities, blame)
        case Held(entry):
            return entry.object
        case Series(element, capacity, count, site, room):
            rows = tuple([next(leaves) for _ in range(leaf_count(element))])
            known = count if count is not None else Number(int, next(leaves), bounds=(0, capacity))
            run = Run(element, rows, known, capacity, site, identities.heap.region, room)
            identities.heap.keep(run, labels_of(element))
            return run
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
    code = next(leaves) if template.identity is None else template.identity
    if template.entry is not None:
        return template.entry.object
    value = _new_container(template, items)
    if not isinstance(code, int) or code:
        identities.set(value, code)
    if template.labels:
        identities.heap.relate(value, template.labels)
    return value


def _new_container(template: Group | Table, items: list[Any]) -> Any:
    if isinstance(template, Table):
        named = dict(zip(template.keys, items, strict=True))
        return named if template.type is dict else Instance(template.type, named)
    if isinstance(template.type, Recipe):
        return Later(template.type, tuple(items))
    return template.type(items) if template.type in (list, tuple, deque) else template.type(*items)


def settle(value: Any, known: Template, identities: Identities) -> None:
    """Note that `value`, of the build of `known`, has the identities that `known` is certain of.

    What an object holds that was there before is no part of that: it may hold something else by now.
    """
    if isinstance(known, ArrayLeaf | Group | Table) and known.identity is not None:
        identities.set(value, known.identity)
    if isinstance(known, Group | Table) and known.entry is None and type(value) in (tuple, list, dict):
        items = value.values() if type(value) is dict else value
        for item, child in zip(items, known.children, strict=True):
            settle(item, child, identities)
