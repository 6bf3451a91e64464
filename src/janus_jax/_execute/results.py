"""Writes the run itself, and how its outputs become what Python would have returned."""

from __future__ import annotations

from collections import deque
from typing import assert_never

from janus_jax._convert import (
    Build,
    BuildObject,
    Constant,
    FromChoice,
    FromInput,
    FromNumber,
    FromOutput,
    FromTag,
    Inside,
    Output,
    Rows,
    Staged,
    made_first,
)
from janus_jax._execute.rows import build_rows
from janus_jax._execute.writer import Writer
from janus_jax._guards import Path


def run_and_build(writer: Writer, staged: Staged, leaves: list[str]) -> None:
    """Run the program, read its verdict and return the result."""
    count = len(staged.jaxpr.out_avals)
    if staged.wide:
        writer.line(f"if wide_types_enabled() is not {staged.user_wide}: return MISS")
    call = f"outputs = run({', '.join(leaves)})"
    # Run also where nothing goes in or comes out: it is `jit` that checks shapes, dtypes and JAX's configuration.
    if staged.wide:
        writer.line("before = local_x64()")
    writer.line("try:")
    _run(writer, call, staged.wide)
    if count:
        writer.line(f"    {', '.join(f'o{index}' for index in range(count))}, = outputs")
    if staged.guards:
        writer.line(f"    code = asarray(o{count - 1})")
        writer.line("    if code: return Tripped(int(code) - 1)")
    writer.line("except Mismatch:")
    writer.line("    return MISS")
    writer.line("except Exception as error:")
    writer.line("    return Tripped(-1, error)")
    _make(writer, staged)


def _make(writer: Writer, staged: Staged) -> None:
    """Return the result; where the host cannot make something of the outputs, it counts as a tripped guard."""
    late = next((guard.index for guard in staged.guards if guard.kind == "late"), None)
    if late is None:
        return writer.line(f"return {_result(writer, staged.result)}")
    before, writer.lines = writer.lines, []
    text = _result(writer, staged.result)
    lines = [*writer.lines, f"{writer.indent}return {text}"]
    writer.lines = [*before, f"{writer.indent}try:", *("    " + line for line in lines)]
    writer.line("except Exception:")
    writer.line(f"    return Tripped({late})")
    return None


def _result(writer: Writer, result: Output) -> str:
    for shared in made_first(result):
        _build(writer, shared)
    return _build(writer, result)


def _run(writer: Writer, call: str, wide: bool) -> None:
    """Run the program; where it holds types of 64 bits, not by `with`, which an interrupt could leave half-way."""
    if not wide:
        return writer.line(f"    {call}")
    writer.line("    try:")
    writer.line("        set_local_x64(True)")
    writer.line(f"        {call}")
    writer.line("    finally: set_local_x64(before)")


def _build(writer: Writer, output: Output) -> str:
    match output:
        case FromOutput(index):
            return f"o{index}"
        case FromNumber(index, _):
            return f"asarray(o{index}).item()"
        case FromInput(path):
            return writer.names[path]
        case FromChoice(new, code, paths):
            known = ", ".join(_known(writer, path) for path in paths)
            number = writer.local(f"int(asarray(o{code}))")
            return f"({_deferred(writer, new)} if not {number} else ({known},)[{number} - 1])"
        case FromTag(tag, alternatives):
            number = writer.local(f"int(asarray(o{tag}))")
            *others, last = (_deferred(writer, each) for each in alternatives)
            tests = "".join(f"{each} if {number} == {place} else " for place, each in enumerate(others))
            return f"({tests}{last})"
        case Constant(value):
            return writer.constant(value)
        case Build():
            return _build_container(writer, output)
        case BuildObject():
            return _build_object(writer, output)
        case Inside(label):
            return writer.shared[label]
        case Rows():
            return f"*{build_rows(writer, output, lambda inner: _build(writer, inner))}"
        case _:
            assert_never(output)


def _deferred(writer: Writer, output: Output) -> str:
    """Return an expression that does nothing until it is evaluated; containers in it are not shared with the rest."""
    shared, writer.shared = writer.shared, dict(writer.shared)
    lines, writer.lines = writer.lines, []
    text = _build(writer, output)
    inner, writer.lines, writer.shared = writer.lines, lines, shared
    if not inner:
        return text
    name = writer.new("make")
    writer.line(f"def {name}():")
    writer.lines.extend("    " + line for line in inner)
    writer.line(f"    return {text}")
    return f"{name}()"


def _known(writer: Writer, path: Path) -> str:
    """Return the name of an object that the entry has read, or None for one that this program never returns."""
    return writer.names.get(path, "None")


def _build_container(writer: Writer, output: Build) -> str:
    if output.label in writer.shared:
        return writer.shared[output.label]
    items = [_build(writer, child) for child in output.children]
    if output.type is dict:
        pairs = (f"{writer.constant(key)}: {item}" for key, item in zip(output.keys, items, strict=True))
        text = "{" + ", ".join(pairs) + "}"
    elif output.type is list:
        text = "[" + ", ".join(items) + "]"
    elif output.type is tuple:
        text = "(" + "".join(f"{item}, " for item in items) + ")"
    else:
        items = ["[" + ", ".join(items) + "]"] if output.type is deque else items
        text = f"{writer.constant(output.type)}({', '.join(items)})"
    writer.shared[output.label] = writer.local(text)
    return writer.shared[output.label]


def _build_object(writer: Writer, output: BuildObject) -> str:
    """Make the object first, and then what it holds, which may lead back to it; runs none of the user's code."""
    if output.label in writer.shared:
        return writer.shared[output.label]
    made = writer.shared[output.label] = writer.local(f"new_object({writer.constant(output.type)})")
    for field in output.fields:
        put = f"set_field({made}, {field.name!r}, "
        if field.condition is None:
            writer.line(f"{put}{_build(writer, field.value)})")
        else:
            writer.line(f"if asarray(o{field.condition}): {put}{_deferred(writer, field.value)})")
    return made
