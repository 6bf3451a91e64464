"""What a `for` loop runs over, with an element for a known index and for one that only the run knows."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from janus_jax._base import Unstageable
from janus_jax._convert import enums, runs
from janus_jax._convert.native import is_array, is_number, number_from, run_native
from janus_jax._convert.stager import Raised, Stager
from janus_jax._convert.unions import spread
from janus_jax._values import number_ops
from janus_jax._values.kinds import HostArray, Opaque, Run, Transient, Union, leaves_of
from janus_jax._values.number import INT64_MAX, Number, wide
from janus_jax._values.template import is_named_tuple


@dataclass(frozen=True, slots=True, eq=False)
class RangeValue(Transient):
    """`range(start, stop, step)`, with numbers that may be known at run time only."""

    start: Any
    stop: Any
    step: Any


@dataclass(frozen=True, slots=True, eq=False)
class ZipValue(Transient):
    """`zip(*parts)`."""

    parts: tuple[Any, ...]


@dataclass(frozen=True, slots=True, eq=False)
class EnumerateValue(Transient):
    """`enumerate(part, start)`."""

    part: Any
    start: Any


@dataclass(frozen=True, slots=True, eq=False)
class ReversedValue(Transient):
    """`reversed(part)`."""

    part: Any


@dataclass(frozen=True, slots=True, eq=False)
class ViewValue(Transient):
    """`d.keys()`, `d.values()` or `d.items()`, as `name` says: what the dict holds whenever it is asked for."""

    owner: dict[Any, Any]
    name: str

    def items(self) -> list[Any]:
        """Return what is there now."""
        return list(getattr(self.owner, self.name)())


@dataclass(frozen=True, slots=True, eq=False)
class StackedValue(Transient):
    """A list or tuple of arrays as one array, and which object each of them stands for (see `Identities`)."""

    stack: jax.Array
    codes: jax.Array


@dataclass(frozen=True, slots=True, eq=False)
class GeneratorValue(Transient):
    """An iterator of which nothing has run. `run` makes a list of it; `search` returns whether any is, or all are true.

    `each`, where it has one, runs it bit by bit, and hands on every element as it comes. Running it reads what it
    `holds`, and the variables that it `sees`: the names, as they are found in a frame.
    """

    run: Callable[[], list[Any]]
    search: Callable[[bool], Any] | None
    each: Callable[..., Any] | None
    holds: tuple[Any, ...]
    sees: tuple[Any, frozenset[str]] | None = None
    may_be_endless: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ArrangedValue(Transient):
    """An iterator that hands on the elements of its parts as `arrange` does, which may hand on what it `holds`."""

    parts: tuple[Any, ...]
    holds: tuple[Any, ...]
    arrange: Callable[[list[list[Any]]], list[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class CountValue(Transient):
    """`itertools.count(start, step)` of integers."""

    start: Any
    step: Any


@dataclass(frozen=True, slots=True, eq=False)
class RepeatValue(Transient):
    """`itertools.repeat(value)`."""

    value: Any


@dataclass(frozen=True, slots=True, eq=False)
class CycleValue(Transient):
    """`itertools.cycle(part)`."""

    part: Any


ENDLESS = (CountValue, RepeatValue, CycleValue)
ITERATORS = (ZipValue, EnumerateValue, ReversedValue, GeneratorValue, ArrangedValue, *ENDLESS)
COMPOSITES = (RangeValue, ViewValue, *ITERATORS)


def holds_iterator(value: Any) -> bool:
    """Return whether `value` is or holds an iterator: it has its elements once only, wherever they are asked for."""
    if isinstance(value, Union):
        return any(map(holds_iterator, value.alternatives))
    return isinstance(value, ITERATORS) or any(leaf is not value and holds_iterator(leaf) for leaf in leaves_of(value))


def holds_generator(value: Any) -> bool:
    """Return whether going through `value` runs the user's code, which has to happen bit by bit or all at once."""
    return bool(generators_in(value))


def opened(stager: Stager, value: Any) -> Any:
    """Return what Python goes through when it is given `value`; ends the conversion where that raises."""
    value = stager.iterate(stager, value)
    known = is_sequence(value) or type(value) is str or isinstance(value, (*COMPOSITES, Union, HostArray, Opaque))
    known = known or enums.is_enum_class(value)
    if not known and not (isinstance(value, jax.Array) and value.ndim > 0):
        raise Unstageable("raises", "TypeError: not iterable", stager.site)
    return value


