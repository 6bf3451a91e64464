"""Python's operators on staged values."""

from __future__ import annotations

import functools
import operator
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from janus_jax._base import Unstageable
from janus_jax._convert import dunders, enums, runs
from janus_jax._convert.classes import MISSING
from janus_jax._convert.dunders import NOTHING, has_class
from janus_jax._convert.identity import as_eager_object
from janus_jax._convert.later import filled, is_text, text
from janus_jax._convert.native import (
    is_array,
    is_constant,
    is_number,
    is_scalar,
    numbers_within,
    refuse_value,
    run_native,
    run_on_host,
    through_single,
)
from janus_jax._convert.powers import of_known_base
from janus_jax._convert.runs import holds_run
from janus_jax._convert.stager import Stager
from janus_jax._convert.unions import spread
from janus_jax._guards import OtherObject, SameObject
from janus_jax._values import number_ops
from janus_jax._values.heap import MUTABLE
from janus_jax._values.kinds import (
    ClosureValue,
    Cursor,
    FunctionValue,
    HostArray,
    Instance,
    Later,
    ModuleValue,
    Opaque,
    Union,
    leaves_of,
)
from janus_jax._values.number import Number, wide
from janus_jax._values.template import is_named_tuple

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "@": operator.matmul,
    "<<": operator.lshift,
    ">>": operator.rshift,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
}
UNARY: dict[str, Callable[[Any], Any]] = {
    "-": operator.neg,
    "+": operator.pos,
    "~": operator.invert,
    "abs": operator.abs,
}
_EAGER_NAMES = {"-": "neg", "+": "pos", "~": "invert", "abs": "abs"}
COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def binary(stager: Stager, symbol: str, left: Any, right: Any) -> Any:
    """Return `left symbol right`."""
    if isinstance(left, Union) or isinstance(right, Union):
        return spread(
            stager,
            lambda *x: binary(stager, symbol, *x),
            (
                left,
                right,
            ),
        )
    names = dunders.names_of(symbol)
    (left,) = enums.operands(stager, (left,), names)
    if symbol != "%" or type(left) not in (str, bytes):  # which ask the right one for its text
        (right,) = enums.operands(stager, (right,), names)
    if on_flags(stager, (left, right), names):
        return run_on_host(stager, lambda: BINARY[symbol](left, right))
    if has_class(left, right):
        return dunders.binary(stager, symbol, left, right)
    if symbol == "%" and is_text(left) and not is_constant((left, right)):
        return filled(stager, left, right)
    if is_array(left) or is_array(right):
        if symbol == "**":
            _check_exponent(stager, right)
        left, right = through_single((left, right))
        return run_native(stager, BINARY[symbol], left, right)
    if is_number(left) and is_number(right) and (isinstance(left, Number) or isinstance(right, Number)):
        stager.uses_numbers = True
        if symbol == "**" and type(left) is float and isinstance(right, Number) and right.kind is not float:
            return of_known_base(stager, left, right)
        return number_ops.binary(stager, symbol, left, right)
    if symbol == "+" and isinstance(left, Later) | isinstance(right, Later) and is_text(left) and is_text(right):
        return text(stager, (left, right))
    refuse_host(stager, left, right)
    dynamic = [value for value in (left, right) if isinstance(value, Number)]
    if dynamic:
        raise stager.need_static(dynamic, f"{symbol} with a {type(right).__name__}")
    for value in (left, right):
        holds_run(value)  # a loop's body must not copy what it does not know
    if type(left) is dict and type(right) is dict and symbol == "|":
        return {**left, **right}
    if type(left) is set and type(right) is set and symbol in ("|", "&", "-", "^"):
        return BINARY[symbol](left, right)
    if _plain_operands(symbol, left, right):
        return run_on_host(stager, lambda: BINARY[symbol](left, right))  # what containers hold stays as it is
    raise Unstageable("unsupported-expression", f"{symbol} between these values", stager.site)


def on_flags(stager: Stager, values: Sequence[Any], names: Sequence[str]) -> bool:
    """Return whether Python's own methods do an operation on members of enum classes, and on nothing but constants."""
    return all(enums.is_member(x) or is_scalar(x) for x in values) and enums.of_library(stager, values, names)


def _plain_operands(symbol: str, left: Any, right: Any) -> bool:
    if is_scalar(left) and is_scalar(right):
        return True
    if type(left) is type(right) and type(left) in (tuple, list):
        return symbol == "+"
    return symbol == "*" and {type(left), type(right)} <= {tuple, list, int, bool}


