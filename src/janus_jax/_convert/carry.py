"""What a rolled loop has to carry from one iteration to the next, and what follows from the iteration's number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import ClosedJaxpr, Literal

from janus_jax._jax import is_tracer


@dataclass(frozen=True, slots=True)
class Carry:
    """The leaves of a loop's variables before it; `known` are those that every iteration leaves as the same constant.

    The known ones are not carried: they are what they were in the first iteration, and that constant in all others.
    Most are codes of identity and jump codes: an operation each in every iteration, for nothing.
    """

    initial: Sequence[Any]
    known: dict[int, Any]

    @classmethod
    def of(cls, initial: Sequence[Any], body: ClosedJaxpr) -> Carry:
        """Return the carry of a loop with this body, whose first results are the leaves after an iteration."""
        after = zip(initial, body.jaxpr.outvars, strict=False)
        return cls(initial, {k: out.val for k, (leaf, out) in enumerate(after) if _is_known(leaf, out)})

    def narrow(self, leaves: Sequence[Any]) -> list[Any]:
        """Return the leaves that are carried."""
        return [leaf for k, leaf in enumerate(leaves) if k not in self.known]

    def widen(self, index: Any, carried: Sequence[Any]) -> list[Any]:
        """Return all leaves after `index` iterations, an int32 scalar."""
        rest: Iterator[Any] = iter(carried)
        return [self._known(k, index) if k in self.known else next(rest) for k in range(len(self.initial))]

    def _known(self, place: int, index: Any) -> Any:
        before, after = self.initial[place], self.known[place]
        constant = jnp.asarray(after, before.dtype)
        if not is_tracer(before) and np.asarray(before) == after:
            return constant
        return lax.select(index == jnp.int32(0), before, constant)


def _is_known(leaf: Any, after: Any) -> bool:
    """Return whether a leaf is a truth or an integer that every iteration leaves as the same constant."""
    return isinstance(after, Literal) and not jnp.issubdtype(leaf.dtype, jnp.inexact) and not leaf.weak_type
