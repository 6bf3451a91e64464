"""Branches on arrays, numbers, strings and None."""

import jax.numpy as jnp

from tests.programs import call, f32, i32, program, scalar, weak

NAN = float("nan")
INF = float("inf")


@program(
    rows=(1, 4),
    inputs=lambda: [
        (scalar(3.0),),
        (scalar(-2.0),),
        (scalar(0.0),),
        (scalar(-0.0),),
        (scalar(NAN),),
        (scalar(-7, jnp.int32),),
        (weak(2.5),),
        (2.5,),
        (-1,),
        (True,),
    ],
    expect="compiled",
)
def sign_of(x):
    if x > 0:
        return x * 2
    elif x < 0:
        return -x
    else:
        return x


@program(
    rows=(1,),
    inputs=lambda: [
        (f32(1, 2, 3), True),
        (f32(-1, -2, 3), True),
        (f32(1, 2, 3), False),
        (f32(-4, 2, 1), False),
        (f32(5), True),
        (f32(), True),
        (i32(1, -2), True),
    ],
    expect="compiled",
)
def clipped_step(x, clip):
    step = x * 0.5
    if clip:
        if step.sum() > 1.0:
            step = step / step.sum()
        else:
            step = step + 1.0
    else:
        step = -step
    return step


@program(
    rows=(1,),
    inputs=lambda: [
        (scalar(0.5), scalar(2.0)),
        (scalar(-0.5), scalar(2.0)),
        (scalar(3.0), scalar(2.0)),
        (scalar(NAN), scalar(0.0)),
        (scalar(INF), scalar(-1.0)),
        (0.5, scalar(2.0)),
        (scalar(1, jnp.int32), 2),
    ],
    expect="compiled",
)
def ternary_chain(x, high):
    low = -high
    scaled = x * 10 if x > 0.25 else x / 10 if x < -0.25 else x
    return high if scaled > high else low if scaled < low else scaled


@program(
    rows=(1,),
    inputs=lambda: [
        (f32(1, 2), 1.0),
        (f32(-1, 2), 1.0),
        (f32(-1, -2), 3.0),
        (f32(4, 2), 3.0),
        (f32(NAN, 2), 3.0),
        (f32(1, 2), 5),
    ],
    expect="compiled",
)
def and_or_not(x, limit):
    if x.sum() > 0 and x[0] < limit:
        y = x + 1
    elif not x[1] > 0 or limit > 2.0:
        y = x - 1
    else:
        y = x * x
    return y


@program(
    rows=(1,),
    inputs=lambda: [
        (scalar(0.0), scalar(4.0), 0.0),
        (scalar(3.0), scalar(4.0), 0.0),
        (scalar(0.0), scalar(0.0), 0.0),
        (scalar(0.0), scalar(0.0), 2.0),
        (scalar(-0.0), scalar(-0.0), -0.0),
        (scalar(0.0), scalar(0.0), True),
        (scalar(NAN), scalar(1.0), 0.0),
    ],
    expect="compiled",
)
def first_truthy(a, b, c):
    chosen = a or b or c
    both = a and b
    return chosen, both


@program(
    rows=(1,),
    inputs=lambda: [
        (scalar(0.5),),
        (scalar(1.5),),
        (scalar(2.5),),
        (scalar(-1.0),),
        (scalar(NAN),),
        (0.5,),
        (1,),
        (scalar(True, jnp.bool_),),
    ],
    expect="compiled",
)
def chained_comparison(x):
    inside = 0 < x < 1
    if 0 <= x <= 1 < 2:
        return inside, 1
    if 1 < x <= 2 != x:
        return inside, 2
    return inside, 3


@program(
    rows=(1, 4),
    inputs=lambda: [
        (f32(3, 4), 1),
        (f32(0, 0), 1),
        (f32(30, 40), 1),
        (f32(3, 4), 0),
        (f32(3, 4), -1),
        (f32(3, 4, 12), 1),
    ],
    expect="compiled",
)
def early_returns(x, kind):
    if kind < 0:
        return None
    norm = jnp.sqrt((x * x).sum())
    if norm == 0:
        return x, 0.0
    if kind == 0:
        return norm, "norm"
    unit = x / norm
    if norm > 10:
        return unit, float("inf")
    return unit, 1.0


@program(
    rows=(1, 5),
    inputs=lambda: [
        (scalar(2.0),),
        (scalar(-2.0),),
        (scalar(0.0),),
        (2.0,),
        (-2,),
    ],
    expect="compiled",
)
def bound_in_one_branch(x):
    known = x > 0
    if known:
        y = x * 3
    z = x - 1
    if known:
        z = z + y
    return z


@program(
    rows=(1, 10),
    inputs=lambda: [
        (f32(1, 2),),
        (f32(3, 4),),
        (f32(-1, 2),),
        (f32(NAN, 2),),
        (f32(-5, 5),),
    ],
    expect="compiled",
)
def read_unbound_name(x):
    if x[0] > 0:
        total = x.sum()
    return total * 2


