"""Powers of a known float with a whole exponent that only the run knows, as in `beta ** step`.

Each C library rounds `pow` in its own way, so nothing computes them but Python itself: they are looked up in a table
of what it gives. An exponent that is not in it trips a guard, and the next table is longer.
"""

from __future__ import annotations

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from jax import lax

from janus_jax._base import Unstageable
from janus_jax._convert.stager import Stager
from janus_jax._values.number import Number, wide
from janus_jax._values.number_ops import as_integer

SHORTEST, LONGEST = 4_096, 2**20  # tables


def of_known_base(stager: Stager, base: float, exponent: Number) -> Number:
    """Return `base ** exponent`."""
    key = (stager.context, replace(stager.site, kind="power"))
    planned = stager.plan.caps.get(key, SHORTEST)
    if planned > LONGEST:
        raise Unstageable("number-math", f"a power of a float above {LONGEST:,}", stager.site)
    number = as_integer(stager, exponent)
    low, high = number.bounds
    powers = _powers(base, min(planned, max(high + 1, 1)))
    with wide():
        place = lax.clamp(jnp.int64(0), number.value, jnp.int64(len(powers) - 1))
        inside = place == number.value
        value = lax.dynamic_index_in_dim(jnp.asarray(powers), place, keepdims=False)
    if not (low >= 0 and high < len(powers)):
        stager.guard(inside, f"the exponent is at least 0, and less than {len(powers):,}", "cap", str(planned), key)
    return Number(float, value, exponent.origin)


def _powers(base: float, count: int) -> np.ndarray:
    """Return the powers with the exponents 0, 1, 2, …: so many, or as many as there are doubles for."""
    found = [1.0]
    for exponent in range(1, count):
        try:
            found.append(base**exponent)
        except OverflowError:
            break
    return np.array(found)
