"""Loops and branches against hand-written `lax` code that does the same, and against eager JAX.

Where nothing makes the host wait, 200 calls are dispatched in a row, each on the result of the one before, and only the
last is waited for. With a guard the host reads a verdict after each call, and where a loop may hand back its own
argument, which array that is: then both sides wait for each call. What guards promise in Python (an exception, an end),
the version by hand tells by a flag among its results; a Python number it reads, as Python's own would be one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

import janus_jax
from benchmarks.common import Row, failure, paired, seconds, unfit

PIPELINED = 200
ENOUGH = 3e-3  # from so many seconds a call the bar holds where each call is waited for


# --- without guards --------------------------------------------------------------------------------------------------


def recurrent(state, weights, inputs):
    for row in inputs:
        state = jnp.tanh(weights @ state + row)
    return state


def recurrent_by_hand(state, weights, inputs):
    return lax.scan(lambda state, row: (jnp.tanh(weights @ state + row), None), state, inputs)[0]


def two_ways(state, weights, inputs):
    for row in inputs:
        if jnp.sum(state * row) > 0:
            state = state - 0.1 * (weights @ row)
        else:
            state = 0.9 * state + row
    return state


def two_ways_by_hand(state, weights, inputs):
    def step(state, row):
        towards = lambda state: state - 0.1 * (weights @ row)  # noqa: E731
        away = lambda state: 0.9 * state + row  # noqa: E731
        return lax.cond(jnp.sum(state * row) > 0, towards, away, state), None

    return lax.scan(step, state, inputs)[0]


def skips(state, weights, inputs):
    for number in range(200):
        row = inputs[number % 50]
        if row[0] > 0.5:
            continue
        state = jnp.tanh(weights @ state) + row
    return state


def skips_by_hand(state, weights, inputs):
    def step(number, state):
        row = inputs[number % 50]
        return lax.cond(row[0] > 0.5, lambda state: state, lambda state: jnp.tanh(weights @ state) + row, state)

    return lax.fori_loop(0, 200, step, state)


# --- with guards -----------------------------------------------------------------------------------------------------


def settles(state, weights, inputs):
    count = 0
    while True:
        new = jnp.tanh(weights @ state + inputs[0])
        change = jnp.max(jnp.abs(new - state))
        state = new
        count += 1
        if change < 1e-5:
            break
    return state, count


@jax.jit
def _settles_by_hand(state, weights, inputs):
    def step(carry):
        state, _, count = carry
        new = jnp.tanh(weights @ state + inputs[0])
        return new, jnp.max(jnp.abs(new - state)), count + 1

    state, _, count = lax.while_loop(lambda carry: carry[1] >= 1e-5, step, (state, jnp.float32(jnp.inf), 0))
    return state, count


def settles_by_hand(state, weights, inputs):
    state, count = _settles_by_hand(state, weights, inputs)
    return state, int(count)


def refuses(state, weights, inputs):
    for row in inputs:
        if jnp.max(jnp.abs(state)) > 100:
            raise OverflowError("the state has left the range")
        state = jnp.tanh(weights @ state + row)
    return state


@jax.jit
def _refuses_by_hand(state, weights, inputs):
    def step(carry):
        number, state, _ = carry
        new = jnp.tanh(weights @ state + inputs[number])
        return number + 1, new, jnp.max(jnp.abs(state)) > 100

    start = (0, state, jnp.bool_(False))
    return lax.while_loop(lambda carry: (carry[0] < len(inputs)) & ~carry[2], step, start)[1:]


def refuses_by_hand(state, weights, inputs):
    state, left = _refuses_by_hand(state, weights, inputs)
    if left:
        raise OverflowError("the state has left the range")
    return state


def searches(state, weights, inputs):
    for row in inputs:
        slope = weights.T @ (weights @ state - row)
        before = jnp.sum((weights @ state - row) ** 2)
        step = jnp.float32(1.0)
        while jnp.sum((weights @ (state - step * slope) - row) ** 2) > before:
            step = step / 2
        state = state - step * slope
    return state


def searches_by_hand(state, weights, inputs):
    def step(state, row):
        slope = weights.T @ (weights @ state - row)
        before = jnp.sum((weights @ state - row) ** 2)

        def too_long(length):
            return jnp.sum((weights @ (state - length * slope) - row) ** 2) > before

        return state - lax.while_loop(too_long, lambda length: length / 2, jnp.float32(1.0)) * slope, None

    return lax.scan(step, state, inputs)[0]


# --- measured --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    function: Callable[..., Any]
    by_hand: Callable[..., Any]
    waits: bool  # the host reads something after each call
    size: int
    rows: int
    scale: float = 1.0  # the largest singular value of the weights, about
    jitted: bool = True  # `by_hand` has still to be jitted


CASES = (
    Case("recurrent: `for`", recurrent, recurrent_by_hand, False, 128, 100),
    Case("two ways: `if` in `for`", two_ways, two_ways_by_hand, False, 128, 100),
    Case("skips: `continue` in `range`", skips, skips_by_hand, True, 768, 50),
    Case("settles: `while True`, `break`", settles, settles_by_hand, True, 1536, 1, 2.0, False),
    Case("refuses: `raise` in `for`", refuses, refuses_by_hand, True, 512, 300, 1.0, False),
    Case("searches: `while` in `for`", searches, searches_by_hand, True, 256, 100),
    Case("refuses, small", refuses, refuses_by_hand, True, 32, 50, 1.0, False),
    Case("searches, small", searches, searches_by_hand, True, 32, 10),
)


def measure() -> list[Row]:
    """Return for each program the ratio to the version by hand, and how many times faster than eager it is."""
    return [row for case in CASES for row in _compared(case)]


def _arguments(case: Case) -> tuple[jax.Array, jax.Array, jax.Array]:
    keys = jax.random.split(jax.random.key(0), 3)
    weights = jax.random.normal(keys[0], (case.size, case.size))
    weights = case.scale * weights / jnp.linalg.norm(weights, 2)
    return jax.random.normal(keys[1], (case.size,)), weights, 0.3 * jax.random.normal(keys[2], (case.rows, case.size))


def _compared(case: Case) -> list[Row]:
    arguments = jax.block_until_ready(_arguments(case))
    by_hand = jax.jit(case.by_hand) if case.jitted else case.by_hand
    speculated = janus_jax.speculate(case.function)
    why = unfit(speculated, *arguments, expected=by_hand(*arguments), guarded=None if case.waits else False)
    if why:
        return [failure(case.name, why)]
    return [_against_hand(case, speculated, by_hand, arguments), _against_eager(case, speculated, arguments)]


def _against_hand(case: Case, speculated: Any, by_hand: Callable[..., Any], arguments: tuple[Any, ...]) -> Row:
    if not case.waits:
        ours, theirs = _pipelined(speculated, *arguments), _pipelined(by_hand, *arguments)
        pair = paired(ours, theirs, rounds=20, runs=PIPELINED)
        return Row(f"{case.name}, {PIPELINED} calls", pair.ours, pair.theirs, pair.ratio, 1.03)
    pair = paired(lambda: speculated(*arguments), lambda: by_hand(*arguments), rounds=200)
    long = pair.theirs >= ENOUGH
    note = "" if long else f"no bar below {ENOUGH * 1e3:g} ms a call"
    return Row(f"{case.name}, each call", pair.ours, pair.theirs, pair.ratio, 1.03 if long else None, note=note)


def _against_eager(case: Case, speculated: Any, arguments: tuple[Any, ...]) -> Row:
    pair = paired(
        lambda: speculated(*arguments),
        lambda: case.function(*arguments),
        rounds=1,
        repetitions=3,
    )
    return Row(f"{case.name}, eager", pair.ours, pair.theirs, pair.ratio, note=f"{1 / pair.ratio:.0f} times faster")


def _pipelined(function: Callable[..., Any], state: jax.Array, *rest: Any) -> Callable[[], Any]:
    """Return a function that calls `function` on its own last result, again and again, and waits for none of them."""

    def call() -> Any:
        result = state
        for _ in range(PIPELINED):
            result = function(result, *rest)
        return result

    return call


if __name__ == "__main__":  # how long the programs take by hand, to choose sizes by
    for case in CASES:
        by_hand = jax.jit(case.by_hand) if case.jitted else case.by_hand
        arguments = _arguments(case)
        jax.block_until_ready(by_hand(*arguments))
        print(case.name, [round(1e3 * seconds(lambda f=by_hand, a=arguments: f(*a)), 3) for _ in range(5)], "ms")
