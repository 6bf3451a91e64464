"""Parts and copies of lists of which only the run of the program knows how long they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax.numpy as jnp
from jax import lax

from janus_jax._base import Unstageable
from janus_jax._convert import runs
from janus_jax._convert.stager import Stager
from janus_jax._values.kinds import Run
from janus_jax._values.number import Number, wide


def copied(value: list[Any]) -> list[Any]:
    """Return a new list of the same elements; no loop has allowed for room in it."""
    return [replace(item, room=None) if isinstance(item, Run) else item for item in value]


def part_of(stager: Stager, value: list[Any], part: slice) -> list[Any]:
    """Return `value[part]`, where the bounds of the slice are known."""
    count = runs.length(stager, value)
    if not isinstance(count, Number):
        return runs.items(stager, value)[part]
    if part.step not in (None, 1, -1) or (part.step == -1 and (part.start, part.stop) != (None, None)):
        raise Unstageable("concrete-value", "a slice of a list of which only the run knows the length", stager.site)
    run = runs.unified(stager, copied(value))[0]
    with wide():
        start, stop = (_bound(bound, run, edge) for bound, edge in ((part.start, 0), (part.stop, run.count.value)))
        rows = [_rolled(row, run, start, backwards=part.step == -1) for row in run.rows]
        found = Number(int, lax.max(stop - start, jnp.int64(0)), count.origin, (0, run.capacity))
    return [replace(run, rows=tuple(rows), count=found, read={})]


def _bound(bound: int | None, run: Run, edge: Any) -> Any:
    """Return a bound of a slice as Python understands it, between 0 and the length."""
    if bound is None:
        return jnp.int64(edge) if isinstance(edge, int) else edge
    count = run.count.value
    return lax.clamp(jnp.int64(0), jnp.int64(bound) + count if bound < 0 else jnp.int64(bound), count)


def _rolled(row: Any, run: Run, start: Any, *, backwards: bool) -> Any:
    """Return rows that begin at `start`, or with the last one that is there, backwards; behind the list is anything."""
    first = jnp.int64(run.capacity) - run.count.value if backwards else start
    once = lax.rev(row, (0,)) if backwards else row
    return lax.dynamic_slice_in_dim(lax.concatenate([once, once], 0), first, run.capacity)
