"""The kinds of value that a staged program handles besides arrays, Python constants and plain containers."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Literal

import jax

from janus_jax._base import Site
from janus_jax._guards import Path


class Unbound:
    """What a local name holds before it is bound."""

    def __repr__(self) -> str:
        return "unbound"


UNBOUND = Unbound()


@dataclass(frozen=True, slots=True, eq=False)
class HostArray:
    """A NumPy array or scalar of the user: an operand of JAX functions, and nothing else yet."""

    path: Path
    type: type
    array: jax.Array


@dataclass(frozen=True, slots=True, eq=False)
class Opaque:
    """An object that is handed on but never looked into."""

    path: Path
    type: type


@dataclass(frozen=True, slots=True, eq=False)
class ModuleValue:
    """A module of the user's globals; its members are read along the path."""

    path: Path
    module: ModuleType


@dataclass(frozen=True, slots=True, eq=False)
class FunctionValue:
    """A Python function that existed before the call."""

    path: Path
    function: Any  # a FunctionType, which type checkers take for a descriptor: they would see a method


@dataclass(frozen=True, slots=True, eq=False)
class ClosureValue:
    """A function or lambda that the call itself has made; it sees the variables of `frame` as they change."""

    node: ast.FunctionDef | ast.Lambda
    frame: Any
    defaults: tuple[Any, ...]
    keyword_defaults: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class PartialValue:
    """A `functools.partial`; `path` is None for one that the call has made."""

    path: Path | None
    function: Any
    args: tuple[Any, ...]
    keywords: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class MethodValue:
    """A method of an array or a builtin value, looked up but not called yet."""

    receiver: Any
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class GradValue:
    """The result of `jax.grad` or `jax.value_and_grad` over a function of the user."""

    transform: Any
    function: Any
    options: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class NativeValue:
    """An object of JAX that holds arrays and lives for one expression, such as `x.at[i]`."""

    object: Any


@dataclass(frozen=True, slots=True, eq=False)
class Maybe:
    """A name that is bound on some paths only; reading it asserts `bound`."""

    bound: jax.Array
    value: Any


@dataclass(frozen=True, slots=True, eq=False)
class Union:
    """A value whose type only the run knows: it is alternative number `tag`."""

    tag: jax.Array
    alternatives: tuple[Any, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Conflict:
    """A name whose value differs in type between the paths that lead here; reading it ends the conversion."""

    blame: frozenset[tuple[tuple[Site, ...], Site]] = field(default_factory=frozenset)
    detail: str = ""
    kind: Literal["branch", "loop"] = "branch"
