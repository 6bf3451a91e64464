"""Forward rules: the loop once more, writing a tape, and a linear loop that reads it.

Which tape: up to `SAVING_CAP` steps what `linearize` saves; above, the carries. A tape is made and filled with zeros
whole, so that its cost goes with the cap and not with the steps. Where that would be dear, the loop becomes a loop of
loops, each of about the square root of the steps, and only the one in hand has a tape.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.extend.core import ClosedJaxpr, unmapped_aval
from jax.interpreters import ad

from janus_jax._jax import zero_tangent
from janus_jax._loops.jaxprs import as_type, chosen, inexact, run, split, spread, strong, trace, zeros
from janus_jax._loops.primitives import for_p, steps_aval, while_p
from janus_jax._loops.steps import Flags, Plan, Step, plan_recomputing, plan_saving, settle_tangents

SAVING_CAP = 16
"""Up to here the tape holds what `linearize` saves."""

NESTING_CAP = 64
"""Up to here a loop is never split in two levels."""

TAPE_BYTES = 1 << 18
"""A tape of carries above this size is split in two levels."""


def differentiate_while(
    primals: Sequence[Any],
    tangents: Sequence[Any],
    *,
    condition: ClosedJaxpr,
    body: ClosedJaxpr,
    condition_consts: int,
    body_consts: int,
    cap: int,
) -> tuple[list[Any], list[Any]]:
    """Return the loop's results and their tangents; those of steps, integers and keys are symbolic zeros."""
    params = {"condition": condition, "condition_consts": condition_consts, "cap": cap}
    tested, operands = split(primals, condition_consts)
    step = Step(body, body_consts, len(operands) - body_consts)
    nonzero = _nonzero(primals, tangents)[condition_consts:]
    flags = settle_tangents(step, nonzero)
    if not any(flags.outs):
        outs = while_p.bind(*primals, body=body, body_consts=body_consts, **params)
        return outs, [zero_tangent(out) for out in outs]
    if _is_dear(step, cap):
        return _through(_nested_while(step, condition, condition_consts, cap), primals, tangents, (False, *flags.outs))
    consts, init = split(operands, body_consts)
    plan = _plan(step, flags, consts, cap)
    outs = while_p.bind(
        *tested, *plan.recorded_consts, *init, body=plan.recorded, body_consts=len(plan.recorded_consts), **params
    )
    (steps,), results, tape = split(outs, 1, len(step.out_avals))
    moved = _tangent_loop(plan, step, flags, steps, tape, (), tangents[condition_consts:], cap, False)
    return [steps, *results], _spread_tangents(moved, (False, *flags.outs), (steps, *results))


def differentiate_for(
    primals: Sequence[Any],
    tangents: Sequence[Any],
    *,
    body: ClosedJaxpr,
    consts: int,
    carry: int,
    cap: int,
    reverse: bool,
    linear: tuple[bool, ...],
) -> tuple[list[Any], list[Any]]:
    """Return the loop's results and their tangents; those of integers and keys are symbolic zeros."""
    params = {"carry": carry, "cap": cap, "reverse": reverse}
    (count,), operands = split(primals, 1)
    step = Step(body, consts, carry)
    flags = settle_tangents(step, _nonzero(primals, tangents)[1:])
    if not any(flags.outs):
        outs = for_p.bind(*primals, body=body, consts=consts, linear=linear, **params)
        return outs, [zero_tangent(out) for out in outs]
    if _is_dear(step, cap):
        return _through(_nested_for(step, cap, reverse, linear), primals, tangents, flags.outs)
    used, init, xs = split(operands, consts, carry)
    plan = _plan(step, flags, used, cap)
    more = len(plan.recorded_consts)
    outs = for_p.bind(
        count,
        *plan.recorded_consts,
        *init,
        *xs,
        body=plan.recorded,
        consts=more,
        linear=(*(False,) * (more - consts), *linear),
        **params,
    )
    results, tape = split(outs, len(step.out_avals))
    moved = _tangent_loop(plan, step, flags, count, tape, chosen(xs, plan.rows), tangents[1:], cap, reverse)
    return list(results), _spread_tangents(moved, flags.outs, results)


def _nonzero(primals: Sequence[Any], tangents: Sequence[Any]) -> list[bool]:
    return [type(t) is not ad.Zero and inexact(jax.typeof(p)) for p, t in zip(primals, tangents, strict=True)]


def _plan(step: Step, flags: Flags, consts: Sequence[Any], cap: int) -> Plan:
    return (plan_saving if cap <= SAVING_CAP else plan_recomputing)(step, flags, consts)


def _tangent_loop(
    plan: Plan,
    step: Step,
    flags: Flags,
    count: Any,
    tape: Sequence[Any],
    rows: Sequence[Any],
    tangents: Sequence[Any],
    cap: int,
    reverse: bool,
) -> list[Any]:
    """Return the tangents of those results that have one."""
    moving = [
        as_type(ad.instantiate_zeros(t), strong(jax.typeof(ad.instantiate_zeros(t))))
        for t in chosen(tangents, flags.ins)
    ]
    const_flags, carry_flags, _ = split(flags.ins, step.consts, step.carry)
    t_consts, t_carry, t_rows = split(moving, sum(const_flags), sum(carry_flags))
    fixed = len(plan.tangent_consts)
    return for_p.bind(
        count,
        *plan.tangent_consts,
        *t_consts,
        *t_carry,
        *tape,
        *rows,
        *t_rows,
        body=plan.tangent,
        consts=fixed + len(t_consts),
        carry=len(t_carry),
        cap=cap,
        reverse=reverse,
        linear=(False,) * fixed
        + (True,) * (len(t_consts) + len(t_carry))
        + (False,) * (len(tape) + len(rows))
        + (True,) * len(t_rows),
    )


