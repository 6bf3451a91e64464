"""Corners in which a compiled call could easily differ from plain Python, each with a function that goes there."""

from __future__ import annotations

import collections
import functools
import gc
import subprocess
import sys
import textwrap
import types
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import janus_jax
from janus_jax._base import Reason
from janus_jax._execute import Tripped
from janus_jax._session import session
from janus_jax.errors import InternalError, SpeculationError
from tests.harness.agreement import Pair
from tests.harness.compare import assert_same, outcome_of

V = jnp.array([1.0, 2.0, 3.0])
HALF = jnp.ones(2, jnp.float16)
KEPT = jnp.ones(3)
RATE: Any = 3.5
HOST = np.array([1.0, 2.0, 3.0])


def agree(function: Callable[..., Any], *calls: tuple[Any, ...], compiled: bool = True) -> Any:
    """Demand plain Python's outcome of every call, warm calls first; and that some call ran compiled, or none did."""
    speculated = janus_jax.speculate(function)
    for arguments in (*[calls[0]] * 4, *calls):
        plain = outcome_of(function, fresh(arguments), {}, user=function)
        assert_same(plain, outcome_of(speculated, fresh(arguments), {}, user=function), exact=True)
    assert bool(speculated.stats().compiled_calls) == compiled, speculated.explain()
    return speculated


def fresh(arguments: Any) -> Any:
    """Return the arguments in lists of their own."""
    kind = type(arguments)
    return kind(map(fresh, arguments)) if kind in (tuple, list) else arguments


def many_containers(x: Any) -> Any:
    y = (KEPT, (x + 1,), (x + 2,), (x + 3,), (x + 4,), (x + 5,)) if x.sum() > 0 else None
    return ((x + 1,), KEPT), x, y


def numbers_in_containers(x: Any, n: int) -> Any:
    return (n, n + 1) + (x,), [n] + [2], [n, x] * 2


def the_same_tuple(t: Any) -> Any:
    return tuple(t), t + (), t * 1, t[:]


def iterates_twice(x: Any) -> Any:
    pairs = zip([x, x + 1], [x, x + 2])
    first = [a + b for a, b in pairs] if False else None
    total = x
    for a, b in pairs:
        total = total + a * b
    for a, b in pairs:
        total = total - 1000.0
    return total, first


def adds_in_place(a: Any, b: Any, x: Any) -> Any:
    chosen = a if x.sum() > 0 else b
    chosen += [x]
    return a, b


def asks_for_types(x: Any) -> Any:
    kinds = isinstance(x, object), isinstance(x, (jax.Array, int)), isinstance(x, float)
    return x * (2 if all(kinds[:2]) else 3), kinds


def asks_for_tracers(x: Any) -> Any:
    return x * 2 if isinstance(x, jax.core.Tracer) else x * 3


def views(d: Any) -> Any:
    return list(d.keys()), len(d.items()), [*d.values()]


def returns_a_view(d: Any) -> Any:
    return d.keys()


def compares_with_numpy(x: Any, n: int) -> Any:
    return bool(n == np.int32(2)), x


def finds_nan(r: Any, items: Any) -> Any:
    return r in items


def narrows(x: Any, n: int) -> Any:
    return jnp.asarray(n, jnp.uint8), jnp.uint8(n), x


def folds(key: Any, n: int) -> Any:
    return jax.random.uniform(jax.random.fold_in(key, n))


def differentiates_beside_a_number(x: Any, n: int) -> Any:
    def loss(x: Any, k: Any) -> Any:
        return (x * 2).sum() * k if isinstance(k, int) else x.sum()

    return jax.grad(loss)(x, n), jax.value_and_grad(loss, argnums=(0,))(x, k=n)


def maps_library_functions(x: Any) -> Any:
    return jax.tree.map(jnp.ravel, [x]), jax.tree.map(jax.lax.stop_gradient, [x])


def rounds_twice(h: Any) -> Any:
    c = 1.0 + 2.0**-11 + 2.0**-30
    return h * c, h.at[0].set(c), jnp.maximum(h, c), jnp.where(h > 0, c, h), h < c, jnp.full_like(h, c)


def looks_at_the_mode(x: Any, n: int) -> Any:
    return jnp.kaiser(4, 2.0) * n + x.sum()


def wrong_annotation(x: Any) -> Any:
    def inner(a: Missing) -> Any:  # noqa: F821 - evaluated only without the import at the top of this file
        return a * 2

    return inner(x)


def raises_for_some(x: Any) -> Any:
    if x.sum() > 100:
        raise ValueError("too large")
    return x * 2


def truth_of_small(x: Any) -> Any:
    return bool(x), x


