"""Change each place that a program reads, call it speculated and plain, and count where they disagree."""

from __future__ import annotations

import enum
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.harness.budget import Runaway, line_budget
from tests.harness.changes import Change, changes_of, value_changes
from tests.harness.outcomes import (
    Arguments,
    Outcome,
    difference,
    fresh,
    observe,
    roots_of,
    without_bindings,
    without_signs_of_zeros,
)
from tests.harness.places import Place
from tests.harness.probes import PROBES
from tests.harness.reads import reads
from tests.programs import load

Speculate = Callable[[Callable[..., Any]], Any]


@dataclass(frozen=True, slots=True)
class Subject:
    """A program that is put to the test; `reset` restores what it changes, `state` tells what it changed.

    New arrays may be bound to a device where one that went in is; with `any_zero`, zeros in the arrays of its results
    may have another sign too: see docs/differences.md.
    """

    name: str
    function: Callable[..., Any]
    arguments: Arguments
    tolerance: bool = False
    any_zero: bool = False
    reset: Callable[[], None] | None = None
    state: Callable[[], Any] | None = None

    def run(self, fun: Callable[..., Any], arguments: Arguments) -> Outcome:
        """Return the outcome of a call of `fun` in the program's place."""
        if self.reset is not None:
            self.reset()
        return observe(self.watched(fun), fresh(arguments), roots_of(self.function))

    def watched(self, fun: Callable[..., Any]) -> Callable[..., Any]:
        """Return `fun`, with what it changed as a part of its result."""
        if self.state is None:
            return fun
        state = self.state
        return lambda *args, **kwargs: (fun(*args, **kwargs), state())

    def difference(self, expected: Outcome, actual: Outcome) -> str | None:
        """Return what differs between two outcomes and may not, or None."""
        expected, actual = map(without_bindings, (expected, actual))
        if self.any_zero:
            expected, actual = map(without_signs_of_zeros, (expected, actual))
        return difference(expected, actual, self.tolerance)


@dataclass(slots=True)
class Tally:
    """What came of the changes of one program."""

    name: str
    places: int = 0
    changes: int = 0
    compiled: int = 0
    restored: int = 0
    restored_compiled: int = 0
    trips: int = 0
    runaways: int = 0
    was_compiled: bool = False
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.name:32} {self.places:3} places {self.changes:4} changes, then compiled {self.compiled:4}, "
            f"restored {self.restored_compiled:4} of {self.restored:4} compiled, {self.trips:3} trips, "
            f"{self.runaways:2} endless, {len(self.wrong)} wrong"
        )


@dataclass(slots=True)
class Trial:
    """One program under perturbation: the speculated function beside the plain one."""

    subject: Subject
    speculated: Any
    tally: Tally
    calls: int
    baseline: Outcome
    lines: int
    warm: bool = False

    def compare(self, what: str, expected: Outcome, arguments: Arguments) -> bool:
        """Call the speculated function, note any difference, and say whether the call ran compiled."""
        before = count_of(self.speculated, "compiled_calls")
        actual = self.subject.run(self.speculated, arguments)
        found = self.subject.difference(expected, actual)
        if found:
            self.tally.wrong.append(f"{self.subject.name}, {what}: {found}")
        return count_of(self.speculated, "compiled_calls") > before

    def warm_up(self) -> None:
        """Call with the first arguments until a call runs compiled, from the beginning if there is no hope left."""
        if self.warm:
            return
        forget = getattr(self.speculated, "clear", None)
        if forget is not None and self.tally.changes:
            forget()
        for turn in range(5):
            self.warm = self.compare(f"call {turn}", self.baseline, self.subject.arguments)
            if self.warm:
                break
        self.tally.was_compiled |= self.warm

    def restored(self, what: str) -> None:
        """Call once more after a change was undone."""
        self.warm = self.compare(f"{what}, undone", self.baseline, self.subject.arguments)
        self.tally.restored += 1
        self.tally.restored_compiled += self.warm

    def change(self, what: str, arguments: Arguments) -> None:
        """Call, changed, as often as wanted; the change has been made."""
        self.tally.changes += 1
        try:
            with line_budget(10 * self.lines + 300):
                expected = self.subject.run(self.subject.function, arguments)
        except Runaway:
            self.tally.runaways += 1
            return
        for turn in range(self.calls):
            self.tally.compiled += self.compare(f"{what}, call {turn}", expected, arguments)


