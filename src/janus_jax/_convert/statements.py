"""Executes the user's statements over staged values."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax.numpy as jnp
from jax import lax

from janus_jax._base import Unstageable
from janus_jax._convert import branches, iterables, loops, operators
from janus_jax._convert.expressions import evaluate, make_closure, symbol_of, truth_of
from janus_jax._convert.frames import BREAK, CONTINUE, JUMP, ON, RETURN, RETURNED, Frame
from janus_jax._convert.scopes import is_endless, leaves
from janus_jax._convert.stager import Stager
from janus_jax._speculation import Key
from janus_jax._values.kinds import UNBOUND
from janus_jax._values.number import Number, wide

UNROLL_FOR = 4  # a `for` over so few elements is run while converting
UNROLL_WHILE = 8  # a `while` whose test is known is run while converting, so many times
UNROLL_LIMIT = 1_000  # no loop is unrolled further, whatever asks for it
ROLL_LIST = 64  # a longer list of equal arrays is stacked


def execute(frame: Frame) -> Any:
    """Run the body of a function and return its result."""
    node = frame.node
    if isinstance(node, ast.Lambda):
        return evaluate(frame, node.body)
    body = [*node.body, ast.copy_location(ast.Return(value=None), node.body[-1])]
    run(frame, body)
    return frame.settle("the result", frame.env[RETURN])


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


def _run_rest(frame: Frame, statement: ast.stmt, jump: Number, rest: Sequence[ast.stmt]) -> None:
    if rest:
        _unless_left(frame, (frame.stager.context, frame.site(statement, "rest")), jump, lambda: run(frame, rest))


def _unless_left(frame: Frame, key: Key, jump: Number, rest: Callable[[], None]) -> None:
    with wide():
        stays = jump.value == ON

    def go_on() -> None:
        frame.env[JUMP] = ON
        rest()

    branches.stage(frame, key, stays, go_on, lambda: None)


def _run_one(frame: Frame, statement: ast.stmt) -> None:
    handler = _HANDLERS.get(type(statement))
    if handler is None:
        raise Unstageable("unsupported-statement", type(statement).__name__.lower(), frame.site(statement))
    handler(frame, statement)


def assign(frame: Frame, target: ast.expr, value: Any) -> None:
    """Bind a target: a local name, or a tuple or list of targets."""
    match target:
        case ast.Name(id=name):
            frame.store(name, value)
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            _unpack(frame, targets, value)
        case ast.Starred(value=inner):
            assign(frame, inner, value)
        case _:
            raise Unstageable("heap-write", "an assignment to an attribute or item", frame.site(target))


def _unpack(frame: Frame, targets: Sequence[ast.expr], value: Any) -> None:
    items = iterables.items(frame.stager, value)
    stars = [index for index, target in enumerate(targets) if isinstance(target, ast.Starred)]
    if len(items) < len(targets) - len(stars) or (not stars and len(items) != len(targets)):
        raise Unstageable("raises", "ValueError: the number of values to unpack differs", frame.stager.site)
    if stars:
        star, extra = stars[0], len(items) - len(targets) + 1
        items = [*items[:star], items[star : star + extra], *items[star + extra :]]
    for target, item in zip(targets, items, strict=True):
        assign(frame, target, item)


def _assign(frame: Frame, node: ast.Assign) -> None:
    value = evaluate(frame, node.value)
    for target in node.targets:
        assign(frame, target, value)


def _augmented(frame: Frame, node: ast.AugAssign) -> None:
    if not isinstance(node.target, ast.Name):
        raise Unstageable("heap-write", "an assignment to an attribute or item", frame.site(node))
    left = frame.load(node.target.id)
    right = evaluate(frame, node.value)
    frame.stager.site = frame.site(node)
    if type(left) in (list, dict):
        raise Unstageable("heap-write", f"a {type(left).__name__} changed in place", frame.site(node))
    assign(frame, node.target, operators.binary(frame.stager, symbol_of(node.op), left, right))


def _annotated(frame: Frame, node: ast.AnnAssign) -> None:
    if node.value is not None:
        assign(frame, node.target, evaluate(frame, node.value))


def _expression(frame: Frame, node: ast.Expr) -> None:
    evaluate(frame, node.value)


def _pass(frame: Frame, node: ast.Pass) -> None:
    pass


def _delete(frame: Frame, node: ast.Delete) -> None:
    for target in node.targets:
        if not isinstance(target, ast.Name) or target.id not in frame.locals:
            raise Unstageable("heap-write", "del of an attribute or item", frame.site(node))
        frame.load(target.id)
        frame.env[target.id] = UNBOUND


def _break(frame: Frame, node: ast.Break) -> None:
    frame.env[JUMP] = BREAK


def _continue(frame: Frame, node: ast.Continue) -> None:
    frame.env[JUMP] = CONTINUE


def _return(frame: Frame, node: ast.Return) -> None:
    frame.env[RETURN] = evaluate(frame, node.value) if node.value else None
    frame.env[JUMP] = RETURNED


def _raise(frame: Frame, node: ast.Raise) -> None:
    raise Unstageable("raises", "a raise statement", frame.site(node))


def _assert(frame: Frame, node: ast.Assert) -> None:
    holds = truth_of(frame, node.test)
    if holds is False:
        raise Unstageable("raises", "AssertionError", frame.site(node))
    if holds is not True:
        frame.stager.guard(holds, "the assertion holds", "assert", key=(frame.stager.context, frame.site(node)))


def _define(frame: Frame, node: ast.FunctionDef) -> None:
    if node.decorator_list:
        raise Unstageable("unsupported-statement", "a decorated function", frame.site(node))
    frame.store(node.name, make_closure(frame, node))


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


def _while(frame: Frame, node: ast.While) -> None:
    stager = frame.stager
    key = (stager.context, frame.site(node))
    decision = stager.plan.loops.get(key)
    seen = stager.facts.trips(*key)
    peel = loops.PEELED.get(decision, 0)
    many = seen is not None and seen.maximum > UNROLL_WHILE and decision is None
    limit = UNROLL_LIMIT if decision == "unroll" else 0 if decision == "rolled" or many else UNROLL_WHILE
    _while_from(frame, node, key, max(limit, peel), peel)
    if is_endless(node) and isinstance(frame.env[JUMP], Number):
        frame.env[JUMP] = RETURNED


def _while_from(frame: Frame, node: ast.While, key: Key, limit: int, peel: int) -> None:
    """Run iterations while converting as long as the test is known and the limit allows, then roll the rest."""
    stager = frame.stager
    mark, before = stager.mark(), dict(frame.env)
    if limit == 0:
        return _roll_while(frame, node, key)
    holds = truth_of(frame, node.test)
    if holds is False:
        return run(frame, node.orelse)
    if holds is True:
        return _iterate(frame, node, key, limit, peel)
    if peel == 0:
        stager.reset(mark)
        frame.env = before
        return _roll_while(frame, node, key)
    stager.decide(key, "peeled", "a variable changes its type in the first iteration")
    return branches.stage(
        frame, key, holds, lambda: _iterate(frame, node, key, limit, peel), lambda: run(frame, node.orelse)
    )


def _iterate(frame: Frame, node: ast.While, key: Key, limit: int, peel: int) -> None:
    """Run the body once while converting, then the rest of the loop."""
    stager = frame.stager
    if limit == 1 and peel <= 1 and stager.plan.loops.get(key) not in loops.PEELED:
        raise stager.retry_loop(key, "rolled", "it runs too often to be unrolled")
    run(frame, node.body)
    _after_iteration(frame, node, key, lambda: _while_from(frame, node, key, limit - 1, max(peel - 1, 0)))


def _after_iteration(frame: Frame, node: ast.While | ast.For, key: Key, more: Callable[[], None]) -> None:
    """Run `more` unless the iteration has left the loop, then undo the loop's own jumps."""
    frame.env[JUMP] = jump = loops.next_iteration(node, frame.env[JUMP])
    if isinstance(jump, Number):
        return _unless_left_loop(frame, node, (key[0], frame.site(node, "rest of loop")), more)
    if jump == ON:
        return more()
    frame.env[JUMP] = loops.leave(node, jump)
    return None