@program(
    rows=(1, 10),
    inputs=lambda: [
        (f32(1, 2), 4.0),
        (f32(1, 2), 5.0),
        (f32(1, 2), 0.0),
        (f32(1, -2), 4.0),
        (f32(1, 2), -1.0),
        (f32(), 3.0),
    ],
    expect="compiled",
)
def raises_in_branch(x, scale):
    if scale < 0:
        raise ValueError("scale must not be negative", scale)
    if x.size == 0:
        raise IndexError("nothing to scale")
    if jnp.any(x < 0):
        raise ArithmeticError
    return x * scale


@program(
    rows=(1, 10),
    inputs=lambda: [
        (f32(4, 9),),
        (f32(1, 16),),
        (f32(-1, 16),),
        (f32(NAN, 1),),
        (f32(1, 2, 3),),
    ],
    expect="compiled",
)
def asserts_on_arrays(x):
    assert x.ndim == 1
    assert (x >= 0).all(), "negative"
    y = jnp.sqrt(x)
    assert y.sum() > 0, ("sum", 0)
    return y


@program(
    rows=(1, 5),
    inputs=lambda: [
        (f32(1, 2, 4), "sum"),
        (f32(1, 2, 4), "mean"),
        (f32(1, 2, 4), "max"),
        (f32(1, 2, 4), "median"),
        (f32(1, 2), "sum"),
        (f32(1, 2, 4), None),
    ],
    expect="compiled",
)
def mode_string(x, mode):
    if mode == "sum":
        return x.sum()
    elif mode == "mean":
        return x.mean()
    elif mode in ("max", "maximum"):
        return x.max()
    elif mode is None:
        return mode
    raise KeyError(mode)


@program(
    rows=(1, 5),
    inputs=lambda: [
        call(f32(1, 2)),
        call(f32(1, 2), f32(10, 20)),
        call(f32(1, 2), bias=f32(10, 20), activate=False),
        call(f32(1, 2), activate=None),
        call(f32(-1, 2), None, True),
        call(x=f32(-1, 2), bias=2),
    ],
    expect="compiled",
)
def optional_arguments(x, bias=None, activate=True):
    y = x * 2
    if bias is not None:
        y = y + bias
    if activate is None:
        return y, None
    if activate:
        y = jnp.where(y > 0, y, 0)
    return y, activate


@program(
    rows=(1, 5),
    inputs=lambda: [
        (scalar(2.0),),
        (scalar(3.0),),
        (scalar(-2.0),),
        (scalar(4.0),),
        (scalar(-9.0),),
    ],
    expect="compiled",
)
def sides_of_different_type(x):
    if x > 0:
        y = x * 2
    else:
        y = jnp.zeros((3,), jnp.int32)
    return y + 1


@program(
    rows=(1, 5),
    inputs=lambda: [
        (scalar(2.0),),
        (scalar(0.5),),
        (scalar(-2.0),),
        (scalar(-0.0),),
        (scalar(7.0),),
    ],
    expect="compiled",
)
def array_or_number(x):
    if x > 1:
        y = 1
    elif x > 0:
        y = 2.5
    else:
        y = None
    return y


@program(
    rows=(1,),
    inputs=lambda: [
        (f32(1),),
        (f32(0),),
        (jnp.ones((1, 1)),),
        (scalar(-0.0),),
        (f32(1, 2),),
        (f32(),),
        (scalar(NAN),),
    ],
    expect="compiled",
)
def truth_of_small_arrays(x):
    if x:
        return x + 1
    return x - 1


@program(
    rows=(1, 15),
    inputs=lambda: [
        (jnp.array([250, 3], jnp.uint8), 10),
        (jnp.array([1, 3], jnp.uint8), 10),
        (jnp.array([0, 0], jnp.uint8), 10),
        (jnp.array([250, 3], jnp.int16), 10),
        (jnp.array([True, False]), 1),
        (jnp.array([1.5, 2.5], jnp.bfloat16), 10),
        (jnp.array([250, 3], jnp.uint8), 10.0),
    ],
    expect="compiled",
)
def small_dtypes(x, n):
    y = x + n
    if y[0] < x[0]:
        y = y * 0
    elif x[1] == 0:
        y = y - n
    return y, y.sum()


@program(
    rows=(1,),
    inputs=lambda: [(3, 4), (4, 3), (0, 0), (-5, 2), (3.0, 4), (True, False), (2**40, -(2**40))],
    expect="compiled",
)
def numbers_only(a, b):
    if a % 2 == 0 and b > 0:
        c = a // b
    elif a > b or not b:
        c = a - b
    else:
        c = a * b
    return c if c != 0 else -1


@program(
    rows=(1, 4),
    inputs=lambda: [
        (f32(1, 5), f32(2, 4)),
        (f32(3, 5), f32(2, 4)),
        (f32(1, 1), f32(2, 4)),
        (f32(0, 0), f32(0, 0)),
        (f32(-0.0, 0), f32(0, 0)),
        (f32(INF, 0), f32(INF, NAN)),
    ],
    expect="compiled",
)
def swaps_in_branch(a, b):
    if a[0] > b[0]:
        a, b = b, a
    low, high = a, b
    if (low == high).all():
        return low, high, 0
    if low.max() > high.min():
        (low, high), gap = (high, low), high.min() - low.max()
    else:
        gap = high.min() - low.max()
    return low, high, gap
