"""What JAX keeps of a function of the call that it has traced: given it once more, JAX uses what it saw the first time.

So a variable that has changed meanwhile has, in plain Python, the value that it had then. Nothing here keeps traces: a
function that would see something else the second time ends the conversion.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jax

from janus_jax._base import Unstageable
from janus_jax._convert.generators import parts_seen
from janus_jax._convert.native import CALLABLES, is_scalar
from janus_jax._convert.stager import Stager
from janus_jax._guards import Argument, Path
from janus_jax._values.kinds import FunctionValue, Instance, PartialValue

# Those of which JAX keeps what the functions were that they were given.
KEEPING = (
    jax.jit,
    jax.checkpoint,
    jax.lax.scan,
    jax.lax.while_loop,
    jax.lax.fori_loop,
    jax.lax.cond,
    jax.lax.switch,
)


def note_traced(stager: Stager, transform: Any, functions: Iterable[Any]) -> None:
    """Record what functions see that `transform` is given; ends the conversion where JAX kept something else."""
    if any(transform is one for one in KEEPING):
        for function in functions:
            if isinstance(function, FunctionValue | PartialValue) and function.path is not None:
                _refuse_of_piece(stager, function.path)
            elif isinstance(function, CALLABLES):
                _note(stager, function)


def _refuse_of_piece(stager: Stager, path: Path) -> None:
    """End the conversion of a piece for a function that the call has made before it, and may have had traced."""
    owner: Any = path
    while not isinstance(owner, (Argument, type(None))):
        owner = getattr(owner, "owner", None)
    if owner is not None and stager.is_piece:
        raise Unstageable("callback", "JAX may have traced it before the piece, and kept what it saw", stager.site)


def _note(stager: Stager, function: Any) -> None:
    seen = [part for value in parts_seen(function) for part in (value, *_keys(value))]
    _, before = stager.retained.setdefault(id(function), (function, seen))
    if len(before) != len(seen) or not all(map(_is_same, before, seen)):
        raise Unstageable("callback", "JAX has traced it before, and keeps what it saw then", stager.site)


def _keys(value: Any) -> Iterable[Any]:
    if isinstance(value, Instance):
        return value.fields
    return value if type(value) is dict else ()


def _is_same(one: Any, other: Any) -> bool:
    return one is other or (is_scalar(one) and type(one) is type(other) and repr(one) == repr(other))
