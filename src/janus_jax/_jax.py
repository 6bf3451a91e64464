"""The only door to parts of JAX that are not documented; each with its reason.

Checked on jax 0.10.2 (Python 3.11) and 0.12.0 (Python 3.12).
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from types import CodeType, FunctionType
from typing import Any

import jax
from jax._src import config as _config
from jax._src import core as _core
from jax._src import random, xla_bridge
from jax._src.array import ArrayImpl
from jax._src.interpreters.ad import JVPTrace, JVPTracer, LinearizeTrace, LinearizeTracer
from jax._src.interpreters.partial_eval import convert_constvars_jaxpr as convert_constvars_jaxpr  # else traced again
from jax.experimental import checkify
from jax.interpreters import ad

from janus_jax._base.objects import is_a, is_one_of

# Random keys moved after jax 0.10.0.
_prng = importlib.import_module("jax._src.random.prng" if hasattr(random, "__path__") else "jax._src.prng")

# The exact classes of concrete arrays: `isinstance(x, jax.Array)` is true for tracers too, and slow.
ARRAY_TYPES: tuple[type, ...] = (ArrayImpl, _prng.PRNGKeyArray)


# What JAX keeps for each thread and changes while it traces.
_THREAD_STATE: tuple[Any, ...] = (
    _config.enable_x64,
    _core.trace_state_strong_ref,
    _core.trace_state,
    _core.axis_env_state,
)

# `jax.enable_x64` as two functions of C, between whose call and effect no interrupt can come.
local_x64 = _config.enable_x64.get_local
set_local_x64 = _config.enable_x64.set_local


@contextmanager
def state_restored() -> Generator[None]:
    """Leave JAX's state of this thread as it was, also if an interrupt comes while one of its contexts is left."""
    before = [state.get_local() for state in _THREAD_STATE]
    try:
        yield
    except BaseException:
        for state, value in zip(_THREAD_STATE, before, strict=True):
            state.set_local(value)
        raise


def wide_types_enabled() -> bool:
    """Return whether 64-bit types are enabled here; `jax.config.jax_enable_x64` is public, but not in JAX's types."""
    return bool(_config.enable_x64.value)


def prng_kind() -> tuple[str, bool, str]:
    """Return what kind of random keys are made and taken; `jit` leaves it out of its cache key."""
    return _config.default_prng_impl.value, _config.enable_custom_prng.value, _config.legacy_prng_key.value


def is_ready(kind: tuple[str, bool, str]) -> bool:
    """Return whether a program may run: no trace is open, no debugging option is on, and seeds make keys of `kind`.

    What else JAX's configuration decides is part of the key of `jit`'s own cache.
    """
    return (
        _core.trace_state_clean()
        and not _config.debug_nans.value
        and not _config.debug_infs.value
        and not _config.debug_key_reuse.value
        and (_config.default_prng_impl.value, _config.enable_custom_prng.value, _config.legacy_prng_key.value) == kind
    )


def has_started() -> bool:
    """Return whether JAX has chosen its devices, and XLA has threads, which a forked process lacks."""
    return xla_bridge.backends_are_initialized()


def debugging() -> bool:
    """Return whether an option is on under which every operation must run on its own."""
    options = (_config.debug_nans, _config.debug_infs, _config.disable_jit, _config.debug_key_reuse)
    return any(option.value for option in options)


def eager_primal(value: Any) -> jax.Array | None:
    """Return the concrete array below eager `grad`, `jvp` or `linearize` tracers, or None below anything else."""
    while is_a(value, JVPTracer, LinearizeTracer):
        value = value.primal
    return value if is_one_of(type(value), ARRAY_TYPES) else None


def zero_tangent(value: Any) -> Any:
    """Return the symbolic zero tangent of `value`; `to_tangent_aval` is not documented, `ad.Zero` is public."""
    return ad.Zero(jax.typeof(value).to_tangent_aval())


def zero_cotangent(aval: Any) -> Any:
    """Return the symbolic zero cotangent for a value of type `aval`; `to_ct_aval` is not documented."""
    return ad.Zero(aval.to_ct_aval())


