"""Backward rules: the linear loop in the other direction, with its body transposed.

Cotangents of the carry are the carry; those of the constants, which every step uses, are summed in the carry; those of
the rows are what the steps write.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, Primitive
from jax.interpreters import ad

from janus_jax._jax import zero_cotangent
from janus_jax._loops.jaxprs import as_type, chosen, inexact, run, split, spread, strong, trace, zeros
from janus_jax._loops.primitives import for_p, steps_aval, while_p
from janus_jax._loops.steps import Step


@dataclass(frozen=True)
class Linear:
    """Which consts and rows of a step are unknown and so get cotangents, and which written rows have one."""

    consts: tuple[bool, ...]
    rows: tuple[bool, ...]
    written: tuple[bool, ...]


def transpose_for(
    cotangents: Sequence[Any],
    count: Any,
    *operands: Any,
    body: ClosedJaxpr,
    consts: int,
    carry: int,
    cap: int,
    reverse: bool,
    linear: tuple[bool, ...],
) -> list[Any]:
    """Return the cotangents of the unknown operands, by a loop in the other direction."""
    unknown = tuple(map(ad.is_undefined_primal, operands))
    step = Step(body, consts, carry)
    marks = split(linear, consts, carry)
    if not all(marks[1]) or any(u and not mark for u, mark in zip(unknown, linear, strict=True)):
        params = {"body": body, "consts": consts, "carry": carry, "cap": cap, "reverse": reverse, "linear": linear}
        return _transpose_derivative(for_p, cotangents, (count, *operands), params)
    used, _, xs = split(operands, consts, carry)
    u_consts, _, u_rows = split(unknown, consts, carry)
    carried, written = split(cotangents, carry)
    flags = Linear(u_consts, u_rows, tuple(type(ct) is not ad.Zero for ct in written))
    sums = [zeros(strong(aval)) for aval in chosen(step.avals[:consts], u_consts)]
    known = chosen(used, _not(u_consts))
    traced = trace(_transposed(step, flags), _transposed_avals(step, flags))
    ahead = (*sums, *(_strong(ad.instantiate_zeros(ct)) for ct in carried))
    xs = (*chosen(xs, _not(u_rows)), *(_strong(ct) for ct in chosen(written, flags.written)))
    outs = for_p.bind(
        count,
        *traced.consts,
        *known,
        *ahead,
        *xs,
        body=traced.jaxpr,
        consts=len(traced.consts) + len(known),
        carry=len(ahead),
        cap=cap,
        reverse=not reverse,
        linear=(False,) * (len(traced.consts) + len(known))
        + (True,) * len(ahead)
        + (False,) * (len(xs) - sum(flags.written))
        + (True,) * sum(flags.written),
    )
    summed, back, rows = split(outs, len(sums), carry)
    nothing = [None] * len(operands)
    ins = (*spread(summed, u_consts, nothing[:consts]), *back, *spread(rows, u_rows, nothing[consts + carry :]))
    return [None, *(ct if flag else None for ct, flag in zip(ins, unknown, strict=True))]


def _not(flags: Sequence[bool]) -> list[bool]:
    return [not flag for flag in flags]


def _strong(value: Any) -> Any:
    return as_type(value, strong(jax.typeof(value)))


def _transposed_avals(step: Step, flags: Linear) -> list[Any]:
    const_avals, carry_avals, row_avals = split(step.avals, step.consts, step.carry)
    return [
        *chosen(const_avals, _not(flags.consts)),
        steps_aval(),
        *map(strong, chosen(const_avals, flags.consts)),
        *map(strong, carry_avals),
        *chosen(row_avals, _not(flags.rows)),
        *map(strong, chosen(step.out_avals[step.carry :], flags.written)),
    ]


def _transposed(step: Step, flags: Linear) -> Any:
    """Return the body of the loop back: (*consts, index, *sums, *carry, *rows, *written) -> (*sums, *carry, *rows)."""
    const_avals, carry_avals, row_avals = split(step.avals, step.consts, step.carry)
    linear_avals = (*chosen(const_avals, flags.consts), *carry_avals, *chosen(row_avals, flags.rows))
    kept = (*(True,) * step.carry, *flags.written)
    n_consts, n_rows = sum(flags.consts), len(flags.rows) - sum(flags.rows)

    def back(*values: Any) -> list[Any]:
        known, (index,), sums, carry, rows, written = split(
            values, len(flags.consts) - n_consts, 1, n_consts, step.carry, n_rows
        )

        def forth(*actives: Any) -> tuple[Any, ...]:
            d_consts, d_carry, d_rows = split(actives, n_consts, step.carry)
            ins = (*_filled(known, d_consts, flags.consts), *d_carry, *_filled(rows, d_rows, flags.rows))
            return chosen(run(step.body, step.operands(index, ins)), kept)

        cotangents = jax.linear_transpose(forth, *linear_avals)((*carry, *written))
        to_sum, rest = split(cotangents, n_consts)
        return [_strong(ct) for ct in (*map(ad.add_jaxvals, sums, to_sum), *rest)]

    return back


def _filled(known: Sequence[Any], unknown: Sequence[Any], flags: Sequence[bool]) -> tuple[Any, ...]:
    rest = iter(known)
    return spread(unknown, flags, [None if flag else next(rest) for flag in flags])


def _transpose_derivative(
    primitive: Primitive, cotangents: Sequence[Any], operands: Sequence[Any], params: dict[str, Any]
) -> list[Any]:
    """Return the cotangents of a loop that is linear in its unknown operands only as a whole.

    Such a loop has other carries, a counter for one. Being linear it is its own derivative, at zero as anywhere; and
    the derivative is a linear loop over a tape of those other carries.
    """
    unknown = [ad.is_undefined_primal(operand) for operand in operands]
    avals = [operand.aval for operand in chosen(operands, unknown)]
    live = [type(ct) is not ad.Zero and inexact(jax.typeof(ct)) for ct in cotangents]
    if not any(live):
        return [zero_cotangent(o.aval) if flag else None for o, flag in zip(operands, unknown, strict=True)]

    def loop(*values: Any) -> tuple[Any, ...]:
        return chosen(primitive.bind(*spread(values, unknown, operands), **params), live)

    def derivative(*values: Any) -> tuple[Any, ...]:
        return jax.jvp(loop, tuple(map(zeros, avals)), values)[1]

    back = jax.linear_transpose(derivative, *avals)(chosen(cotangents, live))
    return list(spread(back, unknown, [None] * len(operands)))


def transpose_while(cotangents: Sequence[Any], *operands: Any, **params: Any) -> list[Any]:
    """Return the cotangents of the unknown operands of a loop that is linear in them."""
    return _transpose_derivative(while_p, cotangents, operands, params)


ad.primitive_transposes[for_p] = transpose_for
ad.primitive_transposes[while_p] = transpose_while
