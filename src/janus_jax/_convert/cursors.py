"""Iterators as objects: `iter`, `next`, and the iterators that users' classes make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from janus_jax._base import Unstageable
from janus_jax._convert import attributes, iterables
from janus_jax._convert.classes import MISSING
from janus_jax._convert.heap import change
from janus_jax._convert.iterables import COMPOSITES, GeneratorValue, RangeValue
from janus_jax._convert.objects import class_of, find_special, special
from janus_jax._convert.stager import Raised, Stager
from janus_jax._values.kinds import Cursor, ExceptionValue, Instance
from janus_jax._values.number import Number

MOST_STEPS = 1_000  # so many elements an iterator is asked for, at most, where nobody says when it ends


def iterate(stager: Stager, value: Any) -> Any:
    """Return what a loop over `value` goes through: for objects of users' classes, what their methods give."""
    if class_of(value) is None:
        return value
    found = value if value_is_cursor(value) else stager.call(_maker(stager, value), [], {})
    if class_of(found) is None:
        return found
    return _steps(stager, found)


def value_is_cursor(value: Any) -> bool:
    """Return whether `value` is an iterator that `iter` has made here."""
    return isinstance(value, Instance) and value.kind is Cursor


def _maker(stager: Stager, value: Any) -> Any:
    method = find_special(stager, value, "__iter__")
    if method is MISSING:
        raise Unstageable("unsupported-expression", "iteration over an object without __iter__", stager.site)
    return method


def _steps(stager: Stager, iterator: Any) -> GeneratorValue:
    """Return an iterator object as something that is gone through step by step."""

    def each(take: Callable[[Any], None], *, beside: bool = False) -> None:
        for _ in range(MOST_STEPS):
            value = _next_or(stager, iterator, MISSING)
            if value is MISSING:
                return
            take(value)
        raise Unstageable("generator", f"more than {MOST_STEPS:,} elements of an iterator", stager.site)

    def run() -> list[Any]:
        found: list[Any] = []
        each(found.append)
        return found

    return GeneratorValue(run, None, each, (iterator,), may_be_endless=True)


def open_cursor(stager: Stager, value: Any) -> Any:
    """Return `iter(value)`."""
    if class_of(value) is not None:
        return value if value_is_cursor(value) else stager.call(_maker(stager, value), [], {})
    if isinstance(value, COMPOSITES) and not isinstance(value, RangeValue):
        return value
    if isinstance(value, RangeValue):
        value = tuple(iterables.items(stager, value))
    if not (type(value) in (list, tuple, str) or isinstance(value, jax.Array)):
        raise Unstageable("unsupported-expression", "iter of this value", stager.site)
    iterables.opened(stager, value)
    made = Instance(Cursor, {"source": value, "place": 0})
    stager.heap.adopt(made)
    return made


def step(stager: Stager, iterator: Any, *default: Any) -> Any:
    """Return `next(iterator, *default)`."""
    if isinstance(iterator, GeneratorValue):
        value = _first(stager, iterator)
    elif class_of(iterator) is not None:
        value = _next_or(stager, iterator, MISSING)
    else:
        raise Unstageable("unsupported-expression", "next of this value", stager.site)
    if value is not MISSING:
        return value
    if default:
        return default[0]
    if stager.handlers:
        raise Raised(ExceptionValue(StopIteration, ()), stager.site)
    raise Unstageable("raises", "StopIteration", stager.site)


def _first(stager: Stager, generator: GeneratorValue) -> Any:
    """Return the first element of a generator that nobody else knows: it is closed then."""
    found: Any = MISSING
    closing = Raised(ExceptionValue(GeneratorExit, ()), stager.site)
    scope = stager.scope

    def take(value: Any) -> None:
        nonlocal found
        if stager.scope is not scope or found is not MISSING:
            raise Unstageable("generator", "a yield in a branch or loop, or one when it is closed", stager.site)
        found = value
        raise closing

    if generator.each is None:
        raise Unstageable("unsupported-expression", "next of this value", stager.site)
    try:
        generator.each(take, beside=True)
    except Raised as raised:
        if raised is not closing:
            raise
    return found


def _next_or(stager: Stager, iterator: Any, end: Any) -> Any:
    if not value_is_cursor(iterator):
        return _next_of_object(stager, iterator, end)
    source, place = iterator.fields["source"], iterator.fields["place"]
    count = iterables.length(stager, source)
    if isinstance(place, Number) or isinstance(count, Number):
        raise stager.need_static([n for n in (place, count) if isinstance(n, Number)], "where an iterator stands")
    if type(place) is not int:
        raise Unstageable("concrete-value", "where an iterator stands", stager.site)
    change(stager, iterator)
    if place >= count:
        iterator.fields["source"] = ()  # it has ended for good
        return end
    iterator.fields["place"] = place + 1
    return attributes.item(stager, source, place)


def _next_of_object(stager: Stager, iterator: Any, end: Any) -> Any:
    stager.handlers += 1
    try:
        return stager.call(special(stager, iterator, "__next__"), [], {})
    except Raised as raised:
        if raised.error.kind is StopIteration:
            return end
        raise
    finally:
        stager.handlers -= 1
