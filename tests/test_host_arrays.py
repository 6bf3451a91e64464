"""NumPy arrays as arguments and globals: JAX makes new arrays of them, and they stay the user's own."""

# ruff: noqa: PLW0108 - what is speculated has to be a function of the user's

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import janus_jax
from tests.harness.agreement import Pair

HOST = np.arange(3.0)


def looped(a: Any) -> Any:
    y, n = a, 0
    while n < 3:
        y = jnp.asarray(y)
        n += 1
    return y


def picked(a: Any) -> Any:
    y = jnp.asarray(a)
    return y if y.sum() > 0 else a


FUNCTIONS: list[Callable[[Any], Any]] = [
    jnp.asarray,
    jnp.ravel,
    jnp.squeeze,
    jnp.transpose,
    jnp.real,
    jnp.positive,
    lambda a: jnp.asarray(a, jnp.float32),
    lambda a: jnp.astype(a, jnp.float32),
    lambda a: jnp.broadcast_to(a, a.shape),
    lambda a: jnp.broadcast_arrays(a, a),
    lambda a: jnp.concatenate([a]),
    lambda a: jnp.moveaxis(a, 0, 0),
    lambda a: lax.expand_dims(a, ()),
    lambda a: lax.reshape(a, a.shape),
    lambda a: lax.convert_element_type(a, jnp.float32),
    lambda a: (jnp.asarray(a), jnp.asarray(a), a),
    lambda a: jax.tree.map(lambda x: jnp.asarray(x), {"a": a}),
    lambda a: jax.grad(lambda x: jnp.sum(x * x))(a),
    lambda _: (jnp.asarray(HOST), HOST),
    looped,
    picked,
]
LEFT_ALONE: list[Callable[[Any], Any]] = [
    lambda a: jnp.reshape(a, (3, 1)) * 0.1,
    lax.stop_gradient,
    lambda a: jax.value_and_grad(lambda x: (jnp.sum(x), x), has_aux=True)(a),
    lambda a: jax.value_and_grad(lambda x: (jnp.sum(x), HOST), has_aux=True)(a),
]


def ids(function: Callable[[Any], Any]) -> str:
    return str(function.__code__.co_firstlineno) if function.__name__ == "<lambda>" else function.__name__


def in_a_function(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a function of the user's that calls a function of the library's."""
    return function if function.__module__ == __name__ else lambda a: function(a)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("function", FUNCTIONS, ids=ids)
def test_what_jax_makes_of_a_numpy_array_is_new(function: Callable[[Any], Any], dtype: Any) -> None:
    pair = Pair(in_a_function(function)).warm(np.arange(3, dtype=dtype))
    pair.agree(np.array([5, 6, 7], dtype))
    assert pair.speculated.stats().compiled_calls > 0


@pytest.mark.parametrize("function", LEFT_ALONE, ids=ids)
def test_what_stays_a_numpy_array_is_left_to_python(function: Callable[[Any], Any]) -> None:
    pair = Pair(in_a_function(function))
    for start in range(6):
        pair.agree(np.arange(3.0) + start)
    assert pair.speculated.stats().compiled_calls == 0


def test_a_result_does_not_change_with_the_argument() -> None:
    made = janus_jax.speculate(lambda a: jnp.asarray(a))
    given = np.arange(3.0)
    results = [made(given) for _ in range(5)]
    given[0] = 99.0
    assert all(result[0] == 0.0 for result in results)
