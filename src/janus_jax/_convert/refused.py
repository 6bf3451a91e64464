"""The table of names that end a conversion, each with its reason.

Comes in: any object that the user's function calls. Goes out: the id of the reason and the object's name, or None.
"""

from __future__ import annotations

import sys
from queue import SimpleQueue
from types import BuiltinMethodType, MethodType, ModuleType
from typing import Any

from janus_jax._base.objects import bases_of, is_a, read_slot
from janus_jax._convert.names import NameTable, resolve
from janus_jax._convert.refused_names import REFUSED_METHODS, REFUSED_NAMES, REFUSED_OF_ARRAYS

__all__ = ["REFUSED", "REFUSED_OF_ARRAYS", "RefusedTable", "refused"]


# The second is that of methods in C that are also told which class defines them.
_BUILTIN_METHODS = (BuiltinMethodType, type(SimpleQueue[None]().get))


class RefusedTable:
    """The names that end a conversion, looked up by identity, and methods by the type of their receiver."""

    def __init__(self) -> None:
        self._tables = {
            reason: NameTable({module: text.split() for module, text in names.items()})
            for reason, names in REFUSED_NAMES.items()
        }

    def find(self, value: object) -> tuple[str, str] | None:
        """The reason's id and the name of `value`, when meeting it ends a conversion."""
        for reason, table in self._tables.items():
            name = table.find(value)
            if name is not None:
                return reason, name
        return _find_method(value)

    def clear(self) -> None:
        """No library object is held any more; the next look-up fills the table again."""
        for table in self._tables.values():
            table.clear()

    def __repr__(self) -> str:
        return f"RefusedTable({', '.join(f'{reason}: {table}' for reason, table in self._tables.items())})"


def _find_method(value: object) -> tuple[str, str] | None:
    """As `RefusedTable.find`, for a method bound to an object of a class in the table, or to the class."""
    # Only these types: on any other object, reading `__self__` may run somebody's code.
    if type(value) is MethodType:
        receiver, method = value.__self__, str(read_slot(value.__func__, "__name__", ""))
    elif any(type(value) is kind for kind in _BUILTIN_METHODS):
        built_in: Any = value
        receiver, method = built_in.__self__, built_in.__name__
    else:
        return None
    if is_a(receiver, ModuleType, type(None)):
        return None
    return _refused_on(receiver, method)


def _refused_on(receiver: Any, method: str) -> tuple[str, str] | None:
    # the bases, not `isinstance`: abstract classes would be asked for more
    classes = bases_of(type(receiver)) + (bases_of(receiver) if is_a(receiver, type) else ())
    for reason, module, class_name, methods in REFUSED_METHODS:
        if module not in sys.modules or not (methods == "*" or method in methods.split()):
            continue
        if any(one is resolve(module, class_name) for one in classes):
            return reason, f"{module}.{class_name}.{method}"
    return None


REFUSED = RefusedTable()


def refused(value: object) -> tuple[str, str] | None:
    """The reason's id and the dotted name, when meeting `value` ends a conversion; otherwise None."""
    return REFUSED.find(value)
