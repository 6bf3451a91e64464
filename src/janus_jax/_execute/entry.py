"""Generates the entry function of a program: check what was frozen, collect the inputs, run, build the result.

One flat function for each program, because this is the hot path. It hands on the very references that it checked.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import repeat
from operator import is_
from types import FunctionType
from typing import Any

import numpy as np

from janus_jax._base.objects import bases_of, namespace_of
from janus_jax._convert import Staged
from janus_jax._execute.checks import bind_arguments, expect, same_keys
from janus_jax._execute.operands import collect_inputs, is_differentiated
from janus_jax._execute.results import run_and_build
from janus_jax._execute.rows import arrays_of, columns_of, known_of, object_of
from janus_jax._execute.verdicts import MISS, Mismatch, Tripped
from janus_jax._execute.writer import ABSENT, Writer
from janus_jax._guards import same_bits
from janus_jax._jax import local_x64, set_local_x64, wide_types_enabled

# What every entry function refers to.
_KNOWN: dict[str, Any] = {
    "__name__": __name__,  # by which tracebacks leave it out
    "MISS": MISS,
    "Mismatch": Mismatch,
    "Tripped": Tripped,
    "ABSENT": ABSENT,
    "all": all,
    "map": map,
    "repeat": repeat,
    "is_": is_,
    "type": type,
    "len": len,
    "tuple": tuple,
    "asarray": np.asarray,
    "array": np.array,
    "int": int,
    "float": float,
    "FunctionType": FunctionType,
    "same_bits": same_bits,
    "same_keys": same_keys,
    "mro_of": bases_of,
    "members_of": namespace_of,
    "new_object": object.__new__,
    "arrays_of": arrays_of,
    "known_of": known_of,
    "columns_of": columns_of,
    "object_of": object_of,
    "zip": zip,
    "list": list,
    "set_field": object.__setattr__,
    "is_differentiated": is_differentiated,
    "local_x64": local_x64,
    "set_local_x64": set_local_x64,
    "wide_types_enabled": wide_types_enabled,
}


def make_entry(
    staged: Staged,
    function: FunctionType,
    run: Callable[..., Any],
    force: list[Any],
    *,
    traced: bool = False,
    by_type: bool = False,
) -> tuple[Any, str]:
    """Return the entry function of a staged program, and its source.

    `traced`: for calls under eager `grad`; `by_type`: for calls under other traces, where `run` checks the types.
    """
    namespace = {**_KNOWN, "run": run, "root": function, "force": force}
    writer = Writer(namespace)
    bind_arguments(writer, staged)
    for expectation in staged.expectations:
        expect(writer, expectation)
    leaves = collect_inputs(writer, staged.inputs, traced, by_type=by_type)
    body = writer.lines
    writer.lines, writer.indent = [], "    "
    run_and_build(writer, staged, leaves)
    head = ["def entry(args, kwargs):", "    try:"]
    tail = ["    except Exception:", "        return MISS"]
    text = "\n".join([*head, *body, *tail, *writer.lines]) + "\n"
    exec(compile(text, f"<janus entry of {function.__qualname__}>", "exec"), namespace)
    return namespace["entry"], text
