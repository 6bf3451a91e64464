"""Programs that hold 64-bit numbers though the user's JAX is set to 32: they are lowered and run with 64 enabled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr

_WIDE = (jnp.dtype("int64"), jnp.dtype("float64"), jnp.dtype("uint64"), jnp.dtype("complex128"))

# JAX lowers these by Python functions that look at the mode of 32 or 64 bits: other bits come out, or an error.
_LOOK_AT_MODE = ("bessel_i0e", "bessel_i1e", "random_gamma", "random_gamma_grad", "regularized_incomplete_beta")


def is_wide(jaxpr: ClosedJaxpr) -> bool:
    """Return whether a value of the program is 64 bits wide."""
    inside = (v.aval for equation in _equations(jaxpr.jaxpr) for v in equation.outvars)
    avals = (*jaxpr.in_avals, *jaxpr.out_avals, *inside)
    return any(getattr(aval, "dtype", None) in _WIDE for aval in avals)


def lowered_otherwise(jaxpr: ClosedJaxpr) -> str | None:
    """Return the name of an operation that is computed otherwise with 64-bit types enabled, if there is one."""
    names = (equation.primitive.name for equation in _equations(jaxpr.jaxpr))
    return next((name for name in names if name in _LOOK_AT_MODE), None)


def constants_inside(jaxpr: Any) -> Iterator[Any]:
    """Yield the constants of inner jaxprs, which no caller can replace."""
    for equation in _equations(jaxpr):
        for inner in _inner(equation):
            yield from getattr(inner, "consts", ())


def _equations(jaxpr: Any) -> Iterator[Any]:
    """Yield all equations, those of inner jaxprs too."""
    for equation in jaxpr.eqns:
        yield equation
        for inner in _inner(equation):
            yield from _equations(getattr(inner, "jaxpr", inner))


def _inner(equation: Any) -> Iterator[Any]:
    """Yield the jaxprs among the parameters of an equation."""
    for parameter in equation.params.values():
        for inner in parameter if isinstance(parameter, tuple | list) else (parameter,):
            if hasattr(inner, "eqns") or hasattr(inner, "jaxpr"):
                yield inner
