"""What a program's outputs are made into when it has run: the result, piece by piece."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from janus_jax._base import Unstageable
from janus_jax._base.enums import is_member
from janus_jax._guards import Path
from janus_jax._values.identities import Identities
from janus_jax._values.kinds import (
    UNBOUND,
    Cursor,
    FunctionValue,
    HostArray,
    Instance,
    Later,
    Maybe,
    Opaque,
    Run,
    Union,
)
from janus_jax._values.number import Number, wide
from janus_jax._values.template import Template, is_named_tuple, labels_of


@dataclass(frozen=True, slots=True)
class FromOutput:
    """The array at this place of the program's outputs."""

    index: int


@dataclass(frozen=True, slots=True)
class FromNumber:
    """The output at this place, as a Python number."""

    index: int
    kind: type


@dataclass(frozen=True, slots=True)
class FromInput:
    """The very object that the entry function found at this path."""

    path: Path


@dataclass(frozen=True, slots=True)
class FromChoice:
    """The object at path number output[code] - 1, or `new` where that is 0."""

    new: Output
    code: int
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class FromTag:
    """The alternative whose number is the output at `tag`."""

    tag: int
    alternatives: tuple[Output, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """A value known when the program was made; it is immutable."""

    value: Any


@dataclass(frozen=True, slots=True, eq=False)
class Build:
    """A new tuple, list, named tuple or dict, or what a recipe makes; the same `label` twice is one object."""

    type: Any
    keys: tuple[Any, ...]
    children: tuple[Output, ...]
    label: int


@dataclass(frozen=True, slots=True)
class Field:
    """An attribute of a new object; the object lacks it where the output `condition`, if there is one, is false."""

    name: str
    value: Output
    condition: int | None


@dataclass(frozen=True, slots=True, eq=False)
class BuildObject:
    """A new object of a user's class. The same `label` twice is the same object twice."""

    type: type
    fields: tuple[Field, ...]
    label: int


@dataclass(frozen=True, slots=True)
class Inside:
    """The object with this label, around this very place: it leads back to itself."""

    label: int


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The first elements of a list, from the rows of outputs; those in `read` are other outputs by themselves."""

    element: Template
    places: tuple[int, ...]
    count: int | FromOutput
    read: tuple[tuple[int, Output], ...]
    paths: tuple[Path, ...]


Output: TypeAlias = (
    FromOutput | FromNumber | FromInput | FromChoice | FromTag | Constant | Build | BuildObject | Inside | Rows
)


class OutputPlanner:
    """Collects the outputs of a program while it describes how its result is made of them."""

    def __init__(self, identities: Identities) -> None:
        self._identities = identities
        self.leaves: list[Any] = []
        self._places: dict[int, int] = {}
        self._families: dict[int, int] = {}
        self._open: set[int] = set()  # the objects that are being planned

    def plan(self, value: Any) -> Output:
        """Return how `value` is made."""
        match value:
            case Number(kind, leaf):
                return FromNumber(self._place(leaf), kind)
            case HostArray() | Opaque() | FunctionValue():
                return FromInput(value.path)
            case Union(tag, alternatives):
                return FromTag(self._place(tag), tuple(map(self.plan, alternatives)))
            case tuple() | list() | dict() | deque():
                return self._identified(value, self._container)
            case Instance():
                return self._object(value)
            case _ if isinstance(value, jax.Array):
                return self._identified(value, lambda array: FromOutput(self._place(array)))
            case Run():
                return self._rows(value)
            case Later(recipe, parts):
                return Build(recipe, (), tuple(map(self.plan, parts)), id(value))
            case _ if type(value) in _CONSTANTS or isinstance(value, np.dtype) or is_member(value):
                return Constant(value)
            case _:
                raise Unstageable("unsupported-result", f"a {type(value).__name__}")

    def _identified(self, value: Any, new: Callable[[Any], Output]) -> Output:
        identity = self._identities.of(value)
        if not isinstance(identity, int):
            return FromChoice(new(value), self._place(identity), tuple(self._identities.paths))
        return FromInput(self._identities.paths[identity - 1]) if identity else new(value)

    def _container(self, value: Any) -> Output:
        if not value and type(value) is tuple:
            return Constant(value)
        keys: Sequence[Any] = tuple(value) if isinstance(value, dict) else ()
        children = value.values() if isinstance(value, dict) else value
        assert type(value) in (tuple, list, dict, deque) or is_named_tuple(value)
        if id(value) in self._open:
            raise Unstageable("unsupported-result", f"a {type(value).__name__} that holds itself")
        self._check_family(value)
        self._open.add(id(value))
        planned = tuple([self._rows(one, value) if isinstance(one, Run) else self.plan(one) for one in children])
        self._open.remove(id(value))
        return Build(type(value), tuple(keys), planned, id(value))

    def _check_family(self, value: Any) -> None:
        """End the conversion where two objects of the result may be one: the caller may change one of them."""
        if isinstance(value, tuple):
            return
        kind = value.kind if isinstance(value, Instance) else type(value)
        self._claim(self._identities.heap.family(value), id(value), kind.__name__)

    def _claim(self, family: int, owner: int, what: str) -> None:
        if self._families.setdefault(family, owner) != owner:
            raise Unstageable("shared-result", f"two {what}s")

    def _object(self, value: Instance) -> Output:
        if id(value) in self._open:
            return Inside(id(value))
        if value.kind is Cursor:
            raise Unstageable("unsupported-result", "an iterator")
        self._check_family(value)
        self._open.add(id(value))
        fields = tuple([self._field(name, child) for name, child in value.fields.items() if child is not UNBOUND])
        self._open.remove(id(value))
        return BuildObject(value.kind, fields, id(value))

    def _field(self, name: str, value: Any) -> Field:
        if isinstance(value, Maybe):
            return Field(name, self.plan(value.value), self._place(value.bound))
        return Field(name, self.plan(value), None)

    def _rows(self, run: Run, owner: Any = None) -> Rows:
        for label in labels_of(run.template) if owner is not None else ():
            self._claim(self._identities.heap.family_of(label), id(owner), "element")
        known = isinstance(run.count, int)
        read = tuple([(index, self.plan(value)) for index, value in run.read.items()])
        paths = tuple(self._identities.paths)
        count = run.count if known else FromOutput(self._place(run.count.value))
        return Rows(run.template, tuple(map(self._place, run.rows)), count, read, paths)

    def _place(self, leaf: Any) -> int:
        """Return the place of a leaf among the outputs; one leaf has one place, so that aliases stay aliases."""
        if id(leaf) not in self._places:
            self._places[id(leaf)] = len(self.leaves)
            with wide():
                self.leaves.append(jnp.asarray(leaf) if not isinstance(leaf, jax.Array) else leaf)
        return self._places[id(leaf)]


_CONSTANTS = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis))