def _spread_tangents(moved: Sequence[Any], flags: Sequence[bool], results: Sequence[Any]) -> list[Any]:
    return list(spread(moved, flags, [zero_tangent(result) for result in results]))


def _is_dear(step: Step, cap: int) -> bool:
    """Return whether a tape of all carries is worth avoiding; a loop that writes rows has one of that length anyway."""
    if cap <= NESTING_CAP:
        return False
    carried = step.out_avals[: step.carry]
    written = step.out_avals[step.carry :]
    return not written and cap * sum(math.prod(a.shape) * a.dtype.itemsize for a in carried) > TAPE_BYTES


def _through(
    fun: Callable[..., list[Any]], primals: Sequence[Any], tangents: Sequence[Any], flags: Sequence[bool]
) -> tuple[list[Any], list[Any]]:
    """Return results and tangents of `fun`, which computes the loop in another way."""
    nonzero = _nonzero(primals, tangents)

    def active(*actives: Any) -> tuple[Any, Any]:
        outs = fun(*spread(actives, nonzero, primals))
        return chosen(outs, flags), outs

    _, moved, outs = jax.jvp(active, chosen(primals, nonzero), chosen(tangents, nonzero), has_aux=True)
    return outs, _spread_tangents(moved, flags, outs)


def _root(cap: int) -> int:
    return math.isqrt(cap - 1) + 1


def _nested_while(step: Step, condition: ClosedJaxpr, tested: int, cap: int) -> Callable[..., list[Any]]:
    """Return the loop as a loop over loops; both count the steps done, so that the cap stays what it is."""
    inner = _root(cap)
    outer = -(-cap // inner)
    consts, carried = split(step.avals, step.consts)
    condition_avals = condition.in_avals[:tested]

    def more(*values: Any) -> list[Any]:
        test, (done,), carry = split(values, tested, 1)
        return [lax.bitwise_and(lax.lt(done, np.int32(cap)), run(condition, (*test, *carry))[0])]

    def one(*values: Any) -> list[Any]:
        used, (_, done), carry = split(values, step.consts, 2)
        return [lax.add(done, np.int32(1)), *run(step.body, (*used, done, *carry))]

    again = trace(more, (*condition_avals, steps_aval(), *carried)).jaxpr
    single = trace(one, (*consts, steps_aval(), steps_aval(), *carried)).jaxpr
    sizes = {"condition": again, "condition_consts": tested}

    def several(*values: Any) -> list[Any]:
        head, _, carry = split(values, tested + step.consts, 1)
        return while_p.bind(*head, *carry, body=single, body_consts=step.consts, cap=inner, **sizes)[1:]

    chunk = trace(several, (*condition_avals, *consts, steps_aval(), steps_aval(), *carried)).jaxpr

    def nested(*operands: Any) -> list[Any]:
        test, used, init = split(operands, tested, step.consts)
        outs = while_p.bind(
            *test, *test, *used, np.int32(0), *init, body=chunk, body_consts=tested + step.consts, cap=outer, **sizes
        )
        return outs[1:]

    return nested


def _nested_for(step: Step, cap: int, reverse: bool, linear: tuple[bool, ...]) -> Callable[..., list[Any]]:
    """Return the loop as a loop over loops, each over a part of the rows."""
    inner = _root(cap)
    outer = -(-cap // inner)
    consts, carried, rows = split(step.avals, step.consts, step.carry)
    const_linear, carry_linear, row_linear = split(linear, step.consts, step.carry)

    def one(*values: Any) -> list[Any]:
        (start,), used, (index,), rest = split(values, 1, step.consts, 1)
        return run(step.body, (*used, lax.add(start, index), *rest))

    single = trace(one, (steps_aval(), *consts, steps_aval(), *carried, *rows)).jaxpr

    def several(*values: Any) -> list[Any]:
        (count,), used, (index,), carry, xs = split(values, 1, step.consts, 1, step.carry)
        start = lax.mul(index, np.int32(inner))
        left = lax.min(lax.sub(count, start), np.int32(inner))
        sizes = {"consts": step.consts + 1, "carry": step.carry, "cap": inner, "reverse": reverse}
        return for_p.bind(left, start, *used, *carry, *xs, body=single, linear=(False, *linear), **sizes)

    parts = [unmapped_aval(inner, 0, row) for row in rows]
    chunk = trace(several, (steps_aval(), *consts, steps_aval(), *carried, *parts)).jaxpr

    def nested(*operands: Any) -> list[Any]:
        (count,), used, init, xs = split(operands, 1, step.consts, step.carry)
        count = lax.clamp(np.int32(0), count, np.int32(cap))
        chunks = lax.div(lax.add(count, np.int32(inner - 1)), np.int32(inner))
        return for_p.bind(
            chunks,
            count,
            *used,
            *init,
            *(_parted(x, inner, outer) for x in xs),
            body=chunk,
            consts=step.consts + 1,
            carry=step.carry,
            cap=outer,
            reverse=reverse,
            linear=(False, *const_linear, *carry_linear, *row_linear),
        )

    return nested


def _parted(rows: Any, inner: int, outer: int) -> Any:
    """Return `rows` as `outer` parts of `inner` rows, with rows of zeros behind the last."""
    missing = inner * outer - rows.shape[0]
    if missing:
        rows = lax.concatenate([rows, zeros(jax.typeof(rows).update(shape=(missing, *rows.shape[1:])))], 0)
    return lax.reshape(rows, (outer, inner, *rows.shape[1:]))


ad.primitive_jvps[while_p] = differentiate_while
ad.primitive_jvps[for_p] = differentiate_for
