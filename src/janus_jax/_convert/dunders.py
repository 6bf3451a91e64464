"""Operators on objects of users' classes: the methods that Python calls for them, in its order."""

from __future__ import annotations

from typing import Any

from janus_jax._base import Unstageable
from janus_jax._base.objects import bases_of
from janus_jax._convert.classes import MISSING
from janus_jax._convert.native import is_array
from janus_jax._convert.objects import class_of, find_special, special
from janus_jax._convert.stager import Stager
from janus_jax._values.kinds import HostArray, Opaque

NOTHING = object()  # what operators give that no class has a method for
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
    name = _NAMES[symbol]
    result = _first(stager, _attempts(left, right, f"__{name}__", f"__r{name}__", alike=False))
    if result is NOTHING:
        raise Unstageable("unsupported-expression", f"{symbol} with an object of a user's class", stager.site)
    return result


def compare(stager: Stager, symbol: str, left: Any, right: Any) -> Any:
    """Return what the methods for a comparison give, or `NOTHING` where there are none: then identity decides."""
    result = _first(stager, _attempts(left, right, *_COMPARISONS[symbol], alike=True))
    if result is NOTHING and symbol not in ("==", "!="):
        raise Unstageable("raises", f"TypeError: {symbol} is not supported between these objects", stager.site)
    return result


def _attempts(left: Any, right: Any, name: str, reflected: str, *, alike: bool) -> list[tuple[Any, str, Any]]:
    """Return which methods Python tries: that of the right operand first, where its class derives from the left's."""
    mine, theirs = class_of(left), class_of(right)
    own, other = (left, name, right), (right, reflected, left)
    if mine is None or theirs is None:
        return [own] if theirs is None else [other]
    if mine is theirs:
        return [own, other] if alike else [own]
    return [other, own] if mine in bases_of(theirs) else [own, other]


def _first(stager: Stager, attempts: list[tuple[Any, str, Any]]) -> Any:
    for owner, name, argument in attempts:
        if is_array(argument) and find_special(stager, owner, "__jax_array__") is not MISSING:
            raise Unstageable("unsupported-expression", "an object that is an array to JAX", stager.site)
        method = find_special(stager, owner, name)
        if method is MISSING:
            continue
        result = stager.call(method, [argument], {})
        if not (isinstance(result, Opaque) and result.object is NotImplemented):
            return result
    return NOTHING


def augmented(stager: Stager, symbol: str, left: Any, right: Any) -> Any:
    """Return what `left symbol= right` binds."""
    method = find_special(stager, left, f"__i{_NAMES[symbol]}__")
    return binary(stager, symbol, left, right) if method is MISSING else stager.call(method, [right], {})


def unary(stager: Stager, symbol: str, operand: Any) -> Any:
    """Return `symbol operand`."""
    return stager.call(special(stager, operand, UNARY[symbol]), [], {})


def truth(stager: Stager, value: Any) -> Any:
    """Return what `bool(value)` calls and gives, True where it calls nothing."""
    for name in ("__bool__", "__len__"):
        method = find_special(stager, value, name)
        if method is not MISSING:
            return stager.call(method, [], {})
    return True


def item(stager: Stager, owner: Any, index: Any) -> Any:
    """Return `owner[index]`."""
    return stager.call(special(stager, owner, "__getitem__"), [index], {})


def set_item(stager: Stager, owner: Any, index: Any, value: Any) -> None:
    """Do `owner[index] = value`."""
    stager.call(special(stager, owner, "__setitem__"), [index, value], {})


def length(stager: Stager, value: Any) -> Any:
    """Return `len(value)`."""
    return stager.call(special(stager, value, "__len__"), [], {})


def contains(stager: Stager, item: Any, container: Any) -> Any:
    """Return `item in container`."""
    return stager.call(special(stager, container, "__contains__"), [item], {})
