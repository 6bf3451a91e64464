"""The functions of `math` that a device computes as CPython does; all others round differently somewhere."""

from __future__ import annotations

import math
from collections.abc import Callable

import jax

from janus_jax._values import number_floats
from janus_jax._values.number import Number, NumberContext, Operand, wide
from janus_jax._values.number_bits import absolute, is_finite, is_infinite, is_nan, with_sign_of
from janus_jax._values.number_casts import ceil, floor, trunc
from janus_jax._values.number_ops import as_float, guarded


def sqrt(context: NumberContext, number: Number) -> Number:
    """Return `math.sqrt(number)`; IEEE demands the nearest float of it."""
    operand, zero = as_float(context, number), context.zero()
    with wide():
        checked = number_floats.square_root(operand.value, zero)
    return guarded(context, float, checked, number.origin)


def isnan(context: NumberContext, number: Number) -> Number:
    """Return `math.isnan(number)`."""
    return _test(context, is_nan, number)


def isinf(context: NumberContext, number: Number) -> Number:
    """Return `math.isinf(number)`."""
    return _test(context, is_infinite, number)


def isfinite(context: NumberContext, number: Number) -> Number:
    """Return `math.isfinite(number)`."""
    return _test(context, is_finite, number)


def _test(context: NumberContext, holds: Callable[[jax.Array], jax.Array], number: Number) -> Number:
    operand = as_float(context, number)
    with wide():
        return Number(bool, holds(operand.value), number.origin)


def fabs(context: NumberContext, number: Number) -> Number:
    """Return `math.fabs(number)`, a float."""
    operand = as_float(context, number)
    with wide():
        return Number(float, absolute(operand.value), number.origin)


def copysign(context: NumberContext, value: Operand, sign: Operand) -> Number:
    """Return `math.copysign(value, sign)`, a float."""
    left, right = as_float(context, value), as_float(context, sign)
    with wide():
        return Number(float, with_sign_of(left.value, right.value), left.origin | right.origin)


UNARY: dict[Callable[..., object], Callable[[NumberContext, Number], Number]] = {
    math.sqrt: sqrt,
    math.isnan: isnan,
    math.isinf: isinf,
    math.isfinite: isfinite,
    math.fabs: fabs,
    math.floor: floor,
    math.ceil: ceil,
    math.trunc: trunc,
}
