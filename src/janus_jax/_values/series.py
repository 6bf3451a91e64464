"""Lists of one length here and of another there: which type all their elements have in common."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import replace
from functools import reduce
from typing import Any

from janus_jax._values.join import join
from janus_jax._values.kinds import Cursor
from janus_jax._values.template import (
    ArrayLeaf,
    Either,
    Group,
    NumberLeaf,
    Series,
    Static,
    Table,
    Template,
    has_placeholder,
    is_scalar,
    labels_of,
    number_leaf,
    without_bounds,
)


def grown(left: Template, right: Template, capacity: int, site: Any) -> Group | None:
    """Return what holds both lists, of up to `capacity` elements; None where their elements have no common type."""
    if not (isinstance(left, Group) and isinstance(right, Group) and left.type is right.type is list):
        return None
    parts = [*left.children, *right.children]
    if any(sum(isinstance(part, Series) for part in side.children) > 1 for side in (left, right)) or not parts:
        return None
    if not (holds_each_once(left.children) and holds_each_once(right.children)):
        return None
    elements = [part.element if isinstance(part, Series) else varying(part) for part in parts]
    element = without_bounds(reduce(join, elements))
    if not fits_rows(element):
        return None
    known = [part.capacity for part in parts if isinstance(part, Series)]
    return replace(left, children=(Series(element, max([capacity, *known]), None, site),))


def varying(template: Template) -> Template:
    """Return what an element is apart from its numbers' values: other elements will have others."""
    if isinstance(template, Group | Table):
        return replace(template, children=tuple(map(varying, template.children)), entry=None)
    if isinstance(template, Static) and type(template.value) in (int, float, bool):
        return number_leaf(template.value)
    return template


def holds_each_once(templates: Iterable[Template], others: Set[int] = frozenset()) -> bool:
    """Return whether each object in these values that may be changed is there once, and is none of the `others`."""
    labels = [label for template in templates for label in labels_of(template)]
    return len(labels) == len(set(labels)) and others.isdisjoint(labels)


def most_elements(template: Group) -> int:
    """Return how many elements a list of this template may have."""
    return sum(part.capacity if isinstance(part, Series) else 1 for part in template.children)


def fits_rows(template: Template) -> bool:
    """Return whether values of this template can be the rows of arrays."""
    match template:
        case ArrayLeaf() | NumberLeaf():
            return has_placeholder(template)
        case Static(value):
            return is_scalar(value)
        case Either(children):
            return all(map(fits_rows, children))
        case Group(children=children, identity=0) | Table(children=children, identity=0):
            return template.type is not Cursor and all(map(fits_rows, children))
        case _:
            return False
