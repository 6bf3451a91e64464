"""Loops for whoever has jaxprs in hand: types are checked here, constants become operands here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.extend.core import ClosedJaxpr, mapped_aval

from janus_jax._loops.jaxprs import INT32, inexact, run, same_type, split, trace
from janus_jax._loops.primitives import for_p, steps_aval, while_p

LARGEST_CAP = 2**31 - 2
"""The largest cap: the step counter is an int32 and must be able to pass it."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class LoopResult:
    """How a while loop ended: after `steps` steps, `exhausted` if its condition held even then, with `carry`."""

    steps: Any
    exhausted: Any
    carry: tuple[Any, ...]


def while_function(
    condition: Callable[..., Any], body: Callable[..., Sequence[Any]], init: Sequence[Any], *, cap: int
) -> LoopResult:
    """Return the carry after `body` has run while `condition` held, `cap` times at most; each is traced once, and anew.

    What the two close over may be tracers: it becomes operands, and the result has derivatives in it.
    """
    avals = tuple(map(jax.typeof, init))
    tested = trace(lambda *carry: (condition(*carry),), avals)
    step = trace(lambda _, *carry: tuple(body(*carry)), (steps_aval(), *avals))
    assert [(a.shape, a.dtype) for a in tested.jaxpr.out_avals] == [((), np.dtype(bool))], tested.jaxpr.out_avals
    _check(avals, step.jaxpr.out_avals, cap)
    steps, *carry = while_p.bind(
        *tested.consts,
        *step.consts,
        *init,
        condition=tested.jaxpr,
        body=step.jaxpr,
        condition_consts=len(tested.consts),
        body_consts=len(step.consts),
        cap=cap,
    )
    # Asked once more behind the loop, because XLA keeps what a loop's condition last said to itself. Without tangents,
    # so that the answer is a value of the outer trace under `grad` as well.
    (held,) = run(tested.jaxpr, map(_detached, (*tested.consts, *carry)))
    return LoopResult(steps, lax.bitwise_and(lax.ge(steps, np.int32(cap)), held), tuple(carry))


def for_loop(
    body: ClosedJaxpr, count: Any, init: Sequence[Any], xs: Sequence[Any] = (), *, cap: int, reverse: bool = False
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return the carry after `count` steps over the first rows of `xs`, and what the steps wrote, under zeros.

    Rows keep their places: a loop in reverse begins at row `count - 1`. A count above `cap` is taken as `cap`.
    """
    avals = tuple(map(jax.typeof, init))
    assert all(map(same_type, avals, body.in_avals)), (avals, body.in_avals)
    _check(avals, body.out_avals[: len(init)], cap)
    assert all(x.shape[:1] == (cap,) for x in xs), [x.shape for x in xs]
    step = trace(lambda _, *values: run(body, values), (steps_aval(), *body.in_avals))
    outs = for_p.bind(
        lax.convert_element_type(count, INT32),
        *step.consts,
        *init,
        *xs,
        body=step.jaxpr,
        consts=len(step.consts),
        carry=len(init),
        cap=cap,
        reverse=reverse,
        linear=(False,) * (len(step.consts) + len(init) + len(xs)),
    )
    carry, ys = split(outs, len(init))
    return carry, ys


def for_function(
    body: Callable[..., Sequence[Any]],
    count: Any,
    init: Sequence[Any],
    xs: Sequence[Any] = (),
    *,
    cap: int,
    reverse: bool = False,
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return `for_loop` over a callable of carry and rows, traced anew; it returns carry and what it writes."""
    rows = (mapped_aval(cap, 0, jax.typeof(x)) for x in xs)
    closed = jax.make_jaxpr(lambda *values: tuple(body(*values)))(*map(jax.typeof, init), *rows)
    return for_loop(closed, count, init, xs, cap=cap, reverse=reverse)


def _check(before: Sequence[Any], after: Sequence[Any], cap: int) -> None:
    """Check that a step gives the carry the types that it had, and that the cap can be counted to."""
    assert 0 <= cap <= LARGEST_CAP, cap
    for old, new in zip(before, after, strict=True):
        assert same_type(old, new), (old, new)


def _detached(value: Any) -> Any:
    return lax.stop_gradient(value) if inexact(jax.typeof(value)) else value
