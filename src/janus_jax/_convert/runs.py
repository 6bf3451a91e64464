"""Lists that a loop of the program makes longer: runs of elements in the rows of arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from janus_jax._base import Unstageable
from janus_jax._convert.stager import Stager
from janus_jax._values import number_ops
from janus_jax._values.build import build
from janus_jax._values.join import join
from janus_jax._values.kinds import Past, Run
from janus_jax._values.layout import conform, convert_rows, with_row
from janus_jax._values.number import Number, wide
from janus_jax._values.series import fits_rows, grown, most_elements, varying
from janus_jax._values.template import ArrayLeaf, Group, NumberLeaf, Template, flatten, labels_of, without_bounds

MOST_ELEMENTS = 1_000  # so many elements of a run are handed on one by one, at most


class PastIsRead(BaseException):
    """Raised while staging where a loop's body asks what earlier iterations have put into a list."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place


class NoRoom(BaseException):
    """Raised while staging where an iteration puts more into a list than its loop has allowed for."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place


def holds_run(value: Any) -> bool:
    """Return whether a list has elements in rows; where they are unknown to a loop's body, the loop is told."""
    if type(value) is not list:
        return False
    for item in value:
        if isinstance(item, Past):
            raise PastIsRead(item.place)
    return any(isinstance(item, Run) for item in value)


def length(stager: Stager, value: Sequence[Any]) -> int | Number:
    """Return how many elements a list has."""
    counts = [item.count if isinstance(item, Run) else 1 for item in value]
    known = sum(count for count in counts if not isinstance(count, Number))
    total: Any = known
    for count in counts:
        if isinstance(count, Number):
            total = count if type(total) is int and total == 0 else number_ops.binary(stager, "+", count, total)
    return total


def items(stager: Stager, value: Sequence[Any]) -> list[Any]:
    """Return all elements, where their number is known."""
    count = length(stager, value)
    if isinstance(count, Number):
        raise stager.need_static([count], "the number of elements")
    if count > MOST_ELEMENTS:
        raise Unstageable("concrete-value", f"each of the {count} elements of a list", stager.site)
    found: list[Any] = []
    for item in value:
        found.extend(_row(stager, item, k) for k in range(item.count)) if isinstance(item, Run) else found.append(item)
    return found


def _row(stager: Stager, run: Run, index: int) -> Any:
    """Return an element whose index is known; asked again where the run was made, the same one."""
    here = run.region is stager.heap.region
    if here and index in run.read:
        return run.read[index]
    with wide():
        leaves = [lax.index_in_dim(row, index, keepdims=False) for row in run.rows]
    value = build(run.template, iter(leaves), stager.identities, frozenset())
    if here and not labels_of(run.template):  # where it is a copy of an object, it is none that somebody may return
        run.read[index] = value
    return value


def unified(stager: Stager, value: list[Any]) -> list[Any]:
    """Return a list that holds one run, of the elements of a list; ends the conversion where they have no type."""
    if len(value) == 1:
        return value
    template, leaves = flatten(value, stager.identities)
    assert isinstance(template, Group)
    site = next(item.site for item in value if isinstance(item, Run))
    target = grown(template, template, most_elements(template), site)
    if target is None:
        raise Unstageable("concrete-value", "an element of a list of which only the run knows the length", stager.site)
    with wide():
        laid_out = conform(replace(template, entry=None), leaves, replace(target, entry=None), stager.constant)
    return build(replace(target, entry=None), iter(laid_out), stager.identities, frozenset())


def element(stager: Stager, value: Sequence[Any], index: Any) -> Any:
    """Return `value[index]` for an integer."""
    counts = [item.count if isinstance(item, Run) else 1 for item in value]
    if not isinstance(index, Number) and not any(isinstance(count, Number) for count in counts):
        return _known_element(stager, value, counts, index)
    run = unified(stager, list(value))[0]
    if type(index) is int and index >= 0:
        with wide():
            inside = index < (run.count.value if isinstance(run.count, Number) else run.count)
        stager.guard(inside, "the index is in the list", "bound")
        return _row(stager, run, min(index, run.capacity - 1))
    place = _position(stager, run.count, index)
    with wide():
        leaves = [lax.dynamic_index_in_dim(row, place, keepdims=False) for row in run.rows]
    return build(run.template, iter(leaves), stager.identities, frozenset())


def _known_element(stager: Stager, value: Sequence[Any], counts: list[int], index: int) -> Any:
    total = sum(counts)
    place = index + total if index < 0 else index
    if not 0 <= place < total:
        raise Unstageable("raises", "IndexError: list index out of range", stager.site)
    for item, count in zip(value, counts, strict=True):
        if place < count:
            return _row(stager, item, place) if isinstance(item, Run) else item
        place -= count
    raise AssertionError(place)


