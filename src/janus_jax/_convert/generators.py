"""Generators that the call itself makes and uses up: run to their end where their elements are asked for.

Python runs a generator bit by bit, between the steps of whoever uses it. The elements are the same when it is run at
once, as long as neither sees what the other changes meanwhile; where that is not certain, the conversion ends.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from janus_jax._base import Unstageable
from janus_jax._convert.frames import Frame
from janus_jax._convert.iterables import GeneratorValue
from janus_jax._convert.scopes import body_of, jumps_out, names_in, parameters
from janus_jax._convert.stager import Stager
from janus_jax._values.heap import MUTABLE, parts_of
from janus_jax._values.kinds import BoundValue, ClosureValue, PartialValue, Transient

YIELDED = "$yielded"


def generator_of(stager: Stager, frame: Frame) -> GeneratorValue:
    """Return the generator that calling a generator function gives; its arguments are bound in `frame`."""

    def run() -> list[Any]:
        if frame.is_over:
            raise Unstageable("generator", "a generator is used up twice", stager.site)
        found: list[Any] = []
        stager.heap.adopt(found)
        frame.env[YIELDED] = found
        stager.execute(frame)
        frame.is_over = True
        return found

    def search(stop: bool) -> Any:
        raise Unstageable("generator", "any or all of a generator", stager.site)

    outer = names_in(body_of(frame.node))
    sees = (frame, (outer.loaded | outer.nonlocals) - frame.locals)
    return GeneratorValue(run, search, tuple(frame.env.values()), sees, may_be_endless=True)


def check_interleaving(stager: Stager, generator: GeneratorValue, consumer: Frame, node: ast.For) -> None:
    """End the conversion where a loop over a generator and the generator may see each other's changes."""
    if generator.may_be_endless and jumps_out(node.body):
        raise Unstageable("generator", "a loop over a generator that it may leave early", stager.site)
    bound = names_in([node]).bound
    pending, seen = list(generator.holds), [generator.sees] if generator.sees else []
    while pending or seen:
        if seen and _sees_change(*seen.pop(), consumer, bound):
            raise Unstageable("generator", "a generator and the loop over it may change the same", stager.site)
        if not pending:
            continue
        value = pending.pop()
        if isinstance(value, MUTABLE) and _is_of_call(stager, value):
            raise Unstageable("generator", "a generator and the loop over it may change the same", stager.site)
        if isinstance(value, ClosureValue):
            own = names_in(body_of(value.node))
            seen.append((value.frame, (own.loaded | own.nonlocals) - own.bound - {*parameters(value.node.args)}))
        pending.extend(_parts(value))


def may_read(source: Any, target: Any) -> bool:
    """Return whether going through `source` may run a generator that reads the object `target`."""
    pending: list[Any] = [source]
    known: set[int] = set()
    while pending:
        value = pending.pop()
        if value is target and source is not target:
            return True
        if id(value) in known:
            continue
        known.add(id(value))
        if isinstance(value, GeneratorValue) and value.sees:
            pending.extend(_variables(*value.sees))
        if isinstance(value, ClosureValue):
            pending.extend(_variables(value.frame, names_in(body_of(value.node)).loaded))
        pending.extend(_parts(value))
    return False


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
        if isinstance(owner.env.get(name), (*MUTABLE, Transient, ClosureValue, PartialValue)):
            return True
    return False


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
        case GeneratorValue():
            return value.holds
        case Transient():
            return [getattr(value, part.name) for part in fields(value)]
        case _:
            return parts_of(value)
