"""Python numbers whose value is known only when the staged program runs.

A `Number` is 64 bits wide whatever the user's JAX is set to, and behaves as CPython's own number does, to the bit.
Where the device would answer differently, a guard trips, and plain Python runs the call again; where no guard can
tell, staging ends with `Unstageable`.

Three things make a device differ, and every operation on floats deals with them:

- *The compiler rewrites arithmetic*: it fuses `a * b + c`, turns `a / 3.0` into a product, adds `a + 0.1 + 0.2` in
  another order, and drops `+ 0.0`. So every float that is made here is sealed (`number_bits.seal`).
- *Subnormals flush to zero* on the CPU, as operands and as results, in comparisons too. So comparisons look at bits,
  and arithmetic guards that neither its operands nor its result are subnormal.
- *Integers wrap*. So integer arithmetic guards that it did not.

This holds for devices with IEEE arithmetic in 64 bits: CPUs and GPUs under XLA's default flags, not TPUs.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from janus_jax._base.reasons import Unstageable
from janus_jax._values.number_bits import seal
from janus_jax._values.number_bounds import INT64, Bounds, Drift

PlainNumber: TypeAlias = bool | int | float

INT64_MIN, INT64_MAX = INT64

_DTYPES: dict[type, np.dtype[np.generic]] = {
    bool: np.dtype(np.bool_),
    int: np.dtype(np.int64),
    float: np.dtype(np.float64),
}


@dataclass(frozen=True, slots=True, eq=False)
class Number:
    """A Python `bool`, `int` or `float` of the staged program: a strongly typed bool, int64 or float64 scalar.

    `origin` says where it came from, in labels that only the caller understands; operations unite them. `bounds` are
    those of an integer, the smallest and the largest value that it can have; `drift` is how far a loop has moved it.
    """

    kind: type[bool] | type[int] | type[float]
    value: jax.Array
    origin: frozenset[object] = frozenset()
    bounds: Bounds = INT64
    drift: Drift | None = None

    def __post_init__(self) -> None:
        assert (self.value.dtype, self.value.shape) == (_DTYPES[self.kind], ()), (self.kind, self.value)


Operand: TypeAlias = Number | PlainNumber


class NumberContext(Protocol):
    """What number operations need from the frame that stages them."""

    def guard(self, ok: jax.Array, meaning: str) -> None:
        """Have the call run again in plain Python if `ok`, a bool scalar, is False when the program runs."""
        ...

    def zero(self) -> jax.Array:
        """Return a scalar of 64 bits that is zero in every run, which the compiler must not find out."""
        ...


def wide() -> AbstractContextManager[None]:
    """Return the context in which number operations are traced; programs that hold them run with the same types."""
    return jax.enable_x64(True)


def lift(context: NumberContext, value: Operand, origin: frozenset[object] = frozenset()) -> Number:
    """Return `value` as a `Number`; the compiler does not see what a float is, so that it rewrites nothing by it."""
    if isinstance(value, Number):
        return value
    kind = exact_kind(value)
    if kind is int and not INT64_MIN <= value <= INT64_MAX:
        raise Unstageable("number-math", "an integer beyond 64 bits")
    zero = context.zero() if kind is float else None
    with wide():
        constant = jnp.asarray(value, dtype=_DTYPES[kind])
        leaf = constant if zero is None else seal(constant, zero)
    return Number(kind, leaf, origin, (value, value) if type(value) is int else INT64)


def exact_kind(value: PlainNumber) -> type[PlainNumber]:
    """Return the type of `value`; subclasses (an `IntEnum`, NumPy's float64) have operators of their own."""
    if type(value) not in _DTYPES:
        raise Unstageable("number-math", f"a {type(value).__name__} is not exactly a Python number")
    return type(value)


def from_input(array: jax.Array, kind: type[PlainNumber], origin: frozenset[object] = frozenset()) -> Number:
    """Return an input of the program, a scalar of 64 bits (or a bool), as a `Number`.

    The input has to be handed over 64 bits wide, that is, in a call under `wide()`: what was rounded to 32 bits on
    the way in cannot be got back.
    """
    assert array.dtype == _DTYPES[kind], f"{kind.__name__} input came as {array.dtype}"
    with wide():
        return Number(kind, strong(array), origin)


def strong(array: jax.Array) -> jax.Array:
    """Return `array` without a weak type."""
    return array.astype(array.dtype)
