"""What stands behind a callable: which function runs, with which arguments, and what it is as a class attribute."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable, Iterator, Sequence
from inspect import Parameter
from types import FunctionType, MethodType
from typing import Any

from janus_jax._base.objects import AbstractSpeculated, class_attribute, is_a, unwrap
from janus_jax.errors import UsageError

_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


def behind(function: Any) -> Any:
    """Return what runs when `function` is called: a static or class method and a speculated function stand for it."""
    while is_a(function, AbstractSpeculated, staticmethod, classmethod):
        function = unwrap(function) if is_a(function, AbstractSpeculated) else function.__func__
    return function


def resolved(function: Any) -> tuple[Any, tuple[Any, ...] | None, dict[str, Any]]:
    """Return the Python function behind a callable, and the arguments that it is always called with.

    They are None for a function that is called as it is. What no Python function is behind, is returned itself.
    """
    function = behind(function)
    if type(function) is FunctionType:
        return function, None, {}
    if type(function) is functools.partial:
        inner, prefix, keywords = resolved(function.func)
        return inner, (*(prefix or ()), *function.args), {**keywords, **function.keywords}
    if type(function) is MethodType:
        inner, prefix, keywords = resolved(function.__func__)
        return inner, (*(prefix or ()), function.__self__), keywords
    method = class_attribute(type(function), "__call__")
    if type(method) is FunctionType and not is_a(function, type):
        return method, (function,), {}
    return function, None, {}


def bound(descriptor: Any, stand_in: Any, instance: Any, owner: type | None) -> Any:
    """Return what reading the class attribute `descriptor` gives, with `stand_in` for the function behind it."""
    if type(descriptor) is FunctionType:  # as below, and quickly: methods are read at every call
        return stand_in if instance is None else MethodType(stand_in, instance)
    get = class_attribute(type(descriptor), "__get__")
    if get is None:
        return stand_in
    found = get(descriptor, instance, owner)
    if behind(found) is behind(descriptor):
        return stand_in
    if type(found) is MethodType and behind(found.__func__) is behind(descriptor):
        return MethodType(stand_in, found.__self__)
    return found


def static_arguments(function: Any, numbers: int | Sequence[int], names: str | Sequence[str]) -> frozenset[int | str]:
    """Return each static argument by its position in a call of the Python function behind, and by its name.

    They are named in either way, as for `jax.jit`, and may be passed in either way.
    """
    numbers = (numbers,) if isinstance(numbers, int) else tuple(numbers)
    names = (names,) if isinstance(names, str) else tuple(names)
    if not numbers and not names:
        return frozenset()
    label = getattr(function, "__name__", repr(function))
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        raise UsageError(f"static_argnums and static_argnames need a signature, and {label} has none.") from None
    positional = [one.name for one in parameters if one.kind in _POSITIONAL]
    found = {*_positions(label, parameters, positional, numbers), *_places(label, parameters, positional, names)}
    named = {one.name for one in parameters if one.kind is not Parameter.POSITIONAL_ONLY}
    by_name = {positional[place] for place in found if isinstance(place, int) and place < len(positional)} & named
    shift = len(resolved(function)[1] or ())
    return frozenset([*(place + shift if isinstance(place, int) else place for place in found), *by_name])


def _positions(
    label: str, parameters: list[Parameter], positional: list[str], numbers: Iterable[int]
) -> Iterator[int | str]:
    """Yield the positions that are meant by `numbers`, of which negative ones count from the last parameter."""
    is_open = any(one.kind is Parameter.VAR_POSITIONAL for one in parameters)
    for number in numbers:
        if not (number >= 0 if is_open else -len(positional) <= number < len(positional)):
            takes = "any number of" if is_open else len(positional)
            raise UsageError(f"static_argnums names argument {number}, but {label} has {takes} positional parameters.")
        yield number if number >= 0 else number + len(positional)


def _places(
    label: str, parameters: list[Parameter], positional: list[str], names: Iterable[str]
) -> Iterator[int | str]:
    """Yield the names, and the positions of those that may be given by position."""
    known = [one.name for one in parameters if one.kind not in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)]
    is_open = any(one.kind is Parameter.VAR_KEYWORD for one in parameters)
    for name in names:
        if name not in known and not is_open:
            what = f"which is no parameter of {label}. Its parameters are {', '.join(known) or 'none'}."
            raise UsageError(f"static_argnames names {name!r}, {what}")
        yield name
        if name in positional:
            yield positional.index(name)
