"""Loops: `while` and `for` over everything that is promised."""

import jax.numpy as jnp

from tests.programs import f32, grid, i32, program, scalar, weak


@program(rows=(2,), inputs=[(3,), (0,), (-2,), (7,), (2.5,), (True,)], expect="compiled")
def counts_down(n):
    while n > 0:
        n -= 1
    return n


@program(
    rows=(2,),
    inputs=lambda: [
        (scalar(100.0),),
        (scalar(3.0),),
        (scalar(1e6),),
        (scalar(0.5),),
        (scalar(float("nan")),),
        (weak(9.0),),
        (scalar(64, jnp.int32),),
    ],
    expect="compiled",
)
def halves_until_small(x):
    steps = 0
    while x > 1:
        x = x / 2
        steps += 1
    return x, steps


@program(
    rows=(2,),
    inputs=lambda: [
        (f32(1, 2, 3), 0.1),
        (f32(1, 2, 3), 10.0),
        (f32(0, 0, 0), 0.1),
        (f32(5, -5), 0.01),
        (f32(1, 2, 3), 1),
    ],
    expect="compiled",
)
def shrinks_until(x, tolerance):
    count = 0
    while jnp.abs(x).max() > tolerance and count < 50:
        x = x * 0.5
        count = count + 1
    return x, count


@program(
    rows=(3,),
    inputs=lambda: [(f32(1, 2),), (f32(0, 0),), (f32(1, 2, 3),), (i32(1, 2),), (scalar(1.5),)],
    expect="compiled",
)
def constant_range(x):
    y = x
    for _ in range(10):
        y = y + x * 0.5
    return y


@program(
    rows=(3,),
    inputs=lambda: [(f32(1, 2), 5), (f32(1, 2), 9), (f32(1, 2), 0), (f32(1, 2), -3), (f32(1, 2), 1), (f32(4), 5)],
    expect="compiled",
)
def range_of_argument(x, n):
    total = x * 0
    for i in range(n):
        total = total + x * i
    return total


@program(
    rows=(3,),
    inputs=lambda: [
        (f32(1, 2), scalar(4, jnp.int32)),
        (f32(1, 2), scalar(6, jnp.int32)),
        (f32(1, 2), scalar(0, jnp.int32)),
        (f32(1, 2), scalar(-4, jnp.int32)),
        (f32(3, 4), scalar(200, jnp.uint8)),
        (f32(3, 4), scalar(2.0)),
    ],
    expect="compiled",
)
def range_of_array(x, n):
    for i in range(int(n)):
        x = x + i
    return x


@program(
    rows=(3,),
    inputs=[(5, 0, -1), (10, 0, -3), (0, 5, -1), (0, 10, 3), (2, 2, 1), (0, 4, 0), (0, 7, 1)],
    expect="compiled",
)
def range_with_step(start, stop, step):
    trace = 0
    last = None
    for i in range(start, stop, step):
        trace = trace * 3 + i
        last = i
    return trace, last


@program(
    rows=(3,),
    inputs=lambda: [
        (grid(4, 3),),
        (grid(2, 3),),
        (grid(1, 3),),
        (grid(0, 3),),
        (grid(4),),
        (grid(2, 2, 2),),
        (scalar(1.0),),
    ],
    expect="compiled",
)
def over_rows(matrix):
    best = None
    for row in matrix:
        value = jnp.tanh(row).sum()
        if best is None or value > best:
            best = value
    return best


@program(
    rows=(3, 6),
    inputs=lambda: [
        ([f32(1, 2), f32(3, 4), f32(5, 6)],),
        ([f32(1, 2)],),
        ([],),
        ((f32(1, 2), f32(3, 4)),),
        ([f32(1, 2), f32(3)],),
        ([f32(1, 2), 3, i32(1, 1)],),
    ],
    expect="compiled",
)
def over_list_of_arrays(arrays):
    total = 0
    for array in arrays:
        total = total + array
    return total


@program(
    rows=(3,),
    inputs=lambda: [
        (grid(4, 2), f32(1, 2, 3, 4)),
        (grid(4, 2), f32(1, 2)),
        (grid(1, 2), f32(1, 2, 3, 4)),
        (grid(0, 2), f32(1)),
        ([f32(1, 2), f32(3, 4)], (1.0, 2.0)),
    ],
    expect="compiled",
)
def over_zip(rows, weights):
    total = jnp.zeros(2)
    for row, weight in zip(rows, weights):
        total = total + row * weight
    return total


@program(
    rows=(3,),
    inputs=lambda: [(f32(3, 1, 2), 0), (f32(3, 1, 2), 5), (f32(9), 0), (f32(), 1), (grid(3, 2), 1)],
    expect="compiled",
)
def over_enumerate(x, start):
    score = 0.0
    index = -1
    for index, value in enumerate(x, start):
        score = score + index * value
    return score, index


