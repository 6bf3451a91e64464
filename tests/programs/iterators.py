"""Iterators that are asked step by step, and generators that run beside their loop."""

import contextlib
import itertools

import jax
import jax.numpy as jnp

from tests.programs import f32, program

BOTH = [(f32(1, 2, 3),), (f32(-1, -2, -3),)]


def halves(x):
    """A generator without an end."""
    while True:
        x = x / 2
        yield x


def fibonacci():
    """The numbers of Fibonacci."""
    a, b = 0, 1
    while True:
        yield a
        a, b = b, a + b


@program(rows=(4, 9), inputs=lambda: BOTH, expect="compiled")
def leaves_an_endless_generator(x):
    count = 0
    for y in halves(x):
        count += 1
        if count == 4:
            break
    else:
        count = -1
    for number in fibonacci():
        if number > 30:
            return y, count, number
    return None


@program(rows=(9,), inputs=lambda: BOTH, expect="compiled")
def runs_beside_its_generator(x):
    seen = []

    def parts():
        for k in range(3):
            seen.append(k)
            yield x * k
            seen.append(-k)

    out = []
    for y in parts():
        seen.append(100)
        out.append(y + len(seen))
    return out, seen


@program(rows=(9, 10), inputs=lambda: BOTH, expect="compiled")
def closes_its_generator(x):
    steps = []

    def parts():
        try:
            for k in range(5):
                yield x + k
            steps.append("never")
        finally:
            steps.append("closed")

    for y in parts():
        steps.append("got")
        if len(steps) == 2:
            break
    try:
        for z in parts():
            raise ValueError(3)
    except ValueError as error:
        steps.append(error.args[0])
    return y + z, steps


@contextlib.contextmanager
def scaled(box, factor):
    """Change the scale in a box, and change it back."""
    before = box["scale"]
    box["scale"] = factor
    try:
        yield factor * 2
    finally:
        box["scale"] = before


@program(rows=(4, 10), inputs=lambda: [*BOTH, (f32(30, 1, 1),)], expect="compiled")
def works_inside_a_manager(x):
    box = {"scale": 1}
    with scaled(box, 3) as twice, contextlib.nullcontext(x) as same:
        x = same * box["scale"] + twice
        if x.sum() > 50:
            return x, box["scale"]
    return x, box["scale"]


@program(rows=(10,), inputs=lambda: BOTH, expect="compiled")
def manager_swallows(x):
    notes = []

    @contextlib.contextmanager
    def careful():
        notes.append("in")
        try:
            yield
        except KeyError as error:
            notes.append(error.args[0])
        else:
            notes.append("fine")

    with careful():
        x = x + 1
        raise KeyError("lost")
    with careful():
        x = x + 1
    return x, notes


class Tree:
    """A tree that is gone through in preorder."""

    def __init__(self, value, *children):
        self.value = value
        self.children = children

    def __iter__(self):
        yield self.value
        for child in self.children:
            yield from child


@program(rows=(9, 12), inputs=lambda: BOTH, expect="compiled")
def walks_a_tree(x):
    tree = Tree(x, Tree(x * 2), Tree(x * 3, Tree(x * 4)))
    first, *others = tree
    return sum(tree), [value + 1 for value in tree], first, others, dict(enumerate(tree))


class Countdown:
    """An iterator that keeps its own count."""

    def __init__(self, start):
        self.left = start

    def __iter__(self):
        return self

    def __next__(self):
        if self.left == 0:
            raise StopIteration
        self.left -= 1
        return self.left


@program(rows=(9, 12), inputs=lambda: BOTH, expect="compiled")
def counts_down(x):
    countdown = Countdown(4)
    total = x
    for k in countdown:
        total = total + k * x
        if k == 2:
            break
    return total, next(countdown), next(countdown), next(countdown, "end"), list(Countdown(2)), countdown.left


