"""Every gallery program, in every mode, does what plain Python does.

Results, types, bits, identities, output, warnings, exceptions with their lines, arguments, random states; compiled
and refused, warmed up and cold, in any order of calls, with globals that change, and with every guard tripped.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import random
from collections import defaultdict
from collections.abc import Callable
from types import FunctionType
from typing import Any

import pytest

import janus_jax
import janus_jax.testing
from janus_jax._convert import Guard
from janus_jax._frontend import SourceCache, instantiate, observed_code
from janus_jax._profiler import Observer
from janus_jax._runtime import PLAIN
from tests.harness.compare import Outcome, assert_same, outcome_of
from tests.harness.forcing import (
    ANY,
    MakeArguments,
    answers,
    current,
    iterations_reached,
    longest_loop,
    reaches,
    taken_back,
)
from tests.harness.outcomes import Arguments
from tests.programs import Program, load

PROGRAMS = load()
SOURCES = SourceCache()
OBSERVER = Observer(SOURCES)
PROFILE_CALLS = 3
LONGER_THAN_A_SCREEN = 60

# The share of programs in each row of FEATURES that has to end compiled.
FLOORS = {1: 0.9, 2: 0.95, 3: 0.9, 4: 0.95, 5: 0.8, 6: 0.9, 8: 0.9, 9: 0.5, 10: 0.8, 11: 0.4, 12: 0.9}
FLOORS |= {14: 0.3, 15: 0.5, 16: 0.7, 18: 1.0, 19: 0.05, 38: 0.7, 39: 1.0}
REFUSED_ROWS = {7, 13, 17}  # of which little is compiled yet
ENDINGS: dict[str, str] = {}
# Long programs as tutorials print them, which nobody has written for this project: how many are one program by now.
NATURAL = ("simulations", "learning", "algorithms", "signals")
WHOLE = 4

every_program = pytest.mark.parametrize("program", PROGRAMS.values(), ids=str)
# Long tests: a third of the programs at every run, all of them with the slow tests.
sampled_programs = pytest.mark.parametrize(
    "program",
    [
        pytest.param(program, marks=[] if place % 3 == 0 else [pytest.mark.slow], id=str(program))
        for place, program in enumerate(PROGRAMS.values())
    ],
)
# The programs of more than a screen take most of the time: in every mode but the main one, a third of them.
most_programs = pytest.mark.parametrize(
    "program",
    [
        pytest.param(
            program,
            marks=[pytest.mark.slow] if program.name.startswith((*NATURAL, "tutorials")) and place % 3 else [],
            id=str(program),
        )
        for place, program in enumerate(PROGRAMS.values())
    ],
)
programs_with_mutations = pytest.mark.parametrize(
    ("program", "index"),
    [
        pytest.param(program, index, id=f"{program}-{mutation.name}")
        for program in PROGRAMS.values()
        for index, mutation in enumerate(program.mutations)
    ],
)


@pytest.fixture
def bits(exact: bool, request: pytest.FixtureRequest) -> bool:
    """Whether this program's floats are compared bit by bit."""
    program: Program = request.getfixturevalue("program")
    return exact and program.close is None


def perform(program: Program, function: Callable[..., Any], index: int) -> Outcome:
    """Return the outcome of one call with input `index`, built anew."""
    if program.reset:
        program.reset()
    call = program.calls()[index]
    return outcome_of(function, call.args, call.kwargs, user=program.function, observe=program.observe)


@functools.cache
def plain_outcome(name: str, index: int) -> Outcome:
    """What plain Python does at input `index`, with everything that the program reads as it was at import."""
    return perform(PROGRAMS[name], PROGRAMS[name].function, index)


def check(program: Program, function: Callable[..., Any], index: int, bits: bool, where: str) -> None:
    """Call `function` with input `index` and demand plain Python's outcome."""
    plain = plain_outcome(program.name, index)
    assert_same(plain, perform(program, function, index), bits, f"{program}, input {index}, {where}")


def all_inputs(program: Program) -> range:
    """The indices of a program's inputs."""
    return range(len(program.calls()))


def warmed_up(program: Program, bits: bool) -> Any:
    """The program, speculated, with its profile taken at the first input and called once more."""
    function = janus_jax.speculate(program.function)
    for number in range(PROFILE_CALLS + 1):
        check(program, function, 0, bits, f"call {number} of the warm-up")
    return function


def counts_add_up(function: Any) -> bool:
    """Whether every call has ended in exactly one way."""
    s = function.stats()
    ends = s.profiled_calls + s.compiled_calls + s.partial_calls + s.coexecuted_calls + s.imperative_calls
    return bool(s.calls == ends)


