"""What one step of a loop is to differentiation: which carries have tangents, and what the tape has to hold.

A `Plan` is a body that also writes a tape, and a body, linear in tangents, that reads it. Two ways lead there. Saving
keeps what `linearize` keeps: nothing is computed twice, and the tape may be wide. Recomputing keeps the carries that
the derivative needs, and runs the nonlinear part of the body again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, Literal

from janus_jax._loops.jaxprs import (
    as_type,
    chosen,
    depends,
    pruned,
    run,
    split,
    spread,
    strong,
    tangents_reach,
    trace,
)
from janus_jax._loops.primitives import steps_aval


@dataclass(frozen=True)
class Step:
    """The body of a loop, (*consts, index, *carry, *x) -> (*carry, *y), and how many of each there are."""

    body: ClosedJaxpr
    consts: int
    carry: int

    def operands(self, index: Any, values: Sequence[Any]) -> tuple[Any, ...]:
        """Return consts, carry and rows in `values` as the operands of the body."""
        return (*values[: self.consts], index, *values[self.consts :])

    @property
    def avals(self) -> tuple[Any, ...]:
        """The types of consts, carry and rows."""
        avals = tuple(self.body.in_avals)
        return (*avals[: self.consts], *avals[self.consts + 1 :])

    @property
    def out_avals(self) -> tuple[Any, ...]:
        """The types of carry and what a step writes."""
        return tuple(self.body.out_avals)


@dataclass(frozen=True)
class Flags:
    """A flag for each operand (consts, carry, rows) and each result (carry, ys) of a step."""

    ins: tuple[bool, ...]
    outs: tuple[bool, ...]


@dataclass(frozen=True)
class Plan:
    """How a loop is differentiated.

    `recorded`  (*recorded_consts, index, *carry, *rows) -> (*carry, *ys, *tape)
    `tangent`   (*tangent_consts, *const tangents, index, *carry tangents, *tape, *some rows, *row tangents)
                -> (*carry tangents, *y tangents), linear in all tangents
    """

    recorded: ClosedJaxpr
    recorded_consts: tuple[Any, ...]
    tangent: ClosedJaxpr
    tangent_consts: tuple[Any, ...]
    rows: tuple[bool, ...]


Reach = Callable[[ClosedJaxpr, Sequence[bool]], list[bool]]


def settle(step: Step, sources: Sequence[bool], reach: Reach) -> Flags:
    """Return what `reach` says about every step of a loop that begins with the operands in `sources`.

    A carry that one step reaches is a source of the next, until nothing is added.
    """
    consts, carry, rows = split(sources, step.consts, step.carry)
    while True:
        ins = (*consts, *carry, *rows)
        outs = reach(step.body, step.operands(False, ins))
        grown = tuple(old or new for old, new in zip(carry, outs, strict=False))
        if grown == carry:
            return Flags(ins, (*carry, *outs[step.carry :]))
        carry = grown


def settle_tangents(step: Step, sources: Sequence[bool]) -> Flags:
    """Return which operands and results of a step carry tangents."""
    return settle(step, sources, tangents_reach)


def plan_recomputing(step: Step, flags: Flags, consts: Sequence[Any]) -> Plan:
    """Return the plan whose tape holds the carries that the derivative of a step depends on."""
    const_avals, carry_avals, row_avals = split(step.avals, step.consts, step.carry)
    const_flags, carry_flags, row_flags = split(flags.ins, step.consts, step.carry)
    t_consts, t_carry, t_rows = (
        tuple(map(strong, chosen(avals, nonzero)))
        for avals, nonzero in ((const_avals, const_flags), (carry_avals, carry_flags), (row_avals, row_flags))
    )

    def tangent(*values: Any) -> list[Any]:
        used, d_used, (index,), d_carry, carry, rows, d_rows = split(
            values, len(const_avals), len(t_consts), 1, len(t_carry), len(carry_avals), len(row_avals)
        )
        operands = (*used, *carry, *rows)

        def active(*actives: Any) -> tuple[Any, ...]:
            return chosen(run(step.body, step.operands(index, spread(actives, flags.ins, operands))), flags.outs)

        _, outs = jax.jvp(active, chosen(operands, flags.ins), (*d_used, *d_carry, *d_rows))
        return [as_type(out, strong(jax.typeof(out))) for out in outs]

    traced = trace(tangent, (*const_avals, *t_consts, steps_aval(), *t_carry, *carry_avals, *row_avals, *t_rows))
    kept = [False] * (len(traced.consts) + len(const_avals)) + [True] * (len(t_consts) + 1 + len(t_carry))
    kept += [False] * (len(carry_avals) + len(row_avals)) + [True] * len(t_rows)
    small, used = pruned(traced.jaxpr, [True] * len(traced.jaxpr.out_avals), kept)
    used_consts, _, used_carry, used_rows, _ = split(
        used,
        len(traced.consts) + len(const_avals),
        len(t_consts) + 1 + len(t_carry),
        len(carry_avals),
        len(row_avals),
    )

    def recorded(*values: Any) -> list[Any]:
        carry = split(values, step.consts + 1, step.carry)[1]
        return [*run(step.body, values), *(as_type(c, strong(jax.typeof(c))) for c in chosen(carry, used_carry))]

    forward = trace(recorded, step.operands(steps_aval(), step.avals))
    return Plan(
        forward.jaxpr,
        (*forward.consts, *consts),
        small,
        chosen((*traced.consts, *consts), used_consts),
        used_rows,
    )


def plan_saving(step: Step, flags: Flags, consts: Sequence[Any]) -> Plan:
    """Return the plan whose tape holds what `linearize` saves, save what every step has in common."""
    linears: list[ClosedJaxpr] = []
    results = len(step.out_avals)

    def forward(*values: Any) -> list[Any]:
        head, (index,), tail = split(values, step.consts, 1)
        operands = (*head, *tail)

        def active(*actives: Any) -> tuple[Any, Any]:
            outs = run(step.body, step.operands(index, spread(actives, flags.ins, operands)))
            return chosen(outs, flags.outs), chosen(outs, [not flag for flag in flags.outs])

        outs, linear, rest = jax.linearize(active, *chosen(operands, flags.ins), has_aux=True)
        traced = trace(linear, map(strong, chosen(step.avals, flags.ins)))
        linears.append(traced.jaxpr)
        return [*_merge(outs, flags.outs, rest), *traced.consts]

    traced = trace(forward, step.operands(steps_aval(), step.avals))
    linear, every = linears[-1], (*traced.consts, *consts)
    residuals = traced.jaxpr.jaxpr.outvars[results:]
    invars = traced.jaxpr.jaxpr.invars
    in_step = [False] * len(every) + [True] * (len(invars) - len(every))
    varying = [not isinstance(v, Literal) for v in residuals]
    reached = depends(traced.jaxpr, in_step)[results:]
    if not traced.jaxpr.effects:
        varying = reached
    row_vars = invars[len(every) + 1 + step.carry :]
    is_row = [flag and v in row_vars for flag, v in zip(varying, residuals, strict=True)]
    is_tape = [flag and not row for flag, row in zip(varying, is_row, strict=True)]
    recorded, _ = pruned(traced.jaxpr, [True] * results + is_tape, [True] * len(invars))
    common, needed = pruned(traced.jaxpr, [False] * results + [not flag for flag in varying])
    invariants = run(common, chosen((*every, *[None] * (len(invars) - len(every))), needed))
    rows = tuple(any(var is v for v in chosen(residuals, is_row)) for var in row_vars)
    places = [list(chosen(row_vars, rows)).index(v) for v in chosen(residuals, is_row)]

    t_consts, t_carry, t_rows = split(flags.ins, step.consts, step.carry)
    sizes = (len(invariants), sum(t_consts), 1, sum(t_carry), sum(is_tape), sum(rows))

    def tangent(*values: Any) -> list[Any]:
        common, d_consts, _, d_carry, tape, row, d_rows = split(values, *sizes)
        saved = spread((row[k] for k in places), is_row, spread(tape, is_tape, _places(common, varying)))
        outs = run(linear, (*saved, *d_consts, *d_carry, *d_rows))
        return [as_type(out, strong(jax.typeof(out))) for out in outs]

    saved_avals = traced.jaxpr.out_avals[results:]
    const_avals, carry_avals, row_avals = split(step.avals, step.consts, step.carry)
    laid_out = trace(
        tangent,
        (
            *map(jax.typeof, invariants),
            *map(strong, chosen(const_avals, t_consts)),
            steps_aval(),
            *map(strong, chosen(carry_avals, t_carry)),
            *map(strong, chosen(saved_avals, is_tape)),
            *chosen(row_avals, rows),
            *map(strong, chosen(row_avals, t_rows)),
        ),
    )
    return Plan(recorded, every, laid_out.jaxpr, (*laid_out.consts, *invariants), rows)


def _merge(outs: Sequence[Any], flags: Sequence[bool], rest: Sequence[Any]) -> tuple[Any, ...]:
    others = iter(rest)
    return spread(outs, flags, [None if flag else next(others) for flag in flags])


def _places(values: Sequence[Any], taken: Sequence[bool]) -> list[Any]:
    rest = iter(values)
    return [None if flag else next(rest) for flag in taken]
