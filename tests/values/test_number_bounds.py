"""Bounds hold every result of an operation; what lies in them is computed without a guard, what does not trips."""

from __future__ import annotations

import operator
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from janus_jax._values.number import Number, wide
from janus_jax._values.number_bounds import (
    INT32,
    INT64,
    Drift,
    drift_of_either,
    drift_of_result,
    hull,
    lies_in,
    of_result,
    shifted,
)
from janus_jax._values.number_casts import to_weak
from janus_jax._values.number_ops import binary
from tests.values.staged_numbers import Recorder

OPERATORS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
}
SMALL = st.integers(-9, 9)


def bounded(draw: Any, numbers: Any) -> tuple[tuple[int, int], int]:
    """Return bounds and an integer between them."""
    low, value, high = sorted(draw(st.tuples(numbers, numbers, numbers)))
    return (low, high), value


@pytest.mark.parametrize("symbol", OPERATORS)
@pytest.mark.parametrize("numbers", [SMALL, st.integers(*INT64)], ids=["small", "large"])
@given(data=st.data())
def test_results_lie_in_their_bounds(symbol: str, numbers: Any, data: Any) -> None:
    (left, a), (right, b) = bounded(data.draw, numbers), bounded(data.draw, numbers)
    bounds = of_result(symbol, left, right)
    if bounds is not None:
        result = OPERATORS[symbol](a, b)  # raises where the divisor may be zero: then there must be no bounds
        assert bounds[0] <= result <= bounds[1]


@pytest.mark.parametrize("symbol", ["//", "%"])
@pytest.mark.parametrize("right", [(0, 3), (-1, 1), (-4, 0), (-4, -2)])
def test_there_are_no_bounds_where_the_divisor_may_not_be_positive(symbol: str, right: tuple[int, int]) -> None:
    assert of_result(symbol, (1, 2), right) is None


@pytest.mark.parametrize("symbol", ["<<", ">>", "&", "|", "^", "/"])
def test_other_operators_have_no_bounds(symbol: str) -> None:
    assert of_result(symbol, (1, 2), (1, 2)) is None


def staged(value: int, bounds: tuple[int, int]) -> Number:
    with wide():
        return Number(int, jnp.asarray(np.int64(value)), bounds=bounds)


@pytest.mark.parametrize("symbol", OPERATORS)
def test_what_is_known_to_fit_is_not_guarded(symbol: str) -> None:
    context = Recorder(jnp.asarray(0))
    result = binary(context, symbol, staged(7, (0, 10)), staged(3, (1, 5)))
    assert int(result.value) == OPERATORS[symbol](7, 3)
    assert not context.oks
    assert lies_in(result.bounds, INT32)


@pytest.mark.parametrize(
    ("symbol", "bounds"), [("+", (0, 2**62)), ("-", (-(2**63), 0)), ("*", (0, 2**32)), ("//", (0, 1))]
)
def test_what_may_not_fit_is_guarded(symbol: str, bounds: tuple[int, int]) -> None:
    context = Recorder(jnp.asarray(0))
    result = binary(context, symbol, staged(1, bounds), staged(1, bounds))
    assert len(context.oks) == 1
    assert result.bounds == INT64


@pytest.mark.parametrize(("bounds", "guards"), [((-(2**31), 2**31 - 1), 0), ((0, 2**31), 1), ((-(2**31) - 1, 0), 1)])
def test_an_integer_known_to_fit_in_32_bits_is_handed_to_jax_without_a_guard(bounds: Any, guards: int) -> None:
    context = Recorder(jnp.asarray(0))
    assert int(to_weak(context, staged(5, bounds))) == 5
    assert len(context.oks) == guards


NEAR = st.tuples(st.integers(-9, 9), st.integers(-9, 9)).map(lambda pair: (min(pair), max(pair)))
MOVES = st.lists(st.one_of(st.tuples(st.sampled_from("+-r"), NEAR), st.tuples(st.just("either"), NEAR)), max_size=6)


@given(start=st.integers(-50, 50), moves=MOVES, data=st.data())
def test_an_integer_has_drifted_as_far_as_is_said(start: int, moves: Any, data: Any) -> None:
    """A value is moved and its drift with it; `either` sets it anew on one of two paths."""
    mark = object()
    value, bounds, drift = start, (-50, 50), Drift(mark)
    for symbol, other in moves:
        chosen = data.draw(st.integers(*other))
        if symbol == "either":
            drift = drift_of_either((bounds, drift), (other, None))
            bounds = hull(bounds, other)
            value = data.draw(st.sampled_from([value, chosen]))
        elif symbol == "r":
            drift = drift_of_result("+", (other, None), (bounds, drift))
            bounds, value = shifted(bounds, other), chosen + value
        else:
            drift = drift_of_result(symbol, (bounds, drift), (other, None))
            bounds, value = of_result(symbol, bounds, other), OPERATORS[symbol](value, chosen)
        assert drift is not None
        assert bounds is not None
    assert bounds[0] <= value <= bounds[1]
    anew = drift.reset is not None and drift.reset[0] <= value <= drift.reset[1]
    assert anew or start + drift.by[0] <= value <= start + drift.by[1]


def test_what_has_moved_since_different_beginnings_has_no_drift() -> None:
    assert drift_of_either(((0, 1), Drift("a")), ((0, 1), Drift("b"))) is None
    assert drift_of_result("*", ((0, 1), Drift("a")), ((1, 1), None)) is None
    assert drift_of_result("-", ((0, 1), None), ((0, 1), Drift("a"))) is None
