"""Loops and branches inside each other."""

import jax.numpy as jnp

from tests.programs import f32, grid, i32, program, scalar


@program(
    rows=(1, 3),
    inputs=lambda: [
        (f32(3, -1, 2, -5),),
        (f32(1, 1, 1, 1),),
        (f32(-1, -1, -1, -1),),
        (f32(float("nan"), 1, -1),),
        (f32(),),
        (i32(3, -3, 0),),
    ],
    expect="compiled",
)
def branch_in_loop(x):
    positive = 0.0
    negative = 0.0
    for value in x:
        if value > 0:
            positive = positive + value
        elif value < 0:
            negative = negative - value
    return positive, negative


@program(
    rows=(1, 3),
    inputs=lambda: [
        (f32(1, 2), 3),
        (f32(-1, -2), 3),
        (f32(1, 2), 0),
        (f32(0, 0), 2),
        (f32(1, 2), 5),
        (f32(-3, -2), 4),
    ],
    expect="compiled",
)
def loop_in_branch(x, n):
    if x.sum() > 0:
        for i in range(n):
            x = x * 2
    elif x.sum() < 0:
        while x.sum() < -0.5:
            x = x / 2
    return x


@program(
    rows=(3,),
    inputs=lambda: [(grid(3, 4), 2), (grid(2, 2), 3), (grid(0, 4), 2), (grid(3, 0), 2), (grid(3, 4), 0)],
    expect="compiled",
)
def nested_for(matrix, times):
    total = 0.0
    for _ in range(times):
        for row in matrix:
            for value in row:
                total = total + value * value
    return total


@program(
    rows=(2, 3),
    inputs=lambda: [(f32(3, 7, 1),), (f32(0, 0),), (f32(20),), (f32(),), (f32(2.5, -1.0),)],
    expect="compiled",
)
def while_in_for(x):
    counted = 0
    for value in x:
        while value > 0:
            value = value - 1
            counted += 1
    return counted


@program(
    rows=(2, 3),
    inputs=lambda: [(scalar(20.0), 3), (scalar(1.0), 3), (scalar(20.0), 0), (scalar(5.0), 1), (scalar(50.0), 4)],
    expect="compiled",
)
def for_in_while(x, n):
    rounds = 0
    while x > 2 and rounds < 10:
        for i in range(n):
            x = x - i * 0.5
        rounds += 1
    return x, rounds


@program(
    rows=(1, 2, 3),
    inputs=lambda: [
        (grid(4, 3), True),
        (grid(4, 3), False),
        (-grid(4, 3), True),
        (grid(1, 3), True),
        (grid(0, 3), False),
    ],
    expect="compiled",
)
def mixed_conditions(matrix, verbose):
    count = 0
    largest = jnp.float32(-10.0)
    for i, row in enumerate(matrix):
        if i % 2 == 0:
            if row.max() > largest:
                largest = row.max()
            elif verbose:
                count += 1
        elif verbose and row.min() < 0:
            largest = largest + 1
            if largest > 2:
                largest = largest / 2
        else:
            count = count + 2
    return largest, count


@program(
    rows=(3,),
    inputs=lambda: [(f32(4, 2, 5, 1, 3),), (f32(1, 2, 3),), (f32(3, 2, 1),), (f32(1),), (f32(),), (i32(2, 2, 1),)],
    expect="compiled",
)
def bubble_sort(x):
    n = len(x)
    for i in range(n):
        for j in range(n - 1 - i):
            if x[j] > x[j + 1]:
                a, b = x[j], x[j + 1]
                x = x.at[j].set(b)
                x = x.at[j + 1].set(a)
    return x


@program(
    rows=(3, 18),
    inputs=lambda: [
        (grid(3, 2), grid(2, 3)),
        (grid(1, 2), grid(2, 1)),
        (grid(2, 2), grid(2, 2)),
        (grid(2, 3), grid(2, 2)),
    ],
    expect="compiled",
)
def matrix_product_by_hand(a, b):
    rows, inner = a.shape
    columns = b.shape[1]
    out = jnp.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            cell = 0.0
            for k in range(inner):
                cell = cell + a[i, k] * b[k, j]
            out = out.at[i, j].set(cell)
    return out


@program(
    rows=(2, 3),
    inputs=[(4,), (1,), (0,), (6,), (-1,)],
    expect="compiled",
)
def triangle_of_numbers(n):
    total = 0
    i = 0
    while i < n:
        j = 0
        while j <= i:
            total += i * j
            j += 1
        for k in range(i, 0, -1):
            total -= k
        i += 1
    return total


@program(
    rows=(1, 2),
    inputs=lambda: [
        (scalar(10.0), scalar(3.0)),
        (scalar(1.0), scalar(3.0)),
        (scalar(10.0), scalar(100.0)),
        (scalar(-10.0), scalar(3.0)),
        (scalar(12.0), scalar(0.5)),
    ],
    expect="compiled",
)
def four_levels(x, y):
    depth = 0
    while x > 1:
        if y > 1:
            while y > 1:
                if x > y:
                    x = x - y
                y = y / 2
                depth += 1
        else:
            y = y + x
            x = x * 0.25
    return x, y, depth
