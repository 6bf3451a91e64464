"""Calls: of helpers in every form of argument, of lambdas, partials, nested functions, methods of arrays, libraries."""

import functools

import jax
import jax.numpy as jnp
from jax import lax, nn

from tests.programs import call, f32, grid, i32, program, reattribute, rebind


def affine(x, scale=2.0, shift=0.0):
    return x * scale + shift


@program(
    rows=(12,),
    inputs=lambda: [(f32(1, 2), 3.0), (f32(1, 2), 4.0), (f32(-1, 2), 3.0), (f32(1, 2), 3), (i32(1, 2), 0.5)],
    expect="compiled",
    mutations=[
        rebind(globals(), "affine", lambda: lambda x, scale=1.0, shift=7.0: x + scale + shift),
        reattribute(affine, "__defaults__", lambda: (5.0, 1.0)),
        reattribute(affine, "__code__", lambda: (lambda x, scale=2.0, shift=0.0: x - scale).__code__),
    ],
)
def calls_helper(x, s):
    a = affine(x)
    b = affine(x, s)
    c = affine(x, shift=s)
    d = affine(shift=1.0, x=x, scale=s)
    return a, b + c, d


def clip_norm(x, most):
    norm = jnp.sqrt((x * x).sum())
    if norm > most:
        return x * (most / norm)
    return x


@program(
    rows=(1, 12),
    inputs=lambda: [(f32(3, 4), 1.0), (f32(0.3, 0.4), 1.0), (f32(3, 4), 10.0), (f32(0, 0), 0.0), (f32(1), 0.5)],
    expect="compiled",
)
def helper_with_branch(x, most):
    y = clip_norm(x, most)
    return clip_norm(y + 1, most) + y


def total_of(first, *rest, scale=1, **named):
    total = first
    for value in rest:
        total = total + value
    for name in named:
        if name == "bonus":
            total = total + 10
    return total * scale


@program(
    rows=(12,),
    inputs=lambda: [
        (f32(1, 2), (1, 2)),
        (f32(1, 2), ()),
        (f32(1, 2), (f32(3, 4),)),
        (f32(1, 2), (1.5, 2.5, 3)),
        (f32(1, 2), [4]),
    ],
    expect="compiled",
)
def star_arguments(x, more):
    a = total_of(x, *more)
    b = total_of(x, *more, scale=3)
    c = total_of(x, 1, bonus=True)
    d = total_of(*(x, x), **{"scale": 2})
    return a, b, c, d


@program(
    rows=(12,),
    inputs=lambda: [
        call(f32(1, 2)),
        call(f32(1, 2), 3.0, 4.0),
        call(f32(1, 2), 3.0, key=5.0, other=f32(1, 1)),
        call(f32(1, 2), key=1),
        call(f32(1, 2), f32(2, 2), key=None),
    ],
    expect="compiled",
)
def star_parameters(x, *more, key=0.5, **others):
    for value in more:
        x = x + value
    if key is not None:
        x = x * key
    if "other" in others:
        x = x - others["other"]
    return x, len(more), len(others)


@program(
    rows=(12,),
    inputs=lambda: [(f32(1, 2), 2), (f32(1, 2), 4), (f32(1, 2), 0), (i32(3, 1), 2), (f32(-1), 3)],
    expect="compiled",
)
def nested_function(x, n):
    def step(y, k=2):
        if y.sum() > 3:
            return y / k
        return y + x

    y = x
    for _ in range(n):
        y = step(y)
    return step(y, k=4)


@program(
    rows=(12,),
    inputs=lambda: [(f32(1, 2), 2.0), (f32(1, 2), 3.0), (f32(-1, 2), 2.0), (f32(), 2.0), (3.0, 2.0)],
    expect="compiled",
)
def lambdas_and_partials(x, p):
    double = lambda y: y * 2  # noqa: E731
    shifted = functools.partial(affine, shift=p)
    twice = functools.partial(shifted, scale=3.0)
    return double(shifted(x)), twice(x), (lambda a, b=p: a - b)(x)


