"""Cheap arms of a `cond` are both computed and one is chosen; results and derivatives stay those of `cond`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.extend.core import Jaxpr, jaxpr_as_fun, jaxprs_in_params

import janus_jax
from janus_jax._execute.arms import with_cheap_arms_chosen
from janus_jax._session import session

VECTOR = jnp.array([1.0, -2.0, 3.0])


def light(x: jax.Array) -> jax.Array:
    return lax.cond(x[0] > 0, lambda x: x * 2, lambda x: x / x[1] - 1, x)


def heavy(x: jax.Array) -> jax.Array:
    return lax.cond(x[0] > 0, lambda x: jnp.outer(x, x) @ x, lambda x: x, x)


def with_calls(x: jax.Array) -> jax.Array:
    return lax.cond(x[0] > 0, lambda x: jnp.where(x > 0, jnp.exp(x), jax.nn.relu(x)), lambda x: x - x.sum(), x)


def large(x: jax.Array) -> jax.Array:
    return lax.cond(x[0] > 0, lambda x: jnp.broadcast_to(x[:, None], (3, 20_000)).sum(1) * 2, lambda x: x, x)


def nested(x: jax.Array) -> jax.Array:
    inner = lambda x: lax.cond(x[1] > 0, jnp.abs, jnp.negative, x)
    return lax.cond(x[0] > 0, inner, lambda x: x + 1, x)


def in_a_loop(x: jax.Array) -> jax.Array:
    return lax.fori_loop(0, 5, lambda _, x: lax.cond(x.sum() > 0, lambda x: x - 3, lambda x: x + 2, x), x)


def by_index(x: jax.Array) -> jax.Array:
    return lax.switch(x[0].astype(int), [lambda x: x * 2, lambda x: x * 3], x)


def of_three(x: jax.Array) -> jax.Array:
    return lax.switch(x[0].astype(int), [lambda x: x * 2, lambda x: x * 3, lambda x: x * 4], x)


def names_in(jaxpr: Jaxpr) -> Iterator[str]:
    """Yield the names of all primitives, at any depth."""
    for equation in jaxpr.eqns:
        yield equation.primitive.name
        for inner in jaxprs_in_params(equation.params):
            yield from names_in(inner)


@pytest.mark.parametrize(
    ("function", "left"),
    [(light, 0), (heavy, 1), (with_calls, 0), (large, 1), (nested, 0), (in_a_loop, 0), (by_index, 0), (of_three, 1)],
)
@pytest.mark.parametrize("signs", [(1, 1), (1, -1), (-1, 1), (-1, -1)])
def test_which_arms_are_chosen_and_that_nothing_changes(function: Any, left: int, signs: tuple[int, int]) -> None:
    x = VECTOR * jnp.array([*signs, 1.0])
    before = jax.make_jaxpr(function)(x)
    after = with_cheap_arms_chosen(before)
    assert list(names_in(after.jaxpr)).count("cond") == left
    result = jax.jit(jaxpr_as_fun(after))(x)[0]
    assert np.asarray(result).tobytes() == np.asarray(jax.jit(function)(x)).tobytes()


def test_no_nan_comes_out_of_the_arm_that_is_not_taken() -> None:
    def root(x: jax.Array) -> jax.Array:
        return lax.cond(x > 0, jnp.sqrt, jnp.zeros_like, x)

    chosen = with_cheap_arms_chosen(jax.make_jaxpr(root)(1.0))
    assert "cond" not in set(names_in(chosen.jaxpr))
    compiled = jax.jit(lambda x: jaxpr_as_fun(chosen)(x)[0])
    assert [float(jax.grad(compiled)(x)) for x in (4.0, 0.0, -1.0)] == [0.25, 0.0, 0.0]
    assert [float(jax.jvp(compiled, (x,), (1.0,))[1]) for x in (4.0, 0.0)] == [0.25, 0.0]


def test_what_two_places_share_stays_shared() -> None:
    shared = jax.jit(light)
    closed = with_cheap_arms_chosen(jax.make_jaxpr(lambda x: shared(shared(x)))(VECTOR))
    first, second = (equation.params["jaxpr"] for equation in closed.jaxpr.eqns)
    assert first.jaxpr is second.jaxpr
    assert "cond" not in set(names_in(first.jaxpr))


def test_a_jaxpr_without_branches_is_left_alone() -> None:
    closed = jax.make_jaxpr(lambda x: jnp.sin(x) @ x)(VECTOR)
    assert with_cheap_arms_chosen(closed) is closed


def test_an_arm_may_give_a_literal(monkeypatch: pytest.MonkeyPatch) -> None:
    def floored(x: Any, n: int) -> Any:
        value = x[0]
        if value < 0.05:
            value = jnp.full((), 0.05)
            n += 1
        return value, n

    monkeypatch.setattr(session, "developer", False)  # with the input that forces guards, the arms are not cheap
    speculated: Any = janus_jax.speculate(floored)
    for n in range(6):
        x = VECTOR * (-1) ** n
        assert speculated(x, n) == floored(x, n)
    assert speculated.stats().compiled_calls > 0
