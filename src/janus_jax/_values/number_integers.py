"""Arithmetic of int64 scalars that says when it is CPython's. All of it runs under `wide()`."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from janus_jax._values.number_checked import Checked

_MIN = np.int64(-(2**63))
_ZERO = np.int64(0)
_ONE = np.int64(1)

_FITS = "the integer fits in 64 bits"
_DIVIDES = "the divisor is not zero, and the integer fits in 64 bits"
_SHIFTS = "the shift count is not negative, and the integer fits in 64 bits"
_POWERS = "the exponent is not negative, and the integer fits in 64 bits"

# The product of two doubles is off by less than 3 parts in 2**53: what is below this bound has not wrapped. Products
# within 2**14 of 2**63 trip although they may fit; the exact test would be a division.
_PRODUCT_BOUND = 2.0**63 * (1 - 2.0**-50)


def add(left: jax.Array, right: jax.Array) -> Checked:
    """Return `left + right`."""
    total = left + right
    return Checked(total, ((left ^ total) & (right ^ total)) >= 0, _FITS)


def subtract(left: jax.Array, right: jax.Array) -> Checked:
    """Return `left - right`."""
    difference = left - right
    return Checked(difference, ((left ^ right) & (left ^ difference)) >= 0, _FITS)


def multiply(left: jax.Array, right: jax.Array) -> Checked:
    """Return `left * right`."""
    product = left * right
    size = abs(lax.convert_element_type(left, jnp.float64) * lax.convert_element_type(right, jnp.float64))
    return Checked(product, size < _PRODUCT_BOUND, _FITS)


def floor_divide(left: jax.Array, right: jax.Array) -> Checked:
    """Return `left // right`."""
    divisor, ok = _divisor(left, right)
    quotient, remainder = lax.div(left, divisor), lax.rem(left, divisor)
    return Checked(jnp.where(_differ_in_sign(remainder, divisor), quotient - 1, quotient), ok, _DIVIDES)


def modulo(left: jax.Array, right: jax.Array) -> Checked:
    """Return `left % right`."""
    divisor, ok = _divisor(left, right)
    remainder = lax.rem(left, divisor)
    return Checked(jnp.where(_differ_in_sign(remainder, divisor), remainder + divisor, remainder), ok, _DIVIDES)


def _divisor(left: jax.Array, right: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return a divisor that is safe to divide by, and whether it is `right`."""
    ok = (right != 0) & ~((left == _MIN) & (right == -1))
    return jnp.where(ok, right, _ONE), ok


def _differ_in_sign(remainder: jax.Array, divisor: jax.Array) -> jax.Array:
    return (remainder != 0) & ((remainder ^ divisor) < 0)


def shift_left(left: jax.Array, count: jax.Array) -> Checked:
    """Return `left << count`."""
    shifted = jnp.where(count < 64, lax.shift_left(left, _shift_count(count)), _ZERO)
    back = lax.shift_right_arithmetic(shifted, _shift_count(count))
    return Checked(shifted, (count >= 0) & (back == left), _SHIFTS)


def shift_right(left: jax.Array, count: jax.Array) -> Checked:
    """Return `left >> count`."""
    return Checked(lax.shift_right_arithmetic(left, _shift_count(count)), count >= 0, _SHIFTS)


def _shift_count(count: jax.Array) -> jax.Array:
    # A shift by 64 or more means nothing to LLVM; one by 63 has already lost everything but the sign.
    return lax.clamp(_ZERO, count, np.int64(63))


def power(base: jax.Array, exponent: jax.Array) -> Checked:
    """Return `base ** exponent` by squaring."""
    result, square = jnp.ones_like(base), base
    # Beyond 63 only the powers of -1, 0 and 1 fit, and those depend on whether the exponent is even.
    ok = (exponent >= 0) & ((exponent < 64) | (abs(base) <= 1))
    exponent = jnp.where(exponent < 64, exponent, 62 + (exponent & 1))
    for position in range(6):
        used = (lax.shift_right_arithmetic(exponent, np.int64(position)) & 1) == 1
        product = multiply(result, square)
        result = jnp.where(used, product.value, result)
        ok &= ~used | product.ok
        squared = multiply(square, square)
        # A square that overflows matters only if a higher bit of the exponent asks for it.
        ok &= (exponent < np.int64(2 ** (position + 1))) | squared.ok
        square = squared.value
    return Checked(result, ok & (base != _MIN), _POWERS)


def static_power(base: jax.Array, exponent: int) -> Checked:
    """Return `base ** exponent` by squaring, for an exponent above zero that is known while staging."""
    result, ok = base, base == base
    for bit in f"{exponent:b}"[1:]:
        factors = (result, base) if bit == "1" else (result,)
        for factor in factors:
            product = multiply(result, factor)
            result, ok = product.value, ok & product.ok
    return Checked(result, ok, _FITS)


def negative(value: jax.Array) -> Checked:
    """Return `-value`."""
    return Checked(-value, value != _MIN, _FITS)


def absolute(value: jax.Array) -> Checked:
    """Return `abs(value)`."""
    return Checked(abs(value), value != _MIN, _FITS)


BINARY: dict[str, Callable[[jax.Array, jax.Array], Checked]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "//": floor_divide,
    "%": modulo,
    "<<": shift_left,
    ">>": shift_right,
    "**": power,
}