def test_the_gallery_is_large_enough() -> None:
    long = [p for p in PROGRAMS.values() if lines_of(p.function) > LONGER_THAN_A_SCREEN]
    assert len(PROGRAMS) >= 250
    assert len(long) >= 30


def lines_of(function: FunctionType) -> int:
    """How many lines the body of a function spans."""
    lines = [line for _, _, line in function.__code__.co_lines() if line is not None]
    for constant in function.__code__.co_consts:
        if hasattr(constant, "co_lines"):
            lines += [line for _, _, line in constant.co_lines() if line is not None]
    return max(lines) - function.__code__.co_firstlineno + 1


@most_programs
def test_plain_python_is_deterministic(program: Program) -> None:
    for index in all_inputs(program):
        check(program, program.function, index, True, "plain, twice")


@most_programs
def test_rewritten_code_under_plain_hooks(program: Program) -> None:
    source = SOURCES.find(program.function.__code__)
    function = instantiate(observed_code(source), program.function, PLAIN)
    for index in all_inputs(program):
        check(program, function, index, True, "P-form")


@most_programs
def test_observed_calls(program: Program) -> None:
    for index in all_inputs(program):
        observation = OBSERVER.watch(program.function)
        check(program, observation.function, index, True, "observed")
        observation.finish()
        assert observation.fault is None


@most_programs
def test_profiled_calls(program: Program) -> None:
    function = janus_jax.speculate(program.function, profile_calls=1_000)
    for index in (*all_inputs(program), 0):
        check(program, function, index, True, "observed")
    stats = function.stats()
    assert stats.compiled_calls == 0
    assert counts_add_up(function)


@every_program
def test_compiled_calls(program: Program, bits: bool) -> None:
    function = warmed_up(program, bits)
    ending = "compiled" if function.stats().compiled_calls else "imperative"
    reasons = {reason.id for reason in function.explain().reasons}
    ENDINGS[program.name] = ending
    for time in ("first", "second"):
        for index in all_inputs(program):
            check(program, function, index, bits, f"{time} time")
    check(program, function, 0, bits, "at the end")
    assert counts_add_up(function)
    assert str(function.explain())
    # what always raises is never profiled to its end, and has no reason but Python's own
    has_ended_by_itself = plain_outcome(program.name, 0).error is not None
    match program.expect:
        case "compiled":
            assert ending == "compiled", "\n".join(str(reason) for reason in function.explain().reasons)
        case "imperative":
            assert ending == "imperative"
            assert has_ended_by_itself or reasons & set(program.reason), f"{reasons} instead of {program.reason}"
        case "any":
            assert ending == "compiled" or reasons or has_ended_by_itself


@programs_with_mutations
def test_changes_of_what_is_read(program: Program, index: int, bits: bool) -> None:
    function = warmed_up(program, bits)
    undo = program.mutations[index].apply()
    try:
        for time in ("first", "second"):
            for which in all_inputs(program):
                plain = perform(program, program.function, which)
                other = perform(program, function, which)
                assert_same(plain, other, bits, f"{program}, input {which}, {time} time")
    finally:
        undo()
    check(program, function, 0, bits, "after the change was undone")


def arguments_of(program: Program, index: int) -> MakeArguments:
    """What makes the arguments of a call with input `index`, built anew."""

    def make() -> Arguments:
        if program.reset:
            program.reset()
        call = program.calls()[index]
        return call.args, dict(call.kwargs)

    return make


def guards_to_trip(program: Program, compiled: Any, index: int, seen: dict[Guard, list[int]]) -> list[Guard]:
    """Find out for each guard that no earlier input reached whether this one does, and when; return those it does."""
    make = arguments_of(program, index)
    new = [guard for guard in compiled.guards if not seen.get(guard)]
    most = longest_loop(compiled, program.function, make, OBSERVER) if new else 0
    for guard in new:
        seen[guard] = iterations_reached(compiled, make, guard.index, most)
    return [guard for guard in new if seen[guard]]


def check_forced(program: Program, function: Any, index: int, bits: bool, guard: Guard, iteration: int) -> None:
    """Demand that the guard trips in a call with input `index`, and plain Python's outcome of that call."""
    where = f"guard {guard} forced at iteration {iteration}"
    before = function.stats().guard_trips
    with janus_jax.testing.force(function, guard.index, iteration):
        check(program, function, index, bits, where)
    assert function.stats().guard_trips == before + 1, where


