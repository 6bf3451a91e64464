"""Whether two calls did the same, by all that their caller can see.

In: a function and arguments. Out: `Outcome`s, and a `DifferenceError` that names the first place where two differ.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

CONSTANTS = (type(None), type(Ellipsis), bool, int, str, bytes)
RELATIVE, ABSOLUTE = 1e-5, 1e-6  # of floats, in whose last bits XLA has ways of its own
ROUNDINGS = 4  # of the dtype, where they are coarser than that


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one call ended, what it wrote to `sys.stdout`, and its arguments as it left them."""

    result: Any
    error: Exception | None
    output: str
    arguments: tuple[Any, ...]


class DifferenceError(AssertionError):
    """Two calls did not do the same."""


def outcome_of(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Outcome:
    """Call the function and return all that can be seen of the call."""
    result, error, output = None, None, io.StringIO()
    with contextlib.redirect_stdout(output):
        try:
            result = function(*arguments)
        except Exception as raised:
            error = raised
        jax.effects_barrier()
    return Outcome(result, error, output.getvalue(), arguments)


def copied(value: Any, made: dict[int, Any]) -> Any:
    """Return `value` with copies of the lists, dicts, sets and NumPy arrays in it; what was one object stays one."""
    kind = type(value)
    if id(value) in made:
        return made[id(value)]
    if kind is list:
        new = made[id(value)] = []
        new.extend(copied(item, made) for item in value)
    elif kind is dict:
        new = made[id(value)] = {}
        new.update((key, copied(item, made)) for key, item in value.items())
    elif kind is np.ndarray or kind is set:
        made[id(value)] = value.copy()
    elif isinstance(value, tuple):
        inner = [copied(item, made) for item in value]
        is_new = any(new is not old for new, old in zip(inner, value, strict=True))
        made[id(value)] = getattr(kind, "_make", kind)(inner) if is_new else value
    return made.get(id(value), value)


class Comparison:
    """Compares what two calls leave. An object of one stands for an object of the other: both have the same name."""

    def __init__(self, arguments: tuple[Any, ...], other_arguments: tuple[Any, ...]) -> None:
        self._names: dict[int, str] = {}
        self._other_names: dict[int, str] = {}
        self._visited: dict[int, Any] = {}
        self._alive: list[Any] = []  # so that no id is used again
        self._names_arrays = True
        self._arguments(arguments, other_arguments, "")
        self._names_arrays = False  # which of the new arrays are one object is not promised

    def outcomes(self, expected: Outcome, found: Outcome) -> None:
        """Raise `DifferenceError` unless the calls did the same."""
        if type(expected.error) is not type(found.error):
            raise DifferenceError(f"it {_ending(found)} where the plain call {_ending(expected)}")
        self._visited.clear()
        if expected.error and found.error:
            self.values(expected.error.args, found.error.args, "exception.args")
        self.values(expected.result, found.result, "result")
        _equal(expected.output, found.output, "output")
        self._arguments(expected.arguments, found.arguments, " after the call")

    def _arguments(self, expected: tuple[Any, ...], found: tuple[Any, ...], when: str) -> None:
        for index, pair in enumerate(zip(expected, found, strict=True)):
            self.values(*pair, f"argument {index}{when}")

    def values(self, expected: Any, found: Any, where: str) -> None:
        """Raise `DifferenceError` unless the values have one type and structure, and are equal in every leaf."""
        kind = type(expected)
        if type(found) is not kind:
            raise DifferenceError(f"{where}: {type(found).__name__} instead of {kind.__name__}")
        if kind in CONSTANTS:
            _equal(expected, found, where)
        elif isinstance(expected, (float, complex, np.generic)):
            _same_array(np.asarray(expected), np.asarray(found), where)
        else:
            self._same_object(expected, found, where)
            if expected is not found and id(expected) not in self._visited:
                self._visited[id(expected)] = expected
                self._same_content(expected, found, where)

    def _same_object(self, expected: Any, found: Any, where: str) -> None:
        name, other_name = self._names.get(id(expected)), self._other_names.get(id(found))
        if name != other_name:
            raise DifferenceError(f"{where}: {other_name or 'a new object'} instead of {name or 'a new object'}")
        if name is None and (self._names_arrays or not isinstance(expected, jax.Array)):
            self._names[id(expected)] = self._other_names[id(found)] = where
            self._alive += [expected, found]

    def _same_content(self, expected: Any, found: Any, where: str) -> None:
        if isinstance(expected, np.ndarray) and expected.dtype == object:
            return self.values(expected.tolist(), found.tolist(), where)
        if isinstance(expected, (jax.Array, np.ndarray)):
            return _same_array(expected, found, where)
        parts, other_parts = dict(_parts(expected)), dict(_parts(found))
        if not parts and type(expected).__eq__ is not object.__eq__:
            _equal(expected, found, where)
        if len(parts) != len(other_parts) or list(parts) != list(other_parts):
            raise DifferenceError(f"{where}: {found!r} instead of {expected!r}")
        for step, part in parts.items():
            self.values(part, other_parts[step], where + step)


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what an object is made of, with the way to it."""
    if isinstance(value, (list, tuple)):
        yield from ((f"[{index}]", item) for index, item in enumerate(value))
    elif isinstance(value, dict):
        yield from ((f"[{key!r}]", item) for key, item in value.items())
    else:
        names = [field.name for field in fields(value)] if is_dataclass(value) else getattr(value, "__dict__", ())
        yield from ((f".{name}", getattr(value, name, None)) for name in names)


def _ending(outcome: Outcome) -> str:
    return f"raised {outcome.error!r}" if outcome.error else f"returned {outcome.result!r}"


def _equal(expected: Any, found: Any, where: str) -> None:
    if expected != found:
        raise DifferenceError(f"{where}: {found!r} instead of {expected!r}")


def _same_array(expected: Any, found: Any, where: str) -> None:
    _equal_types(expected, found, where)
    if jnp.issubdtype(expected.dtype, jax.dtypes.prng_key):
        expected, found = jax.random.key_data(expected), jax.random.key_data(found)
    left, right = np.asarray(expected), np.asarray(found)
    if not (_close(left, right) if jnp.issubdtype(left.dtype, np.inexact) else left.tobytes() == right.tobytes()):
        raise DifferenceError(f"{where}: {found} instead of {expected}")


def _equal_types(expected: Any, found: Any, where: str) -> None:
    types = [
        f"{'weakly typed ' if getattr(array, 'weak_type', False) else ''}{array.dtype}{list(array.shape)}"
        for array in (expected, found)
    ]
    if types[0] != types[1]:
        raise DifferenceError(f"{where}: {types[1]} instead of {types[0]}")


def _close(expected: Any, found: Any) -> bool:
    wide = np.complex128 if np.iscomplexobj(expected) else np.float64
    relative = max(RELATIVE, ROUNDINGS * float(jnp.finfo(expected.dtype).eps))
    return np.allclose(found.astype(wide), expected.astype(wide), relative, ABSOLUTE, equal_nan=True)
