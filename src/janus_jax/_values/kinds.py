"""The kinds of value that a staged program handles besides arrays, Python constants and plain containers."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, cast

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
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Transient:
    """A value that holds others; where these are of the program, it does not leave the region it was made in."""


@dataclass(frozen=True, slots=True, eq=False)
class Opaque:
    """An object of another kind that existed before the call: its attributes may be read."""

    path: Path
    type: type
    object: Any


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
class MethodValue(Transient):
    """A method of an array or a builtin value, looked up but not called yet."""

    receiver: Any
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class BoundValue(Transient):
    """A method of a user's class, bound to an object or class."""

    function: Any
    receiver: Any


@dataclass(frozen=True, slots=True, eq=False)
class ManagerValue(Transient):
    """A context manager that `contextlib.contextmanager` makes of a generator."""

    generator: Any


@dataclass(frozen=True, slots=True, eq=False)
class SuperValue(Transient):
    """`super(after, receiver)`."""

    after: type
    receiver: Any


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """How a value is made on the host, of others that are there when the program has run; `what` it is, for people."""

    what: str
    make: Callable[..., Any]
    mutable: bool = False  # whether somebody may change what it gives

    @property
    def __name__(self) -> str:
        return self.what

    def __call__(self, *parts: Any) -> Any:
        """Return the value."""
        return self.make(*parts)


@dataclass(frozen=True, slots=True, eq=False)
class Later(Transient):
    """What a recipe makes of values that only the run knows; nothing in the program can use it."""

    recipe: Recipe
    parts: tuple[Any, ...]


@dataclass(frozen=True, slots=True, eq=False)
class TransformedValue:
    """What `jax.grad`, `jax.vmap` and the like make of a function of the user."""

    transform: Any
    function: Any
    options: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class NativeValue(Transient):
    """An object of JAX that holds arrays and lives for one expression, such as `x.at[i]`."""

    object: Any


@dataclass(slots=True, eq=False)
class Instance:
    """An object of a user's class that the call itself has made."""

    kind: type
    fields: dict[str, Any]


class Cursor:
    """The class, here, of an iterator that `iter` has made: where it stands in what it goes through."""


@dataclass(frozen=True, slots=True, eq=False)
class ExceptionValue(Transient):
    """An exception that the call has made."""

    kind: type
    args: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Room:
    """How many elements the list at a place can still get in an iteration: at least, and at most so many.

    Where a loop has allowed for so many in each iteration, they need no guard; otherwise the list is `guarded`.
    """

    place: str
    least: int
    most: int
    guarded: bool = False

    def less(self) -> Room:
        """Return what is left when one more element is there."""
        return self if self.guarded else Room(self.place, self.least - 1, self.most - 1)

    def more(self) -> Room:
        """Return what is left when one element fewer is there."""
        return self if self.guarded else Room(self.place, self.least + 1, self.most + 1)

    def unknown(self) -> Room:
        """Return the room of the same list where nobody counts."""
        return Room(self.place, 0, 0, guarded=True)

    def joined(self, other: Room | None) -> Room | None:
        """Return what is left where either is."""
        if other is None or other.place != self.place or self.guarded or other.guarded:
            return self.unknown()
        return Room(self.place, min(self.least, other.least), max(self.most, other.most))


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Elements of a list, all of one template, as the rows of arrays; the first `count` rows are there.

    `site` is where the capacity, which is that of the rows, was decided. `read` keeps the elements that were read in
    the region it was made in, so that asking twice gives one object.
    """

    template: Any
    rows: tuple[Any, ...]
    count: Any
    capacity: int
    site: Any
    region: Any
    room: Room | None = None
    read: dict[int, Any] = field(default_factory=dict[int, Any])


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What earlier iterations of a loop have put into a list, which its body does not read."""

    place: str


@dataclass(slots=True, eq=False)
class Box:
    """A variable that inner functions may bind."""

    content: Any = UNBOUND


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


def leaves_of(value: Any) -> Iterator[Any]:
    """Yield what tuples, lists, dicts and slices hold, at any depth; any other value is its own leaf."""
    if isinstance(value, tuple | list):
        items: Iterable[Any] = cast("Iterable[Any]", value)
    elif type(value) is dict:
        items = cast("dict[Any, Any]", value).values()
    elif type(value) is slice:
        items = (value.start, value.stop, value.step)
    else:
        yield value
        return
    for item in items:
        yield from leaves_of(item)


@dataclass(frozen=True, slots=True, eq=False)
class Conflict:
    """A name whose value differs in type between the paths that lead here; reading it ends the conversion."""

    blame: frozenset[tuple[tuple[Site, ...], Site]] = field(default_factory=frozenset)
    detail: str = ""
