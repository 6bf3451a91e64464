"""The lists, dicts and other objects that the call itself has made, and what was changed in them.

One region is traced after the other, and each must find the objects as they were before it. So what an object holds is
noted before its first change; when the region ends, what it changed can be asked for, and is then taken back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from janus_jax._values.kinds import BoundValue, Box, ExceptionValue, Instance, Maybe, SuperValue, Union

MUTABLE = (list, dict, set, deque, Instance, Box)


@dataclass(slots=True, eq=False)
class Region:
    """What is traced on its own, such as the arm of a branch; `start` is where its notes begin."""

    start: int
    over: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """An object that is known to the heap, and the region it was made in. `place` names it beside variables."""

    object: Any
    label: int
    region: Region

    @property
    def place(self) -> str:
        """A name that no variable has."""
        return f"@{self.label}"


@dataclass(slots=True, eq=False)
class Heap:
    """Which objects there are, which of them may be one and the same, and the notes of all changes so far.

    An object that comes out of a branch or loop may be one of several: all that may be one object are a family. In an
    object that has family, nothing is changed, since it is not known whether the others change with it.
    """

    entries: dict[int, Entry] = field(default_factory=dict[int, Entry])
    region: Region = field(default_factory=lambda: Region(0))
    _by_place: dict[str, Entry] = field(default_factory=dict[str, Entry])
    _families: list[int] = field(default_factory=list[int])  # of each label, a smaller one of its family, or itself
    _notes: list[tuple[Entry, Any]] = field(default_factory=list[tuple[Entry, Any]])
    _fresh_from: int = 0  # notes from here on are of nobody's past: an object noted there needs no other note
    _noted: dict[str, int] = field(default_factory=dict[str, int])

    # Which objects there are

    def entry(self, value: Any) -> Entry:
        """Return what is known of an object; it was made just now if it was not met before."""
        found = self.entries.get(id(value))
        if found is None:
            found = self.entries[id(value)] = Entry(value, len(self._families), self.region)
            self._by_place[found.place] = found
            self._families.append(found.label)
        return found

    def adopt(self, value: Any) -> None:
        """Know all objects that are, or are held by, a value that a variable is bound to."""
        pending = [value]
        while pending:
            one = pending.pop()
            if isinstance(one, MUTABLE):
                if id(one) in self.entries:
                    continue
                self.entry(one)
            pending.extend(parts_of(one))

    def outlives(self, value: Any, leaving: Region | None) -> Entry | None:
        """Return the entry of an object that is still there when the region `leaving` has ended."""
        found = self.entries.get(id(value))
        if found is None or found.region.over or found.region is leaving:
            return None
        return found

    # Families

    def relate(self, value: Any, labels: frozenset[int]) -> None:
        """Record that `value` may be any of the objects with these labels."""
        families = {self.family_of(label) for label in (*labels, self.entry(value).label)}
        for family in families:
            self._families[family] = min(families)

    def family(self, value: Any) -> int:
        """Return what all that may be the same object have in common."""
        return self.family_of(self.entry(value).label)

    def family_of(self, label: int) -> int:
        """Return what the object with this label, and all that may be the same, have in common."""
        while self._families[label] != label:
            label = self._families[label]
        return label

    def has_family(self, value: Any) -> bool:
        """Return whether another object that is still there may be this very one."""
        own = self.family(value)
        others = (one for one in self.entries.values() if one.object is not value and not one.region.over)
        return any(self.family_of(one.label) == own for one in others)

    def keep(self, rows: Any, labels: Sequence[int]) -> None:
        """Record that `rows` hold the objects with these labels: whoever reads one gets a copy, and changes none."""
        if labels:
            self.relate(rows, frozenset(labels))

    def are_new(self, values: Iterable[Any]) -> bool:
        """Return whether all objects in these values were made in this region, as no other ones, and are held once."""
        seen: set[int] = set()
        pending = list(values)
        while pending:
            one = pending.pop()
            if isinstance(one, MUTABLE):
                if id(one) in seen or not self._is_new(one):
                    return False
                seen.add(id(one))
            pending.extend(parts_of(one))
        return True

    def _is_new(self, value: Any) -> bool:
        own = self.family(value)
        relatives = sum(self.family_of(label) == own for label in range(len(self._families)))
        return self.entry(value).region is self.region and relatives == 1

    # Changes

    def now(self) -> tuple[int, int]:
        """Return a point in time, for `changed_since`."""
        return self.mark(), len(self._families)

    def changed_since(self, point: tuple[int, int]) -> bool:
        """Return whether an object has changed that was known at this point of the region."""
        mark, known = point
        return any(entry.label < known for entry, _ in self._notes[mark:])

    def note(self, value: Any) -> None:
        """Remember what an object holds, before it is changed."""
        entry = self.entry(value)
        if self._noted.get(entry.place, -1) < self._fresh_from:
            self._noted[entry.place] = len(self._notes)
            self._notes.append((entry, content_of(value)))

    def mark(self) -> int:
        """Return how far the notes go, to return there by `undo`."""
        self._fresh_from = len(self._notes)
        return self._fresh_from

    def undo(self, mark: int) -> None:
        """Make all objects hold what they held at `mark`."""
        while len(self._notes) > mark:
            entry, content = self._notes.pop()
            self._noted.pop(entry.place, None)
            fill(entry.object, content)
        self._fresh_from = min(self._fresh_from, mark)

    def enter(self) -> Region:
        """Begin a region; return the one around it."""
        outer = self.region
        self.region = Region(self.mark())
        return outer

    def leave(self, outer: Region) -> None:
        """End the region: all objects are as before it."""
        self.undo(self.region.start)
        self.region.over = True
        self.region = outer

    def changed(self) -> list[str]:
        """Return the places of the objects that this region has changed, and that were there before it."""
        noted = {entry.place: entry for entry, _ in self._notes[self.region.start :]}
        return sorted(place for place, entry in noted.items() if entry.region is not self.region)

    def at(self, place: str) -> Any:
        """Return the object at a place."""
        return self._by_place[place].object


def parts_of(value: Any) -> Iterable[Any]:
    """Return what a container, object or undecided value holds."""
    match value:
        case tuple() | list() | set() | deque():
            return value
        case dict():
            return value.values()
        case Instance(fields=fields):
            return fields.values()
        case Box(content):
            return (content,)
        case ExceptionValue(args=args):
            return args
        case Maybe(value=inner) | BoundValue(receiver=inner) | SuperValue(receiver=inner):
            return (inner,)
        case Union(alternatives=alternatives):
            return alternatives
        case _:
            return ()


def content_of(value: Any) -> Any:
    """Return what an object holds, as a value of its own."""
    match value:
        case list() | deque():
            return tuple(value)
        case dict():
            return dict(value)
        case set():
            return frozenset(value)
        case Instance(fields=fields):
            return dict(fields)
        case Box(content):
            return content
        case _:
            raise AssertionError(value)


def fill(value: Any, content: Any) -> None:
    """Have an object hold `content`, and nothing else."""
    match value:
        case list():
            value[:] = content
        case Instance(fields=fields):
            fields.clear()
            fields.update(content)
        case Box():
            value.content = content
        case dict() | set():
            value.clear()
            value.update(content)
        case deque():
            value.clear()
            value.extend(content)
        case _:
            raise AssertionError(value)
