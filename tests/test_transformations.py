"""Under other transformations, speculated functions compute what plain Python would, and more than it could."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import checkify

import janus_jax

X = jnp.array([1.0, 2.0, 3.0])
ROWS = jnp.stack([X, -X, X * 5, X * 0])
SCALE = jnp.array([2.0, 2.0, 2.0])


def branches(x):
    if x.sum() > 0:
        y = x * 2
    else:
        y = x - 1
    return y


def ends_when_small(x):
    while x.sum() > 1:
        x = x * 0.5
    return x


def loop_in_an_arm(x):
    """The loop would never end for the rows that do not enter it."""
    y = x + 1
    if x.sum() > 0:
        while jnp.abs(y).sum() < 1000:
            y = y + jnp.abs(x)
    return y


def loops_in_loops(x):
    count = 0.0
    for i in range(3):
        while x.sum() > i + 1:
            x = x * 0.5
            if x[0] > 0.25:
                x = x - 0.125
        count = count + x.sum()
    return x * count


def reads_a_global(x):
    return x * SCALE if x[0] > 0 else x


def objects_inside(x):
    states = []
    total = x
    for i in range(20):
        if total[0] > i:
            total = total + 1
        else:
            total = total * 0.5
        states.append(total.sum())
    return jnp.stack(states)


PROGRAMS = [branches, ends_when_small, loop_in_an_arm, loops_in_loops, reads_a_global, objects_inside]
AROUND: dict[str, Callable[[Any], Any]] = {
    "vmap": lambda f: jax.vmap(f)(ROWS),
    "jit": lambda f: jnp.stack([jax.jit(f)(x) for x in ROWS]),
    "jit of vmap": lambda f: jax.jit(jax.vmap(f))(ROWS),
    "vmap of jit": lambda f: jax.vmap(jax.jit(f))(ROWS),
    "scan": lambda f: jax.lax.scan(lambda c, x: (c, f(x)), 0, ROWS)[1],
    "checkpoint": lambda f: jnp.stack([jax.checkpoint(f)(x) for x in ROWS]),
    "jvp of vmap": lambda f: jax.jvp(jax.vmap(f), (ROWS,), (ROWS,))[0],
    "vmap of vmap": lambda f: jax.vmap(jax.vmap(f))(ROWS[:, None])[:, 0],
}


@pytest.mark.parametrize("function", PROGRAMS)
@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
def test_values_are_those_of_plain_python(function: Any, around: Callable[[Any], Any]) -> None:
    plain = np.stack([function(x) for x in ROWS])
    speculated = janus_jax.speculate(function)
    for _ in range(2):
        np.testing.assert_allclose(around(speculated), plain, rtol=1e-5)
    assert speculated.stats().compiled_calls > 0
    assert speculated.stats().imperative_calls == 0


@pytest.mark.parametrize("function", PROGRAMS)
def test_derivatives_are_those_of_plain_python(function: Any) -> None:
    speculated = janus_jax.speculate(function)
    for x in ROWS:
        plain = jax.jvp(function, (x,), (X,))[1]
        inside = jax.jit(lambda x: jax.jvp(speculated, (x,), (X,))[1])(x)
        np.testing.assert_allclose(inside, plain, rtol=1e-5)


@pytest.mark.parametrize("function", [branches, reads_a_global, objects_inside])
def test_gradients_pass_where_no_loop_ends_by_values(function: Any) -> None:
    speculated = janus_jax.speculate(function)
    plain = np.stack([jax.grad(lambda x: function(x).sum())(x) for x in ROWS])
    for around in (lambda f: jnp.stack([jax.jit(f)(x) for x in ROWS]), lambda f: jax.vmap(f)(ROWS)):
        np.testing.assert_allclose(around(jax.grad(lambda x: speculated(x).sum())), plain, rtol=1e-5)


def test_a_global_that_changes_is_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    speculated = janus_jax.speculate(reads_a_global)
    np.testing.assert_array_equal(jax.vmap(speculated)(ROWS)[0], X * 2)
    monkeypatch.setitem(globals(), "SCALE", jnp.array([3.0, 3.0, 3.0]))
    np.testing.assert_array_equal(jax.vmap(speculated)(ROWS)[0], X * 3)
    monkeypatch.setitem(globals(), "SCALE", jnp.float32(4))
    np.testing.assert_array_equal(jax.vmap(speculated)(ROWS)[0], X * 4)


def test_one_program_serves_calls_of_one_type_only() -> None:
    speculated = janus_jax.speculate(branches)
    for rows in (ROWS, ROWS[:, :2], ROWS.astype(jnp.int32), ROWS):
        plain = np.stack([branches(x) for x in rows])
        np.testing.assert_array_equal(jax.vmap(speculated)(rows), plain)


def counts_far(x):
    count = 0
    while x[0] < 120_000.0:
        x = x + 1
        count += 1
    return x * count


def counts_too_far(x):
    count = 0
    while x[0] < 120_000.0:
        x = x + 1
        count += 1
    return x * (count * 20_000)


def test_a_loop_that_nothing_ends_counts_as_far_as_it_runs() -> None:
    start = jnp.zeros(2)
    np.testing.assert_array_equal(jax.jit(janus_jax.speculate(counts_far))(start), [120_000.0**2] * 2)
    with pytest.raises(jax.errors.ConcretizationTypeError):
        jax.jit(janus_jax.speculate(counts_too_far))(start)
    error, _ = checkify.checkify(janus_jax.speculate(counts_too_far))(start)
    assert "the integer fits in 32 bits" in error.get()


def needs_a_number(x):
    return float(x.sum()) * 2.0


def writes(x):
    SEEN.append(1)
    return x + 1 if x.sum() > 0 else x


def checks(x):
    assert x.sum() > 0
    return x


SEEN: list[int] = []


@pytest.mark.parametrize("function", [needs_a_number, writes, checks])
def test_where_there_is_no_such_program_plain_python_raises(function: Any) -> None:
    speculated = janus_jax.speculate(function)
    with pytest.raises(jax.errors.ConcretizationTypeError) as plain:
        jax.jit(function)(X)
    with pytest.raises(jax.errors.ConcretizationTypeError) as other:
        jax.jit(speculated)(X)
    assert type(other.value) is type(plain.value)
    assert speculated.stats().imperative_calls == 1


def counts(n, x):
    total = 0
    for i in range(n):
        total += i
    return x + total


def test_what_plain_python_can_trace_is_plain_python() -> None:
    speculated = janus_jax.speculate(counts)
    plain, other = (jax.make_jaxpr(lambda x, f=f: f(3, x))(X) for f in (counts, speculated))
    assert str(plain) == str(other)
    assert [reason.id for reason in speculated.explain().reasons] == ["outer-trace"]


@janus_jax.speculate
def inner(x):
    while x.sum() > 1:
        x = x * 0.5
    return x


@janus_jax.speculate
def outer(x):
    return inner(x) + 1 if x[0] > 0 else x


def test_speculated_functions_inside_are_part_of_the_program() -> None:
    plain = np.stack([outer.__wrapped__(x) for x in ROWS])
    np.testing.assert_allclose(jax.vmap(outer)(ROWS), plain)


def raises_by_value(x):
    if jnp.isnan(x).any():
        raise ValueError(f"{{no numbers}} in {x}")
    count = 0
    while x.sum() > 1:
        x = x * 0.5
        count += 1
    if x.sum() < 0.1:
        raise RuntimeError("too small")
    return x * count


NAN = jnp.array([1.0, jnp.nan, 2.0])
CHECKED: dict[str, Callable[[Any], Any]] = {
    "checkify": checkify.checkify,
    "jit of checkify": lambda f: jax.jit(checkify.checkify(f)),
    "checkify of jit": lambda f: checkify.checkify(jax.jit(f)),
    "more errors": lambda f: checkify.checkify(f, errors=checkify.user_checks | checkify.index_checks),
    "in a loop": lambda f: checkify.checkify(lambda x: jax.lax.fori_loop(0, 1, lambda _, x: f(x), x)),
}


@pytest.mark.parametrize("around", CHECKED.values(), ids=CHECKED)
def test_guards_arrive_in_the_error_of_a_checkify_around(around: Callable[[Any], Any]) -> None:
    speculated = janus_jax.speculate(raises_by_value)
    first = raises_by_value.__code__.co_firstlineno
    for x, line, text in (
        (NAN, first + 1, "if jnp.isnan(x).any():"),
        (-X, first + 7, "if x.sum() < 0.1:"),
    ):
        error, _ = around(speculated)(x)
        assert f"{__file__}:{line}: " in error.get()
        assert text in error.get()
    error, result = around(speculated)(X)
    error.throw()
    np.testing.assert_allclose(result, raises_by_value(X))
    assert speculated.stats().imperative_calls == 0


def test_under_vmap_each_row_is_checked() -> None:
    error, result = jax.vmap(checkify.checkify(janus_jax.speculate(doubles_numbers)))(jnp.stack([X, NAN]))
    np.testing.assert_array_equal(result[0], X * 2)
    with pytest.raises(checkify.JaxRuntimeError, match="it does not hold that the test is False"):
        error.throw()


def doubles_numbers(x):
    if jnp.isnan(x).any():
        raise ValueError("no number")
    return x * 2


@pytest.mark.parametrize(
    "around", [lambda f: checkify.checkify(f, errors=checkify.float_checks), jax.jit], ids=["other errors", "jit"]
)
def test_where_checks_would_not_arrive_there_are_none(around: Callable[[Any], Any]) -> None:
    """Neither does a program with checks stay behind where no `checkify` is around."""
    speculated = janus_jax.speculate(doubles_numbers)
    checkify.checkify(speculated)(X)[0].throw()
    with pytest.raises(jax.errors.ConcretizationTypeError):
        around(speculated)(X)