def in_eager_trace() -> bool:
    """Return whether this thread runs eagerly, or under eager differentiation alone: values are concrete then."""
    trace = _core.trace_ctx.trace
    while isinstance(trace, (JVPTrace, LinearizeTrace)):
        trace = trace.parent_trace
    return isinstance(trace, _core.EvalTrace)


@cache
def _checked_code() -> CodeType:
    """Return the code that runs for as long as `checkify` traces a function."""
    return inspect.unwrap(checkify.checkify(len)).__code__


def checks_arrive() -> bool:
    """Return whether a check would arrive in somebody's `checkify`; JAX knows only when the trace is complete."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code is not _checked_code():
        frame = frame.f_back
    return frame is not None and checkify.user_checks <= frame.f_locals["errors"]


@cache
def _call_of_jit() -> Any:
    """Return what a call of a jitted function is to a trace, where nothing is said of devices, layouts or donation."""
    return jax.make_jaxpr(jax.jit(lambda x: x))(0.0).eqns[0]


def computes_only(function: Any, args: Any, keywords: Any) -> bool:
    """Return whether calling a jitted function does nothing but compute, wherever its arguments are."""
    jaxpr = jax.make_jaxpr(lambda: function(*args, **keywords))()
    plain = _call_of_jit()
    names = ("in_shardings", "out_shardings", "in_layouts", "out_layouts", "donated_invars")
    calls = [equation.params for equation in jaxpr.eqns if equation.primitive is plain.primitive]
    alike = all(one is plain.params[name][0] for call in calls for name in names for one in call[name])
    return alike and not any(call["compiler_options_kvs"] for call in calls) and not jaxpr.effects


def _layers(function: Any) -> list[tuple[CodeType, str]]:
    """Return the code of each function that one of JAX is wrapped around, and the name that the next has in it."""
    found: list[tuple[CodeType, str]] = []
    while type(function) is FunctionType and function.__closure__ is not None:
        code = function.__code__
        name = next((name for name in ("fun", "value_and_grad_f") if name in code.co_freevars), None)
        if name is None:
            break
        found.append((code, name))
        function = function.__closure__[code.co_freevars.index(name)].cell_contents
    return found


def _held(function: Any) -> dict[str, Any]:
    """Return what the cells of a function hold, by name."""
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    return dict(zip(function.__code__.co_freevars, cells, strict=True))


OPTIONS = ("argnums", "has_aux", "in_axes", "out_axes")  # of transformations; others have to be the usual ones


@cache
def _transformations() -> dict[tuple[CodeType, ...], tuple[Any, dict[str, Any]]]:
    """Return what a transformation makes of a function, by the codes of its layers, and what the innermost holds."""
    found: dict[tuple[CodeType, ...], tuple[Any, dict[str, Any]]] = {}
    for transform in (jax.grad, jax.value_and_grad, jax.vmap, jax.checkpoint):
        made = transform(len)
        layers = _layers(made)
        for _, name in layers[:-1]:
            made = _held(made)[name]
        usual = _held(made)
        found[tuple(code for code, _ in layers)] = (transform, {k: v for k, v in usual.items() if k != layers[-1][1]})
    return found


def taken_apart(function: Any) -> tuple[Any, list[str], dict[str, Any]] | None:
    """Return what `jax.grad(...)` and the like were given to make `function`, which JAX does not say otherwise.

    The transformation, the names of the cells that lead to the inner function, and what beside it the last function
    on that way usually holds. None for other functions.
    """
    layers = _layers(function)
    for depth in range(len(layers), 0, -1):
        known = _transformations().get(tuple(code for code, _ in layers[:depth]))
        if known is not None:
            return known[0], [name for _, name in layers[:depth]], known[1]
    return None


def is_tracer(value: Any) -> bool:
    """Return whether `value` is a tracer; `jax.core.Tracer` is public, but only after an import of its module."""
    return is_a(value, _core.Tracer)
