"""Python's builtin functions on staged values."""

from __future__ import annotations

import builtins
import functools
import operator
from collections import deque
from typing import Any

import jax
import numpy as np

from janus_jax._base import Unstageable
from janus_jax._convert import (
    arranged,
    attributes,
    containers,
    cursors,
    dunders,
    enums,
    folds,
    functional,
    iterables,
    native,
    objects,
    operators,
    ordering,
    slices,
)
from janus_jax._convert.classes import MISSING
from janus_jax._convert.handlers import Caller, Handler, unsupported
from janus_jax._convert.native import is_array, is_constant, is_scalar, run_native
from janus_jax._convert.stager import Stager
from janus_jax._values.kinds import HostArray, Opaque
from janus_jax._values.number import Number
from janus_jax._values.number_casts import convert, round_


def _cast(kind: type) -> Handler:
    def cast(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
        if len(args) == 1 and not keywords:
            return _cast_one(stager, kind, args[0])
        if all(map(is_constant, (*args, *keywords.values()))):
            return run_native(stager, kind, *args, **keywords)
        raise unsupported(stager, f"{kind.__name__} of these values")

    return cast


def _cast_one(stager: Stager, kind: type, value: Any) -> Any:
    if kind is bool:
        return _truth(stager, value)
    if isinstance(value, Number):
        return convert(stager, kind, value)
    if is_array(value):
        if value.ndim:
            raise Unstageable("raises", "a number of an array with dimensions", stager.site)
        return native.number_from(stager, kind, value)
    if is_scalar(value):
        return run_native(stager, kind, value)
    raise _refusal(stager, value, kind.__name__)


def _round(stager: Stager, args: list[Any], keywords: dict[str, Any], caller: Caller) -> Any:
    if len(args) == 1 and not keywords and isinstance(args[0], Number):
        stager.uses_numbers = True
        return round_(stager, args[0])
    return _constants_only(round)(stager, args, keywords, caller)


def _truth(stager: Stager, value: Any) -> Any:
    truth = operators.truth(stager, value)
    if isinstance(truth, bool):
        return truth
    stager.uses_numbers = True
    return Number(bool, truth)


def _refusal(stager: Stager, value: Any, what: str) -> Unstageable:
    if isinstance(value, HostArray):
        return Unstageable("numpy-array", str(value.path), stager.site)
    if isinstance(value, Opaque):
        return Unstageable("object-attribute", f"{value.path} is a {value.type.__name__}", stager.site)
    return unsupported(stager, f"{what} of this value")


def _len(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
    if len(args) == 1 and not keywords and objects.class_of(args[0]) is not None:
        return dunders.length(stager, args[0])
    if len(args) == 1 and not keywords and type(args[0]) is set:
        return len(args[0])
    unsized = len(args) != 1 or isinstance(args[0], iterables.ITERATORS) or (is_array(args[0]) and args[0].ndim == 0)
    if unsized or keywords:
        raise Unstageable("raises", "TypeError: len() of this value", stager.site)
    return iterables.length(stager, args[0])


def _range(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
    if keywords:
        raise Unstageable("raises", "TypeError: range() takes no keywords", stager.site)
    return iterables.make_range(stager, args)


def _zip(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
    strict = keywords.get("strict", False)
    if keywords.keys() - {"strict"} or type(strict) is not bool:
        raise unsupported(stager, "zip with these options")
    args = [iterables.opened(stager, value) for value in args]
    if strict and len({_known_length(stager, value) for value in args}) > 1:
        raise unsupported(stager, "zip with strict, of lengths that differ")
    return iterables.ZipValue(tuple(args))


def _known_length(stager: Stager, value: Any) -> int:
    count = iterables.length(stager, value)
    if isinstance(count, Number):
        raise unsupported(stager, "zip with strict, of a length that only the run knows")
    return count


def _enumerate(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
    start = keywords.get("start", args[1] if len(args) > 1 else 0)
    if not args or keywords.keys() - {"start"} or _kind(start) not in (int, bool):
        raise unsupported(stager, "enumerate of these values")
    return iterables.EnumerateValue(iterables.opened(stager, args[0]), start)


def _reversed(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
    if len(args) != 1 or keywords or isinstance(args[0], iterables.ITERATORS) or objects.class_of(args[0]) is not None:
        raise unsupported(stager, "reversed of this value")
    return iterables.ReversedValue(iterables.opened(stager, args[0]))


def _iter(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
    if len(args) != 1 or keywords:
        raise unsupported(stager, "iter with these arguments")
    return cursors.open_cursor(stager, args[0])


def _next(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
    if not 1 <= len(args) <= 2 or keywords:
        raise Unstageable("raises", "TypeError: next() with these arguments", stager.site)
    return cursors.step(stager, *args)


def _container(kind: type) -> Handler:
    def make(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
        if kind is dict:
            made: dict[Any, Any] = {}
            containers.call_method(stager, made, "update", args, keywords)
            return made
        if keywords or len(args) > 1:
            raise unsupported(stager, f"{kind.__name__} of these values")
        if kind is tuple and args and type(args[0]) is tuple:
            return args[0]  # Python hands on the very tuple
        source = folds.gathered(stager, args[0]) if kind is list and args else args[0] if args else []
        if kind is list and folds.is_long(stager, source):
            return slices.copied(source)
        items = iterables.items(stager, source)
        if kind is set:
            return {native.key_of(stager, item, "an element of a set") for item in items}
        return kind(items)

    return make


def _sum(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
    total: Any = keywords.get("start", args[1] if len(args) > 1 else 0)
    source = folds.gathered(stager, args[0])
    if folds.is_long(stager, source):
        return folds.fold(stager, "sum", source, total)
    items = iterables.items(stager, source)
    if any(isinstance(item, float) or (isinstance(item, Number) and item.kind is float) for item in (*items, total)):
        if all(map(is_scalar, (*items, total))):  # from 3.12 on, sum() of floats is not repeated addition
            return run_native(stager, builtins.sum, items, total)
        raise unsupported(stager, "sum of floats that only the run knows")
    if isinstance(total, str | bytes):
        raise Unstageable("raises", "TypeError: sum() of strings", stager.site)
    for item in items:
        total = operators.binary(stager, "+", total, item)
    return total


def _kind(value: Any) -> Any:
    return value.kind if isinstance(value, Number) else type(value)


def _abs(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
    if len(args) != 1 or keywords:
        raise Unstageable("raises", "TypeError: abs() takes one argument", stager.site)
    return operators.unary(stager, "abs", args[0])


def _divmod(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
    if len(args) != 2 or keywords:
        raise Unstageable("raises", "TypeError: divmod() takes two arguments", stager.site)
    return tuple([operators.binary(stager, symbol, *args) for symbol in ("//", "%")])


def _pow(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
    if len(args) == 2 and not keywords:
        return operators.binary(stager, "**", *args)
    return _constants_only(builtins.pow)(stager, args, keywords, _)


def _constants_only(function: Any) -> Handler:
    def call(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
        if all(map(is_constant, (*args, *keywords.values()))):
            return run_native(stager, function, *args, **keywords)
        raise unsupported(stager, f"{function.__name__} of values of the program")

    return call


def _isinstance(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
    if len(args) != 2 or keywords:
        raise Unstageable("raises", "TypeError: isinstance() takes two arguments", stager.site)
    return is_instance(stager, args[0], args[1])


def is_instance(stager: Stager, value: Any, classes: Any) -> bool:
    """Return `isinstance(value, classes)`."""
    group = classes if type(classes) is tuple else (classes,)
    own = [c for c in group if objects.is_user_class(c) or enums.is_enum_class(c)]
    group = tuple([c for c in group if not any(c is one for one in own)])
    if not all(isinstance(c, type) and c.__module__.partition(".")[0] in ("builtins", "jax", "numpy") for c in group):
        raise unsupported(stager, "isinstance with these classes")
    if any(objects.is_of_class(stager, value, c) for c in own):
        return True
    if is_array(value):
        return _is_array_of(stager, group)
    kind = operators.python_type(value)
    if kind is None or (isinstance(value, Opaque) and not objects.is_user_class(kind)):
        raise unsupported(stager, "isinstance of this value")
    return any(issubclass(kind, c) for c in group)


# Classes of which no array of JAX is an instance.
_NO_ARRAYS = (bool, int, float, complex, str, bytes, tuple, list, dict, set, type(None), np.ndarray, np.generic)


def _is_array_of(stager: Stager, classes: tuple[Any, ...]) -> bool:
    """Return whether an array is an instance of one of the classes; the tracer itself is not asked."""
    if any(c is jax.Array or c is object for c in classes):
        return True
    if all(any(c is known for known in _NO_ARRAYS) for c in classes):
        return False
    raise unsupported(stager, "isinstance of an array with these classes")


def _type(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
    kind = operators.python_type(args[0]) if len(args) == 1 else None
    if kind is None:
        raise unsupported(stager, "type of this value")
    return kind


def _named(stager: Stager, args: list[Any], keywords: dict[str, Any], count: tuple[int, ...]) -> str:
    if len(args) not in count or keywords or type(args[1]) is not str:
        raise unsupported(stager, "an attribute whose name only the run knows")
    return args[1]


def _hasattr(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
    return attributes.find(stager, args[0], _named(stager, args, keywords, (2,))) is not MISSING


def _getattr(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
    name = _named(stager, args, keywords, (2, 3))
    if len(args) == 2:
        return attributes.read(stager, args[0], name)
    found = attributes.find(stager, args[0], name)
    return args[2] if found is MISSING else found


def _setattr(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
    objects.write(stager, args[0], _named(stager, args, keywords, (3,)), args[2])


def _getter(kind: type) -> Handler:
    """Return the handler that makes an `itemgetter` or `attrgetter`, which is a constant."""

    def make(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
        if native.numbers_within(args):
            raise stager.need_static(native.numbers_within(args), f"what an {kind.__name__} gets")
        if keywords or not all(map(is_constant, args)):
            raise unsupported(stager, f"{kind.__name__} of these values")
        return run_native(stager, lambda: kind(*args))

    return make


def call_getter(stager: Stager, getter: Any, args: list[Any]) -> Any:
    """Return what an `itemgetter` or `attrgetter` gives."""
    if len(args) != 1:
        raise Unstageable("raises", "TypeError: a getter takes one argument", stager.site)
    (owner,), wanted = args, getter.__reduce__()[1]
    if type(getter) is operator.itemgetter:
        found = [attributes.item(stager, owner, key) for key in wanted]
    else:
        found = [
            functools.reduce(functools.partial(attributes.read, stager), name.split("."), owner) for name in wanted
        ]
    return found[0] if len(found) == 1 else tuple(found)


GETTERS = (operator.itemgetter, operator.attrgetter)
BUILTINS: dict[Any, Handler] = {
    **{kind: _getter(kind) for kind in GETTERS},
    **functional.HANDLERS,
    **arranged.HANDLERS,
    **ordering.HANDLERS,
    float: _cast(float),
    int: _cast(int),
    bool: _cast(bool),
    complex: _constants_only(complex),
    str: _constants_only(str),
    len: _len,
    range: _range,
    zip: _zip,
    enumerate: _enumerate,
    reversed: _reversed,
    iter: _iter,
    next: _next,
    tuple: _container(tuple),
    list: _container(list),
    set: _container(set),
    deque: _container(deque),
    hasattr: _hasattr,
    getattr: _getattr,
    setattr: _setattr,
    dict: _container(dict),
    sum: _sum,
    abs: _abs,
    divmod: _divmod,
    pow: _pow,
    round: _round,
    isinstance: _isinstance,
    type: _type,
    repr: _constants_only(repr),
    chr: _constants_only(chr),
    ord: _constants_only(ord),
    slice: lambda stager, args, keywords, _: run_native(stager, lambda: slice(*args, **keywords)),
}
