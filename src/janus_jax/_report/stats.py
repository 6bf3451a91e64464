"""What a function's calls came to, counted."""

from __future__ import annotations

import itertools
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stats:
    """How the calls of one function ended, and what they cost.

    `calls` is the sum of the five kinds of call. A call whose guard tripped is imperative, and a guard trip.
    """

    calls: int
    profiled_calls: int
    compiled_calls: int
    partial_calls: int
    coexecuted_calls: int
    imperative_calls: int
    guard_trips: int
    relaxations: int
    programs: int
    executables: int
    compile_seconds: float
    convert_seconds: float


class Tally:
    """A counter that threads may step together: one step is one call of C code."""

    __slots__ = ("_count", "step")

    def __init__(self) -> None:
        self._count = itertools.count()
        self.step = self._count.__next__

    @property
    def value(self) -> int:
        """How often `step` was called."""
        return int(repr(self._count)[len("count(") : -1])
