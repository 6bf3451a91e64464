"""What was frozen when a program was made, and how it is recognised again: plain data."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from types import CodeType, ModuleType
from typing import Any, TypeAlias, assert_never

from janus_jax._guards.paths import Field, Namespace, Path, Pinned


@dataclass(frozen=True, slots=True)
class TypeIs:
    """The value at `path` is exactly of class `type`."""

    path: Path
    type: type


@dataclass(frozen=True, slots=True, eq=False)
class ObjectIs:
    """The value at `path` is this very object: a module, class or library function."""

    path: Path
    object: Any


@dataclass(frozen=True, slots=True)
class CodeIs:
    """The value at `path` is a plain Python function that runs `code`."""

    path: Path
    code: CodeType


@dataclass(frozen=True, slots=True, eq=False)
class ValueIs:
    """The number, string or None at `path` has this type and these bits."""

    path: Path
    value: Any


@dataclass(frozen=True, slots=True)
class LengthIs:
    """The tuple or list at `path` has exactly the class `type` and `length` elements."""

    path: Path
    type: type
    length: int


@dataclass(frozen=True, slots=True)
class KeysAre:
    """The dict at `path` has exactly these keys, in this order, all of them plain (see `_base.enums`)."""

    path: Path
    keys: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class SameObject:
    """The values at `path` and `other` are one object."""

    path: Path
    other: Path


@dataclass(frozen=True, slots=True)
class Lacks:
    """The namespace of the class or object at `path` has nothing called `name`."""

    path: Namespace | Field
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class MroIs:
    """The class at `path` looks for attributes in these classes, in this order, and so does its metaclass."""

    path: Pinned
    bases: tuple[type, ...]
    metaclass: type


@dataclass(frozen=True, slots=True)
class OtherObject:
    """The values at `path` and `other` are two objects."""

    path: Path
    other: Path


Expectation: TypeAlias = (
    TypeIs | ObjectIs | CodeIs | ValueIs | LengthIs | KeysAre | SameObject | OtherObject | Lacks | MroIs
)


def same_bits(left: Any, right: Any) -> bool:
    """Return whether two Python scalars have one type and one bit pattern; runs no user code."""
    if type(left) is not type(right):
        return False
    if type(left) is float:
        return struct.pack("d", left) == struct.pack("d", right)
    if type(left) is complex:
        return same_bits(left.real, right.real) and same_bits(left.imag, right.imag)
    return bool(left == right)


def frozen(expectation: Expectation) -> str:
    """Return what is frozen: "library", "function", "value" or "structure"."""
    match expectation:
        case ObjectIs():
            return "library"
        case TypeIs(_, type_):
            return "library" if type_ is ModuleType else "structure"
        case CodeIs():
            return "function"
        case ValueIs():
            return "value"
        case LengthIs() | KeysAre() | SameObject() | OtherObject() | Lacks() | MroIs():
            return "structure"
        case _:
            assert_never(expectation)


def describe(expectation: Expectation) -> str:
    """Return the guard in words, for `explain()`."""
    match expectation:
        case TypeIs(path, type_):
            return f"{path} is of type {type_.__name__}"
        case ObjectIs(path, value):
            return f"{path} is {getattr(value, '__name__', type(value).__name__)}, the same object"
        case CodeIs(path, code):
            return f"{path} runs the same code, {code.co_qualname}"
        case ValueIs(path, value):
            return f"{path} is {value!r}"
        case LengthIs(path, type_, length):
            return f"{path} is a {type_.__name__} of {length}"
        case KeysAre(path, keys):
            return f"{path} is a dict with the keys {', '.join(map(repr, keys))}"
        case SameObject(path, other):
            return f"{path} and {other} are one object"
        case OtherObject(path, other):
            return f"{path} and {other} are two objects"
        case Lacks(path, name):
            return f"{path.owner} has no attribute {name} of its own"
        case MroIs(path):
            return f"{path} has the same bases"
        case _:
            assert_never(expectation)
