"""Threads, interrupts, forks, and what is kept alive: calls stay right, and nothing grows."""

from __future__ import annotations

import ctypes
import gc
import itertools
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import pytest

import janus_jax
from tests.harness import steps
from tests.harness.agreement import Pair, adds_up
from tests.harness.outcomes import Outcome, difference, observe

HOME = Path(__file__).resolve().parent.parent
VECTOR = jnp.array([1.0, -2.0, 0.5])
SMALL = jnp.array([0.25, 0.5, 0.125])
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


# -- threads


def run_threads(work: Callable[[int], None], count: int = 8) -> None:
    """Run `work` in threads that begin together, and raise what any of them raises."""
    start = threading.Barrier(count)

    def begin(number: int) -> None:
        start.wait()
        work(number)

    with ThreadPoolExecutor(count) as pool:
        for future in [pool.submit(begin, number) for number in range(count)]:
            future.result()


def outcomes_of(calls: list[tuple[Callable[..., Any], tuple[Any, ...]]]) -> list[Outcome]:
    """Return the outcomes in plain Python; also XLA has then compiled every operation."""
    return [quiet(function, arguments) for function, arguments in calls]


def quiet(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Outcome:
    """Return the outcome without redirecting output, which all threads share."""
    return observe(function, (arguments, {}), capture=False)


def test_eight_threads_share_functions():
    expected = outcomes_of(CALLS)
    speculated = {function: janus_jax.speculate(function) for function, _ in CALLS}
    wrong: list[str] = []

    def work(number: int) -> None:
        order = random.Random(number)
        for _ in range(40):
            index = order.randrange(len(CALLS))
            function, arguments = CALLS[index]
            found = difference(expected[index], quiet(speculated[function], arguments))
            if found:
                wrong.append(f"{function.__name__}: {found}")

    run_threads(work)
    assert wrong == []
    assert all(adds_up(function) for function in speculated.values())
    assert sum(function.stats().calls for function in speculated.values()) == 8 * 40
    assert all(function.stats().compiled_calls > 0 for function in speculated.values())


def test_eight_threads_forget_and_call():
    expected = outcomes_of(CALLS[:4])
    speculated = {function: janus_jax.speculate(function) for function, _ in CALLS}
    wrong: list[str] = []

    def work(number: int) -> None:
        for turn in range(24):
            index = (turn + number) % 4
            function, arguments = CALLS[index]
            if number == 0 and turn % 8 == 7:
                speculated[function].clear()
            if number == 1 and turn % 12 == 11:
                janus_jax.reset()
            found = difference(expected[index], quiet(speculated[function], arguments))
            if found:
                wrong.append(found)

    run_threads(work)
    assert wrong == []


def test_two_functions_that_call_each_other_convert_in_two_threads():
    def even(n, x):
        return x if n == 0 else odd_speculated(n - 1, x + 1)

    def odd(n, x):
        return x * 2 if n == 0 else even_speculated(n - 1, x - 1)

    even_speculated, odd_speculated = janus_jax.speculate(even), janus_jax.speculate(odd)
    with janus_jax.disabled():
        expected = [[float(function(n, ONE)) for n in range(4)] for function in (even, odd)]

    def work(number: int) -> None:
        function = (even_speculated, odd_speculated)[number % 2]
        for turn in range(20):
            assert float(function(turn % 4, ONE)) == expected[number % 2][turn % 4]

    run_threads(work)
    assert adds_up(even_speculated)
    assert adds_up(odd_speculated)


def test_a_call_inside_a_call_of_the_same_function():
    speculated = janus_jax.speculate(reenters)
    with janus_jax.disabled():
        expected = [float(reenters(n, ONE, reenters)) for n in range(4)]
    for n in (2, 2, 2, 2, 2, 3, 0, 1, 2):
        assert float(speculated(n, ONE, speculated)) == expected[n]
    assert adds_up(speculated)


def reenters(n, x, function):
    """Calls the function it is handed, which may be itself."""
    if n == 0:
        return x
    return function(n - 1, x * 2 + n, function)


def test_switching_off_is_for_the_block_alone():
    speculated = janus_jax.speculate(steps.halved)
    call_often(speculated, ONE)
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with janus_jax.disabled():
            inside.set()
            leave.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait(60)
    assert speculated(ONE) is ONE
    leave.set()
    thread.join()
    before = speculated.stats().compiled_calls
    speculated(ONE)
    assert speculated.stats().compiled_calls == before + 1


def call_often(function: Callable[..., Any], *args: Any) -> None:
    """Call a function more often than it is profiled."""
    for _ in range(6):
        function(*args)


# -- interrupts


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # an interrupt inside a finaliser
@pytest.mark.parametrize("seed", range(4))
def test_interrupts_at_any_point_leave_the_function_usable(seed):
    expected = outcomes_of(CALLS)
    generator = random.Random(seed)
    speculated = {function: janus_jax.speculate(function) for function, _ in CALLS}
    interrupts = 0
    for index in [generator.randrange(len(CALLS)) for _ in range(60)]:
        function, arguments = CALLS[index]
        outcome = interrupted(
            lambda f=speculated[function], a=arguments: quiet(f, a), 10 ** generator.uniform(-4.5, -1.5)
        )
        if outcome is None or (outcome.raised and outcome.error[0] == "KeyboardInterrupt"):
            interrupts += 1
            continue
        assert difference(expected[index], outcome) is None
    for index, (function, arguments) in enumerate(CALLS):
        for _ in range(5):
            assert difference(expected[index], quiet(speculated[function], arguments)) is None
        assert adds_up(speculated[function])
    assert interrupts > 5
    assert all(function.stats().compiled_calls > 0 for function in speculated.values())


def interrupted(call: Callable[[], Any], delay: float) -> Any:
    """Return what `call` returns, or None if the interrupt that comes after `delay` seconds ended it."""

    def raise_interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, raise_interrupt)
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, delay)
            return call()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        return None
    finally:
        signal.signal(signal.SIGALRM, before)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_in_another_thread_is_an_interrupt_there():
    expected = outcomes_of(CALLS)
    speculated = {function: janus_jax.speculate(function) for function, _ in CALLS}
    ended: list[str] = []
    stop = threading.Event()

    def work() -> None:
        for index in itertools.cycle(range(len(CALLS))):
            if stop.is_set():
                return
            function, arguments = CALLS[index]
            try:
                found = difference(expected[index], quiet(speculated[function], arguments))
            except KeyboardInterrupt:
                ended.append("interrupted")
                continue
            if found and "KeyboardInterrupt" not in found:
                ended.append(found)

    thread = threading.Thread(target=work)
    thread.start()
    generator = random.Random(0)
    for _ in range(30):
        stop.wait(generator.uniform(0.001, 0.05))
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident or 0), ctypes.py_object(KeyboardInterrupt)
        )
    stop.wait(0.2)
    stop.set()
    thread.join()
    assert set(ended) <= {"interrupted"}
    for index, (function, arguments) in enumerate(CALLS):
        assert difference(expected[index], quiet(speculated[function], arguments)) is None


