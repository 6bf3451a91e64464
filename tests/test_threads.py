"""Threads, interrupts, forks, and what is kept alive: calls stay right, and nothing grows."""

from __future__ import annotations

import gc
import itertools
import os
import random
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
from janus_jax._execute import Program
from tests.harness import steps
from tests.harness.agreement import CALLS, Pair, adds_up, outcomes_of, quiet
from tests.harness.outcomes import difference

HOME = Path(__file__).resolve().parent.parent
VECTOR = jnp.array([1.0, -2.0, 0.5])
SMALL = jnp.array([0.25, 0.5, 0.125])
ONE = jnp.array(1.0)
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


def test_nobody_waits_for_a_program_that_is_compiled_nor_makes_another(monkeypatch):
    compiling, done = threading.Event(), threading.Event()
    compile_now = Program.compile

    def compile_slowly(program, *arguments):
        compiling.set()
        assert done.wait(60)
        return compile_now(program, *arguments)

    monkeypatch.setattr(Program, "compile", compile_slowly)
    speculated = janus_jax.speculate(steps.newton, profile_calls=0)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(speculated, ONE)
        assert compiling.wait(60)
        meanwhile = [speculated(ONE) for _ in range(3)]
        done.set()
        assert [first.result(), *meanwhile] == [steps.newton(ONE)] * 4
    assert speculated.stats().imperative_calls == 3
    assert speculated.stats().executables == 1


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


@pytest.mark.parametrize("seed", range(4))
def test_interrupts_at_any_point_leave_the_function_usable(seed):
    run_interrupts("main", seed)


def test_an_interrupt_in_another_thread_is_an_interrupt_there():
    run_interrupts("thread", 0)


def test_an_interrupt_ends_an_endless_function():
    run_interrupts("endless", 0)


def run_interrupts(kind: str, seed: int) -> None:
    """Run a program that interrupts itself, in a process of its own: an interrupt may leave a mark on JAX itself."""
    command = [sys.executable, "-m", "tests.harness.interrupts", kind, str(seed)]
    ended = subprocess.run(command, check=False, cwd=HOME, timeout=300, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr


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


def test_a_child_compiles_nothing_after_a_fork_and_runs_what_is_compiled():
    """What plain Python needs has been compiled before the fork: it does not hang either."""
    program = """
        import os, signal
        import janus_jax
        from tests.harness import steps
        from tests.harness.agreement import ONE

        ready, late = (janus_jax.speculate(f, profile_calls=1) for f in (steps.halved, steps.inner))
        for call in range(3):
            ready(ONE * 3)
        expected = [float(steps.inner(x)) for x in (ONE * 3, ONE)]
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            assert [float(ready(ONE * 3)) for _ in range(3)] == [1.5] * 3
            for _ in range(3):
                assert [float(late(x)) for x in (ONE * 3, ONE)] == expected
            assert ready.stats().compiled_calls == 5
            assert [reason.id for reason in late.explain().reasons] == ["forked"]
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        for _ in range(3):
            assert [float(late(x)) for x in (ONE * 3, ONE)] == expected
        assert late.stats().compiled_calls > 0
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
