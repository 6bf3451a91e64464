"""`raise` and `try`.

An exception that is certain while converting is raised here too, and caught as Python would. One that is raised in a
branch or loop of the program jumps to a handler of the same function, if that has one. Any other is a guard.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from janus_jax._base import Unstageable
from janus_jax._base.objects import bases_of
from janus_jax._convert import branches
from janus_jax._convert.expressions import evaluate
from janus_jax._convert.frames import JUMP, ON, RAISED, Frame, error_name, is_implied
from janus_jax._convert.scopes import jumps
from janus_jax._convert.stager import Raised, Stager
from janus_jax._values.kinds import UNBOUND, ExceptionValue
from janus_jax._values.number import Number, wide


@dataclass(frozen=True, slots=True, eq=False)
class Guarded:
    """A `try` whose body is running, in this region; None in place of one for a `with`, which handles all by itself."""

    node: ast.Try
    scope: Any


def run_raise(frame: Frame, node: ast.Raise) -> None:
    """Raise an exception: to a handler of the function around, or for plain Python to raise it."""
    if not frame.stager.handlers:
        raise Unstageable("raises", "a raise statement", frame.site(node))
    value = frame.handled[-1] if node.exc is None and frame.handled else node.exc and evaluate(frame, node.exc)
    if isinstance(value, type):
        value = frame.stager.call(value, [], {}) if issubclass(value, BaseException) else value
    if not isinstance(value, ExceptionValue):
        raise Unstageable("raises", "a raise statement", frame.site(node))
    if not _jumps_to_handler(frame, value.kind):
        raise Raised(value, frame.site(node))
    number = frame.jumps.setdefault((frame.site(node), value.kind), RAISED + len(frame.jumps))
    frame.store(error_name(frame.site(node)), value.args)
    frame.env[JUMP] = number


def _jumps_to_handler(frame: Frame, kind: type) -> bool:
    """Return whether a `try` of this function catches such an exception, from inside a region that begins in it."""
    for guarded in reversed(frame.tries):
        if guarded is None:
            return False
        if _handler(frame, guarded.node, kind) is not None:
            return frame.stager.scope is not guarded.scope
    return False


def _handler(frame: Frame, node: ast.Try, kind: type) -> ast.ExceptHandler | None:
    return next((one for one in node.handlers if _catches(frame, one, kind)), None)


def run_try(frame: Frame, node: ast.Try) -> None:
    """Run a `try` statement; `finally` runs however the rest was left."""
    try:
        _run_guarded(frame, node)
    except Raised:
        if node.finalbody and _leaves(frame, node):
            return None
        raise
    return finally_(frame, node, lambda: frame.stager.run(frame, node.finalbody))


def _leaves(frame: Frame, node: ast.Try) -> bool:
    """Run `finally` on the way of an exception; return whether a jump in it has ended that."""
    frame.env[JUMP] = ON
    frame.stager.run(frame, node.finalbody)
    if isinstance(frame.env[JUMP], Number):
        raise Unstageable("unsupported-statement", "a jump out of `finally`", frame.site(node))
    return frame.env[JUMP] != ON


def _run_guarded(frame: Frame, node: ast.Try) -> None:
    stager = frame.stager
    try:
        with _handlers(stager, bool(node.handlers or node.finalbody)), inside(frame, Guarded(node, stager.scope)):
            stager.run(frame, node.body)
    except Raised as raised:
        handler = _handler(frame, node, raised.error.kind)
        if handler is None:
            raise
        error = raised.error
    else:
        inner = {frame.site(one) for part in node.body for one in ast.walk(part) if isinstance(one, ast.Raise)}
        return _catch_jumps(frame, node, [jump for jump in frame.jumps.items() if jump[0][0] in inner])
    return _handle(frame, handler, error)


@contextmanager
def inside(frame: Frame, guarded: Guarded | None) -> Generator[None]:
    """Have `raise` know of the statement whose body is run."""
    frame.tries.append(guarded)
    try:
        yield
    finally:
        frame.tries.pop()


def _catch_jumps(
    frame: Frame, node: ast.Try, left: Sequence[tuple[tuple[Any, type], int]], *, handles_all: bool = True
) -> None:
    """Run the handler of the exception by which the body was left, or `else` where it was left by none."""
    jump = frame.env[JUMP]
    if not left:
        if isinstance(jump, Number) and handles_all and not jumps(node.body):
            frame.env[JUMP] = ON  # every exception has its handler, and nothing else leaves the body
        return frame.stager.run_rest(frame, node, node.orelse)
    ((site, kind), number), *others = left
    handler = _handler(frame, node, kind)
    if handler is None:
        return _catch_jumps(frame, node, others, handles_all=False)

    def handle() -> None:
        frame.env[JUMP] = ON
        _handle(
            frame,
            handler,
            ExceptionValue(kind, frame.stager.settle("the exception", frame.env.get(error_name(site), UNBOUND))),
        )

    if not isinstance(jump, Number):
        return handle() if jump == number else _catch_jumps(frame, node, others, handles_all=handles_all)
    with wide():
        caught = jump.value == number
    key = (frame.stager.context, frame.site(handler, f"except {site.line}:{site.column}"))
    rest = partial(_catch_jumps, frame, node, others, handles_all=handles_all)
    return branches.stage(frame, key, caught, handle, rest)


@contextmanager
def _handlers(stager: Stager, has_handlers: bool) -> Generator[None]:
    stager.handlers += has_handlers
    try:
        yield
    finally:
        stager.handlers -= has_handlers


def _catches(frame: Frame, handler: ast.ExceptHandler, raised: type) -> bool:
    if handler.type is None:
        return True
    kinds = evaluate(frame, handler.type)
    group = kinds if type(kinds) is tuple else (kinds,)
    if not all(type(kind) is type for kind in group):
        raise Unstageable("unsupported-statement", "an except clause with these classes", frame.site(handler))
    return any(kind is one for kind in group for one in bases_of(raised))


def _handle(frame: Frame, handler: ast.ExceptHandler, error: ExceptionValue) -> None:
    if handler.name:
        frame.store(handler.name, error)
    frame.handled.append(error)
    try:
        frame.stager.run(frame, handler.body)
    finally:
        frame.handled.pop()
        if handler.name:
            frame.bind(handler.name, UNBOUND)


def finally_(frame: Frame, node: ast.stmt, last: Callable[[], Any]) -> None:
    """Run `last` however the statements before it were left; where it leaves itself, that counts."""
    jump, kept = frame.env[JUMP], {name: value for name, value in frame.env.items() if is_implied(name)}
    frame.env[JUMP] = ON
    last()
    after = frame.env[JUMP]
    if isinstance(after, Number):
        raise Unstageable("unsupported-statement", "a jump out of `finally`", frame.site(node))
    if after == ON:
        frame.env.update({JUMP: jump, **kept})