def length(stager: Stager, value: Any) -> int | Number:
    """Return how many elements `value` has."""
    match value:
        case Union():
            return spread(stager, lambda x: length(stager, x), (value,))
        case RangeValue():
            return _range_length(stager, value)
        case ZipValue(parts):
            if parts and all(isinstance(part, ENDLESS) for part in parts):
                raise Unstageable("unsupported-expression", "a zip that does not end", stager.site)
            return _shortest(stager, [length(stager, part) for part in parts if not isinstance(part, ENDLESS)])
        case EnumerateValue(part) | ReversedValue(part):
            return length(stager, part)
        case ViewValue(owner):
            return len(owner)
        case StackedValue(stack):
            return int(stack.shape[0])
        case _ if is_array(value):
            if value.ndim == 0:
                raise Unstageable("raises", "TypeError: iteration over a 0-d array", stager.site)
            return int(value.shape[0])
        case list() if runs.holds_run(value):
            return runs.length(stager, value)
        case tuple() | list() | dict() | str() | deque():
            return len(value)
        case HostArray():
            raise Unstageable("numpy-array", str(value.path), stager.site)
        case Opaque():
            raise Unstageable("object-attribute", f"{value.path} is a {value.type.__name__}", stager.site)
        case type() if enums.is_enum_class(value):
            return len(enums.members(stager, value))
        case ArrangedValue() if not holds_generator(value):
            return len(_arranged(stager, value))
        case ArrangedValue() | GeneratorValue():
            raise Unstageable("generator", "a generator expression is not used up at once", stager.site)
        case set():
            raise Unstageable("identity", "the order of a set", stager.site)
        case _:
            raise Unstageable("unsupported-expression", "iteration over this value", stager.site)


def _range_length(stager: Stager, value: RangeValue) -> int | Number:
    if isinstance(value.step, Number):
        raise stager.need_static([value.step], "the step of a range")
    if not isinstance(value.start, Number) and not isinstance(value.stop, Number):
        return len(range(value.start, value.stop, value.step))
    low, high = (value.start, value.stop) if value.step > 0 else (value.stop, value.start)
    span = high if type(low) is int and low == 0 else number_ops.binary(stager, "-", high, low)
    stride = abs(value.step)
    if stride != 1:
        span = number_ops.binary(stager, "//", number_ops.binary(stager, "+", span, stride - 1), stride)
    span = number_ops.as_integer(stager, span)
    with wide():
        return Number(int, lax.max(span.value, jnp.int64(0)), span.origin, (0, INT64_MAX))


def _shortest(stager: Stager, lengths: Sequence[int | Number]) -> int | Number:
    """Return the smallest of the lengths; 0 where there are none."""
    known = [n for n in lengths if not isinstance(n, Number)]
    dynamic = [n for n in lengths if isinstance(n, Number)]
    if not dynamic:
        return min(known, default=0)
    result = dynamic[0]
    with wide():
        for other in dynamic[1:]:
            result = Number(int, lax.min(result.value, other.value), result.origin | other.origin)
        if known:
            result = Number(int, lax.min(result.value, jnp.int64(min(known))), result.origin)
    return result


def rollable(value: Any) -> bool:
    """Return whether an element can be had for an index that only the run knows."""
    match value:
        case RangeValue() | StackedValue() | CountValue() | RepeatValue():
            return True
        case ZipValue(parts):
            return all(map(rollable, parts))
        case EnumerateValue(part):
            return rollable(part)
        case ReversedValue(part):
            return type(part) is not list and rollable(part)
        case list():
            return runs.holds_run(value) and len(value) == 1
        case _:
            return is_array(value)


def stacked(stager: Stager, value: Any) -> Any:
    """Return a list or tuple of arrays of one type as something that can be rolled; anything else as it is."""
    if runs.holds_run(value):
        return value
    same = (
        type(value) in (tuple, list)
        and all(map(is_array, value))
        and len({(x.shape, x.dtype, x.weak_type) for x in value}) == 1
        and not value[0].weak_type
    )
    if not same:
        return value
    codes = [stager.identities.of(array) for array in value]
    with wide():
        known = jnp.stack([jnp.asarray(code, jnp.int32) for code in codes])
    return StackedValue(run_native(stager, jnp.stack, list(value)), known)


