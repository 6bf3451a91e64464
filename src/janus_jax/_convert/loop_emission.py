"""Emits a loop whose body has been traced: as a scan, or as a loop whose end only the run knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jax import lax
from jax.extend.core import jaxpr_as_fun

from janus_jax._base import Unstageable
from janus_jax._convert import loop_lists
from janus_jax._convert.carry import Carry
from janus_jax._convert.counters import Counters
from janus_jax._convert.identity import distinct
from janus_jax._convert.loop import Loop, Round, laid_out, runs_exactly
from janus_jax._convert.places import put
from janus_jax._convert.stager import Stager
from janus_jax._loops import LARGEST_CAP, while_function
from janus_jax._speculation import CAP_FACTOR, CAP_MARGIN, CAP_UNSEEN
from janus_jax._values.build import build, settle
from janus_jax._values.layout import avals, with_row, zeros
from janus_jax._values.number import Number, wide
from janus_jax._values.template import Absent, MaybeLeaf, Template, leaf_count


def emit(
    loop: Loop,
    templates: dict[str, Template],
    counters: Counters,
    initial: dict[str, tuple[Template, list[Any]]],
    found: Round,
    go: Any,
) -> None:
    """Run the traced body as one loop of the program, and bind the variables to what it leaves."""
    assert found.jaxpr is not None
    frame, stager = loop.frame, loop.frame.stager
    before = {name: template for name, (template, _) in initial.items()}
    with wide():
        leaves = laid_out(stager, templates, before, {name: own for name, (_, own) in initial.items()})
    carry = Carry.of(leaves, found.jaxpr)
    body = jaxpr_as_fun(found.jaxpr)
    is_scan = _is_counted(loop) and not found.has_code and runs_exactly(loop, templates)
    with wide():
        ended = _scan(loop, body, carry) if is_scan else _while(loop, body, carry, found, go)
    after = ended.carried
    for name, value in _bind_after(loop, templates, counters, found, iter(distinct(after, leaves))).items():
        put(frame, name, templates[name], value, frozenset([loop.key]))
    loop_lists.take_room(loop, before)
    exact = loop.count if runs_exactly(loop, templates) else ended.steps
    rows = iter(ended.rows)
    for place, output in found.outputs.items():
        columns = [[next(rows) for _ in range(leaf_count(output.element))] for _ in range(output.count)]
        loop_lists.extend(loop, place, output.element, columns, exact)


@dataclass(frozen=True, slots=True)
class _Ended:
    """What a loop leaves: its variables, a row of each output for each iteration, and how many iterations it had."""

    carried: list[Any]
    rows: list[Any]
    steps: Number


def most_iterations(loop: Loop) -> int:
    """Return how many iterations the loop of the program can have; a guard, if any, trips where Python's has more."""
    return loop.count if isinstance(loop.count, int) and _is_counted(loop) else _cap(loop)


def _is_counted(loop: Loop) -> bool:
    """Return whether the number of iterations is known, and one that the program can count to."""
    return isinstance(loop.count, int) and loop.count <= LARGEST_CAP


def _scan(loop: Loop, body: Callable[..., Any], carry: Carry) -> _Ended:
    """Emit a loop that runs a known number of times and holds no guard."""
    stager = loop.frame.stager
    count = loop.count
    assert isinstance(count, int)
    stager.decide(loop.key, "scan", f"{count} iterations, known while converting")

    size = len(carry.initial)

    def step(state: list[Any], row: Any) -> tuple[list[Any], list[Any]]:
        number, *variables = state
        index = lax.convert_element_type(number, jnp.int32)
        after = body(index, *row, *carry.widen(index, variables))[:-1]
        return [number + jnp.int64(1), *carry.narrow(after[:size])], after[size:]

    # as wide as scan's own counter here, so that XLA sees that they are one
    final, rows = lax.scan(step, [jnp.int64(0), *carry.narrow(carry.initial)], list(loop.rows), length=count)
    return _Ended(carry.widen(jnp.int32(count), final[1:]), rows, Number(int, jnp.int64(count)))


