"""Batching: the body over all lanes, as long as one of them is active.

A lane that is done keeps its carry. What its body would compute is not only unused: it may be a division by zero, whose
derivative makes NaN of a cotangent zero, or an inner loop that never ends. So a lane that is done is given the operands
of a lane that is not, without derivatives, and its results are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.extend.core import ClosedJaxpr, mapped_aval
from jax.interpreters import batching

from janus_jax._loops.jaxprs import as_type, depends, inexact, run, split, trace, zeros
from janus_jax._loops.primitives import for_p, steps_aval, while_p
from janus_jax._loops.steps import Flags, Step, settle

Dims = Sequence[int | None]


def batch_while(
    axis: Any,
    operands: Sequence[Any],
    dims: Dims,
    *,
    condition: ClosedJaxpr,
    body: ClosedJaxpr,
    condition_consts: int,
    body_consts: int,
    cap: int,
) -> tuple[list[Any], list[int | None]]:
    """Return the loop over all lanes: in lockstep if they share the condition, else until no lane is active."""
    carry = len(operands) - condition_consts - body_consts
    step = Step(body, body_consts, carry)
    everywhere = bool(body.effects or condition.effects)  # `axis_index` is batched, whatever it is given
    mapped = [everywhere or dim is not None for dim in dims]
    flags = settle(step, mapped[condition_consts:], depends)
    asked = (*mapped[:condition_consts], *flags.ins[body_consts:])
    apart = everywhere or depends(condition, asked)[0]
    if apart:
        flags = settle(step, (*mapped[condition_consts : condition_consts + body_consts], *(True,) * carry), depends)
        asked = (*mapped[:condition_consts], *(True,) * carry)
    moved = _moved(operands, dims, (*mapped[:condition_consts], *flags.ins), axis.size)
    tested, used, init = split(moved, condition_consts, body_consts)
    every_condition = trace(_mapped(axis, condition, asked, [apart]), map(jax.typeof, (*tested, *init)))
    if not apart:
        lanes = trace(
            _mapped(axis, body, step.operands(False, flags.ins), flags.outs),
            (*map(jax.typeof, used), steps_aval(), *map(jax.typeof, init)),
        )
        outs = while_p.bind(
            *every_condition.consts,
            *tested,
            *lanes.consts,
            *used,
            *_typed(init, lanes.jaxpr.out_avals),
            condition=every_condition.jaxpr,
            body=lanes.jaxpr,
            condition_consts=len(every_condition.consts) + condition_consts,
            body_consts=len(lanes.consts) + body_consts,
            cap=cap,
        )
        carried = [0 if flag else None for flag in flags.outs[:carry]]
        return outs, [None, *carried, *(1 if flag else None for flag in flags.outs[carry:])]
    return _batch_apart(axis, step, flags, every_condition.jaxpr, (*every_condition.consts, *tested), used, init, cap)


def _batch_apart(
    axis: Any,
    step: Step,
    flags: Flags,
    condition: ClosedJaxpr,
    tested: Sequence[Any],
    used: Sequence[Any],
    init: Sequence[Any],
    cap: int,
) -> tuple[list[Any], list[int | None]]:
    """Return the loop whose lanes end one by one. Its carry: the active lanes, their steps, and the carry."""
    every = (True,) * len(step.out_avals)
    lanes = _mapped(axis, step.body, step.operands(False, flags.ins), every)
    n_tested, n_used = len(tested), len(used)
    (active,) = run(condition, (*tested, *init))

    def more(*values: Any) -> list[Any]:
        return [lax.reduce_or(values[0], (0,))]

    def one(*values: Any) -> list[Any]:
        asked, given, (index, active, steps), carry = split(values, n_tested, n_used, 3)
        safe = _sheltered((*given, *carry), flags.ins, active, lax.convert_element_type(active, np.int32))
        outs = lanes(*step.operands(index, safe))
        carry = [as_type(_where(active, new, old), jax.typeof(old)) for new, old in zip(outs, carry, strict=False)]
        steps = lax.add(steps, lax.convert_element_type(active, np.int32))
        active = lax.bitwise_and(active, run(condition, (*asked, *carry))[0])
        return [active, steps, *carry, *outs[step.carry :]]

    steps = lax.full((axis.size,), 0, np.int32)
    avals = tuple(map(jax.typeof, (active, steps, *init)))
    traced = trace(one, (*map(jax.typeof, (*tested, *used)), steps_aval(), *avals))
    outs = while_p.bind(
        *traced.consts,
        *tested,
        *used,
        active,
        steps,
        *init,
        condition=trace(more, avals).jaxpr,
        body=traced.jaxpr,
        condition_consts=0,
        body_consts=len(traced.consts) + n_tested + n_used,
        cap=cap,
    )
    ys = len(step.out_avals) - step.carry
    lanes_at: list[int | None] = [*[0] * (1 + step.carry), *[1] * ys]
    return outs[2:], lanes_at


def batch_for(
    axis: Any,
    operands: Sequence[Any],
    dims: Dims,
    *,
    body: ClosedJaxpr,
    consts: int,
    carry: int,
    cap: int,
    reverse: bool,
    linear: tuple[bool, ...],
) -> tuple[list[Any], list[int | None]]:
    """Return the loop over all lanes; one with counts of its own for each lane runs to the largest."""
    step = Step(body, consts, carry)
    everywhere = bool(body.effects)
    mapped = [everywhere or dim is not None for dim in dims[1:]]
    apart = dims[0] is not None
    if apart:
        mapped[consts : consts + carry] = [True] * carry
    flags = settle(step, mapped, depends)
    (count,) = _moved(operands[:1], dims[:1], [apart], axis.size)
    used, init, xs = split(_moved(operands[1:], dims[1:], flags.ins, axis.size, consts + carry), consts, carry)
    row_avals = (mapped_aval(cap, 0, jax.typeof(x)) for x in xs)
    outs_mapped = (True,) * len(flags.outs) if apart else flags.outs
    lanes = _mapped(axis, body, step.operands(False, flags.ins), outs_mapped)

    def one(*values: Any) -> list[Any]:
        (counts,), given, (index,), rest = split(values, 1, consts, 1)
        active = lax.lt(lax.broadcast(index, (axis.size,)), counts)
        # The lane with the largest count is active as long as any is. Linear operands need no shelter: a cotangent
        # zero through finite partials is zero; and a value without derivatives would not transpose.
        exposed = [flag and not mark for flag, mark in zip(flags.ins, linear, strict=True)]
        outs = lanes(*step.operands(index, _sheltered((*given, *rest), exposed, active, counts)))
        kept = [
            as_type(_where(active, new, old), jax.typeof(old)) for new, old in zip(outs, rest[:carry], strict=False)
        ]
        return [*kept, *(_where(active, y, zeros(jax.typeof(y))) for y in outs[carry:])]

    in_avals = (*map(jax.typeof, used), steps_aval(), *map(jax.typeof, init), *row_avals)
    traced = trace(one, (jax.typeof(count), *in_avals)) if apart else trace(lanes, in_avals)
    counts = (count,) if apart else ()
    longest = lax.reduce_max(count, (0,)) if apart and axis.size else (np.int32(0) if apart else count)
    outs = for_p.bind(
        longest,
        *traced.consts,
        *counts,
        *used,
        *_typed(init, traced.jaxpr.out_avals),
        *xs,
        body=traced.jaxpr,
        consts=len(traced.consts) + len(counts) + consts,
        carry=carry,
        cap=cap,
        reverse=reverse,
        linear=(*(False,) * (len(traced.consts) + len(counts)), *linear),
    )
    out_dims = [(0 if k < carry else 1) if flag else None for k, flag in enumerate(outs_mapped)]
    return outs, out_dims


def _mapped(axis: Any, jaxpr: ClosedJaxpr, ins: Sequence[bool], outs: Sequence[bool]) -> Callable[..., list[Any]]:
    """Return `jaxpr` over the lanes of the operands in `ins`, lanes in front; it may also be called with none."""
    in_axes = tuple(0 if flag else None for flag in ins)
    out_axes = [0 if flag else None for flag in outs]

    def lanes(*values: Any) -> list[Any]:
        return jax.vmap(
            lambda *lane: run(jaxpr, lane),
            in_axes=in_axes,
            out_axes=out_axes,
            axis_name=axis.name,
            axis_size=axis.size,
            spmd_axis_name=axis.spmd_name,
        )(*values)

    return lanes


def _moved(values: Sequence[Any], dims: Dims, mapped: Sequence[bool], size: int, rows_from: int = -1) -> list[Any]:
    """Return `values`, those in `mapped` with their lanes in front; of rows, behind the rows."""
    moved: list[Any] = []
    for k, (value, dim, flag) in enumerate(zip(values, dims, mapped, strict=True)):
        place = 1 if 0 <= rows_from <= k else 0
        if not flag:
            moved.append(value)
        elif dim is None:
            shape = (*value.shape[:place], size, *value.shape[place:])
            axes = [axis if axis < place else axis + 1 for axis in range(value.ndim)]
            moved.append(as_type(lax.broadcast_in_dim(value, shape, axes), jax.typeof(value)))
        else:
            moved.append(_move_axis(value, dim, place))
    return moved


def _move_axis(value: Any, source: int, target: int) -> Any:
    order = [axis for axis in range(value.ndim) if axis != source]
    order.insert(target, source)
    return value if order == sorted(order) else lax.transpose(value, order)


def _typed(init: Sequence[Any], avals: Sequence[Any]) -> list[Any]:
    return [as_type(value, aval) for value, aval in zip(init, avals, strict=False)]


def _where(active: Any, new: Any, old: Any) -> Any:
    return lax.select(lax.broadcast_in_dim(active, new.shape, (0,)), new, old)


def _sheltered(values: Sequence[Any], flags: Sequence[bool], active: Any, rank: Any) -> list[Any]:
    """Return `values`; those in `flags` have, in lanes that are not active, the value of the lane of highest rank."""
    if active.shape[0] <= 1:
        return list(values)
    lead = lax.argmax(rank, 0, np.int32)
    return [_shelter(value, active, lead) if flag else value for value, flag in zip(values, flags, strict=True)]


def _shelter(value: Any, active: Any, lead: Any) -> Any:
    held = lax.stop_gradient(value) if inexact(jax.typeof(value)) else value
    lane = lax.dynamic_index_in_dim(held, lead, 0, keepdims=False)
    there = lax.broadcast_in_dim(lane, value.shape, tuple(range(1, value.ndim)))
    return as_type(_where(active, value, there), jax.typeof(value))


batching.fancy_primitive_batchers[while_p] = batch_while
batching.fancy_primitive_batchers[for_p] = batch_for
