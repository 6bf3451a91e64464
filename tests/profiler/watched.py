"""Functions whose branches and loops are counted. A plain module, so that pytest leaves its code as it is."""

import functools
import math
import sys


def helper(n):
    total = 0
    while n > 0:
        n -= 1
        total += 1 if n % 2 else 2
    return total


def calls_helper(n):
    total = helper(2)
    for i in range(n):
        total += helper(i)
    return total


def branches(n):
    for i in range(n):
        if i == 0:
            continue
        if i % 2:
            pass
        elif i == 4:
            break
    else:
        return "all"
    return "some"


def jumps(n):
    out = []
    for i in range(n):
        try:
            for j in range(3):
                if j == i:
                    raise KeyError(j)
                if j > 1:
                    break
        except KeyError:
            out.append(i)
            continue
        while True:
            if i:
                break
            return out
    return out


def recursive(n):
    if n == 0:
        return 0
    for _ in range(2):
        pass
    return 1 + recursive(n - 1)


def with_inner(n):
    def inner(x):
        return x if x > 0 else -x

    return inner(n) + inner(-n) + sum(map(inner, [1, 2, 3]))


class Model:
    def __init__(self, n):
        self.n = n

    def step(self, x):
        for _ in range(self.n):
            x += 1
        return x

    @classmethod
    def make(cls, n):
        return cls(n) if n else None

    @staticmethod
    def still(x):
        return x if x else 0


def methods(n):
    model = Model.make(n)
    bound = model.step
    return bound(1), Model.step(model, 2), model.still(1), functools.partial(helper, 2)(), functools.partial(bound)(1)


def hands_on(n):
    return (
        sorted([n, 1], key=helper),
        list(map(helper, [n])),
        math.sqrt(n),
        functools.reduce(lambda a, b: a + b, [1, n]),
    )


def make_generator(n):
    def produce(k):
        for i in range(k):
            yield i if i else None

    return [item or 0 for item in produce(n)] + list(produce(2))


def never(n):
    if n < 0:
        while n:
            n += 1
        return helper(n)
    return n


def raises(n):
    for _ in range(n):
        pass
    if n:
        raise ValueError(n)


def identity_of(function, seen):
    seen.append(function)
    return function


def hands_itself(n):
    seen = []
    identity_of(helper, seen)
    return seen[0] is helper and identity_of is globals()["identity_of"] and n


def deep(n):
    return 0 if n == 0 else 1 + deep(n - 1)


def leaves_no_stack(n):
    before, limit = sys.getrecursionlimit(), 1
    try:
        while sys.getrecursionlimit() == before:
            try:
                sys.setrecursionlimit(limit)
            except RecursionError:
                limit += 1
        return abs(n)
    finally:
        sys.setrecursionlimit(before)


def asks_a_builtin():
    return len([1, 2, 3]) if True else 0


def exchanges_the_builtins():
    before = globals()["__builtins__"]
    globals()["__builtins__"] = {"len": lambda value: 7}
    try:
        return asks_a_builtin()
    finally:
        globals()["__builtins__"] = before
