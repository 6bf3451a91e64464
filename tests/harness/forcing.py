"""Which guards a call reaches, and at which iterations: found by forcing them, one execution of the program each.

The engine is not in the way: a program that is run by itself gives a result or the guard that tripped, and what it
assumes stays as it is.
"""

from __future__ import annotations

import contextlib
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

import numpy as np

from janus_jax._engine import Entry
from janus_jax._execute import MISS, Program, Tripped
from janus_jax._profiler import Observer
from tests.harness.outcomes import Arguments

MakeArguments = Callable[[], Arguments]
ANY = -1


def current(speculated: Any) -> Program | None:
    """Return the program that the next call tries first."""
    return speculated.__janus_engine__.program()


def outcome(program: Program, make: MakeArguments, guard: int = ANY, iteration: int = ANY) -> Any:
    """Return what one execution gives while a guard is forced to trip."""
    before = program.force[0]
    program.force[0] = np.array([guard, iteration], np.int32)
    try:
        return program.call(*make())
    finally:
        program.force[0] = before


def answers(program: Program, make: MakeArguments) -> bool:
    """Whether the program runs this call to its end."""
    result = outcome(program, make)
    return result is not MISS and not isinstance(result, Tripped)


def reaches(program: Program, make: MakeArguments, guard: int, iteration: int = ANY) -> bool:
    """Whether this call comes to a guard, at this iteration of its innermost loop."""
    result = outcome(program, make, guard, iteration)
    return isinstance(result, Tripped) and result.guard == guard


def iterations_reached(program: Program, make: MakeArguments, guard: int, most: int) -> list[int]:
    """Return the first, a middle and the last iteration, of at most so many, at which a call reaches a guard."""
    if not reaches(program, make, guard):
        return []
    found = [iteration for iteration in range(most + 1) if reaches(program, make, guard, iteration)]
    return list(dict.fromkeys([found[0], found[len(found) // 2], found[-1]]))


def longest_loop(program: Program, function: Any, make: MakeArguments, observer: Observer) -> int:
    """Return how many iterations the longest of the program's loops takes in this call, in plain Python."""
    _, facts = observer.run(function, *make())
    counts = [facts.trips((), decision.site) for decision in program.staged.decisions]
    return max((count.maximum for count in counts if count is not None), default=0)


@contextlib.contextmanager
def taken_back(speculated: Any) -> Iterator[None]:
    """Make the engine forget, after the `with`, what the trips inside it have taught it; the facts it keeps."""
    engine = speculated.__janus_engine__
    saved = {key: (entry, copied(entry)) for key, entry in engine._entries.items()}
    for entry in engine._entries.values():
        entry.trips.clear()  # so that no trip inside is the last one allowed
    current, last = engine._current, engine._last
    try:
        yield
    finally:
        for entry, before in saved.values():
            for each in fields(entry):
                setattr(entry, each.name, getattr(before, each.name))
        engine._entries = OrderedDict((key, entry) for key, (entry, _) in saved.items())
        engine._current, engine._last = current, last


def copied(entry: Entry) -> Entry:
    """Return an entry with lists of its own."""
    return replace(
        entry,
        programs=[*entry.programs],
        retired=[*entry.retired],
        relaxed=[*entry.relaxed],
        trips=Counter(entry.trips),
    )
