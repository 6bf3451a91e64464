"""Places that a Python program reads from: each can be read, written, deleted and put back."""

from __future__ import annotations

import builtins
import contextlib
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias


class Missing:
    """The value of a place that has been deleted."""

    def __repr__(self) -> str:
        return "deleted"


MISSING = Missing()


@dataclass(frozen=True, eq=False)
class GlobalPlace:
    """A global name of a module; a builtin's name too, which a new global then shadows."""

    namespace: dict[str, Any]
    name: str

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells this place from others."""
        return ("global", id(self.namespace), self.name)

    def __str__(self) -> str:
        kind = "global" if self.name in self.namespace else "builtin"
        return f"{kind} {self.name} of {self.namespace.get('__name__')}"

    def read(self) -> Any:
        """Return what a lookup of the name finds."""
        return self.namespace.get(self.name, getattr(builtins, self.name, MISSING))

    @contextlib.contextmanager
    def holding(self, value: Any) -> Iterator[None]:
        """Let the place hold `value` inside the `with`."""
        before = self.namespace.get(self.name, MISSING)
        store(self.namespace, self.name, value)
        try:
            yield
        finally:
            store(self.namespace, self.name, before)


@dataclass(frozen=True, eq=False)
class CellPlace:
    """A closure cell."""

    cell: types.CellType
    name: str

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells this place from others."""
        return ("cell", id(self.cell))

    def __str__(self) -> str:
        return f"cell {self.name}"

    def read(self) -> Any:
        """Return the content of the cell."""
        try:
            return self.cell.cell_contents
        except ValueError:
            return MISSING

    @contextlib.contextmanager
    def holding(self, value: Any) -> Iterator[None]:
        """Let the place hold `value` inside the `with`."""
        before = self.read()
        self.write(value)
        try:
            yield
        finally:
            self.write(before)

    def write(self, value: Any) -> None:
        """Fill or empty the cell."""
        if value is not MISSING:
            self.cell.cell_contents = value
        elif self.read() is not MISSING:
            del self.cell.cell_contents


@dataclass(frozen=True, eq=False)
class AttributePlace:
    """An attribute in the dictionary of a module, a class or an instance."""

    owner: Any
    name: str

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells this place from others."""
        return ("attribute", id(self.owner), self.name)

    def __str__(self) -> str:
        return f"attribute {self.name} of {getattr(self.owner, '__name__', type(self.owner).__name__)}"

    def read(self) -> Any:
        """Return what stands in the owner's own dictionary."""
        return vars(self.owner).get(self.name, MISSING)

    @contextlib.contextmanager
    def holding(self, value: Any) -> Iterator[None]:
        """Let the place hold `value` inside the `with`."""
        before = self.read()
        self.write(value)
        try:
            yield
        finally:
            self.write(before)

    def write(self, value: Any) -> None:
        """Set or delete the attribute."""
        if value is not MISSING:
            setattr(self.owner, self.name, value)
        elif self.read() is not MISSING:
            delattr(self.owner, self.name)


@dataclass(frozen=True, eq=False)
class ItemPlace:
    """An item of a list or dict that lives longer than the call."""

    container: list[Any] | dict[Any, Any]
    index: Any

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells this place from others."""
        return ("item", id(self.container), repr(self.index))

    def __str__(self) -> str:
        return f"item {self.index!r} of a {type(self.container).__name__}"

    def read(self) -> Any:
        """Return the item."""
        try:
            return self.container[self.index]
        except LookupError:
            return MISSING

    @contextlib.contextmanager
    def holding(self, value: Any) -> Iterator[None]:
        """Let the place hold `value` inside the `with`; afterwards the container has its old order again."""
        before = self.container.copy()
        if value is not MISSING:
            self.container[self.index] = value
        elif self.read() is not MISSING:
            del self.container[self.index]
        try:
            yield
        finally:
            refill(self.container, before)


@dataclass(frozen=True, eq=False)
class ContentPlace:
    """The whole content of a list, dict or NumPy array that lives longer than the call."""

    container: Any

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells this place from others."""
        return ("content", id(self.container))

    def __str__(self) -> str:
        return f"content of a {type(self.container).__name__}"

    def read(self) -> Any:
        """Return a copy of the container."""
        return self.container.copy()

    @contextlib.contextmanager
    def holding(self, value: Any) -> Iterator[None]:
        """Let the container have the content of `value` inside the `with`."""
        before = self.container.copy()
        refill(self.container, value)
        try:
            yield
        finally:
            refill(self.container, before)


@dataclass(frozen=True, eq=False)
class FunctionPlace:
    """`__code__`, `__defaults__` or `__kwdefaults__` of a user's function."""

    function: types.FunctionType
    name: str

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells this place from others."""
        return ("function", id(self.function), self.name)

    def __str__(self) -> str:
        return f"{self.name} of {self.function.__qualname__}"

    def read(self) -> Any:
        """Return the part of the function."""
        return getattr(self.function, self.name)

    @contextlib.contextmanager
    def holding(self, value: Any) -> Iterator[None]:
        """Let the function have `value` as this part inside the `with`."""
        before = self.read()
        setattr(self.function, self.name, None if value is MISSING else value)
        try:
            yield
        finally:
            setattr(self.function, self.name, before)


Place: TypeAlias = GlobalPlace | CellPlace | AttributePlace | ItemPlace | ContentPlace | FunctionPlace


def store(namespace: dict[str, Any], name: str, value: Any) -> None:
    """Bind or unbind `name`."""
    if value is not MISSING:
        namespace[name] = value
    else:
        namespace.pop(name, None)


def refill(container: Any, content: Any) -> None:
    """Give a list, dict or array the content of another."""
    if isinstance(container, dict):
        container.clear()
        container.update(content)
    elif isinstance(container, list):
        container[:] = content
    else:
        container[...] = content
