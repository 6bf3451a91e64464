"""Iterators: itertools, operator's getters, functions that are called element by element, and what they may notice."""

import itertools
import operator
from itertools import accumulate, chain, combinations, count, cycle, islice, pairwise, product, repeat, zip_longest
from operator import attrgetter, itemgetter
from typing import NamedTuple

from tests.programs import f32, grid, i32, program

BOTH = [(f32(1, 2, 3),), (f32(-1, -2, -3),)]


class Body(NamedTuple):
    name: str
    mass: float
    place: object


@program(rows=(3, 9), inputs=lambda: [(f32(1, 2, 3), 2), (f32(-1, -2, -3), 3), (f32(1, 2, 3), 0)], expect="compiled")
def pairs_and_products(x, n):
    total = x * 0
    for left, right in pairwise(x):
        total = total + (right - left)
    for place, (a, b) in enumerate(combinations(list(x), 2)):
        total = total + a * b * place
    for i, j in product(range(n), repeat=2):
        total = total + i * 10 + j
    orders = [p for p in itertools.permutations("abc", 2) if p[0] != "b"]
    grid_of = list(product([x, x + 1], ("a", "b")))
    return total, orders, grid_of, list(itertools.combinations_with_replacement(range(2), r=2))


@program(rows=(3, 9), inputs=lambda: BOTH, expect="compiled")
def chains_and_slices(x):
    rows = [x, x + 1]
    parts = [*chain(rows, (v * 2 for v in x), "ab"), *chain.from_iterable([rows, (x + 2,), {"a": 1}])]
    some = list(islice(rows, 1)) + list(islice(count(3, 2), 1, 4)) + list(islice("abcdef", 0, None, 2))
    padded = list(zip_longest(rows, [1], "abc", fillvalue=x))
    return parts, some, padded, list(repeat(x, 2)), tuple(zip(rows, pairwise((1, 2, 3))))


@program(rows=(3, 9), inputs=lambda: [(grid(3, 2), 2), (grid(3, 2), 5), (grid(7, 2), 2)], expect="compiled")
def endless_ones(x, start):
    total = x[0] * 0
    for place, row in zip(count(start), x):
        total = total + row * place
    for row, sign, scale in zip(x, cycle([1, -1]), repeat(0.5)):
        total = total + row * sign * scale
    names = [name + str(k) for name, k in zip(cycle("ab"), range(5))]
    return total, names, list(zip(repeat(total), "ab"))


@program(rows=(3, 9), inputs=lambda: [(f32(1, 2, 3), 2), (f32(-1, 2, -3), 3), (f32(1, 2), 9)], expect="compiled")
def running_totals(x, n):
    sums = list(accumulate(x))
    steps = list(accumulate([n, 1, 2], lambda a, b: a * 2 + b, initial=1))
    largest = list(accumulate([3, 1, 4, 1, 5], max))
    early = list(itertools.takewhile(lambda v: v < 3, [1, 2, 3, 1]))
    late = list(itertools.dropwhile(lambda v: v < 3, [1, 2, 3, 1]))
    odd = list(itertools.filterfalse(lambda v: v % 2 == 0, range(6)))
    powers = list(itertools.starmap(lambda v, k: v * k, [(x, 2), (x + 1, 3)]))
    return sums, steps, largest, early, late, odd, powers, list(itertools.filterfalse(None, [0, 1]))


@program(rows=(9, 12), inputs=lambda: BOTH, expect="compiled")
def getters(x):
    bodies = [Body("b", 2.0, x), Body("a", 1.0, x + 1), Body("c", 1.0, x * 2)]
    by_name = sorted(bodies, key=attrgetter("name"))
    by_both = sorted(bodies, key=itemgetter(1, 0))
    sizes = list(map(attrgetter("place.size", "mass"), bodies))
    heaviest = max(bodies, key=operator.itemgetter(1))
    return [b.place for b in by_name], [b.name for b in by_both], sizes, heaviest.name, itemgetter(0)(x)


@program(rows=(9,), inputs=lambda: [(f32(1, 2),), (f32(-1, 2),)], expect="compiled")
def stops_its_search(x):
    seen = []

    def test(v):
        seen.append(v)
        return v > 1

    first = any(map(test, [1, 2, 3]))
    every = all(filter(lambda v: seen.append(v) or v != 2, [0, 2, 3]))
    late = any(map(lambda v: v > 1, x))
    return x, seen, first, every, late


@program(rows=(9,), inputs=lambda: [(f32(1, 2),), (f32(-1, 2),)], expect="imperative", reason="heap-write")
def notes_its_search(x):
    seen = []

    def test(v):
        seen.append(v)
        return v > 1

    return any(map(test, x)), seen


@program(rows=(9,), inputs=lambda: [(f32(1, 2),), (f32(-1, 2),)], expect="imperative", reason="generator")
def calls_alternate(x):
    seen = []

    def note(name, v):
        seen.append(name)
        return v * 2

    inner = [note("f", v) for v in map(lambda v: note("g", v), [1, 2])]
    return inner, seen, x


@program(rows=(9,), inputs=lambda: [(f32(1, 2),), (f32(-1, 2),)], expect="imperative", reason="generator")
def maps_of_maps(x):
    seen = []

    def first(v):
        seen.append("first")
        return v

    def second(v):
        seen.append("second")
        return v

    return list(map(second, map(first, x))), seen


@program(rows=(9,), inputs=lambda: [(f32(1, 2),), (f32(-1, 2),)], expect="imperative", reason="generator")
def extends_with_its_length(x):
    rows = [x]
    rows.extend(x * len(rows) for _ in range(3))
    return rows


@program(rows=(9,), inputs=lambda: [(i32(1, 2),), (i32(-1, 2),)], expect="compiled")
def extends_with_others(x):
    rows = [x]
    rows.extend(row * 2 for row in rows[:])
    rows += (row + k for k, row in enumerate([x, x]))
    return rows


@program(rows=(9,), inputs=lambda: [(f32(1, 2), 3), (f32(-1, 2), 4)], expect="imperative", reason="generator")
def leaves_a_generator(x, n):
    return list(islice((v * n for v in x), 1)), sum(itertools.takewhile(lambda v: v < 2, (k for k in range(n))))
