"""Helpers for users' own test suites: is the speculated function really the same?"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import numpy as np

from janus_jax._api import Speculated, speculate
from janus_jax._convert import Guard
from janus_jax.errors import UsageError

CALLS_UNTIL_COMPILED = 5


def guards(function: Speculated[Any, Any]) -> tuple[Guard, ...]:
    """Return the guards inside the current program of a speculated function."""
    program = function.__janus_engine__.program()
    return program.guards if program else ()


@contextmanager
def force(function: Speculated[Any, Any], guard_index: int, iteration: int) -> Generator[None]:
    """Have a guard of the current program trip, at an iteration of its innermost loop; -1: whenever it is reached.

    Works under JANUS_JAX_DEVELOPER=1 only, which makes programs take the input that this sets.
    """
    program = function.__janus_engine__.program()
    if program is None or not any(item.kind == "force" for item in program.staged.inputs):
        raise UsageError("There is no guard to force: no program, no guard in it, or JANUS_JAX_DEVELOPER is not set.")
    before = program.force[0]
    program.force[0] = np.array([guard_index, iteration], np.int32)
    try:
        yield
    finally:
        program.force[0] = before


def assert_equivalent(function: Callable[..., Any], *argument_tuples: tuple[Any, ...]) -> None:
    """Run `function` plain and speculated on each tuple of arguments, and raise AssertionError where they differ.

    Compared are results (types, structure, dtypes, shapes, values to floating-point tolerance) and exceptions. Each
    tuple is called often enough for the function to be profiled, converted and run compiled.
    """
    fast = speculate(function)
    slow = fast.__wrapped__
    for arguments in argument_tuples:
        expected = _outcome(slow, arguments)
        for _ in range(CALLS_UNTIL_COMPILED):
            _assert_same(expected, _outcome(fast, arguments), arguments)


def _outcome(function: Any, arguments: tuple[Any, ...]) -> Any:
    try:
        return ("returned", function(*arguments))
    except Exception as error:
        return ("raised", type(error), error.args)


def _assert_same(expected: Any, found: Any, where: Any) -> None:
    if type(expected) is not type(found):
        raise AssertionError(f"{where}: {type(found).__name__} instead of {type(expected).__name__}")
    if isinstance(expected, (tuple, list)):
        if len(expected) != len(found):
            raise AssertionError(f"{where}: {len(found)} elements instead of {len(expected)}")
        for left, right in zip(expected, found, strict=True):
            _assert_same(left, right, where)
    elif isinstance(expected, dict):
        if list(expected) != list(found):
            raise AssertionError(f"{where}: keys {list(found)} instead of {list(expected)}")
        for key in expected:
            _assert_same(expected[key], found[key], where)
    elif hasattr(expected, "dtype"):
        _assert_same_array(expected, found, where)
    elif expected != found and not (expected != expected and found != found):
        raise AssertionError(f"{where}: {found!r} instead of {expected!r}")


def _assert_same_array(expected: Any, found: Any, where: Any) -> None:
    if expected.shape != found.shape or expected.dtype != found.dtype:
        raise AssertionError(f"{where}: {found.dtype}{found.shape} instead of {expected.dtype}{expected.shape}")
    if not np.issubdtype(expected.dtype, np.number) and expected.dtype != bool:
        return
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=1e-5, atol=1e-6, err_msg=str(where))
