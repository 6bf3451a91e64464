"""Names what was frozen and how it is recognised again. Plain data: paths, and what is expected at their end.

In: nothing but values that a conversion has read. Out: `Expectation`s, which `_execute` turns into an entry function.
Promise: checking an expectation never runs user code.
"""

from janus_jax._guards.expectations import (
    CodeIs,
    Expectation,
    KeysAre,
    LengthIs,
    ObjectIs,
    SameObject,
    TypeIs,
    ValueIs,
    describe,
    frozen,
    same_bits,
)
from janus_jax._guards.lookup import MISSING, look_up
from janus_jax._guards.paths import Argument, Cell, Global, Item, Member, Path, Root, Slot

__all__ = [
    "MISSING",
    "Argument",
    "Cell",
    "CodeIs",
    "Expectation",
    "Global",
    "Item",
    "KeysAre",
    "LengthIs",
    "Member",
    "ObjectIs",
    "Path",
    "Root",
    "SameObject",
    "Slot",
    "TypeIs",
    "ValueIs",
    "describe",
    "frozen",
    "look_up",
    "same_bits",
]
