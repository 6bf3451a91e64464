"""What a tripped call costs: the program that ran in vain, and the plain call that answers instead.

Each measurement starts from a fresh program, since a trip relaxes it; both sides come right after a compiled call. The
guards are a branch that cannot be compiled (it raises) and one that is too large to be kept on suspicion; each trips in
the first and in the last iteration.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

import janus_jax
from benchmarks.common import REPETITIONS, Row, failure, reasons, seconds, unfit

STEPS = 100


def refuses(state, rows):
    for row in rows:
        if row[0] > 10:
            raise ValueError("out of range")
        state = jnp.tanh(state * row) + 0.1 * row - jnp.mean(state)
    return state


def surprised(state, rows):
    for row in rows:
        if row[0] > 10:
            state = state - row / jnp.linalg.norm(row)
            while jnp.max(jnp.abs(state)) > 0.01:
                shift = jnp.mean(state) + jnp.std(state) * jnp.sum(jnp.sin(state) * jnp.cos(state))
                state = 0.3 * state + 0.01 * jnp.tanh(shift) * jnp.sort(state) - 0.001 * jnp.cumsum(state)
                state = jnp.where(jnp.abs(state) > 1, jnp.sign(state), state)
        state = jnp.tanh(state * row) + 0.1 * row - jnp.mean(state)
    return state


def measure() -> list[Row]:
    """Return for each guard and iteration what the tripped call costs beside plain Python."""
    return [
        _tripped(f"{function.__name__}: trips in iteration {iteration + 1} of {STEPS}", function, iteration)
        for function in (refuses, surprised)
        for iteration in (0, STEPS - 1)
    ]


def _tripped(name: str, function: Callable[..., Any], iteration: int) -> Row:
    state, usual = 0.1 * jnp.ones(16), 0.5 * jnp.ones((STEPS, 16))
    unusual = usual.at[iteration, 0].set(11.0)
    speculated = janus_jax.speculate(function)
    why = unfit(speculated, state, usual, guarded=True)
    if why:
        return failure(name, why)
    turns: list[tuple[float, float, float]] = []
    for _ in range(REPETITIONS):
        turn = _turn(speculated, function, state, usual, unusual)
        if isinstance(turn, str):
            return failure(name, turn)
        turns.append(turn)
    trip, plain, run = (statistics.median(side) for side in zip(*turns, strict=True))
    ratio = statistics.median((trip - run) / plain for trip, plain, run in turns)
    return Row(name, trip, plain, ratio, 1.2, note=f"less one run of the program, {run * 1e6:.0f} µs")


def _turn(
    speculated: Any, plain: Callable[..., Any], state: jax.Array, usual: jax.Array, unusual: jax.Array
) -> tuple[float, float, float] | str:
    """Return seconds of a tripped call, of the plain call and of a run of the program; or why there was no trip."""
    speculated.clear()
    for _ in range(5):
        speculated(state, usual)
    run = statistics.median(seconds(lambda: speculated(state, usual)) for _ in range(5))
    reference = statistics.median(_after_a_run(speculated, state, usual, plain, unusual) for _ in range(5))
    before = speculated.stats().guard_trips
    trip = _after_a_run(speculated, state, usual, speculated, unusual)
    if speculated.stats().guard_trips != before + 1:
        return f"no guard tripped {'; '.join(reasons(speculated))}"
    return trip, reference, run


def _after_a_run(speculated: Any, state: jax.Array, usual: jax.Array, function: Any, unusual: jax.Array) -> float:
    """Return the seconds of an unusual call that comes after a usual, compiled one: the caches hold the program."""
    jax.block_until_ready(speculated(state, usual))
    return _outcome(function, state, unusual)


def _outcome(function: Callable[..., Any], *arguments: Any) -> float:
    """Return the seconds until `function` has returned its results, or has raised."""

    def run() -> Any:
        try:
            return function(*arguments)
        except ValueError:
            return None

    return seconds(run)
