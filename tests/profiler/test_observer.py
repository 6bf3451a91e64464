"""What the Observer counts, and what it leaves alone."""

from __future__ import annotations

import ast
import inspect
import sys
import threading
import tracemalloc
from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import Any

import pytest

from janus_jax._base import Site, site_of
from janus_jax._frontend import SourceCache
from janus_jax._profiler import BranchCounts, Observer, Profile, TripCounts
from janus_jax._profiler.observer import is_users_own
from tests.profiler import watched

SOURCES = SourceCache()
KINDS = {ast.If: "if", ast.IfExp: "ifexp", ast.For: "for", ast.While: "while", ast.Call: "call"}


def sites_of(function: FunctionType, kind: str) -> list[Site]:
    """Return the sites of one kind in `function`, in the order of the text."""
    source = SOURCES.find(function.__code__)
    nodes = [node for node in ast.walk(source.node) if KINDS.get(type(node)) == kind]
    return sorted(site_of(node, source.file, kind) for node in nodes if isinstance(node, (ast.expr, ast.stmt)))


def call_site(function: FunctionType, text: str) -> Site:
    """Return the site of the only call in `function` that reads `text`."""
    source = SOURCES.find(function.__code__)
    (node,) = [node for node in ast.walk(source.node) if isinstance(node, ast.Call) and ast.unparse(node) == text]
    return site_of(node, source.file, "call")


def observe(function: Callable[..., Any], *args: Any) -> Profile:
    """Return the facts of one call, after checking its result."""
    result, profile = Observer(SOURCES).run(function, args, {})
    assert result == function(*args)
    return profile


def test_branches_and_loops_are_counted() -> None:
    profile = observe(watched.branches, 9)
    (loop,) = sites_of(watched.branches, "for")
    first, second, third = sites_of(watched.branches, "if")
    assert profile.trips((), loop) == TripCounts(1, 5, 5, 5)
    assert profile.branch((), first) == BranchCounts((1, 4))
    assert profile.branch((), second) == BranchCounts((2, 2))
    assert profile.branch((), third) == BranchCounts((1, 1))


def test_zero_trips_are_an_execution() -> None:
    profile = observe(watched.branches, 0)
    assert profile.trips((), sites_of(watched.branches, "for")[0]) == TripCounts(1, 0, 0, 0)
    assert profile.branch((), sites_of(watched.branches, "if")[0]) == BranchCounts((0, 0))


def test_nested_loops_that_are_left_in_every_way() -> None:
    profile = observe(watched.jumps, 5)
    outer, inner = sites_of(watched.jumps, "for")
    (loop,) = sites_of(watched.jumps, "while")
    assert profile.trips((), outer) == TripCounts(1, 5, 5, 5)
    assert profile.trips((), inner) == TripCounts(5, 1, 3, 12)
    assert profile.trips((), loop) == TripCounts(2, 1, 1, 2)


def test_callees_are_counted_by_where_they_are_called() -> None:
    profile = observe(watched.calls_helper, 4)
    (loop,) = sites_of(watched.helper, "while")
    (arm,) = sites_of(watched.helper, "ifexp")
    before = (call_site(watched.calls_helper, "helper(2)"),)
    within = (call_site(watched.calls_helper, "helper(i)"),)
    assert profile.trips(before, loop) == TripCounts(1, 2, 2, 2)
    assert profile.trips(within, loop) == TripCounts(4, 0, 3, 6)
    assert profile.branch(before, arm) == BranchCounts((1, 1))
    assert profile.branch(within, arm) == BranchCounts((2, 4))


def test_recursion_is_counted_in_contexts_that_are_cut() -> None:
    profile = observe(watched.recursive, 6)
    (test,) = sites_of(watched.recursive, "if")
    (loop,) = sites_of(watched.recursive, "for")
    site = call_site(watched.recursive, "recursive(n - 1)")
    assert [profile.branch((site,) * depth, test).total for depth in range(4)] == [1, 1, 1, 4]
    assert profile.branch((site,) * 3, test) == BranchCounts((1, 3))
    trips = profile.trips((site,) * 3, loop)
    assert trips is not None
    assert (trips.executions, trips.total) == (3, 6)


def test_functions_inside_have_contexts_of_their_own() -> None:
    profile = observe(watched.with_inner, 4)
    (arm,) = sites_of(watched.with_inner, "ifexp")
    assert profile.branch((call_site(watched.with_inner, "inner(n)"),), arm) == BranchCounts((1, 0))
    assert profile.branch((call_site(watched.with_inner, "inner(-n)"),), arm) == BranchCounts((0, 1))
    # a library function called it: it counts for the function that made it
    assert profile.branch((), arm) == BranchCounts((3, 0))


def test_methods_and_partial_applications_are_watched() -> None:
    profile = observe(watched.methods, 3)
    (loop,) = sites_of(watched.Model.step, "for")
    for text in ("bound(1)", "Model.step(model, 2)", "functools.partial(bound)(1)"):
        assert profile.trips((call_site(watched.methods, text),), loop) == TripCounts(1, 3, 3, 3)
    (loop,) = sites_of(watched.helper, "while")
    assert profile.trips((call_site(watched.methods, "functools.partial(helper, 2)()"),), loop) == TripCounts(
        1, 2, 2, 2
    )
    (arm,) = sites_of(watched.Model.make.__func__, "ifexp")
    assert profile.branch((call_site(watched.methods, "Model.make(n)"),), arm) == BranchCounts((1, 0))


