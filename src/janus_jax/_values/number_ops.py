"""Python's operators on staged numbers: which arithmetic an operator means, and what it is guarded by."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Literal, TypeAlias, cast

import jax
import jax.numpy as jnp
import numpy as np

from janus_jax._base.reasons import Unstageable
from janus_jax._values import number_floats, number_integers
from janus_jax._values.number import INT64_MAX, INT64_MIN, Number, NumberContext, Operand, exact_kind, lift, wide
from janus_jax._values.number_bits import absolute, is_nan, is_zero, negated, order
from janus_jax._values.number_bounds import BOOL, INT64, drift_of_result, lies_in, of_result
from janus_jax._values.number_checked import Checked

UnarySymbol: TypeAlias = Literal["-", "+", "~", "abs"]

_BITWISE: dict[str, Callable[[jax.Array, jax.Array], jax.Array]] = {
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
}

_ORDERINGS: dict[str, Callable[[jax.Array, jax.Array], jax.Array]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

# Integers up to here are doubles, so one division of doubles rounds their quotient correctly.
_EXACT_DOUBLE = np.int64(2**53)
_EXACT_QUOTIENT = "both integers are at most 2**53, and the divisor is not zero"


def binary(context: NumberContext, symbol: str, left: Operand, right: Operand) -> Number:
    """Return `left <symbol> right`, at least one of them a `Number`."""
    origin = _origin(left, right)
    kinds = (kind_of(left), kind_of(right))
    if symbol == "**":
        return _power(context, left, right, origin)
    if float in kinds:
        return _on_floats(context, symbol, as_float(context, left), as_float(context, right), origin)
    if kinds == (bool, bool) and symbol in _BITWISE:
        return _bitwise(symbol, lift(context, left), lift(context, right), origin)
    first, second = as_integer(context, left), as_integer(context, right)
    if symbol in _BITWISE:
        return _bitwise(symbol, first, second, origin)
    if symbol == "/":
        return _quotient_of_integers(context, first, second, origin)
    with wide():
        checked = number_integers.BINARY[symbol](first.value, second.value)
    bounds = of_result(symbol, first.bounds, second.bounds)
    if bounds is not None and lies_in(bounds, INT64):
        drift = drift_of_result(symbol, (first.bounds, first.drift), (second.bounds, second.drift))
        return Number(int, checked.value, origin, bounds, drift)
    return guarded(context, int, checked, origin)


def _bitwise(symbol: str, left: Number, right: Number, origin: frozenset[object]) -> Number:
    with wide():
        return Number(left.kind, _BITWISE[symbol](left.value, right.value), origin)


def _on_floats(context: NumberContext, symbol: str, left: Number, right: Number, origin: frozenset[object]) -> Number:
    if symbol not in number_floats.BINARY:
        raise Unstageable("raises", f"`{symbol}` takes no float")
    zero = context.zero()
    with wide():
        checked = number_floats.BINARY[symbol](left.value, right.value, zero)
    return guarded(context, float, checked, origin)


def _quotient_of_integers(context: NumberContext, left: Number, right: Number, origin: frozenset[object]) -> Number:
    zero = context.zero()
    with wide():
        quotient = number_floats.divide(
            number_floats.from_integer(left.value, zero), number_floats.from_integer(right.value, zero), zero
        )
        exact = (abs(left.value) <= _EXACT_DOUBLE) & (abs(right.value) <= _EXACT_DOUBLE)
        # abs() of the smallest integer is itself: negative, and so below the bound
        exact &= (left.value != INT64_MIN) & (right.value != INT64_MIN)
        checked = Checked(quotient.value, quotient.ok & exact, _EXACT_QUOTIENT)
    return guarded(context, float, checked, origin)


def _power(context: NumberContext, base: Operand, exponent: Operand, origin: frozenset[object]) -> Number:
    """Return `base ** exponent` of integers; of floats only what C's `pow` cannot round in more than one way."""
    static = None if isinstance(exponent, Number) else exponent
    is_float = float in (kind_of(base), kind_of(exponent))
    if static == 0:
        return lift(context, 1.0 if is_float else 1, origin)
    if is_float:
        raise Unstageable("number-math", "a power of floats is rounded differently by each C library")
    if static is not None and static < 0:
        raise Unstageable("number-math", "a negative power of an integer is a power of floats")
    number = as_integer(context, base)
    if static is not None:
        with wide():
            checked = number_integers.static_power(number.value, int(static))
    else:
        second = as_integer(context, exponent)
        with wide():
            checked = number_integers.power(number.value, second.value)
    return guarded(context, int, checked, origin)


