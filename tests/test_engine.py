"""The engine's table of transitions: from each state, what may happen, and the state that it leads to.

Every call on the way, whatever state it meets, has plain Python's outcome.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import pytest

import janus_jax
from janus_jax import _engine
from janus_jax._base import Reason
from janus_jax._engine import MAX_CHANGES, MAX_FAILURES, MAX_TRIPS, Compiled, Converting, Entry, Plain, Profiling, State
from janus_jax._execute import Tripped
from janus_jax._session import session
from tests.harness.agreement import Pair, adds_up

POSITIVE, NEGATIVE = jnp.array([1.0, 2.0]), jnp.array([-1.0, -2.0])
HUGE = 2**40
MODE: Any = "plus"
Event: TypeAlias = Callable[[Pair], None]


def unlike_arms(x):
    """The arm that no call has taken yet costs more than the rest, and is compiled once it was."""
    if x[0] > 0:
        return x + 1
    a = jnp.sin(x) + jnp.cos(x) + jnp.tanh(x) + jnp.exp(x) + jnp.abs(x) + jnp.sqrt(jnp.abs(x)) + jnp.floor(x)
    b = jnp.sin(a) + jnp.cos(a) + jnp.tanh(a) + jnp.exp(-a) + jnp.abs(a) + jnp.sqrt(jnp.abs(a)) + jnp.floor(a)
    return a * b


def prints_below_zero(x):
    """The arm that no call has taken yet cannot be compiled."""
    if x[0] > 0:
        return x + 1
    print("negative")
    return x


def raises_below_zero(x):
    """The arm that no call has taken yet raises."""
    if x[0] > 0:
        return x + 1
    raise ValueError("negative")


def prints_when_loud(x, mode):
    """What one mode can be compiled to, another cannot."""
    if mode == "loud":
        print(mode)
    if x[0] > 0:
        return x + 1
    raise ValueError(mode)


def squares(x, n):
    """A program counts in 64 bits, and Python goes on beyond."""
    return x, n * n


def always_raises(x):
    """There is no program of it, and no reason but Python's own."""
    raise ValueError(x.shape)


def prints(x):
    """It is refused."""
    print("called")
    return x


def reads_mode(x):
    """A program holds for one value of the global."""
    return x + 1 if MODE == "plus" else x - 1


def entry_of(pair: Pair) -> Entry:
    """The entry of the last call."""
    entry = pair.speculated.__janus_engine__._last
    assert entry is not None
    return entry


def state_of(pair: Pair) -> State:
    """The state in which the last call has left its entry."""
    return entry_of(pair).state


def profiled(function: Callable[..., Any], **options: Any) -> Pair:
    """A function that has been called often enough, and has no program yet."""
    pair = Pair(function, **options)
    for _ in range(3):
        pair.agree(POSITIVE)
    assert state_of(pair) == Compiled()
    return pair


def compiled(function: Callable[..., Any]) -> Pair:
    """A function with a program."""
    pair = profiled(function)
    assert pair.runs_compiled(POSITIVE)
    return pair


def counting(function: Callable[..., Any] = squares) -> Pair:
    """A function with a program that is given a number."""
    pair = Pair(function)
    for n in range(3):
        pair.agree(POSITIVE, n)
    assert pair.runs_compiled(POSITIVE, 3)
    return pair


def begun() -> Pair:
    """A function that was called once."""
    pair = Pair(unlike_arms)
    pair.agree(POSITIVE)
    return pair


def refused(function: Callable[..., Any] = prints) -> Pair:
    """A function that stays in Python."""
    pair = profiled(function)
    pair.agree(POSITIVE)
    return pair


def call(*args: Any, times: int = 1) -> Event:
    """Calls, all with the same arguments."""

    def event(pair: Pair) -> None:
        for _ in range(times):
            pair.agree(*(args or (POSITIVE,)))

    return event


def change_mode(times: int) -> Event:
    """Calls, each of which finds another string in a global."""

    def event(pair: Pair) -> None:
        with pytest.MonkeyPatch.context() as patch:
            for number in range(times):
                patch.setitem(reads_mode.__globals__, "MODE", f"mode {number}")
                pair.agree(POSITIVE)

    return event


def fail_to_run(times: int) -> Event:
    """Calls whose program raises an error of the machine."""

    def event(pair: Pair) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(session, "developer", False)
            program = pair.speculated.__janus_engine__.program()
            patch.setattr(program, "call", lambda args, kwargs: Tripped(-1, RuntimeError("no memory")))
            for _ in range(times):
                pair.agree(POSITIVE)

    return event


def fail_to_convert(times: int) -> Event:
    """Calls whose conversion meets a fault of ours."""

    def fault(*_: Any) -> Any:
        raise ArithmeticError("ours")

    def event(pair: Pair) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(session, "developer", False)
            patch.setattr(_engine, "convert", fault)
            for _ in range(times):
                pair.agree(POSITIVE)

    return event


