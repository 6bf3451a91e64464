"""Source text in the making: lines, names for values that were read, names for objects that are referred to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, assert_never

from janus_jax._guards import Argument, Cell, Field, Global, Item, Member, Namespace, Path, Pinned, Root, Slot

ABSENT = object()


@dataclass(slots=True)
class Writer:
    """Source text of an entry function in the making, and the objects that it refers to."""

    namespace: dict[str, Any]
    lines: list[str] = field(default_factory=list)
    names: dict[Path, str] = field(default_factory=dict)
    shared: dict[int, str] = field(default_factory=dict)
    indent: str = "        "
    numbers: Iterator[int] = field(default_factory=count)  # of one function: a name that is used again hides a value

    def line(self, text: str) -> None:
        """Append a line."""
        self.lines.append(self.indent + text)

    def check(self, condition: str) -> None:
        """Have the call miss unless `condition` holds."""
        self.line(f"if not ({condition}): return MISS")

    def new(self, prefix: str) -> str:
        """Return a name that nothing else in the function has."""
        return f"{prefix}{next(self.numbers)}"

    def constant(self, value: Any) -> str:
        """Return the name of an object that the function refers to."""
        name = f"k{len(self.namespace)}"
        self.namespace[name] = value
        return name

    def local(self, expression: str) -> str:
        """Return the name of a new local variable that holds `expression`."""
        name = self.new("v")
        self.line(f"{name} = {expression}")
        return name


def name_at(writer: Writer, path: Path) -> str:
    """Return the local variable that holds the value at `path`, reading it first where that has not happened."""
    if path not in writer.names:
        writer.names[path] = writer.local(_read(writer, path))
    return writer.names[path]


def _read(writer: Writer, path: Path) -> str:
    match path:
        case Argument():
            raise AssertionError("arguments are bound first")
        case Root():
            return "root"
        case Item(owner, key):
            assert type(key) in (int, str), key  # other keys are read with all of their dict
            return f"{name_at(writer, owner)}[{key!r}]"
        case Global(owner, name):
            found = writer.local(f"{name_at(writer, owner)}.__globals__.get({name!r}, ABSENT)")
            return f"{name_at(writer, owner)}.__builtins__[{name!r}] if {found} is ABSENT else {found}"
        case Cell(owner, index):
            return f"{name_at(writer, owner)}.__closure__[{index}].cell_contents"
        case Slot(owner, name):
            return f"{name_at(writer, owner)}.{name}"
        case Pinned(held):
            return writer.constant(held)
        case Namespace(owner):
            return f"members_of({name_at(writer, owner)})"
        case Field(owner, definer, name):
            return f"{writer.constant(vars(definer.held)[name])}.__get__({name_at(writer, owner)})"
        case Member(owner, name):
            return f"{name_at(writer, owner)}.__dict__[{name!r}]"
        case _:
            assert_never(path)
