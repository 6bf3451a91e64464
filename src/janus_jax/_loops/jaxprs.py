"""Jaxprs as values: traced with their constants as operands, run, asked what reaches what.

Everything here takes types from values and jaxprs, never from dtype names, and computes with `lax` only: under 32 bits
outside and 64 bits inside, `jnp` and `ShapeDtypeStruct` would narrow without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import ClosedJaxpr, Literal, jaxpr_as_fun
from jax.extend.core.primitives import convert_element_type_p
from jax.interpreters import ad, partial_eval

from janus_jax._jax import convert_constvars_jaxpr

T = TypeVar("T")

INT32 = np.dtype("int32")

# Calls whose inner jaxpr has the operands and results of the equation, in order.
_CALLS = frozenset({"jit", "pjit", "closed_call", "core_closed_call", "checkpoint", "remat2"})


@dataclass(frozen=True)
class Traced:
    """A jaxpr without constants; `consts` are the values of its first operands."""

    jaxpr: ClosedJaxpr
    consts: tuple[Any, ...]


def trace(fun: Callable[..., Sequence[Any]], avals: Iterable[Any]) -> Traced:
    """Return `fun` as a jaxpr over `avals`, what it closes over as leading operands."""
    avals = tuple(avals)
    closed = jax.make_jaxpr(fun)(*avals)
    if not closed.consts:
        return Traced(closed, ())
    return Traced(ClosedJaxpr(convert_constvars_jaxpr(closed.jaxpr), ()), tuple(closed.consts))


def run(jaxpr: ClosedJaxpr, values: Iterable[Any]) -> list[Any]:
    """Return the results of `jaxpr` on `values`, as operations of the current trace."""
    return jaxpr_as_fun(jaxpr)(*values)


def pruned(
    jaxpr: ClosedJaxpr, keep: Sequence[bool], stay: Sequence[bool] | None = None
) -> tuple[ClosedJaxpr, tuple[bool, ...]]:
    """Return `jaxpr` with the results in `keep` and the operands they need or that `stay`, and which those are."""
    stay = [False] * len(jaxpr.in_avals) if stay is None else list(stay)
    small, used = partial_eval.dce_jaxpr(jaxpr.jaxpr, list(keep), stay)
    return ClosedJaxpr(small, ()), tuple(used)


def split(values: Sequence[T], *sizes: int) -> list[tuple[T, ...]]:
    """Return `values` cut into pieces of `sizes`, and what is left as the last piece."""
    pieces: list[tuple[T, ...]] = []
    start = 0
    for size in sizes:
        pieces.append(tuple(values[start : start + size]))
        start += size
    return [*pieces, tuple(values[start:])]


def chosen(values: Sequence[T], flags: Sequence[bool]) -> tuple[T, ...]:
    """Return those `values` whose flag is set."""
    return tuple(value for value, flag in zip(values, flags, strict=True) if flag)


def spread(values: Iterable[Any], flags: Sequence[bool], others: Sequence[Any]) -> tuple[Any, ...]:
    """Return `others` with the next of `values` wherever a flag is set."""
    rest: Iterator[Any] = iter(values)
    return tuple(next(rest) if flag else other for flag, other in zip(flags, others, strict=True))


def inexact(aval: Any) -> bool:
    """Return whether values of this type have tangents of their own type."""
    return bool(jnp.issubdtype(aval.dtype, np.inexact))


def strong(aval: Any) -> Any:
    """Return `aval` without its weak type: what a loop writes has a dtype that nothing promotes."""
    return aval.update(weak_type=False)


def as_type(value: Any, aval: Any) -> Any:
    """Return `value`, weakly typed exactly if `aval` is."""
    if jax.typeof(value).weak_type == aval.weak_type:
        return value
    return convert_element_type_p.bind(value, new_dtype=aval.dtype, weak_type=aval.weak_type, sharding=None)


def zeros(aval: Any) -> Any:
    """Return zeros of this type; of random keys, the keys with zero bits."""
    if jnp.issubdtype(aval.dtype, jax.dtypes.extended):
        return lax.full(aval.shape, 0, aval.dtype)
    return ad.zeros_like_aval(aval)


def same_type(one: Any, other: Any) -> bool:
    """Return whether two types agree in shape, dtype and weak type."""
    return one.shape == other.shape and one.dtype == other.dtype and one.weak_type == other.weak_type


def depends(jaxpr: ClosedJaxpr, sources: Sequence[bool]) -> list[bool]:
    """Return which results may depend on the operands in `sources`."""
    return _reach(jaxpr.jaxpr, sources, lambda _: True)


def tangents_reach(jaxpr: ClosedJaxpr, sources: Sequence[bool]) -> list[bool]:
    """Return which results may carry a tangent when the operands in `sources` do: integers and keys never do."""
    return _reach(jaxpr.jaxpr, sources, inexact)


def _reach(jaxpr: Any, sources: Sequence[bool], admits: Callable[[Any], bool]) -> list[bool]:
    marked = {var for var, source in zip(jaxpr.invars, sources, strict=True) if source}
    for equation in jaxpr.eqns:
        flags = [not isinstance(atom, Literal) and atom in marked for atom in equation.invars]
        if any(flags):
            outs = _reach_equation(equation, flags, admits)
            marked.update(v for v, out in zip(equation.outvars, outs, strict=True) if out and admits(v.aval))
    return [not isinstance(atom, Literal) and atom in marked for atom in jaxpr.outvars]


def _reach_equation(equation: Any, flags: list[bool], admits: Callable[[Any], bool]) -> list[bool]:
    everything = [True] * len(equation.outvars)
    if equation.primitive.name == "stop_gradient" and admits is inexact:
        return [False]
    if equation.primitive.name not in _CALLS:
        return everything
    inner = equation.params.get("jaxpr", equation.params.get("call_jaxpr"))
    inner = getattr(inner, "jaxpr", inner)
    if inner is None or len(inner.invars) != len(flags):
        return everything
    return _reach(inner, flags, admits)
