"""A loop that is to be rolled, and what a jump means at the end of an iteration and behind the loop."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import ClosedJaxpr

from janus_jax._convert.frames import BREAK, CONTINUE, JUMP, ON, Frame
from janus_jax._convert.scopes import jumps_out, returns
from janus_jax._convert.stager import Stager
from janus_jax._speculation import Key
from janus_jax._values.layout import conform
from janus_jax._values.number import Number, wide
from janus_jax._values.template import Absent, NumberLeaf, Template


@dataclass(frozen=True, slots=True)
class Output:
    """What each iteration puts behind a list: so many elements of this template."""

    element: Template
    count: int


@dataclass(slots=True)
class Round:
    """What one trace of a loop's body has shown."""

    jaxpr: ClosedJaxpr | None = None
    after: dict[str, Template] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    growing: list[str] = field(default_factory=list)  # lists that the body makes longer, not known to be outputs
    outputs: dict[str, Output] = field(default_factory=dict)
    discovered: list[str] = field(default_factory=list)  # objects that the body changes, of which nobody knew
    has_code: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """A loop to be rolled.

    `count` is the number of iterations where it is known before the loop begins, at conversion or at run time.
    `test` is evaluated before the loop and at the end of every iteration; None for a loop that only counts.
    `rows` are arrays of which iteration k gets row k.
    """

    frame: Frame
    node: ast.For | ast.While
    key: Key
    body: Callable[[Number, Callable[[], Any]], None]
    test: Callable[[], Any] | None
    count: int | Number | None
    rows: Sequence[Any] = ()


def runs_exactly(loop: Loop, templates: dict[str, Template]) -> bool:
    """Return whether a loop that carries this runs as often as is known while converting."""
    return isinstance(loop.count, int) and loop.test is None and not isinstance(templates[JUMP], NumberLeaf)


def next_iteration(frame: Frame, node: ast.For | ast.While, jump: Any) -> Any:
    """Return the jump code at the end of an iteration: `continue` has done its work."""
    if not isinstance(jump, Number):
        return ON if jump == CONTINUE else jump
    if not (jumps_out(node.body) or frame.jumps):
        return ON
    with wide():
        on = lax.select(jump.value == CONTINUE, jnp.int64(ON), jump.value)
    return Number(int, on, jump.origin)


def leave(frame: Frame, node: ast.For | ast.While, jump: Any) -> Any:
    """Return the jump code behind a loop: `break` has done its work, `return` goes on."""
    if not isinstance(jump, Number):
        return ON if jump == BREAK else jump
    if not (returns(node.body) or frame.jumps):
        return ON
    with wide():
        after = lax.select(jump.value == BREAK, jnp.int64(ON), jump.value)
    return Number(int, after, jump.origin)


def laid_out(
    stager: Stager, templates: dict[str, Template], found: dict[str, Template], own: dict[str, Any]
) -> list[Any]:
    """Return the leaves of all carried variables, in the layout of `templates`."""
    leaves: list[Any] = []
    for name, template in templates.items():
        if not isinstance(template, Absent):
            leaves.extend(conform(found[name], own[name], template, stager.constant))
    return [leaf if isinstance(leaf, jax.Array) else jnp.asarray(leaf) for leaf in leaves]