def rows(stager: Stager, value: Any, count: int | None) -> list[Any]:
    """Return the arrays that a scan over `value` slices along their first axis, `count` long."""
    match value:
        case ZipValue(parts):
            return [row for part in parts for row in rows(stager, part, count)]
        case EnumerateValue(part):
            return rows(stager, part, count)
        case ReversedValue(part):
            found = [run_native(stager, lambda x: jnp.flip(x, 0), row) for row in rows(stager, part, None)]
            return [row if count is None else row[:count] for row in found]
        case RangeValue() | CountValue() | RepeatValue():
            return []
        case list([Run(rows=found)]):
            return [row if count is None else row[:count] for row in found]
        case StackedValue(stack, codes):
            return [stack, codes]
        case _:
            return [value if count is None or value.shape[0] == count else value[:count]]


def element(stager: Stager, value: Any, index: Number, row: Callable[[], Any]) -> Any:
    """Return the element at a run-time index; `row` hands out the slices of `rows`, in their order."""
    match value:
        case RangeValue(start, _, step):
            return range_element(stager, start, step, index)
        case CountValue(start, step):
            return range_element(stager, start, step, index)
        case RepeatValue(inner):
            return inner
        case ZipValue(parts):
            return tuple([element(stager, part, index, row) for part in parts])
        case EnumerateValue(part, start):
            return (range_element(stager, start, 1, index), element(stager, part, index, row))
        case ReversedValue(part):
            return _reversed_element(stager, part, index, row)
        case list([Run() as run]):
            return runs.row(stager, run, row)
        case StackedValue():
            array, code = row(), row()
            stager.identities.set(array, code)
            return array
        case _:
            return row()


def _reversed_element(stager: Stager, part: Any, index: Number, row: Callable[[], Any]) -> Any:
    if is_array(part):
        return row()
    if not isinstance(part, RangeValue):
        raise Unstageable("raises", "TypeError: not reversible", stager.site)
    last = number_ops.binary(stager, "-", number_ops.as_integer(stager, length(stager, part)), 1)
    return range_element(stager, part.start, part.step, number_ops.binary(stager, "-", last, index))


def range_element(stager: Stager, start: Any, step: Any, index: Number) -> Any:
    """Return `start + step * index`."""
    offset = index if step == 1 else number_ops.binary(stager, "*", index, step)
    return offset if type(start) is int and start == 0 else number_ops.binary(stager, "+", start, offset)


def generators_in(iterable: Any) -> list[GeneratorValue]:
    """Return the generators that are run where `iterable` is gone through."""
    match iterable:
        case GeneratorValue():
            return [iterable]
        case ZipValue(parts) | ArrangedValue(parts):
            return [found for part in parts for found in generators_in(part)]
        case EnumerateValue(part) | ReversedValue(part) | CycleValue(part):
            return generators_in(part)
        case _:
            return []


def used_up(stager: Stager, iterable: Any) -> Any:
    """Return an iterable with the elements of its generators, which are run now, one after the other."""
    before = stager.heap.now()
    found = _used_up(iterable)
    _check_turns(stager, iterable, before)
    return found


def _check_turns(stager: Stager, iterable: Any, before: tuple[int, int]) -> None:
    """End the conversion where generators have changed something that Python runs by turns, or not to their end."""
    by_turns = len(generators_in(iterable)) > 1 or _may_stop_early(iterable)
    if by_turns and stager.heap.changed_since(before):
        raise Unstageable("generator", "generators that change something, by turns with others", stager.site)


def _may_stop_early(iterable: Any) -> bool:
    """Return whether a generator in `iterable` is left where another part has ended."""
    match iterable:
        case ZipValue(parts):
            return (len(parts) > 1 and bool(generators_in(iterable))) or any(map(_may_stop_early, parts))
        case ArrangedValue(parts):
            return any(map(_may_stop_early, parts))
        case EnumerateValue(part) | ReversedValue(part) | CycleValue(part):
            return _may_stop_early(part)
        case _:
            return False