def refuse_host(stager: Stager, *values: Any) -> None:
    """End the conversion where NumPy, or the user's own class, would do the operation, or nothing can yet."""
    for value in values:
        if isinstance(value, Later):
            raise Unstageable("concrete-value", f"{value.recipe.what} that only the run knows", stager.site)
        if isinstance(value, HostArray):
            raise Unstageable("numpy-array", str(value.path), stager.site)
        if isinstance(value, Opaque):
            raise Unstageable("object-attribute", f"{value.path} is a {value.type.__name__}", stager.site)


def unary(stager: Stager, symbol: str, operand: Any) -> Any:
    """Return `symbol operand`."""
    if isinstance(operand, Union):
        return spread(stager, lambda *x: unary(stager, symbol, *x), (operand,))
    (operand,) = enums.operands(stager, (operand,), (dunders.UNARY[symbol],))
    if symbol == "~" and on_flags(stager, (operand,), ("__invert__",)):
        return ~operand
    if has_class(operand):
        return dunders.unary(stager, symbol, operand)
    if isinstance(operand, Number):
        stager.uses_numbers = True
        return number_ops.unary(stager, symbol, operand)
    refuse_host(stager, operand)
    if is_scalar(operand):
        if symbol == "~" and isinstance(operand, bool):
            raise Unstageable("effect", "`~` of a bool: Python 3.12 and later warn of it", stager.site)
        return run_on_host(stager, UNARY[symbol], operand)
    if is_array(operand):
        result = run_native(stager, UNARY[symbol], operand)
        return as_eager_object(stager, f"operator.{_EAGER_NAMES[symbol]}", (operand,), result)
    raise Unstageable("unsupported-expression", f"{symbol} of this value", stager.site)


def compare(stager: Stager, symbol: str, left: Any, right: Any) -> Any:
    """Return `left symbol right` for an ordering or equality."""
    if isinstance(left, Union) or isinstance(right, Union):
        return spread(
            stager,
            lambda *x: compare(stager, symbol, *x),
            (
                left,
                right,
            ),
        )
    left, right = enums.operands(stager, (left, right), dunders.names_of(symbol, compares=True))
    if has_class(left, right):
        return _compare_objects(stager, symbol, left, right)
    if is_array(left) or is_array(right):
        return run_native(stager, COMPARE[symbol], *through_single((left, right)))
    if is_number(left) and is_number(right) and (isinstance(left, Number) or isinstance(right, Number)):
        stager.uses_numbers = True
        return number_ops.compare(stager, symbol, left, right)
    refuse_host(stager, left, right)
    if isinstance(left, Number) or isinstance(right, Number):
        return _compare_unlike(stager, symbol, left, right)
    if type(left) is set and type(right) is set:
        return COMPARE[symbol](left, right)
    if is_constant(left) and is_constant(right):
        refuse_nan(stager, left, right)
        return run_on_host(stager, COMPARE[symbol], left, right)
    if type(left) is type(right) and type(left) in (tuple, list):
        return _compare_elements(stager, symbol, left, right)
    raise Unstageable("unsupported-expression", f"{symbol} between these values", stager.site)


def _compare_objects(stager: Stager, symbol: str, left: Any, right: Any) -> Any:
    for owner, name, argument in dunders.comparisons(symbol, left, right):
        result = dunders.attempt(stager, owner, name, argument)
        if result is MISSING and symbol == "!=":
            result = _unequal(stager, owner, argument)
        if result is not NOTHING and result is not MISSING:
            return result
    if symbol not in ("==", "!="):
        raise Unstageable("raises", f"TypeError: {symbol} is not supported between these objects", stager.site)
    same = identical(stager, left, right)
    return same if symbol == "==" else _negated(stager, same)


def _unequal(stager: Stager, owner: Any, argument: Any) -> Any:
    """Return what `object.__ne__` gives."""
    equal = dunders.attempt(stager, owner, "__eq__", argument)
    return equal if equal is NOTHING or equal is MISSING else _negated(stager, equal)


def _negated(stager: Stager, value: Any) -> Any:
    holds = truth(stager, value)
    if isinstance(holds, bool):
        return not holds
    with wide():
        return Number(bool, lax.bitwise_not(holds))


