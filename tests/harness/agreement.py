"""A speculated function beside the plain one: each call is made both ways and must have the same outcome."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

import janus_jax
from tests.harness import steps
from tests.harness.outcomes import Outcome, difference, fresh, observe, roots_of

BY_TOLERANCE = os.environ.get("JANUS_TEST_FLAGS", "exact") == "default"


class Pair:
    """A function and its speculated twin."""

    def __init__(self, function: Callable[..., Any], **options: Any) -> None:
        self.function = function
        self.speculated: Any = janus_jax.speculate(function, **options)

    def agree(self, *args: Any, **kwargs: Any) -> Outcome:
        """Make one call both ways, demand the same outcome, and return it."""
        arguments = (args, kwargs)
        roots = roots_of(self.function)
        expected = observe(self.function, fresh(arguments), roots)
        actual = observe(self.speculated, fresh(arguments), roots)
        found = difference(expected, actual, BY_TOLERANCE)
        assert found is None, f"{found}\nplain {expected}\nspeculated {actual}"
        return actual

    def warm(self, *args: Any, **kwargs: Any) -> Pair:
        """Call until a call runs compiled, and demand that the fourth or fifth one does."""
        for _ in range(5):
            before = self.compiled
            self.agree(*args, **kwargs)
            if self.compiled > before:
                return self
        raise AssertionError(f"never compiled:\n{self.speculated.explain()}")

    @property
    def compiled(self) -> int:
        """How many calls ran compiled so far."""
        return self.speculated.stats().compiled_calls

    @property
    def trips(self) -> int:
        """How many calls a guard sent back to Python so far."""
        return self.speculated.stats().guard_trips

    def runs_compiled(self, *args: Any, **kwargs: Any) -> bool:
        """Make one call both ways and say whether it ran compiled."""
        before = self.compiled
        self.agree(*args, **kwargs)
        return self.compiled > before


SMALL = jnp.array([0.25, 0.5, 0.125])
VECTOR = jnp.array([1.0, -2.0, 0.5])
ONE = jnp.array(1.0)
CALLS: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
    (steps.descend, (VECTOR, 3)),
    (steps.descend, (SMALL * 40, 2)),
    (steps.settle, (SMALL, 5.0)),
    (steps.settle, (SMALL, 500.0)),
    (steps.kinds, (VECTOR, True, 2.0)),
    (steps.kinds, (VECTOR, False)),
    (steps.numbers, (2, 0.5, VECTOR)),
    (steps.numbers, (3, 80.0, VECTOR)),
    (steps.newton, (ONE * 3,)),
    (steps.raises_late, (ONE, 2)),
    (steps.raises_late, (ONE * 6, 2)),
    (steps.outer, (ONE * 5, 3)),
]


def outcomes_of(calls: list[tuple[Callable[..., Any], tuple[Any, ...]]]) -> list[Outcome]:
    """Return the outcomes in plain Python; also XLA has then compiled every operation."""
    return [quiet(function, arguments) for function, arguments in calls]


def quiet(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Outcome:
    """Return the outcome without redirecting output, which all threads share."""
    return observe(function, (arguments, {}), capture=False)


def adds_up(speculated: Any) -> bool:
    """Say whether every call ended in exactly one way."""
    stats = speculated.stats()
    ways = (stats.profiled_calls, stats.compiled_calls, stats.partial_calls, stats.coexecuted_calls)
    return stats.calls == sum(ways) + stats.imperative_calls and stats.guard_trips <= stats.imperative_calls
