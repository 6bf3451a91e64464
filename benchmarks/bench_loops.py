"""While loops: forward against `lax.while_loop`, and gradients against the best of three loops that have them.

The rivals are `equinox.internal.while_loop`, "bounded" and "checkpointed", and a `lax.scan` over the whole cap whose
late steps keep the carry. Each loop runs to a count that is only known at run time, an eighth of its cap. Rivals and
ours take turns within one process; what is judged is a median of ratios of neighbours.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import equinox.internal as eqxi
import jax
import jax.numpy as jnp
from jax import lax

from janus_jax._loops import while_function

CAPS = (100, 1_000, 10_000)
SHARE = 8  # of the cap is done: the cap is eight times the largest count that was seen
ENOUGH = 2e-3  # seconds that one measurement takes at least
FORWARD_BAR = 1.05
GRADIENT_BAR = 1.5

Body = Callable[[Any, Any], Any]
Loop = Callable[[Body, Any, Any, Any, int], Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One body, (carry, weights) -> carry, and where it starts."""

    name: str
    body: Body
    start: Any
    weights: Any


def cases() -> tuple[Case, ...]:
    """Return bodies from a few operations on scalars to products of matrices."""
    return (
        Case("scalar", lambda a, w: a - 0.1 * (a * a * a - w), jnp.float32(0.3), jnp.float32(0.7)),
        Case("vector", lambda a, w: jnp.sin(a * w) + 0.5 * a, jnp.linspace(0.0, 1.0, 256), jnp.full((256,), 0.9)),
        Case("recurrent", lambda a, w: jnp.tanh(w @ a) + 0.1 * a, jnp.linspace(0.0, 1.0, 64), 0.9 * jnp.eye(64)),
        Case("batch", lambda a, w: jnp.tanh(a @ w) + 0.1 * a, jnp.ones((32, 64)), 0.9 * jnp.eye(64)),
    )


def ours(body: Body, start: Any, weights: Any, count: Any, cap: int) -> Any:
    step = lambda i, a: (i + 1, body(a, weights))  # noqa: E731
    return while_function(lambda i, _: i < count, step, (jnp.int32(0), start), cap=cap).carry[1]


def plain(body: Body, start: Any, weights: Any, count: Any, cap: int) -> Any:
    step = lambda state: (state[0] + 1, body(state[1], weights))  # noqa: E731
    return lax.while_loop(lambda state: state[0] < count, step, (jnp.int32(0), start))[1]


def masked(body: Body, start: Any, weights: Any, count: Any, cap: int) -> Any:
    step = lambda a, i: (jnp.where(i < count, body(a, weights), a), None)  # noqa: E731
    return lax.scan(step, start, jnp.arange(cap))[0]


def of_equinox(kind: Any) -> Loop:
    def loop(body: Body, start: Any, weights: Any, count: Any, cap: int) -> Any:
        step = lambda state: (state[0] + 1, body(state[1], weights))  # noqa: E731
        more = lambda state: state[0] < count  # noqa: E731
        return eqxi.while_loop(more, step, (jnp.int32(0), start), max_steps=cap, kind=kind)[1]

    return loop


RIVALS: dict[str, Loop] = {"bounded": of_equinox("bounded"), "checkpointed": of_equinox("checkpointed"), "scan": masked}


def compiled(loop: Loop, case: Case, cap: int, gradient: bool) -> Callable[[], Any]:
    """Return a call of the compiled loop, or of its gradient in start and weights."""

    def value(start: Any, weights: Any, count: Any) -> Any:
        return loop(case.body, start, weights, count, cap)

    fun = jax.grad(lambda *operands: jnp.sum(value(*operands)), (0, 1)) if gradient else value
    arguments = (case.start, case.weights, jnp.int32(cap // SHARE))
    executable = jax.jit(fun).lower(*arguments).compile()
    return lambda: jax.block_until_ready(executable(*arguments))


def seconds(call: Callable[[], Any], times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - start) / times


def repeats(call: Callable[[], Any]) -> int:
    """Return how often `call` has to run to be measured."""
    call()
    return max(1, math.ceil(ENOUGH / min(seconds(call, 1) for _ in range(3))))


def turns(calls: dict[str, Callable[[], Any]], repetitions: int) -> dict[str, list[float]]:
    """Return seconds for each call, all of them measured in every turn."""
    often = {name: repeats(call) for name, call in calls.items()}
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repetitions):
        order = list(calls) if turn % 2 == 0 else list(reversed(calls))
        for name in order:
            taken[name].append(seconds(calls[name], often[name]))
    return taken


def forward_row(case: Case, cap: int, repetitions: int) -> dict[str, Any]:
    calls = {"ours": compiled(ours, case, cap, False), "plain": compiled(plain, case, cap, False)}
    taken = turns(calls, 2 * repetitions + 1)
    ratio = statistics.median(mine / theirs for mine, theirs in zip(taken["ours"], taken["plain"], strict=True))
    return row(f"forward, {case.name}, cap {cap:,}", ratio, None, "lower", taken)


def gradient_row(case: Case, cap: int, repetitions: int) -> dict[str, Any]:
    calls = {"ours": compiled(ours, case, cap, True)}
    calls.update((name, compiled(loop, case, cap, True)) for name, loop in RIVALS.items())
    taken = turns(calls, repetitions)
    best = min(RIVALS, key=lambda name: statistics.median(taken[name]))
    ratio = statistics.median(theirs / mine for mine, theirs in zip(taken["ours"], taken[best], strict=True))
    return row(f"gradient, {case.name}, cap {cap:,}, against {best}", ratio, None, "higher", taken)


def row(name: str, ratio: float, bar: float | None, better: str, taken: dict[str, list[float]]) -> dict[str, Any]:
    medians = {side: statistics.median(times) for side, times in taken.items()}
    return {"name": name, "ratio": ratio, "bar": bar, "better": better, "seconds": medians}


def mean_row(name: str, rows: list[dict[str, Any]], bar: float, better: str) -> dict[str, Any]:
    ratio = statistics.geometric_mean(entry["ratio"] for entry in rows)
    return row(f"{name}: geometric mean of {len(rows)}", ratio, bar, better, {})


def measure(repetitions: int = 5) -> list[dict[str, Any]]:
    """Return a row for each comparison, and one for each mean; only the means have bars, single rows are noisy."""
    forward = [forward_row(case, cap, repetitions) for case in cases() for cap in CAPS]
    gradient = [gradient_row(case, cap, repetitions) for case in cases() for cap in CAPS]
    return [
        *forward,
        mean_row("forward against lax.while_loop", forward, FORWARD_BAR, "lower"),
        *gradient,
        mean_row("gradient against the best rival", gradient, GRADIENT_BAR, "higher"),
    ]


def passes(entry: dict[str, Any]) -> bool:
    """Return whether the bar is kept; what has no bar passes."""
    if entry["bar"] is None:
        return True
    return entry["ratio"] <= entry["bar"] if entry["better"] == "lower" else entry["ratio"] >= entry["bar"]


def main() -> None:
    """Print what was measured as a table."""
    for entry in measure():
        bar = "" if entry["bar"] is None else f"  bar {entry['bar']}  {'kept' if passes(entry) else 'MISSED'}"
        times = "  ".join(f"{side} {taken * 1e6:.0f}" for side, taken in entry["seconds"].items())
        print(f"{entry['name']:<58} {entry['ratio']:6.2f}{bar}  {times}", flush=True)


if __name__ == "__main__":
    main()
