"""Everything a caller can see of a call, as plain data that two calls can be compared by.

A *picture* is a nested tuple or an `ArrayPicture`: types, bits, dtypes, weak types, and who is the same object as whom.
NaN is one value here: IEEE leaves its sign and payload open, and compilers use that.
"""

from __future__ import annotations

import contextlib
import io
import math
import re
import struct
import sys
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jax import Array, dtypes
from jax.random import key_data

from tests.harness.lines import lines_through

TESTS = str(Path(__file__).resolve().parent.parent)
HARNESS = str(Path(__file__).resolve().parent)
PROGRAM_FILES = tuple(str(Path(__file__).resolve().with_name(name)) for name in ("probes.py", "steps.py"))
GENERATED = "<generated"
_ADDRESS = re.compile(r"object id \d+")  # in texts of JAX: another at each call

Arguments = tuple[tuple[Any, ...], dict[str, Any]]


def is_user_file(name: str) -> bool:
    """Say whether code in the file `name` stands for a user's code: tests and programs, not the harness."""
    if name.startswith(GENERATED) or name in PROGRAM_FILES:
        return True
    return name.startswith(TESTS) and not name.startswith(HARNESS)


@dataclass(frozen=True, slots=True, eq=False)
class ArrayPicture:
    """An array by its type, its dtype and shape, where it is bound to live, and its bits."""

    kind: str
    dtype: str
    weak: bool
    committed: bool
    label: str
    content: np.ndarray = field(repr=False)

    def header(self) -> tuple[Any, ...]:
        """Everything but the bits."""
        return (self.kind, self.dtype, self.weak, self.committed, self.label, self.content.shape)


@dataclass(slots=True)
class Painter:
    """Draws pictures; an object met again becomes a reference to where it was met first."""

    known: dict[int, str] = field(default_factory=dict)
    alive: list[Any] = field(default_factory=list)

    def name(self, value: Any, label: str) -> None:
        """Remember `value` under `label`, unless it has a name already."""
        if not is_atom(value) and id(value) not in self.known:
            self.known[id(value)] = label
            self.alive.append(value)

    def draw(self, value: Any, label: str) -> Any:
        """Return the picture of `value`, whose place is `label`."""
        if is_atom(value):
            return atom_picture(value)
        origin = self.known.get(id(value), label)
        first = origin == label
        self.name(value, label)
        if isinstance(value, Array | np.ndarray):
            # which new arrays are one object is not promised: docs/differences.md
            new = isinstance(value, Array) and origin.startswith("result")
            return array_picture(value, "new" if new else origin)
        if not first:
            return ("same object as", origin, type(value).__name__)
        return self.draw_compound(value, label)

    def draw_compound(self, value: Any, label: str) -> Any:
        """Return the picture of a container or of another object."""
        kind = type(value)
        name = f"{kind.__module__}.{kind.__qualname__}"
        if isinstance(value, tuple | list):
            return (name, *(self.draw(item, f"{label}[{i}]") for i, item in enumerate(value)))
        if isinstance(value, dict):
            pairs = enumerate(value.items())
            return (name, *((self.draw(k, f"{label}.key{i}"), self.draw(v, f"{label}[{k!r}]")) for i, (k, v) in pairs))
        if isinstance(value, types.FunctionType):
            return ("function", value.__qualname__, value.__code__.co_firstlineno)
        if isinstance(value, type | types.ModuleType):
            return ("object", id(value))
        content = getattr(value, "__dict__", None)
        inner = self.draw(dict(content), f"{label}.__dict__") if type(content) is dict else ()
        return ("instance", name, inner)


def is_atom(value: Any) -> bool:
    """Say whether identity means nothing for `value`."""
    return (
        value is None or value is Ellipsis or isinstance(value, bool | int | float | complex | str | bytes | np.generic)
    )


def atom_picture(value: Any) -> Any:
    """Return type and bits of a number or string."""
    name = type(value).__name__
    if isinstance(value, np.generic):
        return ("numpy", str(value.dtype), bits_of(np.asarray(value)).tobytes())
    if isinstance(value, float):
        return (name, "nan" if math.isnan(value) else struct.pack("<d", value), repr(value))
    if isinstance(value, complex):
        return (name, repr(value))
    return (name, value)


def array_picture(value: Any, label: str) -> ArrayPicture:
    """Return the picture of a NumPy or JAX array; `label` tells the object it is."""
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    if isinstance(value, np.ndarray):
        return ArrayPicture(kind, str(value.dtype), False, False, label, bits_of(value))
    plain = value
    if dtypes.issubdtype(value.dtype, dtypes.prng_key):
        plain = key_data(value)
    committed = bool(getattr(value, "committed", False))
    return ArrayPicture(kind, str(value.dtype), value.aval.weak_type, committed, label, bits_of(np.asarray(plain)))