def _while(loop: Loop, body: Callable[..., Any], carry: Carry, found: Round, go: Any) -> _Ended:
    """Emit a loop whose end only the run knows; a guard that trips inside ends it."""
    stager = loop.frame.stager
    limit = loop.count
    stop = limit.value if isinstance(limit, Number) else None if limit is None else jnp.int64(limit)
    counted = _is_counted(loop)
    cap = _most_rows(loop) if found.outputs else most_iterations(loop)
    size, kept = len(carry.initial), len(carry.narrow(carry.initial))
    seen = stager.facts.trips(*loop.key)
    evidence = f"{_range(seen.minimum, seen.maximum)} iterations seen" if seen else "not profiled"
    stager.decide(loop.key, "while loop", f"{evidence}, at most {cap:,} allowed")

    def condition(index: Any, going: Any, code: Any, *_: Any) -> Any:
        result = lax.bitwise_and(going, code == jnp.int32(0))
        result = result if stager.active is None else lax.bitwise_and(result, stager.active)
        in_range = None if stop is None else lax.convert_element_type(index, jnp.int64) < stop
        return result if in_range is None else lax.bitwise_and(result, in_range)

    def step(index: Any, _going: Any, _code: Any, *variables: Any) -> list[Any]:
        rows = [lax.dynamic_index_in_dim(row, index, keepdims=False) for row in loop.rows]
        after = list(body(index, *rows, *carry.widen(index, variables[:kept])))
        code = after.pop() if found.has_code else jnp.int32(0)
        going = after.pop()
        pairs = zip(variables[kept:], after[size:], strict=True)
        filled = [with_row(rows, index, leaf) for rows, leaf in pairs]
        return [index + jnp.int32(1), going, code, *carry.narrow(after[:size]), *filled]

    empty = [aval for _, output in found.outputs.items() for _ in range(output.count) for aval in avals(output.element)]
    rows = [zeros((cap, *aval.shape), aval.dtype, bool(aval.weak_type)) for aval in empty]
    init = [jnp.int32(0), jnp.asarray(go, jnp.bool_), jnp.int32(0), *carry.narrow(carry.initial), *rows]
    if stager.generic:
        _refuse_rows(stager, found)
        steps, _, code, *final = lax.while_loop(lambda state: condition(*state), lambda state: step(*state), init)
        if found.has_code:
            stager.add_code(code)
        return _Ended(carry.widen(steps, final), [], Number(int, lax.convert_element_type(steps, jnp.int64)))
    result = while_function(condition, step, init, cap=cap)
    steps, _, code, *final = result.carry
    if found.has_code:
        stager.add_code(code)
    if not counted:
        stager.guard(
            lax.bitwise_not(result.exhausted), f"the loop ends within {cap:,} iterations", "cap", str(cap), loop.key
        )
    origin = limit.origin if isinstance(limit, Number) and loop.test is None else frozenset[Any]()
    count = Number(int, lax.convert_element_type(steps, jnp.int64), origin, (0, cap))
    return _Ended(carry.widen(steps, final[:kept]), final[kept:], count)


def _range(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _cap(loop: Loop) -> int:
    stager = loop.frame.stager
    if stager.generic:
        return LARGEST_CAP  # no guard ends it: what it counts may grow as far as its index does
    planned = stager.plan.caps.get(loop.key)
    seen = stager.facts.trips(*loop.key)
    return min(planned or (CAP_FACTOR * seen.maximum + CAP_MARGIN if seen else CAP_UNSEEN), LARGEST_CAP)


def _refuse_rows(stager: Stager, found: Round) -> None:
    """End the conversion of a program without guards, in which a loop would give more rows than there is room for."""
    if found.outputs:
        raise Unstageable("outer-trace", "a list of which only the run knows the length", stager.site)


def _most_rows(loop: Loop) -> int:
    """Return how many iterations a loop may have that gives rows, which take memory."""
    seen = loop.frame.stager.facts.trips(*loop.key)
    wanted = 2 * seen.maximum + loop_lists.MARGIN if seen else loop_lists.UNSEEN
    if _is_counted(loop):
        return most_iterations(loop)
    return min(most_iterations(loop), loop.frame.stager.plan.caps.get(loop.key) or wanted)


def _bind_after(
    loop: Loop, templates: dict[str, Template], counters: Counters, found: Round, leaves: Any
) -> dict[str, Any]:
    """Return the variables after the loop."""
    stager = loop.frame.stager
    runs = isinstance(loop.count, int) and loop.count > 0
    result: dict[str, Any] = {}
    for name, template in templates.items():
        value = build(template, leaves, stager.identities, frozenset([loop.key]))
        after = found.after.get(name)
        if runs and after is not None:
            settle(value, after, stager.identities)
        if runs and isinstance(template, MaybeLeaf) and after is not None and not isinstance(after, MaybeLeaf | Absent):
            value = value.value  # the body binds it whenever it runs
        result[name] = counters.end(name, value, after)
    return result