def _compare_elements(stager: Stager, symbol: str, left: Any, right: Any) -> Any:
    """Compare two tuples or lists as Python does: the first elements that differ decide, or else the lengths."""
    if holds_run(left) or holds_run(right):
        raise Unstageable("unsupported-expression", "a list that a loop has made is compared", stager.site)
    result: Any = COMPARE[symbol](len(left), len(right))
    if symbol in ("==", "!=") and len(left) != len(right):
        return result
    for one, other in reversed(list(zip(left, right, strict=False))):
        equal = is_or_equals(stager, one, other)
        if equal is True:
            continue
        decided: Any = symbol == "!=" if symbol in ("==", "!=") else compare(stager, symbol, one, other)
        if equal is False:
            result = decided
        else:
            result = _either(stager, _both(stager, equal, result), _both(stager, _inverted(equal), decided))
    return result


def is_or_equals(stager: Stager, left: Any, right: Any) -> Any:
    """Return what containers ask of their elements, `left is right or left == right`, of constants and numbers."""
    pair = (left, right)
    if type(left) is type(right) and type(left) in (tuple, list):
        return compare(stager, "==", left, right)
    if not all(is_number(x) or is_scalar(x) or enums.is_member(x) or type(x) in (tuple, list) for x in pair):
        raise Unstageable("unsupported-expression", "values of the program in containers are compared", stager.site)
    if all(_may_be_nan(x) for x in pair):
        _expect_no_nan(stager, left if isinstance(left, Number) else right)
    return compare(stager, "==", left, right)


def _expect_no_nan(stager: Stager, value: Any) -> None:
    """Guard that a number equals itself: whether two NaN are one object, nobody knows here."""
    if not isinstance(value, Number):
        raise Unstageable("identity", "a NaN in a container is compared", stager.site)
    stager.guard(truth(stager, compare(stager, "==", value, value)), "no NaN in a container is compared")


def _may_be_nan(value: Any) -> bool:
    return value.kind is float if isinstance(value, Number) else is_scalar(value) and value != value


def _both(stager: Stager, left: Any, right: Any) -> Any:
    return binary(stager, "&", left, right)


def _either(stager: Stager, left: Any, right: Any) -> Any:
    return binary(stager, "|", left, right)


def _inverted(value: Number) -> Number:
    with wide():
        return Number(bool, lax.bitwise_not(value.value), value.origin)


def _compare_unlike(stager: Stager, symbol: str, left: Any, right: Any) -> bool:
    """Return what comparing a number with something that is none gives: unequal, or an error."""
    if isinstance(left, complex | np.generic) or isinstance(right, complex | np.generic):
        raise stager.need_static(numbers_within((left, right)), f"{symbol} with a number of another kind")
    if symbol in ("==", "!="):
        return symbol == "!="
    raise Unstageable("raises", "TypeError: these types have no order", stager.site)


def python_type(value: Any) -> type | None:
    """Return the type that Python would see, or None when only JAX knows."""
    if isinstance(value, Number):
        return value.kind
    if isinstance(value, (HostArray, Opaque)):
        return value.type
    if isinstance(value, Instance):
        return None if value.kind is Cursor else value.kind
    if is_array(value) or type(value).__module__.startswith("janus_jax."):
        return None
    return type(value)


_SINGLETONS = (None, True, False, Ellipsis)


def identical(stager: Stager, left: Any, right: Any) -> Any:
    """Return `left is right`, for the constants of which Python has one only; anything else is not known here."""
    if isinstance(left, Union) or isinstance(right, Union):
        return spread(
            stager,
            lambda *x: identical(stager, *x),
            (
                left,
                right,
            ),
        )
    for value, other in ((left, right), (right, left)):
        if any(other is single for single in _SINGLETONS):
            if isinstance(value, Number):
                return _same_truth(stager, value, other) if type(other) is bool and value.kind is bool else False
            return value is other
    if isinstance(left, type) and isinstance(right, type):
        return left is right
    if enums.is_member(left) or enums.is_member(right) or (left is right and is_array(left)):
        return left is right
    if isinstance(left, Opaque) and isinstance(right, Opaque):
        same = left.object is right.object
        stager.externals.expect((SameObject if same else OtherObject)(left.path, right.path))
        return same
    if isinstance(left, MUTABLE) and isinstance(right, MUTABLE):
        return _same_object(stager, left, right)
    if python_type(left) is not python_type(right) and None not in (python_type(left), python_type(right)):
        return False
    raise Unstageable("identity", "`is` between values of the program", stager.site)


