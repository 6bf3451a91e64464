"""A function in pieces does what the function does: whether its pieces run where they stand, or as functions."""

from __future__ import annotations

import ast
import functools
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from janus_jax._base import Unstageable
from janus_jax._frontend import FunctionSource, Piece, SourceCache, find_pieces, function_of, in_pieces, source_of_piece
from janus_jax._frontend.filling import fill
from janus_jax._frontend.observed import with_code
from tests.frontend import constructs
from tests.frontend.outcomes import outcome_of
from tests.harness.compare import assert_same
from tests.harness.compare import outcome_of as outcome_of_program
from tests.programs import Program, load

SOURCES = SourceCache()
PROGRAMS = load()
TAKEN_APART = {True: 0, False: 0}  # how many pieces ran as functions, and where they stand

every_case = pytest.mark.parametrize(
    ("function", "args"), constructs.CASES, ids=[function.__qualname__ for function, _ in constructs.CASES]
)
every_program = pytest.mark.parametrize("program", PROGRAMS.values(), ids=str)
both_ways = pytest.mark.parametrize("as_functions", [False, True], ids=["in-place", "as-functions"])


@dataclass(frozen=True, slots=True)
class Attempts:
    """Runs a piece as a function, or leaves it where it stands."""

    function: Any

    def attempt(self, needs: tuple[Any, ...]) -> tuple[Any, ...]:
        TAKEN_APART[self.function is not None] += 1
        if self.function is None:
            return ()
        try:
            return (self.function(*needs),)
        except Exception as error:
            raise PieceRaised from error  # the engine of a piece never raises: the piece runs where it stands


class PieceRaised(BaseException):
    """A piece that ran as a function has raised."""


def odd_lines(source: FunctionSource, seed: int) -> frozenset[int]:
    """Return none, or about a third of the lines that statements begin on."""
    lines = [node.lineno for node in ast.walk(source.node) if isinstance(node, ast.stmt)]
    generator = random.Random(seed)
    return frozenset(line for line in lines if seed and generator.random() < 0.3)


def taken_apart(function: Any, seed: int, as_functions: bool) -> Callable[..., Any] | None:
    """Return the function in pieces; None where it has none."""
    try:
        source = SOURCES.find(function.__code__)
    except Unstageable:
        return None
    pieces = find_pieces(source, odd_lines(source, seed))
    if not pieces:
        return None
    hooks = [attempts_of(source, function, piece, as_functions) for piece in pieces]
    made = with_code(function, fill(in_pieces(source, pieces), source.code, hooks.__getitem__, []))
    return functools.wraps(function)(made)


def attempts_of(source: FunctionSource, function: Any, piece: Piece, as_function: bool) -> Attempts:
    if not as_function:
        return Attempts(None)
    made = source_of_piece(source, piece)
    assert made.code.co_varnames[: made.code.co_argcount] == piece.needs
    return Attempts(function_of(made, function))


@both_ways
@pytest.mark.parametrize("seed", range(3))
@every_case
def test_constructs_in_pieces(function: Any, args: Any, seed: int, as_functions: bool) -> None:
    made = taken_apart(function, seed, as_functions)
    plain = outcome_of(function, args, constructs.__file__)
    if made is None:
        return
    try:
        other = outcome_of(made, args, constructs.__file__)
    except PieceRaised:
        return
    assert (plain.result, plain.error) == (other.result, other.error)
    assert as_functions or plain.frames == other.frames


@both_ways
@pytest.mark.parametrize("seed", range(2))
@every_program
def test_programs_in_pieces(program: Program, seed: int, as_functions: bool) -> None:
    made = taken_apart(program.function, seed, as_functions)
    if made is None:
        return
    for index in range(len(program.calls())):
        plain = outcome_at(program, program.function, index)
        try:
            other = outcome_at(program, made, index)
        except PieceRaised:
            continue
        assert_same(plain, other, True, f"{program}, input {index}, in pieces")


