"""What the example calls of the pure list are written with: small arrays, and a shorthand for many names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np


@dataclass(frozen=True)
class Call:
    """One example: what a function is called with. `function` is given where the table names a method."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    function: Callable[..., Any] | None = None


Examples: TypeAlias = dict[str, tuple[Call, ...]]


def call(*args: Any, **kwargs: Any) -> Call:
    """An example with these arguments."""
    return Call(args, kwargs)


def of(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Call:
    """An example of `function`, which the table knows by another name."""
    return Call(args, kwargs, function)


def each(names: str, *calls: Call) -> Examples:
    """The same examples for every one of `names`."""
    return dict.fromkeys(names.split(), calls)


def join(*tables: Examples) -> Examples:
    """The examples of all tables; where several have a name, all of them."""
    joined: Examples = {}
    for table in tables:
        for name, calls in table.items():
            joined[name] = (*joined.get(name, ()), *calls)
    return joined


V = jnp.array([0.5, -1.25, 2.0, 3.5], jnp.float32)
W = jnp.array([1.5, 0.75, -2.0, 0.25], jnp.float32)
P = jnp.array([0.125, 0.25, 0.5, 0.875], jnp.float32)
M = jnp.array(np.arange(12.0).reshape(3, 4) % 5 - 1.75, jnp.float32)
S = jnp.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.25], [0.5, 0.25, 2.0]], jnp.float32)
T = jnp.array(np.arange(24.0).reshape(2, 3, 4) % 7 - 2.5, jnp.float32)
H = V.astype(jnp.float16)
C = jnp.array([1 + 2j, 0.5 - 1j, -1.5j, 2.0], jnp.complex64)
B = jnp.array([True, False, True, True])
I = jnp.array([3, -2, 5, 0], jnp.int32)  # noqa: E741 - the integer array, between H and J
J = jnp.array([1, 3, 2, 0], jnp.int32)
U = jnp.array([1, 3, 2, 0], jnp.uint32)
Z = jnp.array([1, 200, 7], jnp.uint8)
N = jnp.asarray(2.5)  # weakly typed, as a Python number becomes
K = jax.random.key(7)
