"""Finds the value at the end of a path, the slow way: where a miss is to be explained."""

from __future__ import annotations

from types import FunctionType
from typing import Any, assert_never

from janus_jax._guards.paths import Argument, Cell, Global, Item, Member, Path, Root, Slot


class _Missing:
    """What stands at the end of a path that leads nowhere."""


MISSING = _Missing()


def look_up(path: Path, function: FunctionType, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the value at `path` in a call of `function`, or `MISSING`; runs no user code."""
    try:
        return _find(path, function, args, kwargs)
    except (LookupError, AttributeError, ValueError, TypeError):
        return MISSING


def _find(path: Path, function: FunctionType, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    match path:
        case Argument(key):
            return args[key] if isinstance(key, int) else kwargs[key]
        case Root():
            return function
        case Item(owner, key):
            return _find(owner, function, args, kwargs)[key]
        case Global(owner, name):
            python = _find(owner, function, args, kwargs)
            return python.__globals__[name] if name in python.__globals__ else python.__builtins__[name]
        case Cell(owner, index):
            return _find(owner, function, args, kwargs).__closure__[index].cell_contents
        case Slot(owner, name):
            return getattr(_find(owner, function, args, kwargs), name)
        case Member(owner, name):
            return vars(_find(owner, function, args, kwargs))[name]
        case _:
            assert_never(path)
