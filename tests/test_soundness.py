"""What has gone wrong in systems like this one, each as a test: the next call must notice, or not depend on it."""

from __future__ import annotations

import functools
import math
import os
import subprocess
import sys
import types
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import janus_jax
import janus_jax.testing
from tests.harness import steps
from tests.harness.agreement import Pair, adds_up

VECTOR = jnp.array([1.0, -2.0, 0.5])
SMALL = jnp.array([0.25, 0.5, 0.125])
ONE = jnp.array(1.0)


# -- arguments


def test_a_numpy_argument_changed_right_after_the_call_is_not_read_late():
    host, weights = np.ones(300_000, np.float32), jnp.ones(300_000)
    pair = Pair(steps.reads_host).warm(host, weights)
    for _ in range(30):
        array = host.copy()
        result = pair.speculated(array, weights)
        array[...] = -77.0
        assert np.all(np.asarray(result) == 1.0)
    assert pair.compiled >= 30


@pytest.mark.parametrize(
    ("first", "then"),
    [(0.0, -0.0), (-0.0, 0.0), (1.0, 1), (1, True), (True, 1), (1, 1.0), (0, False), (0.5, math.nan), (math.nan, 0.5)],
)
@pytest.mark.parametrize("function", [steps.sign_of_zero, steps.is_nan, steps.truth], ids=lambda f: f.__name__)
def test_numbers_that_compare_equal_are_not_the_same(function, first, then):
    pair = Pair(function).warm(first, VECTOR)
    for _ in range(5):
        pair.agree(then, VECTOR)
        pair.agree(first, VECTOR)


def test_a_nan_that_was_frozen_still_matches_itself():
    pair = Pair(steps.is_nan).warm(math.nan, VECTOR)
    assert pair.runs_compiled(math.nan, VECTOR)
    assert pair.runs_compiled(-math.nan, VECTOR) or pair.trips


def test_a_dict_with_another_order_of_keys_is_another_dict():
    table, turned = {"a": 1.0, "b": 2.0}, {"b": 2.0, "a": 1.0}
    pair = Pair(steps.looks_up)
    for _ in range(5):
        pair.agree(VECTOR, table)
    for _ in range(5):
        pair.agree(VECTOR, turned)
        pair.agree(VECTOR, table)


def test_arguments_that_were_one_object_and_are_two():
    other = VECTOR + 0
    pair = Pair(steps.same)
    for arguments in [(VECTOR, VECTOR)] * 5 + [(VECTOR, other), (VECTOR, VECTOR), (other, other), (other, VECTOR)] * 3:
        pair.agree(*arguments)


def test_arguments_that_were_two_objects_and_are_one():
    pair = Pair(steps.same)
    for arguments in [(VECTOR, SMALL)] * 5 + [(VECTOR, VECTOR), (VECTOR, SMALL), (SMALL, SMALL)] * 3:
        pair.agree(*arguments)


@pytest.mark.parametrize(
    "other",
    [
        jnp.asarray(1.0),
        jnp.array(1),
        jnp.array([1.0]),
        jnp.array(1.0, jnp.bfloat16),
        np.float32(1.0),
        np.array(1.0),
        1.0,
        jnp.array(True),
    ],
    ids=["weak", "int", "vector", "bfloat16", "numpy-scalar", "numpy", "float", "bool"],
)
def test_a_change_of_type_dtype_shape_or_weak_type(other):
    pair = Pair(steps.halved).warm(ONE)
    for _ in range(5):
        pair.agree(other)
        pair.agree(ONE)


def test_a_committed_argument_gives_a_committed_result():
    pair = Pair(steps.halved).warm(ONE)
    committed = jax.device_put(ONE, jax.devices()[0])
    for _ in range(5):
        pair.agree(committed)
        pair.agree(ONE)


def test_no_argument_is_donated():
    pair = Pair(steps.descend).warm(VECTOR)
    for _ in range(3):
        pair.agree(VECTOR)
    assert not VECTOR.is_deleted()
    assert not steps.BIAS.is_deleted()


def test_an_argument_that_is_returned_is_the_same_object():
    speculated = janus_jax.speculate(steps.halved)
    for _ in range(6):
        assert speculated(ONE) is ONE
    assert speculated.stats().compiled_calls > 0