@program(rows=(9, 10), inputs=lambda: BOTH, expect="compiled")
def asks_step_by_step(x):
    things = [x]
    steps = iter(things)
    a = next(steps)
    things.append(x * 2)
    b = next(steps)
    try:
        next(steps)
    except StopIteration:
        b = b + 1
    things.append(x)
    pairs = [(one, next(rest)) for rest in [iter([1, 2, 3, 4])] for one in rest]
    return a, b, next(steps, None), pairs, next((k for k in [1, 5, 9] if k > 3), 0), next(iter("xyz"))


@program(rows=(1, 9), inputs=lambda: [(f32(1, 5, 3),), (f32(3, 1, 2),)], expect="compiled")
def finds_the_best(x):
    values = iter(x)
    best = next(values)
    for value in values:
        if value > best:
            best = value
    return best, sum(k * y for k, y in enumerate(v * 2 for v in x))


@program(rows=(9,), inputs=lambda: BOTH, expect="imperative", reason="unsupported-result")
def gives_an_iterator(x):
    return iter([x, x])


@program(rows=(4, 9), inputs=lambda: [(f32(8, 8),), (f32(1, 1),)], expect="imperative", reason="generator")
def leaves_a_generator_now_and_then(x):
    for y in halves(x):
        if y.sum() < 1:
            break
    return y


@program(rows=(9,), inputs=lambda: BOTH, expect="compiled")
def yields_now_and_then(x):
    def large():
        for value in x:
            if value > 1:
                yield value

    kept = []
    for value in large():
        kept.append(len(kept) * value)
    return kept


@program(rows=(12,), inputs=lambda: BOTH, expect="compiled")
def decorates_inner_functions(x):
    def twice(function):
        def inner(*args):
            return function(function(*args))

        return inner

    def scaled_by(factor):
        def decorate(function):
            return lambda y: function(y) * factor

        return decorate

    @scaled_by(3)
    @twice
    def step(y):
        return y + 1

    return step(x), jnp.sin(step(x))


@program(rows=(9,), inputs=lambda: BOTH, expect="any")
def takes_some(x):
    return list(itertools.islice(halves(x), 3))


@program(rows=(9,), inputs=lambda: BOTH, expect="imperative", reason="generator")
def takes_no_more_than_it_needs(x):
    steps = iter([x, 2 * x, 3 * x, 4 * x])
    first = list(zip(range(2), steps))
    countdown = Countdown(5)
    pairs = list(zip("ab", countdown))
    return first, next(steps, None), pairs, countdown.left


@program(rows=(9, 10), inputs=lambda: BOTH, expect="imperative", reason=("raises", "staging-error"))
def keeps_what_was_done_before_the_error(x):
    def parts():
        yield x
        yield 2 * x
        raise ValueError("no more")

    total = x
    try:
        for value in parts():
            total = total + value
    except ValueError:
        pass
    return total


def asked(step):
    for _ in range(3):
        yield step()


@program(rows=(9,), inputs=lambda: BOTH, expect="compiled")
def counts_beside_a_generator_that_is_given_the_counter(x):
    count = 0

    def step():
        nonlocal count
        count += 1
        return count

    seen = []
    for value in asked(step):
        count += 10
        seen.append(value)
    return seen, count, x * count


@program(rows=(9,), inputs=lambda: BOTH, expect="compiled")
def lengthens_what_a_generator_finds_in_a_tuple(x):
    values = [x]
    pair = 1, values

    def lengths():
        for _ in range(3):
            yield len(pair[1])

    seen = []
    for value in lengths():
        values.append(x * value)
        seen.append(value)
    return seen, values


@program(rows=(9,), inputs=lambda: BOTH, expect="compiled")
def changes_what_a_gradient_sees(x):
    factor = 1
    slope = jax.grad(lambda y: y * factor)

    def slopes():
        for value in x:
            yield slope(value)

    seen = []
    for value in slopes():
        factor += 1
        seen.append(value)
    return seen