def _position(stager: Stager, count: Any, index: Any) -> Any:
    """Return the row of an index that may be negative, asserting that it is there."""
    with wide():
        size = count.value if isinstance(count, Number) else jnp.int64(count)
        given = number_ops.as_integer(stager, index).value if isinstance(index, Number) else jnp.int64(index)
        place = lax.select(given < 0, given + size, given)
        inside = lax.bitwise_and(place >= 0, place < size)
    stager.guard(inside, "the index is in the list", "bound")
    with wide():
        return lax.convert_element_type(place, jnp.int32)


def append(stager: Stager, value: list[Any], item: Any) -> None:
    """Put an element behind a run of which only the run of the program knows how long it is."""
    run = value[-1] if value else None
    if not isinstance(run, Run) or not isinstance(run.count, Number):
        value.append(item)
        return
    if not stager.heap.are_new([item]):
        raise Unstageable("loop-types-differ", "an object in a list, and somewhere else", stager.site)
    own, leaves = flatten(item, stager.identities)
    run = _fitting(stager, run, own)
    with wide():
        laid_out = conform(own, leaves, run.template, stager.constant)
    run = _with_room(stager, run)
    with wide():
        place = lax.convert_element_type(run.count.value, jnp.int32)
        rows = [with_row(row, place, jnp.asarray(leaf)) for row, leaf in zip(run.rows, laid_out, strict=True)]
        count = Number(int, run.count.value + jnp.int64(1), bounds=(0, run.capacity))
    room = run.room and run.room.less()
    value[-1] = Run(run.template, tuple(rows), count, run.capacity, run.site, stager.heap.region, room)
    stager.heap.keep(value[-1], labels_of(run.template))


def pop(stager: Stager, value: list[Any]) -> Any:
    """Take the last element out of a list of which only the run of the program knows how long it is."""
    value[:] = unified(stager, value)
    last = element(stager, value, -1)
    run = value[0]
    with wide():
        count = Number(int, run.count.value - jnp.int64(1), bounds=(0, run.capacity))
    value[0] = replace(run, count=count, room=run.room and run.room.more(), read={})
    return last


def _fitting(stager: Stager, run: Run, own: Template) -> Run:
    """Return the run with rows that an element of this template fits, too; in a loop that carries it they are fixed."""
    joined = without_bounds(join(run.template, varying(own)))
    if joined == run.template:
        return replace(run, template=joined)
    if run.room is not None or not fits_rows(joined):
        raise Unstageable("loop-types-differ", "the elements of a list", stager.site)

    with wide():
        rows = convert_rows(run.template, run.rows, run.capacity, joined, stager.constant)
    return replace(run, template=joined, rows=tuple(rows), read={})


def _with_room(stager: Stager, run: Run) -> Run:
    """Return the run with a free row: one more where nobody carries it, one that is certain, or a guarded one."""
    if run.room is None:
        return replace(run, rows=tuple(map(_longer, run.rows)), capacity=run.capacity + 1)
    if not run.room.guarded:
        if run.room.least <= 0:
            raise NoRoom(run.room.place)
        return run
    with wide():
        has_room = run.count.value < run.capacity
    key = (stager.context, run.site)
    stager.guard(has_room, f"the list has at most {run.capacity:,} elements", "cap", str(run.capacity), key)
    return run


def _longer(row: Any) -> Any:
    with wide():
        return lax.concatenate([row, lax.slice_in_dim(row, 0, 1)], 0)


def as_array(stager: Stager, value: Any) -> tuple[jax.Array, int | Number] | None:
    """Return the elements of a list that is one run of arrays, as `jnp.stack` would give them, and their number.

    Of a number that only the run knows, the first rows of the array are meant. None for any other list.
    """
    if not holds_run(value):
        return None
    run = unified(stager, value)[0]
    is_float = isinstance(run.template, NumberLeaf) and run.template.kind is float
    if not is_float and run.template != ArrayLeaf(run.rows[0].shape[1:], run.rows[0].dtype, weak_type=False):
        return None
    with wide():
        found = run.rows[0] if isinstance(run.count, Number) else lax.slice_in_dim(run.rows[0], 0, run.count)
        if is_float and not stager.user_x64:
            found = lax.convert_element_type(found, jnp.float32)
    return found, run.count


def row(stager: Stager, run: Run, hand_out: Callable[[], Any]) -> Any:
    """Return the element that the slices of `rows` make."""
    leaves = [hand_out() for _ in run.rows]
    return build(run.template, iter(leaves), stager.identities, frozenset())
