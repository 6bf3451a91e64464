"""Names what was frozen and how it is recognised again. Plain data: paths, and what is expected at their end.

In: nothing but values that a conversion has read. Out: `Expectation`s, which `_execute` turns into an entry function.
Promise: checking an expectation never runs user code.
"""

from janus_jax._guards.expectations import (
    CodeIs,
    Expectation,
    KeysAre,
    Lacks,
    LengthIs,
    MroIs,
    ObjectIs,
    OtherObject,
    SameObject,
    TypeIs,
    ValueIs,
    describe,
    frozen,
    same_bits,
)
from janus_jax._guards.lookup import MISSING, look_up
from janus_jax._guards.paths import Argument, Cell, Field, Global, Item, Member, Namespace, Path, Pinned, Root, Slot

__all__ = [
    "MISSING",
    "Argument",
    "Cell",
    "CodeIs",
    "Expectation",
    "Field",
    "Global",
    "Item",
    "KeysAre",
    "Lacks",
    "LengthIs",
    "Member",
    "MroIs",
    "Namespace",
    "ObjectIs",
    "OtherObject",
    "Path",
    "Pinned",
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
