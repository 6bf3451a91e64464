"""What tells the calls of a function apart: the types and structure of the arguments, and numbers that change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from janus_jax._base.enums import is_plain_key
from janus_jax._base.objects import is_one_of
from janus_jax._guards import Argument, Item, Path, same_bits
from janus_jax._jax import ARRAY_TYPES

NUMBERS = (bool, int, float)
CONTAINERS = (tuple, list, dict)


def is_container(value: Any) -> bool:
    """Return whether arguments are looked for inside of `value`: in tuples, lists, and dicts with plain keys."""
    kind = type(value)
    return is_one_of(kind, CONTAINERS) and (kind is not dict or all(map(is_plain_key, value)))


def number_leaves(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Yield every Python number in the arguments, in tuples, lists and dicts too, with its path."""
    for index, value in enumerate(args):
        yield from _leaves(Argument(index), value)
    for name, value in kwargs.items():
        yield from _leaves(Argument(name), value)


def _leaves(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if is_one_of(type(value), NUMBERS):
        yield path, value
    elif is_container(value):
        for key, item in value.items() if type(value) is dict else enumerate(value):
            yield from _leaves(Item(path, key), item)


class NumberFacts:
    """The value lattice of the numbers in the arguments: one value ⊑ its type."""

    def __init__(self) -> None:
        self._values: dict[Path, Any] = {}
        self.varied: set[Path] = set()

    def join(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Learn from one more call."""
        for path, value in number_leaves(args, kwargs):
            if not same_bits(self._values.setdefault(path, value), value):
                self.varied.add(path)


class _Class:
    """A class as part of a key, by its identity: its metaclass may have ideas of its own about `==` and `hash`."""

    __slots__ = ("_held",)

    def __init__(self, kind: type) -> None:
        self._held = kind

    def __hash__(self) -> int:
        return id(self._held)

    def __eq__(self, other: object) -> bool:
        return type(other) is _Class and self._held is other._held


def array_types(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[object, ...]:
    """Return the shapes and dtypes of the arrays in the arguments: a program fits those that it was compiled for."""
    found: list[object] = []
    pending: list[Any] = [*args, *kwargs.values()]
    while pending:
        value = pending.pop()
        if is_one_of(type(value), ARRAY_TYPES):
            found.append((value.shape, value.dtype))
        elif is_container(value):
            pending.extend(value.values() if type(value) is dict else value)
    return tuple(found)


def signature(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[object, ...]:
    """Return the Python types and structure of the arguments, which is what entries are told apart by."""
    return (*map(_shape, args), *((name, _shape(value)) for name, value in kwargs.items()))


def _shape(value: Any) -> object:
    kind = type(value)
    if not is_container(value):
        return kind if type(kind) is type else _Class(kind)
    if kind is dict:
        return (kind, *((key, _shape(item)) for key, item in value.items()))
    return (kind, *map(_shape, value))
