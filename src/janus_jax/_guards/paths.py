"""How a value was reached: from the call's arguments or from the function, step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias


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
    """The element at `key` of a tuple, list or dict."""

    owner: Path
    key: int | str

    def __str__(self) -> str:
        return f"{self.owner}[{self.key!r}]"


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


Path: TypeAlias = Argument | Root | Item | Global | Cell | Slot | Member