def _same_object(stager: Stager, left: Any, right: Any) -> bool:
    """Return whether two objects that the call has made are one."""
    if left is right:
        return True
    heap, identities = stager.heap, stager.identities
    older = [identities.of(value) for value in (left, right)]
    if any(not isinstance(code, int) or code for code in older) or heap.family(left) == heap.family(right):
        raise Unstageable("identity", "`is` between values of the program", stager.site)
    return False


def _same_truth(stager: Stager, value: Number, other: bool) -> Any:
    return number_ops.compare(stager, "==", value, other)


def truth(stager: Stager, value: Any) -> Any:
    """Return `bool(value)`: a Python bool, or a traced boolean scalar."""
    if isinstance(value, Union):
        result = spread(stager, lambda x: _truth_value(stager, x), (value,))
        return result if isinstance(result, bool) else result.value
    if isinstance(value, Number):
        stager.uses_numbers = True
        return number_ops.truth(stager, value)
    if is_array(value):
        if value.size != 1:
            raise Unstageable("truth-of-array", f"shape {value.shape}", stager.site)
        refuse_value(stager)
        return _truth_of_array(stager, value)
    (value,) = enums.operands(stager, (value,), ("__bool__", "__len__"))
    if enums.is_member(value) and on_flags(stager, (value,), ("__bool__", "__len__")):
        return bool(value)
    if has_class(value):
        return truth(stager, dunders.truth(stager, value))
    refuse_host(stager, value)
    if holds_run(value):
        return truth(stager, runs.length(stager, value))
    if type(value) in (tuple, list, dict, set, deque) or is_named_tuple(value):
        return len(value) > 0
    if is_scalar(value):
        return bool(value)
    if isinstance(value, (FunctionValue, ClosureValue, ModuleValue, type)):
        return True
    raise Unstageable("unsupported-expression", "the truth of this value", stager.site)


def _truth_value(stager: Stager, value: Any) -> Any:
    result = truth(stager, value)
    if isinstance(result, bool):
        return result
    stager.uses_numbers = True
    return Number(bool, result)


def _truth_of_array(stager: Stager, value: jax.Array) -> Any:
    if not jnp.issubdtype(value.dtype, jnp.inexact):
        return run_native(stager, lambda: jnp.reshape(value, ()).astype(jnp.bool_))
    zero = stager.zero()
    return run_native(stager, _is_not_zero, value, zero)


def _is_not_zero(value: jax.Array, zero: jax.Array) -> jax.Array:
    """Return whether any bit of the only element but the sign is set: the device would take a subnormal for zero."""
    scalar = jnp.reshape(value, ())
    parts = [scalar.real, scalar.imag] if jnp.issubdtype(scalar.dtype, jnp.complexfloating) else [scalar]
    with wide():
        return functools.reduce(jnp.logical_or, [_magnitude(part) != zero for part in parts])


def _magnitude(scalar: jax.Array) -> jax.Array:
    """Return the bits of a float without the sign, as a 64-bit integer."""
    if scalar.dtype.itemsize == 1:
        scalar = scalar.astype(jnp.float32)  # exact, and none of these is subnormal there
    size = 8 * scalar.dtype.itemsize
    bits = lax.bitcast_convert_type(scalar, jnp.dtype(f"int{size}"))
    return lax.convert_element_type(bits & np.array(2 ** (size - 1) - 1, bits.dtype), jnp.int64)


def refuse_nan(stager: Stager, *values: Any) -> None:
    """Containers compare their items by identity first: with a NaN among them, equal bits are not enough."""
    for value in values:
        for leaf in leaves_of(value):
            if leaf is not value and isinstance(leaf, float | complex | np.inexact) and leaf != leaf:
                raise Unstageable("identity", "a NaN in a container is compared", stager.site)


def _check_exponent(stager: Stager, exponent: Any) -> None:
    """A Python number as exponent of an array is multiplied out by JAX: its value is needed."""
    if isinstance(exponent, Number):
        raise stager.need_static([exponent], "the exponent of an array")
    refuse_integer_exponent(stager, exponent)


def refuse_integer_exponent(stager: Stager, *values: Any) -> None:
    """End the conversion where eager JAX would look at the value of an exponent: other bits, or an error."""
    if any(is_array(value) and value.ndim == 0 and value.dtype.kind in "iu" for value in values):
        raise Unstageable("concrete-value", "an integer array of no dimensions as exponent", stager.site)
