"""Closures and globals: read at every call, guarded, and followed when somebody changes them."""

import math

import jax.numpy as jnp

from tests.programs import Mutation, f32, grid, i32, program, reattribute, rebind, scalar

RATE = 0.5
STEPS = 3
TABLE = jnp.array([1.0, 2.0, 4.0])
LAYERS = (jnp.array([1.0, -1.0]), jnp.array([0.5, 0.5]))
SETTINGS = {"scale": 3.0, "shift": jnp.array(1.0), "on": True}
NAMES = ["plus", "minus"]


def decay(x):
    return x * RATE


@program(
    rows=(8,),
    inputs=lambda: [(f32(1, 2),), (f32(4),), (i32(1, 2),), (2.0,)],
    expect="compiled",
    mutations=[
        rebind(globals(), "RATE", lambda: 0.25),
        rebind(globals(), "RATE", lambda: -0.0),
        rebind(globals(), "RATE", lambda: 2),
        rebind(globals(), "RATE", lambda: jnp.array([1.0, 3.0])),
        rebind(globals(), "STEPS", lambda: 5),
        rebind(globals(), "STEPS", lambda: 0),
        rebind(globals(), "STEPS", lambda: "three"),
        rebind(globals(), "decay", lambda: lambda x: x + RATE),
    ],
)
def reads_global_numbers(x):
    for _ in range(STEPS):
        x = decay(x) + RATE
    return x


@program(
    rows=(8,),
    inputs=lambda: [(f32(1, 2, 3),), (f32(-4, 2, 2),), (scalar(2.0),), (i32(1, 2, 3),)],
    expect="compiled",
    mutations=[
        rebind(globals(), "TABLE", lambda: jnp.array([7.0, 2.0, 4.0])),
        rebind(globals(), "TABLE", lambda: jnp.array([-7.0])),
        rebind(globals(), "TABLE", lambda: jnp.array([1, 2, 3])),
        rebind(globals(), "TABLE", lambda: 5.0),
    ],
)
def reads_global_array(x):
    if (x * TABLE).sum() > 0:
        return x + TABLE
    return TABLE


@program(
    rows=(8,),
    inputs=lambda: [(f32(1, 2),), (f32(-4, 2),), (grid(3, 2),), (scalar(2.0),)],
    expect="compiled",
    mutations=[
        rebind(globals(), "LAYERS", lambda: (jnp.array([2.0, 2.0]),)),
        rebind(globals(), "LAYERS", lambda: (jnp.array([1.0, -1.0]), 3.0)),
        rebind(globals(), "SETTINGS", lambda: {"scale": 1.0, "shift": jnp.array(2.0), "on": True}),
        rebind(SETTINGS, "scale", lambda: 4.0),
        rebind(SETTINGS, "on", lambda: False),
        rebind(SETTINGS, "shift", lambda: jnp.array([5.0, 6.0])),
        rebind(globals(), "NAMES", lambda: ["minus"]),
    ],
)
def reads_global_containers(x):
    for layer in LAYERS:
        x = x * layer
    if SETTINGS["on"]:
        x = x * SETTINGS["scale"] + SETTINGS["shift"]
    if NAMES[0] == "plus":
        x = x + len(NAMES)
    return x


@program(
    rows=(8,),
    inputs=lambda: [(f32(1, 2),), (f32(4),), (3.0,)],
    expect="compiled",
    mutations=[reattribute(math, "pi", lambda: 3.0), reattribute(jnp, "tanh", lambda: jnp.sin)],
)
def reads_module_attributes(x):
    return jnp.tanh(x * math.pi) + math.e


def make_scaler(factor, offset):
    def scale(x):
        if x.sum() > 0:
            return x * factor + offset
        return x * factor - offset

    return scale


program(
    rows=(8, 12),
    inputs=lambda: [(f32(1, 2),), (f32(-1, -2),), (f32(1),), (i32(1, 2),)],
    expect="compiled",
    name="scaler_with_cells",
)(make_scaler(3.0, 1))

program(
    rows=(8, 12),
    inputs=lambda: [(f32(1, 2),), (f32(-1, -2),), (f32(1),), (i32(1, 2),)],
    expect="compiled",
    name="scaler_with_array_cells",
)(make_scaler(jnp.array([2.0, 4.0]), jnp.array(0.5)))


def make_switch():
    gain = 2.0

    def read(x):
        return x * gain + 1

    def write(value):
        nonlocal gain
        gain = value

    return read, write


read_gain, write_gain = make_switch()


def set_gain(value):
    def apply():
        write_gain(value)
        return lambda: write_gain(2.0)

    return Mutation(f"cell = {value!r}", apply)


program(
    rows=(8,),
    inputs=lambda: [(f32(1, 2),), (f32(4),), (5,)],
    expect="compiled",
    mutations=[set_gain(3.0), set_gain(3), set_gain(jnp.array([1.0, 5.0])), set_gain(None)],
    name="cell_written_elsewhere",
)(read_gain)


@program(
    rows=(8, 12),
    inputs=lambda: [(f32(1, 2), 3), (f32(1, 2), 1), (f32(1, 2), 0), (f32(-1, 2), 4)],
    expect="compiled",
)
def late_binding(x, n):
    factor = 1.0

    def scaled(y):
        return y * factor

    for i in range(n):
        factor = factor + i
        x = scaled(x)
    factor = 10.0
    return scaled(x)


@program(
    rows=(8, 12),
    inputs=lambda: [(f32(1, 2), 2.0), (f32(1, 2), 3.0), (f32(3, -4), 2.0), (f32(3, -4), 2)],
    expect="compiled",
)
def closures_of_closures(x, a):
    def outer(b):
        def inner(c):
            return a * b + c

        return inner

    add = outer(x)
    return add(1.0), outer(2.0)(x)


program(
    rows=(12,),
    inputs=lambda: [(f32(1, 2), 3.0), (f32(1, 2), 4.0), (f32(-1, 2), 3.0), (1, 2)],
    expect="compiled",
    mutations=[rebind(globals(), "RATE", lambda: 2.0)],
    name="plain_lambda",
)(lambda x, k: x * k + RATE if k > 3 else x - RATE)


def defaults_are_values(x, weights=(1.0, 2.0), table=TABLE, *, times=2):
    for _ in range(times):
        x = x * weights[0] + table.sum() * weights[1]
    return x


program(
    rows=(8,),
    inputs=lambda: [(f32(1, 2),), (f32(1, 2), (2.0, 2.0)), (f32(1, 2), (1.0, 2.0), f32(1)), (f32(3),)],
    expect="compiled",
    mutations=[
        reattribute(defaults_are_values, "__defaults__", lambda: ((3.0, 2.0), jnp.array([1.0]))),
        reattribute(defaults_are_values, "__kwdefaults__", lambda: {"times": 3}),
    ],
)(defaults_are_values)


SCALE = 2.0


@program(
    rows=(8,),
    inputs=lambda: [(f32(1, 2),), (f32(4),)],
    expect="compiled",
    mutations=[rebind(globals(), "SCALE", lambda: 3.0)],
)
def declares_a_global_in_vain(x):
    SCALE = 5.0  # noqa: N806 - the name of a global on purpose

    def inner(y):
        if STEPS < 0:
            global SCALE
        return y * SCALE

    return inner(x) + SCALE