def test_containers_of_a_result_are_as_python_makes_them():
    pair = Pair(steps.builds).warm(ONE, 2)
    result = pair.speculated(ONE, 2)
    assert result["pair"] is result["again"]
    assert result["list"][0] is result["pair"][0] is ONE
    assert result["list"][1] is result["pair"][1]
    assert pair.speculated(ONE, 2)["list"] is not result["list"]


def test_missing_and_surplus_arguments_raise_what_python_raises():
    pair = Pair(steps.kinds).warm(VECTOR)
    for args, kwargs in [((), {}), ((1, 2, 3, 4, 5), {}), ((VECTOR,), {"unknown": 1}), ((VECTOR,), {"x": 1})]:
        assert pair.agree(*args, **kwargs).raised


def test_keywords_and_positions_mean_the_same():
    pair = Pair(steps.kinds).warm(VECTOR, True, 2.0)
    for _ in range(5):
        pair.agree(VECTOR, scale=2.0, flag=True)
        pair.agree(scale=3.0, x=VECTOR)
        pair.agree(VECTOR, True, 2.0)


# -- what a function reads


def test_a_rebound_global(monkeypatch):
    pair = Pair(steps.descend).warm(VECTOR)
    for rate in (0.25, 2, -0.0, jnp.array(0.5), None):
        monkeypatch.setattr(steps, "RATE", rate)
        for _ in range(3):
            pair.agree(VECTOR * 9)


def test_a_rebound_global_of_another_module_that_a_callee_reads(monkeypatch):
    def caller(x, n):
        return steps.inner(x) + n

    pair = Pair(caller).warm(ONE, 1)
    monkeypatch.setattr(steps, "RATE", 100.0)
    pair.agree(ONE, 1)


def test_a_deleted_global_raises_name_error(monkeypatch):
    pair = Pair(steps.descend).warm(VECTOR)
    monkeypatch.delattr(steps, "BIAS")
    outcome = pair.agree(VECTOR)
    assert outcome.raised
    assert outcome.error[0] == "NameError"


def test_replaced_defaults(monkeypatch):
    pair = Pair(steps.uses_helper).warm(VECTOR, 1)
    monkeypatch.setattr(steps.helper, "__defaults__", (5.0,))
    pair.agree(VECTOR, 1)
    monkeypatch.setattr(steps.helper, "__kwdefaults__", {"times": 7})
    pair.agree(VECTOR, 1)


def test_keyword_defaults_changed_in_place():
    pair = Pair(steps.uses_helper).warm(VECTOR, 1)
    steps.helper.__kwdefaults__["times"] = 5
    try:
        pair.agree(VECTOR, 1)
    finally:
        steps.helper.__kwdefaults__["times"] = 2
    pair.agree(VECTOR, 1)


def test_the_functions_own_defaults_replaced(monkeypatch):
    pair = Pair(steps.descend).warm(VECTOR)
    monkeypatch.setattr(steps.descend, "__defaults__", (1,))
    pair.agree(VECTOR)


def test_replaced_code_of_the_function_and_of_a_callee(monkeypatch):
    pair = Pair(steps.outer).warm(ONE, 2)
    monkeypatch.setattr(steps.inner, "__code__", (lambda x: x * 10).__code__)
    pair.agree(ONE, 2)
    monkeypatch.setattr(steps.outer, "__code__", (lambda x, n: x - n).__code__)
    pair.agree(ONE, 2)


def test_a_replaced_callee(monkeypatch):
    pair = Pair(steps.outer).warm(ONE, 2)
    monkeypatch.setattr(steps, "inner", lambda x: x * 10)
    for _ in range(5):
        pair.agree(ONE, 2)


def test_a_module_attribute_is_monkeypatched(monkeypatch):
    pair = Pair(steps.settle).warm(SMALL, 5.0)
    monkeypatch.setattr(jnp, "max", lambda x: jnp.sum(x) * 3)
    for _ in range(5):
        pair.agree(SMALL, 5.0)


def test_a_module_swapped_in_the_globals(monkeypatch):
    pair = Pair(steps.settle).warm(SMALL, 5.0)
    twin = types.ModuleType("jax.numpy")
    twin.__dict__.update(vars(jnp), max=lambda x: jnp.sum(x) * 3)
    monkeypatch.setattr(steps, "jnp", twin)
    pair.agree(SMALL, 5.0)