def perturb(subject: Subject, speculate: Speculate, per_place: int | None = None, calls: int = 2) -> Tally:
    """Return the tally of changing every place that `subject` reads, and every argument, `per_place` ways each."""
    tally = Tally(subject.name)
    with line_budget() as count:
        baseline = subject.run(subject.function, subject.arguments)
    trial = Trial(subject, speculate(subject.function), tally, calls, baseline, count.lines)
    places = [place for place in reads(subject.function, subject.arguments) if not is_member(place)]
    for place in places:
        perturb_place(trial, place, per_place)
    arguments = list(argument_changes(subject.arguments))
    for what, changed in chosen(arguments, None if per_place is None else 2 * per_place, subject.name):
        trial.warm_up()
        trial.change(what, changed)
        trial.restored(what)
    tally.places = len(places) + count_leaves(subject.arguments)
    tally.trips = count_of(trial.speculated, "guard_trips")
    return tally


def is_member(place: Place) -> bool:
    """Say whether a place is a member of an enum class, which nobody can assign to."""
    owner = getattr(place, "owner", None)
    return isinstance(owner, enum.EnumMeta) and getattr(place, "name", None) in owner.__members__


def perturb_place(trial: Trial, place: Place, per_place: int | None) -> None:
    """Try changes of one place."""
    for label, value in chosen(changes_of(place), per_place, f"{trial.subject.name}{place}"):
        what = f"{place}: {label}"
        trial.warm_up()
        with place.holding(value):
            trial.change(what, trial.subject.arguments)
        trial.restored(what)


def chosen(changes: list[Change], most: int | None, seed: str) -> list[Change]:
    """Return at most `most` of the changes, the same ones in every run, others at other places."""
    if most is None or len(changes) <= most:
        return changes
    return sorted(changes, key=lambda change: zlib.crc32(f"{seed}{change[0]}".encode()))[:most]


def argument_changes(arguments: Arguments) -> Iterator[Change]:
    """Yield arguments in which one leaf or container is another one."""
    positional, keywords = arguments
    for index, value in enumerate(positional):
        for label, other in leaf_changes(value):
            changed = (*positional[:index], other, *positional[index + 1 :])
            yield f"argument {index}{label}", (changed, keywords)
    for key, value in keywords.items():
        for label, other in leaf_changes(value):
            yield f"argument {key}{label}", (positional, {**keywords, key: other})
    if len(positional) > 1:
        yield "aliased arguments", ((positional[0], positional[0], *positional[2:]), keywords)
    yield "an argument more", ((*positional, 1), keywords)
    yield "an argument less", (positional[:-1], keywords)


def leaf_changes(value: Any) -> Iterator[Change]:
    """Yield changes of a value, and of each value inside it."""
    for label, other in value_changes(value):
        yield f": {label}", other
    if type(value) in (list, tuple):
        for index, item in enumerate(value):
            for label, other in leaf_changes(item):
                yield f"[{index}]{label}", type(value)([*value[:index], other, *value[index + 1 :]])
    elif type(value) is dict:
        for key, item in value.items():
            for label, other in leaf_changes(item):
                yield f"[{key!r}]{label}", {**value, key: other}


def count_leaves(value: Any) -> int:
    """Return how many values and containers there are in the arguments."""
    inner = value.values() if type(value) is dict else value if type(value) in (list, tuple) else ()
    return 1 + sum(count_leaves(item) for item in inner)


def count_of(speculated: Any, name: str) -> int:
    """Return one number of the statistics, 0 for a function that has none."""
    stats = getattr(speculated, "stats", None)
    return 0 if stats is None else getattr(stats(), name)


def probe_subjects() -> list[Subject]:
    """Return the probes as subjects."""
    return [Subject(probe.name, probe.function, probe.arguments) for probe in PROBES]


def gallery_subjects() -> list[Subject]:
    """Return the programs of the gallery as subjects, each with its first input."""
    return [
        Subject(
            program.name,
            program.function,
            (program.calls()[0].args, dict(program.calls()[0].kwargs)),
            tolerance=program.close is not None,
            any_zero=True,
            reset=program.reset,
            state=program.observe,
        )
        for program in load().values()
    ]
