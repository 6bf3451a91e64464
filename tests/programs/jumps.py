"""break, continue, return and loop else, nested in every way."""

import jax.numpy as jnp

from tests.programs import f32, grid, i32, program, scalar


@program(
    rows=(4,),
    inputs=lambda: [(f32(1, 2, 5, 3),), (f32(9, 1),), (f32(1, 1, 1),), (f32(),), (i32(1, 4, 7),)],
    expect="compiled",
)
def breaks_at_first_large(x):
    found = -1
    for i, value in enumerate(x):
        if value > 3:
            found = i
            break
    return found


@program(
    rows=(4,),
    inputs=lambda: [(f32(1, -2, 3, -4),), (f32(1, 2),), (f32(-1, -2),), (f32(),), (f32(float("nan"), 2),)],
    expect="compiled",
)
def continues_over_negative(x):
    total = 0.0
    skipped = 0
    for value in x:
        if value < 0:
            skipped += 1
            continue
        total = total + value
    return total, skipped


@program(
    rows=(4,),
    inputs=lambda: [(f32(1, 2, 5, 3), 4.0), (f32(9, 1), 4.0), (f32(1, 1), 4.0), (f32(), 1.0), (f32(1, 2, 5), 1)],
    expect="compiled",
)
def returns_from_loop(x, limit):
    for i in range(len(x)):
        if x[i] > limit:
            return i, x[i]
    return -1, limit


@program(
    rows=(4,),
    inputs=lambda: [(f32(3, 5, 7), 5.0), (f32(3, 5, 7), 6.0), (f32(5), 5.0), (f32(), 5.0), (f32(1, 2, 3), 2.0)],
    expect="compiled",
)
def loop_else(x, wanted):
    where = 0
    for value in x:
        if value == wanted:
            result = "found"
            break
        where += 1
    else:
        result = "missing"
    return result, where


@program(
    rows=(2, 4),
    inputs=lambda: [(scalar(5.0),), (scalar(0.5),), (scalar(-3.0),), (scalar(40.0),), (scalar(17.0),)],
    expect="compiled",
)
def while_else(x):
    steps = 0
    while x > 1:
        x = x - 2
        steps += 1
        if steps == 6:
            break
    else:
        return x + 100, steps
    return x, steps


@program(
    rows=(2, 4),
    inputs=lambda: [(scalar(10.0), 3), (scalar(10.0), 100), (scalar(0.5), 3), (scalar(10.0), 0), (scalar(300.0), 20)],
    expect="compiled",
)
def while_true(x, most):
    steps = 0
    while True:
        if x < 1:
            return x, steps, "small"
        if steps >= most:
            break
        x = x / 2
        steps = steps + 1
    return x, steps, "many"


@program(
    rows=(4,),
    inputs=lambda: [
        (grid(3, 3, start=-1.0),),
        (grid(3, 3, start=1.0),),
        (-grid(3, 3),),
        (grid(0, 3),),
        (grid(2, 4),),
        (f32([1, 0, 0], [1, 0, 0], [0, 0, 0]),),
        (f32([1, 0, 0], [0, 0, 0], [0, 0, 0]),),
        (f32([1, 0, 0, 0], [0, 0, 0, 0]),),
    ],
    expect="compiled",
    unreached=8,
)
def nested_break(matrix):
    visited = 0
    total = 0.0
    for row in matrix:
        for value in row:
            visited += 1
            if value > 0.5:
                break
            total = total + value
        else:
            total = total + 10
        if total < -5:
            break
    return total, visited


@program(
    rows=(4,),
    inputs=lambda: [(grid(3, 3), 0.25), (grid(3, 3), -1.0), (grid(3, 3), 50.0), (grid(0, 3), 0.0), (grid(1, 1), -1.0)],
    expect="compiled",
)
def returns_from_nested_loop(matrix, wanted):
    for i, row in enumerate(matrix):
        for j, value in enumerate(row):
            if value == wanted:
                return i, j
            if value > 100:
                return None
    return "nowhere"


@program(
    rows=(4,),
    inputs=[(20,), (3,), (0,), (1,), (31,)],
    expect="compiled",
)
def primes_below(n):
    count = 0
    total = 0
    for candidate in range(2, n):
        divisor = 2
        while divisor * divisor <= candidate:
            if candidate % divisor == 0:
                break
            divisor += 1
        else:
            count += 1
            total += candidate
            continue
        if total > 1000:
            return -1, total
    return count, total


@program(
    rows=(1, 4),
    inputs=lambda: [
        (f32(1, 2, 3, 4), 10.0),
        (f32(1, 2, 3, 4), 2.5),
        (f32(1, -2, 3, 4), 10.0),
        (f32(0, 0, 0), 1.0),
        (f32(5), 10.0),
        (f32(4, 4, 4, 4, 4), 7.0),
        (f32(1, 2, 3, 4), 5.0),
        (f32(1, 0, 3, 4), 9.0),
    ],
    expect="compiled",
)
def break_and_continue_and_return(x, budget):
    spent = jnp.float32(0)
    for i in range(x.shape[0]):
        cost = x[i]
        if cost < 0:
            return None
        if cost == 0:
            continue
        if spent + cost > budget:
            break
        spent = spent + cost
    else:
        spent = spent * 2
    return spent


@program(
    rows=(4,),
    inputs=lambda: [(f32(1, 2, 3),), (f32(3, 2, 1),), (f32(2),), (f32(),), (f32(1, 1, 1, 1),)],
    expect="compiled",
)
def jump_skips_the_rest(x):
    seen = 0.0
    previous = None
    for value in x:
        if previous is not None and value < previous:
            previous = value
            continue
        previous = value
        seen = seen + value
        if seen > 3:
            break
        seen = seen + 0.5
    return seen, previous


@program(
    rows=(4, 10),
    inputs=lambda: [
        (f32(1, 2, 3), 2),
        (f32(1, 2, 3), 3),
        (f32(1, -2, 3), 3),
        (f32(1, 2, 3), 5),
        (f32(), 0),
        (f32(1, 2, -3), 2),
    ],
    expect="compiled",
)
def raises_in_loop(x, n):
    total = 0.0
    for i in range(n):
        if i >= len(x):
            raise IndexError("too many", i, n)
        assert x[i] > 0, "must be positive"
        total = total + x[i]
    return total


@program(
    rows=(3, 4),
    inputs=lambda: [(f32(1, 2, 3, 4), 50.0), (f32(0.001), 50.0), (f32(60), 50.0), (i32(1, 2), 50)],
    expect="compiled",
)
def counts_in_the_test(x, most):
    i = jnp.int32(0)
    n = 0
    while (i := i + 1) < 10 and (n := n + 2) < 100:
        x = x * 2
        if x.sum() > most:
            break
    return x, i, n


@program(
    rows=(4, 11),
    inputs=lambda: [(grid(9, 2),), (grid(9, 2) + 1,), (f32(),), (f32(7),)],
    expect="compiled",
)
def reads_in_the_else(x):
    for a in x:
        y = a * 2
    else:
        z = y + 1
    return z