@program(
    rows=(3,),
    inputs=lambda: [(f32(1, 2, 3),), (f32(5),), (f32(),), (i32(1, 2, 3, 4),), ((1, 2.5, 3),), ([f32(1), f32(2)],)],
    expect="compiled",
    close="XLA leaves out the first addition, to zero, and keeps the sign of a zero",
)
def over_reversed(x):
    value = 0
    for item in reversed(x):
        value = value * 10 + item
    return value


@program(
    rows=(3,),
    inputs=lambda: [(f32(1, 2, 3), 4), (f32(1, 2, 3), 2), (f32(1, 2, 3), 0), (f32(7), 6), (f32(1, 2, 3), 3)],
    expect="compiled",
)
def over_reversed_range(x, n):
    for i in reversed(range(n)):
        x = x * 0.5 + i
    for i, j in zip(range(n), reversed(range(n))):
        x = x + i * j
    return x


@program(
    rows=(3, 4),
    inputs=lambda: [(4,), (1,), (0,), (9,), (-1,)],
    expect="compiled",
)
def variable_after_loop(n):
    i = 100
    square = -1
    for i in range(n):
        square = i * i
        i = 7
    return i, square


@program(
    rows=(3, 10),
    inputs=lambda: [(f32(1, 2), 3), (f32(1, 2), 1), (f32(1, 2), 0), (f32(), 0), (f32(1, 2), 5)],
    expect="compiled",
)
def unbound_after_empty_loop(x, n):
    for i in range(n):
        last = x + i
    return last, i


@program(
    rows=(2, 3, 5),
    inputs=lambda: [
        (grid(5, 3), 0.5),
        (grid(2, 3), 0.5),
        (grid(0, 3), 0.5),
        (grid(5, 3), 2),
        (grid(5), 0.5),
    ],
    expect="compiled",
)
def state_starts_as_none(frames, decay):
    state = None
    h = 0
    for frame in frames:
        if state is None:
            state = frame
        else:
            state = state * decay + frame
        h = h + frame.sum()
    return state, h


@program(
    rows=(3, 5),
    inputs=lambda: [
        (f32(1, 2, 3),),
        (i32(1, 2, 3),),
        (jnp.array([1, 2, 3], jnp.bfloat16),),
        (jnp.array([True, True, False]),),
        (f32(4),),
        (f32(),),
    ],
    expect="compiled",
)
def type_settles_in_first_iteration(x):
    total = 0
    product = True
    for value in x:
        total += value
        product = product * value
    return total, product


@program(
    rows=(2,),
    inputs=lambda: [(27,), (1,), (6,), (97,), (0,), (-1,), (7.0,)],
    expect="compiled",
)
def collatz_steps(n):
    steps = 0
    while n != 1:
        if n % 2 == 0:
            n = n // 2
        else:
            n = 3 * n + 1
        steps += 1
        if steps >= 120:
            break
    return steps


@program(
    rows=(3,),
    inputs=lambda: [
        (f32(1, 2, 3, 4), 3),
        (f32(1, 2, 3, 4), 4),
        (f32(1, 2, 3, 4), 0),
        (f32(1, 2, 3, 4), 6),
        (f32(1, 2), 2),
    ],
    expect="compiled",
)
def indexes_with_loop_variable(x, n):
    total = 0.0
    for i in range(n):
        total = total + x[i] * (i + 1)
    return total


@program(
    rows=(3, 14),
    inputs=lambda: [(f32(5, 3, 4, 1),), (f32(1, 2),), (f32(2),), (f32(),), (i32(9, 8, 7),)],
    expect="compiled",
)
def prefix_sums_by_at(x):
    out = x
    for i in range(1, len(x)):
        out = out.at[i].add(out[i - 1])
    return out


@program(
    rows=(2, 3),
    inputs=lambda: [(scalar(0.3), 200), (scalar(0.9), 200), (scalar(0.3), 10), (scalar(0.0), 0), (0.3, 200)],
    expect="compiled",
)
def long_loop(x, n):
    y = x
    for i in range(n):
        y = y + x * 0.125
        if y > 2.0:
            y = y - 2.0
    return y


@program(
    rows=(3,),
    inputs=lambda: [(f32(1, 2, 3), f32(4, 5, 6), scalar(3, jnp.int32)), (f32(1), f32(2), scalar(7, jnp.int32))],
    expect="compiled",
)
def strictly_beside(x, y, n):
    total = x[0] * 0
    for a, b in zip(x, y, strict=True):
        total = total + a * b
    for i in range(n):
        total = total * 0.5 + i
    return total
