"""Between what an integer lies, where that is known: what cannot overflow needs no guard.

Interval arithmetic in Python's own integers, after R. E. Moore, "Interval Analysis" (1966), chapter 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Bounds: TypeAlias = tuple[int, int]
"""The smallest and the largest value that an integer can have."""

INT32: Bounds = (-(2**31), 2**31 - 1)
INT64: Bounds = (-(2**63), 2**63 - 1)
BOOL: Bounds = (0, 1)


@dataclass(frozen=True, slots=True)
class Drift:
    """How far an integer has moved since the iteration of a loop began.

    It is what it was then and something in `by` more, or something in `reset` where it has been set anew; `since`
    tells apart the variables whose iteration is meant.
    """

    since: object
    by: Bounds = (0, 0)
    reset: Bounds | None = None

    def moved(self, by: Bounds) -> Drift:
        """Return the drift of an integer that moves on by something in `by`."""
        return Drift(self.since, shifted(self.by, by), self.reset and shifted(self.reset, by))


def shifted(bounds: Bounds, by: Bounds) -> Bounds:
    """Return the bounds of the sum of something in `bounds` and something in `by`."""
    return bounds[0] + by[0], bounds[1] + by[1]


def hull(bounds: Bounds, *others: Bounds | None) -> Bounds:
    """Return the bounds of what lies in one of these; None stands for no bounds to regard."""
    found = [bounds, *(other for other in others if other is not None)]
    return min(low for low, _ in found), max(high for _, high in found)


def drift_of_either(first: tuple[Bounds, Drift | None], second: tuple[Bounds, Drift | None]) -> Drift | None:
    """Return the drift of one of two integers, given the bounds and the drift of each; None where none is known."""
    (bounds, left), (others, right) = first, second
    if left is None or right is None:
        drift, anew = (left, others) if right is None else (right, bounds)
        return drift and Drift(drift.since, drift.by, hull(anew, drift.reset))
    if left.since != right.since:
        return None
    reset = left.reset or right.reset
    return Drift(left.since, hull(left.by, right.by), reset and hull(reset, right.reset))


def lies_in(bounds: Bounds | None, outer: Bounds) -> bool:
    """Return whether an integer between `bounds`, None for any, always lies between `outer`."""
    return bounds is not None and outer[0] <= bounds[0] and bounds[1] <= outer[1]


def of_result(symbol: str, left: Bounds, right: Bounds) -> Bounds | None:
    """Return the bounds of `left <symbol> right`; None where there are none to know, or the operation can raise."""
    match symbol:
        case "+":
            return left[0] + right[0], left[1] + right[1]
        case "-":
            return left[0] - right[1], left[1] - right[0]
        case "*":
            corners = [a * b for a in left for b in right]
            return min(corners), max(corners)
        case "//" if right[0] > 0:
            corners = [a // b for a in left for b in right]
            return min(corners), max(corners)
        case "%" if right[0] > 0:
            return 0, min(right[1] - 1, left[1]) if left[0] >= 0 else right[1] - 1
        case _:
            return None


def drift_of_result(symbol: str, left: tuple[Bounds, Drift | None], right: tuple[Bounds, Drift | None]) -> Drift | None:
    """Return the drift of `left <symbol> right`, given the bounds and the drift of each; None where none is known."""
    if symbol == "+":
        (_, drift), (by, _) = (left, right) if left[1] else (right, left)
        return drift and drift.moved(by)
    if symbol == "-" and left[1] is not None:
        low, high = right[0]
        return left[1].moved((-high, -low))
    return None
