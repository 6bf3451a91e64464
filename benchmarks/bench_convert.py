"""What a conversion costs: a second one in the same process, and a long loop against a short one.

The calls that are profiled and XLA's compile time stay apart: the first belong to the user's function, the second is
the same for a version written by hand. The yardstick is `jax.jit(...).trace` of that version, made anew each time.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

import janus_jax
from benchmarks.common import REPETITIONS, Row, failure, paired, reasons, seconds, unfit
from examples import digits

ALLOWANCE = 0.050  # seconds on top of twice the trace
LONG, SHORT = 10_000, 10


def drifts(state, rows):
    for row in rows:
        if state.sum() > 0:
            state = state - 0.1 * row
        else:
            state = 0.9 * state + row
    return state


def drifts_by_hand(state, rows):
    def step(state, row):
        return lax.cond(state.sum() > 0, lambda state: state - 0.1 * row, lambda state: 0.9 * state + row, state), None

    return lax.scan(step, state, rows)[0]


def _learning() -> tuple[Any, ...]:
    images, labels, *_ = digits.digits()
    weights = jnp.zeros((64, 32)), jnp.zeros(32), jnp.zeros((32, 10))
    batches = jnp.array(images[:128].reshape(4, 32, 64)), jnp.array(labels[:128].reshape(4, 32))
    return weights, jnp.arange(10) < 10, jnp.float32(2.3), *batches, 0.01


def measure() -> list[Row]:
    """Return what second conversions cost beside a trace, and a long loop beside a short one."""
    state, rows = jnp.zeros(8), jnp.ones((50, 8))
    return [
        _second("an `if` in a `for`, second conversion", drifts, drifts_by_hand, (state, rows)),
        _second(
            "an epoch on digits, second conversion",
            digits.train_epoch,
            digits.train_epoch_by_hand.__wrapped__,
            _learning(),
        ),
        _long_against_short(),
    ]


def _second(name: str, function: Callable[..., Any], by_hand: Callable[..., Any], arguments: tuple[Any, ...]) -> Row:
    speculated = janus_jax.speculate(function)
    why = unfit(speculated, *arguments, expected=jax.jit(by_hand)(*arguments))
    if why:
        return failure(name, why)
    turns = [(_conversion(speculated, arguments)[0], _trace(by_hand, arguments)) for _ in range(REPETITIONS)]
    ours, theirs = (statistics.median(side) for side in zip(*turns, strict=True))
    allowed = statistics.median(mine / (2 * other + ALLOWANCE) for mine, other in turns)
    return Row(name, ours, theirs, allowed, 1.0, note="ratio to twice the trace plus 50 ms")


def _conversion(speculated: Any, arguments: tuple[Any, ...]) -> tuple[float, float]:
    """Return the seconds that converting `speculated` anew takes, and those that XLA takes for its program."""
    speculated.clear()
    before, calls = speculated.stats(), 0
    while speculated.stats().compiled_calls == before.compiled_calls:
        calls += 1
        assert calls <= 10, f"not converted again: {reasons(speculated)}"
        jax.block_until_ready(speculated(*arguments))
    after = speculated.stats()
    return after.convert_seconds - before.convert_seconds, after.compile_seconds - before.compile_seconds


def _trace(by_hand: Callable[..., Any], arguments: tuple[Any, ...]) -> float:
    # A new function each time: `jax.jit` would find its own last trace again.
    def anew(*values: Any) -> Any:
        return by_hand(*values)

    return seconds(lambda: jax.jit(anew).trace(*arguments) and None)


def _long_against_short() -> Row:
    name = f"{LONG:,} steps against {SHORT}, converted and compiled"
    state = jnp.zeros(8)
    speculated = {steps: janus_jax.speculate(_steps(steps), profile_calls=1) for steps in (LONG, SHORT)}
    for steps, function in speculated.items():
        why = unfit(function, state)
        if why:
            return failure(f"{name} ({steps})", why)
    times = paired(
        lambda: _until_run(speculated[LONG], state),
        lambda: _until_run(speculated[SHORT], state),
        rounds=11,
        measure=lambda run: run(),  # the profiled call is no part of it
    )
    return Row(name, times.ours, times.theirs, times.ratio, 1.2)


def _until_run(speculated: Any, state: jax.Array) -> float:
    """Return the seconds that converting and compiling take, less one run: XLA's time holds the first."""
    taken = sum(_conversion(speculated, (state,)))
    return taken - statistics.median(seconds(lambda: speculated(state)) for _ in range(5))


def _steps(steps: int) -> Callable[[jax.Array], jax.Array]:
    def walks(state):
        for number in range(steps):
            state = state * 0.5 + number
        return state

    return walks
