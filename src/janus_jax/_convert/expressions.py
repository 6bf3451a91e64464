"""Evaluates the user's expressions over staged values."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from janus_jax._base import Unstageable
from janus_jax._base.objects import bases_of
from janus_jax._convert import (
    attributes,
    branches,
    comprehensions,
    containers,
    iterables,
    later,
    membership,
    native,
    objects,
    operators,
)
from janus_jax._convert.calls import invoke
from janus_jax._convert.frames import VALUE, Frame
from janus_jax._convert.generators import give, give_each
from janus_jax._convert.scopes import parameters
from janus_jax._convert.unions import spread
from janus_jax._values.kinds import ClosureValue, SuperValue, Union

_BINARY: dict[type, str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.MatMult: "@",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
}
_UNARY: dict[type, str] = {ast.USub: "-", ast.UAdd: "+", ast.Invert: "~"}
_COMPARE: dict[type, str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}


_NAMES: dict[type[ast.expr], str] = {
    ast.Await: "`await`",
}


def evaluate(frame: Frame, node: ast.expr) -> Any:
    """Return the value of an expression in `frame`."""
    handler = _HANDLERS.get(type(node))
    site = frame.site(node)
    if handler is None:
        raise Unstageable("unsupported-expression", _NAMES.get(type(node), type(node).__name__), site)
    frame.stager.site = site
    return handler(frame, node)


def truth_of(frame: Frame, node: ast.expr) -> Any:
    """Return whether the expression is true: a Python bool or a traced boolean."""
    value = evaluate(frame, node)
    frame.stager.site = frame.site(node)
    return operators.truth(frame.stager, value)


def symbol_of(node: ast.operator) -> str:
    """Return the operator as Python writes it."""
    return _BINARY[type(node)]


def _constant(frame: Frame, node: ast.Constant) -> Any:
    return node.value


def _name(frame: Frame, node: ast.Name) -> Any:
    return frame.load(node.id)


def _binary(frame: Frame, node: ast.BinOp) -> Any:
    left, right = evaluate(frame, node.left), evaluate(frame, node.right)
    frame.stager.site = frame.site(node)
    return operators.binary(frame.stager, symbol_of(node.op), left, right)


def _unary(frame: Frame, node: ast.UnaryOp) -> Any:
    if isinstance(node.op, ast.Not):
        return branches.negate(frame.stager, truth_of(frame, node.operand))
    operand = evaluate(frame, node.operand)
    return operators.unary(frame.stager, _UNARY[type(node.op)], operand)


def _compare(frame: Frame, node: ast.Compare) -> Any:
    """Evaluate a chain link by link: Python asks for the truth of every link but the last, once."""
    return _links(frame, node, evaluate(frame, node.left), 0)


def _links(frame: Frame, node: ast.Compare, left: Any, index: int) -> Any:
    right = evaluate(frame, node.comparators[index])
    frame.stager.site = frame.site(node)
    result = _compare_two(frame, node.ops[index], left, right)
    if index == len(node.ops) - 1:
        return result
    return _choose(frame, node, f"and{index}", result, lambda: _links(frame, node, right, index + 1), lambda: result)


def _compare_two(frame: Frame, op: ast.cmpop, left: Any, right: Any) -> Any:
    stager = frame.stager
    match op:
        case ast.Is():
            return operators.identical(stager, left, right)
        case ast.IsNot():
            return _not(frame, operators.identical(stager, left, right))
        case ast.In():
            return membership.contains(stager, left, right)
        case ast.NotIn():
            return _not(frame, membership.contains(stager, left, right))
        case _:
            return operators.compare(stager, _COMPARE[type(op)], left, right)


def _not(frame: Frame, value: Any) -> Any:
    return branches.negate(frame.stager, operators.truth(frame.stager, value))


def _boolean(frame: Frame, node: ast.BoolOp) -> Any:
    return _operand(frame, node, 0)


def _operand(frame: Frame, node: ast.BoolOp, index: int) -> Any:
    value = evaluate(frame, node.values[index])
    if index == len(node.values) - 1:
        return value
    rest: Callable[[], Any] = lambda: _operand(frame, node, index + 1)  # noqa: E731
    if isinstance(node.op, ast.And):
        return _choose(frame, node, f"and{index}", value, rest, lambda: value)
    return _choose(frame, node, f"or{index}", value, lambda: value, rest)


def _choose(
    frame: Frame, node: ast.expr, kind: str, condition: Any, true: Callable[[], Any], false: Callable[[], Any]
) -> Any:
    """Return `true()` or `false()` as the truth of `condition` says, staged where only the run knows."""
    frame.stager.site = frame.site(node)
    predicate = operators.truth(frame.stager, condition)
    if isinstance(predicate, bool):
        return true() if predicate else false()
    key = (frame.stager.context, frame.site(node, kind))

    def arm(value: Callable[[], Any]) -> Callable[[], None]:
        return lambda: frame.store(VALUE, value())

    branches.stage(frame, key, predicate, arm(true), arm(false))
    return frame.stager.settle("the result", frame.env.pop(VALUE))


def _if_expression(frame: Frame, node: ast.IfExp) -> Any:
    condition = evaluate(frame, node.test)
    return _choose(
        frame, node, "ifexp", condition, lambda: evaluate(frame, node.body), lambda: evaluate(frame, node.orelse)
    )


def _call(frame: Frame, node: ast.Call) -> Any:
    function = evaluate(frame, node.func)
    if function is super and not node.args and not node.keywords:
        return _super(frame, frame.load("__class__"), _first_parameter(frame))
    args = _elements(frame, node.args)
    keywords: dict[str, Any] = {}
    for keyword in node.keywords:
        value = evaluate(frame, keyword.value)
        given = {keyword.arg: value} if keyword.arg is not None else value
        if type(given) is not dict:
            raise Unstageable("unsupported-expression", "`**` of what is not a dict", frame.site(node))
        if given.keys() & keywords.keys() or any(type(key) is not str for key in given):
            raise Unstageable("raises", "TypeError: keyword arguments that do not fit", frame.site(node))
        keywords.update(given)
    frame.stager.site = frame.site(node)
    if function is super and len(args) == 2 and not keywords:
        return _super(frame, *args)
    return invoke(frame.stager, function, args, keywords, frame.site(node))


def _first_parameter(frame: Frame) -> Any:
    names = parameters(frame.node.args)
    return frame.load(names[0]) if names else None


def _super(frame: Frame, after: Any, receiver: Any) -> SuperValue:
    """Return `super(after, receiver)`; without arguments, these are a cell and the first parameter."""
    kind = objects.class_of(receiver)
    if kind is None or not any(one is after for one in bases_of(kind)):
        raise Unstageable("unsupported-expression", "super() in a method of a class", frame.stager.site)
    return SuperValue(after, receiver)


def _elements(frame: Frame, nodes: list[ast.expr]) -> list[Any]:
    result: list[Any] = []
    for node in nodes:
        if isinstance(node, ast.Starred):
            result.extend(iterables.items(frame.stager, evaluate(frame, node.value)))
        else:
            result.append(evaluate(frame, node))
    return result


def _attribute(frame: Frame, node: ast.Attribute) -> Any:
    owner = evaluate(frame, node.value)
    frame.stager.site = frame.site(node)
    return attributes.read(frame.stager, owner, frame.mangled(node.attr))


def _subscript(frame: Frame, node: ast.Subscript) -> Any:
    owner, index = evaluate(frame, node.value), evaluate(frame, node.slice)
    frame.stager.site = frame.site(node)
    return attributes.item(frame.stager, owner, index)


def _slice(frame: Frame, node: ast.Slice) -> Any:
    return slice(*(evaluate(frame, part) if part else None for part in (node.lower, node.upper, node.step)))


def _tuple(frame: Frame, node: ast.Tuple) -> Any:
    if not any(isinstance(element, ast.Starred) for element in node.elts):
        return tuple(_elements(frame, node.elts))
    parts = [_part(frame, element) for element in node.elts]
    if any(isinstance(part, Union) for part in parts):
        return spread(frame.stager, lambda *each: _joined(frame, each), parts)
    return _joined(frame, parts)


def _part(frame: Frame, node: ast.expr) -> Any:
    """Return what stands behind a star, or the tuple of what stands without one."""
    return evaluate(frame, node.value) if isinstance(node, ast.Starred) else (evaluate(frame, node),)


def _joined(frame: Frame, parts: Sequence[Any]) -> tuple[Any, ...]:
    return tuple([item for part in parts for item in iterables.items(frame.stager, part)])


def _list(frame: Frame, node: ast.List) -> Any:
    return _elements(frame, node.elts)


def _dict(frame: Frame, node: ast.Dict) -> Any:
    result: dict[Any, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            given = evaluate(frame, value)
        else:
            name = native.key_of(frame.stager, evaluate(frame, key), "the key of a dict")
            given = {name: evaluate(frame, value)}
        if type(given) is not dict:
            raise Unstageable("unsupported-expression", "a dict with these keys", frame.site(node))
        result.update(given)
    return result


def _set(frame: Frame, node: ast.Set) -> Any:
    return {native.key_of(frame.stager, found, "an element of a set") for found in _elements(frame, node.elts)}


def _comprehension(frame: Frame, node: comprehensions.Comprehension) -> Any:
    first = iterables.opened(frame.stager, evaluate(frame, node.generators[0].iter))
    if isinstance(node, ast.GeneratorExp):
        return comprehensions.generator(frame, node, first)
    return comprehensions.comprehend(frame, node, first)


def _collect(frame: Frame, node: comprehensions.Collect) -> None:
    result = frame.env[comprehensions.RESULT]
    key = evaluate(frame, node.key) if node.key else None
    value = evaluate(frame, node.value)
    frame.stager.site = frame.site(node)
    if type(result) is dict:
        return containers.set_item(frame.stager, result, key, value)
    return containers.call_method(frame.stager, result, "add" if type(result) is set else "append", [value], {})


def _yield(frame: Frame, node: ast.Yield) -> None:
    value = evaluate(frame, node.value) if node.value else None
    frame.stager.site = frame.site(node)
    give(frame, value)


def _yield_from(frame: Frame, node: ast.YieldFrom) -> Any:
    source = evaluate(frame, node.value)
    frame.stager.site = frame.site(node)
    return give_each(frame, source)


def _lambda(frame: Frame, node: ast.Lambda) -> Any:
    return make_closure(frame, node)


def make_closure(frame: Frame, node: ast.FunctionDef | ast.Lambda) -> ClosureValue:
    """Return the function that a `def` or lambda makes; its defaults are evaluated now."""
    defaults = tuple(evaluate(frame, default) for default in node.args.defaults)
    named = {
        argument.arg: evaluate(frame, default)
        for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
        if default is not None
    }
    frame.stager.heap.adopt((defaults, named))
    return ClosureValue(node, frame, defaults, named)


def _walrus(frame: Frame, node: ast.NamedExpr) -> Any:
    value = evaluate(frame, node.value)
    frame.store(node.target.id, value)
    return value


def _text(frame: Frame, node: ast.JoinedStr) -> Any:
    return later.text(frame.stager, [evaluate(frame, part) for part in node.values])


def _formatted(frame: Frame, node: ast.FormattedValue) -> Any:
    value = evaluate(frame, node.value)
    spec = evaluate(frame, node.format_spec) if node.format_spec else ""
    frame.stager.site = frame.site(node)
    return native.run_python(frame.stager, lambda: later.field(frame.stager, value, node.conversion, spec))


_HANDLERS: dict[type, Callable[[Frame, Any], Any]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.BoolOp: _boolean,
    ast.IfExp: _if_expression,
    ast.Call: _call,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Slice: _slice,
    ast.Tuple: _tuple,
    ast.List: _list,
    ast.Dict: _dict,
    ast.Set: _set,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.DictComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    comprehensions.Collect: _collect,
    ast.Yield: _yield,
    ast.YieldFrom: _yield_from,
    ast.Lambda: _lambda,
    ast.NamedExpr: _walrus,
    ast.JoinedStr: _text,
    ast.FormattedValue: _formatted,
}