def _used_up(iterable: Any) -> Any:
    match iterable:
        case GeneratorValue():
            return _run_out(iterable)
        case ZipValue(parts):
            return ZipValue(tuple(map(_used_up, parts)))
        case EnumerateValue(part, start):
            return EnumerateValue(_used_up(part), start)
        case _:
            return iterable


def _run_out(generator: GeneratorValue) -> list[Any]:
    """Return all elements; what is raised on the way, Python would raise later, or not at all."""
    try:
        return generator.run()
    except Raised as raised:
        raise Unstageable("raises", raised.detail, raised.where) from None


def items(stager: Stager, value: Any) -> list[Any]:
    """Return all elements, where their number is known."""
    before = stager.heap.now()
    found = _items(stager, value)
    _check_turns(stager, value, before)
    return found


def _items(stager: Stager, value: Any) -> list[Any]:
    if isinstance(value, Union):
        return _items_of_union(stager, value)
    value = used_up(stager, stager.iterate(stager, value))
    if runs.holds_run(value):
        return runs.items(stager, value)
    if isinstance(value, ArrangedValue):
        return _arranged(stager, value)
    count = length(stager, value)
    if isinstance(count, Number):
        raise stager.need_static([count], "the number of elements")
    match value:
        case RangeValue(start, _, step):
            return [_known_element(stager, start, step, index) for index in range(count)]
        case ZipValue(parts):
            return list(zip(*(first(stager, part, count) for part in parts), strict=True))
        case EnumerateValue(part, start):
            return [(_known_element(stager, start, 1, k), item) for k, item in enumerate(items(stager, part))]
        case ReversedValue(part):
            return items(stager, part)[::-1]
        case ViewValue():
            return value.items()
        case type():
            return enums.members(stager, value)
        case _ if is_array(value):
            return run_native(stager, list, value)
        case _:
            return list(value)


def _arranged(stager: Stager, value: ArrangedValue) -> list[Any]:
    return value.arrange([items(stager, part) for part in value.parts])


def first(stager: Stager, value: Any, count: int) -> list[Any]:
    """Return the first elements."""
    match value:
        case CountValue(start, step):
            return [_known_element(stager, start, step, index) for index in range(count)]
        case RepeatValue(inner):
            return [inner] * count
        case CycleValue(part):
            around = items(stager, part)
            if not around:
                raise Unstageable("unsupported-expression", "cycle of nothing", stager.site)
            return list(itertools.islice(itertools.cycle(around), count))
        case _:
            return items(stager, value)[:count]


def _items_of_union(stager: Stager, value: Union) -> list[Any]:
    """Return the elements where all alternatives have the same number of them."""
    found = spread(stager, lambda x: items(stager, x), (value,))
    if isinstance(found, Union):
        raise Unstageable("concrete-value", "the number of elements", stager.site)
    return found


def _known_element(stager: Stager, start: Any, step: Any, index: int) -> Any:
    offset = number_ops.binary(stager, "*", step, index) if isinstance(step, Number) else step * index
    if isinstance(start, Number) or isinstance(offset, Number):
        return number_ops.binary(stager, "+", start, offset)
    return start + offset


def make_range(stager: Stager, args: Sequence[Any]) -> RangeValue:
    """Return `range(*args)`."""
    args = enums.operands(stager, args, ("__index__",))
    args = [number_from(stager, int, value) if _is_index(value) else value for value in args]
    if not 1 <= len(args) <= 3 or not all(is_number(a) and _is_integral(a) for a in args):
        raise Unstageable("unsupported-expression", "a range over these values", stager.site)
    start, stop, step = (0, *args, 1) if len(args) == 1 else (*args, 1)[:3]
    if not isinstance(step, Number) and step == 0:
        raise Unstageable("raises", "ValueError: range() arg 3 must not be zero", stager.site)
    return RangeValue(*(part if isinstance(part, Number) else int(part) for part in (start, stop, step)))


def _is_index(value: Any) -> bool:
    """Return whether `value` is an array that Python takes for an integer."""
    return is_array(value) and value.ndim == 0 and jnp.issubdtype(value.dtype, jnp.integer)


def _is_integral(value: Any) -> bool:
    kind = value.kind if isinstance(value, Number) else type(value)
    return kind in (int, bool)


def is_sequence(value: Any) -> bool:
    """Return whether `value` is a container of Python's own."""
    return type(value) in (tuple, list, dict, deque, set) or is_named_tuple(value)