@pytest.mark.parametrize("name", ["abs", "len", "max", "min", "sum"])
def test_a_builtin_is_shadowed_by_a_global(monkeypatch, name):
    pair = Pair(steps.shadows)
    for _ in range(5):
        pair.agree([1, 2], -3)
    monkeypatch.setattr(steps, name, lambda *args: 17, raising=False)
    for _ in range(5):
        pair.agree([1, 2], -3)


def test_range_is_shadowed_by_a_global(monkeypatch):
    pair = Pair(steps.descend).warm(VECTOR)
    monkeypatch.setattr(steps, "range", lambda n: [0], raising=False)
    pair.agree(VECTOR)


def test_a_changed_closure_cell():
    advance, set_step = steps.make_counter(0.5)
    pair = Pair(advance).warm(VECTOR, 2)
    for step in (0.25, 1, -0.0, True, jnp.array(0.5), jnp.ones(3), None):
        set_step(step)
        for _ in range(3):
            pair.agree(VECTOR, 2)


def test_two_closures_of_one_code():
    pairs = [Pair(steps.make_counter(step)[0]) for step in (0.5, 2.0)]
    for _ in range(6):
        for pair in pairs:
            pair.agree(VECTOR, 2)
    assert all(pair.compiled for pair in pairs)


def test_a_table_and_a_list_changed_in_place(monkeypatch):
    monkeypatch.setattr(steps, "TABLE", dict(steps.TABLE))
    monkeypatch.setattr(steps, "LAYERS", list(steps.LAYERS))
    pair = Pair(steps.uses_helper).warm(VECTOR, 1)
    steps.TABLE["gain"] = 3.0
    pair.agree(VECTOR, 1)
    steps.LAYERS.append(VECTOR)
    pair.agree(VECTOR, 1)
    steps.LAYERS[0] = VECTOR * 2
    pair.agree(VECTOR, 1)
    steps.LAYERS.clear()
    pair.agree(VECTOR, 1)
    del steps.TABLE["bias"]
    assert pair.agree(VECTOR, 1).raised


# -- JAX's configuration


def test_x64_is_switched_on_between_calls():
    pair = Pair(steps.numbers).warm(2, 0.5, VECTOR)
    for _ in range(5):
        with jax.enable_x64(True):
            pair.agree(2, 0.5, VECTOR)
            pair.agree(2, 0.5, np.array([1.0, 2.0]))
        pair.agree(2, 0.5, VECTOR)


def test_matmul_precision_is_part_of_the_key():
    a = jnp.linspace(0.1, 1.7, 64).reshape(8, 8)
    pair = Pair(steps.matrix).warm(a, a + 1)
    for precision in ("highest", "bfloat16", "default"):
        with jax.default_matmul_precision(precision):
            for _ in range(5):
                pair.agree(a, a + 1)
        pair.agree(a, a + 1)


def test_the_default_random_generator_is_part_of_the_key():
    def seeded(n):
        return jax.random.uniform(jax.random.PRNGKey(3), (2,)) * n

    pair = Pair(seeded)
    for _ in range(5):
        pair.agree(2)
    before = jax.config.jax_default_prng_impl
    jax.config.update("jax_default_prng_impl", "rbg")
    try:
        for _ in range(5):
            pair.agree(2)
    finally:
        jax.config.update("jax_default_prng_impl", before)
    pair.agree(2)


def test_typed_keys_of_another_implementation():
    pair = Pair(steps.draws).warm(jax.random.key(1), 3)
    for _ in range(5):
        pair.agree(jax.random.key(1, impl="rbg"), 3)
        pair.agree(jax.random.key(2), 3)
        pair.agree(jax.random.PRNGKey(2), 3)


def test_under_debug_nans_the_plain_line_raises():
    pair = Pair(steps.newton).warm(ONE * 3)
    with jax.debug_nans(True):
        assert pair.agree(ONE * 0, 0.0).raised
        before = pair.compiled
        pair.agree(ONE * 3)
        assert pair.compiled == before
    assert pair.runs_compiled(ONE * 3)


