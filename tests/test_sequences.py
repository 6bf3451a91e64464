"""Any run of calls equals plain Python, whatever is changed, forgotten, forced or wrapped around in between."""

from __future__ import annotations

import contextlib
import os
import types
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

import janus_jax
import janus_jax.testing
from tests.harness import steps
from tests.harness.outcomes import Arguments, difference, fresh, observe, roots_of, unlike

BY_TOLERANCE = os.environ.get("JANUS_TEST_FLAGS", "exact") == "default"
CHANGED = ("RATE", "LIMIT", "BIAS", "QUIET", "TABLE", "LAYERS")
ORIGINAL = {name: getattr(steps, name) for name in CHANGED}
ORIGINAL_DEFAULTS = (steps.helper.__defaults__, dict(steps.helper.__kwdefaults__))

VECTORS = [jnp.array([1.0, 2.0, 3.0]), jnp.array([-1.0, 0.5, 0.0]), jnp.array([-0.0, 0.0, 9.0])]
OTHER_ARRAYS = [
    jnp.array([1, 2, 3]),
    jnp.array([1.0, 2.0]),
    jnp.array([[1.0, 2.0, 3.0]]),
    jnp.array([True, False, True]),
]
SCALARS = [jnp.array(1.5), jnp.array(-2.0), jnp.asarray(3.0), jnp.array(2), 0.5, 3, np.float32(1.5)]
vectors = strategies.sampled_from([*VECTORS, *VECTORS, *OTHER_ARRAYS, np.array([1.0, 2.0, 3.0], np.float32)])
scalars = strategies.sampled_from(SCALARS)
integers = strategies.sampled_from([2, 3, 1, 0, -1, 7, True, 2**31, 2**40])
counts = strategies.sampled_from([2, 3, 1, 0, 5])
reals = strategies.sampled_from([0.5, 1.0, -1.0, 0.0, -0.0, float("nan"), 2, 1e30])
anything = strategies.one_of(vectors, scalars, integers, reals, strategies.none())
lists = strategies.lists(strategies.sampled_from(VECTORS), min_size=0, max_size=3)

ARGUMENTS: dict[str, strategies.SearchStrategy[Arguments]] = {
    "descend": strategies.tuples(strategies.tuples(vectors, counts), strategies.just({})),
    "settle": strategies.tuples(strategies.tuples(vectors, scalars), strategies.just({})),
    "kinds": strategies.tuples(
        strategies.tuples(vectors),
        strategies.fixed_dictionaries(
            {}, optional={"flag": strategies.booleans(), "scale": reals, "nothing": anything}
        ),
    ),
    "over_list": strategies.tuples(strategies.tuples(lists, reals), strategies.just({})),
    "uses_helper": strategies.tuples(strategies.tuples(vectors, integers), strategies.just({})),
    "numbers": strategies.tuples(strategies.tuples(integers, reals, vectors), strategies.just({})),
    "advance": strategies.tuples(strategies.tuples(vectors, counts), strategies.just({})),
    "same": strategies.tuples(strategies.tuples(anything, anything), strategies.just({})),
}
CONFIGURATIONS: dict[str, Callable[[], Any]] = {
    "x64": lambda: jax.enable_x64(True),
    "precision": lambda: jax.default_matmul_precision("highest"),
    "nans": lambda: jax.debug_nans(True),
    "ranks": lambda: jax.numpy_rank_promotion("raise"),
    "nothing": contextlib.nullcontext,
}


