"""Programs whose globals, cells and defaults tests change between calls; pytest does not rewrite this module."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp

RATE: Any = 0.5
LIMIT: Any = 4
BIAS: Any = jnp.array([0.5, -0.25, 1.0])
QUIET: Any = True
TABLE: Any = {"gain": 2.0, "bias": jnp.array([1.0, 0.0, -1.0])}
LAYERS: Any = [jnp.array([1.0, 2.0, 3.0]), jnp.array([0.5, 0.5, 0.5])]


def descend(x, n=3):
    """A counted loop with a branch on an array, and globals."""
    for i in range(n):
        if jnp.sum(x) > LIMIT:
            x = x - RATE * i
        else:
            x = x + BIAS
    return x, n


def settle(x, limit):
    """A loop on array values that is left in the middle."""
    count = 0
    while jnp.max(x) < limit:
        x = x * 2.0 + RATE
        count += 1
        if count > LIMIT * 2:
            break
    else:
        count = -count
    return x, count


def kinds(x, flag=True, scale=2.0, nothing=None):
    """Branches on Python values."""
    if nothing is not None:
        return x + nothing
    if flag and scale > 1:
        return x * scale, flag
    return x, scale


def over_list(xs, w):
    """A loop over a list of arrays, whose result depends on its length."""
    total = 0
    for x in xs:
        if x[0] < 0:
            continue
        total = total + x * w
    return total, len(xs)


def helper(x, by=1.0, *, times=2):
    """What `uses_helper` calls."""
    for _ in range(times):
        x = x + by
    return x


def uses_helper(x, n):
    """Calls with defaults, a table and a list of the module."""
    y = helper(x) * TABLE["gain"] + TABLE["bias"]
    for layer in LAYERS:
        y = y + layer * n
    return y if QUIET else -y


def make_counter(step):
    """Return a function that reads a cell, and one that sets it."""

    def advance(x, n):
        """Reads a cell in a loop."""
        for _ in range(n):
            x = x + step
        return x, step

    def set_step(value):
        nonlocal step
        step = value

    return advance, set_step


def newton(x, target=2.0):
    """A loop that ends when it has converged."""
    for i in range(50):
        y = 0.5 * (x + target / x)
        if jnp.abs(y - x) < 1e-5:
            return y, i
        x = y
    return x, -1


def numbers(n, r, x):
    """Python numbers that vary, and an array that they meet."""
    total = 0
    t = 0.0
    while t < 1.0 and total < 1000:
        t += 0.1
        total += n
    if r / 2 > total:
        return total, t, x * r
    return -total, t, x + n // 3


def same(x, y):
    """Returns its arguments themselves, and a global."""
    if x is y:
        return x, BIAS
    return y, x, x


def slow_loop(x, n):
    """A loop whose length is its argument."""
    for _ in range(n):
        x = x * 1.0001 + 0.5
        if x > 1e6:
            x = x * 0.0
    return x


def factorial(n, x):
    """Calls itself."""
    if n <= 0:
        return x
    return factorial(n - 1, x * n + 1)


def loss(w, x):
    """A scalar with a loop on array values inside, to be differentiated."""
    total = jnp.sum(w * x) * RATE
    while jnp.abs(total) > 1.0:
        total = total * 0.5
    for row in x:
        if row > 0:
            total = total + jnp.sin(row) * w[0]
    return total


def trains(w, x):
    """Takes gradients inside."""
    for _ in range(3):
        value, gradient = jax.value_and_grad(loss)(w, x)
        if value < 0.01:
            break
        w = w - 0.1 * gradient
    return w


def raises_late(x, n):
    """Raises an exception that depends on an array."""
    y = x * 2
    if jnp.sum(y) > 10:
        raise ValueError("too large", n)
    assert n < 5, f"n is {n}"
    return y / n


def divides(n, x):
    """Divides Python numbers."""
    for i in range(3):
        x = x + 10 // (n - i)
    return x


def inner_raises(x):
    """Calls a helper that raises."""
    for i in range(4):
        x = checked(x + i)
    return x


def checked(x):
    """Raises for large values."""
    if x > 3:
        raise RuntimeError("checked")
    return x


def builds(x, n):
    """Returns containers in which things occur twice."""
    pair = (x, x + n)
    return {"pair": pair, "again": pair, "list": [x, pair[1]], "n": n, "none": None, "text": "t"}


def draws(key, n):
    """Draws random numbers from a key."""
    total = jnp.zeros(())
    for _ in range(n):
        key, use = jax.random.split(key)
        value = jax.random.uniform(use)
        if value > 0.5:
            total = total + value
    return total, key


def matrix(a, b):
    """A matrix product, for the precision setting."""
    if a.sum() > 0:
        return a @ b
    return b @ a


def only_numbers(n, r):
    """No array at all."""
    total = 0
    for i in range(n):
        total += i * r
    return total


def looks_up(x, table):
    """Reads a dict in its order."""
    for key in table:
        x = x * 2 + table[key]
    return x


def is_nan(r, x):
    """A branch on a NaN that was the same in every profiled call."""
    if r != r:
        return x
    return x + r


def sign_of_zero(r, x):
    """A number whose sign of zero matters."""
    return x * r, r


def truth(n, x):
    """A number that may be a bool."""
    return n, x + n


class Model:
    """An object with a method and with state."""

    def __init__(self, w: Any) -> None:
        self.w = w

    def apply(self, x):
        """A method that reads its object."""
        for _ in range(2):
            x = x * self.w
        return x

    @staticmethod
    def doubled(x):
        """A static method."""
        if x > 0:
            return x * 2
        return x

    def __call__(self, x):
        if x > 0:
            return x + self.w
        return x - self.w


def power(x, n, *, scale=1.0):
    """What a partial is made of."""
    for _ in range(n):
        x = x * x * scale
    return x


squared = functools.partial(power, n=1)
halved = lambda x: x / 2 if x > 1 else x


def outer(x, n):
    """Calls a function that may be speculated itself."""
    for _ in range(n):
        x = inner(x)
    return x


def inner(x):
    """What `outer` calls."""
    if x > 2:
        return x - 1
    return x + RATE


def shadows(xs, n):
    """Uses builtins that a test shadows."""
    return abs(n) + len(xs), max(n, 2), sum(xs) * min(n, 1)


def reads_host(x, w):
    """Reads a NumPy array late in a long computation."""
    y = w
    for _ in range(3):
        y = jnp.cumsum(jnp.sin(y)) * 1e-3
    if y[0] > 5:
        return y
    return y * 0 + x


def prints(x):
    """Has an effect."""
    print("called")
    return x


def never_stops(x):
    """Runs until it is interrupted."""
    while x > 0:
        x = x + 1
        if x > 1000:
            x = x * 0 + 1
    return x


def endless_if_broken(x, step):
    """A loop that ends only because of what was true while it was profiled."""
    count = 0
    while x < 10:
        x = x + step
        count += 1
        if count > 200:
            raise OverflowError("never ends")
    return x, count