def compare(context: NumberContext, symbol: str, left: Operand, right: Operand) -> Number:
    """Return `left <symbol> right`, a number of kind `bool`; an int and a float are compared without rounding."""
    origin = _origin(left, right)
    if kind_of(left) is not float and kind_of(right) is not float:
        first, second = as_integer(context, left), as_integer(context, right)
        with wide():
            return Number(bool, _ORDERINGS[symbol](first.value, second.value), origin)
    first, second = _comparable(context, left), _comparable(context, right)
    zero = context.zero()
    with wide():
        return Number(bool, _compare_with_float(symbol, first, second, zero), origin)


def _comparable(context: NumberContext, value: Operand) -> Number:
    if type(value) is int and not INT64_MIN <= value <= INT64_MAX and _is_double(value):
        return lift(context, float(value))
    return lift(context, value) if kind_of(value) is float else as_integer(context, value)


def _is_double(value: int) -> bool:
    return value.bit_length() <= 1023 and int(float(value)) == value


def _compare_with_float(symbol: str, left: Number, right: Number, zero: jax.Array) -> jax.Array:
    """Return how `left` and `right` compare, where one or both are floats."""
    if left.kind is not float:
        first, second = _integer_against_float(left.value, right.value, zero)
    elif right.kind is not float:
        second, first = _integer_against_float(right.value, left.value, zero)
    else:
        first, second = order(left.value), order(right.value)
    floats = [number.value for number in (left, right) if number.kind is float]
    unordered = functools.reduce(operator.or_, map(is_nan, floats))
    result = _ORDERINGS[symbol](first, second)
    return result | unordered if symbol == "!=" else result & ~unordered


def _integer_against_float(integer: jax.Array, real: jax.Array, zero: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return two int64 that compare as `integer` and `real` do."""
    nearest, other = order(number_floats.from_integer(integer, zero)), order(real)
    ties = nearest == other
    # Rounding keeps order, so only where the rounded integer equals the float is there more to look at. There the
    # float is whole, and fits in an int64 unless it is 2**63, which is above them all.
    above = ties & (real >= 2.0**63)
    first = jnp.where(above, np.int64(0), jnp.where(ties, integer, nearest))
    second = jnp.where(above, np.int64(1), jnp.where(ties, real.astype(jnp.int64), other))
    return first, second


def unary(context: NumberContext, symbol: str, operand: Number) -> Number:
    """Return `<symbol> operand`, or `abs(operand)`."""
    match cast(UnarySymbol, symbol):
        case "~" if operand.kind is int:
            with wide():
                return Number(int, ~operand.value, operand.origin)
        case "~":
            # of a bool: CPython 3.12 warns, which is an effect
            raise Unstageable("number-math", f"`~` of a {operand.kind.__name__}")
        case "+":
            return operand if operand.kind is float else as_integer(context, operand)
        case "-" | "abs":
            return _signed(context, symbol, operand)


def _signed(context: NumberContext, symbol: str, operand: Number) -> Number:
    if operand.kind is float:
        with wide():
            value = negated(operand.value) if symbol == "-" else absolute(operand.value)
            return Number(float, value, operand.origin)
    number = as_integer(context, operand)
    with wide():
        compute = number_integers.negative if symbol == "-" else number_integers.absolute
        checked = compute(number.value)
    return guarded(context, int, checked, operand.origin)


def truth(context: NumberContext, number: Number) -> jax.Array:
    """Return `bool(number)` as a bool scalar."""
    if number.kind is bool:
        return number.value
    zero = context.zero() if number.kind is float else None
    with wide():
        return number.value != 0 if zero is None else ~is_zero(number.value, zero)


def kind_of(value: Operand) -> type:
    """Return the Python type of a number, staged or not."""
    return value.kind if isinstance(value, Number) else exact_kind(value)


def as_integer(context: NumberContext, value: Operand) -> Number:
    """Return a bool or an int as an int."""
    number = lift(context, value)
    assert number.kind is not float, number
    if number.kind is int:
        return number
    with wide():
        return Number(int, number.value.astype(jnp.int64), number.origin, BOOL)


def as_float(context: NumberContext, value: Operand) -> Number:
    """Return a number as the float that CPython makes of it in arithmetic with floats."""
    if not isinstance(value, Number):
        try:
            return lift(context, float(value))
        except OverflowError as error:
            raise Unstageable("raises", str(error)) from error
    if value.kind is float:
        return value
    number, zero = as_integer(context, value), context.zero()
    with wide():
        return Number(float, number_floats.from_integer(number.value, zero), value.origin)


def guarded(context: NumberContext, kind: type, checked: Checked, origin: frozenset[object]) -> Number:
    """Return what was computed, under the guard that it is right."""
    # Outside of `wide()`: what the caller does with a guard is none of our business.
    context.guard(checked.ok, checked.meaning)
    return Number(kind, checked.value, origin)


def _origin(*operands: Operand) -> frozenset[object]:
    return frozenset().union(*(operand.origin for operand in operands if isinstance(operand, Number)))
