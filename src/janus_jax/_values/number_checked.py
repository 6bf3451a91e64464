"""The form in which arithmetic hands on its result: a value, and when it is the right one."""

from __future__ import annotations

from dataclasses import dataclass

import jax


@dataclass(frozen=True, slots=True)
class Checked:
    """`value` is what CPython computes wherever `ok`, a bool scalar, is True."""

    value: jax.Array
    ok: jax.Array
    meaning: str
