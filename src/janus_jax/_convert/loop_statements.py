"""Executes `while` and `for`: how many iterations run while converting, and what becomes a loop of the program."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax.numpy as jnp
from jax import lax

from janus_jax._base import Unstageable
from janus_jax._convert import branches, folds, iterables, loops
from janus_jax._convert.expressions import evaluate, truth_of
from janus_jax._convert.frames import CONTINUE, JUMP, ON, RETURNED, Frame
from janus_jax._convert.interleaving import is_beside, run_beside, unrolled_for_yields, used_up_before
from janus_jax._convert.loop import Loop, leave, next_iteration
from janus_jax._convert.scopes import is_endless
from janus_jax._convert.stager import FIRST_ITERATION, LOOP_ELSE, PEELED, REST_OF_LOOP, Retry, Stager
from janus_jax._convert.targets import assign
from janus_jax._convert.watching import Watch
from janus_jax._speculation import Key
from janus_jax._values import number_ops
from janus_jax._values.number import Number, wide

UNROLL_FOR = 4  # a `for` over so few elements is run while converting
UNROLL_OPERATIONS = 100  # but not if that makes more operations than this
UNROLL_WHILE = 8  # a `while` whose test is known is run while converting, so many times
UNROLL_LIMIT = 1_000  # no loop is unrolled further, whatever asks for it
ROLL_LIST = 64  # a longer list of equal arrays is stacked


def run_while(frame: Frame, node: ast.While) -> None:
    """Run a `while` loop and leave the frame as Python would."""
    stager = frame.stager
    key = (stager.context, frame.site(node))
    decision = unrolled_for_yields(frame, node) or stager.plan.loops.get(key)
    seen = stager.facts.trips(*key)
    peel = loops.PEELED.get(decision, 0)
    many = seen is not None and seen.maximum > UNROLL_WHILE and decision is None
    rolled = decision == "rolled" or many or key in stager.rolled
    limit = UNROLL_LIMIT if decision == "unroll" else 0 if rolled else UNROLL_WHILE
    _while_from(frame, node, key, max(limit, peel), peel)
    if is_endless(node) and not frame.jumps and isinstance(frame.env[JUMP], Number):
        frame.env[JUMP] = RETURNED


def _while_from(frame: Frame, node: ast.While, key: Key, limit: int, peel: int) -> None:
    """Run iterations while converting as long as the test is known and the limit allows, then roll the rest."""
    stager = frame.stager
    mark, before = stager.mark(), dict(frame.env)
    if limit == 0:
        return _roll_while(frame, node, key)
    holds = truth_of(frame, node.test)
    if holds is False:
        return frame.stager.run(frame, node.orelse)
    decided = peel > 0 or "unroll" in (unrolled_for_yields(frame, node), stager.plan.loops.get(key))
    if holds is True:
        _run_body(frame, node, key, limit, peel)
        if decided or not isinstance(next_iteration(frame, node, frame.env[JUMP]), Number):
            return _go_on(frame, node, key, limit, peel)
    if not decided:  # when the loop ends, only the run knows: this iteration is part of the rolled loop
        stager.reset(mark)
        stager.rolled.add(key)
        frame.env = before
        return _roll_while(frame, node, key)
    stager.decide(key, PEELED, "a variable changes its type in the first iteration")
    first = (key[0], frame.site(node, FIRST_ITERATION))
    return branches.stage(
        frame,
        first,
        holds,
        lambda: _iterate(frame, node, key, limit, peel),
        lambda: frame.stager.run(frame, node.orelse),
    )


def _iterate(frame: Frame, node: ast.While, key: Key, limit: int, peel: int) -> None:
    """Run the body once while converting, then the rest of the loop."""
    _run_body(frame, node, key, limit, peel)
    _go_on(frame, node, key, limit, peel)


def _run_body(frame: Frame, node: ast.While, key: Key, limit: int, peel: int) -> None:
    """Run one iteration while converting."""
    stager = frame.stager
    if limit == 1 and peel <= 1 and stager.plan.loops.get(key) not in loops.PEELED:
        raise stager.retry_loop(key, "rolled", "it runs too often to be unrolled")
    frame.stager.run(frame, node.body)


def _go_on(frame: Frame, node: ast.While, key: Key, limit: int, peel: int) -> None:
    """Run what follows an iteration: more of them, or what stands behind the loop."""
    _after_iteration(frame, node, key, lambda: _while_from(frame, node, key, limit - 1, max(peel - 1, 0)))


def _after_iteration(frame: Frame, node: ast.While | ast.For, key: Key, more: Callable[[], None]) -> None:
    """Run `more` unless the iteration has left the loop, then undo the loop's own jumps."""
    frame.env[JUMP] = jump = next_iteration(frame, node, frame.env[JUMP])
    if isinstance(jump, Number):
        return _unless_left_loop(frame, node, (key[0], frame.site(node, REST_OF_LOOP)), more)
    if jump == ON:
        return more()
    frame.env[JUMP] = leave(frame, node, jump)
    return None


