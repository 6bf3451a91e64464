"""A function that a watched call makes is the user's own; it is counted all the same, as long as the call runs."""

from __future__ import annotations

import contextlib
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

from janus_jax._base import Unstageable
from janus_jax._frontend import SourceCache
from janus_jax._profiler import BranchCounts, Observer, TripCounts
from janus_jax._profiler.lending import Lender, may_call
from tests.harness.lines import lines_through
from tests.profiler import makers
from tests.profiler.test_observer import call_site, observe, sites_of

SOURCES = SourceCache()

every_maker = pytest.mark.parametrize("maker", makers.CASES, ids=lambda maker: maker.__name__)


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    yield
    makers.KEPT.clear()
    makers.SEEN.clear()


def run(function: Callable[..., Any], *args: Any) -> Any:
    """Return what the function returns in a watched call, which must leave no copy of a code behind."""
    observer = Observer(SOURCES)
    observation = observer.watch(function)
    try:
        return observation.function(*args)
    finally:
        observation.finish()
        assert observation.fault is None
        assert repr(observer.sources.copies) == "Copies(0 in use)"


def own_codes(code: CodeType) -> list[CodeType]:
    """Return the codes of all functions inside."""
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return [code, *(found for constant in inner for found in own_codes(constant))]


def is_own(function: FunctionType, maker: Any) -> bool:
    """Whether `function` has the very code object that stands in the code of `maker`, or of the module."""
    makers_of = [maker, *(value for value in vars(makers).values() if isinstance(value, FunctionType))]
    return any(function.__code__ is code for each in makers_of for code in own_codes(each.__code__))


def parts(function: FunctionType) -> tuple[object, ...]:
    """Return all that can be read of a function; equal for one and the same function made twice."""
    closure = [type(cell.cell_contents) for cell in function.__closure__ or ()]
    names = (function.__name__, function.__qualname__, function.__module__, function.__doc__)
    return (
        id(function.__code__),
        names,
        function.__defaults__,
        function.__kwdefaults__,
        closure,
        function.__annotations__,
    )


def functions_in(value: Any) -> list[FunctionType]:
    return [item for item in (value if isinstance(value, (tuple, list)) else [value]) if type(item) is FunctionType]


@every_maker
def test_its_code_is_the_user_s_own(maker: FunctionType) -> None:
    made, plain = run(maker, 2), maker(2)
    assert len(functions_in(made)) == len(functions_in(plain)) > 0
    for function, other in zip(functions_in(made), functions_in(plain), strict=True):
        assert is_own(function, maker), function
        assert parts(function) == parts(other)


@every_maker
def test_the_results_are_those_of_plain_python(maker: FunctionType) -> None:
    def others(value: Any) -> list[Any]:
        return [item for item in value if type(item) is not FunctionType] if isinstance(value, (tuple, list)) else []

    assert others(run(maker, 2)) == others(maker(2))


@every_maker
def test_its_source_is_found(maker: FunctionType) -> None:
    found = 0
    for function in functions_in(run(maker, 2)):
        # there may be two lambdas on one line
        with contextlib.suppress(Unstageable):
            assert SOURCES.find(function.__code__).code is function.__code__
            found += 1
    assert found > 0


def test_a_decorator_sees_the_own_code() -> None:
    run(makers.makes_decorated, 2)
    assert len(makers.SEEN) == 3
    for function, code in makers.SEEN:
        assert function.__code__ is code
        assert is_own(function, makers.makes_decorated)


