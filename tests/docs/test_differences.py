"""Each entry of docs/differences.md, shown: the difference that is allowed, and what holds all the same."""

from __future__ import annotations

import json
import logging
import math
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import janus_jax
from tests.harness.lines import lines_through

PAGE = Path(__file__).parent.parent.parent / "docs" / "differences.md"
VECTOR = jnp.array([1.0, 2.0, 3.0])
SHIFT = jnp.float32(4)
RATE = 1
ROUNDS = 30_000


def compiled(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return the speculated function, after enough calls for it to run compiled."""
    fast = janus_jax.speculate(function)
    for _ in range(4):
        fast(*arguments)
    assert fast.stats().compiled_calls == 1, fast.explain()
    return fast


def runs_compiled(fast: Any, *arguments: Any) -> Any:
    """Return what a call gives that has to run compiled."""
    before = fast.stats().compiled_calls
    result = fast(*arguments)
    assert fast.stats().compiled_calls == before + 1
    return result


WITH_DEFAULT_FLAGS = """
import json
import jax.numpy as jnp
import numpy as np
import janus_jax

def compiled(function, *arguments):
    fast = janus_jax.speculate(function)
    for _ in range(4):
        fast(*arguments)
    assert fast.stats().compiled_calls == 1, fast.explain()
    return fast
"""


def under_default_flags(tmp_path: Path, program: str) -> Any:
    """Return what `program` prints as JSON, in a process whose XLA is as users have it."""
    script = tmp_path / "program.py"
    script.write_text(WITH_DEFAULT_FLAGS + textwrap.dedent(program))
    environment = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    done = subprocess.run([sys.executable, script], check=True, capture_output=True, text=True, env=environment)
    return json.loads(done.stdout)


def headings() -> list[str]:
    """Return the entries of the page, as the names of their tests."""
    found = re.findall(r"^## (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return ["test_" + re.sub(r"\W+", "_", heading.lower()) for heading in found]


def test_every_entry_has_a_test_and_every_test_an_entry() -> None:
    own = test_every_entry_has_a_test_and_every_test_an_entry.__name__
    assert sorted(headings()) == sorted(name for name in globals() if name.startswith("test_") and name != own)


def test_the_last_bits_of_floats(tmp_path: Path) -> None:
    program = """
    def polynomial(x, steps):
        return x * x + x, steps * 0.1 + 0.2

    x = jnp.linspace(-3.0, 3.0, 1000)
    fast = compiled(polynomial, x, 3)
    fast(x, 5), fast(x, 7)
    plain, ours = polynomial(x, 11), fast(x, 11)
    distance = np.abs(np.asarray(plain[0]) - np.asarray(ours[0])) / np.spacing(np.float32(16))
    print(json.dumps([float(distance.max()), plain[1] == ours[1], fast.stats().compiled_calls]))
    """
    distance, numbers_agree, calls = under_default_flags(tmp_path, program)
    assert distance <= 1
    assert numbers_agree
    assert calls == 4


def test_decisions_that_hang_on_the_last_bits(tmp_path: Path) -> None:
    program = """
    def is_exact(x, z):
        if jnp.any(x * x - z != 0):
            return x, "not exact"
        return x, "exact"

    x = 1 + jnp.arange(1000) / 1000
    z = x * x
    print(json.dumps([is_exact(x, z)[1], compiled(is_exact, x, z)(x, z)[1]]))
    """
    plain, ours = under_default_flags(tmp_path, program)
    assert plain == "exact"
    assert ours in ("exact", "not exact")


def test_subnormal_floats(tmp_path: Path) -> None:
    program = """
    def add_nothing(x):
        return x + 0

    tiny = jnp.asarray(np.float32(1e-40))
    results = [float(add_nothing(tiny)), float(compiled(add_nothing, tiny)(tiny)), float(tiny)]
    print(json.dumps(results))
    """
    plain, ours, tiny = under_default_flags(tmp_path, program)
    assert {plain, ours} <= {0.0, tiny}


def test_the_sign_of_zero() -> None:
    def added(x: Any) -> Any:
        return 0.0 + x

    def added_to_a_number(x: Any, number: float) -> Any:
        return 0.0 + number, x

    zero = -jnp.zeros(3)
    plain, ours = added(zero), compiled(added, VECTOR)(zero)
    assert plain.tolist() == ours.tolist() == [0.0, 0.0, 0.0]
    assert not np.signbit(plain).any()
    assert math.copysign(1, compiled(added_to_a_number, VECTOR, -0.0)(VECTOR, -0.0)[0]) == 1


def test_the_sign_and_payload_of_a_nan() -> None:
    def nowhere(x: Any) -> Any:
        return x + jnp.float32(0) / jnp.float32(0), x

    plain, ours = nowhere(VECTOR), compiled(nowhere, VECTOR)(VECTOR)
    assert np.isnan(plain[0]).all()
    assert np.isnan(ours[0]).all()


def test_which_new_arrays_are_one_object() -> None:
    def both(x: Any) -> Any:
        y = x + 1
        if x.sum() > 0:
            z = y
        else:
            z = x
        return y, z

    plain, fast = both(VECTOR), compiled(both, VECTOR)
    ours = runs_compiled(fast, VECTOR)
    assert plain[0] is plain[1]
    assert ours[0] is not ours[1]
    assert np.array_equal(ours[0], ours[1])
    assert runs_compiled(fast, -VECTOR)[1] is not VECTOR

    def in_a_list(x: Any) -> Any:
        rows = []
        for i in range(20):
            last = x * i
            rows.append(last)
        return rows, last

    plain, ours = in_a_list(VECTOR), runs_compiled(compiled(in_a_list, VECTOR), VECTOR)
    assert plain[0][-1] is plain[1]
    assert ours[0][-1] is not ours[1]
    assert np.array_equal(ours[0][-1], ours[1])
    below = -VECTOR
    assert runs_compiled(fast, below)[1] is below  # what went in keeps its identity


def test_what_jax_jit_has_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    def make() -> Callable[[Any], Any]:
        scaled = jax.jit(lambda x: x * RATE)
        return lambda x: scaled(x) if x.sum() > 100 else x

    plain, watched = make(), janus_jax.speculate(make())
    unwatched = janus_jax.speculate(make(), profile_calls=0)
    for function in (plain, unwatched, *[watched] * 4):
        assert np.array_equal(function(VECTOR), VECTOR)
    monkeypatch.setitem(globals(), "RATE", 5)
    large = VECTOR * 100
    assert np.array_equal(plain(large), 5 * large)
    assert np.array_equal(watched(large), 5 * large)
    assert np.array_equal(runs_compiled(unwatched, large), large)
    jax.clear_caches()
    for function in (plain, watched, unwatched):
        assert np.array_equal(function(large), 5 * large)
    scaled = jax.jit(lambda x: x * RATE)
    fast = compiled(lambda x: scaled(x) + 1, VECTOR)
    monkeypatch.setitem(globals(), "RATE", 7)
    scaled.clear_cache()
    assert np.array_equal(scaled(VECTOR), 7 * VECTOR)
    assert np.array_equal(runs_compiled(fast, VECTOR), 5 * VECTOR + 1)


def shifted(x: Any) -> Any:
    return x + SHIFT


def test_what_jax_has_traced_of_a_function_that_it_is_given_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    def shifts(x: Any) -> Any:
        return jax.jit(shifted)(x), jax.lax.scan(lambda c, _: (jax.checkpoint(shifted)(c), None), x, None, 2)[0]

    fast = compiled(shifts, VECTOR)
    before = shifts(VECTOR)
    monkeypatch.setitem(globals(), "SHIFT", jnp.float32(9))
    assert np.array_equal(shifts(VECTOR)[0], before[0])
    for one, other in ((runs_compiled(fast, VECTOR), [VECTOR + 9, VECTOR + 18]), (before, [VECTOR + 4, VECTOR + 8])):
        assert all(map(np.array_equal, one, other))
    jax.clear_caches()
    assert all(map(np.array_equal, shifts(VECTOR), fast(VECTOR)))


def test_the_gradient_of_what_was_not_used() -> None:
    def larger(x: Any) -> Any:
        return max(jnp.sqrt(x), x + 2.0)

    zero = jnp.float32(0)
    fast = compiled(larger, zero)
    assert runs_compiled(fast, zero) == larger(zero)
    assert jax.grad(larger)(zero) == 1.0
    assert jnp.isnan(jax.grad(fast)(zero))
    assert jax.grad(fast)(jnp.float32(1)) == jax.grad(larger)(jnp.float32(1)) == 1.0


def test_more_works_under_other_transformations() -> None:
    def shrinks(x: Any) -> Any:
        while x.sum() > 1:
            x = x * 0.5
        return x

    rows = jnp.stack([VECTOR, VECTOR * 10])
    with pytest.raises(jax.errors.ConcretizationTypeError):
        jax.vmap(shrinks)(rows)
    ours = jax.vmap(janus_jax.speculate(shrinks))(rows)
    assert np.array_equal(ours, np.stack([shrinks(row) for row in rows]))


def test_which_object_an_equal_number_string_or_tuple_is() -> None:
    def constants(x: Any, count: int, items: tuple[int, ...]) -> Any:
        return x + 1, count, "a constant, with spaces", (1, 2), items, None

    items = (10**6, 10**7)
    fast = compiled(constants, VECTOR, 10**9, items)
    runs_compiled(fast, VECTOR, 10**9 + 1, items)  # the number varies from here on
    number = 10**9 + 2
    plain, ours = constants(VECTOR, number, items), runs_compiled(fast, VECTOR, number, items)
    assert plain[1] is number
    assert ours[1] is not number
    assert ours[1:] == plain[1:]
    assert [type(part) for part in ours[1:]] == [type(part) for part in plain[1:]]
    assert ours[2] is not plain[2]
    assert ours[3] is not plain[3]
    assert ours[4] is items


def test_warnings_that_jax_gives_for_an_operation() -> None:
    def widen(x: Any) -> Any:
        return x.astype("float64") * 2

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        fast = compiled(widen, VECTOR)
        before = len(seen)
        ours = runs_compiled(fast, VECTOR)
        assert len(seen) == before
        plain = widen(VECTOR)
        assert len(seen) == before + 1
    assert ours.dtype == plain.dtype
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        runs_compiled(fast, VECTOR)
        with pytest.raises(UserWarning, match="float64"):
            widen(VECTOR)


def test_transfers_and_jax_s_own_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    def shifted(x: Any) -> Any:
        return jnp.negative(x + 2.0)

    fast = compiled(shifted, VECTOR)
    with jax.transfer_guard("disallow"):
        with pytest.raises(Exception, match=r"[Dd]isallowed"):
            shifted(VECTOR)
        ours = runs_compiled(fast, VECTOR)
    assert np.array_equal(ours, shifted(VECTOR))
    monkeypatch.setattr(jnp, "negative", jnp.exp)
    assert np.array_equal(fast(VECTOR), shifted(VECTOR))


def test_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def prints(x: Any) -> Any:
        print(end="")
        return x

    fast = janus_jax.speculate(prints)
    with caplog.at_level(logging.WARNING, "janus_jax"):
        for _ in range(6):
            fast(VECTOR)
    assert [record.name for record in caplog.records] == ["janus_jax"]
    assert "[effect]" in caplog.records[0].getMessage()


def test_frames_on_the_stack() -> None:
    def caller_of(fail: bool) -> str:
        if fail:
            raise LookupError
        return sys._getframe(1).f_globals["__name__"]

    assert caller_of(False) == __name__
    watched = janus_jax.speculate(caller_of)
    assert watched(False).startswith("janus_jax.")
    with pytest.raises(LookupError) as raised:
        watched(True)
    assert {frame.filename for frame in traceback.extract_tb(raised.tb)} == {__file__}

    def names_of_caller() -> list[str]:
        return sorted(sys._getframe(1).f_locals)

    def in_pieces(x: Any) -> Any:
        y = x * 2 + 1
        z = y * 2
        return names_of_caller(), z

    fast = janus_jax.speculate(in_pieces)
    for _ in range(6):
        names = fast(VECTOR)[0]
    assert fast.explain().outcome == "partial", fast.explain()
    assert set(in_pieces(VECTOR)[0]) - set(names) == {"y"}


def test_which_arrays_are_bound_to_a_device() -> None:
    def two(x: Any) -> Any:
        return x + 1, jnp.zeros(2)

    bound = jax.device_put(VECTOR, jax.devices()[0])
    fast = compiled(two, bound)
    assert [array.committed for array in two(bound)] == [True, False]
    assert [array.committed for array in runs_compiled(fast, bound)] == [True, True]
    free = compiled(two, VECTOR)
    assert [array.committed for array in runs_compiled(free, VECTOR)] == [False, False]


def test_the_message_of_an_error_in_a_host_callback() -> None:
    def fails(x: Any) -> Any:
        return jax.block_until_ready(jax.pure_callback(lambda _: None, x, x))

    with pytest.raises(Exception, match="Mismatched number of outputs") as plain:
        fails(jnp.ones(2))
    with pytest.raises(type(plain.value), match="Mismatched number of outputs") as raised:
        janus_jax.speculate(fails)(jnp.ones(2))
    assert "_engine.py" not in str(plain.value)
    assert "_engine.py" in str(raised.value)


def reads_an_unbound_name(count: int, binds: bool) -> int:
    if binds:
        found = 1
    total = 0
    for _ in range(count):
        total = found
    return total


def test_the_line_of_an_unbound_name_in_python_3_11() -> None:
    for _ in range(20):
        reads_an_unbound_name(3, True)
    first = reads_an_unbound_name.__code__.co_firstlineno
    lines: list[tuple[int, int]] = []
    for function in (reads_an_unbound_name, janus_jax.speculate(reads_an_unbound_name)):
        with pytest.raises(UnboundLocalError) as raised:
            function(1, False)
        assert raised.tb is not None
        lines.append((raised.traceback[-1].lineno + 1 - first, [*lines_through(raised.value)][-1][2] - first))
    early = 4 if sys.version_info < (3, 12) else 5
    assert lines == [(early, 5), (5, 5)]


@contextmanager
def lines_of(name: str) -> Iterator[list[int]]:
    """Collect the lines that functions called `name` run."""
    lines: list[int] = []

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_name == name and event == "line":
            lines.append(frame.f_lineno)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield lines
    finally:
        sys.settrace(before)


def test_tools_that_follow_lines() -> None:
    def doubled(x: Any) -> Any:
        x = abs(x) + x
        return x

    with lines_of("doubled") as plain:
        doubled(VECTOR)
    with lines_of("doubled") as watched:
        janus_jax.speculate(doubled)(VECTOR)
    with lines_of("callee") as hooks:
        janus_jax.speculate(doubled)(VECTOR)
    fast = compiled(doubled, VECTOR)
    with lines_of("doubled") as ours:
        runs_compiled(fast, VECTOR)
    with janus_jax.disabled(), lines_of("doubled") as disabled:
        fast(VECTOR)
    assert plain == watched == disabled
    assert len(plain) == 2
    assert ours == []
    assert hooks != []


@janus_jax.speculate
def depth_of(n: int) -> int:
    """Return `n`, one call deeper for each."""
    return 0 if n == 0 else 1 + depth_of(n - 1)


def test_recursion_depth() -> None:
    def plain(n: int) -> int:
        return 0 if n == 0 else 1 + plain(n - 1)

    with janus_jax.disabled():
        assert depth_of(20) == plain(20) == 20
    for _ in range(5):
        assert depth_of(20) == 20
    deep = sys.getrecursionlimit() // 2
    assert plain(deep) == deep
    with pytest.raises(RecursionError):
        depth_of(deep)


class Interrupted(BaseException):
    """Raised by a signal handler."""


def test_when_an_interrupt_is_noticed() -> None:
    def count(x: Any, most: int) -> Any:
        while x < most:
            x = x + 1
        return x

    def handler(number: int, frame: Any) -> None:
        raise Interrupted

    def until_interrupted() -> None:
        while True:  # the handler runs between two calls, or in one before it starts or after it has ended
            fast(small, many)

    fast = janus_jax.speculate(count, profile_calls=0)
    small, many = jnp.int32(0), jnp.int32(90_000)
    assert int(fast(small, many)) == 90_000
    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        with pytest.raises(Interrupted):
            until_interrupted()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert int(runs_compiled(fast, small, many)) == 90_000


def test_what_other_threads_write_during_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def add_up(x: Any) -> Any:
        for _ in range(ROUNDS):
            x = x + RATE
        return x

    fast = janus_jax.speculate(add_up, profile_calls=0)
    results: list[int] = []
    start = jnp.int32(0)
    assert int(fast(start)) == ROUNDS
    monkeypatch.setitem(globals(), "RATE", 2)
    assert int(fast(start)) == 2 * ROUNDS  # from here on, RATE is read anew at every call
    thread = threading.Thread(target=lambda: results.append(int(fast(start))))
    thread.start()
    monkeypatch.setitem(globals(), "RATE", 3)
    thread.join()
    assert results in ([2 * ROUNDS], [3 * ROUNDS])  # one or the other, never some of each


def test_memory() -> None:
    def wasteful(x: Any) -> Any:
        if x.sum() > 100:
            jnp.full((10**11,), x[0])
            x = x + 1
        return x

    fast = compiled(wasteful, VECTOR)
    with pytest.raises(jax.errors.JaxRuntimeError, match="RESOURCE_EXHAUSTED"):
        wasteful(VECTOR * 100)
    assert np.array_equal(runs_compiled(fast, VECTOR * 100), VECTOR * 100 + 1)


def test_when_time_is_spent() -> None:
    def doubled(x: Any) -> Any:
        return x + x

    fast = janus_jax.speculate(doubled)
    made = []
    for _ in range(5):
        fast(VECTOR)
        made.append((fast.stats().executables, fast.stats().compile_seconds > 0))
    assert made == [(0, False), (0, False), (0, False), (1, True), (1, True)]
