"""What a carry may be, what the primitives lower to, and what is asserted."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from janus_jax._loops import for_function, for_loop, while_function
from tests.loops.pairs import assert_close


def test_a_loop_that_ends_says_so() -> None:
    loop = while_function(lambda n: n < 3, lambda n: (n + 1,), (jnp.int32(0),), cap=3)
    assert (int(loop.steps), bool(loop.exhausted), int(loop.carry[0])) == (3, False, 3)


def test_a_loop_that_meets_its_cap_says_so() -> None:
    loop = while_function(lambda n: n < 4, lambda n: (n + 1,), (jnp.int32(0),), cap=3)
    assert (int(loop.steps), bool(loop.exhausted), int(loop.carry[0])) == (3, True, 3)


def test_a_cap_of_nothing() -> None:
    loop = while_function(lambda n: n < 4, lambda n: (n + 1,), (jnp.int32(0),), cap=0)
    assert (int(loop.steps), bool(loop.exhausted), int(loop.carry[0])) == (0, True, 0)
    assert jax.grad(lambda x: while_function(lambda a: a > 0, lambda a: (a * x,), (x,), cap=0).carry[0])(2.0) == 1.0


@pytest.mark.parametrize("count", [-1, 0, 2, 4, 9])
def test_a_count_is_kept_within_the_cap(count: int) -> None:
    xs = jnp.arange(4.0)
    (total,), (ys,) = for_function(lambda a, x: (a + x, x * 2), jnp.int32(count), (jnp.float32(0),), (xs,), cap=4)
    done = min(max(count, 0), 4)
    assert float(total) == sum(range(done))
    np.testing.assert_array_equal(ys, [2.0 * k if k < done else 0.0 for k in range(4)])


def test_a_loop_in_reverse_begins_at_its_count() -> None:
    xs = jnp.arange(1.0, 6.0)
    (last,), (ys,) = for_function(lambda a, x: (x, a), 3, (jnp.float32(0),), (xs,), cap=5, reverse=True)
    assert float(last) == 1.0
    np.testing.assert_array_equal(ys, [2.0, 3.0, 0.0, 0.0, 0.0])


def test_without_differentiation_there_is_one_plain_while_loop() -> None:
    def loop(x: Any) -> Any:
        return while_function(lambda a, n: a > 1, lambda a, n: (a / 2, n + 1), (x, jnp.int32(0)), cap=1000).carry

    text = jax.jit(loop).lower(jnp.float32(9)).as_text()
    assert text.count("stablehlo.while") == 1
    assert "1000x" not in text


def test_integers_and_floats_of_64_bits_under_a_narrow_jax(tape: str) -> None:
    def wide(x: Any) -> Any:
        with jax.enable_x64(True):
            init = (x.astype(jnp.float64), jnp.int64(1))
            loop = while_function(lambda t, k: k < 1 << 40, lambda t, k: (t * 1.1 + 1e-12, k * 1024), init, cap=60)
            counted, (ys,) = for_function(
                lambda t, i: (t / 3, i + (1 << 33), t), 3, (loop.carry[0], loop.carry[1]), cap=5
            )
            return counted[0] * 1.0, counted[1], ys, loop.steps

    x = np.float64(np.float32(0.3))
    for _ in range(4):
        x = x * 1.1 + 1e-12
    for fun in (wide, jax.jit(wide)):
        t, k, ys, steps = fun(jnp.float32(0.3))
        assert (t.dtype, k.dtype, ys.dtype, steps.dtype) == (jnp.float64, jnp.int64, jnp.float64, jnp.int32)
        np.testing.assert_array_max_ulp(np.asarray(t), np.float64(x / 3 / 3 / 3), 2)
        assert int(k) == 2**40 + 3 * 2**33

    def narrow(x: Any) -> Any:
        t = wide(x)[0]
        with jax.enable_x64(True):
            return t.astype(jnp.float32)

    wanted = jnp.float32(1.1**4 / 27)
    assert_close(jax.grad(narrow)(jnp.float32(0.3)), wanted)
    assert_close(jax.jit(jax.grad(narrow))(jnp.float32(0.3)), wanted)
    assert_close(jax.vmap(jax.grad(narrow))(jnp.full((2,), 0.3)), jnp.full((2,), wanted))
    assert_close(jax.grad(lambda x: jnp.sum(jax.vmap(narrow)(x)))(jnp.full((2,), 0.3)), jnp.full((2,), wanted))
    assert_close(jax.jvp(jax.grad(narrow), (jnp.float32(0.3),), (jnp.float32(1),))[1], jnp.float32(0))


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16, jnp.complex64])
def test_other_inexact_carries(dtype: Any, tape: str) -> None:
    def ours(x: Any, w: Any) -> Any:
        loop = while_function(lambda i, a: i < 4, lambda i, a: (i + 1, a * w + a), (jnp.int32(0), x), cap=9)
        return jnp.real(jnp.sum(loop.carry[1]))

    def plain(x: Any, w: Any) -> Any:
        for _ in range(4):
            x = x * w + x
        return jnp.real(jnp.sum(x))

    x, w = jnp.array([1, 2], dtype), jnp.array(0.5 if dtype != jnp.complex64 else 0.5 + 0.25j, dtype)
    got, wanted = (jax.value_and_grad(fun, (0, 1))(x, w) for fun in (ours, plain))
    assert [g.dtype for g in got[1]] == [dtype, dtype]
    as_wide = lambda tree: jax.tree.map(lambda leaf: leaf.astype(jnp.complex64), tree)
    assert_close(as_wide(got), as_wide(wanted), 0.02 if dtype != jnp.complex64 else 2e-5)


def test_keys_are_carried_taped_and_batched(tape: str) -> None:
    def ours(w: Any, key: Any) -> Any:
        def body(key: Any, a: Any, n: Any) -> tuple[Any, ...]:
            key, used = jax.random.split(key)
            return key, a * w + jax.random.normal(used) * a, n + 1

        init = (key, jnp.float32(1), jnp.int32(0))
        return while_function(lambda _, a, n: (n < 6) & (jnp.abs(a) < 3), body, init, cap=30).carry[1]

    def plain(w: Any, key: Any) -> Any:
        a, n = jnp.float32(1), 0
        while n < 6 and jnp.abs(a) < 3:
            key, used = jax.random.split(key)
            a, n = a * w + jax.random.normal(used) * a, n + 1
        return a

    keys = jax.random.split(jax.random.key(7), 4)
    w = jnp.float32(0.8)
    wanted = [jax.value_and_grad(plain)(w, key) for key in keys]
    assert_close(jax.value_and_grad(ours)(w, keys[0]), wanted[0])
    got = jax.vmap(jax.value_and_grad(ours), (None, 0))(w, keys)
    assert_close(got, jax.tree.map(lambda *leaves: jnp.stack(leaves), *wanted))
    shared = jax.grad(lambda w: jnp.sum(jax.vmap(ours, (None, 0))(w, keys)))(w)
    assert_close(shared, sum(grad for _, grad in wanted))


def test_rows_of_keys() -> None:
    keys = jax.random.split(jax.random.key(3), 4)
    (total,), (ys,) = for_function(
        lambda a, key: (a + jax.random.normal(key), key), 3, (jnp.float32(0),), (keys,), cap=4
    )
    assert_close(total, sum(jax.random.normal(key) for key in keys[:3]))
    np.testing.assert_array_equal(jax.random.key_data(ys[:3]), jax.random.key_data(keys[:3]))


def test_booleans_small_integers_and_nothing_at_all(tape: str) -> None:
    init = (jnp.float32(2), jnp.bool_(True), jnp.uint8(3), jnp.zeros((0, 4)), jnp.zeros((2, 0), jnp.int32))

    def ours(x: Any) -> Any:
        body = lambda a, up, n, e, f: (jnp.where(up, a * x, a + x), ~up, n - 1, e * x, f)
        out = while_function(lambda a, up, n, e, f: n > 0, body, (x, *init[1:]), cap=9).carry
        return out[0] + jnp.sum(out[3])

    assert jax.value_and_grad(ours)(3.0) == ((9.0 + 3.0) * 3.0, 3 * 3.0**2 + 2 * 3.0)


def test_no_carry_at_all() -> None:
    assert int(while_function(lambda: jnp.bool_(True), lambda: (), (), cap=7).steps) == 7
    assert for_function(lambda x: (x * 2,), 2, (), (jnp.arange(3),), cap=3)[1][0].tolist() == [0, 2, 0]


def test_constants_may_be_tracers() -> None:
    def loss(limit: Any, w: Any) -> Any:
        init = (jnp.float32(1),)
        return while_function(lambda a: a < limit, lambda a: (a * w,), init, cap=9).carry[0]

    assert jax.grad(loss, (0, 1))(7.0, 2.0) == (0.0, 12.0)
    assert jax.jit(jax.grad(loss, (0, 1)))(7.0, 2.0) == (0.0, 12.0)
    np.testing.assert_array_equal(jax.vmap(loss, (0, None))(jnp.array([3.0, 7.0]), 2.0), [4.0, 8.0])


def test_weakly_typed_carries() -> None:
    def ours(x: Any) -> Any:
        return while_function(lambda a: a > 1, lambda a: (a / 2.0,), (x,), cap=9).carry[0]

    weak = jax.make_jaxpr(ours)(3.0)
    assert weak.out_avals[0].weak_type
    assert jax.make_jaxpr(jax.grad(ours))(3.0).out_avals[0].dtype == jnp.float32
    got = jax.vmap(lambda scale: ours(3.0 * scale) * jnp.bfloat16(1))(jnp.ones(2, jnp.bfloat16))
    assert got.dtype == jnp.bfloat16


def test_carries_must_keep_their_types() -> None:
    with pytest.raises(AssertionError):
        while_function(lambda n: n < 3, lambda n: (n + 0.5,), (jnp.int32(0),), cap=3)
    body = jax.make_jaxpr(lambda a: (a + 1,))(jnp.float32(0))
    with pytest.raises(AssertionError):
        for_loop(body, 3, (0.0,), cap=3)  # weakly typed, as no step leaves it


def test_nothing_leaks() -> None:
    with jax.checking_leaks():
        jax.jit(jax.grad(lambda x: while_function(lambda a: a < 9, lambda a: (a * x,), (x,), cap=40).carry[0]))(2.0)
        jax.jit(jax.grad(lambda x: while_function(lambda a: a < 9, lambda a: (a * x,), (x,), cap=9).carry[0]))(2.0)