def _unless_left_loop(frame: Frame, node: ast.While | ast.For, key: Key, more: Callable[[], None]) -> None:
    """Run `more` unless a loop was left early, whose own jumps are undone first: those in `more` are not its own."""
    jump: Number = frame.env[JUMP]
    frame.env[JUMP] = leave(frame, node, jump)
    branches.unless_left(frame, key, jump, more)


def _roll_while(frame: Frame, node: ast.While, key: Key) -> None:
    loop = Loop(
        frame, node, key, lambda *_: frame.stager.run(frame, node.body), lambda: truth_of(frame, node.test), None
    )
    loops.roll(loop)
    _finish_loop(frame, node)


def _finish_loop(frame: Frame, node: ast.While | ast.For) -> None:
    """Run the loop's `else` unless it was left early, and undo its own jumps."""
    jump = frame.env[JUMP]
    if node.orelse and isinstance(jump, Number):
        key = (frame.stager.context, frame.site(node, LOOP_ELSE))
        return _unless_left_loop(frame, node, key, lambda: frame.stager.run(frame, node.orelse))
    frame.env[JUMP] = leave(frame, node, jump)
    return frame.stager.run(frame, node.orelse) if jump == ON else None


def run_for(frame: Frame, node: ast.For) -> None:
    """Run a `for` loop and leave the frame as Python would."""
    stager = frame.stager
    key = (stager.context, frame.site(node))
    iterable = evaluate(frame, node.iter)
    frame.stager.site = frame.site(node)
    iterable = stager.iterate(stager, iterable)
    if isinstance(iterable, iterables.GeneratorValue) and is_beside(frame, node, iterable):
        return run_beside(frame, node, iterable)
    watch = Watch(stager, iterable)
    iterable = used_up_before(frame, node, iterable)
    iterable = folds.in_rows(stager, iterable)
    count = iterables.length(stager, iterable)
    decision = unrolled_for_yields(frame, node) or stager.plan.loops.get(key)
    if isinstance(count, int) and decision in (None, "unroll"):
        rollable = iterables.rollable(iterable)
        if not rollable and count > ROLL_LIST and decision is None:
            iterable = iterables.stacked(stager, iterable)
            rollable = iterables.rollable(iterable)
        if not rollable or decision == "unroll":
            return _unrolled(frame, node, key, iterable, count, watch)
        if count <= UNROLL_FOR:
            return _short(frame, node, key, iterable, count, watch)
    elif not iterables.rollable(iterable):
        raise Unstageable(
            "concrete-value",
            "how often this loop runs",
            frame.site(node),
        )
    return _rolled(frame, node, key, iterable, count, watch, loops.PEELED.get(decision, 0))