def lost_exceptions(x: Any, kind: int) -> Any:
    if kind == 0:
        return sum(["a", "b"], "")
    if kind == 1:
        return dict({"a": x}, {"z": x})
    if kind == 2:
        return len(zip([x], [x]))
    if kind == 3:
        return reversed(enumerate([x]))
    if kind == 4:
        return zip(1, 2)
    return enumerate([x], 1.5)


@pytest.mark.parametrize(
    ("function", "calls", "compiled"),
    [
        (many_containers, [(V,), (-V,)], True),
        (numbers_in_containers, [(V, 2), (V, 3), (V, 4)], True),
        (the_same_tuple, [((V, 1),)], True),
        (iterates_twice, [(V,)], False),
        (adds_in_place, [([V], [V, V], V), ([V], [V, V], -V)], False),
        (asks_for_types, [(V,)], True),
        (asks_for_tracers, [(V,)], False),
        (views, [({"a": V, "b": -V},)], True),
        (returns_a_view, [({"a": V},)], False),
        (compares_with_numpy, [(V, 2), (V, 3), (V, 2)], True),
        (finds_nan, [(float("nan"), [float("nan")])], False),
        (narrows, [(V, 2), (V, 3), (V, 300), (V, -1)], True),
        (folds, [(jax.random.key(0), 2), (jax.random.key(0), 3), (jax.random.key(0), -1)], True),
        (differentiates_beside_a_number, [(V, 2), (V, 3), (V, 4)], True),
        (maps_library_functions, [(V,)], True),
        (rounds_twice, [(HALF,)], True),
        (looks_at_the_mode, [(V, 1), (V, 2), (V, 3)], True),
        (wrong_annotation, [(V,)], True),
        (raises_for_some, [(V * 100,), (V,), (V * 100,)], True),
        (truth_of_small, [(jnp.asarray(np.float32(1e-40)),), (jnp.float32(0),)], True),
        *((lost_exceptions, [(V, kind)], False) for kind in range(6)),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_corner(function: Callable[..., Any], calls: list[tuple[Any, ...]], compiled: bool) -> None:
    agree(function, *calls, compiled=compiled)


def scaled(x: Any) -> Any:
    return RATE * x


def with_host_array(x: Any) -> Any:
    return jnp.asarray(HOST) * x


def test_a_global_number_that_changes_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    speculated = agree(scaled, (V,))
    for rate in (3.0, 4.0, 5.0, -0.0, 3.5):
        monkeypatch.setitem(globals(), "RATE", rate)
        assert np.asarray(speculated(V)).tobytes() == np.asarray(scaled(V)).tobytes()


def test_a_global_numpy_array_that_is_changed_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "HOST", HOST.copy())
    speculated = agree(with_host_array, (V,))
    for value in (5.0, 6.0, 7.0):
        HOST[0] = value
        assert speculated(V)[0] == value


def test_the_order_of_keyword_arguments() -> None:
    speculated = janus_jax.speculate(lambda x, **named: named)
    for _ in range(4):
        speculated(V, a=1, b=2)
    assert list(speculated(V, a=1, b=2)) == ["a", "b"]
    assert list(speculated(V, b=2, a=1)) == ["b", "a"]


def test_keyword_arguments_of_which_some_are_frozen() -> None:
    def scaled(x: Any, **named: Any) -> Any:
        return x * named["a"] * named["b"] * named["c"], named

    pair = Pair(scaled).warm(V, a=V, b=2, c=3, d=V)
    pair.agree(V, a=V + 1, b=2, c=3, d=V)
    assert pair.compiled == 2
    pair.agree(V, d=V, c=3, b=2, a=V)


def test_64_bits_switched_on_later() -> None:
    def mixed(x: Any, n: int) -> Any:
        return jnp.arange(3) * n, jnp.zeros(2), x

    speculated = agree(mixed, (V, 2), (V, 3), (V, 4))
    with jax.enable_x64(not jax.config.jax_enable_x64):
        assert [a.dtype for a in speculated(V, 5)] == [a.dtype for a in mixed(V, 5)]
    assert [a.dtype for a in speculated(V, 6)] == [a.dtype for a in mixed(V, 6)]


def test_a_partial_and_a_callable_object_that_change() -> None:
    def scale(x: Any, by: float) -> Any:
        return x * by

    class Doubles:
        def __call__(self, x: Any) -> Any:
            return x * 2

    partial = functools.partial(scale, by=2.0)
    partly, called = janus_jax.speculate(partial), janus_jax.speculate(Doubles())
    for _ in range(5):
        assert partly(V)[0] == called(V)[0] == 2
    partial.keywords["by"] = 5.0
    Doubles.__call__ = lambda self, x: x * 7  # type: ignore[method-assign]
    assert (partly(V)[0], called(V)[0]) == (5, 7)


def test_derivatives_through_an_array_of_one_of_two_shapes() -> None:
    def divided(w: Any, x: Any, c: Any) -> Any:
        h = x if c.sum() > 0 else x[:1]
        return (w / h).sum()

    speculated = agree(divided, (V, V, V), (V, V, -V))
    for sign in (1, -1):
        ours, plain = (jax.grad(f)(V, V, sign * V) for f in (speculated, divided))
        assert np.allclose(ours, plain)


def test_a_list_that_may_be_one_of_two_results() -> None:
    def best(x: Any) -> Any:
        last = best = {"w": x}
        for _ in range(10):
            last = {"w": last["w"] * 0.9}
            if last["w"].sum() < 2:
                best = last
        return last, best

    speculated = agree(best, (V,), compiled=False)
    assert {reason.id for reason in speculated.explain().reasons} == {"shared-result"}


def test_a_new_array_that_a_trace_takes_for_its_argument() -> None:
    def raveled(a: Any, p: Any) -> Any:
        y = jnp.ravel(a) if p.sum() > 0 else a
        return a, y

    def often(a: Any, n: int) -> Any:
        y = a
        for _ in range(n):
            y = jnp.ravel(a)
        return a, y, (a, y)

    def handed_round(a: Any, b: Any) -> Any:
        y, z = a, b
        if a[0] > 3:
            for _ in range(6):
                z = y
        return y, z, a, b

    agree(raveled, (V, V), (V, -V), (V, V))
    assert agree(handed_round, (V, -V), (V * 9, V), (V, V)).stats().imperative_calls == 0
    agree(often, *((V, n) for n in (7, 0, 1, 5)))


def test_a_range_that_no_program_can_count_to() -> None:
    def searched(x: Any, limit: Any) -> Any:
        for number in range(10**12):
            if (x * number).sum() > limit:
                break
        return number

    agree(searched, (V, 30.0), (V, 0.0), (V, 100.0))


def test_round_of_a_number_that_varies() -> None:
    def rounds(x: Any, number: Any) -> Any:
        return round(number), x * round(number * 2), round(number) % 3

    agree(rounds, *((V, number) for number in (0.5, 1.5, 2.5, -0.5, 2.4, -3.5, 1e6, float("inf"), float("nan"), 3)))


def test_floats_taken_from_arrays_raise_under_eager_grad() -> None:
    def times_itself(x: Any) -> Any:
        return x * float(x)

    speculated = agree(times_itself, (jnp.float32(2),))
    for function in (times_itself, speculated):
        with pytest.raises(jax.errors.ConcretizationTypeError):
            jax.grad(function)(jnp.float32(2))


def test_a_run_that_raises_is_plain_pythons_to_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    def square(x: Any) -> Any:
        return jnp.full((x.size, x.size), x[0])

    monkeypatch.setattr(session, "developer", False)
    speculated = agree(square, (V,))
    with pytest.raises(jax.errors.JaxRuntimeError) as caught:
        speculated(jnp.ones(10**6))
    assert caught.traceback[-1].path is not None
    assert speculated.stats().imperative_calls == 1
    assert np.array_equal(speculated(V), square(V))


def test_a_program_does_not_keep_the_users_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    def shifted(x: Any) -> Any:
        return x + KEPT

    monkeypatch.setitem(globals(), "KEPT", jnp.arange(3.0))  # of this one, pytest keeps nothing
    speculated = janus_jax.speculate(shifted)
    for _ in range(5):
        speculated(V)
    assert speculated.stats().compiled_calls == 2
    old = weakref.ref(KEPT)
    globals()["KEPT"] = jnp.zeros(3)
    gc.collect()
    assert old() is None
    assert np.array_equal(speculated(V), V)


def test_a_shape_that_cannot_be_converted_does_not_end_the_others() -> None:
    def looks(x: Any) -> Any:
        return x * 2 if x.ndim == 1 or x else x

    speculated = agree(looks, (V,), (jnp.ones(2),))
    pair = Pair(looks)
    pair.speculated = speculated
    before = pair.compiled
    for _ in range(6):
        assert pair.agree(jnp.ones((2, 2))).raised
        pair.agree(V)
    assert pair.compiled == before + 6


def test_a_program_that_fails_again_and_again_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "developer", False)
    pair = Pair(lambda x: x + 1).warm(V)
    program = pair.speculated.__janus_engine__.program()
    monkeypatch.setattr(program, "call", lambda *_: Tripped(0, ValueError("no memory")))
    for _ in range(6):
        pair.agree(V)
    assert pair.speculated.__janus_engine__.program() is None
    assert pair.speculated.explain().outcome == "imperative"


