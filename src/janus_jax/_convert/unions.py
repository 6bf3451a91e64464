"""Operations on values whose type only the run knows: once for each alternative, and the results merged."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import jaxpr_as_fun

from janus_jax._base import Unstageable
from janus_jax._convert.identity import distinct
from janus_jax._convert.stager import Stager
from janus_jax._values.build import build
from janus_jax._values.join import join
from janus_jax._values.kinds import Conflict, Union, leaves_of
from janus_jax._values.layout import conform, select
from janus_jax._values.number import wide
from janus_jax._values.template import (
    ArrayLeaf,
    Either,
    Group,
    Static,
    Table,
    Template,
    flatten,
    is_named_tuple,
    is_scalar,
)


def find_union(value: Any) -> Union | None:
    """Return a union that is, or is held by, `value`."""
    return next((leaf for leaf in leaves_of(value) if isinstance(leaf, Union)), None)


def _chosen(value: Any, union: Union, tag: int) -> Any:
    """Return `value` where the unions that share their tag with `union` are alternative number `tag`."""
    if isinstance(value, Union):
        return value.alternatives[tag] if value.tag is union.tag else value
    if find_union(value) is None:
        return value
    if isinstance(value, slice):
        return slice(*(_chosen(part, union, tag) for part in (value.start, value.stop, value.step)))
    if type(value) is dict:
        return {key: _chosen(item, union, tag) for key, item in value.items()}
    items = [_chosen(item, union, tag) for item in value]
    return type(value)(*items) if is_named_tuple(value) else type(value)(items)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an operation gives for one alternative: `outputs()` are the leaves of `template`, and the trip code last."""

    tag: int
    template: Template
    outputs: Callable[[], Sequence[Any]]
    has_code: bool
    inline: bool  # computed already, whatever the value is
    given: Sequence[Any]  # what may be handed on as it is


def spread(stager: Stager, operation: Callable[..., Any], values: Sequence[Any]) -> Any:
    """Return `operation(*values)` where some values are, or hold, unions.

    An alternative for which Python would raise is excluded by a guard.
    """
    union = find_union(list(values))
    assert union is not None
    outcomes: list[Outcome] = []
    refusal: Unstageable | None = None
    for tag in range(len(union.alternatives)):
        mark = stager.mark()
        chosen = [_chosen(value, union, tag) for value in values]
        try:
            outcomes.append(_outcome(stager, tag, operation, chosen))
        except Unstageable as end:
            if end.reason_id not in ("raises", "truth-of-array"):
                raise
            stager.reset(mark)
            refusal = end
            _exclude(stager, union, tag)
    if not outcomes:
        assert refusal is not None
        raise refusal
    return _merged(stager, union.tag, outcomes)


def _apply(stager: Stager, operation: Callable[..., Any], values: list[Any]) -> Any:
    if find_union(values) is not None:
        return spread(stager, operation, values)
    return operation(*values)


def _outcome(stager: Stager, tag: int, operation: Callable[..., Any], values: list[Any]) -> Outcome:
    """Do the operation for one alternative; as a branch of its own where derivatives may pass through it.

    What is computed for an alternative that the value is not may be infinite, and so may its derivative: selecting
    among results would make NaN of it.
    """
    mark = stager.mark()
    with stager.inner() as scope:
        template, leaves = _flatten_result(stager, operation, values)
    code = [] if scope.code is None else [scope.code]
    if not _is_differentiable(template):
        return Outcome(tag, template, lambda: [*leaves, *code], bool(code), True, leaves)
    stager.reset(mark)
    found: list[Template] = []

    def region() -> list[Any]:
        template, leaves = _flatten_result(stager, operation, values)
        found.append(template)
        return [*leaves, *([] if stager.scope.code is None else [stager.scope.code])]

    with stager.inner():
        jaxpr = stager.trace(region)
    return Outcome(tag, found[0], jaxpr_as_fun(jaxpr), bool(code), False, jaxpr.consts)


def _flatten_result(stager: Stager, operation: Callable[..., Any], values: list[Any]) -> tuple[Template, list[Any]]:
    result = _apply(stager, operation, values)
    if stager.heap.changed():
        raise Unstageable("branch-types-differ", "an object is changed, of which kind only the run knows", stager.site)
    return flatten(result, stager.identities, stager.heap.region)


def _is_differentiable(template: Template) -> bool:
    """Return whether a float array is in a value that consists of arrays, numbers and constants only."""
    match template:
        case ArrayLeaf(dtype=dtype):
            return jnp.issubdtype(dtype, jnp.inexact)
        case Group(children=children) | Table(children=children) | Either(children):
            objects = any(isinstance(child, Static) and not is_scalar(child.value) for child in children)
            return not objects and any(map(_is_differentiable, children))
        case _:
            return False


def _exclude(stager: Stager, union: Union, tag: int) -> None:
    with wide():
        stager.guard(union.tag != np.int32(tag), "the value is of a type that the operation takes", "bound")


def _merged(stager: Stager, tag: Any, outcomes: Sequence[Outcome]) -> Any:
    template = functools.reduce(join, (outcome.template for outcome in outcomes))
    has_code = any(outcome.has_code for outcome in outcomes)
    tags = [outcome.tag for outcome in outcomes]

    def side(outcome: Outcome) -> Callable[[], list[Any]]:
        def outputs() -> list[Any]:
            leaves = list(outcome.outputs())
            code = [leaves.pop() if outcome.has_code else jnp.int32(0)] if has_code else []
            return [jnp.asarray(x) for x in (*conform(outcome.template, leaves, template, stager.constant), *code)]

        return outputs

    sides = [side(outcome) for outcome in outcomes]
    with wide():
        if len(sides) == 1 or all(outcome.inline for outcome in outcomes):
            leaves = [select(tag, tags, column) for column in zip(*(one() for one in sides), strict=True)]
        else:
            position = select(tag, tags, [np.int32(place) for place in range(len(tags))])
            leaves = list(lax.switch(position, sides))
    if has_code:
        stager.add_code(leaves.pop())
    given = [leaf for outcome in outcomes for leaf in outcome.given]
    value = build(template, iter(distinct(leaves, given)), stager.identities, frozenset())
    if isinstance(value, Conflict):
        raise Unstageable("branch-types-differ", value.detail, stager.site)
    return value


def choose(stager: Stager, predicate: Any, true: Any, false: Any) -> Any:
    """Return one of two values, as a traced boolean says."""
    (mine, own), (theirs, other) = (flatten(value, stager.identities) for value in (true, false))
    joined = join(mine, theirs)
    with wide():
        columns = [
            [jnp.asarray(x) for x in conform(template, leaves, joined, stager.constant)]
            for template, leaves in ((mine, own), (theirs, other))
        ]
        leaves = [lax.select(jnp.broadcast_to(predicate, a.shape), a, b) for a, b in zip(*columns, strict=True)]
    value = build(joined, iter(distinct(leaves, [*own, *other])), stager.identities, frozenset())
    if isinstance(value, Conflict):
        raise Unstageable("branch-types-differ", value.detail, stager.site)
    return value
