"""Containers that are gone through: Python sees what becomes of them meanwhile, and a conversion has to notice."""

from __future__ import annotations

from collections import deque
from operator import is_
from typing import Any

from janus_jax._base import Unstageable
from janus_jax._convert.iterables import ArrangedValue, CycleValue, EnumerateValue, ReversedValue, ViewValue, ZipValue
from janus_jax._convert.stager import Stager
from janus_jax._values.kinds import Run


def _sources(value: Any) -> list[Any]:
    """Return the containers, and views of dicts, that an iterator over `value` reads."""
    match value:
        case ZipValue(parts):
            return [found for part in parts for found in _sources(part)]
        case ArrangedValue(parts):
            return [found for part in parts for found in _sources(part)]
        case EnumerateValue(part) | ReversedValue(part) | CycleValue(part):
            return _sources(part)
        case ViewValue() | list() | dict() | set() | deque():
            return [value]
        case _:
            return []


def _is_in_order(value: Any) -> bool:
    """Return whether the element number k is made of those number k of the containers."""
    match value:
        case ZipValue(parts):
            return all(map(_is_in_order, parts))
        case EnumerateValue(part):
            return _is_in_order(part)
        case _:
            return not isinstance(value, (ReversedValue, ArrangedValue, CycleValue))


def _seen(source: Any) -> tuple[Any, ...]:
    """Return what an iterator sees of a container, in its order."""
    if isinstance(source, ViewValue):
        return tuple(source.owner if source.name == "keys" else source.owner.values())
    return tuple(source)


class Watch:
    """The containers that are gone through, as they were at the beginning."""

    def __init__(self, stager: Stager, value: Any) -> None:
        self._stager = stager
        self._value = value
        self._found = [(one, _seen(one)) for one in _sources(value)]
        self._start = len(stager.reshaped)
        self._is_in_order = _is_in_order(value)

    def anew(self) -> Watch:
        """Return the same containers, as they are now."""
        return Watch(self._stager, self._value)

    def check(self, index: int = 0) -> None:
        """End the conversion where anything changed that Python's iterator, at this index by now, would still see."""
        reshaped = self._stager.reshaped[self._start :]
        for source, before in self._found:
            if any(one is _owner(source) for one in reshaped):
                raise _refusal(self._stager)
            now = _seen(source)
            has_run = any(isinstance(element, Run) for element in (*before, *now))
            start = 0 if has_run or not self._is_in_order else index
            if len(before) != len(now) or not all(map(is_, before[start:], now[start:])):
                raise _refusal(self._stager)


def _refusal(stager: Stager) -> Unstageable:
    return Unstageable("heap-write", "what a loop goes through changes meanwhile", stager.site)


def _owner(source: Any) -> Any:
    return source.owner if isinstance(source, ViewValue) else source


def reshape(stager: Stager, container: Any) -> None:
    """Note that a container gets or loses elements: where it is gone through, Python may raise at the next step."""
    if type(container) is not list:
        stager.reshaped.append(container)
