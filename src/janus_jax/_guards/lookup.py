"""Finds the value at the end of a path, the slow way: where a miss is to be explained."""

from __future__ import annotations

from types import FunctionType, MappingProxyType, ModuleType
from typing import Any, assert_never

from janus_jax._base.enums import same_key
from janus_jax._base.objects import namespace_of, read_slot, read_slot_of
from janus_jax._guards.paths import Argument, Cell, Field, Global, Item, Member, Namespace, Path, Pinned, Root, Slot


class _Missing:
    """What stands at the end of a path that leads nowhere."""


MISSING = _Missing()


def look_up(path: Path, function: FunctionType, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the value at `path` in a call of `function`, or `MISSING`; runs no user code.

    On the way there may be anything by now: each step is taken only where the object is of the kind it was.
    """
    match path:
        case Argument(key):
            return _item(args, key) if isinstance(key, int) else _item(kwargs, key)
        case Root():
            return function
        case Pinned(held):
            return held
        case _:
            return _step(path, look_up(path.owner, function, args, kwargs))


def _step(path: Item | Global | Cell | Slot | Member | Namespace | Field, owner: Any) -> Any:
    match path:
        case Item(_, key):
            return _item(owner, key)
        case Global(_, name):
            return _global(owner, name) if type(owner) is FunctionType else MISSING
        case Cell(_, index):
            return _content(owner, index) if type(owner) is FunctionType else MISSING
        case Slot(_, name):
            return read_slot(owner, name, MISSING)
        case Namespace():
            return namespace_of(owner)
        case Field(_, definer, name):
            return read_slot_of(owner, definer.held, name, MISSING)
        case Member(_, name):
            return vars(owner).get(name, MISSING) if type(owner) is ModuleType else MISSING
        case _:
            assert_never(path)


def _item(owner: Any, key: Any) -> Any:
    if type(owner) is MappingProxyType:
        owner = dict(owner)
    if type(owner) is dict:
        # not `owner[key]`, which would compare with any other key of the same hash
        return next((value for found, value in owner.items() if same_key(found, key)), MISSING)
    if (type(owner) is tuple or type(owner) is list) and isinstance(key, int) and 0 <= key < len(owner):
        return owner[key]
    return MISSING


def _global(function: FunctionType, name: str) -> Any:
    found = dict.get(function.__globals__, name, MISSING)  # which may be of a subclass, with a user's own methods
    return dict.get(function.__builtins__, name, MISSING) if found is MISSING else found


def _content(function: FunctionType, index: int) -> Any:
    cells = function.__closure__ or ()
    try:
        return cells[index].cell_contents if index < len(cells) else MISSING
    except ValueError:  # nothing is bound yet
        return MISSING
