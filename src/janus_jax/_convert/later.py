"""Values that nothing in the program uses: text, NumPy arrays, arrays of a length that only the run knows.

They are made when the program has run, from its outputs, by the very function that the user called. Where that raises,
the call runs again as plain Python, which raises where the user's code does.
"""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from janus_jax._base import Unstageable
from janus_jax._convert.native import is_array, is_constant, is_scalar
from janus_jax._convert.stager import Stager
from janus_jax._values.kinds import HostArray, Later, Recipe, Run, Union
from janus_jax._values.number import Number
from janus_jax._values.template import is_named_tuple

CONVERSIONS: dict[int, Callable[[Any], Any]] = {-1: lambda x: x, ord("r"): repr, ord("s"): str, ord("a"): ascii}
FIELD = Recipe("a str", lambda value, conversion, spec: format(CONVERSIONS[conversion](value), spec))
TEXT = Recipe("a str", lambda *parts: "".join(parts))
LIST = Recipe("a list", lambda *items: list(items))
# Functions whose results nothing in the program can use, for values that only the run knows.
ON_HOST = (str, repr, ascii, format, np.array, np.asarray, np.stack, np.float32, np.float64, np.int32, np.int64)
_MUTABLE = (np.array, np.asarray, np.stack)
# Functions that make an array of a list, whose length is part of its type.
STACKING = (jnp.stack, jnp.array, jnp.asarray, jnp.concatenate, jnp.hstack, jnp.vstack)


def later(stager: Stager, recipe: Recipe, *parts: Any) -> Later:
    """Return what `recipe` makes of `parts` as they are now."""
    taken = tuple([_as_now(stager, part) for part in parts])
    stager.takes_numbers = True  # under a trace there are no values to make something of
    if all(guard.kind != "late" for guard in stager.guards):
        stager.guard(jnp.bool_(True), "what is made of the results can be made", "late")
    return Later(recipe, taken)


def _as_now(stager: Stager, value: Any) -> Any:
    """Return a value that nobody can change any more."""
    if type(value) is list:
        return Later(LIST, tuple([_as_now(stager, item) for item in value]))
    if type(value) is tuple:
        return tuple([_as_now(stager, item) for item in value])
    if isinstance(value, Union):
        return Union(value.tag, tuple([_as_now(stager, each) for each in value.alternatives]))
    if (
        isinstance(value, (Number, Later, Run, HostArray))
        or is_array(value)
        or is_scalar(value)
        or isinstance(value, np.dtype)
    ):
        return value
    raise Unstageable("unsupported-expression", f"text or a NumPy array of a {type(value).__name__}", stager.site)


def field(stager: Stager, value: Any, conversion: int, spec: Any) -> Any:
    """Return `{value!conversion:spec}` of an f-string."""
    if is_constant(value) and not isinstance(spec, Later):
        return format(CONVERSIONS[conversion](value), spec)
    return later(stager, FIELD, value, conversion, spec)


def text(stager: Stager, parts: Sequence[Any]) -> Any:
    """Return strings behind one another."""
    if all(type(part) is str for part in parts):
        return "".join(parts)
    return later(stager, TEXT, *parts)


def is_text(value: Any) -> bool:
    """Return whether `value` is a string, known or not."""
    return type(value) is str or (isinstance(value, Later) and value.recipe.what == FIELD.what)


@cache
def calling(function: Any, names: tuple[str, ...] = (), what: str = "") -> Recipe:
    """Return the recipe that calls `function`; its last parts are keyword arguments of these names."""

    def call(*parts: Any) -> Any:
        count = len(parts) - len(names)
        return function(*parts[:count], **dict(zip(names, parts[count:], strict=True)))

    mutable = any(function is one for one in _MUTABLE)
    return Recipe(what or _result_of(function), call, mutable)


def _result_of(function: Any) -> str:
    return FIELD.what if any(function is one for one in (str, repr, ascii, format)) else "an array"


def call(stager: Stager, function: Any, args: Sequence[Any], keywords: Mapping[str, Any]) -> Later:
    """Return what a function gives that the program cannot run."""
    return later(stager, calling(function, tuple(keywords)), *args, *keywords.values())


def filled(stager: Stager, form: Any, value: Any) -> Later:
    """Return `form % value`."""
    return later(stager, calling(operator.mod, (), FIELD.what), form, value)


def is_for_host(function: Any, args: Sequence[Any]) -> bool:
    """Return whether a call gives something that only the host can make."""
    if any(function is one for one in ON_HOST):
        return True
    return any(function is one for one in STACKING) and any(map(_has_unknown_length, args))


def _has_unknown_length(value: Any) -> bool:
    return type(value) is list and any(isinstance(item, Run) and isinstance(item.count, Number) for item in value)


def method_of_text(stager: Stager, receiver: Any, name: str, args: list[Any], keywords: dict[str, Any]) -> Any:
    """Return `receiver.join(...)` or `receiver.format(...)`."""
    if name not in ("join", "format") or not isinstance(receiver, str):
        raise Unstageable("unsupported-expression", f"{name} with values of the program", stager.site)
    if any(isinstance(value, (dict, deque)) or is_named_tuple(value) for value in (*args, *keywords.values())):
        raise Unstageable("unsupported-expression", f"{name} with these values", stager.site)
    recipe = calling(getattr(str, name), tuple(keywords), FIELD.what)
    return later(stager, recipe, receiver, *args, *keywords.values())


def first_rows(stager: Stager, function: Any, taken: jax.Array, count: Number) -> Later:
    """Return the first rows of an array, as `function` makes them of a list."""
    return later(stager, _taking(function), taken, count)


@cache
def _taking(function: Any) -> Recipe:
    def make(taken: jax.Array, count: int) -> Any:
        if not count:
            return function([])
        return taken[:count] if taken.committed else jnp.asarray(np.asarray(taken)[:count])

    return Recipe("an array", make)
