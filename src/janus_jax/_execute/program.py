"""A program: one closed jaxpr, its executable, and the entry function in front of it."""

from __future__ import annotations

import functools
import threading
import time
import weakref
from collections.abc import Sequence
from types import FunctionType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun

from janus_jax._convert import Guard, Input, Staged
from janus_jax._execute.arms import with_cheap_arms_chosen
from janus_jax._execute.entry import make_entry
from janus_jax._execute.verdicts import Mismatch
from janus_jax._jax import prng_kind, state_restored

# The passes that fuse, and so change last bits; without them a loop ends where plain Python's would (SOUNDNESS 13).
EXACT_OPTIONS: dict[str, Any] = {"xla_disable_hlo_passes": "algsimp,fusion"}
_NUMBERS = {"bool": jnp.bool_, "int": jnp.int64, "float": jnp.float64}


class _Armed(threading.local):
    """Whether this thread may trace the program now; anything else that makes JAX trace it is a mismatch."""

    on = False
    seconds = 0.0  # that tracing took


class Program:
    """A staged function, compiled at its first call.

    `call(args, kwargs)` returns the result, `MISS`, or `Tripped`; nothing can be seen of a call that missed or tripped.
    """

    def __init__(self, staged: Staged, function: FunctionType) -> None:
        self.staged = staged
        self.trace_seconds = self.compile_seconds = 0.0
        self.array_types: tuple[object, ...] = ()  # of the call that it was compiled for
        self.force = [np.array([-1, -1], np.int32)]
        self._armed = _Armed()
        options = EXACT_OPTIONS if staged.plan.exact else None
        self._run: Any = jax.jit(_body(staged, self._armed), compiler_options=options)
        self._function = function
        self.prng_kind = prng_kind()
        self.call, self.source = make_entry(staged, function, self._run, self.force)
        weakref.finalize(self, self._run.clear_cache)  # a dropped jit leaves 11 kB otherwise

    @property
    def guards(self) -> tuple[Guard, ...]:
        """The assertions inside the program."""
        return self.staged.guards

    @functools.cached_property
    def call_traced(self) -> Any:
        """As `call`, for arguments that eager differentiation has wrapped in tracers."""
        return make_entry(self.staged, self._function, self._run, self.force, traced=True)[0]

    def compile(self, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """Call the program for the first time, for these arguments: it is traced and compiled for their types."""
        self._armed.on = True
        started = time.perf_counter()
        try:
            with state_restored():
                return self.call(args, kwargs)
        finally:
            self._armed.on = False
            self.trace_seconds = self._armed.seconds
            self.compile_seconds = time.perf_counter() - started - self.trace_seconds
            self.staged = self.staged.without_arrays()  # the user may want their memory back


def _body(staged: Staged, armed: _Armed) -> Any:
    """Return the function that `jit` traces, once: the jaxpr over its inputs, when this thread is armed."""
    to_trace = [staged]

    def program(*leaves: Any) -> list[Any]:
        if not armed.on or not to_trace:
            raise Mismatch
        started = time.perf_counter()
        try:
            return _on_inputs(to_trace.pop(), leaves)
        finally:
            armed.seconds = time.perf_counter() - started

    return program


def _on_inputs(staged: Staged, leaves: Sequence[Any]) -> list[Any]:
    """Return the outputs of the jaxpr for these inputs, of which some take the place of its constants."""
    typed = [_typed(item, leaf) for item, leaf in zip(staged.inputs, leaves, strict=True)]
    sources = [_source(staged.inputs, constant) for constant in staged.jaxpr.consts]
    constants = [c if s is None else typed[s] for c, s in zip(staged.jaxpr.consts, sources, strict=True)]
    arguments = [leaf for item, leaf in zip(staged.inputs, typed, strict=True) if item.placeholder is None]
    return list(jaxpr_as_fun(with_cheap_arms_chosen(ClosedJaxpr(staged.jaxpr.jaxpr, constants)))(*arguments))


def _source(inputs: Sequence[Input], constant: Any) -> int | None:
    """Return which input a constant of the jaxpr stands for, if any."""
    return next(
        (i for i, item in enumerate(inputs) if item.placeholder is not None and item.placeholder is constant), None
    )


def _typed(item: Input, leaf: Any) -> Any:
    """Return a Python number strongly typed and 64 bits wide, as it was staged."""
    return lax.convert_element_type(leaf, _NUMBERS[item.kind]) if item.kind in _NUMBERS else leaf
