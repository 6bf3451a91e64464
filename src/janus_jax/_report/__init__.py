"""Tells what happened: counts, and explanations with the user's own lines.

In: what the engine knows. Out: `Stats` and `Explanation`. Promise: everything frozen is listed with its guard.
"""

from janus_jax._report.explain import (
    Explanation,
    GuardReport,
    PieceReport,
    ReasonReport,
    SiteReport,
    StateReport,
    place,
    report_reason,
)
from janus_jax._report.stats import Stats, Tally

__all__ = [
    "Explanation",
    "GuardReport",
    "PieceReport",
    "ReasonReport",
    "SiteReport",
    "StateReport",
    "Stats",
    "Tally",
    "place",
    "report_reason",
]
