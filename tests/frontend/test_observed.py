"""The P-form does what the user's function does: results, exceptions, lines, names."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

import pytest

from janus_jax._base import site_of
from janus_jax._frontend import SourceCache, fill_form, instantiate, observed_code, with_code
from janus_jax._profiler import Observer
from janus_jax._runtime import PLAIN
from tests.frontend import constructs
from tests.frontend.outcomes import outcome_of

SOURCES = SourceCache()
FILE = constructs.__file__

every_case = pytest.mark.parametrize(
    ("function", "args"), constructs.CASES, ids=[function.__qualname__ for function, _ in constructs.CASES]
)


def plain(function: FunctionType) -> FunctionType:
    return instantiate(observed_code(SOURCES.find(function.__code__)), function, PLAIN)


class ExchangingHooks:
    """Gives every function that is made the P-form at once; for the rest, as PLAIN."""

    def __init__(self) -> None:
        self.first, self.second, self.tick, self.enter = PLAIN.first, PLAIN.second, PLAIN.tick, PLAIN.enter
        self.codes: dict[int, CodeType] = {}

    def at(self, index: int) -> ExchangingHooks:
        return self

    def callee(self, function: Any) -> Any:
        if type(function) is FunctionType and id(function.__code__) in self.codes:
            function.__code__ = self.codes[id(function.__code__)]
        return function


def plain_throughout(function: FunctionType) -> FunctionType:
    """Return a function whose own P-form runs, and that of every function it makes."""
    form, hooks = observed_code(SOURCES.find(function.__code__)), ExchangingHooks()
    born = fill_form(form, hooks)
    hooks.codes.update((id(each.original), each.code) for each in born)
    return with_code(function, born[-1].code)


def traced_lines(function: Callable[..., Any], args: tuple[Any, ...]) -> list[tuple[str, str, int]]:
    """Return every event that a trace function sees of functions in the file of the constructs."""
    seen: list[tuple[str, str, int]] = []

    def trace(frame: Any, event: str, _: object) -> Any:
        if frame.f_code.co_filename == FILE:
            seen.append((event, frame.f_code.co_qualname, frame.f_lineno))
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        outcome_of(function, args, FILE)
    finally:
        sys.settrace(before)
    return seen


@every_case
def test_the_p_form_is_the_function(function: FunctionType, args: tuple[Any, ...]) -> None:
    form = observed_code(SOURCES.find(function.__code__))
    assert outcome_of(instantiate(form, function, PLAIN), args, FILE) == outcome_of(function, args, FILE)
    assert outcome_of(plain_throughout(function), args, FILE) == outcome_of(function, args, FILE)


@every_case
def test_under_the_observer_it_is_the_function_too(function: FunctionType, args: tuple[Any, ...]) -> None:
    observation = Observer(SOURCES).watch(function)
    assert outcome_of(observation.function, args, FILE) == outcome_of(function, args, FILE)
    assert observation.fault is None
    assert observation.finish().calls == 1


@every_case
def test_a_trace_function_sees_the_same_frames(function: FunctionType, args: tuple[Any, ...]) -> None:
    def calls(events: list[tuple[str, str, int]]) -> list[tuple[str, str, int]]:
        return [event for event in events if event[0] in {"call", "return", "exception"}]

    assert calls(traced_lines(plain(function), args)) == calls(traced_lines(function, args))
    assert calls(traced_lines(plain_throughout(function), args)) == calls(traced_lines(function, args))


@every_case
def test_names_and_attributes_stay(function: FunctionType, args: tuple[Any, ...]) -> None:
    new = plain(function)
    old_code, new_code = function.__code__, new.__code__
    for name in (
        "co_varnames",
        "co_freevars",
        "co_cellvars",
        "co_flags",
        "co_firstlineno",
        "co_qualname",
        "co_filename",
    ):
        assert getattr(new_code, name) == getattr(old_code, name)
    for name in ("__name__", "__qualname__", "__module__", "__doc__", "__annotations__", "__dict__", "__closure__"):
        assert getattr(new, name) == getattr(function, name)
    assert new.__defaults__ is function.__defaults__
    assert new.__kwdefaults__ is function.__kwdefaults__


def test_sites_are_those_of_the_nodes() -> None:
    source = SOURCES.find(constructs.branches.__code__)
    form = observed_code(source)
    assert site_of(source.node.body[2], FILE, "for") in form.sites
    kinds = [site.kind for site in form.sites]
    assert kinds.count("if") == 3
    assert kinds.count("for") == 1
    assert kinds.count("call") == 5


def test_a_function_without_sites_keeps_its_code() -> None:
    assert plain(constructs.double).__code__ is constructs.double.__code__


def test_a_function_made_inside_has_the_user_s_own_code() -> None:
    def outer(x: int) -> Any:
        @functools.lru_cache(None)
        def inner() -> Any:
            return [lambda: str(i) for i in range(x)]

        class Inner:
            def method(self) -> Any:
                return inner() if x else None

        return inner.__wrapped__, Inner.method, *inner()

    originals = [outer.__code__]
    for code in originals:
        originals.extend(constant for constant in code.co_consts if isinstance(constant, CodeType))
    for function in plain(outer)(2):
        assert any(function.__code__ is code for code in originals)


def test_annotations_as_strings_are_not_touched() -> None:
    def outer() -> Any:
        def inner(x: int if SOURCES else float, y: functools.partial(int)) -> len("abc"):  # type: ignore[valid-type]
            return x

        return inner

    assert plain(outer)().__annotations__ == outer().__annotations__


def test_a_stack_depth_is_what_it_was() -> None:
    def depth(n: int) -> int:
        try:
            return depth(n + 1) if n >= 0 else 0
        except RecursionError:
            return n

    cell = depth.__closure__[0]
    reached = depth(0)
    cell.cell_contents = watched = plain(depth)
    assert abs(watched(0) - reached) <= 2