def _short(frame: Frame, node: ast.For, key: Key, iterable: Any, count: int, watch: Watch) -> None:
    """Unroll a short loop that could be rolled as well; roll it if that takes too much, and if it can be easily."""
    stager = frame.stager
    mark, before = stager.mark(), frame.env
    if key not in stager.rolled:
        frame.env = dict(before)
        share = UNROLL_OPERATIONS // max(count, 1)  # of one iteration: the first may tell that it takes too much
        if stager.afford(UNROLL_OPERATIONS, lambda: _unrolled(frame, node, key, iterable, count, watch, share) or True):
            return
        stager.reset(mark)
        stager.rolled.add(key)
        frame.env = before
    try:
        _rolled(frame, node, key, iterable, count, watch, 0)
    except Unstageable as end:
        raise stager.retry_loop(key, "unroll", str(end)) from None
    except Retry as retry:
        if retry.plan.loops.get(key) is None:
            raise  # something else has to change
        raise stager.retry_loop(key, "unroll", retry.why) from None


def _unrolled(
    frame: Frame, node: ast.For, key: Key, iterable: Any, count: int, watch: Watch, share: float = float("inf")
) -> None:
    if count > UNROLL_LIMIT:
        raise Unstageable("concrete-value", f"a loop of {count} iterations needs its index", frame.site(node))
    frame.stager.decide(key, "unrolled", f"{count} iterations, known while converting")
    _unroll_items(frame, node, key, iterables.items(frame.stager, iterable), watch, share, 0)


def _unroll_items(
    frame: Frame, node: ast.For, key: Key, items: Sequence[Any], watch: Watch, share: float, first: int
) -> None:
    if first:
        watch.check(first)
    for index in range(first, len(items)):
        assign(frame, node.target, items[index])
        with frame.stager.at_most(share):
            frame.stager.run(frame, node.body)
        if frame.env[JUMP] not in (ON, CONTINUE):
            rest = partial(_unroll_items, frame, node, key, items, watch, share, index + 1)
            return _after_iteration(frame, node, key, rest)
        frame.env[JUMP] = ON
        watch.check(index + 1)
    return frame.stager.run(frame, node.orelse)


def _rolled(
    frame: Frame, node: ast.For, key: Key, iterable: Any, count: Any, watch: Watch, peel: int, first: int = 0
) -> None:
    """Roll a `for`, after running `peel` iterations of it while converting."""
    stager = frame.stager
    known = isinstance(count, int)
    if known and count <= first:
        return frame.stager.run(frame, node.orelse)
    if peel == 0:
        watch.check()
        return _roll_for(frame, node, key, iterable, count, watch, first)

    def iterate() -> None:
        _assign_element(frame, node, iterable, _number(stager, first), count)
        frame.stager.run(frame, node.body)
        _after_iteration(
            frame, node, key, lambda: _rolled(frame, node, key, iterable, count, watch, peel - 1, first + 1)
        )

    stager.decide(key, PEELED, "a variable changes its type in the first iteration")
    if known:
        return iterate()
    with wide():
        more = count.value > first
    first_one = (key[0], frame.site(node, FIRST_ITERATION))
    return branches.stage(frame, first_one, more, iterate, lambda: frame.stager.run(frame, node.orelse))


def _number(stager: Stager, value: int) -> Number:
    with wide():
        return Number(int, jnp.int64(value), bounds=(value, value))


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


def _roll_for(frame: Frame, node: ast.For, key: Key, iterable: Any, count: Any, watch: Watch, first: int) -> None:
    stager = frame.stager
    rows = iterables.rows(stager, iterable, count if isinstance(count, int) else None)

    def body(index: Number, row: Callable[[], Any]) -> None:
        moved = _shifted(stager, index, first)
        from_here = watch.anew()
        assign(frame, node.target, iterables.element(stager, iterable, moved, row))
        frame.stager.run(frame, node.body)
        from_here.check()

    left: Any = count - first if isinstance(count, int) else _shifted(stager, count, -first)
    loops.roll(Loop(frame, node, key, body, None, left, [row[first:] for row in rows] if first else rows))
    _finish_loop(frame, node)


def _shifted(stager: Stager, number: Number, by: int) -> Number:
    """Return a loop index moved by a few iterations."""
    return number if by == 0 else number_ops.binary(stager, "+", number, by)
