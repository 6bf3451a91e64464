"""Finds a library object by identity in a table of dotted names.

Nothing is imported for a table's sake: a name is resolved once its module is in `sys.modules`, and a function of
a module that nobody has imported cannot be met.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any


def words(text: str) -> frozenset[str]:
    """The words of a table that is written as text."""
    return frozenset(text.split())


def resolve(module: str, name: str) -> Any:
    """The object called `name` in `module`, or None where the module is not imported or has no such name."""
    value: Any = sys.modules.get(module)
    for part in name.split("."):
        # a module is not asked for what it would compute: that may warn of a deprecated name, or import
        value = vars(value).get(part) if isinstance(value, ModuleType) else getattr(value, part, None)
    return value


class NameTable:
    """Maps objects to their dotted names, by identity; filled on the first look-up after a module's import.

    The objects are held, so that an id cannot be used again by another object while it is in the table.
    """

    def __init__(self, names: Mapping[str, Iterable[str]], accepts: Callable[[str, Any], bool] | None = None) -> None:
        self._names = {module: tuple(module_names) for module, module_names in names.items()}
        self._accepts = accepts
        self._modules: dict[str, ModuleType] = {}
        self._found: dict[int, tuple[Any, str]] = {}

    def find(self, value: object) -> str | None:
        """The dotted name under which `value` is in the table; of several, the first."""
        self._load()
        found = self._found.get(id(value))
        return found[1] if found is not None and found[0] is value else None

    def clear(self) -> None:
        """Nothing is held any more; the next look-up fills the table again."""
        self._modules.clear()
        self._found.clear()

    def __len__(self) -> int:
        self._load()
        return len(self._found)

    def __repr__(self) -> str:
        return f"NameTable({len(self._found)} objects of {len(self._modules)} imported modules)"

    def _load(self) -> None:
        for module, names in self._names.items():
            if module not in self._modules and module in sys.modules:
                found = sys.modules[module]
                self._add(module, names)
                self._modules[module] = found  # last: an interrupt before it has the names added again

    def _add(self, module: str, names: Iterable[str]) -> None:
        for name in names:
            value = resolve(module, name)
            if value is None or (self._accepts is not None and not self._accepts(module, value)):
                continue
            # setdefault: an alias keeps the name that comes first in the table
            self._found.setdefault(id(value), (value, f"{module}.{name}"))


def _source_root(package: str) -> str:
    """Where the code of the package lies: a folder, or the file of a single-file module."""
    file = getattr(sys.modules.get(package), "__file__", None) or ""
    folder, base = os.path.split(file)
    return folder + os.sep if base.startswith("__init__.") else file


def belongs_to(packages: tuple[str, ...], value: Any) -> bool:
    """Whether `value` is the packages' own object, and not one that somebody has put in its place.

    A replacement made with `functools.wraps` carries the library's names; its code still lies elsewhere.
    """
    if type(value) is FunctionType:
        file = value.__code__.co_filename
        own = any(file.startswith(root) for package in packages if (root := _source_root(package)))
    elif isinstance(value, (BuiltinFunctionType, type)):
        own = str(value.__module__).partition(".")[0] in packages
    else:
        own = type(value).__module__.partition(".")[0] in packages
    inner = getattr(value, "__wrapped__", None) if own else None
    return own and (inner is None or belongs_to(packages, inner))
