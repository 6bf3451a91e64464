"""The integers that a loop counts with: what bounds them in each iteration, so that counting needs no guard.

An induction over the iterations. The body is traced for bounds that hold as long as no iteration moves the integer
farther than `FARTHEST`, or sets it to anything beyond that; a body that does is traced again without these bounds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from janus_jax._values.number import Number
from janus_jax._values.number_bounds import INT64, Bounds, Drift, hull, lies_in, shifted
from janus_jax._values.template import NumberLeaf, Static, Template, number_leaf

FARTHEST: Bounds = (-(2**31), 2**31)


@dataclass(frozen=True, slots=True, eq=False)
class Counters:
    """The integers of a loop of at most `most` iterations: what each may be before it, and as any iteration begins.

    `mark` tells them from those of every other loop.
    """

    mark: object
    most: int
    before: dict[str, NumberLeaf]
    bounds: dict[str, Bounds]

    @classmethod
    def of(cls, most: int, initial: dict[str, Template]) -> Counters:
        """Return the counters among the variables, given what they are before the loop."""
        before = {name: leaf for name, template in initial.items() if (leaf := _as_integer(template)) is not None}
        bounds = {name: shifted(hull(leaf.bounds, FARTHEST), _times(most, FARTHEST)) for name, leaf in before.items()}
        return cls(object(), most, before, bounds).only(name for name, found in bounds.items() if lies_in(found, INT64))

    def only(self, names: Iterable[str]) -> Counters:
        """Return these of the counters."""
        kept = set(names)
        return Counters(
            self.mark,
            self.most,
            {name: leaf for name, leaf in self.before.items() if name in kept},
            {name: bounds for name, bounds in self.bounds.items() if name in kept},
        )

    def begin(self, name: str, value: Any) -> Any:
        """Return the variable as an iteration begins, with what is known of it."""
        if name not in self.bounds or not _is_integer(value):
            return value
        return replace(value, bounds=self.bounds[name], drift=Drift((self.mark, name)))

    def confirmed(self, after: dict[str, Template]) -> Counters:
        """Return those that an iteration leaves as was assumed, given what it leaves."""
        return self.only(name for name in self.bounds if name not in after or self._is_confirmed(name, after[name]))

    def _is_confirmed(self, name: str, template: Template) -> bool:
        moved = self._moved(name, template)
        return moved is not None and lies_in(moved.by, FARTHEST) and lies_in(moved.reset or (0, 0), FARTHEST)

    def _moved(self, name: str, template: Template) -> Drift | None:
        """Return how an iteration that leaves this has moved the counter; None where that is not known."""
        leaf = _as_integer(template)
        if leaf is None or leaf.drift is None:
            return leaf and Drift(name, reset=leaf.bounds)
        return leaf.drift if leaf.drift.since == (self.mark, name) else None

    def end(self, name: str, value: Any, template: Template | None) -> Any:
        """Return the variable behind the loop, with what is known of it, given what an iteration leaves."""
        if name not in self.bounds or not _is_integer(value) or template is None:
            return value
        moved, before = self._moved(name, template), self.before[name]
        assert moved is not None
        by = _times(self.most, moved.by)
        reset = moved.reset and shifted(moved.reset, by)
        drift = before.drift and before.drift.moved(by)
        if drift and reset:
            drift = Drift(drift.since, drift.by, hull(reset, drift.reset))
        return replace(value, bounds=hull(shifted(before.bounds, by), reset), drift=drift)


def _as_integer(template: Template) -> NumberLeaf | None:
    leaf = number_leaf(template.value) if isinstance(template, Static) else template
    return leaf if isinstance(leaf, NumberLeaf) and leaf.kind is int else None


def _is_integer(value: Any) -> bool:
    return isinstance(value, Number) and value.kind is int


def _times(most: int, by: Bounds) -> Bounds:
    """Return how far anything has moved after at most so many steps."""
    return most * min(by[0], 0), most * max(by[1], 0)
