"""Binds the targets of assignments and loops."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from janus_jax._base import Unstageable
from janus_jax._convert import iterables
from janus_jax._convert.frames import Frame


def assign(frame: Frame, target: ast.expr, value: Any) -> None:
    """Bind a target: a local name, or a tuple or list of targets."""
    match target:
        case ast.Name(id=name):
            frame.store(name, value)
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            _unpack(frame, targets, value)
        case ast.Starred(value=inner):
            assign(frame, inner, value)
        case _:
            raise Unstageable("heap-write", "an assignment to an attribute or item", frame.site(target))


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
