"""Executes the user's statements over staged values."""

from __future__ import annotations
import __future__

import ast
from collections.abc import Callable, Sequence
from typing import Any

from janus_jax._base import Unstageable
from janus_jax._convert import branches, containers, objects
from janus_jax._convert.calls import invoke
from janus_jax._convert.exceptions import finally_, inside, run_raise, run_try
from janus_jax._convert.expressions import evaluate, make_closure, symbol_of, truth_of
from janus_jax._convert.frames import BREAK, CONTINUE, JUMP, ON, RETURN, RETURNED, Frame
from janus_jax._convert.interleaving import run_with
from janus_jax._convert.loop_statements import run_for, run_while
from janus_jax._convert.matching import run_match
from janus_jax._convert.scopes import annotations_of, leaves
from janus_jax._convert.stager import REST, Raised
from janus_jax._convert.targets import assign, opened, unassign
from janus_jax._values.kinds import UNBOUND, ManagerValue
from janus_jax._values.number import Number


def execute(frame: Frame) -> Any:
    """Run the body of a function and return its result."""
    node = frame.node
    if isinstance(node, ast.Lambda):
        return evaluate(frame, node.body)
    body = [*node.body, ast.copy_location(ast.Return(value=None), node.body[-1])]
    run(frame, body)
    return frame.stager.settle("the result", frame.env.get(RETURN, UNBOUND))


def run(frame: Frame, statements: Sequence[ast.stmt]) -> None:
    """Run statements until one leaves; how is in the frame's jump variable.

    Where only the run knows whether a statement left, the rest of the block is a branch on that.
    """
    for index, statement in enumerate(statements):
        frame.stager.site = frame.site(statement)
        if isinstance(statement, ast.If) and (leaves(statement.body) or leaves(statement.orelse)):
            return _if_that_leaves(frame, statement, statements[index + 1 :])
        _run_one(frame, statement)
        jump = frame.env[JUMP]
        if isinstance(jump, Number):
            return _run_rest(frame, statement, jump, statements[index + 1 :])
        if jump != ON:
            return None
    return None


def run_rest(frame: Frame, statement: ast.stmt, rest: Sequence[ast.stmt]) -> None:
    """Run the statements behind one that may have left."""
    jump = frame.env[JUMP]
    if isinstance(jump, Number):
        return _run_rest(frame, statement, jump, rest)
    return run(frame, rest) if jump == ON else None


def _run_rest(frame: Frame, statement: ast.stmt, jump: Number, rest: Sequence[ast.stmt]) -> None:
    if rest:
        branches.unless_left(frame, (frame.stager.context, frame.site(statement, REST)), jump, lambda: run(frame, rest))


def _run_one(frame: Frame, statement: ast.stmt) -> None:
    handler = _HANDLERS.get(type(statement))
    if handler is None:
        raise Unstageable("unsupported-statement", type(statement).__name__.lower(), frame.site(statement))
    handler(frame, statement)


def _assign(frame: Frame, node: ast.Assign) -> None:
    value = evaluate(frame, node.value)
    for target in node.targets:
        assign(frame, target, value)


def _augmented(frame: Frame, node: ast.AugAssign) -> None:
    left, bind = opened(frame, node.target)
    right = evaluate(frame, node.value)
    frame.stager.site = frame.site(node)
    bind(containers.augmented(frame.stager, symbol_of(node.op), left, right))


def _annotated(frame: Frame, node: ast.AnnAssign) -> None:
    if node.value is not None:
        assign(frame, node.target, evaluate(frame, node.value))


def _expression(frame: Frame, node: ast.Expr) -> None:
    evaluate(frame, node.value)


def _pass(frame: Frame, node: ast.Pass) -> None:
    pass


def _delete(frame: Frame, node: ast.Delete) -> None:
    for target in node.targets:
        unassign(frame, target)


def _break(frame: Frame, node: ast.Break) -> None:
    frame.env[JUMP] = BREAK