class Calls(RuleBasedStateMachine):
    """Calls of a few functions, and everything that may happen between them."""

    functions: dict[str, Callable[..., Any]]
    speculated: dict[str, Any]

    @initialize()
    def speculate(self) -> None:
        """Begin with fresh functions."""
        restore_globals()
        advance, self.set_step = steps.make_counter(0.5)
        self.functions = {name: getattr(steps, name, advance) for name in ARGUMENTS}
        self.speculated = {name: janus_jax.speculate(function) for name, function in self.functions.items()}
        self.last: tuple[str, Arguments] | None = None

    def teardown(self) -> None:
        """Leave the module as it was."""
        restore_globals()

    def agree(
        self,
        name: str,
        arguments: Arguments,
        around: Callable[[Any], Any] | None = None,
        eager: Callable[[Any], Any] | None = None,
    ) -> None:
        """Demand that one call has the same outcome plain and speculated.

        Where plain Python cannot run under the transformation `around`, speculated functions may: then what they give
        is compared with `eager`, which does the same without it.
        """
        wrap = around or (lambda function: function)
        roots = roots_of(self.functions[name])
        expected = observe(wrap(self.functions[name]), fresh(arguments), roots)
        actual = observe(wrap(self.speculated[name]), fresh(arguments), roots)
        if eager and expected.error and "Tracer" in expected.error[0] and not actual.error:
            expected = observe(eager(self.functions[name]), fresh(arguments), roots)
        if around is not None:
            expected_error, actual_error = expected.error and expected.error[0], actual.error and actual.error[0]
            found = unlike(expected_error, actual_error, "error", True) or unlike(
                expected.result, actual.result, "result", True
            )
        else:
            found = difference(expected, actual, BY_TOLERANCE)
        assert found is None, f"{name}{arguments}: {found}"
        self.last = (name, arguments)

    @rule(data=strategies.data(), name=strategies.sampled_from(list(ARGUMENTS)))
    def call(self, data: Any, name: str) -> None:
        """Call with any arguments."""
        self.agree(name, data.draw(ARGUMENTS[name]))

    @rule(times=strategies.sampled_from([4, 1, 5]))
    def call_again(self, times: int) -> None:
        """Call again with the last arguments, until it runs compiled."""
        for _ in range(times if self.last else 0):
            assert self.last is not None
            self.agree(*self.last)

    @rule(data=strategies.data(), name=strategies.sampled_from(list(ARGUMENTS)))
    def call_until_compiled(self, data: Any, name: str) -> None:
        """Call four times with one kind of arguments, then with another."""
        arguments, others = data.draw(ARGUMENTS[name]), data.draw(ARGUMENTS[name])
        for _ in range(4):
            self.agree(name, arguments)
        self.agree(name, others)

    @rule(rate=strategies.sampled_from([0.5, 0.25, 2, -0.0, True, None, jnp.array(0.5), "a string"]))
    def rebind_rate(self, rate: Any) -> None:
        """Give a global another value, or another type."""
        steps.RATE = rate

    @rule(limit=strategies.sampled_from([4, 2, 4.0, -1, jnp.array(3.0)]))
    def rebind_limit(self, limit: Any) -> None:
        """Give a global another value, or another type."""
        steps.LIMIT = limit

    @rule(bias=vectors)
    def rebind_bias(self, bias: Any) -> None:
        """Give a global another array."""
        steps.BIAS = bias

    @rule(gain=reals)
    def change_table(self, gain: float) -> None:
        """Change a dict in place."""
        steps.TABLE["gain"] = gain

    @rule(layer=vectors, at_end=strategies.booleans())
    def change_layers(self, layer: Any, at_end: bool) -> None:
        """Change a list in place, or its length."""
        if at_end and len(steps.LAYERS) < 4:
            steps.LAYERS.append(layer)
        else:
            steps.LAYERS[0] = layer

    @rule(quiet=strategies.sampled_from([True, False, 1, 0, None]))
    def rebind_quiet(self, quiet: Any) -> None:
        """Change a flag."""
        steps.QUIET = quiet

    @rule(step=strategies.sampled_from([0.5, 1, -0.0, 0.0, jnp.array(0.5), jnp.array([1.0, 2.0, 3.0])]))
    def change_cell(self, step: Any) -> None:
        """Change a closure cell."""
        self.set_step(step)

    @rule(by=strategies.sampled_from([1.0, 2.0, 1, jnp.array(1.0)]), times=strategies.sampled_from([2, 0, 3]))
    def change_defaults(self, by: Any, times: int) -> None:
        """Replace the defaults of a helper."""
        steps.helper.__defaults__ = (by,)
        steps.helper.__kwdefaults__ = {"times": times}

    @rule(name=strategies.sampled_from(list(ARGUMENTS)))
    def clear(self, name: str) -> None:
        """Forget one function's profile and programs."""
        self.speculated[name].clear()

    @rule()
    def reset(self) -> None:
        """Forget everything."""
        janus_jax.reset()

    @rule()
    def call_disabled(self) -> None:
        """Call with speculation switched off."""
        if self.last:
            with janus_jax.disabled():
                self.agree(*self.last)

    @rule(choice=strategies.integers(0, 20), iteration=strategies.sampled_from([-1, 0, 1, 2]))
    def force_a_trip(self, choice: int, iteration: int) -> None:
        """Let one guard of the last function's program trip."""
        if self.last is None:
            return
        guards = janus_jax.testing.guards(self.speculated[self.last[0]])
        if guards:
            index = guards[choice % len(guards)].index
            with janus_jax.testing.force(self.speculated[self.last[0]], index, iteration):
                self.agree(*self.last)

    @rule(name=strategies.sampled_from(list(CONFIGURATIONS)), times=strategies.sampled_from([1, 5]))
    def call_configured(self, name: str, times: int) -> None:
        """Call under another configuration of JAX."""
        for _ in range(times if self.last else 0):
            assert self.last is not None
            with CONFIGURATIONS[name]():
                self.agree(*self.last)

    @rule(kind=strategies.sampled_from(["grad", "jit", "vmap", "jvp"]), x=strategies.sampled_from(VECTORS))
    def call_transformed(self, kind: str, x: jax.Array) -> None:
        """Put one of JAX's transformations around a call."""
        self.agree("descend", ((x, 2), {}), TRANSFORMATIONS[kind], EAGER.get(kind))
        self.agree("advance", ((x, 2), {}), TRANSFORMATIONS[kind], EAGER.get(kind))

    @invariant()
    def the_calls_add_up(self) -> None:
        """Each call ended one way."""
        for speculated in getattr(self, "speculated", {}).values():
            stats = speculated.stats()
            ways = (stats.profiled_calls, stats.compiled_calls, stats.partial_calls, stats.coexecuted_calls)
            assert stats.calls == sum(ways) + stats.imperative_calls
            assert stats.guard_trips <= stats.imperative_calls
            assert stats.programs <= 8