def interrupt(pair: Pair) -> None:
    """An interrupt in the middle of a conversion."""

    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_engine, "convert", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pair.speculated(POSITIVE)


def while_converting(inner: Event) -> Event:
    """One call that converts, and what happens in the middle of it."""

    def event(pair: Pair) -> None:
        real = _engine.convert

        def convert(*arguments: Any) -> Any:
            assert isinstance(state_of(pair), Converting)
            patch.undo()
            inner(pair)
            return real(*arguments)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_engine, "convert", convert)
            pair.agree(POSITIVE)

    return event


def call_in_another_thread(pair: Pair) -> None:
    """A call by another thread, which waits for nobody."""
    before = pair.speculated.stats().imperative_calls
    thread = threading.Thread(target=pair.speculated, args=(POSITIVE,))
    thread.start()
    thread.join()
    assert pair.speculated.stats().imperative_calls == before + 1
    assert isinstance(state_of(pair), Converting)


def call_itself(pair: Pair) -> None:
    """A call by the same thread, as a callee that is being converted may make it."""
    assert not pair.runs_compiled(POSITIVE)
    assert isinstance(state_of(pair), Converting)


def fork(pair: Pair) -> None:
    """What a forked process does first: what another thread was converting is nobody's there."""
    pair.speculated.__janus_engine__.renew_locks()
    assert state_of(pair) == Compiled()


def clear(pair: Pair) -> None:
    """The user forgets this function, and calls it again."""
    pair.speculated.clear()
    pair.agree(POSITIVE)


def reset(pair: Pair) -> None:
    """The user forgets everything, and calls again."""
    janus_jax.reset()
    pair.agree(POSITIVE)


def call_under(context: Callable[[], Any]) -> Event:
    """A call with speculation, or with XLA's speed, switched off."""

    def event(pair: Pair) -> None:
        with context():
            pair.agree(POSITIVE)

    return event


def call_with_another_structure(pair: Pair) -> None:
    """A call with a keyword: it has an entry of its own, and leaves the other one as it is."""
    first, state = entry_of(pair), state_of(pair)
    pair.agree(x=POSITIVE)
    assert entry_of(pair) is not first
    assert first.state == state


def plain(reason: str) -> Plain:
    """The state of a function that stays in Python; states compare by the reason's id here."""
    return Plain(Reason(reason, None))


def same(state: State, expected: State) -> bool:
    """Whether a state is the expected one, with whatever place and detail its reason names."""
    if isinstance(state, Plain) and isinstance(expected, Plain):
        return state.reason.id == expected.reason.id
    return state == expected