def test_a_bound_method_and_a_partial_can_be_run() -> None:
    (loop,) = sites_of(watched.Model.step, "for")
    assert observe(watched.Model(2).step, 1).trips((), loop) == TripCounts(1, 2, 2, 2)
    assert observe(partial(watched.Model(2).step, 1)).trips((), loop) == TripCounts(1, 2, 2, 2)


def test_generators_are_counted() -> None:
    profile = observe(watched.make_generator, 4)
    (loop,) = sites_of(watched.make_generator, "for")
    assert profile.trips((call_site(watched.make_generator, "produce(n)"),), loop) == TripCounts(1, 4, 4, 4)
    assert profile.trips((call_site(watched.make_generator, "produce(2)"),), loop) == TripCounts(1, 2, 2, 2)


def test_functions_are_handed_on_as_they_are() -> None:
    assert observe(watched.hands_itself, 1).calls == 1
    profile = observe(watched.hands_on, 3)
    assert profile.trips((), sites_of(watched.helper, "while")[0]) is None


def test_what_never_ran_was_never_seen() -> None:
    profile = observe(watched.never, 3)
    assert profile.branch((), sites_of(watched.never, "if")[0]) == BranchCounts((0, 1))
    assert profile.trips((), sites_of(watched.never, "while")[0]) is None


def test_an_exception_passes_and_the_facts_can_be_had() -> None:
    observer = Observer(SOURCES)
    with pytest.raises(ValueError, match="3") as caught:
        observer.run(watched.raises, (3,), {})
    assert caught.traceback[-1].path.name == "watched.py"
    observation = observer.watch(watched.raises)
    with pytest.raises(ValueError, match="3"):
        observation.function(3)
    assert observation.finish().trips((), sites_of(watched.raises, "for")[0]) == TripCounts(1, 3, 3, 3)


def test_finishing_twice_gives_the_same_facts() -> None:
    observation = Observer(SOURCES).watch(watched.branches)
    observation.function(9)
    profile = observation.finish()
    observation.function(9)
    assert observation.finish() is profile
    assert profile.trips((), sites_of(watched.branches, "for")[0]) == TripCounts(1, 5, 5, 5)


def test_a_function_without_source_runs_unwatched() -> None:
    namespace: dict[str, Any] = {}
    exec("def f(x):\n    return x if x else 1", namespace)
    result, profile = Observer(SOURCES).run(namespace["f"], (0,), {})
    assert result == 1
    assert str(profile) == "1 calls"


def test_near_the_end_of_the_stack_callees_are_left_alone() -> None:
    depth = sys.getrecursionlimit() - 150 - len(inspect.stack())
    result, profile = Observer(SOURCES).run(watched.deep, (depth,), {})
    assert result == depth
    site, arm = call_site(watched.deep, "deep(n - 1)"), sites_of(watched.deep, "ifexp")[0]
    counted = sum(profile.branch((site,) * calls, arm).total for calls in range(4))
    assert depth - 150 < counted < depth


def test_where_the_user_leaves_no_stack_for_a_hook_the_call_goes_on() -> None:
    before = sys.getrecursionlimit()
    try:
        observation = Observer(SOURCES).watch(watched.leaves_no_stack)
        assert observation.function(-3) == 3
        assert sys.getrecursionlimit() == before
        assert observation.fault is None
    finally:
        sys.setrecursionlimit(before)


def test_a_function_keeps_the_builtins_that_it_was_made_with() -> None:
    result, _ = Observer(SOURCES).run(watched.exchanges_the_builtins, (), {})
    assert result == watched.exchanges_the_builtins() == 3


def test_a_fault_of_ours_stops_the_recording_only() -> None:
    def fail(function: Any) -> bool:
        raise RuntimeError("a fault")

    observation = Observer(SOURCES, may_watch=fail).watch(watched.calls_helper)
    assert observation.function(4) == watched.calls_helper(4)
    assert str(observation.fault) == "a fault"
    assert observation.finish().trips((), sites_of(watched.calls_helper, "for")[0]) == TripCounts(1, 4, 4, 4)


def test_objects_that_stand_for_functions_are_unwrapped() -> None:
    class Wrapped:
        def __init__(self, function: Callable[..., Any]) -> None:
            self.function = function

        def __call__(self, *args: Any) -> Any:
            return self.function(*args)

    def unwrap(callee: Any) -> Any:
        return callee.function if type(callee) is Wrapped else callee

    original = watched.helper
    watched.helper = Wrapped(original)  # type: ignore[assignment]
    try:
        _, profile = Observer(SOURCES, unwrap=unwrap).run(watched.calls_helper, (2,), {})
    finally:
        watched.helper = original
    assert profile.trips((), sites_of(watched.helper, "while")[0]) == TripCounts(3, 0, 2, 3)


def test_libraries_are_not_looked_into() -> None:
    assert is_users_own(watched.helper)
    assert not is_users_own(ast.parse)
    assert not is_users_own(threading.Thread.start)
    assert not is_users_own(Observer.run)


def test_threads_that_the_function_starts_are_counted() -> None:
    def work(n: int) -> int:
        total = [0]

        def add() -> None:
            for i in range(n):
                if i >= 0:
                    total.extend([i])

        threads = [threading.Thread(target=add) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(total)

    profile = observe(work, 50)
    assert profile.branch((), sites_of(work, "if")[0]) == BranchCounts((200, 0))


def test_observing_again_and_again_takes_no_more_memory() -> None:
    observer = Observer(SOURCES)

    def grown() -> int:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(20):
            observer.run(watched.calls_helper, (3,), {})
        return tracemalloc.get_traced_memory()[0] - before

    tracemalloc.start()
    try:
        grown()
        assert grown() < 20_000
    finally:
        tracemalloc.stop()
