"""Programs that nobody thought of: nests of statements over arrays and Python numbers, drawn by Hypothesis.

Every program ends: `while` loops have a counter that nothing else writes, ranges are short, loops nest twice, and a
product of two integers is cut back. Most run without an exception; some divide by zero, read a name that is not bound,
or add what cannot be added, and then the exception is what must agree.
"""

from __future__ import annotations

import contextlib
import itertools
import linecache
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from hypothesis import strategies

from tests.harness.grammar import PARAMETERS, PREAMBLE, Theme
from tests.harness.outcomes import GENERATED, Arguments
from tests.harness.writer import Draw, Writer
from tests.harness.writer_objects import ObjectWriter


@dataclass(frozen=True, slots=True)
class Generated:
    """A program's source and the arguments of its calls, in order."""

    source: str
    calls: tuple[Arguments, ...]

    def __str__(self) -> str:
        calls = "\n".join(f"f{shown_arguments(positional)}" for positional, _ in self.calls)
        return f"{self.source}\n{calls}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Let Hypothesis print the program as it is."""
        printer.text(str(self))


def shown_arguments(positional: tuple[Any, ...]) -> str:
    """Return the arguments as they would be written."""
    return "(" + ", ".join(shown_argument(value) for value in positional) + ")"


def shown_argument(value: Any) -> str:
    """Return one argument as it would be written."""
    if isinstance(value, jax.Array):
        return (
            f"jnp.asarray({value.tolist()})"
            if value.aval.weak_type
            else f"jnp.array({value.tolist()}, '{value.dtype}')"
        )
    if isinstance(value, list):
        return "[" + ", ".join(shown_argument(item) for item in value) + "]"
    return repr(value)


@strategies.composite
def programs(draw: Draw, theme: Theme) -> Generated:
    """Draw a program and its calls."""
    kind = ObjectWriter if "make" in theme.weights else Writer
    writer = kind(draw, theme.statements(), dict(PARAMETERS), itertools.count(), {})
    writer.left = draw(strategies.integers(3, 16))
    while writer.left > 0:
        writer.statement()
    writer.line("return " + ", ".join(map(shown_result, writer.names.items())))
    functions = [*writer.helpers.values(), "\n".join([f"def f({', '.join(PARAMETERS)}):", *writer.lines])]
    return Generated(module_of("\n\n\n".join(functions)), draw(call_sequences()))


def shown_result(bound: tuple[str, str]) -> str:
    """Return what a name adds to the result: of an object of a class, what it holds."""
    name, kind = bound
    return f"{name}.value, {name}.count, {name}.items" if kind == "thing" else name


def module_of(functions: str) -> str:
    """Return the source of a module with these functions and the globals that they read."""
    needed = [name for name in PREAMBLE if name in functions or "scaled(" in functions]
    head = "".join(PREAMBLE[name] for name in needed)
    return f"import jax.numpy as jnp\n\n{head}\n\n{functions}\n"


@strategies.composite
def call_sequences(draw: Draw) -> tuple[Arguments, ...]:
    """Draw the arguments of calls: three to profile, a few that are alike, a few that are not."""
    base = draw(arguments())
    others = [draw(arguments()) for _ in range(3)]
    varied = draw(strategies.booleans())
    first = [base, others[0], base] if varied else [base, base, base]
    return (*first, base, others[0], others[1], base, others[2])


@strategies.composite
def arguments(draw: Draw) -> Arguments:
    """Draw the arguments of one call."""
    scalars = strategies.sampled_from([1.0, 0.5, -1.0, 0.0, -0.0, 3.25, -2.5, 100.0])
    vectors = strategies.sampled_from([(1.0, 2.0, 3.0), (0.5, -1.0, 0.25), (0.0, -0.0, 4.0), (-3.0, -1.5, 2.0)])
    vector = jnp.array(draw(vectors), jnp.float32)
    pair = [jnp.array(draw(vectors), jnp.float32), jnp.array(draw(vectors), jnp.float32)]
    n = draw(strategies.sampled_from([2, 3, 1, 0, -1, 5, 2**31 - 1]))
    r = draw(strategies.sampled_from([0.5, 1.0, -1.5, 0.0, -0.0, 0.1]))
    return ((jnp.array(draw(scalars), jnp.float32), vector, n, r, draw(strategies.booleans()), pair), {})


SERIAL = itertools.count()


@contextlib.contextmanager
def compiled_source(source: str) -> Iterator[dict[str, Any]]:
    """Run `source` as a module whose text `inspect` and `linecache` find; it is forgotten afterwards."""
    name = f"{GENERATED} {next(SERIAL)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    namespace: dict[str, Any] = {"__name__": "generated"}
    exec(compile(source, name, "exec"), namespace)
    try:
        yield namespace
    finally:
        linecache.cache.pop(name, None)
