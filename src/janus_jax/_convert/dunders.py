"""Operators on objects of users' classes: the methods that Python calls for them, in its order."""

from __future__ import annotations

import sys
from typing import Any, TypeAlias

from janus_jax._base import Unstageable
from janus_jax._base.objects import bases_of
from janus_jax._convert.classes import MISSING, overrides
from janus_jax._convert.native import is_array
from janus_jax._convert.objects import class_of, find_special, special
from janus_jax._convert.stager import Stager
from janus_jax._values.kinds import HostArray, Opaque, Union
from janus_jax._values.number import Number, wide

Attempt: TypeAlias = tuple[Any, str, Any]  # an object, its method, the argument
NOTHING = object()  # what a method for an operator gives that leaves it to another one
_NAMES = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "truediv",
    "//": "floordiv",
    "%": "mod",
    "**": "pow",
    "@": "matmul",
    "<<": "lshift",
    ">>": "rshift",
    "&": "and",
    "|": "or",
    "^": "xor",
}
_COMPARISONS = {
    "<": ("__lt__", "__gt__"),
    "<=": ("__le__", "__ge__"),
    ">": ("__gt__", "__lt__"),
    ">=": ("__ge__", "__le__"),
    "==": ("__eq__", "__eq__"),
    "!=": ("__ne__", "__ne__"),
}
UNARY = {"-": "__neg__", "+": "__pos__", "~": "__invert__", "abs": "__abs__"}


def names_of(symbol: str, *, compares: bool = False) -> tuple[str, str]:
    """Return the methods that Python looks for, in the left and in the right operand."""
    return _COMPARISONS[symbol] if compares else (f"__{_NAMES[symbol]}__", f"__r{_NAMES[symbol]}__")


def has_class(*values: Any) -> bool:
    """Return whether an object of a user's class is among `values`, and nothing that NumPy would look into it for."""
    known = [class_of(value) is not None for value in values]
    return any(known) and not any(isinstance(value, HostArray) for value in values)


def binary(stager: Stager, symbol: str, left: Any, right: Any) -> Any:
    """Return `left symbol right`, where one of them is an object of a user's class."""
    if symbol == "%" and isinstance(left, str | bytes):
        raise Unstageable("unsupported-expression", "an object of a user's class as text", stager.site)
    name = _NAMES[symbol]
    for one in _attempts(stager, left, right, f"__{name}__", f"__r{name}__"):
        result = attempt(stager, *one)
        if result is not NOTHING and result is not MISSING:
            return result
    raise Unstageable("unsupported-expression", f"{symbol} with an object of a user's class", stager.site)


def _attempts(stager: Stager, left: Any, right: Any, name: str, reflected: str) -> list[Attempt]:
    """Return which methods Python tries for an operator, in its order."""
    mine, theirs = class_of(left), class_of(right)
    own, other = (left, name, right), (right, reflected, left)
    if mine is None or theirs is None:
        return [own] if theirs is None else [other]
    if mine is theirs:
        return [own]
    return [other, own] if mine in bases_of(theirs) and overrides(stager, theirs, mine, reflected) else [own, other]


def comparisons(symbol: str, left: Any, right: Any) -> list[Attempt]:
    """Return which methods Python tries for a comparison, in its order."""
    mine, theirs = class_of(left), class_of(right)
    name, reflected = _COMPARISONS[symbol]
    own, other = (left, name, right), (right, reflected, left)
    if mine is None or theirs is None:
        return [own] if theirs is None else [other]
    return [other, own] if mine is not theirs and mine in bases_of(theirs) else [own, other]


def attempt(stager: Stager, owner: Any, name: str, argument: Any) -> Any:
    """Return what a method for an operator gives; `MISSING` where there is none, `NOTHING` for `NotImplemented`."""
    if is_array(argument) and find_special(stager, owner, "__jax_array__") is not MISSING:
        raise Unstageable("unsupported-expression", "an object that is an array to JAX", stager.site)
    method = find_special(stager, owner, name)
    if method is MISSING:
        return MISSING
    result = stager.call(method, [argument], {})
    if isinstance(result, Union) and any(map(_is_not_implemented, result.alternatives)):
        raise Unstageable("branch-types-differ", "which method an operator calls, only the run knows", stager.site)
    return NOTHING if _is_not_implemented(result) else result


def _is_not_implemented(value: Any) -> bool:
    return isinstance(value, Opaque) and value.object is NotImplemented


def augmented(stager: Stager, symbol: str, left: Any, right: Any) -> Any:
    """Return what `left symbol= right` binds."""
    result = attempt(stager, left, f"__i{_NAMES[symbol]}__", right)
    return binary(stager, symbol, left, right) if result is NOTHING or result is MISSING else result


def unary(stager: Stager, symbol: str, operand: Any) -> Any:
    """Return `symbol operand`."""
    return stager.call(special(stager, operand, UNARY[symbol]), [], {})


def truth(stager: Stager, value: Any) -> Any:
    """Return what `bool(value)` calls and gives, True where it calls nothing."""
    method = find_special(stager, value, "__bool__")
    if method is MISSING:
        method = find_special(stager, value, "__len__")
        return True if method is MISSING else _length(stager, method)
    result = stager.call(method, [], {})
    if _kind(result) is not bool:
        raise Unstageable("raises", "TypeError: __bool__ should return bool", stager.site)
    return result


def _kind(value: Any) -> type:
    return value.kind if isinstance(value, Number) else type(value)


def item(stager: Stager, owner: Any, index: Any) -> Any:
    """Return `owner[index]`."""
    return stager.call(special(stager, owner, "__getitem__"), [index], {})


def set_item(stager: Stager, owner: Any, index: Any, value: Any) -> None:
    """Do `owner[index] = value`."""
    stager.call(special(stager, owner, "__setitem__"), [index, value], {})


def length(stager: Stager, value: Any) -> Any:
    """Return `len(value)`."""
    return _length(stager, special(stager, value, "__len__"))


def _length(stager: Stager, method: Any) -> Any:
    result = stager.call(method, [], {})
    if _kind(result) is not int or (type(result) is int and not 0 <= result <= sys.maxsize):
        raise Unstageable("raises", "a length that is no int, or a negative one", stager.site)
    if isinstance(result, Number) and result.bounds[0] < 0:
        with wide():
            stager.guard(result.value >= 0, "the length is not negative", "bound")
    return result


def contains(stager: Stager, item: Any, container: Any) -> Any:
    """Return `item in container`."""
    return stager.call(special(stager, container, "__contains__"), [item], {})
