"""Runs number operations as compiled programs, and compares what comes out with CPython."""

from __future__ import annotations

import dataclasses
import math
import random
import struct
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import strategies as st

from janus_jax._values.number import Number, PlainNumber, from_input, wide

Compute: TypeAlias = Callable[..., Number]


@dataclasses.dataclass
class Recorder:
    """A context that collects the guards of the program being traced."""

    run_time_zero: jax.Array
    oks: list[jax.Array] = dataclasses.field(default_factory=list)
    meanings: list[str] = dataclasses.field(default_factory=list)

    def guard(self, ok: jax.Array, meaning: str) -> None:
        assert ok.dtype == bool
        assert ok.shape == ()
        assert meaning
        self.oks.append(ok)
        self.meanings.append(meaning)

    def zero(self) -> jax.Array:
        return self.run_time_zero

    def passed(self) -> jax.Array:
        return jnp.all(jnp.stack([jnp.asarray(True), *self.oks]))


@dataclasses.dataclass(frozen=True)
class Tripped:
    """The guard of the program was False."""


TRIPPED = Tripped()


def stage(compute: Callable[..., Any], *kinds: type[PlainNumber] | None) -> Callable[..., Any]:
    """Return `compute(context, *numbers)` compiled; see `stage_all`."""
    run = stage_all([compute], *kinds)
    return lambda *values: run(*values)[0]


def stage_all(computes: Sequence[Callable[..., Any]], *kinds: type[PlainNumber] | None) -> Callable[..., list[Any]]:
    """Return all of `compute(context, *numbers)` in one program; it takes numbers of `kinds` (None: an array).

    Each result is a Python number for a `Number`, a NumPy array for an array, or `TRIPPED`.
    """
    is_number: list[bool] = []

    def program(zero: jax.Array, *arguments: jax.Array) -> tuple[list[jax.Array], list[jax.Array]]:
        contexts = [Recorder(zero) for _ in computes]
        operands = [a if k is None else from_input(a, k) for a, k in zip(arguments, kinds, strict=True)]
        with jax.enable_x64(False):
            results = [compute(context, *operands) for compute, context in zip(computes, contexts, strict=True)]
            passed = [context.passed() for context in contexts]
        is_number[:] = [isinstance(result, Number) for result in results]
        return [r.value if isinstance(r, Number) else r for r in results], passed

    compiled = jax.jit(program)

    def run(*values: Any) -> list[Any]:
        with wide():
            arguments = [v if k is None else np.dtype(k).type(v) for v, k in zip(values, kinds, strict=True)]
            results, passed = jax.device_get(compiled(np.int64(0), *arguments))
        plain = [r.item() if number else r for r, number in zip(results, is_number, strict=True)]
        return [result if ok else TRIPPED for result, ok in zip(plain, passed, strict=True)]

    return run


def expect(compute: Callable[..., Any], *values: Any) -> Any:
    """Return CPython's answer, or `TRIPPED` where it raises."""
    try:
        return compute(*values)
    except (ArithmeticError, ValueError):
        return TRIPPED


def identical(left: Any, right: Any) -> bool:
    """Return whether two numbers are of one type and have the same bits; all NaN count as one."""
    if type(left) is not type(right):
        return False
    if type(left) is float:
        return (math.isnan(left) and math.isnan(right)) or struct.pack("<d", left) == struct.pack("<d", right)
    return bool(left == right)


def is_everyday(value: Any) -> bool:
    """Return whether a number is of a size at which no guard has a reason to trip."""
    match value:
        case bool():
            return True
        case int():
            return abs(value) <= 2**53
        case float():
            return value == 0 or not math.isfinite(value) or 1e-150 < abs(value) < 1e150
        case _:
            return False


def is_expressible(value: Any) -> bool:
    """Return whether a compiled program could hold CPython's answer."""
    return isinstance(value, float) or (isinstance(value, int) and -(2**63) <= value < 2**63)


def judge(got: Any, expected: Any, values: tuple[Any, ...], name: object = "") -> bool | None:
    """Fail unless the program answered as CPython or tripped, the latter never without need.

    Return whether it answered; None if there is no answer that it could have given.
    """
    if got is TRIPPED:
        needless = all(map(is_everyday, values)) and is_everyday(expected)
        assert not needless, f"{name} {values}: tripped, CPython says {expected!r}"
        return False if is_expressible(expected) else None
    assert identical(got, expected), f"{name} {values}: {got!r}, CPython says {expected!r}"
    return True


def check(
    staged: Compute, plain: Callable[..., Any], kinds: tuple[type, ...], rows: Iterable[tuple[Any, ...]]
) -> float:
    """Check one operation on every row; return which part was answered of those that have an answer."""
    return check_all({"": (staged, plain)}, kinds, rows)[""]


def check_all(
    operations: Mapping[Any, tuple[Compute, Callable[..., Any]]],
    kinds: tuple[type, ...],
    rows: Iterable[tuple[Any, ...]],
) -> dict[Any, float]:
    """Check many operations in one program; one compilation is what such a test costs."""
    run = stage_all([staged for staged, _ in operations.values()], *kinds)
    answers: dict[Any, list[bool]] = {name: [] for name in operations}
    for row in rows:
        for got, (name, (_, plain)) in zip(run(*row), operations.items(), strict=True):
            answer = judge(got, expect(plain, *row), row, name)
            answers[name] += [] if answer is None else [answer]
    return {name: sum(found) / max(1, len(found)) for name, found in answers.items()}


NASTY_INTEGERS = sorted(
    {0, 1, 2, 3, 7, 10, 31, 32, 62, 63, 64, 65, 1000}
    | {2**e + d for e in (24, 31, 32, 53, 62) for d in (-1, 0, 1)}
    | {2**63 - 1, 2**63 - 512, 2**63 - 513, 3037000499, 3037000500}
)
NASTY_INTEGERS += [-value for value in NASTY_INTEGERS if value] + [-(2**63)]

_POSITIVE_FLOATS = [
    *(0.0, 5e-324, 1e-310, 2.0**-1022 - 5e-324, 2.0**-1022, 1.5 * 2.0**-1022, 1e-300, 1e-160, 2.0**-150, 2.0**-126),
    *(1e-40, 0.1, 0.2, 0.3, 0.5, 1.0, 1 + 2.0**-52, 1.5, 2.0, 2.5, 3.0, 3.5, 10.0, 2.0**31, 2.0**52 + 0.5, 2.0**53),
    *(2.0**53 + 2, 2.0**62, 2.0**63 - 1024, 2.0**63, 2.0**64, 1e22, 1e160, 3.4028235677973366e38, 1e300),
    *(sys.float_info.max, math.inf),
]
NASTY_FLOATS = [*_POSITIVE_FLOATS, *(-value for value in _POSITIVE_FLOATS), math.nan]

NASTY: dict[type, list[Any]] = {bool: [False, True], int: NASTY_INTEGERS, float: NASTY_FLOATS}

STRATEGIES: dict[type, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers(-(2**63), 2**63 - 1) | st.integers(-1000, 1000) | st.sampled_from(NASTY_INTEGERS),
    float: st.floats() | st.floats(-1000, 1000) | st.sampled_from(NASTY_FLOATS),
}


def nasty(*kinds: type, limit: int = 1000) -> list[tuple[Any, ...]]:
    """Return combinations of nasty values of these kinds: all of them, or a fixed sample."""
    rows = list(product(*(NASTY[kind] for kind in kinds)))
    return rows if len(rows) <= limit else random.Random(limit).sample(rows, limit)
