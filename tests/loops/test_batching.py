"""Lanes that end one by one: values, steps and gradients are those of each lane alone."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from janus_jax._loops import for_function, while_function
from tests.loops.pairs import assert_close, halve, nest, plain_halve, plain_nest, plain_rows, rows

XS = jnp.array([5.0, 0.5, 9.0, 1.0, 3.0])
W = jnp.float32(0.5)


def each(fun: Any, *lanes: Any) -> Any:
    """Return `fun` of each lane, stacked as `vmap` would."""
    outs = [fun(*lane) for lane in zip(*lanes, strict=True)]
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *outs)


def reciprocal(x: Any, w: Any) -> Any:
    """Its body divides by zero exactly in a lane that never runs it."""
    loop = while_function(lambda a, n: (n < 3) & (a > 0), lambda a, n: (a + w / a, n + 1), (x, jnp.int32(0)), cap=20)
    return loop.carry[0]


def plain_reciprocal(x: Any, w: Any) -> Any:
    n = 0
    while n < 3 and x > 0:
        x, n = x + w / x, n + 1
    return x


def test_each_lane_has_its_own_steps_and_end() -> None:
    lane = lambda x, cap: while_function(lambda a, _: a > 1, lambda a, n: (a / 2, n + 1), (x, jnp.int32(0)), cap=cap)
    got = jax.vmap(lambda x: lane(x, 2))(XS)
    np.testing.assert_array_equal(got.steps, [2, 0, 2, 0, 2])
    np.testing.assert_array_equal(got.exhausted, [True, False, True, False, False])
    np.testing.assert_array_equal(got.carry[0], [1.25, 0.5, 2.25, 1.0, 0.75])
    np.testing.assert_array_equal(got.carry[1], got.steps)
    assert got.steps.dtype == jnp.int32


def test_lanes_that_share_a_condition_go_in_lockstep() -> None:
    def lane(x: Any) -> Any:
        return while_function(lambda _, n: n < 3, lambda a, n: (a * 2, n + 1), (x, jnp.int32(0)), cap=9)

    jaxpr = jax.make_jaxpr(jax.vmap(lane))(XS)
    (loop,) = [equation for equation in jaxpr.eqns if equation.primitive.name == "janus_while"]
    assert [v.aval.shape for v in loop.outvars] == [(), (5,), ()]
    np.testing.assert_array_equal(jax.vmap(lane)(XS).carry[0], XS * 8)


def test_the_gradient_of_lanes_that_share_weights(tape: str) -> None:
    loss = lambda w, xs: jnp.sum(jax.vmap(halve, (0, None))(xs, w))
    plain_loss = lambda w, xs: sum(plain_halve(x, w) for x in xs)
    wanted = jax.grad(plain_loss, (0, 1))(W, XS)
    assert_close(jax.grad(loss, (0, 1))(W, XS), wanted)
    assert_close(jax.jit(jax.grad(loss, (0, 1)))(W, XS), wanted)


def test_gradients_of_each_lane(tape: str) -> None:
    got = jax.vmap(jax.grad(halve, (0, 1)), (0, None))(XS, W)
    assert_close(got, each(lambda x: jax.grad(plain_halve, (0, 1))(x, W), XS))


@pytest.mark.slow
def test_second_derivatives_of_lanes(tape: str) -> None:
    got = jax.vmap(jax.hessian(halve, (0, 1)), (0, None))(XS, W)
    assert_close(got, each(lambda x: jax.hessian(plain_halve, (0, 1))(x, W), XS), 1e-4)
    loss = lambda w, xs: jnp.sum(jax.vmap(halve, (0, None))(xs, w))
    plain_loss = lambda w, xs: sum(plain_halve(x, w) for x in xs)
    assert_close(jax.hessian(loss, (0, 1))(W, XS), jax.hessian(plain_loss, (0, 1))(W, XS), 1e-4)


def test_a_lane_that_is_done_poisons_nothing(tape: str) -> None:
    xs = jnp.array([1.0, 0.0, 2.0])
    shared = jax.grad(lambda w: jnp.sum(jax.vmap(reciprocal, (0, None))(xs, w)))(W)
    assert_close(shared, jax.grad(lambda w: sum(plain_reciprocal(x, w) for x in xs))(W))
    got = jax.vmap(jax.grad(reciprocal, (0, 1)), (0, None))(xs, W)
    assert_close(got, each(lambda x: jax.grad(plain_reciprocal, (0, 1))(x, W), xs))


def test_a_constant_of_a_lane_that_is_done_poisons_nothing(tape: str) -> None:
    def lane(x: Any, d: Any, w: Any) -> Any:
        return while_function(lambda a: (a < 9) & (d > 0), lambda a: (a + w / d,), (x,), cap=20).carry[0]

    ds = jnp.array([1.0, 0.0, 2.0])
    loss = lambda w: jnp.sum(jax.vmap(lane, (0, 0, None))(ds, ds, w))
    assert jax.grad(loss)(3.0) == 3.0 + 5 * 0.5
    assert jnp.all(jnp.isfinite(jax.vmap(jax.grad(lane, (0, 1, 2)), (0, 0, None))(ds, ds, 3.0)[1]))


def test_a_lane_that_is_done_does_not_run_its_inner_loop_again() -> None:
    """The inner loop of the first lane has a thousand steps; once done, it must not have them again and again."""

    def lane(n: Any, m: Any) -> Any:
        def body(i: Any, total: Any) -> tuple[Any, Any]:
            inner = while_function(lambda k: k < m, lambda k: (k + 1,), (jnp.int32(0),), cap=2000)
            return i + 1, total + inner.steps

        return while_function(lambda i, _: i < n, body, (jnp.int32(0), jnp.int32(0)), cap=300).carry[1]

    got = jax.vmap(lane)(jnp.array([1, 200]), jnp.array([1000, 1]))
    np.testing.assert_array_equal(got, [1000, 200])


@pytest.mark.parametrize("reverse", [False, True])
def test_counts_of_their_own(reverse: bool, tape: str) -> None:
    ws, ns, xs = jnp.linspace(0.3, 1.2, 10), jnp.array([0, 3, 10, 7]), jnp.array([0.1, 0.2, 0.3, 0.4])
    ours = lambda x, n, ws: rows(x, ws, n, reverse)
    plain = lambda x, n, ws: plain_rows(x, ws, int(n), reverse)
    assert_close(jax.vmap(ours, (0, 0, None))(xs, ns, ws), each(lambda x, n: plain(x, n, ws), xs, ns))
    loss = lambda xs, ws: jnp.sum(jax.vmap(ours, (0, 0, None))(xs, ns, ws))
    plain_loss = lambda xs, ws: sum(plain(x, n, ws) for x, n in zip(xs, ns, strict=True))
    assert_close(jax.grad(loss, (0, 1))(xs, ws), jax.grad(plain_loss, (0, 1))(xs, ws))
    got = jax.vmap(jax.grad(ours, (0, 2)), (0, 0, None))(xs, ns, ws)
    assert_close(got, each(lambda x, n: jax.grad(plain, (0, 2))(x, n, ws), xs, ns))


@pytest.mark.parametrize("axis", [0, 1])
def test_rows_of_each_lane_on_any_axis(axis: int, tape: str) -> None:
    ws = jnp.linspace(0.3, 1.2, 30).reshape(10, 3)
    ws = ws if axis == 1 else ws.T
    got = jax.vmap(jax.grad(rows, (0, 1)), (None, axis))(jnp.float32(0.4), ws)
    lanes = jnp.moveaxis(ws, axis, 0)
    assert_close(got, each(lambda w: jax.grad(plain_rows, (0, 1))(jnp.float32(0.4), w), lanes))


def test_a_nest_in_lanes(tape: str) -> None:
    xs = jnp.array([0.8, 0.1, 3.0])
    loss = lambda w, xs: jnp.sum(jax.vmap(nest, (0, None))(xs, w))
    plain_loss = lambda w, xs: sum(plain_nest(x, w) for x in xs)
    assert_close(jax.jit(jax.grad(loss, (0, 1)))(W, xs), jax.grad(plain_loss, (0, 1))(W, xs))


def test_lanes_of_lanes(tape: str) -> None:
    xs = jnp.array([[5.0, 0.5, 9.0], [1.0, 3.0, 2.0]])
    ws = jnp.array([0.5, 0.4, 0.3])
    both = lambda fun: jax.vmap(jax.vmap(fun), (0, None))
    wanted = jnp.stack([jnp.stack([plain_halve(x, w) for x, w in zip(row, ws, strict=True)]) for row in xs])
    assert_close(both(halve)(xs, ws), wanted)
    got = both(jax.grad(halve, (0, 1)))(xs, ws)
    assert_close(got, each(lambda row: each(jax.grad(plain_halve, (0, 1)), row, ws), xs))


def test_a_loop_in_a_conditional_of_each_lane(tape: str) -> None:
    lane = lambda x: lax.cond(x > 4, lambda x: halve(x, W), lambda x: x * 3, x)
    plain = lambda x: plain_halve(x, W) if x > 4 else x * 3
    assert_close(jax.vmap(lane)(XS), each(plain, XS))
    assert_close(jax.vmap(jax.grad(lane))(XS), each(jax.grad(plain), XS))


def test_named_axes_reach_the_body() -> None:
    def lane(x: Any) -> Any:
        body = lambda a, n: (a + lax.psum(x, "lanes") * lax.axis_index("lanes"), n + 1)
        return while_function(lambda _, n: n < 2, body, (x, jnp.int32(0)), cap=9).carry[0]

    xs = jnp.arange(3.0)
    np.testing.assert_array_equal(jax.vmap(lane, axis_name="lanes")(xs), xs + 2 * 3.0 * xs)


def test_a_batch_of_nothing() -> None:
    assert jax.vmap(halve, (0, None))(jnp.zeros((0,)), W).shape == (0,)
    counted = jax.vmap(lambda n: for_function(lambda a: (a + 1,), n, (jnp.float32(0),), cap=3)[0][0])
    assert counted(jnp.zeros((0,), jnp.int32)).shape == (0,)


def test_the_weak_type_of_a_carry_stays() -> None:
    def lane(x: Any) -> Any:
        return while_function(lambda a: a > 1, lambda a: (a / 2,), (x,), cap=9).carry[0] + jnp.bfloat16(1)

    def weak_lane(x: Any) -> Any:
        scaled = 3.0 * lax.convert_element_type(x, jnp.int32).astype(float)
        return scaled

    assert jax.vmap(lane)(XS).dtype == jnp.float32
    weak = jax.make_jaxpr(lambda: 1.0)().out_avals[0]
    assert weak.weak_type
    del weak_lane