def outcome_at(program: Program, function: Any, index: int) -> Any:
    if program.reset:
        program.reset()
    call = program.calls()[index]
    return outcome_of_program(function, call.args, call.kwargs, user=program.function, observe=program.observe)


def test_pieces_were_run_both_ways() -> None:
    function = taken_apart(two_loops, 0, True)
    assert function is not None
    before = TAKEN_APART[True]
    assert function(3) == two_loops(3)
    assert TAKEN_APART[True] > before


def two_loops(n):
    total = 0
    for i in range(n):
        total += i
    print(end="")
    for i in range(n):
        total += i * total
    return total


def pieces_of(function: Any, *odd: str) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Return the first line of each piece, what it needs and what it gives; `odd` are texts of odd lines."""
    source = SOURCES.find(function.__code__)
    first = source.node.lineno
    with open(source.file, encoding="utf-8") as file:
        lines = file.read().splitlines()
    last = source.node.end_lineno or first
    chosen = frozenset(number for number in range(first, last + 1) if any(text in lines[number - 1] for text in odd))
    return [(lines[p.lines[0] - 1].strip(), p.needs, p.gives) for p in find_pieces(source, chosen)]


def test_a_piece_needs_what_it_reads_and_gives_what_is_read_later() -> None:
    assert pieces_of(two_loops, "print") == [
        ("total = 0", ("n",), ("total",)),
        ("for i in range(n):", ("n", "total"), ("total",)),
    ]


def may_be_unbound(n):
    if n > 1:
        y = n
    print(n)
    z = y * 2 + n
    print(z)
    for i in range(n):
        if n > i:
            z = y * 2
            w = i + n * 2
            print(w)
    for i in range(n):
        w = i + n * 2
    return w + z


def test_what_may_be_unbound_stays_in_place() -> None:
    assert pieces_of(may_be_unbound, "print", "z = y * 2 + n") == []


def is_unbound_before(manager, n):
    for i in range(n):
        w = i + n * 2
    with manager:
        y = n * 3 + w
    z = y * 2 + n
    print(z)
    return z, w, y


def test_what_is_certainly_unbound_before_a_piece_is_not_needed() -> None:
    assert pieces_of(is_unbound_before, "print") == [("for i in range(n):", ("manager", "n"), ("w", "y", "z"))]


def in_a_loop(n):
    total = 0
    last = 0
    for i in range(n):
        step = i * total + last * 2
        print(step)
        total = total + step * i + last
        last = step - total * 3
    return total


def test_a_piece_in_a_loop_gives_what_the_next_iteration_reads() -> None:
    assert pieces_of(in_a_loop, "print") == [
        ("step = i * total + last * 2", ("i", "last", "total"), ("step",)),
        ("total = total + step * i + last", ("i", "last", "step", "total"), ("last", "total")),
    ]


def sees_changes(n):
    factor = 1

    def scaled(y):
        return y * factor

    for i in range(n):
        factor = factor + i * 2
        n = scaled(n)
    return n * n + n


def test_what_a_function_inside_sees_is_bound_in_its_place() -> None:
    assert pieces_of(sees_changes) == []


def is_left_early(items):
    total = 0
    for item in items:
        if item < 0:
            return total
        total = total + item * item * 2
    while True:
        total = total * 2 + 1
        if total > 100:
            break
    return total


def test_what_leaves_is_no_piece_but_what_is_in_it_may_be() -> None:
    assert pieces_of(is_left_early) == [
        ("total = total + item * item * 2", ("item", "total"), ("total",)),
        ("while True:", ("total",), ("total",)),
    ]


def deletes_in_a_loop(n, y):
    for i in range(n):
        print(i)
        z = y + i * 2 if i < 1 else i * 3 + 1
        if i == 0:
            del y
    while n:
        print(n)
        z = z * n + y * 2
    return z


def test_what_an_iteration_may_unbind_is_not_certain_in_the_next() -> None:
    assert pieces_of(deletes_in_a_loop, "print") == []


def handles(n, e, y):
    try:
        print(n)
    except ValueError as e:
        print(e)
    z = n * 3 + e * 2 if n else 1
    match n:
        case 1:
            del y
    print(z)
    return z + y * 2


def test_the_name_of_a_handler_is_unbound_behind_it() -> None:
    assert pieces_of(handles, "print", "del") == []


def is_left_by(manager, n):
    y = n * 2 + 1
    z = y * 2 + n
    with manager as a:
        print(n)
        y = n * 3 + a
    w = y * a + z
    print(w)
    return w


def test_a_manager_may_leave_its_body_in_the_middle() -> None:
    assert pieces_of(is_left_by, "print") == [
        ("y = n * 2 + 1", ("n",), ("y", "z")),
        ("y = n * 3 + a", ("a", "n"), ("y",)),
    ]


def tries(n):
    try:
        print(n)
        y = n
    except* ValueError:
        print(n)
    try:
        kind = (ValueError, KeyError)[n * 2]
        print(n)
    except kind:
        print(n)
    z = y * 2 + n
    print(z)
    return z


def test_what_a_try_binds_is_not_certain_behind_it_and_its_handlers_read_their_types() -> None:
    assert pieces_of(tries, "print") == [("kind = (ValueError, KeyError)[n * 2]", ("n",), ("kind",))]


def takes_back(n):
    y = n * 2 + 1
    z = n * 3 + 1
    print(n)
    del y
    match n:
        case 1:
            z += 1


def test_what_is_deleted_or_added_to_has_to_be_bound() -> None:
    assert pieces_of(takes_back, "print", "match") == [("y = n * 2 + 1", ("n",), ("y", "z"))]


def unbinds_inside(n):
    y = n * 2

    def drop():
        nonlocal y
        del y

    drop()
    z = n * 2 + 1 if n else n * y + 2
    print(z)
    return z


def test_what_a_function_inside_unbinds_is_never_certain() -> None:
    assert pieces_of(unbinds_inside, "print") == []


def of_an_outer_function(later):
    def reads(n):
        z = n * 2 + 1 if n else n * later + 2
        print(z)
        return z

    return reads


def test_variables_of_outer_functions_are_not_handed_over() -> None:
    assert pieces_of(of_an_outer_function(1), "print") == [("z = n * 2 + 1 if n else n * later + 2", ("n",), ("z",))]


GLOBAL = 0


def binds_outside(n):
    global GLOBAL
    y = n * 2 + 1
    GLOBAL = n * 3
    print(n)
    return y


def test_what_is_bound_outside_is_no_piece() -> None:
    assert pieces_of(binds_outside, "print") == []


class Private:
    def names(self, n):
        __y = n * 2 + 1
        print(n)
        __z = n * __y + __y
        return __z


def test_private_names_are_handed_over() -> None:
    assert pieces_of(Private.names, "print") == [
        ("__y = n * 2 + 1", ("n",), ("__y",)),
        ("__z = n * __y + __y", ("__y", "n"), ("__z",)),
    ]


def binds_while_it_binds(n, items):
    items[(k := 0) if n else 1] = n
    print(n)
    z = n * 2 + 1 if not n else n * k + 1
    print(z)
    return z


def test_a_subscript_of_a_target_binds_nothing_for_certain() -> None:
    assert pieces_of(binds_while_it_binds, "print") == []


def reads_its_frame(n):
    y = n * 2 + 1
    z = y * 2 + n
    print(n)
    return z, locals()


def reads_frames_inside(n):
    y = n * 2 + 1
    z = y * 2 + n
    print(n)
    return z, [sys._getframe(1).f_locals for _ in range(n)]


@pytest.mark.parametrize("function", [reads_its_frame, reads_frames_inside])
def test_a_function_that_reads_its_frame_has_no_pieces(function: Any) -> None:
    assert pieces_of(function, "print") == []
