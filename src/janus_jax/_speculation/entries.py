"""What is known of the numbers that a function is called with: constant so far, or seen to change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from janus_jax._guards import Argument, Item, Path, same_bits

NUMBERS = (bool, int, float)


def number_leaves(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Yield every Python number in the arguments, in tuples, lists and dicts too, with its path."""
    for index, value in enumerate(args):
        yield from _leaves(Argument(index), value)
    for name, value in kwargs.items():
        yield from _leaves(Argument(name), value)


def _leaves(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    kind = type(value)
    if kind in NUMBERS:
        yield path, value
    elif kind in (tuple, list):
        for index, item in enumerate(value):
            yield from _leaves(Item(path, index), item)
    elif kind is dict:
        for key, item in value.items():
            if type(key) in (str, int):
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


def signature(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[object, ...]:
    """Return the Python types and structure of the arguments, which is what entries are told apart by."""
    return (*map(_shape, args), *((name, _shape(value)) for name, value in kwargs.items()))


def _shape(value: Any) -> object:
    kind = type(value)
    if kind in (tuple, list):
        return (kind, *map(_shape, value))
    if kind is dict:
        return (kind, *((key if type(key) in (str, int) else type(key), _shape(item)) for key, item in value.items()))
    return kind
