"""`raise` and `try`: an exception that is certain while converting is caught as Python would; any other is a guard."""

from __future__ import annotations

import ast
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from janus_jax._base import Unstageable
from janus_jax._base.objects import bases_of
from janus_jax._convert.expressions import evaluate
from janus_jax._convert.frames import JUMP, ON, RETURN, Frame
from janus_jax._convert.stager import Raised, Stager
from janus_jax._values.kinds import UNBOUND, ExceptionValue
from janus_jax._values.number import Number


def run_raise(frame: Frame, node: ast.Raise) -> None:
    """Raise an exception: to a handler of the function around, or for plain Python to raise it."""
    if not frame.stager.handlers:
        raise Unstageable("raises", "a raise statement", frame.site(node))
    if node.exc is None:
        handled = frame.handled[-1] if frame.handled else None
        if handled is None:
            raise Unstageable("raises", "a raise statement", frame.site(node))
        raise Raised(handled, frame.site(node))
    value = evaluate(frame, node.exc)
    if isinstance(value, type):
        value = frame.stager.call(value, [], {}) if issubclass(value, BaseException) else value
    if not isinstance(value, ExceptionValue):
        raise Unstageable("raises", "a raise statement", frame.site(node))
    raise Raised(value, frame.site(node))


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
        with _handlers(stager, bool(node.handlers or node.finalbody)):
            stager.run(frame, node.body)
    except Raised as raised:
        handler = next((one for one in node.handlers if _catches(frame, one, raised.error)), None)
        if handler is None:
            raise
        error = raised.error
    else:
        frame.stager.run_rest(frame, node, node.orelse)
        return
    _handle(frame, handler, error)


@contextmanager
def _handlers(stager: Stager, has_handlers: bool) -> Generator[None]:
    stager.handlers += has_handlers
    try:
        yield
    finally:
        stager.handlers -= has_handlers


def _catches(frame: Frame, handler: ast.ExceptHandler, error: ExceptionValue) -> bool:
    if handler.type is None:
        return True
    kinds = evaluate(frame, handler.type)
    group = kinds if type(kinds) is tuple else (kinds,)
    if not all(type(kind) is type for kind in group):
        raise Unstageable("unsupported-statement", "an except clause with these classes", frame.site(handler))
    return any(kind is one for kind in group for one in bases_of(error.kind))


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
    jump, result = frame.env[JUMP], frame.env.get(RETURN, UNBOUND)
    frame.env[JUMP] = ON
    last()
    after = frame.env[JUMP]
    if isinstance(after, Number):
        raise Unstageable("unsupported-statement", "a jump out of `finally`", frame.site(node))
    if after == ON:
        frame.env.update({JUMP: jump, RETURN: result})