def test_rank_promotion_set_to_raise_raises():
    pair = Pair(steps.sign_of_zero).warm(jnp.array([2.0]), jnp.ones((2, 1)))
    with jax.numpy_rank_promotion("raise"):
        assert pair.agree(jnp.array([2.0]), jnp.ones((2, 1))).raised
    assert pair.runs_compiled(jnp.array([2.0]), jnp.ones((2, 1)))


def test_disable_jit_runs_plain():
    pair = Pair(steps.settle).warm(SMALL, 5.0)
    with jax.disable_jit():
        before = pair.compiled
        pair.agree(SMALL, 5.0)
        assert pair.compiled == before


def test_a_config_context_does_not_freeze_a_new_value_of_a_global(monkeypatch):
    pair = Pair(steps.descend).warm(VECTOR)
    monkeypatch.setattr(steps, "RATE", 8.0)
    with jax.default_matmul_precision("highest"):
        pair.agree(VECTOR * 9)
    monkeypatch.undo()
    with jax.default_matmul_precision("highest"):
        pair.agree(VECTOR * 9)


# -- loops


def test_a_loop_that_a_broken_guard_would_make_endless_stops():
    pair = Pair(steps.endless_if_broken).warm(ONE, 1.0)
    for step in (0.5, 0.0, -1.0, 1e-9, math.nan):
        pair.agree(ONE, step)
    pair.agree(jnp.array(math.nan), 1.0)
    pair.agree(jnp.array(-1000.0), 1.0)


def test_a_loop_that_never_ran_and_one_that_runs_much_longer():
    pair = Pair(steps.descend)
    for n in (0, 0, 0, 0, 0, 3, 50, 0, 1):
        pair.agree(VECTOR, n)


def test_a_loop_that_takes_far_more_turns_than_in_the_profile():
    pair = Pair(steps.endless_if_broken).warm(ONE * 9, 0.5)
    for x in (9.0, 5.0, -85.0, 9.9, 10.0):
        pair.agree(ONE * x, 0.5)


@pytest.mark.parametrize("iteration", [-1, 0, 1, 2])
def test_every_guard_forced_at_every_turn_falls_back_to_the_right_answer(iteration):
    for function, arguments in [
        (steps.descend, (VECTOR, 3)),
        (steps.settle, (SMALL, 5.0)),
        (steps.newton, (ONE * 3,)),
        (steps.over_list, ([VECTOR, SMALL, VECTOR], 2.0)),
        (steps.numbers, (2, 0.5, VECTOR)),
    ]:
        pair = Pair(function).warm(*arguments)
        for guard in janus_jax.testing.guards(pair.speculated):
            pair.speculated.clear()
            pair.warm(*arguments)
            with janus_jax.testing.force(pair.speculated, guard.index, iteration):
                pair.agree(*arguments)
            pair.agree(*arguments)
            assert adds_up(pair.speculated)


# -- Python numbers


@pytest.mark.parametrize(
    "arguments",
    [
        (2**31 - 1, 0.5),
        (2**40, 1.0),
        (2**62, 1.0),
        (2**64, 1.0),
        (-(2**63), -1.0),
        (-7, 0.5),
        (0, math.inf),
        (1, math.nan),
        (3, 5e-324),
    ],
)
def test_python_numbers_are_as_wide_as_in_python(arguments):
    pair = Pair(steps.numbers)
    for number in (1, 2, 3, 4):
        pair.agree(number, 0.25 * number, ONE)
    pair.agree(*arguments, ONE)
    pair.agree(5, 0.5, ONE)


def test_division_by_zero_raises_on_the_users_line():
    pair = Pair(steps.divides)
    for n in (5, 6, 7, 8, 9):
        pair.agree(n, ONE)
    outcome = pair.agree(2, ONE)
    assert outcome.raised
    assert outcome.error[0] == "ZeroDivisionError"
    pair.agree(6, ONE)


# -- exceptions


def test_an_exception_has_pythons_type_arguments_line_and_context():
    pair = Pair(steps.raises_late).warm(ONE, 2)
    outcome = pair.agree(ONE * 6, 2)
    assert outcome.error[:2] == ("ValueError", ("too large", "2"))
    assert outcome.error[3] == ()
    assert pair.agree(ONE, 5).error[0] == "AssertionError"
    assert pair.agree(ONE, 0).raised is False
    pair.agree(ONE, 2)


