"""A function that cannot be one program: what is in pieces runs compiled, and nobody can tell but by the clock."""

from __future__ import annotations

import contextlib
import io
import traceback
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import janus_jax
from janus_jax import _partial
from janus_jax.errors import SpeculationError
from tests.harness.agreement import adds_up

X = jnp.array([1.0, 2.0, 3.0])


LOG: list[int] = []


def simulation(x, steps):
    velocity = x * 0.5
    for i in range(steps):
        velocity = velocity * 0.75 + jnp.sin(x) * i
        x = x + velocity * 0.125
    print(f"after {steps} steps: {x.shape}")
    LOG.append(steps)
    while jnp.abs(x).max() > 1:
        x = x * 0.5
    energy = (x * x).sum() + (velocity * velocity).sum()
    return x, energy


def both(function: Any, plain: Any, *arguments: Any) -> None:
    """Demand that a call prints and returns what the plain call does."""
    shown, results = [], []
    for each in (plain, function):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            results.append(each(*arguments))
        shown.append(out.getvalue())
    assert shown[0] == shown[1]
    assert jax.tree.structure(results[0]) == jax.tree.structure(results[1])
    for left, right in zip(*map(jax.tree.leaves, results), strict=True):
        assert type(left) is type(right)
        np.testing.assert_allclose(left, right, rtol=1e-6)


def in_pieces(function: Any, *arguments: Any) -> Any:
    """Return the speculated function after calls in which its pieces were found."""
    speculated = janus_jax.speculate(function)
    for _ in range(8):
        both(speculated, function, *arguments)
    assert speculated.explain().outcome == "partial", speculated.explain()
    return speculated


def test_pieces_run_compiled_around_what_cannot_be() -> None:
    LOG.clear()
    speculated = in_pieces(simulation, X, 20)
    stats, explanation = speculated.stats(), speculated.explain()
    assert LOG == [20] * 16
    assert stats.partial_calls == 4
    assert adds_up(speculated)
    assert stats.programs >= 2
    assert [(piece.needs, piece.gives) for piece in explanation.pieces] == [
        (("steps", "x"), ("velocity", "x")),
        (("velocity", "x"), ("energy", "x")),
    ]
    assert all(piece.runs > 0 for piece in explanation.pieces)
    assert 0 < sum(piece.share for piece in explanation.pieces) <= 1
    assert {reason.id for reason in explanation.reasons} == {"effect", "heap-write"}


def test_explain_shows_the_pieces() -> None:
    speculated = in_pieces(simulation, X, 20)
    lines = str(speculated.explain()).splitlines()
    assert lines[0] == "simulation runs in Python, with compiled pieces"
    assert lines[2].startswith("Compiled pieces: ")
    assert lines[2].endswith(" of the time of these calls")
    assert lines[3].strip().endswith("velocity = x * 0.5")
    assert lines[4].strip().startswith("steps, x → velocity, x; run ")


def test_other_arguments_and_types_are_other_calls() -> None:
    speculated = in_pieces(simulation, X, 20)
    for arguments in ((X * 3, 20), (X, 7), (X[:2], 20), (X.astype(jnp.int32), 3), (X, 0)):
        both(speculated, simulation, *arguments)
        both(speculated, simulation, *arguments)


def checked(x, limit):
    y = x * 2 + 1
    for i in range(10):
        y = y * 0.75 + i
        if y.sum() > limit:
            raise ValueError(f"above {limit}")
    print(end="")
    return y * 2 + x


def test_an_exception_in_a_piece_is_pythons_own() -> None:
    speculated = in_pieces(checked, X, 1000)
    for limit in (1000, 20, 10, 1000):
        found = []
        for function in (checked, speculated):
            try:
                found.append(str(function(X, limit)))
            except ValueError as error:
                frames = [(frame.name, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)[1:]]
                found.append((error.args, frames, error.__context__))
        assert found[0] == found[1]


def grows(x, n):
    items = []
    for i in range(n):
        items.append(x * i)  # noqa: PERF401
    print(end="")
    total = items[0]
    for item in items:
        total = total + item * 2
    return total, items


def test_what_a_piece_makes_is_the_functions_own() -> None:
    speculated = in_pieces(grows, X, 5)
    _, items = speculated(X, 5)
    items.append(1)
    both(speculated, grows, X, 5)


SCALE = 2.0


