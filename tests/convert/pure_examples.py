"""Every function on the pure list, by its dotted name, with the calls that are tried in `test_pure.py`."""

from __future__ import annotations

from collections.abc import Mapping

from tests.convert.examples import Examples
from tests.convert.examples_lax import LAX, LAX_LINALG, NN, RANDOM
from tests.convert.examples_numpy import FFT, LINALG, NUMPY
from tests.convert.examples_rest import (
    JAX_STATIC,
    MATH,
    NUMPY_STATIC,
    OPERATOR,
    SCIPY_LINALG,
    SIGNAL,
    SMALL,
    SPECIAL,
    STATS,
    TREES,
)


def _named(modules: Mapping[str, Examples]) -> Examples:
    return {f"{module}.{name}": calls for module, table in modules.items() for name, calls in table.items()}


PURE_EXAMPLES: Examples = STATS | _named(
    {
        "jax.numpy": NUMPY | JAX_STATIC,
        "jax.numpy.linalg": LINALG,
        "jax.numpy.fft": FFT,
        "jax.lax": LAX,
        "jax.lax.linalg": LAX_LINALG,
        "jax.nn": NN,
        "jax.random": RANDOM,
        "jax.scipy.special": SPECIAL,
        "jax.scipy.linalg": SCIPY_LINALG,
        "jax.scipy.signal": SIGNAL,
        "math": MATH,
        "numpy": NUMPY_STATIC,
        "operator": OPERATOR,
        **TREES,
        **SMALL,
    }
)