def bits_of(array: np.ndarray) -> np.ndarray:
    """Return a copy of `array` in which every NaN has the same bits."""
    copy = np.array(array)
    if dtypes.issubdtype(copy.dtype, np.inexact):
        copy[np.isnan(copy)] = np.nan
    return copy


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What one call did: its result or exception, what it left in its arguments, what it printed and warned."""

    result: Any
    error: Any
    arguments: Any
    output: str
    warned: tuple[Any, ...]

    @property
    def raised(self) -> bool:
        """Whether the call ended in an exception."""
        return self.error is not None

    def __str__(self) -> str:
        text = f"raised {self.error}" if self.raised else f"returned {self.result}"
        return text + (f", printed {self.output!r}" if self.output else "")


def observe(
    fun: Callable[..., Any], arguments: Arguments, roots: Mapping[str, Any] | None = None, *, capture: bool = True
) -> Outcome:
    """Call `fun` and return all that can be seen of it; `roots` name objects that a result may be.

    Output and warnings are redirected for the whole process, so `capture` must be off where there are threads.
    """
    positional, keywords = arguments
    painter = Painter()
    for label, root in (roots or {}).items():
        painter.name(root, label)
    name_leaves(painter, (positional, keywords), "arguments")
    with captured() if capture else contextlib.nullcontext((io.StringIO(), [])) as (printed, warned):
        result, error = attempt(fun, positional, keywords, painter)
    after = Painter().draw((positional, keywords), "arguments")
    seen = tuple((entry.category.__name__, str(entry.message)) for entry in warned)
    return Outcome(result, error, after, printed.getvalue(), seen)


@contextlib.contextmanager
def captured() -> Iterator[tuple[io.StringIO, list[warnings.WarningMessage]]]:
    """Collect what is printed and warned inside the `with`."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        yield printed, warned


def attempt(fun: Callable[..., Any], positional: Any, keywords: Any, painter: Painter) -> tuple[Any, Any]:
    """Return the pictures of the result and of the exception of one call; one of them is None."""
    try:
        result = fun(*positional, **keywords)
    except (Exception, KeyboardInterrupt) as error:
        return None, error_picture(error)
    assert sys.exc_info() == (None, None, None)
    return painter.draw(result, "result"), None


