"""Small numerical methods that run until they have converged."""

import jax
import jax.numpy as jnp

from tests.programs import f32, grid, program, scalar


@program(
    rows=(2, 4),
    inputs=lambda: [
        (scalar(2.0), 1e-3),
        (scalar(9.0), 1e-3),
        (scalar(1e-4), 1e-3),
        (scalar(1e8), 1e-2),
        (scalar(1.0), 0.5),
    ],
    expect="compiled",
)
def newton_square_root(a, tolerance):
    x = jnp.maximum(a, 1.0)
    for iteration in range(40):
        new = 0.5 * (x + a / x)
        if jnp.abs(new - x) < tolerance * x:
            break
        x = new
    return new, iteration


@program(
    rows=(2, 4, 10),
    inputs=lambda: [
        (scalar(0.0), scalar(2.0), 10),
        (scalar(1.0), scalar(2.0), 10),
        (scalar(0.0), scalar(4.0), 30),
        (scalar(5.0), scalar(6.0), 10),
        (scalar(0.0), scalar(2.0), 0),
        (0.0, 2.0, 12),
    ],
    expect="compiled",
)
def bisection(low, high, most):
    def f(x):
        return x * x - 2.0

    if f(low) * f(high) > 0:
        raise ValueError("no change of sign")
    middle = (low + high) / 2
    for _ in range(most):
        middle = (low + high) / 2
        value = f(middle)
        if value == 0:
            return middle
        if (value > 0) == (f(high) > 0):
            high = middle
        else:
            low = middle
    return middle


@program(
    rows=(2,),
    inputs=lambda: [(f32(1, 2),), (f32(0, 0),), (f32(-3, 8),), (f32(100, 100),)],
    expect="compiled",
)
def fixed_point(b):
    a = jnp.array([[0.25, 0.125], [-0.125, 0.5]])
    x = jnp.zeros_like(b)
    change = jnp.inf
    rounds = 0
    while change > 1e-2:
        new = a @ x + b
        change = jnp.abs(new - x).max()
        x, rounds = new, rounds + 1
        if rounds > 40:
            break
    return x, rounds


@program(
    rows=(3, 14),
    inputs=lambda: [(f32(1, 2, 3), 4), (f32(0, 0, 0), 4), (f32(1, 2, 3), 0), (f32(-5, 5, 1), 7)],
    expect="compiled",
)
def gauss_seidel(b, sweeps):
    a = jnp.array([[4.0, 1.0, 0.0], [1.0, 4.0, 1.0], [0.0, 1.0, 4.0]])
    x = jnp.zeros(3)
    for _ in range(sweeps):
        for i in range(3):
            total = b[i]
            for j in range(3):
                if j != i:
                    total = total - a[i, j] * x[j]
            x = x.at[i].set(total / a[i, i])
    return x


@program(
    rows=(3,),
    inputs=lambda: [
        (scalar(1.0), 0.1, 5),
        (scalar(-1.0), 0.1, 5),
        (scalar(1.0), 0.05, 8),
        (scalar(0.0), 0.1, 0),
        (1.0, 0.1, 5),
    ],
    expect="compiled",
)
def runge_kutta(y, h, steps):
    def slope(t, y):
        return y * (1 - y) + t

    t = 0.0
    for _ in range(steps):
        k1 = slope(t, y)
        k2 = slope(t + h / 2, y + h / 2 * k1)
        k3 = slope(t + h / 2, y + h / 2 * k2)
        k4 = slope(t + h, y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        t += h
    return t, y


@program(
    rows=(2, 4, 38),
    inputs=lambda: [(f32(1, 2), 0.3), (f32(-3, 1), 0.1), (f32(1, 2), 1.5), (f32(0, 0), 0.1), (f32(1, 2), 0.25)],
    expect="compiled",
)
def gradient_descent_with_backtracking(x, rate):
    def energy(v):
        return (v * v * jnp.array([1.0, 4.0])).sum() + v[0]

    value = energy(x)
    for _ in range(8):
        slope = jax.grad(energy)(x)
        step = rate
        while energy(x - step * slope) > value:
            step = step / 2
            if step < 1e-3:
                return x, value, "stuck"
        x = x - step * slope
        new = energy(x)
        if value - new < 1e-3:
            return x, new, "done"
        value = new
    return x, value, "out of steps"


@program(
    rows=(2, 3),
    inputs=lambda: [(grid(3, 3), 3), (grid(3, 3), 1), (grid(2, 2, scale=1.0), 3), (grid(3, 3), 0), (grid(2, 3), 2)],
    expect="compiled",
)
def matrix_power_by_squaring(a, n):
    result = jnp.eye(a.shape[0])
    while n > 0:
        if n % 2 == 1:
            result = result @ a
        a = a @ a
        n //= 2
    return result


@program(
    rows=(3, 15),
    inputs=lambda: [("kitten", "sitting"), ("ab", "ab"), ("", "abc"), ("a", "b")],
    expect="any",
)
def edit_distance(a, b):
    row = tuple(range(len(b) + 1))
    for i, x in enumerate(a):
        new = (i + 1,)
        for j, y in enumerate(b):
            new = new + (min(row[j] + (x != y), row[j + 1] + 1, new[j] + 1),)
        row = new
    return row[-1]


@program(
    rows=(3, 4),
    inputs=lambda: [
        (f32(1, 3, 5, 7), 5.0),
        (f32(1, 3, 5, 7), 4.0),
        (f32(1, 3, 5, 7), 7.0),
        (f32(), 1.0),
        (f32(2), 2.0),
    ],
    expect="compiled",
)
def binary_search(x, wanted):
    low = 0
    high = len(x) - 1
    while low <= high:
        middle = (low + high) // 2
        value = x[middle]
        if value == wanted:
            return middle
        if value < wanted:
            low = middle + 1
        else:
            high = middle - 1
    return -1
