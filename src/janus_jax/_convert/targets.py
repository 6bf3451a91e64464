"""Binds the targets of assignments and loops."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from janus_jax._base import Unstageable
from janus_jax._convert import attributes, containers, iterables, objects
from janus_jax._convert.expressions import evaluate
from janus_jax._convert.frames import Frame


def assign(frame: Frame, target: ast.expr, value: Any) -> None:
    """Bind a target: a name, an attribute or item, or a tuple or list of targets."""
    match target:
        case ast.Name(id=name):
            frame.store(name, value)
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            _unpack(frame, targets, value)
        case ast.Starred(value=inner):
            assign(frame, inner, value)
        case _:
            _place(frame, target)[1](value)


def opened(frame: Frame, target: ast.expr) -> tuple[Any, Callable[[Any], None]]:
    """Return what a target is bound to, and how to bind it anew; its parts are evaluated once."""
    if isinstance(target, ast.Name):
        return frame.load(target.id), lambda value: frame.store(target.id, value)
    read, bind = _place(frame, target)
    return read(), bind


def _place(frame: Frame, target: ast.expr) -> tuple[Callable[[], Any], Callable[[Any], None]]:
    """Return how to read and how to bind an attribute or item."""
    stager = frame.stager
    assert isinstance(target, (ast.Attribute, ast.Subscript))
    owner = evaluate(frame, target.value)
    if isinstance(target, ast.Attribute):
        name = frame.mangled(target.attr)
        stager.site = frame.site(target)
        return lambda: attributes.read(stager, owner, name), lambda value: objects.write(stager, owner, name, value)
    index = evaluate(frame, target.slice)
    stager.site = frame.site(target)
    return lambda: attributes.item(stager, owner, index), lambda value: containers.set_item(stager, owner, index, value)


def unassign(frame: Frame, target: ast.expr) -> None:
    """Do `del target`."""
    match target:
        case ast.Name(id=name):
            frame.unbind(name)
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            for inner in targets:
                unassign(frame, inner)
        case ast.Attribute(value=owner, attr=name):
            objects.delete(frame.stager, evaluate(frame, owner), frame.mangled(name))
        case ast.Subscript(value=owner, slice=index):
            containers.delete_item(frame.stager, evaluate(frame, owner), evaluate(frame, index))
        case _:
            raise AssertionError(target)


def _unpack(frame: Frame, targets: Sequence[ast.expr], value: Any) -> None:
    items = iterables.items(frame.stager, value)
    stars = [index for index, target in enumerate(targets) if isinstance(target, ast.Starred)]
    if len(items) < len(targets) - len(stars) or (not stars and len(items) != len(targets)):
        raise Unstageable("raises", "ValueError: the number of values to unpack differs", frame.stager.site)
    if stars:
        star, extra = stars[0], len(items) - len(targets) + 1
        items = [*items[:star], items[star : star + extra], *items[star + extra :]]
    for target, item in zip(targets, items, strict=True):
        assign(frame, target, item)
