"""The two primitives: what their operands are, their types, how they run and lower.

`while_p`  operands  *condition consts, *body consts, *carry
           results   steps, *carry, *ys
           condition (*condition consts, *carry) -> bool
           body      (*body consts, index, *carry) -> (*carry, *ys)

`for_p`    operands  count, *consts, *carry, *xs
           results   *carry, *ys
           body      (*consts, index, *carry, *x) -> (*carry, *y)

`index` is the number of the step, int32. A `y` is what a step writes, `ys` its rows under a leading axis of length
`cap`, zeros where no step has been. `linear` of a `for_p` marks the operands (consts, carry, xs) in which its body is
known to be linear together. No jaxpr among the parameters has constants.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.core import ShapedArray
from jax.extend.core import ClosedJaxpr, Primitive, unmapped_aval
from jax.interpreters import mlir

from janus_jax._loops.jaxprs import INT32, run, split, strong, zeros

while_p = Primitive("janus_while")
while_p.multiple_results = True

for_p = Primitive("janus_for")
for_p.multiple_results = True


def steps_aval() -> Any:
    """Return the type of a step counter, whatever the width of integers around it."""
    return ShapedArray((), INT32)


def stacked(aval: Any, cap: int) -> Any:
    """Return the type of `cap` rows of `aval`."""
    return unmapped_aval(cap, 0, strong(aval))


def _while_types(
    *operands: Any, condition: ClosedJaxpr, body: ClosedJaxpr, condition_consts: int, body_consts: int, cap: int
) -> tuple[list[Any], Any]:
    carry, ys = split(body.out_avals, len(operands) - condition_consts - body_consts)
    avals = [steps_aval(), *carry, *(stacked(y, cap) for y in ys)]
    return avals, condition.effects | body.effects


def _for_types(
    *operands: Any, body: ClosedJaxpr, consts: int, carry: int, cap: int, reverse: bool, linear: tuple[bool, ...]
) -> tuple[list[Any], Any]:
    carried, ys = split(body.out_avals, carry)
    return [*carried, *(stacked(y, cap) for y in ys)], body.effects


def _write(rows: Sequence[Any], values: Sequence[Any], index: Any) -> list[Any]:
    """Return `rows` with `values` at `index`, which is never negative: JAX need not look."""
    return [
        lax.dynamic_update_slice(
            row, lax.expand_dims(value, (0,)), (index, *_origin(value)), allow_negative_indices=False
        )
        for row, value in zip(rows, values, strict=True)
    ]


def _read(rows: Sequence[Any], index: Any) -> list[Any]:
    return [
        lax.squeeze(
            lax.dynamic_slice(row, (index, *_origin(row)[1:]), (1, *row.shape[1:]), allow_negative_indices=False), (0,)
        )
        for row in rows
    ]


def _origin(value: Any) -> tuple[np.int32, ...]:
    return (np.int32(0),) * value.ndim


def run_while(
    *operands: Any, condition: ClosedJaxpr, body: ClosedJaxpr, condition_consts: int, body_consts: int, cap: int
) -> list[Any]:
    """Return the loop as one `lax.while_loop` with a step counter and nothing else of ours."""
    tested, used, init = split(operands, condition_consts, body_consts)
    ys = body.out_avals[len(init) :]

    def more(state: Any) -> Any:
        steps, carry, _ = state
        return lax.bitwise_and(lax.lt(steps, np.int32(cap)), run(condition, (*tested, *carry))[0])

    def step(state: Any) -> Any:
        steps, carry, rows = state
        carry, values = split(run(body, (*used, steps, *carry)), len(init))
        return lax.add(steps, np.int32(1)), carry, _write(rows, values, steps)

    start = (np.int32(0), init, [zeros(stacked(y, cap)) for y in ys])
    if cap == 0:  # there is no row to write
        return [start[0], *init, *start[2]]
    steps, carry, rows = lax.while_loop(more, step, start)
    return [steps, *carry, *rows]


def run_for(
    *operands: Any, body: ClosedJaxpr, consts: int, carry: int, cap: int, reverse: bool, linear: tuple[bool, ...]
) -> list[Any]:
    """Return the loop as one `lax.while_loop` over its index: upwards from 0, or downwards from `count - 1`."""
    (count,), used, init, xs = split(operands, 1, consts, carry)
    count = lax.clamp(np.int32(0), count, np.int32(cap))

    def more(state: Any) -> Any:
        return lax.ge(state[0], np.int32(0)) if reverse else lax.lt(state[0], count)

    def step(state: Any) -> Any:
        index, values, rows = state
        values, written = split(run(body, (*used, index, *values, *_read(xs, index))), carry)
        return lax.add(index, np.int32(-1 if reverse else 1)), values, _write(rows, written, index)

    first = lax.sub(count, np.int32(1)) if reverse else np.int32(0)
    start = (first, init, [zeros(stacked(y, cap)) for y in body.out_avals[carry:]])
    if cap == 0:
        return [*init, *start[2]]
    _, values, rows = lax.while_loop(more, step, start)
    return [*values, *rows]


@lru_cache(maxsize=256)
def _compiled(primitive: Primitive, **params: Any) -> Any:
    # Bounded, because each entry keeps an executable: outside of `jit` every trace has jaxprs of its own.
    return jax.jit(partial(primitive.bind, **params))


def _run_eagerly(primitive: Primitive, *operands: Any, **params: Any) -> Any:
    return _compiled(primitive, **params)(*operands)


while_p.def_effectful_abstract_eval(_while_types)
while_p.def_impl(partial(_run_eagerly, while_p))
mlir.register_lowering(while_p, mlir.lower_fun(run_while, multiple_results=True))

for_p.def_effectful_abstract_eval(_for_types)
for_p.def_impl(partial(_run_eagerly, for_p))
mlir.register_lowering(for_p, mlir.lower_fun(run_for, multiple_results=True))
