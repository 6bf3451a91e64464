"""Decides what a conversion may assume, and what to assume less after a guard has tripped.

In: the profile and what tripped. Out: a `Plan`. Promise: a plan only grows more general, so relaxing ends.
"""

from janus_jax._speculation.plan import (
    CAP_FACTOR,
    CAP_MARGIN,
    CAP_UNSEEN,
    BranchDecision,
    Context,
    Key,
    LoopDecision,
    Plan,
)
from janus_jax._speculation.relax import can_relax, relax

__all__ = [
    "CAP_FACTOR",
    "CAP_MARGIN",
    "CAP_UNSEEN",
    "BranchDecision",
    "Context",
    "Key",
    "LoopDecision",
    "Plan",
    "can_relax",
    "relax",
]