def test_a_fault_of_ours_is_not_taken_for_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any) -> Any:
        raise AssertionError("a fault")

    inside = janus_jax.speculate(lambda x: jax.grad(lambda y: y * y)(x) + 1, profile_calls=0)
    mapped = janus_jax.speculate(lambda xs: jax.tree.map(lambda x: x * 2, xs), profile_calls=0)
    monkeypatch.setattr("janus_jax._convert.operators.binary", breaks)
    for speculated, argument in ((inside, jnp.float32(3)), (mapped, [V])):
        with pytest.raises(InternalError):
            speculated(argument)


def test_what_was_said_to_raise_and_does_not_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("janus_jax._engine.convert", lambda *_: Reason("raises", None, "ValueError: no"))
    told = janus_jax.speculate(lambda x: x + 1, profile_calls=0)
    assert told(V)[0] == 2
    assert [reason.id for reason in told.explain().reasons] == ["staging-error"]
    with pytest.raises(SpeculationError):
        janus_jax.speculate(lambda x: x + 1, profile_calls=0, strict=True)(V)


def test_assertions_that_python_leaves_out(tmp_path: Path) -> None:
    program = """
    import jax.numpy as jnp, janus_jax
    def checks(x):
        assert 1 > 2
        assert x.sum() > 100
        return x * 2
    fast = janus_jax.speculate(checks)
    for _ in range(6):
        fast(jnp.ones(3))
    print(fast.stats().compiled_calls, fast.stats().guard_trips)
    """
    script = tmp_path / "program.py"
    script.write_text(textwrap.dedent(program))
    done = subprocess.run([sys.executable, "-O", script], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["3", "0"]


def test_containers_that_are_too_deep_to_look_through() -> None:
    def shifted(x: Any, _: Any) -> Any:
        return x + 1

    in_itself: list[Any] = []
    in_itself.append(in_itself)
    deep: Any = ()
    for _ in range(3000):
        deep = (deep,)
    for argument in (in_itself, deep, {"a": in_itself}, (in_itself,)):
        speculated = janus_jax.speculate(shifted)
        for _ in range(5):
            assert speculated(V, argument)[0] == 2
        assert [reason.id for reason in speculated.explain().reasons] == ["deep-argument"]
        with pytest.raises(janus_jax.errors.SpeculationError):
            janus_jax.speculate(shifted, strict=True)(V, argument)
    compiled = janus_jax.speculate(shifted)
    for argument in ([V], [V], [V], [V], in_itself, [V]):
        assert compiled(V, argument)[0] == 2
    assert compiled.stats().compiled_calls == 2


def test_globals_with_methods_of_their_own() -> None:
    class Counting(dict[str, Any]):
        asked = 0

        def __missing__(self, name: str) -> Any:
            Counting.asked += 1
            raise KeyError(name)

    code = (lambda x: x * RATE + len([x])).__code__
    counted = types.FunctionType(code, Counting(RATE=2.0, __builtins__=__builtins__, __name__="made"))
    speculated = janus_jax.speculate(counted)
    for _ in range(5):
        Counting.asked = 0
        expected, asked = counted(V), Counting.asked
        Counting.asked = 0
        assert np.array_equal(speculated(V), expected)
        assert Counting.asked == asked
    assert speculated.stats().compiled_calls == 0


NOTHING, FLAG = 0.0, True


def test_what_numpy_warns_of_is_no_part_of_a_program() -> None:
    pair = Pair(lambda x: x * np.log(NOTHING))
    for _ in range(5):
        pair.agree(V)
    with np.errstate(all="raise"):
        assert pair.agree(V).raised
    assert [reason.id for reason in pair.speculated.explain().reasons] == ["effect"]


def test_what_python_warns_of_is_no_part_of_a_program() -> None:
    pair = Pair(lambda x: x + ~FLAG)
    for _ in range(5):
        pair.agree(V)
    assert [reason.id for reason in pair.speculated.explain().reasons] == ["effect"]


def test_a_boolean_mask_stays_in_python() -> None:
    pair = Pair(lambda x: (x.at[x > 0].set(1.0), x[x > 0]))
    for scale in (1.0, -1.0, 2.0, 1.0, 0.0):
        pair.agree(V * scale)
    assert [reason.id for reason in pair.speculated.explain().reasons] == ["concrete-value"]


def test_keyword_arguments_from_another_mapping_are_not_said_to_raise() -> None:
    def passes(x: Any, by: Any) -> Any:
        return x * by

    pair = Pair(lambda x, named: passes(x, **named))
    for _ in range(5):
        pair.agree(V, collections.OrderedDict(by=2))
    assert [reason.id for reason in pair.speculated.explain().reasons] == ["unsupported-expression"]