def test_an_interrupt_ends_an_endless_function():
    speculated = janus_jax.speculate(steps.never_stops)
    for _ in range(5):
        assert interrupted(lambda: speculated(ONE), 0.2) is None
    assert float(speculated(ONE * -1)) == -1


# -- what is kept alive


def test_a_function_and_what_it_closes_over_die():
    def make() -> list[weakref.ref[Any]]:
        array = jnp.arange(7.0)

        def closes(x):
            if x > 0:
                return array * x
            return x

        speculated = janus_jax.speculate(closes)
        for _ in range(6):
            speculated(ONE)
        assert speculated.stats().compiled_calls > 0
        return [weakref.ref(entry) for entry in (speculated, closes, array)]

    references = make()
    gc.collect()
    assert [reference() is None for reference in references] == [True, True, True]


def test_arguments_and_results_die():
    speculated = janus_jax.speculate(steps.descend)
    references = []
    for turn in range(6):
        argument = jnp.arange(3.0) + turn
        result, _ = speculated(argument, 2)
        references += [weakref.ref(argument), weakref.ref(result)]
    assert speculated.stats().compiled_calls > 0
    del argument, result
    gc.collect()
    assert [reference() is None for reference in references] == [True] * len(references)


def test_replaced_globals_die(monkeypatch):
    speculated = janus_jax.speculate(steps.descend)
    monkeypatch.setattr(steps, "BIAS", jnp.array([9.0, 8.0, 7.0]))
    for _ in range(5):
        speculated(VECTOR, 2)
    reference = weakref.ref(steps.BIAS)
    monkeypatch.undo()
    for _ in range(2):
        speculated(VECTOR, 2)
    speculated.clear()
    gc.collect()
    assert reference() is None


