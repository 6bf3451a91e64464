"""Between what an integer lies, where that is known: what cannot overflow needs no guard.

Interval arithmetic in Python's own integers, after R. E. Moore, "Interval Analysis" (1966), chapter 2.
"""

from __future__ import annotations

from typing import TypeAlias

Bounds: TypeAlias = tuple[int, int]
"""The smallest and the largest value that an integer can have."""

INT32: Bounds = (-(2**31), 2**31 - 1)
INT64: Bounds = (-(2**63), 2**63 - 1)
BOOL: Bounds = (0, 1)


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
