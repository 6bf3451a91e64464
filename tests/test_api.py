"""The front door: whatever can be called can be speculated, and stays what it was in every other respect."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import jax
import jax.numpy as jnp
import pytest

import janus_jax
from tests.harness.agreement import adds_up

V = jnp.array([1.0, 2.0, 3.0])
CALLS = 6


def scaled(self: Any, x: Any, *, fun: float = 1.0) -> Any:
    return x * self * fun


def function(*args: Any) -> Any:
    return len(args), args[-1] * 2


class Doubles:
    def __call__(self, *args: Any) -> Any:
        return function(*args)


class Binds(Doubles):
    def __get__(self, instance: Any, owner: Any) -> Any:
        return functools.partial(self, "bound") if instance is not None else self


class Holder:
    def method(self, *args: Any) -> Any:
        return function(*args)


# -- parameters of any name


def test_a_parameter_called_self_is_given_by_keyword() -> None:
    speculated = janus_jax.speculate(scaled)
    for _ in range(CALLS):
        assert speculated(self=2.0, x=V, fun=0.5)[2] == 3
    assert speculated.stats().compiled_calls == CALLS - 3
    assert speculated.eval_shape(self=2.0, x=V, fun=0.5).shape == (3,)
    assert speculated.lower(self=2.0, x=V, fun=0.5).out_info.shape == (3,)


# -- attributes of classes


@pytest.mark.parametrize(
    "attribute",
    [
        function,
        functools.partial(function, 1),
        Doubles(),
        Binds(),
        Holder().method,
        staticmethod(function),
        classmethod(function),
        staticmethod(Doubles()),
        classmethod(functools.partial(function, 1)),
        abs,
        Doubles,
    ],
    ids=[
        "function",
        "partial",
        "object",
        "binding-object",
        "method",
        "static",
        "class",
        "static-object",
        "class-partial",
        "builtin",
        "type",
    ],
)
def test_a_class_attribute_is_bound_as_the_plain_one_is(attribute: Any) -> None:
    class Plain:
        run = attribute

    class Fast:
        run = janus_jax.speculate(attribute)

    for plain, fast in ((Plain, Fast), (Plain(), Fast())):
        for _ in range(CALLS):
            assert outcome(fast.run, V) == outcome(plain.run, V)


def outcome(run: Callable[..., Any], *args: Any) -> str:
    """Return the result or the exception of a call, as text without addresses."""
    try:
        result = run(*args)
    except TypeError as error:
        return f"{type(error)} {str(error).replace('Fast', 'Plain')}"
    return type(result).__name__ if isinstance(result, Doubles) else repr(result)


@pytest.mark.parametrize("decorator", [staticmethod, classmethod], ids=lambda kind: kind.__name__)
def test_both_orders_of_decorators(decorator: Any) -> None:
    class Inside:
        run = decorator(janus_jax.speculate(function))

    class Outside:
        run = janus_jax.speculate(decorator(function))

    for owner in (Inside, Outside, Inside(), Outside()):
        for _ in range(CALLS):
            assert owner.run(V)[0] == (1 if decorator is staticmethod else 2)
    for owner in (Inside, Outside):
        assert owner.run.stats().calls == 2 * CALLS
        assert adds_up(owner.run)
    assert Inside.run.stats().compiled_calls == Outside.run.stats().compiled_calls


# -- what runs


def test_the_wrapped_function_is_overwritten() -> None:
    def inner(x: Any) -> Any:
        return x + 1

    def api(x: Any) -> Any:
        """Add one."""
        return implementation(x) * 10

    implementation = janus_jax.speculate(inner)
    functools.update_wrapper(implementation, api)
    outer = janus_jax.speculate(api)
    for _ in range(CALLS):
        assert implementation(V)[0] == 2
        assert outer(V)[0] == 20
    assert implementation.__wrapped__ is api
    assert implementation.__doc__ == "Add one."
    assert outer.stats().compiled_calls == CALLS - 3


def test_one_speculated_function_is_dressed_up_as_another() -> None:
    one, two = janus_jax.speculate(lambda x: x + 1), janus_jax.speculate(lambda x: x + 2)
    functools.update_wrapper(one, two)
    for _ in range(CALLS):
        assert (one(V)[0], two(V)[0]) == (2, 3)
    assert one.stats().calls == two.stats().calls == CALLS


def test_a_partial_of_a_speculated_function() -> None:
    speculated = janus_jax.speculate(functools.partial(janus_jax.speculate(scaled), 3.0))
    for _ in range(CALLS):
        assert speculated(V)[0] == 3
    assert speculated.stats().compiled_calls == CALLS - 3


def test_a_callable_whose_call_is_a_static_method() -> None:
    class Odd:
        __call__ = staticmethod(function)

    speculated = janus_jax.speculate(Odd())
    for _ in range(CALLS):
        assert speculated(V)[0] == 1


# -- exceptions


@pytest.mark.parametrize("name", [None, 3])
def test_a_module_without_a_name_raises_its_own_exception(name: Any) -> None:
    def fails(x: Any) -> Any:
        raise KeyError(x)

    nameless = FunctionType(fails.__code__, {**globals(), "__name__": name})
    speculated = janus_jax.speculate(nameless)
    with pytest.raises(KeyError) as caught:
        speculated("key")
    assert [entry.name for entry in caught.traceback][1:] == ["fails"]


def test_an_exception_that_cannot_be_written_to() -> None:
    @dataclass(frozen=True)
    class FrozenError(Exception):
        code: int

    def fails(x: Any) -> Any:
        raise FrozenError(x)

    with pytest.raises(FrozenError):
        janus_jax.speculate(fails)(3)


# -- options


def repeats(x: Any, n: int, *rest: Any, m: int = 1) -> Any:
    return x + n * m


def adds(x: Any, n: int) -> Any:
    return x + n


@pytest.mark.parametrize(
    ("options", "call"),
    [
        ({"static_argnames": "n"}, lambda f, n: f(V, n)),
        ({"static_argnames": "n"}, lambda f, n: f(V, n=n)),
        ({"static_argnums": 1}, lambda f, n: f(V, n)),
        ({"static_argnums": 1}, lambda f, n: f(V, n=n)),
        ({"static_argnums": (0, -1)}, lambda f, n: f(V, n)),
        ({"static_argnums": (-1,)}, lambda f, n: f(x=V, n=n)),
    ],
)
def test_static_arguments_are_never_inputs(options: Any, call: Any) -> None:
    speculated = janus_jax.speculate(adds, **options)
    for n in (1, 2, 3, 4, 5, 4):
        assert call(speculated, n)[0] == 1 + n
    assert speculated.explain().state.inputs == ("x",)
    assert speculated.stats().programs == 1
    assert speculated.stats().executables == 2


@pytest.mark.parametrize(
    ("options", "call"),
    [
        ({"static_argnames": ("n", "m")}, lambda f, n: f(V, 1, m=n)),
        ({"static_argnums": 3}, lambda f, n: f(V, n, V, n)),
        ({"static_argnums": (3, 1)}, lambda f, n: f(V, n, V, n)),
    ],
)
def test_static_arguments_beside_star_parameters(options: Any, call: Any) -> None:
    speculated = janus_jax.speculate(repeats, **options)
    for n in (1, 2, 3, 4, 5, 4):
        assert call(speculated, n)[0] == 1 + n
    static = speculated.__janus_engine__.options.static
    assert {place if isinstance(place, str) else f"argument {place}" for place in static}.isdisjoint(
        speculated.explain().state.inputs
    )


def test_static_arguments_are_counted_as_the_caller_sees_them() -> None:
    speculated = janus_jax.speculate(functools.partial(adds, V), static_argnums=0)
    for n in (1, 2, 3, 4, 5, 4):
        assert speculated(n)[0] == 1 + n
    assert speculated.explain().state.inputs == ("x",)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"static_argnames": "k"}, "static_argnames names 'k', which is no parameter of scaled. Its parameters are"),
        ({"static_argnums": 2}, "static_argnums names argument 2, but scaled has 2 positional parameters."),
        ({"static_argnums": -3}, "static_argnums names argument -3, but scaled has 2 positional parameters."),
    ],
)
def test_static_arguments_that_do_not_exist(options: Any, message: str) -> None:
    with pytest.raises(janus_jax.errors.UsageError) as caught:
        janus_jax.speculate(scaled, **options)
    assert str(caught.value).startswith(message)


def test_the_options_that_are_given_last_hold() -> None:
    def prints(x: Any) -> None:
        print(x)

    first = janus_jax.speculate(prints)
    assert janus_jax.speculate(first) is first
    strict = janus_jax.speculate(first, strict=True, profile_calls=0)
    assert strict.__wrapped__ is prints
    with pytest.raises(janus_jax.errors.SpeculationError):
        strict(1)
    janus_jax.speculate(strict, profile_calls=0)(1)
    first(1)


# -- marks


@pytest.mark.parametrize(
    "wrong", [abs, int, Doubles, 3, functools.partial(abs)], ids=["builtin", "type", "class", "number", "partial"]
)
def test_only_python_functions_are_marked_plain(wrong: Any) -> None:
    with pytest.raises(TypeError, match="Put the call into a function of your own, and mark that") as caught:
        janus_jax.plain(wrong)
    assert isinstance(caught.value, janus_jax.errors.UsageError)


@pytest.mark.parametrize("kind", [staticmethod, classmethod, functools.partial, janus_jax.speculate])
def test_what_stands_before_a_function_is_marked_with_it(kind: Any) -> None:
    def helper(*args: Any) -> Any:
        return args[-1] + 1

    def calls_helper(x: Any) -> Any:
        return helper(x) * 2

    marked = kind(helper)
    assert janus_jax.plain(marked) is marked
    speculated = janus_jax.speculate(calls_helper)
    for _ in range(CALLS):
        assert speculated(V)[0] == 4
    assert [reason.id for reason in speculated.explain().reasons] == ["opaque-call"]


@pytest.mark.parametrize("wrong", [3, "f", property(function)], ids=["number", "text", "property"])
def test_only_what_can_be_called_is_speculated(wrong: Any) -> None:
    with pytest.raises(TypeError, match="speculate takes a function"):
        janus_jax.speculate(wrong)


def test_what_hangs_on_a_value_has_no_shape() -> None:
    @janus_jax.speculate
    def chooses(x: Any) -> Any:
        return x if x.sum() > 0 else x[:1]

    for method in (chooses.lower, chooses.eval_shape):
        with pytest.raises(jax.errors.ConcretizationTypeError):
            method(V)
