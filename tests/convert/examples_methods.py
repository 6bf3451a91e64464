"""Example uses of the attributes and methods of `jax.Array` that may be read and called while staging."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter, methodcaller
from typing import Any

import jax.numpy as jnp
import numpy as np

from tests.convert.examples import B, C, Examples, I, J, M, N, P, S, T, U, V, W, join, of


def _method(name: str, *uses: tuple[Any, ...]) -> Examples:
    """Each use: the array, then the arguments; a dict at the end holds the keyword arguments."""
    return {name: tuple(of(_caller(name), *use) for use in uses)}


def _caller(name: str) -> Callable[..., Any]:
    def use(array: Any, *args: Any) -> Any:
        given, named = (args[:-1], args[-1]) if args and isinstance(args[-1], dict) else (args, {})
        return methodcaller(name, *given, **named)(array)

    return use


def member(name: str, *uses: tuple[Any, ...]) -> Examples:
    """As `_method`, under the name by which the method is known."""
    return {f"Array.{name}": calls for name, calls in _method(name, *uses).items()}


def _at(name: str, *uses: tuple[Any, ...]) -> Examples:
    def use(array: Any, index: Any, *args: Any) -> Any:
        return methodcaller(name, *args)(array.at[index])

    return {name: tuple(of(use, *given) for given in uses)}


METHODS: Examples = join(
    *(
        _method(name, (V,), (M, 1), (M, {"axis": 0, "keepdims": True}))
        for name in ("max", "mean", "min", "prod", "ptp")
    ),
    *(_method(name, (V,), (M, 1), (M, {"axis": 0, "keepdims": True}), (I,)) for name in ("std", "sum", "var")),
    *(_method(name, (B,), (M, 1)) for name in ("all", "any")),
    *(_method(name, (V,), (M, 1), (M, {"axis": 0, "keepdims": True})) for name in ("argmax", "argmin")),
    *(_method(name, (V,), (M, {"axis": 1})) for name in ("cumprod", "cumsum", "argsort", "sort")),
    *(_method(name, (V,), (C,), (N,)) for name in ("conj", "conjugate", "copy")),
    _method("argpartition", (V, 2)),
    _method("astype", (V, jnp.int32), (V, jnp.float32), (V, "float16"), (N, jnp.float32), (V, float), (I, bool)),
    _method("choose", (U, [V, W, V, W], {"mode": "clip"})),
    _method("clip", (V, 0.0, 1.0), (V, {"min": W}), (V, {"max": 2})),
    _method("compress", (V, B, {"size": 2})),
    _method("diagonal", (S,), (T, 1)),
    _method("dot", (M, V), (V, W)),
    _method("flatten", (M,), (V,)),
    _method("ravel", (M,), (V,)),
    _method("nonzero", (V, {"size": 3})),
    _method("repeat", (V, 2), (M, 2, {"axis": 1})),
    _method("reshape", (M, 4, 3), (M, (4, 3)), (V, -1), (V, (4,)), (M, -1, 2)),
    _method("round", (V,), (V, 1)),
    _method("searchsorted", (P, V), (P, 0.3)),
    _method("squeeze", (V,), (M[None],), (M[None], 0)),
    _method("swapaxes", (M, 0, 1), (V, 0, 0)),
    _method("take", (V, J), (V, 1), (M, J % 3, {"axis": 0})),
    _method("trace", (S,), (S, 1)),
    _method("transpose", (M,), (T, 2, 0, 1), (T, (1, 0, 2)), (V,)),
    _method("view", (V, jnp.int32), (V, jnp.float32)),
)

ATTRIBUTES: Examples = {
    name: tuple(of(attrgetter(name), array) for array in (V, M, I, N, C))
    for name in ("T", "dtype", "imag", "itemsize", "nbytes", "ndim", "real", "shape", "size", "weak_type")
} | {"mT": (of(attrgetter("mT"), M), of(attrgetter("mT"), T)), "at": (of(lambda array: array.at[0].get(), V),)}

_UPDATES = ((V, 1, 9.0), (V, J[:2], W[:2]), (M, (slice(None), 1), 2), (V, slice(1, 3), 0.5), (V, J[0], 2))

AT: Examples = join(
    *(_at(name, *_UPDATES) for name in ("add", "divide", "max", "min", "mul", "multiply", "power", "set", "subtract")),
    _at("get", (V, 1), (V, J), (M, (slice(None), 1)), (V, slice(None)), (V, np.array([0, 2]))),
)
