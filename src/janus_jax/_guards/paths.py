"""How a value was reached: from the call's arguments or from the function, step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Argument:
    """The positional argument number `key`, or the keyword argument called `key`; `name` is for people."""

    key: int | str
    name: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.name or f"argument {self.key}"


@dataclass(frozen=True, slots=True)
class Root:
    """The speculated function itself."""

    def __str__(self) -> str:
        return "the function"


@dataclass(frozen=True, slots=True)
class Item:
    """The element at `key` of a tuple, list, dict or namespace."""

    owner: Path
    key: Any

    def __str__(self) -> str:
        match self.owner:
            case Namespace(owner) | Field(owner, _, "__dict__"):
                return f"{owner}.{self.key}"
            case _:
                return f"{self.owner}[{self.key!r}]"


@dataclass(frozen=True, slots=True)
class Pinned:
    """An object that the program itself holds: one of the bases of an object's class, or a member of an enum class."""

    held: Any

    def __eq__(self, other: object) -> bool:
        return type(other) is Pinned and self.held is other.held  # its class may have ideas of its own about `==`

    def __hash__(self) -> int:
        return id(self.held)

    def __str__(self) -> str:
        is_class = type.__subclasscheck__(type, type(self.held))
        name = type.__dict__["__qualname__"].__get__(self.held if is_class else type(self.held))
        return str(name) if is_class else f"{name}.{object.__getattribute__(self.held, '_name_')}"


@dataclass(frozen=True, slots=True)
class Namespace:
    """The attributes that a class has of its own."""

    owner: Pinned

    def __str__(self) -> str:
        return f"the attributes of {self.owner}"


@dataclass(frozen=True, slots=True)
class Field:
    """What the object at `owner` keeps in the slot `name` of the class `definer`; its attributes, in `__dict__`."""

    owner: Path
    definer: Pinned
    name: str

    def __str__(self) -> str:
        return f"{self.owner}.{self.name}"


@dataclass(frozen=True, slots=True)
class Global:
    """What `name` means in the function at `owner`: its module's global, or else the builtin."""

    owner: Path
    name: str

    def __str__(self) -> str:
        return f"global {self.name}"


@dataclass(frozen=True, slots=True)
class Cell:
    """The content of closure cell number `index`, called `name`, of the function at `owner`."""

    owner: Path
    index: int
    name: str

    def __str__(self) -> str:
        return f"closure variable {self.name}"


@dataclass(frozen=True, slots=True)
class Slot:
    """An attribute of a function, partial or Speculated that Python itself defines, read without user code."""

    owner: Path
    name: str

    def __str__(self) -> str:
        return f"{self.owner}.{self.name}"


@dataclass(frozen=True, slots=True)
class Member:
    """The attribute `name` of the module at `owner`, as its dictionary has it."""

    owner: Path
    name: str

    def __str__(self) -> str:
        owner = self.owner.name if isinstance(self.owner, Global | Member) else str(self.owner)
        return f"{owner}.{self.name}"


Path: TypeAlias = Argument | Root | Item | Global | Cell | Slot | Member | Pinned | Namespace | Field