def test_an_exception_leaves_no_trace_of_ours():
    pair = Pair(steps.raises_late).warm(ONE, 2)
    with pytest.raises(ValueError, match="too large") as caught:
        pair.speculated(ONE * 6, 2)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    assert not getattr(caught.value, "__notes__", [])
    assert sys.exc_info() == (None, None, None)


def test_a_trip_that_nothing_is_learned_from_runs_the_functions_own_code():
    def refuses(x):
        if x > 3:
            raise ValueError("too large")
        return x

    pair = Pair(refuses).warm(ONE)
    with pytest.raises(ValueError, match="too large") as caught:
        pair.speculated(ONE * 4)
    pair.agree(ONE)
    assert pair.speculated.stats().guard_trips == 1
    assert caught.traceback[-1].frame.code.raw is refuses.__code__


def test_user_code_that_runs_again_after_a_trip_sees_no_exception_of_ours():
    seen = []

    def looks(x):
        if x > 3:
            seen.append(sys.exc_info())
            raise RuntimeError("after a trip")
        return x

    pair = Pair(looks)
    for value in (1.0, 1.0, 1.0, 1.0, 1.0, 4.0, 1.0, 4.0):
        pair.agree(ONE * value)
    assert all(entry == (None, None, None) for entry in seen)


def test_an_exception_in_a_callee_shows_both_lines():
    pair = Pair(steps.inner_raises).warm(ONE * -10)
    outcome = pair.agree(ONE * 2)
    assert [name for name, _ in outcome.error[2]] == ["inner_raises", "checked"]


# -- shapes of functions


def test_nested_speculated_functions(monkeypatch):
    monkeypatch.setattr(steps, "inner", janus_jax.speculate(steps.inner))
    pair = Pair(steps.outer)
    for x in (SMALL, SMALL, SMALL, SMALL, SMALL, SMALL * 20, SMALL):
        for value in x:
            pair.agree(value, 2)
    monkeypatch.setattr(steps, "RATE", 9.0)
    pair.agree(SMALL[0], 2)


def test_a_speculated_function_that_calls_itself(monkeypatch):
    plain = steps.factorial
    speculated = janus_jax.speculate(plain)
    monkeypatch.setattr(steps, "factorial", speculated)
    for n in (3, 3, 3, 3, 3, 5, 0, 3):
        with janus_jax.disabled():
            expected = plain(n, ONE)
        assert speculated(n, ONE) == expected
    assert adds_up(speculated)


class Speculative(steps.Model):
    """A class with a speculated method."""

    apply = janus_jax.speculate(steps.Model.apply)
    doubled = staticmethod(janus_jax.speculate(steps.Model.doubled))


def test_a_speculated_method_reads_its_own_object():
    models = [Speculative(ONE * 2), Speculative(ONE * 3)]
    for turn in range(6):
        for model in models:
            assert model.apply(ONE) == steps.Model.apply(model, ONE)
            assert model.doubled(ONE) == 2
            model.w = model.w + turn
    assert Speculative.doubled(-ONE) == -1


@pytest.mark.parametrize(
    "function",
    [
        steps.halved,
        steps.squared,
        functools.partial(steps.power, n=2, scale=2.0),
        steps.Model(ONE),
        steps.Model(ONE).apply,
    ],
    ids=["lambda", "partial", "partial-with-keywords", "callable-object", "bound-method"],
)
def test_whatever_can_be_called_can_be_speculated(function):
    speculated = janus_jax.speculate(function)
    for x in (1.5, 1.5, 1.5, 1.5, 1.5, -2.0, 1.5):
        assert speculated(ONE * x) == function(ONE * x)
    assert adds_up(speculated)


def test_the_wrapper_looks_like_the_function():
    speculated = janus_jax.speculate(steps.descend)
    assert speculated.__wrapped__ is steps.descend
    assert speculated.__name__ == "descend"
    assert speculated.__doc__ == steps.descend.__doc__


def test_a_decorated_function_with_options():
    @janus_jax.speculate(profile_calls=1)
    def quick(x):
        return x + 1

    for _ in range(3):
        assert quick(ONE) == 2
    assert quick.stats().profiled_calls == 1


# -- switches


