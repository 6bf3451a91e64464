"""Runs library functions on staged values: what they may get, and what becomes of what they raise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from janus_jax._base import Unstageable
from janus_jax._convert import enums, runs
from janus_jax._convert.stager import Raised, Stager
from janus_jax._convert.unions import find_union, spread
from janus_jax._jax import wide_types_enabled
from janus_jax._values.kinds import (
    BoundValue,
    ClosureValue,
    ExceptionValue,
    FunctionValue,
    HostArray,
    Instance,
    Later,
    MethodValue,
    ModuleValue,
    NativeValue,
    Opaque,
    PartialValue,
    TransformedValue,
    Union,
    leaves_of,
)
from janus_jax._values.number import Number
from janus_jax._values.number_casts import from_array, to_weak
from janus_jax._values.template import is_named_tuple

T = TypeVar("T")
SCALARS = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis))


# By which NumPy and JAX would make something else of an integer or text.
_CONVERTING = ("__index__", "__int__", "__float__", "__array__", "__jax_array__")
CALLABLES = (FunctionValue, ClosureValue, PartialValue, BoundValue, MethodValue, TransformedValue)


def is_array(value: Any) -> bool:
    """Return whether `value` is an array of JAX, traced or not."""
    return isinstance(value, jax.Array)


def is_number(value: Any) -> bool:
    """Return whether `value` is a Python number, known or not."""
    return isinstance(value, Number) or type(value) in (bool, int, float)


def is_scalar(value: Any) -> bool:
    """Return whether `value` is a constant of a builtin or NumPy scalar type, free of user code."""
    return type(value) in SCALARS or (isinstance(value, np.generic) and type(value).__module__ == "numpy")


def is_key(value: Any) -> bool:
    """Return whether `value` is a constant that finds itself in a dict or set: NaN does not."""
    if type(value) is tuple:
        return all(map(is_key, value))
    return enums.is_member(value) or (is_scalar(value) and value == value)


def key_of(stager: Stager, value: Any, what: str) -> Any:
    """Return a key or an element of a set, of which `what` is said where it cannot be one; it has to be known."""
    numbers = numbers_within(value) or _numbers_of_text(value)
    if numbers:
        raise stager.need_static(numbers, what)
    if not is_key(value):
        raise Unstageable("unsupported-expression", what, stager.site)
    return value


def _numbers_of_text(value: Any) -> list[Number]:
    """Return the Numbers that a text is made of."""
    if not isinstance(value, Later):
        return []
    return [number for part in value.parts for number in [*numbers_within(part), *_numbers_of_text(part)]]


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
    stager.spend()
    numbers: list[Number] = []
    lowered = [lower(stager, value, numbers) for value in args]
    options = {name: lower(stager, value, numbers) for name, value in kwargs.items()}
    try:
        return function(*lowered, **options)
    except RecursionError:
        raise Unstageable("recursion", "", stager.site) from None
    except FloatingPointError as error:
        raise Unstageable("effect", f"a warning of NumPy, or an exception: {error}", stager.site) from None
    except Exception as error:
        detail = f"{type(error).__name__}: {error}".partition("\n")[0]
        if numbers:
            raise stager.need_static(numbers, detail) from None
        concrete = isinstance(error, (jax.errors.JAXTypeError, jax.errors.JAXIndexError))
        raise Unstageable("concrete-value" if concrete else "raises", detail, stager.site) from None


def run_python(stager: Stager, function: Callable[[], Any]) -> Any:
    """Return what an operation on Python's own containers gives; what it raises, a handler around may catch."""
    try:
        return function()
    except (LookupError, ValueError) as error:
        raise Raised(ExceptionValue(type(error), error.args), stager.site) from None
    except TypeError as error:
        raise Unstageable("raises", f"TypeError: {error}", stager.site) from None


class Fault(BaseException):
    """Carries an exception of ours through library code that would handle it as one of the user's."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


def shielded(run: Callable[[], T]) -> T:
    """Return what `run` returns: a step of ours that a library calls."""
    try:
        return run()
    except RecursionError:
        raise
    except Exception as error:
        raise Fault(error) from error


def run_on_host(stager: Stager, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return what `run_native` does of constants; ends the conversion where NumPy's error state has a say."""
    with np.errstate(all="raise"):
        return run_native(stager, function, *args, **kwargs)


def lower(stager: Stager, value: Any, numbers: list[Number]) -> Any:
    """Return `value` as a JAX function may get it, noting the Numbers in it."""
    match value:
        case Number():
            numbers.append(value)
            return to_weak(stager, value)
        case HostArray():
            return stager.externals.array_of(value)
        case NativeValue():
            return value.object
        case slice():
            return slice(*(lower(stager, part, numbers) for part in (value.start, value.stop, value.step)))
        case dict():
            return {key: lower(stager, item, numbers) for key, item in value.items()}
        case list() if runs.holds_run(value):
            return [lower(stager, item, numbers) for item in runs.items(stager, value)]
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
        case Instance():
            raise Unstageable("object-attribute", f"a {value.kind.__name__} for a library function", stager.site)
        case Later():
            raise Unstageable("concrete-value", f"{value.recipe.what} that only the run knows", stager.site)
        case ModuleValue():
            raise Unstageable("unsupported-expression", "a module as a value", stager.site)
        case _ if enums.is_member(value):
            return _lower_member(stager, value)
        case _:
            return value


def _lower_member(stager: Stager, member: Any) -> Any:
    """Return the number or text that a member of an enum class is to a library function."""
    (plain,) = enums.operands(stager, [member], _CONVERTING)
    if enums.is_member(plain):
        raise Unstageable("object-attribute", f"a {type(member).__name__} for a library function", stager.site)
    return plain


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


def refuse_value(stager: Stager) -> None:
    """End the conversion where JAX raises, because a function that it transforms asks for a value."""
    if stager.traced:
        raise Unstageable(
            "raises", "an error of JAX: it traces this function, so that no array has a value", stager.site
        )


def number_from(stager: Stager, kind: type, array: jax.Array) -> Number:
    """Return the only element of `array` as a Python number of type `kind`."""
    refuse_value(stager)
    stager.uses_numbers = True
    stager.takes_numbers = stager.takes_numbers or jnp.issubdtype(array.dtype, jnp.inexact)
    return from_array(stager, kind, array)


def numbers_within(value: Any) -> list[Number]:
    """Return the Numbers that `value` is or holds."""
    return [leaf for leaf in leaves_of(value) if isinstance(leaf, Number)]
