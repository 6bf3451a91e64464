"""Generates the entry function of a program: check what was frozen, collect the inputs, run, build the result.

One flat function for each program, because this is the hot path. It hands on the very references that it checked.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import repeat
from operator import is_
from types import FunctionType
from typing import Any, assert_never

import numpy as np

from janus_jax._convert import (
    Build,
    Constant,
    FromChoice,
    FromInput,
    FromNumber,
    FromOutput,
    FromTag,
    Input,
    Output,
    Staged,
)
from janus_jax._guards import (
    Argument,
    Cell,
    CodeIs,
    Expectation,
    Global,
    Item,
    KeysAre,
    LengthIs,
    Member,
    ObjectIs,
    Path,
    Root,
    SameObject,
    Slot,
    TypeIs,
    ValueIs,
    same_bits,
)
from janus_jax._jax import eager_primal
from janus_jax._values.number import wide


class Mismatch(BaseException):
    """Raised by a program's own trace when it is called with types that it was not made for.

    It derives from `BaseException` so that nothing in JAX handles it.
    """


class Miss:
    """What an entry function returns when the call does not fit its program."""

    def __repr__(self) -> str:
        return "miss"


MISS = Miss()
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Tripped:
    """What an entry function returns when a guard inside the program has failed: the guard's number."""

    guard: int


@dataclass(slots=True)
class Writer:
    """Source text of an entry function in the making, and the objects that it refers to."""

    namespace: dict[str, Any]
    lines: list[str] = field(default_factory=list)
    names: dict[Path, str] = field(default_factory=dict)
    shared: dict[int, str] = field(default_factory=dict)
    indent: str = "        "

    def line(self, text: str) -> None:
        """Append a line."""
        self.lines.append(self.indent + text)

    def check(self, condition: str) -> None:
        """Have the call miss unless `condition` holds."""
        self.line(f"if not ({condition}): return MISS")

    def constant(self, value: Any) -> str:
        """Return the name of an object that the function refers to."""
        name = f"k{len(self.namespace)}"
        self.namespace[name] = value
        return name

    def local(self, expression: str) -> str:
        """Return the name of a new local variable that holds `expression`."""
        name = f"v{len(self.lines)}"
        self.line(f"{name} = {expression}")
        return name


def same_keys(found: dict[Any, Any], keys: tuple[Any, ...]) -> bool:
    """Return whether a dict has exactly these string and integer keys in this order; compares no other objects."""
    return all(type(a) is type(b) and a == b for a, b in zip(found, keys, strict=True))


def choose(code: Any, *candidates: Any) -> Any:
    """Return the candidate that `code` names, made at last."""
    return candidates[int(np.asarray(code))]()


def is_differentiated(values: tuple[Any, ...], kind: type) -> bool:
    """Return whether all values are arrays of class `kind`, or tracers of eager differentiation over such."""
    return all(type(value) is kind or type(eager_primal(value)) is kind for value in values)


def make_entry(
    staged: Staged, function: FunctionType, run: Callable[..., Any], force: list[Any], *, traced: bool = False
) -> tuple[Any, str]:
    """Return the entry function of a staged program, and its source; `traced`: for calls under eager `grad`."""
    namespace: dict[str, Any] = {
        "MISS": MISS,
        "Mismatch": Mismatch,
        "Tripped": Tripped,
        "ABSENT": _ABSENT,
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
        "choose": choose,
        "is_differentiated": is_differentiated,
        "wide": wide,
        "run": run,
        "root": function,
        "force": force,
    }
    writer = Writer(namespace)
    _arguments(writer, staged)
    for expectation in staged.expectations:
        _expect(writer, expectation)
    leaves = _inputs(writer, staged.inputs, traced)
    body = writer.lines
    writer.lines, writer.indent = [], "    "
    _run_and_build(writer, staged, leaves)
    head = ["def entry(args, kwargs):", "    try:"]
    tail = ["    except Exception:", "        return MISS"]
    text = "\n".join([*head, *body, *tail, *writer.lines]) + "\n"
    exec(compile(text, f"<janus entry of {function.__qualname__}>", "exec"), namespace)
    return namespace["entry"], text


def _arguments(writer: Writer, staged: Staged) -> None:
    paths = _argument_paths(staged)
    positional = [path for path in paths if isinstance(path.key, int)]
    named = [path for path in paths if isinstance(path.key, str)]
    writer.check(f"len(args) == {len(positional)} and len(kwargs) == {len(named)}")
    if positional:
        names = [f"a{path.key}" for path in sorted(positional, key=lambda p: int(p.key))]
        writer.line(f"{', '.join(names)}, = args")
    writer.names.update({path: f"a{path.key}" for path in positional})
    for path in named:
        writer.names[path] = writer.local(f"kwargs[{path.key!r}]")


def _argument_paths(staged: Staged) -> list[Argument]:
    paths = [_path(e) for e in staged.expectations] + [i.path for i in staged.inputs if i.path is not None]
    return list(dict.fromkeys(path for path in paths if isinstance(path, Argument)))


def _path(expectation: Expectation) -> Path:
    return expectation.path


def _name(writer: Writer, path: Path) -> str:
    """Return the local variable that holds the value at `path`, reading it first where that has not happened."""
    if path not in writer.names:
        writer.names[path] = writer.local(_read(writer, path))
    return writer.names[path]


