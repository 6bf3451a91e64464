"""Programs drawn by Hypothesis mean the same speculated as plain: over profiling, compiled calls, and other inputs.

A failing program is shrunk and printed as source. `JANUS_EXAMPLES` sets how many are drawn of each theme; many of the
first ones are the same. The slow tests run 2,000 different ones and more: five times 80 of each theme.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, seed, settings

import janus_jax
from tests.harness.generate import Generated, compiled_source, programs
from tests.harness.grammar import THEMES
from tests.harness.outcomes import Arguments, difference, fresh, observe, roots_of, without_signs_of_zeros

EXAMPLES = int(os.environ.get("JANUS_EXAMPLES", "40"))
MANY = int(os.environ.get("JANUS_EXAMPLES", "160"))
# The least share of programs, of those that do not raise while they are profiled, that must have run compiled.
FLOORS = {"branches": 0.9, "loops": 0.75, "calls": 0.8, "numbers": 0.6, "objects": 0.4, "rare": 0.4, "odd": 0.5}


@dataclass(slots=True)
class Share:
    """How many programs there were, and how many of their calls ended compiled."""

    programs: int = 0
    compiled_programs: int = 0
    calls: int = 0
    compiled_calls: int = 0
    trips: int = 0
    sources: set[str] = field(default_factory=set)
    reasons: dict[str, int] = field(default_factory=dict)

    def add(self, speculated: Any) -> None:
        """Count what became of a program."""
        stats = speculated.stats()
        self.programs += 1
        self.compiled_programs += stats.compiled_calls > 0
        self.calls += stats.calls
        self.compiled_calls += stats.compiled_calls
        self.trips += stats.guard_trips
        for reason in {reason.id for reason in speculated.explain().reasons}:
            self.reasons[reason] = self.reasons.get(reason, 0) + 1

    def __str__(self) -> str:
        return (
            f"{self.compiled_programs} of {self.programs} programs and {self.compiled_calls} of {self.calls} calls "
            f"compiled, {self.trips} trips, reasons {self.reasons}"
        )


def agree(program: Generated, share: Share | None) -> None:
    """Run the calls of a program plain and speculated, and demand the same outcomes."""
    with compiled_source(program.source) as module:
        function = module["f"]
        speculated = janus_jax.speculate(function) if share else function
        raised = 0
        for number, arguments in enumerate(program.calls):
            raised += agree_on_call(program, function, speculated, arguments, number)
        if share and not raised:
            share.add(speculated)


def agree_on_call(program: Generated, function: Any, speculated: Any, arguments: Arguments, number: int) -> bool:
    """Demand that one call has the same outcome both ways; return whether it raised while profiled."""
    expected = observe(function, fresh(arguments), roots_of(function))
    actual = observe(speculated, fresh(arguments), roots_of(function))
    found = difference(*map(without_signs_of_zeros, (expected, actual)))  # see docs/differences.md
    assert found is None, f"call {number} (from 0) of\n\n{program}\n\n{found}"
    return expected.raised and number < 4


@pytest.mark.parametrize("theme", THEMES)
def test_plain_python_agrees_with_itself(theme):
    @settings(max_examples=20)
    @given(programs(THEMES[theme]))
    def check(program):
        agree(program, None)

    check()


def check_theme(theme: str, examples: int, part: int = 0) -> Share:
    """Draw programs of a theme, others in each part, and demand agreement, and that enough of them ran compiled."""
    share = Share()

    @seed(part)
    @settings(max_examples=examples)
    @given(programs(THEMES[theme]))
    def check(program):
        if program.source not in share.sources:
            agree(program, share)
            share.sources.add(program.source)

    check()
    print(theme, len(share.sources), "different programs:", share)
    assert share.programs >= examples / 4
    assert share.compiled_programs >= FLOORS[theme] * share.programs, str(share)
    return share


@pytest.mark.parametrize("theme", THEMES)
def test_generated_programs_agree_with_plain_python(theme):
    check_theme(theme, EXAMPLES)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(1, 6))
@pytest.mark.parametrize("theme", THEMES)
def test_many_generated_programs_agree_with_plain_python(theme, part):
    assert len(check_theme(theme, MANY, part).sources) >= MANY / 2
