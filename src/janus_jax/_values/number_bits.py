"""Floats of 64 bits seen as bits: what no device flushes, and no compiler rewrites. All of it runs under `wide()`."""

from __future__ import annotations

import struct

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

_FLOAT64: np.dtype[np.generic] = np.dtype(np.float64)
_MAGNITUDE = np.int64(2**63 - 1)
_SIGN = np.int64(-(2**63))


def bits_of_plain(value: float) -> int:
    """Return the bits of a non-negative Python float as an integer."""
    return int(struct.unpack("<q", struct.pack("<d", value))[0])


_INFINITY = bits_of_plain(float("inf"))
_SMALLEST_NORMAL = bits_of_plain(2.0**-1022)

_INTEGERS = {2: jnp.int16, 4: jnp.int32, 8: jnp.int64}


def seal(value: jax.Array, zero: jax.Array) -> jax.Array:
    """Return the float `value`, bit for bit, as something about which the compiler knows nothing.

    Without it XLA fuses, reorders and folds arithmetic, and leaves roundings out: `optimization_barrier` does not
    stop LLVM, and is dropped on some versions.
    """
    integer = _INTEGERS[value.dtype.itemsize]
    mask = lax.convert_element_type(zero, integer)
    return from_bits(lax.bitcast_convert_type(value, integer) ^ mask, value.dtype)


def bits(value: jax.Array) -> jax.Array:
    """Return the bits of a float64 as int64."""
    return lax.bitcast_convert_type(value, jnp.int64)


def from_bits(value: jax.Array, dtype: np.dtype[np.generic] = _FLOAT64) -> jax.Array:
    """Return the float with these bits."""
    return lax.bitcast_convert_type(value, dtype)


def magnitude(value: jax.Array) -> jax.Array:
    """Return the bits of the absolute value: an int64 that orders floats as their absolute values do."""
    return bits(value) & _MAGNITUDE


def negated(value: jax.Array) -> jax.Array:
    """Return `-value`, of subnormals and NaN too."""
    return from_bits(bits(value) ^ _SIGN)


def absolute(value: jax.Array) -> jax.Array:
    """Return `abs(value)`."""
    return from_bits(magnitude(value))


def with_sign_of(value: jax.Array, sign: jax.Array) -> jax.Array:
    """Return `math.copysign(value, sign)`."""
    return from_bits(magnitude(value) | (bits(sign) & _SIGN))


def is_negative(value: jax.Array) -> jax.Array:
    """Return whether the sign bit is set."""
    return bits(value) < 0


def is_zero(value: jax.Array, zero: jax.Array) -> jax.Array:
    """Return whether `value` is 0.0 or -0.0; `zero` is a 64-bit zero that the compiler does not know.

    Comparing the bits with a zero that it does know, LLVM compares the floats instead, and takes subnormals for zero.
    """
    return magnitude(value) == zero


def is_nan(value: jax.Array) -> jax.Array:
    """Return whether `value` is not a number."""
    return magnitude(value) > _INFINITY


def is_infinite(value: jax.Array) -> jax.Array:
    """Return whether `value` is infinite."""
    return magnitude(value) == _INFINITY


def is_finite(value: jax.Array) -> jax.Array:
    """Return whether `value` is finite."""
    return magnitude(value) < _INFINITY


def is_ordinary(value: jax.Array, zero: jax.Array) -> jax.Array:
    """Return whether `value` is no subnormal, so that arithmetic takes it as what it is; for `zero` see `is_zero`."""
    return is_zero(value, zero) | (magnitude(value) >= _SMALLEST_NORMAL)


def is_below(value: jax.Array, bound: float) -> jax.Array:
    """Return whether `abs(value) < bound`; False for NaN."""
    return magnitude(value) < bits_of_plain(bound)


def order(value: jax.Array) -> jax.Array:
    """Return an int64 that orders as the floats do, with both zeros equal; it means nothing for NaN."""
    size = magnitude(value)
    return jnp.where(is_negative(value), -size, size)
