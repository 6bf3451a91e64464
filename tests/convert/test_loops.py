"""Rolled loops: what they need not carry, when short ones are rolled, and what is not traced to its end."""

from __future__ import annotations

from collections import Counter
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax.extend.core import ClosedJaxpr, Jaxpr

import janus_jax
from janus_jax._convert.stager import Stager
from tests.harness.compare import assert_same, outcome_of

V = jnp.array([1.0, 2.0, 3.0])
ROWS = jnp.arange(12.0).reshape(4, 3)
NONE = jnp.ones((0, 3))


def agree(function: Any, *calls: tuple[Any, ...]) -> Any:
    """Demand plain Python's outcome of every call, and that calls run compiled in the end."""
    speculated = janus_jax.speculate(function)
    for arguments in (*[calls[0]] * 4, *calls, *calls):
        plain = outcome_of(function, arguments, {}, user=function)
        assert_same(plain, outcome_of(speculated, arguments, {}, user=function), exact=True)
    assert speculated.stats().compiled_calls, speculated.explain()
    return speculated


def decisions(speculated: Any) -> list[str]:
    return [site.decision for site in speculated.explain().sites]


# --- what every iteration leaves the same ----------------------------------------------------------------------------


def replaced_always(x: Any, n: int) -> Any:
    state = x
    for _ in range(n):
        state = state * 2
    return state, x


def replaced_by_another_argument(x: Any, y: Any, n: int) -> Any:
    state = x
    seen = ()
    for _ in range(n):
        seen = state.sum()
        state = y
    return state, seen


def container_replaced(pair: Any, n: int) -> Any:
    for _ in range(n):
        pair = (pair[0] + 1, pair[1])
    return pair


def replaced_sometimes(x: Any, n: int) -> Any:
    state = x
    for number in range(n):
        if number % 3 == 2:
            state = state + 1
    return state


def flag_set_always(x: Any, n: int) -> Any:
    ran, previous = False, 0
    for number in range(n):
        x = x + (1 if ran else 10) + previous
        ran, previous = True, number
    return x, ran, previous


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (replaced_always, (V,)),
        (replaced_by_another_argument, (V, V + 1)),
        (container_replaced, ((V, V),)),
        (replaced_sometimes, (V,)),
        (flag_set_always, (V,)),
    ],
)
def test_identities_and_flags_before_the_first_iteration_and_after_the_last(function: Any, arguments: Any) -> None:
    agree(function, *((*arguments, n) for n in (7, 0, 1, 2, 3, 20)))


# --- short loops -----------------------------------------------------------------------------------------------------


def light(state: Any, rows: Any) -> Any:
    for row in rows:
        state = state + row
    return state


def heavy(state: Any, rows: Any) -> Any:
    for row in rows:
        for _ in range(3):
            state = jnp.tanh(state * row + 1) - jnp.sin(state) * 0.5 + jnp.cos(row - state) / 3
            state = state / (1 + jnp.abs(state).max()) + jnp.exp(-state * state) - row.mean()
    return state


def heavy_and_growing(state: Any, rows: Any) -> Any:
    losses = ()
    for row in rows:
        state = heavy(state, rows)
        losses = (*losses, (state * row).sum())
    return state, losses


def test_a_short_loop_is_unrolled_if_that_takes_little() -> None:
    assert "unrolled" in decisions(agree(light, (V, ROWS)))


def test_a_short_loop_is_rolled_if_unrolling_takes_much() -> None:
    assert "scan" in decisions(agree(heavy, (V, ROWS)))


def test_a_short_loop_is_unrolled_at_any_price_if_it_cannot_be_rolled() -> None:
    assert "unrolled" in decisions(agree(heavy_and_growing, (V, ROWS)))


def test_a_loop_over_nothing() -> None:
    agree(light, (V, NONE))
    agree(heavy_and_growing, (V, NONE))


# --- what is dropped -------------------------------------------------------------------------------------------------


def greets(state: Any, rows: Any) -> Any:
    for row in rows:
        if row[0] > 100:
            for _ in range(9):
                state = heavy(state, rows) * 0.01
        state = state * 0.5 + row
    return state


def test_an_arm_that_was_never_seen_is_given_up_as_soon_as_it_is_large() -> None:
    speculated = agree(greets, (V, jnp.ones((9, 3))), (V, 200 * jnp.ones((9, 3))))
    assert speculated.stats().guard_trips == 1


# --- counters --------------------------------------------------------------------------------------------------------


def counts(rows: Any) -> Any:
    total, last = jnp.zeros(3), 0
    for number, row in enumerate(rows):
        index = (2 * number + 1) % 3
        total = total + row[index] * (number // 2) - number
        last = number * number
    return total, last


def test_arithmetic_on_the_number_of_an_iteration_needs_no_guard() -> None:
    speculated = agree(counts, (jnp.arange(30.0).reshape(10, 3),))
    assert janus_jax.testing.guards(speculated) == ()
    assert "scan" in decisions(speculated)


def overflows(n: int, x: Any) -> Any:
    for number in range(n):
        x = x + (number + 2**62) % 7 + (number * 2**61) // 2**60
    return x


def test_arithmetic_that_may_overflow_is_guarded() -> None:
    speculated = agree(overflows, (2, V), (3, V), (9, V))
    assert speculated.stats().guard_trips


# --- how often a loop runs has no part in how much is converted -----------------------------------------------------


def counts_up(x: Any, n: int) -> Any:
    total = 0
    for number in range(n):
        x = x * 0.5 + number
        if x[0] > 2:
            x = x - 2.0
        total += 1
    return x, total


def counts_itself(x: Any, n: int) -> Any:
    number = 0
    while number < n:
        x = x * 0.5 + 1
        number += 1
    return x, number


def may_end_early(x: Any, n: int) -> Any:
    for _ in range(n):
        if x[0] > 1e9:
            break
        x = jnp.sin(x) + x
    return x


def walks_over_rows(x: Any, n: int) -> Any:
    for row in jnp.zeros((n, 3)):
        x = x + row
    return x


def primitives_of(jaxpr: Any) -> Counter[str]:
    """How often each primitive is in a jaxpr and in the jaxprs inside it."""
    found: Counter[str] = Counter()
    for equation in jaxpr.eqns:
        found[equation.primitive.name] += 1
        for inner in jax.tree.leaves([*equation.params.values()], is_leaf=is_jaxpr):
            found += primitives_of(getattr(inner, "jaxpr", inner)) if is_jaxpr(inner) else Counter()
    return found


def is_jaxpr(value: Any) -> bool:
    """Whether a parameter of an equation is a jaxpr, closed or not."""
    return isinstance(value, Jaxpr | ClosedJaxpr)


def converted(function: Any, n: int) -> tuple[Counter[str], int]:
    """The primitives of a function's program for `n` iterations, and how many operations were staged to get there."""
    speculated: Any = janus_jax.speculate(function, profile_calls=1)
    spent: list[None] = []
    spend = Stager.spend
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stager, "spend", lambda stager: (spent.append(None), spend(stager)))
        for _ in range(2):
            speculated(V, n)
    assert speculated.stats().compiled_calls == 1
    return primitives_of(speculated.__janus_engine__.program().staged.jaxpr.jaxpr), len(spent)


@pytest.mark.parametrize("function", [counts_up, counts_itself, may_end_early, walks_over_rows])
def test_a_loop_of_ten_thousand_steps_is_converted_as_one_of_ten(function: Any) -> None:
    primitives, operations = converted(function, 10)
    assert sum(primitives.values()) > 5
    assert operations > 0
    assert converted(function, 10_000) == (primitives, operations)
