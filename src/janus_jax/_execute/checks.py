"""Writes the checks: is everything as it was when the program was made?"""

from __future__ import annotations

import math
from typing import Any, assert_never

from janus_jax._base.enums import same_key
from janus_jax._convert import Staged
from janus_jax._execute.writer import Writer, name_at
from janus_jax._guards import (
    Argument,
    CodeIs,
    Expectation,
    Item,
    KeysAre,
    Lacks,
    LengthIs,
    MroIs,
    ObjectIs,
    OtherObject,
    Path,
    SameObject,
    TypeIs,
    ValueIs,
)


def same_keys(found: dict[Any, Any], keys: tuple[Any, ...]) -> bool:
    """Return whether a dict has exactly these plain keys in this order; runs no user code."""
    return all(map(same_key, found, keys))


def bind_arguments(writer: Writer, staged: Staged) -> None:
    """Have the call miss unless it has the arguments of the program, and give them names."""
    paths = _argument_paths(staged)
    positional = [path for path in paths if isinstance(path.key, int)]
    named = [path for path in paths if isinstance(path.key, str)]
    writer.check(f"len(args) == {len(positional)} and len(kwargs) == {len(named)}")
    if positional:
        names = [f"a{path.key}" for path in sorted(positional, key=lambda p: int(p.key))]
        writer.line(f"{', '.join(names)}, = args")
    writer.names.update({path: f"a{path.key}" for path in positional})
    if len(staged.keywords) > 1:
        writer.check(f"tuple(kwargs) == {writer.constant(staged.keywords)}")
    for path in named:
        writer.names[path] = writer.local(f"kwargs[{path.key!r}]")


def _argument_paths(staged: Staged) -> list[Argument]:
    paths = [_path(e) for e in staged.expectations] + [i.path for i in staged.inputs if i.path is not None]
    return list(dict.fromkeys(path for path in paths if isinstance(path, Argument)))


def _path(expectation: Expectation) -> Path:
    return expectation.path


def expect(writer: Writer, expectation: Expectation) -> None:
    """Have the call miss unless what was expected holds."""
    name = name_at(writer, expectation.path)
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
        case OtherObject(_, other):
            writer.check(f"{name} is not {name_at(writer, other)}")
        case Lacks(_, key):
            writer.check(f"{key!r} not in {name}")
        case MroIs(path, bases, metaclass):
            same = f"mro_of({name}) is {writer.constant(bases)}"
            writer.check(f"{same} and type({name}) is {writer.constant(metaclass)}")
        case SameObject(_, other):
            writer.check(f"{name} is {name_at(writer, other)}")
        case _:
            assert_never(expectation)


def _unpack(writer: Writer, path: Path, keys: Any, values: str) -> None:
    names: dict[Path, str] = {Item(path, key): writer.new("i") for key in keys}
    if names:
        writer.line(f"{', '.join(names.values())}, = {values}")
    writer.names.update(names)


def _value_test(writer: Writer, name: str, value: Any) -> str:
    if value is None or type(value) is bool or value is Ellipsis:
        return f"{name} is {value!r}"
    if (type(value) is float and (value == 0.0 or not math.isfinite(value))) or type(value) is complex:
        return f"same_bits({name}, {writer.constant(value)})"
    return f"type({name}) is {writer.constant(type(value))} and {name} == {writer.constant(value)}"