@program(
    rows=(12,),
    inputs=lambda: [(f32(1, 2), True), (f32(1, 2), False), (f32(-3, 2), True), (f32(-3, 2), False), (f32(1, 2), 0)],
    expect="compiled",
    mutations=[reattribute(nn, "relu", lambda: nn.tanh)],
)
def chooses_a_function(x, smooth):
    activation = jnp.tanh if smooth else nn.relu
    y = activation(x)
    table = {"tanh": jnp.tanh, "relu": nn.relu}
    return table["relu"](y - 0.5) + nn.relu(x)


def apply_twice(function, value):
    return function(function(value))


@program(
    rows=(12,),
    inputs=lambda: [(f32(1, 2), 3.0), (f32(-1, 2), 3.0), (f32(1, 2), -3.0), (f32(1, 2), 4), (f32(0.5), 1.0)],
    expect="compiled",
)
def functions_as_arguments(x, k):
    def add(y):
        return y + k

    a = apply_twice(add, x)
    b = apply_twice(lambda y: clip_norm(y, k), x)
    c = apply_twice(jnp.sin, x)
    return a, b, c


@program(
    rows=(12,),
    inputs=lambda: [(grid(3, 4),), (grid(1, 4),), (-grid(3, 4),), (grid(2, 2),), (grid(4),)],
    expect="compiled",
)
def methods_of_arrays(x):
    y = x.reshape(-1)
    z = x.T.astype(jnp.int32).sum(axis=0)
    w = x[::-1, ..., None] if x.ndim > 1 else x[1:-1]
    first, last = y[0], y[-1]
    if y.max() > 1:
        y = y.clip(0, 1)
    return y.mean(), z, w.shape, w, first - last, x.dtype == jnp.float32, y.size, x.at[0].multiply(2)


@program(
    rows=(12,),
    inputs=lambda: [(grid(3, 4),), (grid(2, 2),), (-grid(3, 4),), (grid(1, 4),), (grid(4),)],
    expect="compiled",
)
def library_functions(x):
    a = jnp.concatenate([x, x * 2], axis=0)
    b = lax.rsqrt(jnp.abs(x) + 1.0)
    c = jnp.einsum("i...->...", x)
    d = jnp.where(x > 0, x, -x).sum(axis=-1, keepdims=True)
    e = nn.softmax(x) @ jnp.ones(x.shape[-1])
    if e.sum() > 2.5:
        c = c + lax.stop_gradient(jnp.linspace(0.0, 1.0, 3)).sum()
    return a, b, c, d, e, jax.numpy.arange(3)


def power(x, n):
    if n == 0:
        return x * 0 + 1
    half = power(x, n // 2)
    if n % 2:
        return half * half * x
    return half * half


@program(
    rows=(11, 12),
    inputs=lambda: [(f32(1, 2), 3), (f32(1, 2), 4), (f32(1, 2), 0), (f32(1, 2), 3), (2.0, 5)],
    expect="any",
)
def recursive_helper(x, n):
    return power(x, n) + 1


def checked_divide(a, b):
    if b == 0:
        raise ZeroDivisionError("division of arrays by zero")
    return a / b


@program(
    rows=(10, 12),
    inputs=lambda: [
        (f32(1, 2), f32(2, 4)),
        (f32(1, 2), f32(4, 2)),
        (f32(1, 2), f32(2, 0)),
        (f32(1, 2), f32(0, 2)),
        (
            f32(1, 2),
            f32(
                2,
            ),
        ),
        (f32(), f32()),
    ],
    expect="compiled",
)
def helper_raises(x, divisors):
    total = 0.0
    for value, divisor in zip(x, divisors):
        total = total + checked_divide(value, divisor)
    return total


def unpack(state):
    position, (velocity, *_), *rest = state
    return position + velocity, len(rest)


@program(
    rows=(3, 12),
    inputs=lambda: [
        ((f32(1, 2), (f32(3, 4), 0, 1), 5, 6),),
        ((f32(1, 2), (2.0,)),),
        ([f32(1, 2), [2.0, 3], None],),
        ((f32(1, 2), ()),),
        ((f32(1, 2),),),
        ((1, (2.5, "x")),),
    ],
    expect="compiled",
)
def unpacking(state):
    moved, count = unpack(state)
    first, *others = moved, count, 7
    (a, b), c = (first, count), others
    [d, *e] = (a, *others, b)
    a += 1
    return a, b, c, d, e
