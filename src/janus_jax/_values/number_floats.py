"""Arithmetic of float64 scalars that says when it is CPython's. All of it runs under `wide()`.

Every result is sealed by `zero`, a run-time zero. A result that should not be zero and is zero has underflowed: where
subnormals flush, that is the only trace they leave.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from janus_jax._values.number_bits import (
    is_below,
    is_infinite,
    is_nan,
    is_negative,
    is_ordinary,
    is_zero,
    seal,
    with_sign_of,
)
from janus_jax._values.number_checked import Checked

_ORDINARY = "no operand or result is a subnormal float"
_DIVIDES = "the divisor is not zero, and no operand or result is a subnormal float"
_ROOT = "the operand is not negative, and no subnormal float"

# Multiples of the smallest step of floats from here on are ordinary, so a remainder of two such floats is.
_REMAINDER_BOUND = 2.0**-960


def add(left: jax.Array, right: jax.Array, zero: jax.Array) -> Checked:
    """Return `left + right`."""
    total = seal(left + right, zero)
    return _checked(left, right, total, left == -right, zero)


def subtract(left: jax.Array, right: jax.Array, zero: jax.Array) -> Checked:
    """Return `left - right`."""
    difference = seal(left - right, zero)
    return _checked(left, right, difference, left == right, zero)


def multiply(left: jax.Array, right: jax.Array, zero: jax.Array) -> Checked:
    """Return `left * right`."""
    product = seal(left * right, zero)
    return _checked(left, right, product, is_zero(left, zero) | is_zero(right, zero), zero)


def divide(left: jax.Array, right: jax.Array, zero: jax.Array) -> Checked:
    """Return `left / right`."""
    quotient = seal(left / right, zero)
    checked = _checked(left, right, quotient, is_zero(left, zero) | is_infinite(right), zero)
    return Checked(quotient, checked.ok & ~is_zero(right, zero), _DIVIDES)


def _checked(left: jax.Array, right: jax.Array, result: jax.Array, may_be_zero: jax.Array, zero: jax.Array) -> Checked:
    ok = is_ordinary(left, zero) & is_ordinary(right, zero) & (~is_zero(result, zero) | may_be_zero)
    return Checked(result, ok, _ORDINARY)


def floor_divide(left: jax.Array, right: jax.Array, zero: jax.Array) -> Checked:
    """Return `left // right`: the steps of CPython's `float.__divmod__`, one by one."""
    remainder = seal(lax.rem(left, right), zero)
    quotient = seal(seal(left - remainder, zero) / right, zero)
    quotient = jnp.where(_is_off(remainder, right, zero), seal(quotient - 1.0, zero), quotient)
    floor = lax.floor(quotient)
    nearest = jnp.where(quotient - floor > 0.5, floor + 1.0, floor)
    signed_zero = jnp.where(is_negative(left) ^ is_negative(right), np.float64(-0.0), np.float64(0.0))
    result = jnp.where(is_zero(quotient, zero), signed_zero, nearest)
    return Checked(seal(result, zero), _divides(left, right, zero), _DIVIDES)


def modulo(left: jax.Array, right: jax.Array, zero: jax.Array) -> Checked:
    """Return `left % right`: the steps of CPython's `float.__mod__`."""
    remainder = seal(lax.rem(left, right), zero)
    moved = jnp.where(_is_off(remainder, right, zero), seal(remainder + right, zero), remainder)
    signed_zero = with_sign_of(jnp.zeros_like(right), right)
    result = jnp.where(is_zero(remainder, zero), signed_zero, moved)
    return Checked(seal(result, zero), _divides(left, right, zero), _DIVIDES)


def _is_off(remainder: jax.Array, divisor: jax.Array, zero: jax.Array) -> jax.Array:
    """Return whether C's remainder lies on the other side of zero than Python's."""
    return ~is_zero(remainder, zero) & ((divisor < 0) != (remainder < 0))


def _divides(left: jax.Array, right: jax.Array, zero: jax.Array) -> jax.Array:
    large = ~is_below(right, _REMAINDER_BOUND)
    return large & (is_zero(left, zero) | ~is_below(left, _REMAINDER_BOUND))


def square_root(value: jax.Array, zero: jax.Array) -> Checked:
    """Return `math.sqrt(value)`."""
    ok = is_ordinary(value, zero) & (~is_negative(value) | is_zero(value, zero) | is_nan(value))
    return Checked(seal(lax.sqrt(value), zero), ok, _ROOT)


def from_integer(value: jax.Array, zero: jax.Array) -> jax.Array:
    """Return `float(value)`, rounded to the nearest, ties to even."""
    return seal(lax.convert_element_type(value, jnp.float64), zero)


BINARY: dict[str, Callable[[jax.Array, jax.Array, jax.Array], Checked]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "//": floor_divide,
    "%": modulo,
}
