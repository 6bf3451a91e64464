"""The source of what `dataclasses` generates: made again from the code object, and compared with it.

A dataclass's `__init__` was compiled from a text that nobody kept. What it says follows from the names and constants
in the code; where compiling that text does not give the very same instructions, there is no source.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import product
from types import CodeType

from janus_jax._frontend.compiling import compile_module, parse_text
from janus_jax._frontend.matching import FunctionNode, nested_codes
from janus_jax._frontend.source import FunctionSource

_POST_INIT = "__post_init__"
_OBJECT = "__dataclass_builtins_object__"


def regenerate(code: CodeType) -> FunctionSource | None:
    """Return the source of a dataclass's `__init__`, or None where `code` is none."""
    if code.co_filename != "<string>" or code.co_name != "__init__" or not code.co_varnames:
        return None
    for body in _bodies(code):
        text = _function(code, body)
        if any(_does_the_same(made, code) for made in nested_codes(compile_module(text, "<string>", 0))):
            return FunctionSource(code, _node(text, code), "<string>", tuple(text.splitlines()), (), 0)
    return None


def _node(text: str, code: CodeType) -> FunctionNode:
    outer = parse_text(text, "<string>", 0).body[0]
    assert isinstance(outer, ast.FunctionDef)
    inner = outer.body[0]
    assert isinstance(inner, ast.FunctionDef)
    return ast.increment_lineno(inner, code.co_firstlineno - inner.lineno)


def _function(code: CodeType, body: list[str]) -> str:
    parameters = [*code.co_varnames[: code.co_argcount]]
    named = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    signature = ", ".join([*parameters, *(["*", *named] if named else [])])
    lines = [f"def create({', '.join(code.co_freevars)}):", f" def __init__({signature}):"]
    return "\n".join([*lines, *(f"  {line}" for line in body or ["pass"]), " return __init__"]) + "\n"


def _bodies(code: CodeType) -> Iterator[list[str]]:
    """Yield the bodies that have the names of `code`: a field that is no parameter has one of two kinds of default."""
    given = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    frozen = _OBJECT in code.co_freevars
    constants = [value for value in code.co_consts if type(value) is str]
    fields = constants if frozen else [name for name in code.co_names if name != _POST_INIT]
    choices = [list(_values(code, name, given)) for name in fields]
    post = [f"self.{_POST_INIT}({', '.join(name for name in given if name not in fields)})"]
    for values in product(*choices):
        lines = [_assign(name, value, frozen) for name, value in zip(fields, values, strict=True)]
        yield lines + (post if _POST_INIT in code.co_names else [])


def _values(code: CodeType, name: str, given: tuple[str, ...]) -> Iterator[str]:
    default = next((v for v in code.co_freevars if v in (f"_dflt_{name}", f"__dataclass_dflt_{name}__")), None)
    marker = next((v for v in code.co_freevars if "HAS_DEFAULT_FACTORY" in v), None)
    if name in given:
        yield name
        if default and marker:
            yield f"{default}() if {name} is {marker} else {name}"
    elif default:
        yield f"{default}()"
        yield default


def _assign(name: str, value: str, frozen: bool) -> str:
    return f"{_OBJECT}.__setattr__(self, {name!r}, {value})" if frozen else f"self.{name} = {value}"


def _does_the_same(made: CodeType, code: CodeType) -> bool:
    return _instructions(made) == _instructions(code)


def _instructions(code: CodeType) -> tuple[object, ...]:
    """Return all of a code object but where it stands and what encloses it."""
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    constants = tuple((type(value), value) for value in code.co_consts)
    return code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, counts, constants
