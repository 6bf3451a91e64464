"""Hooks that count, in C: a count costs 40 ns, shows no frame, and cannot be torn by an interrupt."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count, pairwise

from janus_jax._profiler.profile import BranchCounts, TripCounts


def _counter() -> Callable[[], int]:
    # from one, because what a hook in an expression returns must be true
    return count(1).__next__


@dataclass(frozen=True, slots=True, eq=False)
class BranchHooks:
    """Counts the arms of one branch."""

    first: Callable[[], int] = field(default_factory=_counter)
    second: Callable[[], int] = field(default_factory=_counter)

    def counts(self) -> BranchCounts:
        """Return how often each arm began; to be asked once, because asking counts as well."""
        return BranchCounts((self.first() - 1, self.second() - 1))


class LoopHooks:
    """Counts the iterations of one loop.

    Entering draws a number from the same counter as an iteration and keeps it; so the iterations of each execution
    are the numbers between two that were kept. Executions that overlap (recursion in one context, generators,
    threads) share out their iterations wrongly; the sum is right all the same.
    """

    __slots__ = ("_marks", "enter", "tick")

    def __init__(self) -> None:
        self._marks = array("q")
        self.enter = self._marks.append
        self.tick = _counter()

    def counts(self) -> TripCounts | None:
        """Return what was counted, None if the loop was never entered; to be asked once."""
        marks = [*self._marks, self.tick()]
        # two threads may have kept their numbers in the other order
        trips = [max(0, after - before - 1) for before, after in pairwise(marks)]
        return TripCounts(len(trips), min(trips), max(trips), sum(trips)) if trips else None
