"""Numbers that become arrays, arrays that become numbers, and numbers that change their kind."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from janus_jax._base.reasons import Unstageable
from janus_jax._values.number import Number, NumberContext, PlainNumber, wide
from janus_jax._values.number_bits import (
    bits_of_plain,
    is_below,
    is_infinite,
    is_nan,
    is_negative,
    is_zero,
    magnitude,
    negated,
    seal,
)
from janus_jax._values.number_bounds import INT32, lies_in
from janus_jax._values.number_checked import Checked
from janus_jax._values.number_ops import as_float, as_integer, guarded, truth

_IN_RANGE = "the float is finite, and its whole part fits in 64 bits"
_FITS_32 = "the integer fits in 32 bits"
_FITS_64 = "the integer fits in 64 bits"
_FLOAT32 = "the float neither overflows nor becomes a subnormal in 32 bits"

_INT32: np.dtype[np.generic] = np.dtype(np.int32)
_INT64: np.dtype[np.generic] = np.dtype(np.int64)

_MAGNITUDE_32 = np.int32(2**31 - 1)
_SMALLEST_NORMAL_32 = np.int32(0x00800000)


# ---------------------------------------------------------------------------------------------- numbers to arrays


def to_weak(context: NumberContext, number: Number) -> jax.Array:
    """Return what JAX makes of the number where it meets an array, in the user's own mode of 32 or 64 bits."""
    if number.kind is bool:
        return number.value
    wide_user = jnp.result_type(float) == jnp.float64
    if number.kind is float:
        return _weak_double(number.value) if wide_user else _weak_single(context, number.value)
    return _weak_integer(context, number, _INT64 if wide_user else _INT32)


def _weak_integer(context: NumberContext, number: Number, dtype: np.dtype[np.generic]) -> jax.Array:
    value = number.value
    with wide():
        result = _weaken(value, dtype)
        fits = result == value
    if dtype == _INT32 and not lies_in(number.bounds, INT32):
        context.guard(fits, _FITS_32)
    return result


def _weak_double(value: jax.Array) -> jax.Array:
    with wide():
        return _weaken(value, np.dtype(np.float64))


def _weak_single(context: NumberContext, value: jax.Array) -> jax.Array:
    zero = context.zero()
    with wide():
        # Sealed, or XLA keeps the 64 bits where the array is widened again.
        rounded = seal(lax.convert_element_type(value, jnp.float32), zero)
        size = magnitude(value)
        vanishes = size <= bits_of_plain(2.0**-150)
        normal = (size >= bits_of_plain(2.0**-126)) & (size < bits_of_plain(2.0**128 - 2.0**103))
        ok = vanishes | normal | (size >= bits_of_plain(float("inf")))
        result = _weaken(rounded, np.dtype(np.float32))
    context.guard(ok, _FLOAT32)
    return result


def _weaken(value: jax.Array, dtype: np.dtype[np.generic]) -> jax.Array:
    """Return `value` with this dtype, weakly typed as JAX types Python numbers."""
    return lax.convert_element_type_p.bind(value, new_dtype=dtype, weak_type=True, sharding=None)


# ---------------------------------------------------------------------------------------------- arrays to numbers


def from_array(context: NumberContext, kind: type[PlainNumber], array: jax.Array) -> Number:
    """Return `kind(array)`, for `kind` one of `bool`, `int` and `float`."""
    if array.size != 1 or (array.ndim and kind is not bool):
        raise Unstageable("raises", f"{kind.__name__}() of an array of shape {array.shape}")
    number = _read(context, array)
    return convert(context, kind, number)


def _read(context: NumberContext, array: jax.Array) -> Number:
    """Return the one element of `array` as the number that `array.item()` is."""
    dtype, zero = array.dtype, context.zero()
    with wide():
        scalar = array.reshape(())
        if dtype == jnp.bool_:
            return Number(bool, scalar.astype(jnp.bool_))
        if dtype in (jnp.float16, jnp.bfloat16, jnp.float32, jnp.float64):
            return Number(float, _widen(scalar, zero))
        if not jnp.issubdtype(dtype, jnp.integer):
            raise Unstageable("number-math", f"an array of {dtype} as a Python number")
        value = scalar.astype(jnp.int64)
    if dtype == jnp.uint64:
        return guarded(context, int, Checked(value, _not_negative(value), _FITS_64), frozenset())
    return Number(int, value)


def _not_negative(value: jax.Array) -> jax.Array:
    with wide():
        return value >= 0


def _widen(value: jax.Array, zero: jax.Array) -> jax.Array:
    """Return a float of any width as a float64, exactly."""
    # Sealed first, or XLA leaves out the rounding to the narrow type that came before.
    value = seal(value, zero)
    if value.dtype == jnp.float64:
        return value
    single = value.astype(jnp.float32)
    pattern = lax.bitcast_convert_type(single, jnp.int32)
    size = pattern & _MAGNITUDE_32
    # The CPU reads a subnormal float32 as zero, but float64 can hold it.
    small = size.astype(jnp.float64) * 2.0**-149
    subnormal = jnp.where(pattern < 0, negated(small), small)
    return seal(jnp.where(size < _SMALLEST_NORMAL_32, subnormal, single.astype(jnp.float64)), zero)


# --------------------------------------------------------------------------------------------- numbers to numbers


def convert(context: NumberContext, kind: type[PlainNumber], number: Number) -> Number:
    """Return `kind(number)`, for `kind` one of `bool`, `int` and `float`."""
    if kind is bool:
        return Number(bool, truth(context, number), number.origin)
    if kind is float:
        return as_float(context, number)
    return trunc(context, number)


def trunc(context: NumberContext, number: Number) -> Number:
    """Return `math.trunc(number)`, which is `int(number)`."""
    if number.kind is not float:
        return as_integer(context, number)
    with wide():
        checked = _to_integer(number.value)
    return guarded(context, int, checked, number.origin)


def floor(context: NumberContext, number: Number) -> Number:
    """Return `math.floor(number)`."""
    if number.kind is not float:
        return as_integer(context, number)
    zero = context.zero()
    with wide():
        # A negative subnormal may be taken for -0.0, whose floor is another integer.
        down = jnp.where(_is_tiny(number.value, zero) & is_negative(number.value), -1.0, lax.floor(number.value))
        checked = _to_integer(down)
    return guarded(context, int, checked, number.origin)


def ceil(context: NumberContext, number: Number) -> Number:
    """Return `math.ceil(number)`."""
    if number.kind is not float:
        return as_integer(context, number)
    zero = context.zero()
    with wide():
        up = jnp.where(_is_tiny(number.value, zero) & ~is_negative(number.value), 1.0, lax.ceil(number.value))
        checked = _to_integer(up)
    return guarded(context, int, checked, number.origin)


def round_(context: NumberContext, number: Number) -> Number:
    """Return `round(number)`, without digits: halves go to the even neighbour."""
    if number.kind is not float:
        return as_integer(context, number)
    with wide():
        checked = _to_integer(lax.round(number.value, lax.RoundingMethod.TO_NEAREST_EVEN))
    return guarded(context, int, checked, number.origin)


def _is_tiny(value: jax.Array, zero: jax.Array) -> jax.Array:
    return is_below(value, 2.0**-1000) & ~is_zero(value, zero)


def _to_integer(value: jax.Array) -> Checked:
    """Return the float `value`, cut off at the point, as an int64."""
    ok = is_below(value, 2.0**63) & ~is_nan(value) & ~is_infinite(value)
    return Checked(lax.convert_element_type(value, jnp.int64), ok, _IN_RANGE)
