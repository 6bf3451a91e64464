"""Builtins that go through a list of which only the run knows how long it is: as the loops that they are."""

from __future__ import annotations

import ast
import copy
import textwrap
from functools import cache
from typing import Any

from janus_jax._base import Unstageable
from janus_jax._convert import runs
from janus_jax._convert.frames import JUMP, ON, Frame
from janus_jax._convert.iterables import EnumerateValue, GeneratorValue, ZipValue, used_up
from janus_jax._convert.native import is_number
from janus_jax._convert.stager import Stager
from janus_jax._values.number import Number
from janus_jax._values.template import NumberLeaf

LONGEST = 64  # a list of known length is a loop, too, where it is longer

_MAXIMA = {
    "max": """
        def max(items):
            result = items[0]
            for item in items:
                if item > result:
                    result = item
            return result
    """,
    "max or": """
        def max(items, default):
            if not items:
                return default
            result = items[0]
            for item in items:
                if item > result:
                    result = item
            return result
    """,
    "max by": """
        def max(items, key):
            result = items[0]
            best = key(result)
            for item in items[1:]:
                value = key(item)
                if value > best:
                    result = item
                    best = value
            return result
    """,
}
_SOURCES = {
    **_MAXIMA,
    **{name.replace("max", "min"): text.replace("max", "min").replace(">", "<") for name, text in _MAXIMA.items()},
    "sum": """
        def sum(items, result):
            for item in items:
                result = result + item
            return result
    """,
    "any": """
        def any(items):
            for item in items:
                if item:
                    return True
            return False
    """,
    "all": """
        def all(items):
            for item in items:
                if not item:
                    return False
            return True
    """,
}


@cache
def _parsed(name: str) -> ast.FunctionDef:
    node = ast.parse(textwrap.dedent(_SOURCES[name])).body[0]
    assert isinstance(node, ast.FunctionDef)
    return node


def is_long(stager: Stager, value: Any) -> bool:
    """Return whether `value` is a list to go through in a loop of the program."""
    if not runs.holds_run(value):
        return False
    count = runs.length(stager, value)
    return isinstance(count, Number) or count > LONGEST


def gathered(stager: Stager, source: Any) -> Any:
    """Return what a generator gives as a list, where nothing can tell that it ran at once; any other value as it is."""
    if not isinstance(source, GeneratorValue):
        return source
    before = stager.heap.now()
    found = used_up(stager, source)
    if is_long(stager, found) and stager.heap.changed_since(before):
        raise Unstageable("generator", "what a generator does, and what is done with its elements", stager.site)
    return found


def in_rows(stager: Stager, iterable: Any) -> Any:
    """Return what a loop goes through, with its long lists as rows of arrays."""
    match iterable:
        case ZipValue(parts):
            return ZipValue(tuple([in_rows(stager, part) for part in parts]))
        case EnumerateValue(part, start):
            return EnumerateValue(in_rows(stager, part), start)
        case _:
            return runs.unified(stager, iterable) if is_long(stager, iterable) else iterable


def fold(stager: Stager, name: str, *args: Any) -> Any:
    """Return what the builtin gives, as Python computes it: one element after the other."""
    args = (runs.unified(stager, args[0]), *args[1:])
    element = args[0][0].template
    if name == "sum" and (_is_float(element) or any(is_number(start) and type(start) is float for start in args[1:])):
        raise Unstageable("unsupported-expression", "sum of floats that only the run knows", stager.site)
    node = copy.deepcopy(_parsed(name))
    for part in ast.walk(node):
        if isinstance(part, ast.expr | ast.stmt):
            part.lineno, part.col_offset = stager.site.line, stager.site.column
    env = dict(zip([argument.arg for argument in node.args.args], args, strict=True))
    names = frozenset({*env, "item", "result", "value", "best"})
    return stager.execute(Frame(stager, node, stager.site.file, name, None, None, None, {JUMP: ON, **env}, names))


def _is_float(element: Any) -> bool:
    return isinstance(element, NumberLeaf) and element.kind is float
