"""Operations on values whose type only the run knows: once for each alternative, and the results merged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from janus_jax._base import Unstageable
from janus_jax._convert.stager import Stager
from janus_jax._values.kinds import Conflict, Union
from janus_jax._values.number import wide
from janus_jax._values.templates import build, conform, flatten, join, select

MAX_COMBINATIONS = 16


def spread(stager: Stager, operation: Callable[..., Any], values: Sequence[Any]) -> Any:
    """Return `operation(*values)` where some values are unions.

    An alternative for which Python would raise is excluded by a guard.
    """
    place = next(index for index, value in enumerate(values) if isinstance(value, Union))
    union: Union = values[place]
    results: list[tuple[int, Any]] = []
    refusal: Unstageable | None = None
    for tag, alternative in enumerate(union.alternatives):
        mark = stager.mark()
        chosen = [*values[:place], alternative, *values[place + 1 :]]
        try:
            with stager.inner() as scope:
                result = _apply(stager, operation, chosen)
            results.append((tag, result))
            _add_code_where(stager, union, tag, scope.code)
        except Unstageable as end:
            if end.reason_id not in ("raises", "truth-of-array"):
                raise
            stager.reset(mark)
            refusal = end
            _exclude(stager, union, tag)
    if not results:
        assert refusal is not None
        raise refusal
    return _merged(stager, union.tag, results)


def _apply(stager: Stager, operation: Callable[..., Any], values: Sequence[Any]) -> Any:
    if any(isinstance(value, Union) for value in values):
        return spread(stager, operation, values)
    return operation(*values)


def _add_code_where(stager: Stager, union: Union, tag: int, code: Any) -> None:
    """A guard of one alternative counts only where that alternative is the value."""
    if code is not None:
        with wide():
            stager.add_code(lax.select(union.tag == np.int32(tag), code, jnp.int32(0)))


def _exclude(stager: Stager, union: Union, tag: int) -> None:
    with wide():
        stager.guard(union.tag != np.int32(tag), "the value is of a type that the operation takes", "bound")


def _merged(stager: Stager, tag: Any, results: Sequence[tuple[int, Any]]) -> Any:
    flat = [(number, *flatten(result, stager.identities)) for number, result in results]
    template = flat[0][1]
    for _, other, _ in flat[1:]:
        template = join(template, other)
    with wide():
        own = [conform(each, leaves, template, stager.constant) for _, each, leaves in flat]
        leaves = [select(tag, [number for number, _, _ in flat], column) for column in zip(*own, strict=True)]
    value = build(template, iter(leaves), stager.identities, frozenset())
    if isinstance(value, Conflict):
        raise Unstageable("branch-types-differ", value.detail, stager.site)
    return value

