"""Helpers for users' own test suites: is the speculated function really the same?"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import numpy as np

from janus_jax._api import Speculated, speculate
from janus_jax._convert import Guard
from janus_jax._equivalence import Comparison, DifferenceError, copied, outcome_of
from janus_jax.errors import UsageError

CALLS_AFTER_PROFILING = 3  # one converts and runs; where it finds a guard tripped or too much assumed, another


def guards(function: Speculated[Any, Any]) -> tuple[Guard, ...]:
    """Return the guards inside the current program of a speculated function."""
    program = function.__janus_engine__.program()
    return program.guards if program else ()


@contextmanager
def force(function: Speculated[Any, Any], guard_index: int, iteration: int) -> Generator[None]:
    """Have a guard of the current program trip, at an iteration of its innermost loop; -1: whenever it is reached.

    Works under JANUS_JAX_DEVELOPER=1 only, which makes programs take the input that this sets.

    Raises:
      UsageError: there is no program, no guard in it, or the variable is not set.
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
    """Run `function` plain and speculated on each tuple of arguments, and demand that both do the same.

    Each tuple is called until a call runs compiled, or until it should have; every call is compared. Compared are
    results (type, structure, dtype, shape, weak type, values, and which objects came in), exceptions (type and
    arguments), what is printed, and what becomes of the arguments. Floats are compared by tolerance. Each call has
    lists, dicts, sets and NumPy arrays of its own; all other objects are handed over as they are, and should not be
    changed by the function.

    Raises:
      AssertionError: two calls differ; the message names the call and the first place.
      NotAFunctionError: `function` cannot be called.
    """
    speculated = function if isinstance(function, Speculated) else speculate(function)
    for arguments in argument_tuples:
        compiled = speculated.stats().compiled_calls
        for number in range(1, speculated.__janus_engine__.options.profile_calls + CALLS_AFTER_PROFILING + 1):
            _assert_same(speculated, arguments, number)
            if speculated.stats().compiled_calls > compiled:
                break


def _assert_same(speculated: Speculated[Any, Any], arguments: tuple[Any, ...], number: int) -> None:
    left, right = copied(arguments, {}), copied(arguments, {})
    comparison = Comparison(left, right)
    expected, found = outcome_of(speculated.__janus_function__, left), outcome_of(speculated, right)
    try:
        comparison.outcomes(expected, found)
    except DifferenceError as difference:
        raise AssertionError(f"{speculated!r}, call {number} with {arguments!r}: {difference}") from None
