"""Calls of functions on the pure list, and of methods of arrays: they run while converting, on traced arrays."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from janus_jax._base import Unstageable
from janus_jax._convert import attributes, later
from janus_jax._convert.identity import as_eager_object
from janus_jax._convert.iterables import COMPOSITES
from janus_jax._convert.native import (
    CALLABLES,
    is_array,
    is_constant,
    meets_half,
    number_from,
    numbers_within,
    run_native,
    run_on_host,
    through_single,
)
from janus_jax._convert.operators import (
    BINARY,
    COMPARE,
    binary,
    compare,
    refuse_host,
    refuse_integer_exponent,
    truth,
    unary,
)
from janus_jax._convert.pure import (
    CONCRETE_DIFFERS,
    HOST_DIFFERS,
    KEEPS_LEAVES,
    REFUSED_PARAMETERS,
    ROUNDS_ONCE,
    PureFunction,
    pure_function,
)
from janus_jax._convert.runs import as_array
from janus_jax._convert.stager import Stager
from janus_jax._convert.unions import find_union, spread
from janus_jax._values import number_math
from janus_jax._values.kinds import HostArray, Opaque, Run, leaves_of
from janus_jax._values.number import Number

# Functions that make an array of a list's elements, one behind the other.
_STACKING = ("jax.numpy.stack", "jax.numpy.array", "jax.numpy.asarray")
# Of these, Python makes a float of an array with one element; the others ask the array for a method of its own.
_FLOAT_FUNCTIONS = (math.sqrt, math.isnan, math.isinf, math.isfinite, math.fabs)


def call_pure(
    stager: Stager, function: Any, pure: PureFunction, args: Sequence[Any], keywords: Mapping[str, Any]
) -> Any:
    """Return what a function on the pure list gives."""
    if find_union([*args, dict(keywords)]) is not None:
        return spread(
            stager, lambda x, named: call_pure(stager, function, pure, x, named), (tuple(args), dict(keywords))
        )
    match pure.argument:
        case "operator":
            return _call_operator(stager, pure, args, keywords)
        case "static" if not all(map(is_constant, (*args, *keywords.values()))):
            return _on_numbers(stager, function, pure.name, args, keywords)
        case "static":
            return run_on_host(stager, function, *args, **keywords)
        case _:
            return _call_on_arrays(stager, function, pure, args, keywords)


def _call_on_arrays(
    stager: Stager, function: Any, pure: PureFunction, args: Sequence[Any], keywords: Mapping[str, Any]
) -> Any:
    _check(stager, pure.name, args, keywords)
    if pure.name in _STACKING and len(args) == 1 and not keywords:
        stacked = as_array(stager, args[0])
        if stacked is not None:
            array, count = stacked
            return later.first_rows(stager, function, array, count) if isinstance(count, Number) else array
    if later.is_for_host(function, args):
        return later.call(stager, function, args, keywords)
    if pure.name in HOST_DIFFERS:
        refuse_host(stager, *leaves_of([*args, *keywords.values()]))
    _freeze(stager, pure, args, keywords, 0)
    _freeze_narrowed(stager, function, pure, args, keywords)
    if pure.name in CONCRETE_DIFFERS:
        refuse_integer_exponent(stager, *args[1:], *keywords.values())
    if pure.name in KEEPS_LEAVES:
        if any(isinstance(value, CALLABLES) for value in args):
            raise Unstageable("callback", pure.name, stager.site)
        refuse_unknown_trees(stager, [*args, *keywords.values()])
        return run_native(stager, lambda: function(*args, **keywords))
    result = run_native(stager, function, *_rounded(stager, pure, args), **keywords)
    return as_eager_object(stager, pure.name, args, result)


def _rounded(stager: Stager, pure: PureFunction, args: Sequence[Any]) -> Sequence[Any]:
    """Return the arguments with Python floats as eager JAX hands them on."""
    free = [value for place, value in enumerate(args) if not pure.keeps_number(place)]
    if not meets_half(free) or pure.name in ROUNDS_ONCE:
        return args
    if pure.name.startswith("jax.scipy."):
        raise Unstageable("number-math", f"a Python float beside an array of 16 bits in {pure.name}", stager.site)
    rounded = iter(through_single(free))
    return [value if pure.keeps_number(place) else next(rounded) for place, value in enumerate(args)]


def refuse_unknown_trees(stager: Stager, values: list[Any]) -> None:
    """End the conversion where a tree may have inner nodes that are not looked into here."""
    for leaf in leaves_of(values):
        if isinstance(leaf, Run):
            raise Unstageable("unsupported-expression", "a list that a loop has made, as a tree", stager.site)
        if isinstance(leaf, Opaque):
            raise Unstageable("object-attribute", f"{leaf.path} is a {leaf.type.__name__}", stager.site)


def call_method(
    stager: Stager, receiver: jax.Array, name: str, args: Sequence[Any], keywords: Mapping[str, Any]
) -> Any:
    """Return what a method of an array gives."""
    _check(stager, f"Array.{name}", args, keywords)
    same = pure_function(getattr(jnp, name, None))
    if same is not None:
        _freeze(stager, same, args, keywords, 1)
    result = run_native(stager, getattr(receiver, name), *args, **keywords)
    return as_eager_object(stager, f"Array.{name}", (receiver, *args), result)


def _check(stager: Stager, name: str, args: Sequence[Any], keywords: Mapping[str, Any]) -> None:
    given = REFUSED_PARAMETERS & {key for key, value in keywords.items() if value is not None}
    if given:
        raise Unstageable("opaque-call", f"{name} with {', '.join(sorted(given))}", stager.site)
    if any(isinstance(value, COMPOSITES) for value in args):
        raise Unstageable("unsupported-expression", "a range, zip or enumerate as an array", stager.site)


def _freeze(stager: Stager, pure: PureFunction, args: Sequence[Any], keywords: Mapping[str, Any], bound: int) -> None:
    """Ask for the values of Python numbers that have to stay numbers; `bound` parameters come before `args`."""
    places: list[tuple[int | str, Any]] = [*enumerate(args, bound), *keywords.items()]
    numbers = numbers_within([value for place, value in places if pure.keeps_number(place)])
    if numbers:
        raise stager.need_static(numbers, f"an argument of {pure.name}")


_SEEDS = ("jax.random.key", "jax.random.PRNGKey", "jax.random.fold_in")


def _freeze_narrowed(
    stager: Stager, function: Any, pure: PureFunction, args: Sequence[Any], keywords: Mapping[str, Any]
) -> None:
    """Ask for the values of numbers that a call makes arrays of another type of: Python checks that they fit."""
    numbers = numbers_within([*args, *keywords.values()])
    if numbers and pure.name in _SEEDS:
        for number in numbers:
            holds = truth(stager, compare(stager, ">=", number, 0))
            stager.guard(holds, "a seed is not negative")
    names_dtype = any(
        isinstance(value, type | np.dtype | str) or _is_dtype(value) for value in (*args, *keywords.values())
    )
    if numbers and (names_dtype or _is_dtype(function) or pure.name == "jax.numpy.full_like"):
        raise stager.need_static(numbers, f"a number of another type by {pure.name}")


def _is_dtype(value: Any) -> bool:
    """Return whether `value` is one of the scalar types of jax.numpy."""
    return isinstance(value, type) and isinstance(getattr(value, "dtype", None), np.dtype)


def _call_operator(stager: Stager, pure: PureFunction, args: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
    symbol = pure.symbol
    if keywords:
        raise Unstageable("raises", "TypeError: operator functions take no keywords", stager.site)
    if symbol in BINARY and len(args) == 2:
        return binary(stager, symbol, *args)
    if symbol in COMPARE and len(args) == 2:
        return compare(stager, symbol, *args)
    if len(args) == 1 and symbol in ("-", "+", "~", "abs"):
        return unary(stager, symbol, args[0])
    if len(args) == 2 and symbol == "[]":
        return attributes.item(stager, *args)
    raise Unstageable("unsupported-expression", f"operator {symbol}", stager.site)


def _on_numbers(stager: Stager, function: Any, name: str, args: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
    """Call a function of Python numbers, of which some are known at run time only."""
    if any(isinstance(value, HostArray) for value in args):
        raise Unstageable("numpy-array", name, stager.site)
    numbers = numbers_within([*args])
    staged = number_math.UNARY.get(function) if inspect.isbuiltin(function) else None
    if staged is not None and len(args) == 1 and not keywords:
        return _on_number(stager, function, staged, args[0], name)
    if function is math.copysign and len(numbers) == len(args) == 2:
        stager.uses_numbers = True
        return number_math.copysign(stager, *args)
    if numbers and not keywords:
        raise stager.need_static(numbers, f"{name} of a number that only the run knows")
    raise Unstageable("opaque-call", f"{name} of an array", stager.site)


def _on_number(stager: Stager, function: Any, staged: Any, value: Any, name: str) -> Any:
    stager.uses_numbers = True
    if is_array(value) and value.ndim == 0 and any(function is one for one in _FLOAT_FUNCTIONS):
        value = number_from(stager, float, value)
    if not isinstance(value, Number):
        raise Unstageable("opaque-call", f"{name} of an array", stager.site)
    return staged(stager, value)
