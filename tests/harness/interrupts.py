"""A program that interrupts itself at random points of profiling, conversion and run; the calls after it must be right.

python -m tests.harness.interrupts main 0      a timer's signal in the main thread
python -m tests.harness.interrupts thread 0    an asynchronous exception in another thread
python -m tests.harness.interrupts endless 0   functions that end no other way

What is right is what plain Python does at that moment: JAX's own caches may not survive an interrupt either.
"""

from __future__ import annotations

import tests.conftest  # noqa: F401 - sets XLA's flags, so it must run before JAX is imported

# isort: split
import contextlib
import ctypes
import itertools
import random
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import jax

import janus_jax
from tests.harness import steps
from tests.harness.agreement import CALLS, ONE, adds_up, outcomes_of, quiet
from tests.harness.outcomes import Outcome, difference

INTERRUPTED = "KeyboardInterrupt"


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


def was_interrupted(outcome: Outcome | None) -> bool:
    """Say whether a call ended by the interrupt."""
    return outcome is None or (outcome.raised and INTERRUPTED in str(outcome.error))


def demand(function: Callable[..., Any], arguments: tuple[Any, ...], outcome: Outcome) -> None:
    """Demand that an outcome is what plain Python does now."""
    found = difference(quiet(function, arguments), outcome)
    assert found is None, f"{function.__name__}: {found}"


def check_all(speculated: dict[Any, Any], x64: bool) -> None:
    """Demand that every function still works, is compiled, and that JAX's configuration is as it was."""
    assert jax.config.jax_enable_x64 == x64, "an interrupted call left x64 switched on"
    for function, arguments in CALLS:
        for _ in range(5):
            demand(function, arguments, quiet(speculated[function], arguments))
        assert adds_up(speculated[function]), speculated[function].stats()
    idle = [one for one in speculated.values() if not one.stats().compiled_calls]
    # JAX's own caches may take a look-up that was interrupted for an endless recursion ever after: that is a reason
    lost = [str(one.explain()) for one in idle if "recursion" not in {reason.id for reason in one.explain().reasons}]
    assert lost == [], "\n".join(["never compiled:", *lost])


def in_main_thread(seed: int) -> None:
    """Interrupt calls in the main thread."""
    generator = random.Random(seed)
    x64 = jax.config.jax_enable_x64
    outcomes_of(CALLS)
    speculated = {function: janus_jax.speculate(function) for function, _ in CALLS}
    count = 0
    for index in [generator.randrange(len(CALLS)) for _ in range(80)]:
        function, arguments = CALLS[index]
        delay = 10 ** generator.uniform(-4.5, -0.8)
        outcome = interrupted(lambda f=speculated[function], a=arguments: quiet(f, a), delay)
        count += was_interrupted(outcome)
        if not was_interrupted(outcome):
            demand(function, arguments, outcome)
    assert count > 5
    check_all(speculated, x64)


def in_another_thread(seed: int) -> None:
    """Interrupt calls in a thread that is not the main one."""
    outcomes_of(CALLS)
    speculated = {function: janus_jax.speculate(function) for function, _ in CALLS}
    wrong: list[str] = []
    stop = threading.Event()

    def work() -> None:
        calls = itertools.cycle(CALLS)
        while not stop.is_set():
            with contextlib.suppress(KeyboardInterrupt):
                compare(*next(calls))

    def compare(function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        expected, actual = quiet(function, arguments), quiet(speculated[function], arguments)
        found = difference(expected, actual)
        if found and not was_interrupted(expected) and not was_interrupted(actual):
            wrong.append(f"{function.__name__}: {found}")

    def survive() -> None:
        while not stop.is_set():
            with contextlib.suppress(KeyboardInterrupt):  # one that came between two calls
                work()

    thread = threading.Thread(target=survive)
    thread.start()
    generator = random.Random(seed)
    for _ in range(40):
        stop.wait(10 ** generator.uniform(-3, -0.8))
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident or 0), ctypes.py_object(KeyboardInterrupt)
        )
    stop.wait(0.2)
    stop.set()
    thread.join()
    assert wrong == [], wrong[:3]
    check_all(speculated, jax.config.jax_enable_x64)


def in_endless_functions(seed: int) -> None:
    """Interrupt functions that would never end, plain, being profiled, and compiled."""
    speculated = janus_jax.speculate(steps.never_stops)
    for turn in range(6):
        assert interrupted(lambda: speculated(ONE), 0.3 + turn / 10) is None
    assert float(speculated(ONE * -1)) == -1.0
    assert adds_up(speculated)


if __name__ == "__main__":
    kinds = {"main": in_main_thread, "thread": in_another_thread, "endless": in_endless_functions}
    sys.unraisablehook = lambda unraisable: None  # an interrupt inside a finaliser is lost, and nobody can help it
    kinds[sys.argv[1]](int(sys.argv[2]))
