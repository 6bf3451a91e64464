"""Derivatives: taken of user functions with branches and loops, and taken inside loops."""

import jax
import jax.numpy as jnp

from tests.programs import f32, grid, program, scalar


def parabola(x):
    return (x * x).sum() + 3 * x[0]


@program(rows=(38,), inputs=lambda: [(f32(1, 2),), (f32(-1, 0, 4),), (f32(0),), (scalar(1.0),)], expect="compiled")
def gradient_of_helper(x):
    return jax.grad(parabola)(x)


@program(
    rows=(1, 38),
    inputs=lambda: [(scalar(2.0),), (scalar(-2.0),), (scalar(0.0),), (scalar(float("nan")),), (3.0,), (2,)],
    expect="compiled",
)
def gradient_through_branch(x):
    def leaky(y):
        if y > 0:
            return y * y
        return y * 0.1

    value, slope = jax.value_and_grad(leaky)(x)
    if slope > 1:
        return value
    return slope


@program(
    rows=(3, 38),
    inputs=lambda: [(scalar(0.5), 3), (scalar(0.5), 0), (scalar(-0.5), 5), (scalar(2.0), 2), (0.25, 3)],
    expect="compiled",
)
def gradient_through_for(x, n):
    def iterate(y):
        for _ in range(n):
            y = y * y + x
        return y

    return jax.grad(iterate)(x)


@program(
    rows=(2, 38, 39),
    inputs=lambda: [(scalar(10.0),), (scalar(0.5),), (scalar(100.0),), (scalar(1.0),), (scalar(-4.0),)],
    expect="compiled",
)
def gradient_through_while(x):
    def reduce(y):
        total = y * 0.0
        while y > 1:
            total = total + jnp.sqrt(y)
            y = y * 0.5
        return total + y * y

    return jax.value_and_grad(reduce)(x)


@program(
    rows=(3, 38),
    inputs=lambda: [
        (f32(1, 2), 3, 0.1),
        (f32(1, 2), 6, 0.1),
        (f32(1, 2), 0, 0.1),
        (f32(0, 0), 2, 0.5),
        (f32(1, 2), 3, 0.2),
    ],
    expect="compiled",
)
def gradient_inside_loop(x, steps, rate):
    slope = jax.grad(parabola)
    for _ in range(steps):
        x = x - rate * slope(x)
    return x


def loss_of(p, x, y):
    hidden = jnp.tanh(x @ p["w"] + p["b"])
    error = hidden.sum(axis=-1) - y
    return (error * error).mean(), error


@program(
    rows=(12, 38),
    inputs=lambda: [
        ({"w": grid(2, 3), "b": f32(0, 0, 0)}, grid(4, 2), f32(1, 0, 1, 0)),
        ({"w": grid(2, 3) * 2, "b": f32(1, 0, 0)}, grid(4, 2), f32(1, 0, 1, 0)),
        ({"b": f32(0, 0, 0), "w": grid(2, 3)}, grid(1, 2), f32(5)),
        ({"w": grid(2, 1), "b": f32(0)}, grid(2, 2), f32(1, 0)),
    ],
    expect="compiled",
)
def gradient_of_tree(p, x, y):
    (loss, error), slopes = jax.value_and_grad(loss_of, has_aux=True)(p, x, y)
    updated = jax.tree.map(lambda a, g: a - 0.1 * g, p, slopes)
    return loss, error, updated


@program(
    rows=(12, 38),
    inputs=lambda: [(f32(1, 2), f32(3, 4)), (f32(-1, 2), f32(3, 4)), (f32(1), f32(2)), (scalar(1.0), scalar(2.0))],
    expect="compiled",
)
def gradient_of_several_arguments(a, b):
    def product(x, y, scale=2.0):
        if (x * y).sum() > 0:
            return (x * y * scale).sum()
        return (x - y).sum()

    return jax.grad(product, argnums=(0, 1))(a, b), jax.grad(product, argnums=1)(a, b, scale=3.0)


@program(
    rows=(38,),
    inputs=lambda: [(scalar(1.0),), (scalar(-2.0),), (scalar(0.0),), (0.5,)],
    expect="compiled",
)
def second_derivative(x):
    def cubic(y):
        if y > 0:
            return y**3
        return y * y * y * 2

    return jax.grad(jax.grad(cubic))(x)


@program(
    rows=(12,),
    inputs=lambda: [
        ({"a": f32(1, 2), "b": [scalar(3.0), (1.0, 2)]}, 2.0),
        ({"a": f32(1, 2), "b": [scalar(3.0), (1.0, 2)]}, 3.0),
        ({"a": f32(-1, 2), "b": []}, 2.0),
        ([None, f32(1)], 2),
        (f32(1), 2),
    ],
    expect="compiled",
)
def maps_over_tree(tree, k):
    doubled = jax.tree.map(lambda leaf: leaf * k, tree)
    return jax.tree.map(lambda a, b: a + b, tree, doubled)


@program(
    rows=(10, 38),
    inputs=lambda: [(f32(1, 4), 0.5), (f32(2, 3), 0.5), (f32(-1, 4), 0.5), (f32(1, 4), 2.0), (f32(), 0.5)],
    expect="compiled",
)
def raises_inside_gradient(x, limit):
    def energy(y):
        if jnp.any(y < 0):
            raise ValueError("energy needs positive arguments", limit)
        return jnp.sqrt(y).sum()

    slope = jax.grad(energy)(x)
    assert slope.max() <= limit
    return slope


@program(rows=(11,), inputs=lambda: [(f32(1, 2, 3),), (f32(-4, 5),)], expect="compiled")
def slopes_of_library_functions(x):
    value, slope = jax.value_and_grad(jnp.linalg.norm)(x)
    return value, slope, jax.grad(jnp.sum)(x * x), jax.grad(jnp.tanh)(x[0])
