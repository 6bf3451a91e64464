"""Which values stand for objects that the caller has, so that results are those very objects."""

from __future__ import annotations

from typing import Any

import jax

from janus_jax._guards import Path


class Identities:
    """Knows which arrays and containers stand for an object that existed before the call.

    So results keep their identity: a code is 0 for a new object and k + 1 for the object at path k.

    A list or dict that the call itself makes may come out of a branch or loop as one of several: all that may be one
    object are a family, by label. Two of a family must not both be in the result, where somebody may change one.
    """

    def __init__(self) -> None:
        self._table: dict[int, tuple[Any, int | jax.Array]] = {}
        self.paths: list[Path] = []
        self._labels: dict[int, tuple[Any, int]] = {}
        self._families: list[int] = []  # of each label, a smaller one of its family, or itself

    def of(self, value: Any) -> int | jax.Array:
        """Return 0 for a new object, the code of one that existed before, or a tracer of that code."""
        entry = self._table.get(id(value))
        return entry[1] if entry else 0

    def set(self, value: Any, code: int | jax.Array) -> None:
        """Record that `value` stands for the object that `code` names."""
        self._table[id(value)] = (value, code)

    def label(self, container: Any) -> int:
        """Return the label of a list or dict; a new one for one that was not met before."""
        if id(container) not in self._labels:
            self._labels[id(container)] = (container, len(self._families))
            self._families.append(len(self._families))
        return self._labels[id(container)][1]

    def relate(self, container: Any, labels: frozenset[int]) -> None:
        """Record that `container` may be any of the objects with these labels."""
        families = {self._family(label) for label in labels}
        for family in families:
            self._families[family] = min(families)
        self._labels[id(container)] = (container, min(families))

    def family(self, container: Any) -> int:
        """Return what all that may be the same list or dict have in common."""
        return self._family(self.label(container))

    def _family(self, label: int) -> int:
        while self._families[label] != label:
            label = self._families[label]
        return label

    def register(self, value: Any, path: Path) -> None:
        """Record that `value` stands for the object at `path`."""
        if path not in self.paths:
            self.paths.append(path)
        self.set(value, self.paths.index(path) + 1)
