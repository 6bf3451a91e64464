"""Compares what a function gives eagerly with what it gives under a trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from tests.convert.examples import Call


@dataclass(frozen=True)
class NumberPlace:
    """Where in an example a Python number stands: the leaf, and the parameter's name or position."""

    leaf: int
    parameter: str | int


@dataclass(frozen=True)
class Run:
    """One call: the leaves it was given, the result, and, if it was computed, the arrays among the result's leaves."""

    given: Sequence[Any]
    result: Any
    values: Sequence[jax.Array] | None


def is_array(leaf: Any) -> bool:
    """Whether the leaf would be a tracer while staging."""
    return isinstance(leaf, jax.Array)


def run_eagerly(function: Callable[..., Any], example: Call) -> Run:
    """The call as plain Python makes it."""
    result = function(*example.args, **example.kwargs)
    return Run(jax.tree.leaves((example.args, example.kwargs)), result, arrays_of(result))


How: TypeAlias = Literal["compiled", "op by op", "not"]


def run_traced(function: Callable[..., Any], example: Call, how: How) -> Run:
    """The call with tracers for all arrays among its arguments, and what was traced computed as `how` says."""
    leaves, structure = jax.tree.flatten((example.args, example.kwargs))
    # an array that is given twice is one tracer, as it is one object eagerly
    arrays = {id(leaf): leaf for leaf in leaves if is_array(leaf)}
    seen: list[tuple[Sequence[Any], Any]] = []

    def traced(*tracers: jax.Array) -> list[jax.Array]:
        known = dict(zip(arrays, tracers, strict=True))
        given = [known[id(leaf)] if is_array(leaf) else leaf for leaf in leaves]
        args, kwargs = jax.tree.unflatten(structure, given)
        result = function(*args, **kwargs)
        seen.append((given, result))
        return arrays_of(result)

    if how == "compiled":
        values = jax.jit(traced)(*arrays.values())
    else:
        jaxpr = jax.make_jaxpr(traced)(*arrays.values())
        values = _op_by_op(jaxpr, list(arrays.values())) if how == "op by op" else None
    return Run(*seen[0], values)


def _op_by_op(jaxpr: Any, arrays: Sequence[jax.Array]) -> list[jax.Array]:
    """What a jaxpr gives; a result that hangs on none of the arrays comes as a literal."""
    found = jax.core.eval_jaxpr(jaxpr.jaxpr, jaxpr.consts, *arrays)
    return [value if is_array(value) else jnp.asarray(value) for value in found]


def arrays_of(result: Any) -> list[jax.Array]:
    """The arrays among the result's leaves, in order."""
    return [leaf for leaf in jax.tree.leaves(result) if is_array(leaf)]


def differences(eager: Run, traced: Run, exact: bool) -> list[str]:
    """How the two runs differ in structure, types, dtypes, weak types, shapes or values; nothing where they agree."""
    if jax.tree.structure(eager.result) != jax.tree.structure(traced.result):
        return [f"structure {jax.tree.structure(eager.result)} is {jax.tree.structure(traced.result)} when traced"]
    pairs = zip(jax.tree.leaves(eager.result), jax.tree.leaves(traced.result), strict=True)
    found = [text for one, other in pairs if (text := _leaf_difference(one, other))]
    if not found and eager.values is not None and traced.values is not None:
        values = zip(eager.values, traced.values, strict=True)
        found = [text for one, other in values if (text := value_difference(one, other, exact))]
    return found


def _leaf_difference(eager: Any, traced: Any) -> str:
    if is_array(eager) or is_array(traced):
        one, other = (describe(leaf) if is_array(leaf) else repr(type(leaf)) for leaf in (eager, traced))
        return "" if one == other else f"{one} is {other} when traced"
    same = type(eager) is type(traced) and bool(np.all(eager == traced) or repr(eager) == repr(traced))
    return "" if same else f"{eager!r} is {traced!r} when traced"


def describe(array: jax.Array) -> str:
    """What of an array is fixed while staging."""
    aval = jax.typeof(array)
    return f"{aval.dtype}{list(aval.shape)}{' weak' if getattr(aval, 'weak_type', False) else ''}"


def plain(array: jax.Array) -> np.ndarray[Any, Any]:
    """The array's content, for keys too."""
    return np.asarray(jax.random.key_data(array) if jax.dtypes.issubdtype(array.dtype, jax.dtypes.prng_key) else array)


def value_difference(eager: jax.Array, traced: jax.Array, exact: bool) -> str:
    """How two arrays of the same type differ: in any bit, or beyond rounding."""
    one, other = plain(eager), plain(traced)
    if one.tobytes() == other.tobytes() or _equal_but_for_nan_bits(one, other):
        return ""
    close = one.dtype.kind not in "biu" and np.allclose(_wide(one), _wide(other), rtol=2e-3, atol=1e-4, equal_nan=True)
    return "" if close and not exact else f"{one} is {other} when traced ({'rounding' if close else 'far off'})"


def _equal_but_for_nan_bits(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> bool:
    if one.dtype.kind in "biuV":
        return False
    same_sign = np.signbit(one.real) == np.signbit(other.real)
    return bool(np.all(((one == other) & same_sign) | (np.isnan(one) & np.isnan(other))))


def _wide(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)


def identities(run: Run) -> list[str]:
    """For each array in the result, which argument or earlier result it is; "fresh" for none."""
    earlier: list[tuple[str, Any]] = [
        (f"argument {index}", leaf) for index, leaf in enumerate(run.given) if is_array(leaf)
    ]
    found: list[str] = []
    for index, leaf in enumerate(arrays_of(run.result)):
        found.append(next((name for name, other in earlier if other is leaf), "fresh"))
        earlier.append((f"result {index}", leaf))
    return found


def number_places(example: Call) -> list[NumberPlace]:
    """Every Python number in the example, in containers too."""
    places: list[NumberPlace] = []
    paths = jax.tree.flatten_with_path((example.args, example.kwargs))[0]
    for index, (path, leaf) in enumerate(paths):
        if type(leaf) in (int, float, bool):
            step = path[1]
            places.append(NumberPlace(index, step.key if isinstance(step, jax.tree_util.DictKey) else step.idx))
    return places


def run_with_number(function: Callable[..., Any], example: Call, place: NumberPlace) -> Run:
    """The call with the number at `place` as a tracer, and everything else as it is."""
    leaves, structure = jax.tree.flatten((example.args, example.kwargs))
    seen: list[Any] = []

    def traced(number: jax.Array) -> list[jax.Array]:
        args, kwargs = jax.tree.unflatten(structure, [*leaves[: place.leaf], number, *leaves[place.leaf + 1 :]])
        seen.append(function(*args, **kwargs))
        return arrays_of(seen[0])

    jax.make_jaxpr(traced)(leaves[place.leaf])
    return Run(leaves, seen[0], None)
