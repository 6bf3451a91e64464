"""Generators that run beside their user, as in Python: at each `yield`, the body of the `for` or `with` runs."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, Literal

from janus_jax._base import Unstageable
from janus_jax._convert.frames import JUMP, ON, Frame
from janus_jax._convert.generators import is_independent
from janus_jax._convert.iterables import GeneratorValue, generators_in, used_up
from janus_jax._convert.loop import leave, next_iteration
from janus_jax._convert.scopes import jumps_out, names_in
from janus_jax._convert.stager import Raised, Stager
from janus_jax._convert.targets import assign
from janus_jax._values.kinds import ExceptionValue
from janus_jax._values.number import Number

MOST_YIELDS = 1_000  # so often a generator runs beside its loop, at most: each time is code of its own


def is_beside(frame: Frame, node: ast.For, generator: GeneratorValue) -> bool:
    """Return whether a loop over a generator has to be run beside it."""
    return generator.each is not None and not _may_come_before(frame, node, generator)


def _may_come_before(frame: Frame, node: ast.For, generator: GeneratorValue) -> bool:
    """Return whether a generator may be run to its end before a loop over it begins."""
    if generator.may_be_endless and jumps_out(node.body):
        return False
    return is_independent(frame.stager, generator, frame, names_in([node]).bound)


def used_up_before(frame: Frame, node: ast.For, iterable: Any) -> Any:
    """Return what a loop goes through, with the elements of its generators, which are run now."""
    if not all(_may_come_before(frame, node, generator) for generator in generators_in(iterable)):
        raise Unstageable("generator", "a generator and the loop over it may change the same", frame.stager.site)
    return used_up(frame.stager, iterable)


def unrolled_for_yields(frame: Frame, node: ast.For | ast.While) -> Literal["unroll"] | None:
    """Return what is decided of a loop of a generator that runs beside its user: it is no loop of the program."""
    return "unroll" if frame.is_beside and names_in([node]).has_yield else None


def _beside(stager: Stager, take: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return `take`, for yields that are in no region of the generator's own: what it binds would be lost there."""
    scope = stager.scope

    def checked(value: Any) -> None:
        if stager.scope is not scope:
            raise Unstageable("generator", "a yield in a branch or loop of the program", stager.site)
        take(value)

    return checked


def _run(stager: Stager, generator: GeneratorValue, take: Callable[[Any], None]) -> None:
    assert generator.each is not None
    try:
        generator.each(_beside(stager, take), beside=True)
    except Raised as raised:
        if raised.error.kind is StopIteration:
            raise Unstageable("raises", "RuntimeError: generator raised StopIteration", raised.where) from None
        raise


def run_beside(frame: Frame, node: ast.For, generator: GeneratorValue) -> None:
    """Run a `for` loop over a generator step by step; when the loop is left, the generator is closed."""
    stager = frame.stager
    taken = 0
    closing: Raised | None = None
    error: Raised | None = None

    def take(value: Any) -> None:
        nonlocal taken, closing, error
        taken += 1
        if closing is not None or taken > MOST_YIELDS:
            raise Unstageable("generator", f"more than {MOST_YIELDS} yields, or one when it is closed", stager.site)
        try:
            assign(frame, node.target, value)
            stager.run(frame, node.body)
        except Raised as raised:
            error = raised
        jump = next_iteration(frame, node, frame.env[JUMP])
        if isinstance(jump, Number):
            raise Unstageable("generator", "a loop over a generator that it leaves early now and then", stager.site)
        if error is not None or jump != ON:
            closing = Raised(ExceptionValue(GeneratorExit, ()), stager.site)
            raise closing
        frame.env[JUMP] = ON

    try:
        _run(stager, generator, take)
    except Raised as raised:
        if closing is None:
            raise
        if raised.error is not closing.error:
            raise Unstageable("generator", "an exception when it is closed", raised.where) from None
    if error is not None:
        raise error
    if closing is None:
        return stager.run(frame, node.orelse)
    frame.env[JUMP] = leave(frame, node, frame.env[JUMP])
    return None


def run_with(frame: Frame, generator: GeneratorValue, body: Callable[[Any], None]) -> None:
    """Run the body of a `with` over a generator that `contextlib.contextmanager` has made a manager."""
    stager = frame.stager
    entered = False

    def take(value: Any) -> None:
        nonlocal entered
        if entered:
            raise Unstageable("raises", "RuntimeError: generator didn't stop", stager.site)
        entered = True
        body(value)

    _run(stager, generator, take)
    if not entered:
        raise Unstageable("raises", "RuntimeError: generator didn't yield", stager.site)
