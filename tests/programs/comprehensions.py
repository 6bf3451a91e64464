"""Comprehensions, generators, the functions that use them up, and `match`."""

import functools

from tests.programs import f32, program

BOTH = [(f32(1, 2, 3),), (f32(-1, -2, -3),)]


@program(rows=(9,), inputs=lambda: [(f32(1, 2), 3), (f32(1, 2), 0)], expect="compiled")
def uses_generator(x, n):
    return sum(x.sum() * i for i in range(n))


@program(rows=(9,), inputs=lambda: BOTH, expect="compiled")
def comprehensions_of_all_kinds(x):
    a = [v * 2 for v in x]
    b = {k: v + 1 for k, v in zip("abc", a)}
    c = {i % 3 for i in range(7)}
    d = [(i, j) for i in range(3) for j in range(i) if i != 2 if j >= 0]
    e = [[x * i + (j + 1) for j in range(2)] for i in range(2)]
    return a, b, sorted(c), d, e


@program(rows=(9,), inputs=lambda: [(f32(*range(60)),), (f32(*range(-60, 0)),)], expect="compiled")
def long_comprehension(x):
    a = [v * 2 + i for i, v in enumerate(x)]
    b = [v for v in x if v > 3]
    return a[7], len(a), b, len(b)


@program(rows=(9,), inputs=lambda: BOTH, expect="compiled")
def binds_in_comprehension(x):
    last = x
    a = [(last := last * 2) + v for v in x]
    return a, last


@program(rows=(9,), inputs=lambda: BOTH, expect="compiled")
def uses_up_generators(x):
    a = sum(v for v in x)
    b = any(v > 2 for v in x)
    c = all(v > -10 for v in x)
    d = max(i * i for i in range(4))
    e = tuple(v + 1 for v in x)
    f = ", ".join([str(i) for i in range(3)])
    g = list(map(lambda v: v * 2, x))
    h = [v for v in filter(lambda i: i % 2, range(6))]
    i = functools.reduce(lambda p, q: p * 2 + q, g)
    j = sorted([3, 1, 2], key=lambda v: -v)
    k = max(["a", "ccc", "bb"], key=len)
    return a, b, c, d, e, f, g, h, i, j, k


@program(rows=(9,), inputs=lambda: [(f32(1, 2), 4), (f32(-1, 2), 0)], expect="compiled")
def generator_functions(x, n):
    def multiples(count):
        for i in range(count):
            yield x * i

    def chained():
        yield x
        yield from multiples(3)
        return 5

    total = x * 0
    for value in multiples(n):
        total = total + value
    return total, list(chained()), sum(multiples(3))


@program(rows=(9,), inputs=lambda: BOTH, expect="compiled")
def generator_sees_changes(x):
    factor = [1]

    def scaled():
        for i in range(4):
            yield x * i * factor[0]

    total = x * 0
    for value in scaled():
        total = total + value
        factor[0] = factor[0] + 1
    return total


@program(rows=(9,), inputs=lambda: BOTH, expect="compiled")
def endless_generator(x):
    def counts():
        i = 0
        while True:
            yield i
            i += 1

    for i in counts():
        x = x + i
        if i > 5:
            break
    return x


@program(
    rows=(9,),
    inputs=lambda: [(f32(1, 2), 2), (f32(1, 2), 3), (f32(-1, 2), 9), (f32(1, 2), 0), (f32(1, 2), 1)],
    expect="compiled",
)
def matches(x, k):
    match k:
        case 1 | 2:
            y = x
        case 3:
            y = x * 3
        case int(z) if z > 5:
            y = x * z
        case _:
            y = -x
    match (x, k):
        case (a, 2):
            y = y + a
        case [a, b]:
            y = y - a * b
    match {"kind": "add", "by": k, "rest": x}:
        case {"kind": "sub"}:
            y = y * 0
        case {"kind": "add", "by": by, **rest}:
            y = y + by + len(rest)
    match [1, 2, 3, k]:
        case [first, *_, last]:
            y = y + first - last
    return y


class Circle:
    """A shape."""

    __match_args__ = ("r",)

    def __init__(self, r):
        self.r = r


class Square:
    """Another."""

    def __init__(self, side):
        self.side = side


@program(rows=(9, 12), inputs=lambda: BOTH, expect="compiled")
def matches_objects(x):
    total = 0.0
    for shape in (Circle(2.0), Square(3.0), None, Circle(1.0), "text"):
        match shape:
            case Circle(r) if r > 1.5:
                total = total + r * r * 3
            case Circle(r=r):
                total = total - r
            case Square(side=s):
                total = total + s * s
            case None:
                total = total + 0.5
            case str() as text:
                total = total + len(text)
    return x * total


@program(rows=(9,), inputs=lambda: [(f32(3, 1), 7), (f32(1, 2), 7), (f32(-1, 2), 1)], expect="compiled")
def matches_what_the_run_knows(x, n):
    k = 0
    while x.sum() > 1 and k < n:
        x = x * 0.5
        k += 1
    match k:
        case 0:
            return x
        case 1 | 2:
            return x + 1
        case _ if x[0] > x[1]:
            return x * 2
    return -x
