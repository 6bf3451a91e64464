"""Operations on values whose type only the run knows: once for each alternative, and the results merged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from janus_jax._base import Unstageable
from janus_jax._convert.stager import Stager
from janus_jax._values.build import build
from janus_jax._values.join import join
from janus_jax._values.kinds import Conflict, Union
from janus_jax._values.layout import conform, select
from janus_jax._values.number import wide
from janus_jax._values.template import flatten, is_named_tuple


def find_union(value: Any) -> Union | None:
    """Return a union that is, or is held by, `value`."""
    if isinstance(value, Union):
        return value
    if isinstance(value, slice):
        return find_union((value.start, value.stop, value.step))
    items = value.values() if type(value) is dict else value if isinstance(value, tuple | list) else ()
    return next((found for item in items if (found := find_union(item)) is not None), None)


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


def spread(stager: Stager, operation: Callable[..., Any], values: Sequence[Any]) -> Any:
    """Return `operation(*values)` where some values are, or hold, unions.

    An alternative for which Python would raise is excluded by a guard.
    """
    union = find_union(list(values))
    assert union is not None
    results: list[tuple[int, Any]] = []
    refusal: Unstageable | None = None
    for tag in range(len(union.alternatives)):
        mark = stager.mark()
        try:
            with stager.inner() as scope:
                result = _apply(stager, operation, [_chosen(value, union, tag) for value in values])
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


def _apply(stager: Stager, operation: Callable[..., Any], values: list[Any]) -> Any:
    if find_union(values) is not None:
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
