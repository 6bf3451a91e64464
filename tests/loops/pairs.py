"""Loops written twice: with our primitives, and as Python that JAX differentiates step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from janus_jax._loops import for_function, while_function

Function = Callable[..., Any]


@dataclass(frozen=True)
class Pair:
    """The same function of the same arguments; `plain` needs them concrete."""

    name: str
    ours: Function
    plain: Function
    arguments: tuple[Any, ...]

    def __str__(self) -> str:
        return self.name


def assert_close(got: Any, wanted: Any, tolerance: float = 2e-5) -> None:
    """Leave both trees equal in structure and within the tolerance, relative to the largest value of a leaf."""
    assert jax.tree.structure(got) == jax.tree.structure(wanted)
    for one, other in zip(jax.tree.leaves(got), jax.tree.leaves(wanted), strict=True):
        scale = max(1.0, float(np.max(np.abs(np.asarray(other)), initial=0.0)))
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=tolerance, atol=tolerance * scale)


def power(x: Any, w: Any, cap: int = 20) -> Any:
    """Five steps, counted in the carry."""
    loop = while_function(
        lambda i, _: i < 5, lambda i, a: (i + 1, jnp.sin(a) * w + a * 0.9), (jnp.int32(0), x), cap=cap
    )
    return jnp.sum(loop.carry[1] ** 2)


def plain_power(x: Any, w: Any) -> Any:
    for _ in range(5):
        x = jnp.sin(x) * w + x * 0.9
    return jnp.sum(x**2)


def halve(x: Any, w: Any, cap: int = 20) -> Any:
    """As many steps as the value asks for; it is in the condition too."""
    loop = while_function(
        lambda a, n: a > 1.0, lambda a, n: (a * w + 0.1 * jnp.sin(a), n + 1), (x, jnp.int32(0)), cap=cap
    )
    return loop.carry[0] ** 2


def plain_halve(x: Any, w: Any) -> Any:
    while x > 1.0:
        x = x * w + 0.1 * jnp.sin(x)
    return x**2


def matrix(w: Any, x: Any, cap: int = 20) -> Any:
    """A matrix that every step uses, until a norm is reached."""
    loop = while_function(lambda a: jnp.sum(a * a) < 30.0, lambda a: (jnp.tanh(w @ a) + a,), (x,), cap=cap)
    return jnp.sum(loop.carry[0] * jnp.arange(1.0, 4.0))


def plain_matrix(w: Any, x: Any) -> Any:
    while jnp.sum(x * x) < 30.0:
        x = jnp.tanh(w @ x) + x
    return jnp.sum(x * jnp.arange(1.0, 4.0))


def rows(x: Any, ws: Any, n: int | Any = 7, reverse: bool = False) -> Any:
    """A for loop that reads rows, writes rows, and is shorter than they are."""
    (a, _), (ys,) = for_function(
        lambda a, k, w: (jnp.sin(a) * w + a, k + 1, a * w),
        n,
        (x, jnp.int32(0)),
        (ws,),
        cap=ws.shape[0],
        reverse=reverse,
    )
    return jnp.sum(a**2) + jnp.sum(jnp.cos(ys))


def plain_rows(x: Any, ws: Any, n: int = 7, reverse: bool = False) -> Any:
    ys = [jnp.zeros_like(x)] * ws.shape[0]
    for k in reversed(range(n)) if reverse else range(n):
        ys[k] = x * ws[k]
        x = jnp.sin(x) * ws[k] + x
    return jnp.sum(x**2) + jnp.sum(jnp.cos(jnp.stack(ys)))


def nest(x: Any, w: Any, cap: int = 12) -> Any:
    """A while loop in a for loop in a while loop; the inner ones end where the values say."""

    def inner(a: Any) -> tuple[Any, ...]:
        return while_function(lambda b: b > 1.0, lambda b: (b * w + 0.1 * jnp.sin(b),), (a,), cap=cap).carry

    def middle(a: Any, i: Any) -> tuple[Any, ...]:
        (b, _), _ = for_function(lambda b, k: (inner(b * 1.5)[0] + k * a, k + 0.5), i + 1, (a, jnp.float32(0)), cap=cap)
        return b, i + 1

    loop = while_function(lambda _, i: i < 3, middle, (x, jnp.int32(0)), cap=cap)
    return loop.carry[0] ** 2


def plain_nest(x: Any, w: Any) -> Any:
    for i in range(3):
        a, k = x, 0.0
        for _ in range(i + 1):
            x = x * 1.5
            while x > 1.0:
                x = x * w + 0.1 * jnp.sin(x)
            x = x + k * a
            k += 0.5
    return x**2


def branch(x: Any, w: Any, cap: int = 20) -> Any:
    """A conditional in every step, and a value that goes into the carry late."""

    def body(i: Any, a: Any, late: Any) -> tuple[Any, ...]:
        return i + 1, lax.cond(i % 2 == 0, lambda: jnp.sin(a) * w, lambda: a + late), a * w

    return while_function(lambda i, *_: i < 6, body, (jnp.int32(0), x, jnp.float32(0.25)), cap=cap).carry[1]


def plain_branch(x: Any, w: Any) -> Any:
    late = jnp.float32(0.25)
    for i in range(6):
        x, late = (jnp.sin(x) * w if i % 2 == 0 else x + late), x * w
    return x


f32 = jnp.float32
PAIRS = [
    Pair("power", power, plain_power, (jnp.array([0.1, 1.1, 2.1]), f32(0.7))),
    Pair("halve", halve, plain_halve, (f32(9.0), f32(0.5))),
    Pair("no step", halve, plain_halve, (f32(0.5), f32(0.5))),
    Pair("matrix", matrix, plain_matrix, (jnp.array([[0.9, 0.1, 0.0], [0.3, 0.5, 0.2], [0.0, 0.4, 0.7]]), jnp.ones(3))),
    Pair("rows", rows, plain_rows, (f32(0.4), jnp.linspace(0.3, 1.2, 10))),
    Pair(
        "rows reversed",
        lambda x, ws: rows(x, ws, reverse=True),
        lambda x, ws: plain_rows(x, ws, reverse=True),
        (f32(0.4), jnp.linspace(0.3, 1.2, 10)),
    ),
    Pair("nest", nest, plain_nest, (f32(0.8), f32(0.5))),
    Pair("branch", branch, plain_branch, (f32(0.8), f32(1.5))),
]
