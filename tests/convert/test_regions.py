"""What a branch or loop binds may be read behind it, or ends the conversion; it never leaks an array of the region."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.harness.agreement import Pair

V = jnp.array([1.0, 2.0, 3.0])
ZEROS, ONES = np.zeros(3), np.ones(3, np.float32)


def one_of_two_host_arrays(x: Any) -> Any:
    a = ZEROS if x.sum() > 0 else ONES
    return x + a, a


def one_host_array(x: Any) -> Any:
    if x.sum() > 0:
        a = ZEROS
    else:
        a = ZEROS
    return jnp.asarray(a) + x, a


def a_host_array_in_a_loop(x: Any) -> Any:
    a = x
    for _ in range(6):
        a = ONES
    return a * x, a


def a_function_of_one_path(x: Any) -> Any:
    f = (lambda y, k=x * 2: y * k) if x.sum() > 0 else None
    return f(x) if x.sum() > 0 else x


def a_function_that_a_call_made(x: Any) -> Any:
    def times(k: Any) -> Any:
        return lambda y: y * k

    if x.sum() > 0:
        f = times(x * 2)
    else:
        f = times(x * 3)
    return f(x)


def a_function_made_in_a_loop(x: Any) -> Any:
    def times(k: Any) -> Any:
        return lambda y: y * k

    f = times(x)
    for i in range(7):
        f = times(x * i)
    return f(x)


def a_function_made_in_every_iteration(x: Any) -> Any:
    def times(k: Any) -> Any:
        return lambda y: y * k

    for _ in range(5):
        f = times(x * 2)
        x = x + 1
    return f(x)


def a_gradient_of_one_path(x: Any) -> Any:
    if x.sum() > 0:
        f = jax.grad(lambda y, k=x: (y * k).sum())
    else:
        f = jax.grad(lambda y: y.sum())
    return f(x)


def views_of_a_dict(x: Any) -> Any:
    d = {"a": x, "b": x + 1}
    if x.sum() > 0:
        pairs = d.items()
    else:
        pairs = d.items()
    total = x * 0
    for _, value in pairs:
        total = total + value
    return total


def one_of_two_zips(x: Any) -> Any:
    total = x[0] * 0
    for p, q in zip(x, x + 1) if x.sum() > 0 else zip(x + 1, x):  # noqa: B905 - as people write it
        total = total + p * q
    return total


def a_reversed_array_beside_a_shorter_one(x: Any) -> Any:
    total = x * 0
    for p, q in zip(reversed(jnp.arange(10.0)), jnp.arange(6.0)):  # noqa: B905 - as people write it
        total = total + p * q * x
    return total


def one_of_two_ranges(x: Any) -> Any:
    if x.sum() > 0:
        turns = range(3)
    else:
        turns = range(1, 6, 2)
    for i in turns:
        x = x * 0.5 + i
    return x


def a_range_that_only_the_run_knows(x: Any) -> Any:
    n = int(x[0])
    if x.sum() > 5:
        turns = range(n)
    else:
        turns = range(n + 1)
    for i in turns:
        x = x * 0.5 + i
    return x


def an_update_of_one_path(x: Any) -> Any:
    if x.sum() > 0:
        at = x.at
    else:
        at = (x * 2).at
    return at[0].set(1.0)


def a_method_of_one_path(x: Any) -> Any:
    if x.sum() > 0:
        method = (x * 2).sum
    else:
        method = x.sum
    return method()


@pytest.mark.parametrize(
    "function",
    [
        one_of_two_host_arrays,
        one_host_array,
        a_host_array_in_a_loop,
        a_function_of_one_path,
        a_function_that_a_call_made,
        a_function_made_in_a_loop,
        a_gradient_of_one_path,
        views_of_a_dict,
        one_of_two_zips,
        one_of_two_ranges,
        a_range_that_only_the_run_knows,
        a_reversed_array_beside_a_shorter_one,
        an_update_of_one_path,
        a_method_of_one_path,
    ],
)
def test_what_a_region_binds_is_read_behind_it_or_ends_the_conversion(function: Callable[[Any], Any]) -> None:
    pair = Pair(function)
    for scale in (1.0, 2.0, 1.0, -1.0, 3.0, -2.0, 1.0, 4.0):
        pair.agree(V * scale)
    assert "internal" not in [reason.id for reason in pair.speculated.explain().reasons]


def test_a_function_that_no_iteration_reads_does_not_end_the_conversion() -> None:
    Pair(a_function_made_in_every_iteration).warm(V)


def test_a_structured_array_is_handed_on() -> None:
    records = np.zeros(3, [("a", "f4")])
    Pair(lambda x, table: (x + 1, table)).warm(V, records)