def name_leaves(painter: Painter, value: Any, label: str) -> None:
    """Give every object inside the arguments its place as a name."""
    painter.name(value, label)
    if isinstance(value, tuple | list):
        for index, item in enumerate(value):
            name_leaves(painter, item, f"{label}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            name_leaves(painter, item, f"{label}[{key!r}]")


def error_picture(error: BaseException) -> Any:
    """Return type, arguments, user's lines and causes of an exception."""
    lines = tuple((name, line) for file, name, line in lines_through(error) if is_user_file(file))
    texts = (argument if isinstance(argument, str) else repr(argument) for argument in error.args)
    arguments = tuple(map(without_stack, texts))
    return (type(error).__qualname__, arguments, lines, causes_of(error))


def without_stack(text: str) -> str:
    """Return a message without the stack that JAX writes into some: the frames of ours on it are no difference.

    Nor are the addresses of objects, which are others at each call.
    """
    before, stack, after = _ADDRESS.sub("object id", text).partition("Traceback (most recent call last):")
    return before + after.strip().rpartition("\n")[2] if stack else before


def causes_of(error: BaseException) -> tuple[str, ...]:
    """Return the types of what `error` was raised from or during."""
    link = error.__cause__ or error.__context__
    return () if link is None else (type(link).__qualname__, *causes_of(link))


def difference(expected: Outcome, actual: Outcome, tolerance: bool = False) -> str | None:
    """Return what differs between two outcomes, or None."""
    fields = ("error", "result", "arguments", "output", "warned")
    if expected.raised or actual.raised:
        fields = ("error", "arguments", "output", "warned")
    for name in fields:
        found = unlike(getattr(expected, name), getattr(actual, name), name, tolerance)
        if found:
            return found
    return None


def without_signs_of_zeros(outcome: Outcome) -> Outcome:
    """Return the outcome with every zero of an array in its result positive; Python's numbers keep their signs."""
    return replace(outcome, result=redrawn(outcome.result, with_positive_zeros))


def without_bindings(outcome: Outcome) -> Outcome:
    """Return the outcome with no new array of its result bound to a device: what went in stays as it is."""
    return replace(outcome, result=redrawn(outcome.result, unbound))


def redrawn(picture: Any, draw: Callable[[ArrayPicture], ArrayPicture]) -> Any:
    """Return a picture with every array in it drawn anew."""
    if isinstance(picture, ArrayPicture):
        return draw(picture)
    return tuple(redrawn(part, draw) for part in picture) if isinstance(picture, tuple) else picture


def with_positive_zeros(array: ArrayPicture) -> ArrayPicture:
    """Return an array with every zero positive."""
    content = array.content
    if not dtypes.issubdtype(content.dtype, np.inexact):
        return array
    return replace(array, content=np.where(content == 0, np.zeros_like(content), content))


def unbound(array: ArrayPicture) -> ArrayPicture:
    """Return an array that, if the call made it, is bound to no device."""
    return replace(array, committed=False) if array.label == "new" else array


def unlike(expected: Any, actual: Any, where: str, tolerance: bool) -> str | None:
    """Return the first difference between two pictures, or None."""
    if isinstance(expected, ArrayPicture) and isinstance(actual, ArrayPicture):
        return unlike_arrays(expected, actual, where, tolerance)
    if isinstance(expected, tuple) and isinstance(actual, tuple) and len(expected) == len(actual):
        if tolerance and expected[:1] == actual[:1] == ("float",):
            return None if close(float(expected[2]), float(actual[2])) else f"{where}: {expected[2]} became {actual[2]}"
        pairs = enumerate(zip(expected, actual, strict=True))
        return next((found for i, (a, b) in pairs if (found := unlike(a, b, f"{where}.{i}", tolerance))), None)
    if type(expected) is type(actual) and not isinstance(expected, ArrayPicture) and expected == actual:
        return None
    return f"{where}: {shown(expected)} became {shown(actual)}"


def unlike_arrays(expected: ArrayPicture, actual: ArrayPicture, where: str, tolerance: bool) -> str | None:
    """Return how two arrays differ, or None."""
    if expected.header() != actual.header():
        return f"{where}: {shown(expected)} became {shown(actual)}"
    if expected.content.tobytes() == actual.content.tobytes():
        return None
    if tolerance and expected.content.dtype.kind in "fcV" and close(expected.content, actual.content):
        return None
    return f"{where}: {shown(expected)} became {shown(actual)}"


def close(expected: Any, actual: Any) -> bool:
    """Say whether two floating-point values agree but for rounding."""
    left, right = (np.asarray(side).astype(np.complex128) for side in (expected, actual))
    return bool(np.allclose(left, right, rtol=2e-4, atol=1e-5, equal_nan=True))


def shown(picture: Any) -> str:
    """Return a picture as text for a message."""
    if isinstance(picture, ArrayPicture):
        return f"{picture.kind}{picture.header()[1:]} {picture.content!r}"
    return repr(picture)


def fresh(arguments: Arguments) -> Arguments:
    """Return the arguments with every list, dict and NumPy array copied, so that no call meets another's changes."""
    seen: dict[int, Any] = {}
    positional, keywords = copied(arguments, seen)
    return positional, keywords


def copied(value: Any, seen: dict[int, Any]) -> Any:
    """Return a copy of containers and NumPy arrays that keeps who is the same object as whom."""
    if id(value) in seen:
        return seen[id(value)]
    made = value
    if type(value) is tuple:
        made = tuple(copied(item, seen) for item in value)
    elif type(value) is list:
        made = [copied(item, seen) for item in value]
    elif type(value) is dict:
        made = {key: copied(item, seen) for key, item in value.items()}
    elif type(value) is np.ndarray:
        made = value.copy()
    seen[id(value)] = made
    return made


def roots_of(fun: Callable[..., Any]) -> dict[str, Any]:
    """Return the globals, closure and default values of `fun` by name, to recognise them in results."""
    inner = getattr(fun, "__wrapped__", fun)
    inner = getattr(inner, "__func__", inner)
    if not isinstance(inner, types.FunctionType):
        return {}
    return dict(walk_roots(inner))


def walk_roots(fun: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield the named objects that `fun` can return without making them."""
    for name in fun.__code__.co_names:
        if name in fun.__globals__:
            yield f"global {name}", fun.__globals__[name]
    for name, cell in zip(fun.__code__.co_freevars, fun.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):
            yield f"cell {name}", cell.cell_contents
    for index, value in enumerate(fun.__defaults__ or ()):
        yield f"default {index}", value
