"""Derivatives of every order and mode, with every kind of tape, against unrolled Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax import lax

from janus_jax._loops import for_function, while_function
from tests.loops.pairs import PAIRS, Function, Pair, assert_close, halve, plain_halve, power

every_pair = pytest.mark.parametrize("pair", PAIRS, ids=str)


def all_arguments(pair: Pair) -> tuple[int, ...]:
    return tuple(range(len(pair.arguments)))


def linearized(fun: Function) -> Function:
    def moved(*primals: Any) -> Any:
        out, linear = jax.linearize(fun, *primals)
        return out, linear(*jax.tree.map(jnp.ones_like, primals))

    return moved


def pushed(fun: Function) -> Function:
    return lambda *primals: jax.jvp(fun, primals, jax.tree.map(jnp.ones_like, primals))


FIRST: dict[str, Callable[[Function, tuple[int, ...]], Function]] = {
    "grad": jax.value_and_grad,
    "jit of grad": lambda fun, where: jax.jit(jax.grad(fun, where)),
    "grad of jit": lambda fun, where: jax.grad(jax.jit(fun), where),
    "jvp": lambda fun, _: pushed(fun),
    "linearize": lambda fun, _: linearized(fun),
    "jit of linearize": lambda fun, _: jax.jit(linearized(fun)),
    "jacfwd": jax.jacfwd,
    "checkpoint": lambda fun, where: jax.grad(jax.checkpoint(fun), where),
}
SECOND: dict[str, Callable[[Function, tuple[int, ...]], Function]] = {
    "hessian": jax.hessian,
    "reverse over reverse": lambda fun, where: jax.jacrev(jax.jacrev(fun, where), where),
    "reverse over forward": lambda fun, where: jax.jacrev(jax.jacfwd(fun, where), where),
}


def plain_version(name: str, pair: Pair, transform: Any) -> Any:
    if "jit" in name or name == "checkpoint":  # neither is possible in plain Python
        return FIRST["linearize" if "linearize" in name else "grad"](pair.plain, all_arguments(pair))
    return transform(pair.plain, all_arguments(pair))


@every_pair
def test_a_loop_computes_what_python_computes(pair: Pair) -> None:
    assert_close(pair.ours(*pair.arguments), pair.plain(*pair.arguments))
    assert_close(jax.jit(pair.ours)(*pair.arguments), pair.plain(*pair.arguments))


@every_pair
@pytest.mark.parametrize("mode", FIRST)
def test_first_derivatives_are_those_of_python(pair: Pair, mode: str, tape: str) -> None:
    got = FIRST[mode](pair.ours, all_arguments(pair))(*pair.arguments)
    wanted = plain_version(mode, pair, FIRST[mode])(*pair.arguments)
    if mode in ("jit of grad", "grad of jit", "checkpoint"):
        wanted = wanted[1]
    assert_close(got, wanted)


@pytest.mark.slow
@every_pair
@pytest.mark.parametrize("mode", SECOND)
def test_second_derivatives_are_those_of_python(pair: Pair, mode: str, tape: str) -> None:
    got = SECOND[mode](pair.ours, all_arguments(pair))(*pair.arguments)
    assert_close(got, SECOND[mode](pair.plain, all_arguments(pair))(*pair.arguments), 1e-4)


def test_a_hessian_is_that_of_python(tape: str) -> None:
    assert_close(jax.hessian(halve)(4.0, 0.5), jax.hessian(plain_halve)(4.0, 0.5))


def test_a_third_derivative_is_that_of_python() -> None:
    third = jax.grad(jax.grad(jax.grad(halve)))
    assert_close(third(3.0, 0.5), jax.grad(jax.grad(jax.grad(plain_halve)))(3.0, 0.5))


@pytest.mark.parametrize("cap", [5, 6, 16, 17, 64, 65, 1000, 100_000])
def test_the_cap_does_not_show(cap: int) -> None:
    x, w = jnp.array([0.1, 1.1, 2.1]), jnp.float32(0.7)
    assert_close(jax.grad(power, (0, 1))(x, w, cap), jax.grad(power, (0, 1))(x, w, 20))


def test_a_large_carry_under_a_large_cap_is_nested() -> None:
    x, w = jnp.full((100,), 0.1, jnp.float32), jnp.float32(0.7)
    assert_close(jax.grad(power, (0, 1))(x, w, 10_000), jax.grad(power, (0, 1))(x, w, 20))


def test_counters_and_verdicts_under_grad_are_values_of_the_outer_trace() -> None:
    seen: list[Any] = []

    def loss(x: Any) -> Any:
        loop = while_function(
            lambda a, n, ok: (a > 1.0) & ok,
            lambda a, n, ok: (a * 0.5, n + 1, ok & (n < 100)),
            (x, jnp.int32(0), jnp.bool_(True)),
            cap=50,
        )
        seen.append((loop.steps, loop.exhausted, loop.carry[1], loop.carry[2]))
        return loop.carry[0] * 2

    assert jax.grad(loss)(9.0) == 0.125
    assert [int(value) for value in seen[0]] == [4, 0, 4, 1]
    assert all(isinstance(value, jax.Array) and not isinstance(value, jax.core.Tracer) for value in seen[0])


def test_tangents_reach_a_carry_by_way_of_others(tape: str) -> None:
    def shifted(x: Any) -> Any:
        a, b, c = jnp.float32(0), jnp.float32(0), jnp.float32(0)
        loop = while_function(
            lambda i, *_: i < 3, lambda i, a, b, c: (i + 1, x, a * a, b), (jnp.int32(0), a, b, c), cap=9
        )
        return loop.carry[3]

    assert jax.grad(shifted)(jnp.float32(3)) == 6.0


def test_a_loop_without_steps_hands_its_cotangent_through(tape: str) -> None:
    stopped = lambda x, w: while_function(lambda a: a > 1.0, lambda a: (a / w,), (x,), cap=9).carry[0]
    assert jax.grad(stopped, (0, 1))(0.5, 0.0) == (1.0, 0.0)


def test_gradients_stop_at_an_exhausted_cap(tape: str) -> None:
    def loss(x: Any) -> Any:
        loop = while_function(lambda a: a > 0.0, lambda a: (a * x,), (x,), cap=4)
        return loop.carry[0]

    assert_close(jax.grad(loss)(2.0), jnp.float32(5 * 2.0**4))


def test_linear_loops_with_a_counter_are_transposed() -> None:
    def linear(x: Any) -> Any:
        return while_function(
            lambda _, k: k < 4, lambda a, k: (a * (k + 1).astype(jnp.float32), k + 1), (x, jnp.int32(0)), cap=7
        ).carry[0]

    def linear_for(x: Any) -> Any:
        body = lambda a, k: (a * (k + 1).astype(jnp.float32), k + 1)
        return for_function(body, 4, (x, jnp.int32(0)), cap=7)[0][0]

    one = jnp.float32(1.0)
    assert jax.linear_transpose(linear, one)(one) == (24.0,)
    assert jax.linear_transpose(linear_for, one)(one) == (24.0,)


def test_a_loop_differentiates_inside_scan(tape: str) -> None:
    xs = jnp.array([5.0, 0.5, 9.0])

    def total(w: Any, xs: Any) -> Any:
        return lax.scan(lambda a, x: (a + halve(x, w), halve(a + x, w)), jnp.float32(0), xs)

    def plain_total(w: Any, xs: Any) -> Any:
        a, ys = jnp.float32(0), []
        for x in xs:
            ys.append(plain_halve(a + x, w))
            a = a + plain_halve(x, w)
        return a, jnp.stack(ys)

    loss = lambda fun: lambda w, xs: jnp.sum(fun(w, xs)[1]) + fun(w, xs)[0]
    got, wanted = (jax.grad(loss(fun), (0, 1))(jnp.float32(0.5), xs) for fun in (total, plain_total))
    assert_close(got, wanted)


@pytest.mark.parametrize("taken", [True, False])
def test_a_loop_differentiates_inside_cond(taken: bool, tape: str) -> None:
    chosen = lambda p, x: lax.cond(p, lambda: halve(x, 0.5), lambda: x * 3.0)
    wanted = jax.grad(plain_halve)(6.0, 0.5) if taken else jnp.float32(3.0)
    assert_close(jax.grad(chosen, 1)(taken, 6.0), wanted)
    assert_close(jax.jit(jax.grad(chosen, 1))(taken, 6.0), wanted)


def test_custom_derivatives_in_the_body_are_used(tape: str) -> None:
    @jax.custom_vjp
    def scaled(x: Any) -> Any:
        return x * 2.0

    scaled.defvjp(lambda x: (x * 2.0, None), lambda _, ct: (ct * 10.0,))

    @jax.custom_jvp
    def shifted(x: Any) -> Any:
        return x + 1.0

    shifted.defjvp(lambda primals, tangents: (shifted(*primals), tangents[0] * 3.0))

    def loss(x: Any) -> Any:
        body = lambda a, i: (shifted(scaled(a)), i + 1)
        return while_function(lambda _, i: i < 2, body, (x, jnp.int32(0)), cap=9).carry[0]

    assert jax.grad(loss)(1.0) == 900.0


def test_an_optimizer_inside_a_loop_may_take_gradients(tape: str) -> None:
    """A gradient in the body, and a gradient through it: what a learned step size needs."""

    def tuned(rate: Any) -> Any:
        loss = lambda p: jnp.sum(jnp.cos(p) * p)
        body = lambda i, p: (i + 1, p - rate * jax.grad(loss)(p))
        return loss(while_function(lambda i, _: i < 4, body, (jnp.int32(0), jnp.array([0.3, 2.0])), cap=30).carry[1])

    def plain_tuned(rate: Any) -> Any:
        loss = lambda p: jnp.sum(jnp.cos(p) * p)
        p = jnp.array([0.3, 2.0])
        for _ in range(4):
            p = p - rate * jax.grad(loss)(p)
        return loss(p)

    assert_close(jax.value_and_grad(tuned)(0.1), jax.value_and_grad(plain_tuned)(0.1))
