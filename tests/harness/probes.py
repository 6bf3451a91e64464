"""Small programs that between them read from every kind of place; the tests of soundness change each place in turn."""

from __future__ import annotations

import functools
import math
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from tests.harness.outcomes import Arguments

RATE = 0.5
STEPS = 3
SHIFT = -0.0
VERBOSE = False
NAME = "mean"
NOTHING = None
WEIGHTS = jnp.array([1.0, -2.0, 0.5])
TABLE = {"scale": 2.0, "bias": jnp.array([0.5, 0.5, -0.5]), "deep": {"n": 2}}
LAYERS = [jnp.array([1.0, 2.0, 3.0]), jnp.array([0.5, 0.25, 0.125])]
PAIR = (2.0, jnp.array(3.0))
HOST = np.array([1.0, 2.0, 3.0], np.float32)
settings = types.ModuleType("settings")
settings.__dict__.update(gain=1.5, rounds=2, offset=jnp.array([1.0, 0.0, -1.0]))


@dataclass(frozen=True)
class Probe:
    """A program, the arguments of its first call, and the fewest places that it is known to read."""

    function: Callable[..., Any]
    arguments: Arguments
    places: int
    compiled: bool = True

    @property
    def name(self) -> str:
        """The name of the program."""
        return getattr(self.function, "__name__", "callable")


PROBES: list[Probe] = []


def probe(*args: Any, places: int, compiled: bool = True, **kwargs: Any) -> Callable[[Any], Any]:
    """Register a function with the arguments that it is called with."""

    def register(function: Any) -> Any:
        PROBES.append(Probe(function, (args, kwargs), places, compiled))
        return function

    return register


VECTOR = jnp.array([0.5, -1.0, 2.0])


@probe(VECTOR, places=13)
def reads_globals(x):
    total = SHIFT
    for _ in range(STEPS):
        x = x * RATE + WEIGHTS
    if VERBOSE:
        return x, total
    if NAME == "mean" and NOTHING is None:
        return jnp.mean(x), total
    return jnp.sum(x), total


def scaled(x, factor=3.0, *, shift=1):
    return x * factor + shift


def twice_scaled(x):
    return scaled(scaled(x), factor=RATE, shift=STEPS)


@probe(VECTOR, places=13)
def calls_helpers(x):
    y = scaled(x)
    if y.sum() > 0:
        y = twice_scaled(y)
    return y + scaled(y, 2)


def make_closure() -> Any:
    step = 0.25
    table = [jnp.array([1.0, 1.0, 1.0]), 4]

    def inner(y):
        return y * step + table[1]

    def closes_over(x):
        while jnp.sum(x) < 5.0:
            x = inner(x) + table[0]
        return x, step

    return closes_over


probe(VECTOR, places=14)(make_closure())


@probe(VECTOR, places=18)
def reads_modules(x):
    y = jnp.sin(x) + settings.offset * settings.gain
    for _ in range(settings.rounds):
        y = jax.nn.relu(y) + lax.cumsum(x)
    return y * math.pi + math.sqrt(2.0)


@probe(VECTOR, places=15)
def reads_containers(x):
    y = x * TABLE["scale"] + TABLE["bias"]
    for layer in LAYERS:
        y = y + layer
    for _ in range(TABLE["deep"]["n"]):
        y = y + PAIR[1] * PAIR[0]
    return y - LAYERS[-1]


@probe(VECTOR, 2, places=12)
def uses_builtins(x, n):
    count = max(n, len(LAYERS)) + abs(-n)
    for i, row in enumerate(reversed(range(count))):
        x = x + i * row
    return sum((count, n)), x


@probe(VECTOR, 3, 0.5, True, None, "add", places=4)
def all_kinds_of_arguments(x, n, r, flag, nothing, mode):
    if mode == "add":
        x = x + n
    if flag and nothing is None:
        for _ in range(n):
            x = x * r
    return x, n, r, flag, nothing, mode


@probe({"w": VECTOR, "b": 1.0}, [VECTOR, VECTOR], (2, VECTOR * 2), places=5)
def containers_as_arguments(parameters, inputs, pair):
    total = parameters["b"]
    for x in inputs:
        total = total + jnp.dot(parameters["w"], x)
    count, last = pair
    return {"total": total * count, "last": last, "first": inputs[0]}


@probe(VECTOR, places=4)
def default_values(x, scale=2.0, bias=WEIGHTS, *, power=2, quiet=True):
    y = x
    for _ in range(power):
        y = y * scale + bias
    return y if quiet else -y


@probe(VECTOR, places=7)
def has_inner_functions(x):
    def shifted(y, by=RATE):
        return y + by * len(LAYERS)

    square = lambda y: y * y + RATE
    return shifted(square(x)) + shifted(x, by=2)


def power_of(x, exponent, scale):
    return x**exponent * scale


halved_square = functools.partial(power_of, exponent=2, scale=0.5)


@probe(VECTOR, places=9)
def calls_a_partial(x):
    return halved_square(x) + halved_square(x, scale=RATE)


@probe(VECTOR, places=11)
def takes_a_gradient(x):
    def loss(w):
        return jnp.sum((w * RATE - WEIGHTS) ** 2)

    for _ in range(STEPS):
        x = x - 0.1 * jax.grad(loss)(x)
    return x


@probe(VECTOR, jnp.array(1.0), places=7)
def loops_on_values(x, limit):
    count = 0
    while True:
        x = x * 1.5
        count += 1
        if jnp.abs(x).max() > limit * 10 * RATE:
            break
        if count > STEPS * 10:
            return x, -1
    else:
        count = -5
    assert count < 100 * STEPS, "too many"
    return x, count


@probe(VECTOR, places=9)
def uses_host_array(x):
    return jnp.dot(x, HOST) + jnp.asarray(HOST)[0] * RATE


class Settings:
    """An object whose attributes are read."""

    rounds = 2

    def __init__(self) -> None:
        self.rate = 0.5
        self.weights = jnp.array([1.0, 2.0, 3.0])


SETTINGS = Settings()


@probe(VECTOR, places=8)
def reads_an_object(x):
    for _ in range(SETTINGS.rounds):
        x = x * SETTINGS.rate + SETTINGS.weights
    return x


@probe(jnp.array(0.25), places=5)
def same_object_returned(x):
    if x < RATE:
        return x, WEIGHTS, (x, x)
    return WEIGHTS, x, (x, x)


@probe(VECTOR, jax.random.key(3), places=10)
def draws_numbers(x, key):
    for _ in range(STEPS):
        key, use = jax.random.split(key)
        x = x + jax.random.normal(use, x.shape) * RATE
    return x


def first_choice(x):
    return x + 1


def second_choice(x):
    return x * 2


CHOICES = {"first": first_choice, "second": second_choice}
CHOSEN = first_choice


@probe(VECTOR, places=13)
def calls_what_is_chosen(x):
    if x[0] > 0:
        return CHOSEN(x) + CHOICES["second"](x)
    return CHOICES["first"](x)
