"""`assert_equivalent` accepts what is the same and notices what is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import janus_jax
from janus_jax.testing import assert_equivalent

V = jnp.array([1.0, 2.0, 3.0])
CODED = jnp.array(1, jnp.int4)
EIGHT = jnp.array(1, jnp.float8_e4m3fn)
SHORT = jnp.array(1, jnp.bfloat16)
TEXT = np.array(["a", "b"])
OBJECTS = np.array([None, "b", [V]], dtype=object)
KEY = jax.random.key(0)


@dataclass
class Point:
    x: Any


def same(x: Any) -> Any:
    return x, [x], {"a": x}


def computes(x: Any, n: int) -> Any:
    return (x * n).sum(), float(x[0]) * 0.1, n


def appends(items: Any, x: Any) -> Any:
    items.append(x)
    items.append(items)
    return items


def writes(host: Any) -> Any:
    host[0] += 1
    return host.sum()


def says(x: Any) -> None:
    print("it is", x)


def fails(x: Any) -> Any:
    if x.sum() > 0:
        raise KeyError("no", 3)
    return x


def points(x: Any) -> Any:
    return Point(x), Point({"of": Point(x)}), points


def looks_at_aliases(left: Any, right: Any) -> Any:
    left.append(1)
    return len(right), left is right


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        *((same, (x,)) for x in (V, CODED, EIGHT, SHORT, TEXT, OBJECTS, KEY, jnp.nan, jnp.full(2, jnp.nan), {1, 2})),
        (computes, (V, 3)),
        (appends, ([], V)),
        (appends, ([[1]], {"a": [2]})),
        (writes, (np.zeros(3),)),
        (says, (V,)),
        (fails, (V,)),
        (fails, (-V,)),
        (points, (V,)),
        (looks_at_aliases, ([], [])),
        (looks_at_aliases, ([V],) * 2),
    ],
)
def test_what_is_the_same_is_accepted(function: Any, arguments: Any) -> None:
    assert_equivalent(function, arguments, arguments)


def test_the_arguments_that_are_given_stay_as_they_are() -> None:
    items: list[Any] = []
    host = np.zeros(3)
    assert_equivalent(appends, (items, V))
    assert_equivalent(writes, (host,))
    assert not items
    assert not host.any()


def test_a_speculated_function_keeps_its_options() -> None:
    speculated = janus_jax.speculate(computes, profile_calls=1)
    assert_equivalent(speculated, (V, 3))
    assert (speculated.stats().profiled_calls, speculated.stats().compiled_calls) == (1, 1)


def test_every_tuple_is_called_until_it_runs_compiled() -> None:
    speculated = janus_jax.speculate(computes)
    assert_equivalent(speculated, (V, 3), (V, 4), (V, 5.5))
    assert speculated.stats().programs == 2
    assert speculated.stats().compiled_calls >= 3


DIFFERENT = [
    (lambda x: x, lambda x: x + 0, "result: a new object instead of argument 0"),
    (lambda x: x + 0, lambda x: x, "result: argument 0 instead of a new object"),
    (lambda x: x.sum(), lambda x: x.sum() + 1, "result: 7.0 instead of 6.0"),
    (lambda x: 1, lambda x: 1.0, "result: float instead of int"),
    (lambda x: 1, lambda x: True, "result: bool instead of int"),
    (lambda x: [1, 2], lambda x: [1, 3], "result[1]: 3 instead of 2"),
    (lambda x: [1, 2], lambda x: (1, 2), "result: tuple instead of list"),
    (lambda x: [1, 2], lambda x: [1], "result: [1] instead of [1, 2]"),
    (lambda x: {"a": 1, "b": 2}, lambda x: {"b": 2, "a": 1}, "result: {'b': 2, 'a': 1} instead of {'a': 1, 'b': 2}"),
    (lambda x: {"a": [1]}, lambda x: {"a": [2]}, "result['a'][0]: 2 instead of 1"),
    (lambda x: Point([1]), lambda x: Point([2]), "result.x[0]: 2 instead of 1"),
    (lambda x: jnp.asarray(1.0), lambda x: jnp.float32(1), "result: float32[] instead of weakly typed float32[]"),
    (lambda x: x + 0, lambda x: x.astype(jnp.int32), "result: int32[3] instead of float32[3]"),
    (lambda x: SHORT, lambda x: SHORT + 1, "result: 2.0 instead of 1.0"),
    (lambda x: EIGHT, lambda x: EIGHT + 1, "result: 2.0 instead of 1.0"),
    (lambda x: CODED, lambda x: CODED + jnp.int4(1), "result: 2 instead of 1"),
    (lambda x: TEXT, lambda x: np.array(["a", "c"]), "result: ['a' 'c'] instead of ['a' 'b']"),
    (
        lambda x: np.array([[1], None], dtype=object),
        lambda x: np.array([[2], None], dtype=object),
        "result[0][0]: 2 instead of 1",
    ),
    (lambda x: KEY, lambda x: jax.random.key(1), "result: "),
    (lambda x: print("a"), lambda x: print("b"), "output: 'b\\n' instead of 'a\\n'"),
    (lambda x: print("a"), lambda x: None, "output: '' instead of 'a\\n'"),
    (lambda x: int("a"), lambda x: 3, "it returned 3 where the plain call raised ValueError("),
    (lambda x: 3, lambda x: int("a"), "it raised ValueError("),
    (lambda x: int("a"), lambda x: int("b"), "exception.args[0]: "),
    (
        lambda x: {}["a"],
        lambda x: [].pop(),
        "it raised IndexError('pop from empty list') where the plain call raised KeyError('a')",
    ),
    (lambda x: [[]] * 2, lambda x: [[], []], "result[1]: a new object instead of result[0]"),
]


@pytest.mark.parametrize(("plain", "other", "message"), DIFFERENT, ids=map(str, range(len(DIFFERENT))))
def test_what_differs_is_noticed(monkeypatch: pytest.MonkeyPatch, plain: Any, other: Any, message: str) -> None:
    assert message in difference(monkeypatch, plain, other, (V,))


def test_changed_arguments_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def push(items: Any, host: Any) -> None:
        items.append(1)
        host[0] = 1

    def pull(items: Any, host: Any) -> None:
        items.append(2)
        host[0] = 1

    def forget(items: Any, host: Any) -> None:
        items.append(1)

    assert "argument 0 after the call[0]: 2 instead of 1" in difference(monkeypatch, push, pull, ([], np.zeros(2)))
    assert "argument 1 after the call: [0. 0.] instead of [1. 0.]" in difference(
        monkeypatch, push, forget, ([], np.zeros(2))
    )


def difference(monkeypatch: pytest.MonkeyPatch, plain: Any, other: Any, arguments: tuple[Any, ...]) -> str:
    """Return what `assert_equivalent` says where speculated calls are calls of another function."""
    speculated = janus_jax.speculate(plain)
    monkeypatch.setattr(speculated, "_call", lambda args, kwargs: other(*args, **kwargs))
    with pytest.raises(AssertionError) as caught:
        assert_equivalent(speculated, arguments)
    return str(caught.value)
