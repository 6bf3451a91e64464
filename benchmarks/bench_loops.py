"""While loops: forward against `lax.while_loop`, and gradients against the best of three loops that have them.

The rivals are `equinox.internal.while_loop`, "bounded" and "checkpointed", and a `lax.scan` over the whole cap whose
late steps keep the carry. Each loop runs to a count that is only known at run time, an eighth of its cap. Rivals and
ours take turns within one process; what is judged is a median of ratios of neighbours.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import equinox.internal as eqxi
import jax
import jax.numpy as jnp
from jax import lax

from benchmarks.common import REPETITIONS, Row, failure, same, seconds
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
        Case("vector", lambda a, w: jnp.sin(a * w) / 2 + 0.4 * a + 0.3, jnp.linspace(0, 1, 256), jnp.full((256,), 0.9)),
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
    return lambda: executable(*arguments)


def repeats(call: Callable[[], Any]) -> int:
    """Return how often `call` has to run to be measured."""
    call()
    return max(1, math.ceil(ENOUGH / min(seconds(call) for _ in range(3))))


def turns(calls: dict[str, Callable[[], Any]], repetitions: int) -> dict[str, list[float]]:
    """Return seconds for each call, all of them measured in every turn."""
    often = {name: repeats(call) for name, call in calls.items()}
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repetitions):
        for name in list(calls) if turn % 2 == 0 else list(reversed(calls)):
            taken[name].append(sum(seconds(calls[name]) for _ in range(often[name])) / often[name])
    return taken


def forward_row(case: Case, cap: int) -> Row:
    """Return how long ours takes beside `lax.while_loop`; the bar is for the mean, because single rows are noisy."""
    calls = {"ours": compiled(ours, case, cap, False), "plain": compiled(plain, case, cap, False)}
    why = same(calls["ours"](), calls["plain"]())
    if why:
        return failure(f"forward, {case.name}, cap {cap:,}", why)
    taken = turns(calls, 2 * REPETITIONS + 1)
    ratio = statistics.median(mine / other for mine, other in zip(taken["ours"], taken["plain"], strict=True))
    return Row(f"forward, {case.name}, cap {cap:,}", *map(statistics.median, taken.values()), ratio)


def gradient_row(case: Case, cap: int) -> Row:
    """Return how many times faster the gradient of ours is than that of the best rival."""
    calls = {"ours": compiled(ours, case, cap, True)}
    calls.update((name, compiled(loop, case, cap, True)) for name, loop in RIVALS.items())
    why = next((found for rival in RIVALS if (found := same(calls["ours"](), calls[rival]()))), None)
    name = f"gradient, {case.name}, cap {cap:,}"
    if why:
        return failure(name, why)
    taken = turns(calls, REPETITIONS)
    best = min(RIVALS, key=lambda rival: statistics.median(taken[rival]))
    ratio = statistics.median(other / mine for mine, other in zip(taken["ours"], taken[best], strict=True))
    medians = (statistics.median(taken[side]) for side in ("ours", best))
    return Row(name, *medians, ratio, at_least=True, note=f"against {best}")


def mean_row(name: str, rows: list[Row], bar: float, at_least: bool) -> Row:
    """Return the geometric mean of `rows`, which fails if one of them could not be measured."""
    missing = [row.name for row in rows if row.failed]
    if missing:
        return failure(name, f"not measured: {', '.join(missing)}")
    columns = zip(*((row.ours, row.theirs, row.ratio) for row in rows), strict=True)
    return Row(name, *map(statistics.geometric_mean, columns), bar, at_least, f"geometric mean of {len(rows)}")


def measure() -> list[Row]:
    """Return a row for each comparison, and one for each mean."""
    forward = [forward_row(case, cap) for case in cases() for cap in CAPS]
    gradient = [gradient_row(case, cap) for case in cases() for cap in CAPS]
    return [
        *forward,
        mean_row("forward against lax.while_loop", forward, FORWARD_BAR, False),
        *gradient,
        mean_row("gradient, times faster than the best rival", gradient, GRADIENT_BAR, True),
    ]