def test_an_exception_keeps_no_arguments_alive():
    speculated = janus_jax.speculate(steps.raises_late)
    references = []
    for turn in range(7):
        argument = ONE * (1 if turn < 5 else 6)
        references.append(weakref.ref(argument))
        try:
            speculated(argument, 2)
        except ValueError:
            assert turn >= 5
    del argument
    gc.collect()
    assert [reference() is None for reference in references] == [True] * 7


def test_tables_are_bounded_for_many_types():
    speculated = janus_jax.speculate(steps.same, max_programs=4)
    values = [ONE, 1, 1.0, True, None, "text", (ONE,), [ONE], {"a": ONE}, (1, ONE), {"b": 2}, ((ONE,), 1), [1.0], ()]
    for x, y in itertools.product(values, repeat=2):
        for _ in range(4):
            speculated(x, y)
        assert speculated.stats().programs <= 4
    assert speculated.stats().executables <= 64
    assert adds_up(speculated)


def test_tables_are_bounded_for_many_shapes():
    speculated = janus_jax.speculate(steps.halved)
    largest = 0
    for size in range(1, 60):
        x = jnp.full((), 0.5) if size < 5 else jnp.full((1,) * (size % 30), 0.5)
        speculated(x)
        largest = max(largest, speculated.stats().executables)
    assert largest <= 32


def test_tables_are_bounded_for_many_static_values():
    speculated = janus_jax.speculate(steps.kinds)
    for turn in range(200):
        result, _ = speculated(VECTOR, True, 2.0 + turn)
        assert float(result[0]) == 2.0 + turn
    stats = speculated.stats()
    assert stats.programs <= 8
    assert stats.executables <= 16
    assert stats.relaxations <= 24


# -- processes


def test_a_child_after_a_fork_has_working_locks():
    program = """
        import os, threading, time
        import janus_jax
        from tests.harness import steps

        def pure(n):
            total = 0
            for i in range(n):
                total += i
            return total

        speculated = janus_jax.speculate(pure)
        stop = threading.Event()

        def churn():
            while not stop.is_set():
                janus_jax.speculate(pure)(3)
                speculated.stats()
                speculated.clear()

        threads = [threading.Thread(target=churn) for _ in range(3)]
        for thread in threads:
            thread.start()
        children = []
        for _ in range(20):
            child = os.fork()
            if child == 0:
                with janus_jax.disabled():
                    assert pure(4) == speculated(4) == 6
                speculated.stats()
                speculated.clear()
                janus_jax.speculate(pure)(4)
                os._exit(0)
            children.append(child)
        stop.set()
        for thread in threads:
            thread.join()
        assert all(os.waitpid(child, 0)[1] == 0 for child in children)
    """
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-c", textwrap.dedent(program)]
    subprocess.run(command, check=True, cwd=HOME, env=environment, timeout=240)


def test_nothing_grows_with_the_number_of_calls():
    pair = Pair(steps.descend).warm(VECTOR, 3)
    speculated = pair.speculated
    for _ in range(50):
        speculated(VECTOR, 3)
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(500):
        speculated(VECTOR, 3)
    gc.collect()
    assert len(gc.get_objects()) - before < 100
    assert jax.live_arrays() is not None
