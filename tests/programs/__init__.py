"""The gallery: small imperative functions that must mean the same in every mode as in plain Python.

The programs are in plain modules, written as a person would write them who does not think of compilation.
The decorator only registers a function and hands it back untouched.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import jax.numpy as jnp

Ending = Literal["compiled", "imperative", "any"]
UserFunction = TypeVar("UserFunction", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Call:
    """The arguments of one call."""

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Mutation:
    """A change of something that the program reads; `apply` returns the function that undoes it."""

    name: str
    apply: Callable[[], Callable[[], None]]


@dataclass(frozen=True, slots=True)
class Program:
    """One gallery program and what is known about it.

    `expect` is how a call with the first input must end after profiling: "any" is for Python outside of what is
    promised, where only the agreement with plain Python counts. `reason` is the id of the Reason that a refused
    program must give. `close` is the written ground on which floats are compared by tolerance even under the flags
    that make XLA exact. `reset` restores what the program changes, before each call; `observe` returns it, after.
    `unreached` is the most guards of its programs that no input can reach: they are for a type that a value has on
    no path that leads there.
    """

    name: str
    function: Callable[..., Any]
    rows: tuple[int, ...]
    make_inputs: Callable[[], Sequence[Any]]
    expect: Ending
    reason: tuple[str, ...]
    close: str | None
    reset: Callable[[], None] | None
    observe: Callable[[], Any] | None
    mutations: tuple[Mutation, ...]
    unreached: int

    def calls(self) -> list[Call]:
        """Every input, built anew: no two lists share an array or a container."""
        return [item if isinstance(item, Call) else Call(tuple(item)) for item in self.make_inputs()]

    def __str__(self) -> str:
        return self.name


PROGRAMS: dict[str, Program] = {}


def program(
    *,
    rows: tuple[int, ...],
    inputs: Sequence[Any] | Callable[[], Sequence[Any]],
    expect: Ending,
    reason: str | tuple[str, ...] = (),
    close: str | None = None,
    reset: Callable[[], None] | None = None,
    observe: Callable[[], Any] | None = None,
    mutations: Sequence[Mutation] = (),
    unreached: int = 0,
    name: str | None = None,
) -> Callable[[UserFunction], UserFunction]:
    """Return a decorator that registers a function as a gallery program and returns the function itself.

    Each element of `inputs` is a tuple of positional arguments or what `call(...)` made. Inputs with anything mutable
    come from a callable, so that each call has its own.
    """

    def register(function: UserFunction) -> UserFunction:
        theme = function.__module__.rpartition(".")[2]
        full_name = f"{theme}.{name or function.__name__}"
        assert full_name not in PROGRAMS, full_name
        PROGRAMS[full_name] = Program(
            name=full_name,
            function=function,
            rows=rows,
            make_inputs=inputs if callable(inputs) else lambda: inputs,
            expect=expect,
            reason=(reason,) if isinstance(reason, str) else reason,
            close=close,
            reset=reset,
            observe=observe,
            mutations=tuple(mutations),
            unreached=unreached,
        )
        return function

    return register


def load() -> dict[str, Program]:
    """Return every program of the gallery, by name, with all modules imported."""
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        importlib.import_module(f"{__name__}.{module}")
    return PROGRAMS


def call(*args: Any, **kwargs: Any) -> Call:
    """The arguments of one call, keywords included."""
    return Call(args, kwargs)


def rebind(namespace: dict[str, Any], name: str, make: Callable[[], Any]) -> Mutation:
    """The mutation that gives a name of a namespace another value."""

    def apply() -> Callable[[], None]:
        before = namespace[name]
        namespace[name] = make()

        def undo() -> None:
            namespace[name] = before

        return undo

    return Mutation(f"rebind {name}", apply)


def reattribute(owner: Any, name: str, make: Callable[[], Any]) -> Mutation:
    """The mutation that gives an attribute another value, until undone."""

    def apply() -> Callable[[], None]:
        before = getattr(owner, name)
        setattr(owner, name, make())
        return lambda: setattr(owner, name, before)

    return Mutation(f"set {name}", apply)


def f32(*values: Any) -> Any:
    """A float32 vector of `values`."""
    return jnp.array(values, dtype=jnp.float32)


def i32(*values: Any) -> Any:
    """An int32 vector of `values`."""
    return jnp.array(values, dtype=jnp.int32)


def scalar(value: Any, dtype: Any = jnp.float32) -> Any:
    """A 0-dimensional array that is not weakly typed."""
    return jnp.array(value, dtype=dtype)


def weak(value: Any) -> Any:
    """A 0-dimensional, weakly typed array, as JAX makes of a Python number."""
    return jnp.asarray(value)


def grid(*shape: int, scale: float = 0.25, start: float = -1.0) -> Any:
    """A float32 array of `shape` with values that differ, deterministic and exact in binary."""
    size = 1
    for length in shape:
        size *= length
    return (jnp.arange(size, dtype=jnp.float32) * scale + start).reshape(shape)
