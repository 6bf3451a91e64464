"""Python's operators on staged values."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from janus_jax._base import Unstageable
from janus_jax._convert.identity import as_eager_object
from janus_jax._convert.stager import Stager
from janus_jax._convert.unions import find_union, spread
from janus_jax._jax import wide_types_enabled
from janus_jax._values import number_ops
from janus_jax._values.kinds import (
    ClosureValue,
    FunctionValue,
    GradValue,
    HostArray,
    MethodValue,
    ModuleValue,
    NativeValue,
    Opaque,
    PartialValue,
    Union,
)
from janus_jax._values.number import Number
from janus_jax._values.number_casts import from_array, to_weak
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

SCALARS = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis))
CALLABLES = (FunctionValue, ClosureValue, PartialValue, MethodValue, GradValue)


def is_array(value: Any) -> bool:
    """Return whether `value` is an array of JAX, traced or not."""
    return isinstance(value, jax.Array)


def is_number(value: Any) -> bool:
    """Return whether `value` is a Python number, known or not."""
    return isinstance(value, Number) or type(value) in (bool, int, float)


def is_scalar(value: Any) -> bool:
    """Return whether `value` is a constant of a builtin or NumPy scalar type, free of user code."""
    return type(value) in SCALARS or (isinstance(value, np.generic) and type(value).__module__ == "numpy")


def is_constant(value: Any) -> bool:
    """Return whether `value` holds nothing but constants."""
    if type(value) in (tuple, list) or is_named_tuple(value):
        return all(map(is_constant, value))
    if type(value) is dict:
        return all(map(is_constant, value.values()))
    if type(value) is slice:
        return all(map(is_constant, (value.start, value.stop, value.step)))
    return is_scalar(value) or isinstance(value, (type, np.dtype))


def run_native(stager: Stager, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return what a library function or builtin operator gives; whatever it raises ends the conversion.

    `args` may hold Numbers: they are handed over as JAX would see them, and frozen where the library needs a value.
    """
    if find_union([*args, kwargs]) is not None:
        return spread(stager, lambda x, named: run_native(stager, function, *x, **named), (args, kwargs))
    stager.operations += 1
    numbers: list[Number] = []
    lowered = [lower(stager, value, numbers) for value in args]
    options = {name: lower(stager, value, numbers) for name, value in kwargs.items()}
    try:
        return function(*lowered, **options)
    except RecursionError:
        raise Unstageable("recursion", "", stager.site) from None
    except Exception as error:
        detail = f"{type(error).__name__}: {error}".partition("\n")[0]
        if numbers:
            raise stager.need_static(numbers, detail) from None
        concrete = isinstance(error, (jax.errors.JAXTypeError, jax.errors.JAXIndexError))
        raise Unstageable("concrete-value" if concrete else "raises", detail, stager.site) from None


def lower(stager: Stager, value: Any, numbers: list[Number]) -> Any:
    """Return `value` as a JAX function may get it, noting the Numbers in it."""
    match value:
        case Number():
            numbers.append(value)
            return to_weak(stager, value)
        case HostArray():
            return value.array
        case NativeValue():
            return value.object
        case slice():
            return slice(*(lower(stager, part, numbers) for part in (value.start, value.stop, value.step)))
        case dict():
            return {key: lower(stager, item, numbers) for key, item in value.items()}
        case list():
            return [lower(stager, item, numbers) for item in value]
        case tuple():
            items = [lower(stager, item, numbers) for item in value]
            return type(value)(*items) if is_named_tuple(value) else tuple(items)
        case _ if isinstance(value, CALLABLES):
            raise Unstageable("callback", "a Python function is an argument", stager.site)
        case Union():
            raise Unstageable("branch-types-differ", "a value whose type only the run knows", stager.site)
        case Opaque():
            raise Unstageable("object-attribute", f"{value.path} is a {value.type.__name__}", stager.site)
        case ModuleValue():
            raise Unstageable("unsupported-expression", "a module as a value", stager.site)
        case _:
            return value


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
    if is_array(left) or is_array(right):
        if symbol == "**":
            _check_exponent(stager, right)
        left, right = through_single((left, right))
        return run_native(stager, BINARY[symbol], left, right)
    if is_number(left) and is_number(right) and (isinstance(left, Number) or isinstance(right, Number)):
        stager.uses_numbers = True
        return number_ops.binary(stager, symbol, left, right)
    _refuse_host(stager, left, right)
    dynamic = [value for value in (left, right) if isinstance(value, Number)]
    if dynamic:
        raise stager.need_static(dynamic, f"{symbol} with a {type(right).__name__}")
    if _plain_operands(symbol, left, right):
        return run_native(stager, lambda: BINARY[symbol](left, right))  # what containers hold stays as it is
    raise Unstageable("unsupported-expression", f"{symbol} between these values", stager.site)


def _plain_operands(symbol: str, left: Any, right: Any) -> bool:
    if is_scalar(left) and is_scalar(right):
        return True
    if type(left) is type(right) and type(left) in (tuple, list):
        return symbol == "+"
    return symbol == "*" and {type(left), type(right)} <= {tuple, list, int, bool}


def _refuse_host(stager: Stager, *values: Any) -> None:
    for value in values:
        if isinstance(value, HostArray):
            raise Unstageable("numpy-array", str(value.path), stager.site)
        if isinstance(value, Opaque):
            raise Unstageable("object-attribute", f"{value.path} is a {value.type.__name__}", stager.site)