def _unless_left_loop(frame: Frame, node: ast.While | ast.For, key: Key, more: Callable[[], None]) -> None:
    """Run `more` unless a loop was left early, whose own jumps are undone first: those in `more` are not its own."""
    jump: Number = frame.env[JUMP]
    frame.env[JUMP] = loops.leave(node, jump)
    _unless_left(frame, key, jump, more)


def _roll_while(frame: Frame, node: ast.While, key: Key) -> None:
    loop = loops.Loop(frame, node, key, lambda *_: run(frame, node.body), lambda: truth_of(frame, node.test), None)
    loops.roll(loop)
    _finish_loop(frame, node)


def _finish_loop(frame: Frame, node: ast.While | ast.For) -> None:
    """Run the loop's `else` unless it was left early, and undo its own jumps."""
    jump = frame.env[JUMP]
    if node.orelse and isinstance(jump, Number):
        key = (frame.stager.context, frame.site(node, "loop else"))
        return _unless_left_loop(frame, node, key, lambda: run(frame, node.orelse))
    frame.env[JUMP] = loops.leave(node, jump)
    return run(frame, node.orelse) if jump == ON else None


def _for(frame: Frame, node: ast.For) -> None:
    stager = frame.stager
    key = (stager.context, frame.site(node))
    iterable = evaluate(frame, node.iter)
    frame.stager.site = frame.site(node)
    count = iterables.length(stager, iterable)
    decision = stager.plan.loops.get(key)
    if isinstance(count, int) and decision in (None, "unroll"):
        rollable = iterables.rollable(iterable)
        if not rollable and count > ROLL_LIST and decision is None:
            iterable, rollable = _stacked(stager, iterable)
        if not rollable or count <= UNROLL_FOR or decision == "unroll":
            return _unrolled(frame, node, key, iterable, count)
    elif not iterables.rollable(iterable):
        raise Unstageable("concrete-value", "the number of iterations over a list", frame.site(node))
    return _rolled(frame, node, key, iterable, count, loops.PEELED.get(decision, 0))


