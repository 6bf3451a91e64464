"""Generators that the call itself makes and uses up.

Python runs a generator bit by bit, between the steps of whoever uses it. The elements are the same when it is run to
its end where they are asked for, as long as neither sees what the other changes meanwhile. Where that is not certain,
the loop over it is run beside it (`interleaving.py`).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from typing import Any

from janus_jax._base import Unstageable
from janus_jax._convert import containers, iterables
from janus_jax._convert.frames import Frame
from janus_jax._convert.iterables import GeneratorValue
from janus_jax._convert.scopes import body_of, names_in, parameters
from janus_jax._convert.stager import Stager
from janus_jax._values.heap import MUTABLE, parts_of
from janus_jax._values.kinds import BoundValue, ClosureValue, PartialValue, TransformedValue, Transient

Take = Callable[[Any], None]
# What may be changed, or sees variables that may.
_MAY_CHANGE = (*MUTABLE, Transient, ClosureValue, PartialValue, TransformedValue)


def generator_of(stager: Stager, frame: Frame, search: Callable[[bool], Any] | None = None) -> GeneratorValue:
    """Return the generator whose body runs in `frame`, where its arguments are bound.

    `search` returns whether any, or all, of its elements are true, where that can be had without running it.
    """

    def each(take: Take, *, beside: bool = False) -> Any:
        if frame.take is not None:
            raise Unstageable("generator", "a generator is used up twice", stager.site)
        frame.take, frame.is_beside = take, beside
        result = stager.execute(frame)
        frame.is_over = True
        return result

    def run() -> list[Any]:
        found: list[Any] = []
        stager.heap.adopt(found)
        frame.env[FOUND] = found
        each(lambda value: containers.call_method(stager, frame.env[FOUND], "append", [value], {}))
        return found

    body = body_of(frame.node)
    outer = names_in(body)
    sees = (frame, (outer.loaded | outer.nonlocals) - frame.locals)
    may_be_endless = any(isinstance(node, ast.While) for part in body for node in ast.walk(part))
    return GeneratorValue(run, search, each, tuple(frame.env.values()), sees, may_be_endless)


FOUND = "$found"


def give(frame: Frame, value: Any) -> None:
    """Do `yield value`."""
    assert frame.take is not None
    frame.take(value)


def give_each(frame: Frame, source: Any) -> Any:
    """Return `yield from source`: what a generator returns, None for any other iterable."""
    assert frame.take is not None
    if isinstance(source, GeneratorValue) and source.each is not None:
        return source.each(frame.take, beside=frame.is_beside)
    for item in iterables.items(frame.stager, source):
        frame.take(item)
    return None


def is_independent(stager: Stager, generator: GeneratorValue, consumer: Frame, bound: frozenset[str]) -> bool:
    """Return whether a generator and a loop that binds these variables certainly see none of each other's changes."""
    pending, seen = list(generator.holds), [generator.sees] if generator.sees else []
    while pending or seen:
        if seen and _sees_change(*seen.pop(), consumer, bound):
            return False
        if not pending:
            continue
        value = pending.pop()
        if isinstance(value, MUTABLE) and _is_of_call(stager, value):
            return False
        if isinstance(value, ClosureValue):
            seen.append((value.frame, _names_read(value)))
        pending.extend(_parts(value))
    return True


def may_read(source: Any, target: Any) -> bool:
    """Return whether going through `source` may run a generator that reads the object `target`."""
    return source is not target and any(value is target for value in parts_seen(source))


def parts_seen(source: Any) -> Iterator[Any]:
    """Yield what a value holds, and what generators and functions in it may read, always in the same order."""
    pending: list[Any] = [source]
    known: set[int] = set()
    while pending:
        value = pending.pop()
        yield value
        if id(value) in known:
            continue
        known.add(id(value))
        if isinstance(value, GeneratorValue) and value.sees:
            pending.extend(_variables(*value.sees))
        if isinstance(value, ClosureValue):
            pending.extend(_variables(value.frame, sorted(_names_read(value))))
        pending.extend(_parts(value))


def _names_read(value: ClosureValue) -> frozenset[str]:
    """Return the names that a function reads from around it."""
    own = names_in(body_of(value.node))
    local = (own.bound | {*parameters(value.node.args)}) - own.nonlocals
    return (own.loaded | own.nonlocals) - local


def _variables(frame: Frame, names: Iterable[str]) -> Iterable[Any]:
    for name in names:
        owner = frame.owner(name)
        if owner is not None:
            yield owner.boxes[name].content if name in owner.boxes else owner.env.get(name)


def _sees_change(frame: Frame, names: Iterable[str], consumer: Frame, bound: frozenset[str]) -> bool:
    """Return whether one of the names is a variable that the loop binds, or that functions bind."""
    for name in names:
        owner = frame.owner(name)
        if owner is None:
            continue
        if name in owner.boxes or (owner is consumer and name in bound):
            return True
        if any(isinstance(part, _MAY_CHANGE) for part in _all_parts(owner.env.get(name))):
            return True
    return False


def _all_parts(source: Any) -> Iterator[Any]:
    """Yield a value and what it holds, at any depth."""
    pending: list[Any] = [source]
    known: set[int] = set()
    while pending:
        value = pending.pop()
        if id(value) not in known:
            known.add(id(value))
            yield value
            pending.extend(_parts(value))


def _is_of_call(stager: Stager, value: Any) -> bool:
    identity = stager.identities.of(value)
    return not isinstance(identity, int) or not identity


def _parts(value: Any) -> Iterable[Any]:
    match value:
        case ClosureValue():
            return [*value.defaults, *value.keyword_defaults.values()]
        case PartialValue():
            return [value.function, *value.args, *value.keywords.values()]
        case BoundValue():
            return [value.function, value.receiver]
        case TransformedValue():
            return [value.function]
        case GeneratorValue():
            return value.holds
        case Transient():
            return [getattr(value, part.name) for part in fields(value)]
        case _:
            return parts_of(value)