TRANSITIONS: list[tuple[str, Callable[[], Pair], Event, State, int]] = [
    # what happened, the state before, the event, the state after, and how many programs there are then
    ("the first call", lambda: Pair(unlike_arms), call(), Profiling(2), 0),
    ("not enough calls", lambda: Pair(unlike_arms), call(times=2), Profiling(1), 0),
    ("enough calls", lambda: Pair(unlike_arms), call(times=3), Compiled(), 0),
    ("enough calls that raise", lambda: Pair(always_raises), call(times=3), Compiled(), 0),
    ("as many calls as were asked for", lambda: Pair(unlike_arms, profile_calls=5), call(times=4), Profiling(1), 0),
    ("no profile at all", lambda: Pair(unlike_arms, profile_calls=0), call(), Compiled(), 1),
    ("profiling, disabled", begun, call_under(janus_jax.disabled), Profiling(2), 0),
    ("converting, program", lambda: profiled(unlike_arms), call(), Compiled(), 1),
    ("converting, reason", lambda: profiled(prints), call(), plain("effect"), 0),
    ("converting, it raises", lambda: profiled(always_raises), call(), Compiled(), 0),
    ("converting, it raises often", lambda: profiled(always_raises), call(times=MAX_FAILURES), Compiled(), 0),
    (
        "converting, it raises too often",
        lambda: profiled(always_raises),
        call(times=MAX_FAILURES + 1),
        plain("raises"),
        0,
    ),
    ("converting, a fault of ours", lambda: profiled(unlike_arms), fail_to_convert(MAX_FAILURES), Compiled(), 0),
    (
        "converting, too many faults of ours",
        lambda: profiled(unlike_arms),
        fail_to_convert(MAX_FAILURES + 1),
        plain("internal"),
        0,
    ),
    ("converting, interrupted", lambda: profiled(unlike_arms), interrupt, Compiled(), 0),
    (
        "converting, another thread calls",
        lambda: profiled(unlike_arms),
        while_converting(call_in_another_thread),
        Compiled(),
        1,
    ),
    ("converting, a call inside", lambda: profiled(unlike_arms), while_converting(call_itself), Compiled(), 1),
    ("converting, a fork", lambda: profiled(unlike_arms), while_converting(fork), Compiled(), 1),
    ("converting, cleared", lambda: profiled(unlike_arms), while_converting(clear), Profiling(2), 0),
    ("converting, reset", lambda: profiled(unlike_arms), while_converting(reset), Profiling(2), 0),
    ("compiled, a call", lambda: compiled(unlike_arms), call(), Compiled(), 1),
    ("compiled, another value", lambda: compiled(reads_mode), change_mode(1), Compiled(), 2),
    ("compiled, other values", lambda: compiled(reads_mode), change_mode(MAX_CHANGES), Compiled(), MAX_CHANGES + 1),
    (
        "compiled, always another value",
        lambda: compiled(reads_mode),
        change_mode(MAX_CHANGES + 1),
        plain("unstable-value"),
        MAX_CHANGES + 1,
    ),
    ("compiled, a trip that relaxes", lambda: compiled(unlike_arms), call(NEGATIVE), Compiled(), 0),
    ("compiled, relaxed", lambda: compiled(unlike_arms), call(NEGATIVE, times=2), Compiled(), 1),
    ("compiled, relaxed to a reason", lambda: compiled(prints_below_zero), call(NEGATIVE, times=2), plain("effect"), 0),
    ("compiled, trips that teach nothing", counting, call(POSITIVE, HUGE, times=MAX_TRIPS - 1), Compiled(), 1),
    ("compiled, too many trips", counting, call(POSITIVE, HUGE, times=MAX_TRIPS), plain("guard-trips"), 0),
    ("compiled, exceptions", lambda: compiled(raises_below_zero), call(NEGATIVE, times=5), Compiled(), 1),
    ("compiled, cannot run", lambda: compiled(unlike_arms), fail_to_run(MAX_FAILURES), Compiled(), 1),
    (
        "compiled, cannot run too often",
        lambda: compiled(unlike_arms),
        fail_to_run(MAX_FAILURES + 1),
        plain("run-error"),
        0,
    ),
    ("compiled, disabled", lambda: compiled(unlike_arms), call_under(janus_jax.disabled), Compiled(), 1),
    ("compiled, debugged", lambda: compiled(unlike_arms), call_under(lambda: jax.debug_nans(True)), Compiled(), 1),
    ("compiled, another structure", lambda: compiled(unlike_arms), call_with_another_structure, Profiling(2), 0),
    ("compiled, cleared", lambda: compiled(unlike_arms), clear, Profiling(2), 0),
    ("compiled, reset", lambda: compiled(unlike_arms), reset, Profiling(2), 0),
    ("plain, a call", refused, call(), plain("effect"), 0),
    ("plain, another structure", refused, call_with_another_structure, Profiling(2), 0),
    ("plain, cleared", refused, clear, Profiling(2), 0),
    ("plain, reset", refused, reset, Profiling(2), 0),
]


@pytest.mark.parametrize(
    ("before", "event", "after", "programs"), [pytest.param(*rest, id=name) for name, *rest in TRANSITIONS]
)
def test_each_event_leads_from_its_state_to_the_next(
    before: Callable[[], Pair], event: Event, after: State, programs: int
) -> None:
    pair = before()
    event(pair)
    assert same(state_of(pair), after), state_of(pair)
    assert len(entry_of(pair).programs) == programs
    assert adds_up(pair.speculated)
    check_calls_after(pair)


def check_calls_after(pair: Pair) -> None:
    """Whatever has happened, the next calls are plain Python's, and end compiled where that is possible."""
    more = (0,) if pair.function is squares else ()
    for x in (NEGATIVE, POSITIVE, POSITIVE, POSITIVE, POSITIVE):
        pair.agree(x, *more)
    hopeless = isinstance(state_of(pair), Plain) or pair.function is always_raises
    assert hopeless or pair.runs_compiled(POSITIVE, *more)


def test_every_state_is_left_and_reached() -> None:
    named = {name.partition(",")[0] for name, *_ in TRANSITIONS}
    assert {"profiling", "converting", "compiled", "plain"} <= named
    assert {type(after) for *_, after, _ in TRANSITIONS} == {Profiling, Compiled, Plain}


def test_a_trip_is_counted_in_every_state() -> None:
    pair = Pair(prints_when_loud).warm(POSITIVE, "quiet")
    for _ in range(MAX_FAILURES + 1):
        pair.agree(POSITIVE, "loud")
    assert isinstance(state_of(pair), Plain)
    assert pair.runs_compiled(POSITIVE, "quiet")
    pair.agree(NEGATIVE, "quiet")
    assert pair.trips == 1
