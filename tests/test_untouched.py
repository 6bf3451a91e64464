"""No question of ours runs the user's code: not their `__class__`, their metaclass, nor their containers."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import pytest

import janus_jax

V = jnp.array([1.0, 2.0, 3.0])
CALLS = 6
RUNG: list[str] = []


def bell(default: Any) -> Any:
    """Return a method that does what `default` does, and is heard."""

    def method(*args: Any) -> Any:
        if "__name__" not in args[1:]:  # which stands in reasons
            RUNG.append(default.__name__)
        return default(*args)

    return method


class Meta(type):
    """Whoever asks a class of this kind is heard."""

    __hash__ = bell(type.__hash__)
    __eq__ = bell(type.__eq__)
    __instancecheck__ = bell(type.__instancecheck__)
    __subclasscheck__ = bell(type.__subclasscheck__)
    __getattribute__ = bell(type.__getattribute__)


class Quiet(metaclass=Meta):
    """Whoever does more with an object of this class than pass it on is heard."""

    __class__ = property(bell(type))  # type: ignore[assignment]
    __getattribute__ = bell(object.__getattribute__)
    __eq__ = bell(object.__eq__)
    __hash__ = bell(object.__hash__)

    def __getitem__(self, key: Any) -> Any:
        RUNG.append("getitem")
        return 1.0

    def __call__(self, *args: Any) -> Any:
        RUNG.append("call")
        return 1.0


def heard(function: Any, *args: Any, **kwargs: Any) -> list[str]:
    """Return what is asked during a call, and how it ends."""
    RUNG.clear()
    try:
        function(*args, **kwargs)
    except Exception as error:
        return [*RUNG, type(error).__name__]
    return [*RUNG, "returns"]


GLOBAL: Any = 1.0
TABLE: Any = {"a": 1.0}
MODULE: Any = jnp
CALLEE: Any = len


def takes(x: Any, other: Any) -> Any:
    return x + 1


def hands_on(x: Any, other: Any) -> Any:
    return (x + 1, other) if other is not None else x


def reads(x: Any) -> Any:
    return x + 1 if GLOBAL is None else GLOBAL


def reads_item(x: Any) -> Any:
    return x, TABLE["a"]


def reads_member(x: Any) -> Any:
    return MODULE.exp(x)


def calls(x: Any) -> Any:
    return x, CALLEE((1, 2))


@pytest.mark.parametrize("function", [takes, hands_on])
@pytest.mark.parametrize(
    "wrap", [lambda it: it, lambda it: [it], lambda it: {"a": (it,)}], ids=["bare", "list", "dict"]
)
def test_an_argument_is_not_asked(function: Any, wrap: Any) -> None:
    speculated = janus_jax.speculate(function)
    other = wrap(Quiet())
    for _ in range(CALLS):
        assert heard(speculated, V, other) == ["returns"]
        assert heard(speculated, V, other=other) == ["returns"]
    if function is takes:
        assert speculated.stats().compiled_calls == 2 * (CALLS - 3)


def test_a_key_is_not_asked() -> None:
    speculated = janus_jax.speculate(takes)
    table = {Quiet(): V}
    for _ in range(CALLS):
        assert heard(speculated, V, table) == ["returns"]
    assert speculated.stats().compiled_calls == CALLS - 3

    def loss(x: Any) -> Any:
        holder = {Quiet(): x}
        assert heard(speculated, x, holder) == ["returns"]
        return x.sum()

    jax.grad(loss)(V)


def test_a_class_that_cannot_be_hashed() -> None:
    class NoHash(type):
        __hash__ = None  # type: ignore[assignment]

        def __eq__(cls, other: object) -> bool:
            return True

    class One(metaclass=NoHash):
        pass

    class Two(metaclass=NoHash):
        pass

    speculated = janus_jax.speculate(takes)
    for value in (One(), Two()):
        for _ in range(CALLS):
            speculated(V, value)
    assert speculated.stats().profiled_calls == 6


@pytest.mark.parametrize(
    ("function", "name"), [(reads, "GLOBAL"), (reads_item, "TABLE"), (reads_member, "MODULE"), (calls, "CALLEE")]
)
@pytest.mark.parametrize(
    "make",
    [Quiet, lambda: {Quiet(): 1.0}, lambda: [Quiet()], lambda: (Quiet(),)],
    ids=["object", "dict", "list", "tuple"],
)
def test_what_takes_the_place_of_a_global_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, function: Any, name: str, make: Any
) -> None:
    speculated = janus_jax.speculate(function)
    for _ in range(CALLS):
        speculated(V)
    assert speculated.stats().compiled_calls == CALLS - 3
    monkeypatch.setitem(globals(), name, make())
    plain = heard(function, V)
    for _ in range(CALLS):
        assert heard(speculated, V) == plain


def test_an_argument_that_became_another_kind_is_not_asked() -> None:
    speculated = janus_jax.speculate(takes)
    for other in ({"a": 1}, {"a": 2}, {"a": 3}, {"a": 4}, {"a": 5}):
        speculated(V, other)
    for other in (Quiet(), {"a": Quiet()}, {Quiet(): 1}, [Quiet()]):
        for _ in range(CALLS):
            assert heard(speculated, V, other) == ["returns"]
