"""What a call of a tiny function costs beyond `jax.jit`'s own dispatch, by the number of array leaves.

A verdict is unread where the program has no guard, and read where it has one. Both are compared with a plain jitted
function that adds one to every leaf and checks nothing: the call alone, results not waited for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

import janus_jax
from benchmarks.common import Row, failure, paired, unfit

CALLS = 100  # in one measurement


def add_one(a):
    return a + 1


def add_one_checked(a):
    if a > 1e9:
        raise OverflowError("too large")
    return a + 1


def add_ten(a, b, c, d, e, f, g, h, i, j):
    return a + 1, b + 1, c + 1, d + 1, e + 1, f + 1, g + 1, h + 1, i + 1, j + 1


def add_ten_checked(a, b, c, d, e, f, g, h, i, j):
    if a > 1e9:
        raise OverflowError("too large")
    return a + 1, b + 1, c + 1, d + 1, e + 1, f + 1, g + 1, h + 1, i + 1, j + 1


def add_all(leaves):
    return jax.tree.map(lambda leaf: leaf + 1, leaves)


def add_all_checked(leaves):
    if leaves["leaf 0"] > 1e9:
        raise OverflowError("too large")
    return jax.tree.map(lambda leaf: leaf + 1, leaves)


@dataclass(frozen=True, slots=True)
class Case:
    leaves: int
    unread: Callable[..., Any]
    read: Callable[..., Any]
    arguments: tuple[Any, ...]
    unread_bar: float
    read_bar: float


def cases() -> tuple[Case, ...]:
    """Return the functions of each size, with arguments that are on the device and committed to nothing."""
    scalars = tuple(jnp.float32(number) for number in range(200))
    named = {f"leaf {number}": scalar for number, scalar in enumerate(scalars)}
    return (
        Case(1, add_one, add_one_checked, scalars[:1], 1.8, 2.5),
        Case(10, add_ten, add_ten_checked, scalars[:10], 1.5, 1.8),
        Case(200, add_all, add_all_checked, (named,), 1.15, 1.25),
    )


def measure() -> list[Row]:
    """Return the ratio to `jax.jit`'s dispatch for each number of leaves, verdict unread and read."""
    rows = []
    for case in cases():
        count = f"{case.leaves} {'leaf' if case.leaves == 1 else 'leaves'}"
        rows.append(_compared(f"{count}, verdict unread", case.unread, case, False, case.unread_bar))
        rows.append(_compared(f"{count}, verdict read", case.read, case, True, case.read_bar))
    return rows


def _compared(name: str, function: Callable[..., Any], case: Case, guarded: bool, bar: float) -> Row:
    jitted, speculated = jax.jit(case.unread), janus_jax.speculate(function)
    why = unfit(speculated, *case.arguments, expected=jitted(*case.arguments), guarded=guarded)
    if why:
        return failure(name, why)
    pair = paired(_calls(speculated, case.arguments), _calls(jitted, case.arguments), rounds=20, runs=CALLS)
    return Row(name, pair.ours, pair.theirs, pair.ratio, bar)


def _calls(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Callable[[], Any]:
    """Return a function that calls `function` many times and waits for the last results only, so that calls overlap."""
    turns = range(CALLS)

    def call() -> Any:
        for _ in turns:
            result = function(*arguments)
        return result

    return call