def test_what_is_stored_has_its_own_code() -> None:
    run(makers.makes_and_stores, 2)
    inner = makers.KEPT["inner"]
    listed = makers.KEPT["holder"].field
    assert is_own(inner, makers.makes_and_stores)
    assert listed[0] is listed[1]["key"] is listed[2].func is inner


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(1)], ids=repr)
def test_it_has_its_own_code_when_an_exception_leaves_the_call(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught:
        run(makers.makes_and_raises, error)
    assert caught.value is error
    assert is_own(makers.KEPT["inner"], makers.makes_and_raises)


def test_it_has_its_own_code_when_its_thread_goes_on_after_the_call() -> None:
    go, done = threading.Semaphore(0), threading.Semaphore(0)
    thread, work = run(makers.makes_in_a_thread, go, done)
    assert is_own(work, makers.makes_in_a_thread)
    assert is_own(makers.KEPT["first"], makers.makes_in_a_thread)
    go.release()
    thread.join()
    assert is_own(makers.KEPT["later"], makers.makes_in_a_thread)


def test_a_generator_that_outlives_the_call_makes_functions_with_their_own_code() -> None:
    first, begun = run(makers.leaves_a_generator, 3)
    made = [first, *begun]
    assert [function(0) for function in made] == [0, 1, 2]
    assert all(is_own(function, makers.leaves_a_generator) for function in made)


def test_a_code_that_the_user_gave_it_stays() -> None:
    inner = run(makers.replaces_its_code, 1)
    assert inner.__code__.co_name == "other"
    assert is_own(inner, makers.replaces_its_code)


def test_it_is_counted_when_a_library_calls_it() -> None:
    profile = observe(makers.uses_by_library, 4)
    (loop,) = sites_of(makers.uses_by_library, "while")
    (adding,) = sites_of(makers.uses_by_library, "for")
    assert profile.trips((), loop) == TripCounts(3, 1, 3, 6)
    assert profile.trips((call_site(makers.uses_by_library, "inner(x)"),), loop) == TripCounts(1, 4, 4, 4)
    assert profile.trips((), adding) == TripCounts(1, 3, 3, 3)


def test_it_is_counted_when_it_is_decorated() -> None:
    _, profile = Observer(SOURCES).run(makers.makes_decorated, (2,), {})
    seen, wrapped, cached = sites_of(makers.makes_decorated, "ifexp")
    assert profile.branch((call_site(makers.makes_decorated, "seen(1)"),), seen) == BranchCounts((1, 0))
    assert profile.branch((), seen) == BranchCounts((0, 1))
    inside = (call_site(makers.makes_decorated, "wrapped(2)"), call_site(makers.wrapping, "function(*args)"))
    assert profile.branch(inside, wrapped) == BranchCounts((1, 0))
    assert profile.branch((), wrapped) == BranchCounts((0, 1))
    assert profile.branch((), cached) == BranchCounts((1, 1))


def test_two_levels_are_counted() -> None:
    _, profile = Observer(SOURCES).run(makers.makes_two_levels, (2,), {})
    (loop,) = sites_of(makers.makes_two_levels, "while")
    assert profile.trips((), loop) == TripCounts(1, 2, 2, 2)
    assert profile.trips((call_site(makers.makes_two_levels, "by_library(1)"),), loop) == TripCounts(1, 1, 1, 1)
    assert profile.trips((call_site(makers.makes_two_levels, "by_watched(3)"),), loop) == TripCounts(1, 3, 3, 3)


def test_meanwhile_its_source_is_that_of_its_own_code() -> None:
    observer = Observer(SOURCES)
    sources = observer.sources
    (during, before, inner), _ = observer.run(
        makers.looks_inside, (lambda function: (function.__code__, sources.find(function.__code__).code),), {}
    )
    # the first one shows that this test looks while the code is lent
    assert during[0] is not inner.__code__
    assert during[1] is inner.__code__ is before
    assert sources.copies.original_of(during[0]) is during[0]


def test_a_watched_call_inside_a_watched_call_counts_it_too() -> None:
    outer, inner = Observer(SOURCES), []
    nested = Observer(outer.sources)

    def check(function: FunctionType) -> Any:
        inner.append(nested.run(makers.runs_here, (function,), {})[1])
        return function.__code__

    (code, own, function), _ = outer.run(makers.looks_inside, (check,), {})
    assert code is not own
    assert function.__code__ is own
    (arm,) = sites_of(makers.looks_inside, "ifexp")
    assert inner[0].branch((call_site(makers.runs_here, "function(0)"),), arm) == BranchCounts((0, 1))


def test_one_that_never_ends_shows_no_frame_of_ours() -> None:
    with pytest.raises(RecursionError) as caught:
        run(makers.makes_endless, 0)
    assert {Path(file).name for file, _, _ in lines_through(caught.value)} <= {"makers.py", Path(__file__).name}


def test_functions_die_as_they_would() -> None:
    gc.disable()
    try:
        alive: list[int] = []

        def check(function: FunctionType) -> Any:
            reference = weakref.ref(function)
            alive.append(1)
            weakref.finalize(function, alive.pop)
            return reference

        reference = run(makers.looks_inside, check)[0]
        assert reference() is None
        assert alive == []
    finally:
        gc.enable()


def test_nothing_is_kept_of_functions_that_died() -> None:
    observation = Observer(SOURCES).watch(makers.makes_many)
    assert observation.function(50) == 50
    # the last one died with its frame
    assert len(observation._lender._lent) == len(observation._lender._waiting) == 0
    observation.finish()


def test_a_function_that_nobody_could_call_unseen_keeps_its_code_throughout() -> None:
    assert not any(may_call(callee) for callee in (print, len, list, ValueError, [].append, {}.get, "".join))
    assert all(may_call(callee) for callee in (map, sorted, [].sort, threading.Thread, makers.runs))


def a_function() -> FunctionType:
    return lambda: 1


def test_a_lender_that_has_closed_lends_no_more() -> None:
    function = a_function()
    own, watched = function.__code__, (lambda: 2).__code__
    lender = Lender()
    lender.note(function, watched)
    assert function.__code__ is own
    lender.lend()
    assert function.__code__ is watched
    lender.give_back()
    lender.note(function, watched)
    lender.lend()
    assert function.__code__ is own


def test_an_interrupt_while_codes_are_given_back_leaves_none_lent(monkeypatch: pytest.MonkeyPatch) -> None:
    functions = [a_function() for _ in range(3)]
    own, watched = functions[0].__code__, (lambda: 2).__code__
    lender = Lender()
    for function in functions:
        lender.note(function, watched)
    lender.lend()
    give_back_all = lender._give_back_all
    calls: list[int] = []

    def cut_short() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        give_back_all()

    monkeypatch.setattr(lender, "_give_back_all", cut_short)
    with pytest.raises(KeyboardInterrupt):
        lender.give_back()
    assert all(function.__code__ is own for function in functions)


def test_threads_that_make_functions_while_the_call_ends_leave_none_lent() -> None:
    own = a_function().__code__
    watched = (lambda: 2).__code__
    for _ in range(20):
        lender, made = Lender(), []

        def work(lender: Lender = lender, made: list[FunctionType] = made) -> None:
            for _ in range(200):
                function = a_function()
                made.append(function)
                lender.note(function, watched)
                lender.lend()

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        lender.give_back()
        for thread in threads:
            thread.join()
        assert all(function.__code__ is own for function in made)
