"""Generators that the call itself makes and uses up: run to their end where their elements are asked for.

Python runs a generator bit by bit, between the steps of whoever uses it. The elements are the same when it is run at
once, as long as neither sees what the other changes meanwhile; where that is not certain, the conversion ends.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from janus_jax._base import Unstageable
from janus_jax._convert.frames import Frame
from janus_jax._convert.iterables import GeneratorValue
from janus_jax._convert.scopes import body_of, jumps_out, names_in
from janus_jax._convert.stager import Stager
from janus_jax._values.heap import MUTABLE, parts_of

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

    return GeneratorValue(run, search, frame)


def check_interleaving(stager: Stager, generator: GeneratorValue, consumer: Frame, node: ast.For) -> None:
    """End the conversion where a loop over a generator and the generator may see each other's changes."""
    frame = generator.frame
    if frame is None or jumps_out(node.body):
        raise Unstageable("generator", "a loop over a generator that it may leave early", stager.site)
    own = names_in(body_of(frame.node))
    outer = (own.loaded | own.nonlocals) - frame.locals
    bound = names_in([node]).bound
    shared = [name for name in outer if name in bound or ((o := frame.owner(name)) is not None and name in o.boxes)]
    if shared or own.nonlocals or _reaches_changeable(stager, [*frame.env.values(), *_outer_values(frame, outer)]):
        raise Unstageable("generator", "a generator and the loop over it may change the same objects", stager.site)


def _outer_values(frame: Frame, names: Iterable[str]) -> list[Any]:
    owners = [(frame.owner(name), name) for name in names]
    return [owner.env.get(name) for owner, name in owners if owner is not None]


def _reaches_changeable(stager: Stager, values: list[Any]) -> bool:
    """Return whether an object that the call has made is reached from these values."""
    pending = list(values)
    while pending:
        value = pending.pop()
        if isinstance(value, MUTABLE):
            identity = stager.identities.of(value)
            if not isinstance(identity, int) or not identity:
                return True
        elif type(value).__name__ in ("ClosureValue", "PartialValue", "BoundValue", "GeneratorValue"):
            return True
        pending.extend(parts_of(value))
    return False