def in_transformation(transform: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Callable[[Any], Any]:
    """Return a wrapper of a function of an array and a number that puts `transform` around the array."""
    return lambda function: lambda x, n: transform(lambda y: jnp.sum(jnp.asarray(function(y, n)[0])))(x)


EAGER: dict[str, Callable[[Any], Any]] = {
    "jit": in_transformation(lambda function: function),
    "vmap": in_transformation(lambda function: lambda x: jnp.stack([function(row) for row in x])),
}
TRANSFORMATIONS: dict[str, Callable[[Any], Any]] = {
    "grad": in_transformation(jax.grad),
    "jit": in_transformation(jax.jit),
    "vmap": in_transformation(jax.vmap),
    "jvp": in_transformation(lambda function: lambda x: jax.jvp(function, (x,), (jnp.ones_like(x),))),
}


def restore_globals() -> None:
    """Give the module of the functions its first state."""
    for name, value in ORIGINAL.items():
        setattr(steps, name, value.copy() if isinstance(value, dict | list) else value)
    steps.helper.__defaults__ = ORIGINAL_DEFAULTS[0]
    steps.helper.__kwdefaults__ = dict(ORIGINAL_DEFAULTS[1])
    assert isinstance(steps, types.ModuleType)


def test_any_sequence_of_calls_equals_plain_python():
    run_state_machine_as_test(Calls, settings=settings(max_examples=12, stateful_step_count=15))


@pytest.mark.slow
def test_long_sequences_of_calls_equal_plain_python():
    many = int(os.environ.get("JANUS_EXAMPLES", "40"))
    run_state_machine_as_test(Calls, settings=settings(max_examples=many, stateful_step_count=40))
