"""Writes what the program is given: the inputs, their types checked."""

from __future__ import annotations

from typing import Any, assert_never

from janus_jax._convert import Input
from janus_jax._execute.writer import Writer, name_at
from janus_jax._jax import eager_primal


def is_differentiated(values: tuple[Any, ...], kind: type) -> bool:
    """Return whether all values are arrays of class `kind`, or tracers of eager differentiation over such."""
    return all(type(value) is kind or type(eager_primal(value)) is kind for value in values)


def collect_inputs(writer: Writer, inputs: tuple[Input, ...], traced: bool, *, by_type: bool = False) -> list[str]:
    """Return the expressions of all inputs, their types checked."""
    leaves: list[str] = []
    arrays: dict[type, list[str]] = {}
    for item in inputs:
        match item.kind:
            case "zero":
                leaves.append(writer.constant(item.placeholder))
            case "force":
                leaves.append("force[0]")
            case "array":
                assert item.path is not None
                assert item.type is not None
                leaves.append(name_at(writer, item.path))
                arrays.setdefault(item.type, []).append(leaves[-1])
            case "numpy":
                leaves.append(_host_array(writer, item))
            case "int":
                leaves.append(_number(writer, item))
                writer.check(f"-{2**63} <= {leaves[-1]} < {2**63}")
            case "bool" | "float":
                leaves.append(_number(writer, item))
            case _:
                assert_never(item.kind)
    for kind, names in arrays.items() if not by_type else ():
        _check_types(writer, kind, list(dict.fromkeys(names)), traced)
    return leaves


def _number(writer: Writer, item: Input) -> str:
    assert item.path is not None
    return name_at(writer, item.path)


def _host_array(writer: Writer, item: Input) -> str:
    # The copy must be taken before the call returns: dispatch is asynchronous, and the caller may change the array.
    assert item.path is not None
    name = name_at(writer, item.path)
    writer.check(f"{name}.dtype == {writer.constant(item.host_dtype)}")
    return writer.local(f"array({name}, {writer.constant(item.dtype)})")


def _check_types(writer: Writer, kind: type, names: list[str], traced: bool) -> None:
    known = writer.constant(kind)
    if traced:
        writer.check(f"is_differentiated(({', '.join(names)},), {known})")
    elif len(names) <= 4:
        writer.check(" and ".join(f"type({name}) is {known}" for name in names))
    else:
        writer.check(f"all(map(is_, map(type, ({', '.join(names)})), repeat({known})))")
