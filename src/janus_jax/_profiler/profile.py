"""What was seen of a function: plain data, per site and chain of calls."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias

from janus_jax._base import Site

# The sites of the calls that led to a function, the last call last.
Context: TypeAlias = tuple[Site, ...]

CONTEXT_DEPTH = 3


def extended(context: Context, site: Site) -> Context:
    """Return the context of a function that is called at `site` by one whose context is `context`."""
    return (*context, site)[-CONTEXT_DEPTH:]


@dataclass(frozen=True, slots=True)
class BranchCounts:
    """How often each arm ran: the true one first."""

    arms: tuple[int, ...] = (0, 0)

    @property
    def total(self) -> int:
        """How often the branch was decided."""
        return sum(self.arms)

    def join(self, other: BranchCounts) -> BranchCounts:
        """Return the counts of both together."""
        return BranchCounts(tuple(mine + theirs for mine, theirs in zip(self.arms, other.arms, strict=True)))

    def __str__(self) -> str:
        return f"true {self.arms[0]}, false {self.arms[1]}"


@dataclass(frozen=True, slots=True)
class TripCounts:
    """How often the body of a loop ran, over all `executions` of the loop."""

    executions: int
    minimum: int
    maximum: int
    total: int

    def join(self, other: TripCounts) -> TripCounts:
        """Return the counts of both together."""
        return TripCounts(
            self.executions + other.executions,
            min(self.minimum, other.minimum),
            max(self.maximum, other.maximum),
            self.total + other.total,
        )

    def __str__(self) -> str:
        trips = str(self.minimum) if self.minimum == self.maximum else f"{self.minimum} to {self.maximum}"
        return f"{self.executions} executions, {trips} iterations each, {self.total} in all"


class Profile:
    """The facts of some calls. Threads may add to it and read it at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._branches: dict[Site, dict[Context, BranchCounts]] = {}
        self._loops: dict[Site, dict[Context, TripCounts]] = {}
        self._calls = 0

    def renew_lock(self) -> None:
        """Replace the lock after a fork, where another thread may have held it."""
        self._lock = threading.Lock()

    @property
    def calls(self) -> int:
        """How many calls the facts are from."""
        return self._calls

    def branch(self, context: Context, site: Site) -> BranchCounts:
        """Return how often the arms at `site` ran in `context`; zeros when the branch was never decided.

        A context that was never seen is answered with the facts of all contexts together: they are the best guess
        for code behind a branch that was not taken, and for a function that a library called.
        """
        with self._lock:
            seen = self._branches.get(site, {})
            return seen[context] if context in seen else reduce(BranchCounts.join, seen.values(), BranchCounts())

    def trips(self, context: Context, site: Site) -> TripCounts | None:
        """Return how often the loop at `site` ran in `context`, or, if that was never seen, in all contexts."""
        with self._lock:
            seen = self._loops.get(site, {})
            return seen[context] if context in seen else reduce(TripCounts.join, seen.values()) if seen else None

    def add_branch(self, context: Context, site: Site, counts: BranchCounts) -> None:
        """Add what was seen of one branch."""
        with self._lock:
            seen = self._branches.setdefault(site, {})
            seen[context] = seen[context].join(counts) if context in seen else counts

    def add_loop(self, context: Context, site: Site, counts: TripCounts) -> None:
        """Add what was seen of one loop."""
        with self._lock:
            seen = self._loops.setdefault(site, {})
            seen[context] = seen[context].join(counts) if context in seen else counts

    def add_call(self) -> None:
        """Count one more call as seen."""
        with self._lock:
            self._calls += 1

    def join(self, other: Profile) -> None:
        """Add the facts of `other`, which stays as it is."""
        # a copy first: no thread ever holds both locks
        branches, loops, calls = other._copy()
        for context, site, branch in branches:
            self.add_branch(context, site, branch)
        for context, site, trips in loops:
            self.add_loop(context, site, trips)
        with self._lock:
            self._calls += calls

    def _copy(self) -> tuple[list[tuple[Context, Site, BranchCounts]], list[tuple[Context, Site, TripCounts]], int]:
        with self._lock:
            branches = [
                (context, site, counts) for site, seen in self._branches.items() for context, counts in seen.items()
            ]
            loops = [(context, site, counts) for site, seen in self._loops.items() for context, counts in seen.items()]
            return branches, loops, self._calls

    def __str__(self) -> str:
        return "\n".join([f"{self._calls} calls", *self._lines()])

    def _lines(self) -> Iterator[str]:
        branches, loops, _ = self._copy()
        for context, site, counts in sorted([*branches, *loops], key=lambda fact: (fact[1], fact[0])):
            called = "".join(f", called at {caller}" for caller in reversed(context))
            yield f"{site} {site.kind}{called}: {counts}"
