"""A value taken down so that it can be compared later: types, bits, structure, and who is who."""

from __future__ import annotations

import enum
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import jax
import numpy as np

SCALARS = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis))


@dataclass(frozen=True, slots=True)
class Leaf:
    """Something without parts: its type, what else is exact about it, and its value."""

    type: str
    traits: tuple[Any, ...]
    value: Any


@dataclass(frozen=True, slots=True)
class Node:
    """Something with parts, in order."""

    type: str
    keys: tuple[Any, ...]
    children: tuple[Described, ...]


Described: TypeAlias = Leaf | Node


@dataclass(slots=True)
class Walk:
    """One traversal of a value; `places` lists each object whose identity a user can see, with its path."""

    places: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    active: set[int] = field(default_factory=set[int])

    def describe(self, value: Any, path: str) -> Described:
        """Return `value` taken down; iterators and generators are exhausted by it."""
        if type(value) in SCALARS:
            return Leaf(type(value).__name__, (), value)
        assert not isinstance(value, jax.core.Tracer), f"a tracer escaped at {path}: {value}"
        if isinstance(value, jax.Array):
            self.places.append((path, value))
            return leaf_of_jax(value)
        if isinstance(value, np.ndarray):
            self.places.append((path, value))
            return Leaf("np.ndarray", (value.dtype, value.shape, value.strides), value.copy())
        if isinstance(value, np.generic):
            return Leaf(type(value).__name__, (value.dtype, ()), np.asarray(value))
        if isinstance(value, enum.Enum):  # there is one of each; some keep what was last asked of them
            return Leaf(type(value).__qualname__, (id(value),), value.name)
        if id(value) in self.active:
            return Leaf("cycle", (), path)
        self.active.add(id(value))
        try:
            return self.describe_parts(value, path)
        finally:
            self.active.discard(id(value))

    def describe_parts(self, value: Any, path: str) -> Described:
        """Return a container or object taken down."""
        name = type(value).__name__
        match value:
            case tuple() | list():
                self.places.append((path, value))
                return self.node(name, range(len(value)), value, path)
            case dict():
                self.places.append((path, value))
                return self.node(name, value.keys(), value.values(), path)
            case set() | frozenset():
                ordered = sorted(value, key=repr)
                return self.node(name, range(len(ordered)), ordered, path)
            case types.FunctionType() | types.BuiltinFunctionType() | types.MethodType() | type() | types.ModuleType():
                return Leaf(name, (), getattr(value, "__qualname__", value.__name__))
            case types.CoroutineType():
                value.close()
                return Leaf(name, (), value.__qualname__)
            case Iterator():
                parts = list(value)
                return self.node(name, range(len(parts)), parts, path)
        self.places.append((path, value))
        attributes: dict[str, Any] = getattr(value, "__dict__", {})
        return self.node(type(value).__qualname__, attributes.keys(), attributes.values(), path)

    def node(self, name: str, keys: Any, parts: Any, path: str) -> Node:
        """Return the node of `parts`, each described."""
        names = tuple(keys)
        return Node(name, names, tuple(self.describe(p, f"{path}[{k!r}]") for k, p in zip(names, parts, strict=True)))


def leaf_of_jax(value: Any) -> Leaf:
    """Return a jax.Array taken down, keys of the random generator included."""
    weak, committed = (getattr(value, name, None) for name in ("weak_type", "committed"))  # keys have neither
    traits = (str(value.dtype), value.shape, weak, committed, str(value.sharding))
    if jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key):
        return Leaf("jax.Array", traits, np.asarray(jax.random.key_data(value)))
    return Leaf("jax.Array", traits, np.array(value))


def same_bits(first: np.ndarray[Any, Any], second: np.ndarray[Any, Any]) -> bool:
    """Whether two arrays of one dtype and shape have the same bits; every NaN is the same."""
    if first.dtype == object or first.dtype.kind in "USbiu?":
        return bool(np.array_equal(first, second))
    if np.iscomplexobj(first):
        return same_bits(first.real, second.real) and same_bits(first.imag, second.imag)
    unsigned = np.dtype(f"u{first.dtype.itemsize}")
    bits = np.ascontiguousarray(first).view(unsigned) == np.ascontiguousarray(second).view(unsigned)
    return bool(np.all(bits | (np.isnan(first) & np.isnan(second)).reshape(bits.shape)))


def near(first: Any, second: Any) -> bool:
    """Whether two arrays or numbers agree to floating-point tolerance."""
    a, b = np.asarray(first), np.asarray(second)
    if a.dtype.kind in "OUSbiu?":
        return bool(np.array_equal(a, b))
    wide = np.complex128 if np.iscomplexobj(a) else np.float64
    coarse = a.dtype.itemsize <= 2
    return bool(np.allclose(a.astype(wide), b.astype(wide), rtol=2e-2 if coarse else 2e-3, atol=2e-5, equal_nan=True))


def same_value(first: Any, second: Any, exact: bool) -> bool:
    """Whether two leaves of one type have the same value."""
    if isinstance(first, np.ndarray):
        return same_bits(first, second) if exact else near(first, second)
    if isinstance(first, float):
        return same_bits(np.float64(first)[None], np.float64(second)[None]) if exact else near(first, second)
    if isinstance(first, complex):
        return same_value(first.real, second.real, exact) and same_value(first.imag, second.imag, exact)
    return bool(first == second)


def differences(plain: Described, other: Described, exact: bool, path: str) -> Iterator[str]:
    """Yield a line for each place where two described values differ."""
    match plain, other:
        case Leaf(), Leaf():
            if plain.type != other.type:
                yield f"{path}: type {plain.type} became {other.type} ({plain.value!r} / {other.value!r})"
            elif plain.traits != other.traits:
                yield f"{path}: {plain.traits} became {other.traits}"
            elif not same_value(plain.value, other.value, exact):
                yield f"{path}: {plain.value!r} became {other.value!r}"
        case Node(), Node():
            if plain.type != other.type:
                yield f"{path}: type {plain.type} became {other.type}"
            elif plain.keys != other.keys:
                yield f"{path}: keys {plain.keys} became {other.keys}"
            else:
                for key, a, b in zip(plain.keys, plain.children, other.children, strict=True):
                    yield from differences(a, b, exact, f"{path}[{key!r}]")
        case _:
            yield f"{path}: {plain.type} became {other.type}"


def has_identity(value: Any) -> bool:
    """Whether a user can tell two such objects apart; tuples of constants may be merged by Python itself."""
    if isinstance(value, tuple):
        return any(has_identity(part) for part in value)
    return not isinstance(value, SCALARS)


def identity_plan(places: list[tuple[str, Any]], anchors: list[tuple[str, Any]]) -> Mapping[str, tuple[str, ...]]:
    """For each object of a result: the names of the inputs and globals that it is, and its first place."""
    known: dict[int, list[str]] = {}
    for name, value in anchors:
        known.setdefault(id(value), []).append(name)
    first: dict[int, str] = {}
    plan: dict[str, tuple[str, ...]] = {}
    for path, value in places:
        if value == () if isinstance(value, tuple) else False:
            continue
        again = (first.setdefault(id(value), path),) if has_identity(value) else ()
        plan[path] = (*known.get(id(value), ()), *again)
    return plan