def reads_scale(x):
    y = x * SCALE + 1
    y = y * SCALE
    print(end="")
    return y - SCALE * y


def test_a_global_that_changes_is_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    speculated = in_pieces(reads_scale, X)
    for value in (3.0, 4, jnp.float32(2), 2.0):
        monkeypatch.setitem(globals(), "SCALE", value)
        both(speculated, reads_scale, X)


def test_strict_takes_nothing_to_pieces() -> None:
    speculated = janus_jax.speculate(reads_scale, strict=True)
    for _ in range(3):
        speculated(X)
    with pytest.raises(SpeculationError):
        speculated(X)


def nothing_to_gain(x):
    print(end="")
    return x


def test_a_function_without_pieces_stays_plain() -> None:
    speculated = janus_jax.speculate(nothing_to_gain)
    for _ in range(6):
        speculated(X)
    assert speculated.explain().outcome == "imperative"
    assert speculated.stats().partial_calls == 0


def test_clear_forgets_the_pieces() -> None:
    speculated = in_pieces(reads_scale, X)
    speculated.clear()
    assert speculated.stats().calls == 0
    assert speculated.explain().outcome == "profiling"
    for _ in range(8):
        both(speculated, reads_scale, X)
    assert speculated.explain().outcome == "partial"


def test_an_interrupt_while_pieces_are_looked_for_does_not_end_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    speculated = janus_jax.speculate(reads_scale)
    with monkeypatch.context() as patch:
        patch.setattr(_partial, "find_pieces", interrupted)
        for _ in range(4):
            speculated(X)
        with pytest.raises(KeyboardInterrupt):
            speculated(X)
    for _ in range(8):
        both(speculated, reads_scale, X)
    assert speculated.explain().outcome == "partial"


def test_under_another_transformation_the_plain_function_is_called() -> None:
    speculated = in_pieces(reads_scale, X)
    np.testing.assert_allclose(jax.jit(speculated)(X), reads_scale(X))


def swallows(x, fails):
    last = x * 2 + jnp.sin(x)
    with contextlib.suppress(ValueError):
        if fails:
            raise ValueError
        last = x * 5
        print(end="")
    for i in range(2):
        print(end="")
        z = last * 3 + x if not fails or i < 1 else x * 7 + 1
        if i == 0 and fails:
            del last
    try:
        print(end="")
        raise ValueError(fails)
    except ValueError as last:
        print(end="")
    return z * 2 + 1


def test_what_is_unbound_in_the_middle_is_not_missed() -> None:
    speculated = in_pieces(swallows, X, False)
    for fails in (True, False, True):
        both(speculated, swallows, X, fails)


def with_locals(x):
    y = x * 2 + 1
    z = y * 2
    print(end="")
    return list(locals()) == ["x", "y", "z"], z


def test_locals_has_every_name() -> None:
    speculated = janus_jax.speculate(with_locals)
    for _ in range(6):
        both(speculated, with_locals, X)


def with_default(x, factor=2.0):
    y = jnp.sin(x) * factor + 1
    print(end="")
    return jnp.cos(y) * factor


def test_pieces_follow_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    speculated = in_pieces(with_default, X)
    monkeypatch.setattr(with_default, "__defaults__", (5.0,))
    both(speculated, with_default, X)
    monkeypatch.setattr(with_default, "__code__", (lambda x, factor: x - factor).__code__)
    both(speculated, with_default, X)


def with_dead_code(x):
    if x.sum() > 9:
        print(end="")
        raise ValueError
        x = sum(v for v in x)  # a compiler leaves this function out where no constant comes behind it
    return_value = jnp.sin(x) * 9 + jnp.cos(x)
    print(end="")
    return return_value


def test_pieces_among_which_dead_code_would_be_another_are_not_made() -> None:
    speculated = janus_jax.speculate(with_dead_code)
    for _ in range(6):
        both(speculated, with_dead_code, X)


def with_one_trace(x):
    shift = {"by": 3}

    def step(carry, value):
        return carry + shift["by"], value

    first = jax.lax.scan(step, x[0], x)
    shift["by"] = 4
    print(end="")
    second = jax.lax.scan(step, x[0], x)
    return first, second


def test_what_jax_has_traced_beside_a_piece_stays_as_it_was() -> None:
    speculated = janus_jax.speculate(with_one_trace)
    for _ in range(6):
        both(speculated, with_one_trace, X)