def unary(stager: Stager, symbol: str, operand: Any) -> Any:
    """Return `symbol operand`."""
    if isinstance(operand, Union):
        return spread(stager, lambda *x: unary(stager, symbol, *x), (operand,))
    if isinstance(operand, Number):
        stager.uses_numbers = True
        return number_ops.unary(stager, symbol, operand)
    _refuse_host(stager, operand)
    if is_array(operand) or is_scalar(operand):
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
    if is_array(left) or is_array(right):
        return run_native(stager, COMPARE[symbol], *through_single((left, right)))
    if is_number(left) and is_number(right) and (isinstance(left, Number) or isinstance(right, Number)):
        stager.uses_numbers = True
        return number_ops.compare(stager, symbol, left, right)
    _refuse_host(stager, left, right)
    if isinstance(left, Number) or isinstance(right, Number):
        return _compare_unlike(stager, symbol, left, right)
    if is_constant(left) and is_constant(right):
        _refuse_nan(stager, left, right)
        return run_native(stager, COMPARE[symbol], left, right)
    raise Unstageable("unsupported-expression", f"{symbol} between these values", stager.site)


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
    if python_type(left) is not python_type(right) and None not in (python_type(left), python_type(right)):
        return False
    raise Unstageable("identity", "`is` between values of the program", stager.site)


def _same_truth(stager: Stager, value: Number, other: bool) -> Any:
    return number_ops.compare(stager, "==", value, other)


def contains(stager: Stager, item: Any, container: Any) -> Any:
    """Return `item in container`."""
    if isinstance(item, Union) or isinstance(container, Union):
        return spread(
            stager,
            lambda *x: contains(stager, *x),
            (
                item,
                container,
            ),
        )
    if type(container) is dict and is_scalar(item):
        return item in container
    if is_constant(item) and is_constant(container) and not isinstance(container, (int, float)):
        _refuse_nan(stager, item, container)
        return run_native(stager, operator.contains, container, item)
    raise Unstageable("unsupported-expression", "`in` with values of the program", stager.site)


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
        return run_native(stager, _truth_of_array, value)
    _refuse_host(stager, value)
    if type(value) in (tuple, list, dict) or is_named_tuple(value):
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


def _truth_of_array(value: jax.Array) -> jax.Array:
    scalar = jnp.reshape(value, ())
    if not jnp.issubdtype(scalar.dtype, jnp.inexact):
        return scalar.astype(jnp.bool_)
    parts = [scalar.real, scalar.imag] if jnp.issubdtype(scalar.dtype, jnp.complexfloating) else [scalar]
    return functools.reduce(jnp.logical_or, map(_is_not_zero, parts))


def _is_not_zero(scalar: jax.Array) -> jax.Array:
    """Return whether any bit but the sign is set: the device would take a subnormal number for zero."""
    bits = lax.bitcast_convert_type(scalar, jnp.dtype(f"uint{8 * scalar.dtype.itemsize}"))
    return jnp.left_shift(bits, 1) != 0


def meets_half(values: Sequence[Any]) -> bool:
    """Return whether a Python float and an array of floats of 16 bits or less are among `values`."""
    halves = (x for x in values if is_array(x) and jnp.issubdtype(x.dtype, jnp.floating) and x.dtype.itemsize < 4)
    return any(type(x) is float for x in values) and any(True for _ in halves)


def through_single(values: Sequence[Any]) -> Sequence[Any]:
    """Return `values` with floats rounded to 32 bits first, as eager JAX does where they meet an array of 16."""
    if not meets_half(values) or wide_types_enabled():
        return values
    with np.errstate(over="ignore"):
        return [float(np.float32(x)) if type(x) is float else x for x in values]


def number_from(stager: Stager, kind: type, array: jax.Array) -> Number:
    """Return the only element of `array` as a Python number of type `kind`."""
    stager.uses_numbers = True
    stager.takes_numbers = stager.takes_numbers or jnp.issubdtype(array.dtype, jnp.inexact)
    return from_array(stager, kind, array)


def numbers_within(value: Any) -> list[Number]:
    """Return the Numbers that `value` is or holds."""
    if isinstance(value, Number):
        return [value]
    if isinstance(value, slice):
        return numbers_within((value.start, value.stop, value.step))
    items = value.values() if type(value) is dict else value if isinstance(value, tuple | list) else ()
    return [number for item in items for number in numbers_within(item)]


def _refuse_nan(stager: Stager, *values: Any) -> None:
    """Containers compare their items by identity first: with a NaN among them, equal bits are not enough."""
    for value in values:
        items = value.values() if type(value) is dict else value if isinstance(value, tuple | list) else ()
        if any(isinstance(item, float | complex | np.inexact) and item != item for item in items):
            raise Unstageable("identity", "a NaN in a container is compared", stager.site)
        _refuse_nan(stager, *items)


def _check_exponent(stager: Stager, exponent: Any) -> None:
    """A Python number as exponent of an array is multiplied out by JAX: its value is needed."""
    if isinstance(exponent, Number):
        raise stager.need_static([exponent], "the exponent of an array")
    refuse_integer_exponent(stager, exponent)


def refuse_integer_exponent(stager: Stager, *values: Any) -> None:
    """End the conversion where eager JAX would look at the value of an exponent: other bits, or an error."""
    if any(is_array(value) and value.ndim == 0 and value.dtype.kind in "iu" for value in values):
        raise Unstageable("concrete-value", "an integer array of no dimensions as exponent", stager.site)
