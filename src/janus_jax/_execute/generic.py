"""A program for calls under somebody else's transformation, where no host is there to read a verdict.

It decides nothing on the host: every branch is a `cond`, every loop ends when its own test says so. It has no guards,
unless somebody's `checkify` is around: each becomes a check, and its failure arrives in their error.
Its operations are handed to the trace that is open, as those of the plain function would be.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable
from dataclasses import replace
from types import FunctionType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import checkify
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun

from janus_jax._base import Unstageable
from janus_jax._convert import (
    Build,
    BuildObject,
    Constant,
    FromChoice,
    FromInput,
    FromOutput,
    Guard,
    Inside,
    Output,
    Staged,
)
from janus_jax._execute.calls import Call
from janus_jax._execute.entry import make_entry
from janus_jax._execute.verdicts import MISS, Mismatch, Tripped
from janus_jax._jax import is_tracer
from janus_jax._speculation.entries import is_container


def abstract_call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    """Return the call with arrays of zeros in place of tracers: a conversion looks at types only."""
    with jax.ensure_compile_time_eval():
        concrete = tuple(map(_abstract, args))
        named = {name: _abstract(value) for name, value in kwargs.items()}
    return Call(args, kwargs, concrete, named, traced=True)


def _abstract(value: Any) -> Any:
    if is_tracer(value):
        aval = jax.typeof(value)
        zeros = jnp.zeros(aval.shape, aval.dtype)
        return (
            jax.lax.convert_element_type_p.bind(zeros, new_dtype=aval.dtype, weak_type=True, sharding=None)
            if (aval.weak_type)
            else zeros
        )
    if not is_container(value):
        return value
    items = value.values() if type(value) is dict else value
    inner = list(map(_abstract, items))
    return dict(zip(value, inner, strict=True)) if type(value) is dict else type(value)(inner)


def make_generic(staged: Staged, function: FunctionType) -> Callable[..., Any]:
    """Return the entry function: it gives the result, or `MISS` where it is not to be had in this way."""
    decided = replace(staged, guards=(), result=_undecided(staged.result))
    entry = make_entry(decided, function, _inlined(staged), [], traced=True, by_type=True)[0]

    def call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = entry(args, kwargs)
        return MISS if type(result) is Tripped else result

    return call


def _undecided(output: Output) -> Output:
    """Return how the result is made where no output can be read; which of several objects it is, nobody can tell."""
    match output:
        case FromChoice(new):
            return _undecided(new)
        case Build():
            return replace(output, children=tuple(map(_undecided, output.children)))
        case BuildObject() if all(field.condition is None for field in output.fields):
            fields = tuple(replace(field, value=_undecided(field.value)) for field in output.fields)
            return replace(output, fields=fields)
        case FromOutput() | FromInput() | Constant() | Inside():
            return output
        case _:
            raise Unstageable("outer-trace", "the result hangs on a value")


def _inlined(staged: Staged) -> Callable[..., list[Any]]:
    """Return the jaxpr as a function of the inputs, whose types it checks: no `jit` is there to do it."""
    invars = iter(staged.jaxpr.in_avals)
    types = [next(invars) if item.placeholder is None else jax.typeof(item.placeholder) for item in staged.inputs]

    def run(*leaves: Any) -> list[Any]:
        given = [leaf if is_tracer(leaf) else jnp.asarray(leaf) for leaf in leaves]
        if not all(map(_fits, map(jax.typeof, given), types)):
            raise Mismatch
        places = {id(item.placeholder): leaf for item, leaf in zip(staged.inputs, given, strict=True)}
        constants = [places.get(id(constant), constant) for constant in staged.jaxpr.consts]
        arguments = [leaf for item, leaf in zip(staged.inputs, given, strict=True) if item.placeholder is None]
        results = list(jaxpr_as_fun(ClosedJaxpr(staged.jaxpr.jaxpr, constants))(*arguments))
        if staged.guards:
            _check(staged, results[-1])
        return results

    return run


def _check(staged: Staged, verdict: Any) -> None:
    """Tell the `checkify` around which guard has failed, if any."""
    with jax.enable_x64(staged.user_wide):
        for guard in staged.guards:
            checkify.check(verdict != np.int32(guard.index + 1), _message(guard).replace("{", "{{").replace("}", "}}"))


def _message(guard: Guard) -> str:
    """Return what the error says when a guard fails: the line, and what was to hold there."""
    line = linecache.getline(guard.site.file, guard.site.line).strip()
    return f"{guard.site.file}:{guard.site.line}: it does not hold that {guard.meaning}: {line}"


def _fits(given: Any, wanted: Any) -> bool:
    return (given.shape, given.dtype, given.weak_type) == (wanted.shape, wanted.dtype, wanted.weak_type)
