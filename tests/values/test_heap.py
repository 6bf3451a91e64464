"""The heap: what a region changes is known at its end, and taken back."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest

from janus_jax._values.heap import Heap, content_of, fill
from janus_jax._values.kinds import Box, Instance


def each_kind() -> list[Any]:
    return [[1], {"a": 1}, {1}, deque([1]), Instance(Heap, {"a": 1}), Box(1)]


def changed_content(value: Any) -> Any:
    """Return other content than the object has now."""
    return {"b": 2} if isinstance(value, (dict, Instance)) else 2 if isinstance(value, Box) else (2, 3)


@pytest.mark.parametrize("value", each_kind(), ids=lambda value: type(value).__name__)
def test_a_region_is_taken_back(value: Any) -> None:
    heap, before = Heap(), content_of(value)
    heap.adopt(value)
    outer = heap.enter()
    heap.note(value)
    fill(value, changed_content(value))
    assert heap.changed() == [heap.entry(value).place]
    assert heap.at(heap.entry(value).place) is value
    assert content_of(value) != before
    heap.leave(outer)
    assert content_of(value) == before


def test_what_a_region_has_made_is_not_changed_by_it() -> None:
    heap, value = Heap(), [1]
    outer = heap.enter()
    heap.adopt(value)
    heap.note(value)
    value.append(2)
    assert heap.changed() == []
    assert heap.outlives(value, None) is heap.entry(value)
    assert heap.outlives(value, heap.region) is None
    heap.leave(outer)
    assert heap.outlives(value, None) is None


def test_regions_in_regions_are_taken_back_one_by_one() -> None:
    heap, value = Heap(), [1]
    heap.adopt(value)
    around = heap.enter()
    heap.note(value)
    value.append(2)
    outer = heap.enter()
    heap.note(value)
    value.append(3)
    heap.leave(outer)
    assert value == [1, 2]
    heap.note(value)
    value.append(4)
    heap.leave(around)
    assert value == [1]


def test_an_attempt_is_undone_to_its_mark() -> None:
    heap, value = Heap(), {"a": 1}
    heap.adopt(value)
    heap.note(value)
    value["a"] = 2
    mark = heap.mark()
    for _ in range(2):
        heap.note(value)
        value["b"] = 3
        heap.undo(mark)
        assert value == {"a": 2}
    heap.undo(0)
    assert value == {"a": 1}


def test_what_is_held_is_known_too() -> None:
    heap, inner, box = Heap(), [1], Box()
    node = Instance(Heap, {"next": None, "items": inner})
    node.fields["next"] = node
    box.content = (node,)
    heap.adopt(box)
    outer = heap.enter()
    assert all(heap.outlives(value, heap.region) for value in (box, node, inner))
    heap.leave(outer)


def test_a_family_is_all_that_may_be_one_object() -> None:
    heap, one, other, merged = Heap(), [1], [2], [3]
    for value in (one, other, merged):
        heap.adopt(value)
    assert not heap.has_family(merged)
    heap.relate(merged, frozenset([heap.entry(one).label, heap.entry(other).label]))
    assert heap.family(one) == heap.family(other) == heap.family(merged)
    assert all(map(heap.has_family, (one, other, merged)))


def test_what_is_gone_is_no_family() -> None:
    heap, merged = Heap(), [3]
    outer = heap.enter()
    label = heap.entry([1]).label
    heap.leave(outer)
    heap.adopt(merged)
    heap.relate(merged, frozenset([label]))
    assert not heap.has_family(merged)