def _read(writer: Writer, path: Path) -> str:
    match path:
        case Argument():
            raise AssertionError("arguments are bound first")
        case Root():
            return "root"
        case Item(owner, key):
            return f"{_name(writer, owner)}[{key!r}]"
        case Global(owner, name):
            found = writer.local(f"{_name(writer, owner)}.__globals__.get({name!r}, ABSENT)")
            return f"{_name(writer, owner)}.__builtins__[{name!r}] if {found} is ABSENT else {found}"
        case Cell(owner, index):
            return f"{_name(writer, owner)}.__closure__[{index}].cell_contents"
        case Slot(owner, name):
            return f"{_name(writer, owner)}.{name}"
        case Member(owner, name):
            return f"{_name(writer, owner)}.__dict__[{name!r}]"
        case _:
            assert_never(path)


def _expect(writer: Writer, expectation: Expectation) -> None:
    name = _name(writer, expectation.path)
    match expectation:
        case TypeIs(_, kind):
            writer.check(f"type({name}) is {writer.constant(kind)}")
        case ObjectIs(_, value):
            writer.check(f"{name} is {writer.constant(value)}")
        case CodeIs(_, code):
            writer.check(f"type({name}) is FunctionType and {name}.__code__ is {writer.constant(code)}")
        case ValueIs(_, value):
            writer.check(_value_test(writer, name, value))
        case LengthIs(path, kind, length):
            writer.check(f"type({name}) is {kind.__name__} and len({name}) == {length}")
            _unpack(writer, path, range(length), name)
        case KeysAre(path, keys):
            writer.check(f"type({name}) is dict and len({name}) == {len(keys)}")
            known = writer.constant(keys)
            writer.check(f"all(map(is_, {name}, {known})) or same_keys({name}, {known})")
            _unpack(writer, path, keys, f"{name}.values()")
        case SameObject(_, other):
            writer.check(f"{name} is {_name(writer, other)}")
        case _:
            assert_never(expectation)


def _unpack(writer: Writer, path: Path, keys: Any, values: str) -> None:
    names: dict[Path, str] = {Item(path, key): f"i{len(writer.lines)}_{index}" for index, key in enumerate(keys)}
    if names:
        writer.line(f"{', '.join(names.values())}, = {values}")
    writer.names.update(names)


def _value_test(writer: Writer, name: str, value: Any) -> str:
    if value is None or type(value) is bool or value is Ellipsis:
        return f"{name} is {value!r}"
    if (type(value) is float and (value == 0.0 or not math.isfinite(value))) or type(value) is complex:
        return f"same_bits({name}, {writer.constant(value)})"
    return f"type({name}) is {writer.constant(type(value))} and {name} == {writer.constant(value)}"


def _inputs(writer: Writer, inputs: tuple[Input, ...], traced: bool) -> list[str]:
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
                leaves.append(_name(writer, item.path))
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
    for kind, names in arrays.items():
        _check_types(writer, kind, list(dict.fromkeys(names)), traced)
    return leaves


def _number(writer: Writer, item: Input) -> str:
    assert item.path is not None
    return _name(writer, item.path)


def _host_array(writer: Writer, item: Input) -> str:
    # The copy must be taken before the call returns: dispatch is asynchronous, and the caller may change the array.
    assert item.path is not None
    name = _name(writer, item.path)
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


def _run_and_build(writer: Writer, staged: Staged, leaves: list[str]) -> None:
    count = len(staged.jaxpr.out_avals)
    call = f"outputs = run({', '.join(leaves)})"
    # Run also where nothing goes in or comes out: it is `jit` that checks shapes, dtypes and JAX's configuration.
    writer.line("try:")
    writer.line(f"    with wide(): {call}" if staged.wide else f"    {call}")
    writer.line("except Mismatch:")
    writer.line("    return MISS")
    if count:
        writer.line(f"{', '.join(f'o{index}' for index in range(count))}, = outputs")
    if staged.guards:
        writer.line(f"code = asarray(o{count - 1})")
        writer.line("if code: return Tripped(int(code) - 1)")
    writer.line(f"return {_build(writer, staged.result)}")


def _build(writer: Writer, output: Output) -> str:
    match output:
        case FromOutput(index):
            return f"o{index}"
        case FromNumber(index, _):
            return f"asarray(o{index}).item()"
        case FromInput(path):
            return _name(writer, path)
        case FromChoice(new, code, paths):
            candidates = [_deferred(writer, new), *(f"lambda: {_known(writer, path)}" for path in paths)]
            return f"choose(o{code}, {', '.join(candidates)})"
        case FromTag(tag, alternatives):
            return f"choose(o{tag}, {', '.join(_deferred(writer, each) for each in alternatives)})"
        case Constant(value):
            return writer.constant(value)
        case Build():
            return _build_container(writer, output)
        case _:
            assert_never(output)


def _deferred(writer: Writer, output: Output) -> str:
    """Return the expression as a function of nothing; containers in it are not shared with the rest."""
    shared, writer.shared = writer.shared, dict(writer.shared)
    lines, writer.lines = writer.lines, []
    text = _build(writer, output)
    inner, writer.lines, writer.shared = writer.lines, lines, shared
    name = f"make{len(writer.lines)}_{len(inner)}"
    writer.line(f"def {name}():")
    writer.lines.extend("    " + line for line in inner)
    writer.line(f"    return {text}")
    return name


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
        text = f"{writer.constant(output.type)}({', '.join(items)})"
    writer.shared[output.label] = writer.local(text)
    return writer.shared[output.label]
