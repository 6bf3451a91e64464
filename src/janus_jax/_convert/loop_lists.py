"""Lists that a rolled loop makes longer.

Where the body only puts elements behind them, these are outputs of the loop, one row for each iteration. Where it also
looks at the list, or puts in something now and then only, the list is carried, in rows of a capacity.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp

from janus_jax._base import Site
from janus_jax._convert.loop import Loop
from janus_jax._convert.places import flatten_place, is_object
from janus_jax._convert.runs import PastIsRead
from janus_jax._values.heap import fill
from janus_jax._values.join import join
from janus_jax._values.kinds import Past, Room, Run
from janus_jax._values.layout import conform
from janus_jax._values.number import Number, wide
from janus_jax._values.series import fits_rows, grown, holds_each_once, most_elements, varying
from janus_jax._values.template import Group, Series, Template, labels_of, leaf_count, without_bounds

MARGIN = 64  # a list may get twice as many elements as were seen, and so many more
UNSEEN = 1_000  # or so many, where the loop was never observed


def is_longer(place: str, before: Template, after: Template) -> bool:
    """Return whether an iteration has put elements into a list."""
    if not (is_object(place) and isinstance(before, Group) and isinstance(after, Group) and before.type is list):
        return False
    return len(after.children) > len(before.children)


def hide(loop: Loop, places: Sequence[str]) -> None:
    """Have the lists hold nothing but a stand-in for what earlier iterations have put in."""
    heap = loop.frame.stager.heap
    for place in places:
        heap.note(heap.at(place))
        fill(heap.at(place), (Past(place),))


def put_in(loop: Loop, place: str, others: set[int]) -> tuple[Template, list[list[Any]]]:
    """Return what an iteration has put behind a list: the type of an element, and the leaves of each.

    An object in it that the next iteration can meet might change there: it is no row. `others` are their labels.
    """
    stager = loop.frame.stager
    held = stager.heap.at(place)
    if not held or not isinstance(held[0], Past):
        raise PastIsRead(place)
    template, leaves = flatten_place(loop.frame, place, leaving=True)
    assert isinstance(template, Group)
    children = template.children[1:]
    if not children or not stager.heap.are_new(held[1:]) or not holds_each_once(children, others):
        raise PastIsRead(place)
    element = without_bounds(reduce(join, map(varying, children)))
    if not fits_rows(element):
        raise PastIsRead(place)
    return element, [conform(child, own, element, stager.constant) for child, own in _split(children, leaves)]


def _split(children: Sequence[Template], leaves: Sequence[Any]) -> list[tuple[Template, list[Any]]]:
    ends: list[int] = []
    for child in children:
        ends.append((ends[-1] if ends else 0) + leaf_count(child))
    starts = [0, *ends[:-1]]
    return [(child, list(leaves[a:b])) for child, a, b in zip(children, starts, ends, strict=True)]


def extend(loop: Loop, place: str, element: Template, columns: list[list[Any]], iterations: Any) -> None:
    """Put the rows that a loop has given behind the list; `iterations` is how many of them there are."""
    stager = loop.frame.stager
    several = len(columns)
    with wide():
        rows = tuple([_interleaved(parts) for parts in zip(*columns, strict=True)])
    count: Any = None
    if isinstance(iterations, int):
        count = most = iterations * several
    else:
        most = several * (int(columns[0][0].shape[0]) if columns[0] else iterations.bounds[1])
        with wide():
            count = Number(int, iterations.value * jnp.int64(several), iterations.origin, (0, most))
    held = stager.heap.at(place)
    stager.heap.note(held)
    run = Run(element, rows, count, most, loop.key[1], stager.heap.region)
    stager.heap.keep(run, labels_of(element))
    held.append(run)


def _interleaved(parts: Sequence[jax.Array]) -> jax.Array:
    if len(parts) == 1:
        return parts[0]
    stacked = jnp.stack(parts, 1)
    return jnp.reshape(stacked, (-1, *stacked.shape[2:]))


def rooms(loop: Loop, place: str, before: Template, after: Template | None) -> dict[str, int]:
    """Return how many elements each iteration may put into a list that was just found to become longer."""
    grows = isinstance(before, Group) and isinstance(after, Group) and most_elements(after) > most_elements(before)
    if not grows or not isinstance(loop.count, int):
        return {}
    return {place: most_elements(after) - most_elements(before)}  # type: ignore[arg-type]  # as `grows` says


def give_room(loop: Loop, places: Iterable[str], room: dict[str, int], guarded: Container[str]) -> None:
    """Have the lists that are carried know, as an iteration begins, how many elements it may put in."""
    heap = loop.frame.stager.heap
    for place in filter(is_object, places):
        held = heap.at(place)
        if type(held) is list and len(held) == 1 and isinstance(held[0], Run):
            each = room.get(place, 0)
            held[0] = replace(held[0], room=Room(place, each, each, guarded=place in guarded))


def take_room(loop: Loop, before: Mapping[str, Template]) -> None:
    """Have the lists forget, behind the loop, what room it had for them: a loop around may have none."""
    heap = loop.frame.stager.heap
    for place, template in before.items():
        held = heap.at(place) if is_object(place) else None
        if type(held) is list and len(held) == 1 and isinstance(held[0], Run):
            first = template.children[0] if isinstance(template, Group) and template.children else None
            room = first.room if isinstance(first, Series) else None
            held[0] = replace(held[0], room=room and room.unknown())


def settle(loop: Loop, place: str, before: Template, each: int, after: Template, *, exact: bool) -> None:
    """Note how many elements a list has behind the loop, where that follows; `exact`: it runs as often as counted."""
    assert isinstance(after, Group)
    room = after.children[0].room if isinstance(after.children[0], Series) else None
    held = loop.frame.stager.heap.at(place)
    run = held[0]
    assert isinstance(run, Run)
    known = _known_length(before)
    alike = room is not None and not room.guarded and room.least == room.most
    if room is not None and alike and exact and known is not None and isinstance(loop.count, int):
        held[0] = replace(run, count=known + (each - room.most) * loop.count)


def note_origin(loop: Loop, place: str) -> None:
    """Note that how long a list is hangs on how often the loop runs."""
    held = loop.frame.stager.heap.at(place)
    if isinstance(loop.count, Number) and len(held) == 1 and isinstance(held[0], Run):
        run = held[0]
        held[0] = replace(run, count=replace(run.count, origin=run.count.origin | loop.count.origin))


def _known_length(template: Template) -> int | None:
    assert isinstance(template, Group)
    total = 0
    for part in template.children:
        count = part.count if isinstance(part, Series) else 1
        if count is None:
            return None
        total += count
    return total


def carried(loop: Loop, before: Template, after: Template) -> Template | None:
    """Return as what a list is carried whose length varies; None where its elements have no common type."""
    site = loop.frame.site(loop.node, "capacity")
    assert isinstance(before, Group)
    assert isinstance(after, Group)
    each = most_elements(after) - most_elements(before)
    return grown(before, after, _capacity(loop, site, before, each), site)


def lengthened(loop: Loop, before: Template) -> Template:
    """Return as what a list is carried that is in rows already, where the body puts more in than it takes out.

    Where a loop around carries it, too, that one decides how many rows there are.
    """
    assert isinstance(before, Group)
    series = before.children[0]
    assert isinstance(series, Series)
    if series.room is not None:
        return before
    site = loop.frame.site(loop.node, "capacity")
    return replace(before, children=(replace(series, capacity=_capacity(loop, site, before, 1), site=site),))


def _capacity(loop: Loop, site: Site, before: Group, each: int) -> int:
    """Return how many elements a list may have: as was learned, or `each` more for every iteration; never too few."""
    planned = loop.frame.stager.plan.caps.get((loop.key[0], site))
    seen = loop.frame.stager.facts.trips(*loop.key)
    if isinstance(loop.count, int):
        iterations = loop.count
    else:
        iterations = 2 * seen.maximum + MARGIN if seen else UNSEEN
    return max(planned or each * iterations + most_elements(before), most_elements(before))
