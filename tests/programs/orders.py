"""Orders that only the run knows: sorted, list.sort, min and max, by keys that are numbers and arrays."""

from operator import itemgetter
from typing import NamedTuple

import jax.numpy as jnp

from tests.programs import f32, i32, program, weak

NAN = float("nan")
SETS = [(f32(3, 1, 2, 1),), (f32(1, 1, 1, 1),), (f32(-0.0, 0.0, -1, 5),), (f32(1, NAN, 0, 2),), (i32(3, 1, 2, 1),)]


class Score(NamedTuple):
    name: str
    value: float
    place: object


@program(rows=(9,), inputs=lambda: SETS, expect="compiled")
def sorts_arrays(x):
    up = sorted(x)
    down = sorted(x, reverse=True)
    by_distance = sorted(list(x), key=lambda v: abs(v - 2))
    return up, down, by_distance, max(x, key=lambda v: -v), min(list(x), key=lambda v: (v - 1) ** 2)


@program(
    rows=(9,),
    inputs=[(3, 1.5, 2), (1, 2.5, 3), (2, 2.5, 2), (2, NAN, 1), (7, -0.0, 7)],
    expect="compiled",
)
def sorts_numbers(a, b, c):
    whole = [a, 2, c, a * c, True]
    whole.sort()
    half = sorted([b, 0.0, b / 2, 1.0], reverse=True)
    pairs = sorted([(a, "a"), (c, "b"), (2, "c")])
    longest = max([(b, a), (1.0, c)], key=itemgetter(0))
    return whole, half, pairs, longest, sorted([a]), max(a, c, key=lambda v: v % 3), min([], default=b)


@program(
    rows=(9, 12),
    inputs=lambda: [(f32(1, 2), 0.5, 2.0), (f32(-1, 5), 2.0, 0.5), (f32(1, 2), 2.0, 2.0), (f32(1, 2), 0.5, NAN)],
    expect="compiled",
)
def sorts_records(x, first, second):
    scores = [Score("a", first, x), Score("b", second, x * 2), Score("c", 1.0, x + 1)]
    ranked = sorted(scores, key=lambda s: s.value, reverse=True)
    places = [s.place.sum() for s in ranked]
    best = max(scores, key=lambda s: s.value)
    both = sorted(scores, key=lambda s: (s.value > 1, -s.value))
    order = sorted(range(3), key=lambda k: scores[k].value)
    return [s.value for s in ranked], places, best.place * 1, [s.value for s in both], order


@program(rows=(9,), inputs=lambda: [(f32(1, 2, 0),), (f32(3, -2, 1),), (f32(1, 1, 1),)], expect="compiled")
def nearest_neighbours(x):
    points = [(v, jnp.abs(v - x.mean())) for v in x]
    points.sort(key=itemgetter(1))
    nearest = points[:2]
    total = sum(v for v, _ in nearest)
    worst, distance = max(points, key=lambda p: p[1])
    return total, worst + distance, [v for v, _ in sorted(points, key=lambda p: (p[1], -p[0]))]


@program(
    rows=(9,), inputs=lambda: [(weak(1.0), weak(0.5)), (weak(1.0), weak(3.0)), (weak(1), weak(2))], expect="compiled"
)
def sorts_weak(a, b):
    low, high = sorted([a * 2, b * 2])
    return low * 1, high * 1, sorted([a, b])


@program(rows=(9,), inputs=lambda: [(f32(2, 1),), (f32(1, 2),)], expect="imperative", reason="unsupported-expression")
def sorts_unlike(x):
    return sorted([x[0], x[1], 1.5])


@program(rows=(9,), inputs=lambda: [(f32(2, 1),), (f32(1, 2),)], expect="imperative", reason="unsupported-expression")
def sorts_other_structures(x):
    return [name for _, name in sorted([(x[0], "a"), (x[1], x)], key=itemgetter(0))]


@program(rows=(9,), inputs=lambda: [(f32(2, 1),), (f32(1, 2),)], expect="imperative", reason="unsupported-expression")
def sorts_by_itself(x):
    rows = [2, 1]
    rows.sort(key=lambda v: len(rows))
    return rows, x