def _continue(frame: Frame, node: ast.Continue) -> None:
    frame.env[JUMP] = CONTINUE


def _return(frame: Frame, node: ast.Return) -> None:
    frame.store(RETURN, evaluate(frame, node.value) if node.value else None)
    frame.env[JUMP] = RETURNED


def _assert(frame: Frame, node: ast.Assert) -> None:
    if not __debug__:
        return  # `python -O` leaves assertions out
    holds = truth_of(frame, node.test)
    if holds is False:
        raise Unstageable("raises", "AssertionError", frame.site(node))
    if holds is not True:
        frame.stager.guard(holds, "the assertion holds", "assert", key=(frame.stager.context, frame.site(node)))


def _with(frame: Frame, node: ast.With) -> None:
    _with_items(frame, node, node.items)


def _with_items(frame: Frame, node: ast.With, items: Sequence[ast.withitem]) -> None:
    """Run the body inside the managers that are left to enter; nothing is raised in it, as in `try`."""
    if not items:
        return run(frame, node.body)
    stager = frame.stager
    manager = evaluate(frame, items[0].context_expr)
    stager.site = frame.site(node)

    def body(value: Any) -> None:
        if items[0].optional_vars is not None:
            assign(frame, items[0].optional_vars, value)
        with inside(frame, None):
            _with_items(frame, node, items[1:])

    if isinstance(manager, ManagerValue):
        return run_with(frame, manager.generator, body)
    leave = objects.special(stager, manager, "__exit__")
    value = stager.call(objects.special(stager, manager, "__enter__"), [], {})
    try:
        body(value)
    except Raised as raised:
        raise Unstageable("raises", raised.detail, raised.where) from None
    return finally_(frame, node, lambda: stager.call(leave, [None, None, None], {}))


def _define(frame: Frame, node: ast.FunctionDef) -> None:
    decorators = [evaluate(frame, decorator) for decorator in node.decorator_list]
    if not frame.function.__code__.co_flags & __future__.annotations.compiler_flag:
        for annotation in annotations_of(node):
            evaluate(frame, annotation)
    made: Any = make_closure(frame, node)
    for decorator, where in zip(reversed(decorators), reversed(node.decorator_list), strict=True):
        frame.stager.site = frame.site(where)
        made = invoke(frame.stager, decorator, [made], {}, frame.stager.site)
    frame.store(node.name, made)


def _if(frame: Frame, node: ast.If) -> None:
    _if_else(frame, node, node.body, node.orelse)


def _if_that_leaves(frame: Frame, node: ast.If, rest: Sequence[ast.stmt]) -> None:
    """Run an `if` of which an arm always jumps: what follows it belongs to the other arm."""
    body, orelse = ([*arm, *(() if leaves(arm) else rest)] for arm in (node.body, node.orelse))
    _if_else(frame, node, body, orelse)


def _if_else(frame: Frame, node: ast.If, body: Sequence[ast.stmt], orelse: Sequence[ast.stmt]) -> None:
    holds = truth_of(frame, node.test)
    if isinstance(holds, bool):
        return run(frame, body if holds else orelse)
    key = (frame.stager.context, frame.site(node))
    return branches.stage(frame, key, holds, lambda: run(frame, body), lambda: run(frame, orelse))


_HANDLERS: dict[type, Callable[[Frame, Any], None]] = {
    ast.Assign: _assign,
    ast.AugAssign: _augmented,
    ast.AnnAssign: _annotated,
    ast.Expr: _expression,
    ast.Pass: _pass,
    ast.Delete: _delete,
    ast.Break: _break,
    ast.Continue: _continue,
    ast.Return: _return,
    ast.Raise: run_raise,
    ast.Assert: _assert,
    ast.FunctionDef: _define,
    ast.Nonlocal: _pass,
    ast.Global: _pass,
    ast.Try: run_try,
    ast.Match: run_match,
    ast.With: _with,
    ast.If: _if,
    ast.While: run_while,
    ast.For: run_for,
}
