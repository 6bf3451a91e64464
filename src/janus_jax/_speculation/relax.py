"""What to assume less after a guard has tripped."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

from janus_jax._speculation.plan import CAP_FACTOR, CAP_MARGIN, Key, Plan


class Trips(Protocol):
    """The part of a profile that relaxing asks for."""

    def trips(self, context: Any, site: Any) -> Any:
        """Return how often the loop ran, or None."""
        ...


def can_relax(kind: str, decision: str) -> bool:
    """Whether a tripped guard's assumption can be taken back: if not, nothing is to be learned from the call."""
    return kind == "cap" or (kind == "branch" and decision == "both")


def relax(plan: Plan, key: Key, kind: str, decision: str, facts: Trips) -> Plan | None:
    """Return a plan without the assumption that the guard protected, or None when it cannot be taken back.

    `facts` already hold the call that tripped.
    """
    if not can_relax(kind, decision):
        return None
    return plan.with_branch(key, "both") if kind == "branch" else _raise_cap(plan, key, int(decision), facts)


def _raise_cap(plan: Plan, key: Key, cap: int, facts: Trips) -> Plan | None:
    """A loop that plain Python ended below the cap hangs on last bits; any other gets more room."""
    seen = facts.trips(*key)
    if seen is not None and seen.maximum < cap:
        return None if plan.exact else replace(plan, exact=True)
    wanted = CAP_FACTOR * seen.maximum + CAP_MARGIN if seen else 2 * cap
    return plan.with_cap(key, max(2 * cap, wanted))