def test_disabled_calls_run_plain():
    pair = Pair(steps.descend).warm(VECTOR)
    before = pair.compiled
    with janus_jax.disabled():
        for _ in range(3):
            pair.agree(VECTOR)
    assert pair.compiled == before
    assert pair.runs_compiled(VECTOR)


def test_the_environment_switches_everything_off():
    program = (
        "import janus_jax, jax.numpy as jnp\n"
        "from tests.harness import steps\n"
        "f = janus_jax.speculate(steps.descend)\n"
        "for _ in range(6): f(jnp.ones(3))\n"
        "assert f.stats().compiled_calls == 0\n"
    )
    environment = {**os.environ, "JANUS_JAX_DISABLE": "1"}
    home = Path(__file__).resolve().parent.parent
    subprocess.run([sys.executable, "-c", program], check=True, env=environment, cwd=home)


def test_a_plain_function_is_never_converted(monkeypatch):
    marked = types.FunctionType(steps.inner.__code__.replace(), vars(steps), "inner")  # the mark stays with the code
    monkeypatch.setattr(steps, "inner", janus_jax.plain(marked))
    pair = Pair(steps.outer)
    for _ in range(6):
        pair.agree(ONE, 2)
    assert pair.compiled == 0
    assert pair.speculated.explain().reasons


def test_strict_mode_raises_with_the_reason(capsys):
    speculated = janus_jax.speculate(steps.prints, strict=True)
    with pytest.raises(janus_jax.errors.SpeculationError) as caught:
        call_often(speculated, ONE)
    assert isinstance(caught.value, janus_jax.errors.JanusError)
    assert "effect" in str(caught.value)
    assert capsys.readouterr().out in ("called\n" * times for times in range(4))


def call_often(function, *args):
    """Call a function more often than it is profiled."""
    for _ in range(5):
        function(*args)


def test_strict_mode_does_not_mind_what_compiles():
    speculated = janus_jax.speculate(steps.descend, strict=True)
    for _ in range(6):
        speculated(VECTOR)
    assert speculated.stats().compiled_calls >= 2


def test_reset_and_clear_forget():
    pair = Pair(steps.descend).warm(VECTOR)
    pair.speculated.clear()
    assert pair.speculated.stats().programs == 0
    assert not pair.runs_compiled(VECTOR)
    pair.warm(VECTOR)
    janus_jax.reset()
    assert not pair.runs_compiled(VECTOR)
    pair.warm(VECTOR)


def test_assert_equivalent_accepts_what_agrees():
    janus_jax.testing.assert_equivalent(steps.descend, (VECTOR,), (VECTOR, 2), (SMALL, 0))


# -- transformations


def test_eager_grad_around_a_compiled_function():
    pair = Pair(steps.loss).warm(VECTOR, SMALL)
    expected = jax.grad(steps.loss)(VECTOR, SMALL)
    for _ in range(6):
        found = jax.grad(pair.speculated)(VECTOR, SMALL)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    larger = jax.grad(steps.loss)(VECTOR * 50, SMALL)
    np.testing.assert_allclose(jax.grad(pair.speculated)(VECTOR * 50, SMALL), larger, rtol=1e-5)


def test_jit_and_vmap_around_see_the_plain_function():
    speculated = janus_jax.speculate(steps.truth)
    for _ in range(6):
        np.testing.assert_array_equal(jax.jit(lambda x: speculated(2, x)[1])(VECTOR), VECTOR + 2)
        np.testing.assert_array_equal(jax.vmap(lambda x: speculated(2, x)[1])(VECTOR), VECTOR + 2)
        speculated(2, VECTOR)
    assert speculated.stats().compiled_calls > 0
    assert any(reason.id == "outer-trace" for reason in speculated.explain().reasons)


def test_a_call_under_a_trace_teaches_nothing():
    pair = Pair(steps.descend)
    for _ in range(6):
        np.testing.assert_allclose(jax.jit(pair.speculated)(VECTOR)[0], steps.descend(VECTOR)[0], rtol=1e-6)
    assert pair.speculated.stats().profiled_calls == 0
    pair.warm(VECTOR)


def test_gradients_inside():
    pair = Pair(steps.trains).warm(VECTOR, SMALL)
    pair.agree(VECTOR * 50, SMALL)
    pair.agree(VECTOR * 0, SMALL)
    pair.agree(VECTOR, SMALL)