def check_forced_everywhere(
    program: Program, function: Any, index: int, bits: bool, guard: Guard, iterations: list[int]
) -> None:
    """Force a guard at each of these iterations, with two calls after the first trip; what it taught is taken back."""
    for iteration in iterations:
        with taken_back(function):
            check_forced(program, function, index, bits, guard, iteration)
            for _ in range(2 if iteration == iterations[0] else 0):
                check(program, function, index, bits, f"after guard {guard} was forced at iteration {iteration}")


def trip_new_guards(program: Program, function: Any, index: int, bits: bool, seen: dict[Guard, list[int]]) -> None:
    """Force the guards that no earlier call reached and that a call with input `index` does, each where it is met."""
    compiled = current(function)
    if compiled is None or not answers(compiled, arguments_of(program, index)):
        return
    for guard in guards_to_trip(program, compiled, index, seen):
        check_forced_everywhere(program, function, index, bits, guard, seen[guard])


@most_programs
def test_every_guard_tripped(program: Program, bits: bool) -> None:
    """Every input, and once more those before the last: what the last ones taught may have made another program."""
    function = warmed_up(program, bits)
    seen: dict[Guard, list[int]] = {}
    inputs = all_inputs(program)
    for turn in (inputs, inputs[:-1]):
        for index in turn:
            for time in ("first", "second"):
                check(program, function, index, bits, f"{time} time")
            trip_new_guards(program, function, index, bits, seen)
        unreached = [str(guard) for guard, iterations in seen.items() if not iterations]
        if len(unreached) <= program.unreached:
            return
    raise AssertionError(unreached)


@sampled_programs
def test_sequences_of_calls(program: Program, bits: bool) -> None:
    """In the first half of the calls everything is forgotten once; in the second, guards trip now and then."""
    chance = random.Random(program.name)
    function = janus_jax.speculate(program.function)
    order = [*all_inputs(program)] * 4
    chance.shuffle(order)
    clear_at = chance.randrange(len(order) // 2)
    for number, index in enumerate(order):
        if number == clear_at:
            function.clear()
        reached = guards_reached(program, function, index) if number > len(order) / 2 and number % 3 == 0 else []
        before = function.stats().guard_trips
        with forced(function, chance.choice(reached) if reached else None):
            check(program, function, index, bits, f"call {number} of {order}, cleared at {clear_at}")
        tripped = function.stats().guard_trips > before
        assert tripped or not reached


def guards_reached(program: Program, function: Any, index: int) -> list[Guard]:
    """The guards of the current program that a call with input `index` reaches, if the program runs it at all."""
    make, compiled = arguments_of(program, index), current(function)
    if compiled is None or not answers(compiled, make):
        return []
    return [guard for guard in compiled.guards if reaches(compiled, make, guard.index)]


def forced(function: Any, guard: Guard | None) -> contextlib.AbstractContextManager[None]:
    """The context in which a guard trips whenever it is reached; without a guard, no context at all."""
    return contextlib.nullcontext() if guard is None else janus_jax.testing.force(function, guard.index, ANY)


def test_every_row_has_its_share() -> None:
    """How each program ended, by row of FEATURES; what did not run in this process counts as declared."""
    rows: dict[int, list[str]] = defaultdict(list)
    natural = 0
    for program in PROGRAMS.values():
        declared = "compiled" if program.expect == "compiled" else "imperative"
        ending = ENDINGS.get(program.name, declared)
        if program.name.startswith(NATURAL):
            natural += ending == "compiled"
            continue
        for row in program.rows:
            rows[row].append(ending)
    print("\nrow  programs  compiled  share  floor")
    short: list[int] = []
    for row, endings in sorted(rows.items()):
        compiled = endings.count("compiled")
        floor = 0.0 if row in REFUSED_ROWS else FLOORS[row]
        print(f"{row:3}  {len(endings):8}  {compiled:8}  {compiled / len(endings):5.0%}  {floor:5.0%}")
        if compiled / len(endings) < floor:
            short.append(row)
    assert not short, f"rows below their floor: {short}"
    assert natural >= WHOLE


def test_every_reason_that_a_user_can_provoke_has_a_program() -> None:
    not_provoked_here = {
        "source-differs",  # the rest is about calls, not programs, or about compiled programs that give up
        "disabled",
        "branch-types-differ",
        "loop-types-differ",
        "outer-trace",
        "unstable-value",
        "guard-trips",
        "conversion-limit",
        "debug-config",
        "forked",
        "internal",
        "recursion",
        "unbound-name",
        "number-math",
        "staging-error",
        "run-error",
        "shared-result",
    }
    meanings: Any = importlib.import_module("janus_jax._base.reasons").MEANINGS
    named = {reason for program in PROGRAMS.values() for reason in program.reason}
    assert set(meanings) - named - not_provoked_here == set()
