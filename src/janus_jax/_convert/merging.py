"""Merges the two sides of a branch: what only a side can compute through a `cond`, everything else by a select."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import ClosedJaxpr, Literal, jaxpr_as_fun

from janus_jax._jax import is_tracer

# So many operations on truths and jump codes are done whatever the test says.
BOOKKEEPING = 12


class _InSide:
    """Stands for a leaf that only the side itself can compute."""


_IN_SIDE: Any = _InSide()


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a branch: what it computes, and how the leaves of both sides are brought to one layout.

    `moves_only` says that `lay_out` moves leaves and computes nothing from them.
    """

    jaxpr: ClosedJaxpr
    lay_out: Callable[[Sequence[Any]], list[Any]]
    moves_only: bool

    def run(self) -> list[Any]:
        """Return the leaves, computed here and now."""
        return list(map(_as_array, self.lay_out(jaxpr_as_fun(self.jaxpr)())))

    def known(self) -> list[Any]:
        """Return the leaves as far as they are constants or come from outside of the side."""
        closed = self.jaxpr
        consts = dict(zip(closed.jaxpr.constvars, closed.consts, strict=True))
        outs = closed.jaxpr.outvars
        return self.lay_out([out.val if isinstance(out, Literal) else consts.get(out, _IN_SIDE) for out in outs])


def merge(predicate: Any, sides: tuple[Side, Side]) -> list[Any]:
    """Return the leaves of the first side where `predicate` is true, else those of the second."""
    if all(_is_bookkeeping(side.jaxpr) for side in sides):
        return [_either(predicate, *pair) for pair in zip(*(side.run() for side in sides), strict=True)]
    if not all(side.moves_only for side in sides):
        return list(lax.cond(predicate, sides[0].run, sides[1].run))
    known = [_outside(predicate, *pair) for pair in zip(*(side.known() for side in sides), strict=True)]
    places = [place for place, leaf in enumerate(known) if leaf is _IN_SIDE]
    pick = lambda side: lambda: [leaf for place, leaf in enumerate(side.run()) if place in places]  # noqa: E731
    computed = iter(lax.cond(predicate, pick(sides[0]), pick(sides[1])) if places else ())
    return [next(computed) if leaf is _IN_SIDE else leaf for leaf in known]


def _outside(predicate: Any, true: Any, false: Any) -> Any:
    """Return the leaf of the side that is taken; `_IN_SIDE` unless both are the same, or scalars known without it."""
    if true is _IN_SIDE or false is _IN_SIDE or true is false:
        return true if true is false else _IN_SIDE
    true, false = _as_array(true), _as_array(false)
    if true.ndim or not isinstance(true.dtype, np.dtype):
        return _IN_SIDE
    known = not is_tracer(true) and not is_tracer(false) and np.asarray(true).tobytes() == np.asarray(false).tobytes()
    return true if known else lax.select(predicate, true, false)


def _either(predicate: Any, true: Any, false: Any) -> Any:
    return true if true is false else lax.select(predicate, true, false)


def _as_array(leaf: Any) -> Any:
    return leaf if isinstance(leaf, jax.Array) else jnp.asarray(leaf)


def _is_bookkeeping(jaxpr: ClosedJaxpr) -> bool:
    """Return whether a side computes nothing but a few truths and jump codes: cheaper to do than to jump over."""
    computed = [v.aval for equation in jaxpr.jaxpr.eqns for v in equation.outvars]
    cheap = all(getattr(a, "shape", None) == () and not jnp.issubdtype(a.dtype, jnp.inexact) for a in computed)
    return cheap and len(computed) <= BOOKKEEPING and not any(map(_has_body, jaxpr.jaxpr.eqns))


def _has_body(equation: Any) -> bool:
    return any(hasattr(parameter, "jaxpr") or isinstance(parameter, tuple) for parameter in equation.params.values())
