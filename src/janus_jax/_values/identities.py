"""Which values stand for objects that the caller has, so that results are those very objects."""

from __future__ import annotations

from typing import Any

import jax

from janus_jax._guards import Path
from janus_jax._values.heap import Heap


class Identities:
    """Knows which arrays and containers stand for an object that existed before the call.

    So results keep their identity: a code is 0 for a new object and k + 1 for the object at path k. `heap` knows the
    objects that the call itself makes.
    """

    def __init__(self) -> None:
        self._table: dict[int, tuple[Any, int | jax.Array]] = {}
        self.paths: list[Path] = []
        self.heap = Heap()

    def of(self, value: Any) -> int | jax.Array:
        """Return 0 for a new object, the code of one that existed before, or a tracer of that code."""
        entry = self._table.get(id(value))
        return entry[1] if entry else 0

    def set(self, value: Any, code: int | jax.Array) -> None:
        """Record that `value` stands for the object that `code` names."""
        self._table[id(value)] = (value, code)

    def register(self, value: Any, path: Path) -> None:
        """Record that `value` stands for the object at `path`."""
        if path not in self.paths:
            self.paths.append(path)
        self.set(value, self.paths.index(path) + 1)