def _stacked(stager: Stager, iterable: Any) -> tuple[Any, bool]:
    """Return a long list of equal arrays as one array, so that the loop over it can be rolled."""
    same = (
        type(iterable) in (tuple, list)
        and all(map(operators.is_array, iterable))
        and len({(x.shape, x.dtype, x.weak_type) for x in iterable}) == 1
        and not iterable[0].weak_type
    )
    return (operators.run_native(stager, jnp.stack, list(iterable)), True) if same else (iterable, False)


def _unrolled(frame: Frame, node: ast.For, key: Key, iterable: Any, count: int) -> None:
    if count > UNROLL_LIMIT:
        raise Unstageable("concrete-value", f"a loop of {count} iterations needs its index", frame.site(node))
    frame.stager.decide(key, "unrolled", f"{count} iterations, known while converting")
    _unroll_items(frame, node, key, iterables.items(frame.stager, iterable))


def _unroll_items(frame: Frame, node: ast.For, key: Key, items: Sequence[Any]) -> None:
    for index, item in enumerate(items):
        assign(frame, node.target, item)
        run(frame, node.body)
        if frame.env[JUMP] not in (ON, CONTINUE):
            return _after_iteration(frame, node, key, partial(_unroll_items, frame, node, key, items[index + 1 :]))
        frame.env[JUMP] = ON
    return run(frame, node.orelse)


def _rolled(frame: Frame, node: ast.For, key: Key, iterable: Any, count: Any, peel: int, first: int = 0) -> None:
    """Roll a `for`, after running `peel` iterations of it while converting."""
    stager = frame.stager
    known = isinstance(count, int)
    if known and count <= first:
        return run(frame, node.orelse)
    if peel == 0:
        return _roll_for(frame, node, key, iterable, count, first)

    def iterate() -> None:
        _assign_element(frame, node, iterable, _number(stager, first), count)
        run(frame, node.body)
        _after_iteration(frame, node, key, lambda: _rolled(frame, node, key, iterable, count, peel - 1, first + 1))

    stager.decide(key, "peeled", "a variable changes its type in the first iteration")
    if known:
        return iterate()
    with wide():
        more = count.value > first
    return branches.stage(frame, key, more, iterate, lambda: run(frame, node.orelse))


def _number(stager: Stager, value: int) -> Number:
    with wide():
        return Number(int, jnp.int64(value))


def _assign_element(frame: Frame, node: ast.For, iterable: Any, index: Number, count: Any) -> None:
    """Bind the target to the element at an index that is known, without asking for the others."""
    stager = frame.stager
    rows = iter(iterables.rows(stager, iterable, count if isinstance(count, int) else None))
    with wide():
        position = lax.convert_element_type(index.value, jnp.int32)

    def row() -> Any:
        with wide():
            return lax.dynamic_index_in_dim(next(rows), position, keepdims=False)

    assign(frame, node.target, iterables.element(stager, iterable, index, row))


def _roll_for(frame: Frame, node: ast.For, key: Key, iterable: Any, count: Any, first: int) -> None:
    stager = frame.stager
    rows = iterables.rows(stager, iterable, count if isinstance(count, int) else None)

    def body(index: Number, row: Callable[[], Any]) -> None:
        moved = _shifted(index, first)
        assign(frame, node.target, iterables.element(stager, iterable, moved, row))
        run(frame, node.body)

    left: Any = count - first if isinstance(count, int) else _shifted(count, -first)
    loops.roll(loops.Loop(frame, node, key, body, None, left, [row[first:] for row in rows] if first else rows))
    _finish_loop(frame, node)


def _shifted(number: Number, by: int) -> Number:
    """Return a loop index moved by a few iterations, which cannot overflow."""
    if by == 0:
        return number
    with wide():
        return Number(int, number.value + jnp.int64(by), number.origin)


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
    ast.Raise: _raise,
    ast.Assert: _assert,
    ast.FunctionDef: _define,
    ast.If: _if,
    ast.While: _while,
    ast.For: _for,
}
