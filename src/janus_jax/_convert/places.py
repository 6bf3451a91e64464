"""What a region may change: local variables, and objects that the call has made. Both are places, and have a name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from janus_jax._convert.frames import Frame
from janus_jax._convert.stager import conflict
from janus_jax._values.heap import content_of, fill
from janus_jax._values.kinds import UNBOUND, Box, Conflict
from janus_jax._values.template import Group, Table, Template, describe, flatten


def is_object(place: str) -> bool:
    """Return whether the place is an object, and not a variable."""
    return place.startswith("@")


def changed_places(before: dict[str, Any], frame: Frame) -> list[str]:
    """Return what is not as it was: the variables of a frame, and the objects that the open region found."""
    after = frame.env
    names = (name for name in before.keys() | after.keys() if after.get(name, UNBOUND) is not before.get(name, UNBOUND))
    return sorted([*names, *frame.stager.heap.changed()])


def flatten_place(frame: Frame, place: str, *, leaving: bool = False) -> tuple[Template, list[Any]]:
    """Return what a place holds, as a template and its leaves; `leaving`: as the open region leaves it."""
    stager = frame.stager
    region = stager.heap.region if leaving else None
    if not is_object(place):
        return flatten(frame.env.get(place, UNBOUND), stager.identities, region)
    target = stager.heap.at(place)
    if isinstance(target, (Box, set)):
        return flatten(content_of(target), stager.identities, region)
    template, leaves = flatten(target, stager.identities, region)
    assert isinstance(template, (Group, Table)), template
    return replace(template, labels=frozenset(), entry=None), leaves


def put(frame: Frame, place: str, template: Template, value: Any, blame: frozenset[Any]) -> None:
    """Have a place hold `value`, which was built of `template`."""
    heap = frame.stager.heap
    if not is_object(place):
        frame.env[place] = value
        return heap.adopt(value)
    target = heap.at(place)
    fits = type(value) is frozenset if type(target) is set else type(value) is type(target)
    if not fits and not isinstance(target, Box):
        detail = value.detail if isinstance(value, Conflict) else describe(template)
        raise conflict(frame.stager, f"a {type(target).__name__}", Conflict(blame, detail))
    heap.note(target)
    fill(target, value if isinstance(target, (Box, set)) else content_of(value))
    return heap.adopt(target)
