"""A call to be run: its arguments as they are, and as a program can take them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from janus_jax._base import Reason, Unstageable
from janus_jax._execute.program import Program
from janus_jax._jax import eager_primal, is_tracer
from janus_jax._speculation.entries import is_container

MAX_DEPTH = 100  # of containers: what is nested deeper may contain itself, and would be looked through for ever


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One call: its arguments, and the same with concrete arrays instead of eager tracers."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    concrete_args: tuple[Any, ...]
    concrete_kwargs: dict[str, Any]
    traced: bool

    def run(self, program: Program) -> Any:
        """Return what the program makes of this call."""
        return program.call_traced(self.args, self.kwargs) if self.traced else program.call(self.args, self.kwargs)


def as_call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | Reason:
    """Return the call with concrete arguments, or why they cannot be had."""
    traced: list[bool] = []
    try:
        concrete_args = tuple(_concrete(value, traced, 0) for value in args)
        concrete_kwargs = {name: _concrete(value, traced, 0) for name, value in kwargs.items()}
    except Unstageable as end:
        return end.reason
    return Call(args, kwargs, concrete_args, concrete_kwargs, bool(traced))


def _concrete(value: Any, traced: list[bool], depth: int) -> Any:
    """Return `value`, rebuilt with concrete arrays where tracers are in it."""
    if is_tracer(value):
        primal = eager_primal(value)
        if primal is None:
            raise Unstageable("outer-trace")
        traced.append(True)
        return primal
    if not is_container(value):
        return value
    if depth == MAX_DEPTH:
        raise Unstageable("deep-argument")
    items = value.values() if type(value) is dict else value
    before = len(traced)
    inner = [_concrete(item, traced, depth + 1) for item in items]
    if len(traced) == before:
        return value
    return dict(zip(value, inner, strict=True)) if type(value) is dict else type(value)(inner)
