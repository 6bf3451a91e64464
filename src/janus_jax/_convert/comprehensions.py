"""Comprehensions and generator expressions: a function of one loop, run where the elements are asked for."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any, TypeAlias

from janus_jax._convert.frames import JUMP, ON, Frame
from janus_jax._convert.iterables import GeneratorValue
from janus_jax._convert.scopes import names_in

Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
FIRST, RESULT = ".0", "$result"  # the outermost iterable, as Python calls it too, and what is being built
_KINDS: dict[type, type] = {ast.ListComp: list, ast.SetComp: set, ast.DictComp: dict, ast.GeneratorExp: list}


class Collect(ast.expr):
    """Puts what a comprehension computes for one element into its result; `key` is None but for dicts."""

    _fields = ("key", "value")
    key: ast.expr | None
    value: ast.expr


def comprehend(frame: Frame, node: Comprehension, first: Any) -> Any:
    """Return the container that a comprehension makes of `first`, its outermost iterable."""
    element = Collect()
    element.key, element.value = _element(node)
    inner = _frame(frame, node, first, [ast.copy_location(ast.Expr(ast.copy_location(element, node)), node)])
    result: Any = _KINDS[type(node)]()
    frame.stager.heap.adopt(result)
    inner.env[RESULT] = result
    frame.stager.execute(inner)
    return result


def generator(frame: Frame, node: ast.GeneratorExp, first: Any) -> GeneratorValue:
    """Return a generator expression, nothing of which has been computed yet."""

    def search(stop: bool) -> Any:
        test = node.elt if stop else ast.copy_location(ast.UnaryOp(ast.Not(), node.elt), node.elt)
        found = ast.If(test, [_returned(node, stop)], [])
        inner = _frame(frame, node, first, [ast.copy_location(found, node.elt)], [_returned(node, not stop)])
        return frame.stager.execute(inner)

    parts = [node.elt, *node.generators[0].ifs, *node.generators[1:]]  # the first iterable is there already
    seen = names_in(parts).loaded
    return GeneratorValue(lambda: comprehend(frame, node, first), search, (first,), (frame, seen))


def _returned(node: ast.expr, value: bool) -> ast.Return:
    return ast.copy_location(ast.Return(ast.copy_location(ast.Constant(value), node)), node)


def _element(node: Comprehension) -> tuple[ast.expr | None, ast.expr]:
    return (node.key, node.value) if isinstance(node, ast.DictComp) else (None, node.elt)


def _frame(
    frame: Frame, node: Comprehension, first: Any, innermost: list[ast.stmt], rest: Sequence[ast.stmt] = ()
) -> Frame:
    """Return the frame of the function that a comprehension is: `innermost` runs for each element."""
    body: list[ast.stmt] = innermost
    for index, part in reversed(list(enumerate(node.generators))):
        for test in reversed(part.ifs):
            body = [ast.copy_location(ast.If(test, body, []), test)]
        source = part.iter if index else ast.copy_location(ast.Name(FIRST, ast.Load()), part.iter)
        body = [ast.copy_location(ast.For(part.target, source, body, []), part.target)]
    none = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    function = ast.copy_location(ast.FunctionDef("<comprehension>", none, [*body, *rest], []), node)
    targets = names_in([part.target for part in node.generators]).bound
    return Frame(
        frame.stager,
        function,
        frame.file,
        function.name,
        frame.function,
        frame.path,
        frame,
        {JUMP: ON, FIRST: first},
        targets | {FIRST},
        private=frame.private,
    )
