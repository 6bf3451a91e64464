"""Loops: run while converting where that is short, rolled into one program loop otherwise."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun

from janus_jax._base import Unstageable
from janus_jax._convert.frames import BREAK, CONTINUE, JUMP, ON, RETURN, Frame, UnboundHere, Watch
from janus_jax._convert.scopes import body_of, jumps_out, names_in, returns
from janus_jax._convert.stager import Stager
from janus_jax._loops import while_loop
from janus_jax._speculation import CAP_FACTOR, CAP_MARGIN, CAP_UNSEEN, Key, LoopDecision
from janus_jax._values.build import build, settle
from janus_jax._values.join import join
from janus_jax._values.kinds import UNBOUND
from janus_jax._values.layout import avals, conform
from janus_jax._values.number import Number, wide
from janus_jax._values.template import (
    Absent,
    Clash,
    MaybeLeaf,
    NumberLeaf,
    Static,
    Template,
    describe,
    flatten,
    holds_union,
)

FIXPOINT_ROUNDS = 6
# How many iterations are run before the rolled loop, by decision; in a union loop a variable may be of several types.
PEELED: dict[LoopDecision | None, int] = {"peel": 1, "peel-twice": 2, "peel-union": 1}


@dataclass(slots=True)
class Round:
    """What one trace of a loop's body has shown."""

    jaxpr: ClosedJaxpr | None = None
    after: dict[str, Template] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    has_code: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """A loop to be rolled.

    `count` is the number of iterations where it is known before the loop begins, at conversion or at run time.
    `test` is evaluated before the loop and at the end of every iteration; None for a loop that only counts.
    `rows` are arrays of which iteration k gets row k.
    """

    frame: Frame
    node: ast.For | ast.While
    key: Key
    body: Callable[[Number, Callable[[], Any]], None]
    test: Callable[[], Any] | None
    count: int | Number | None
    rows: Sequence[Any] = ()


def carried_names(loop: Loop) -> list[str]:
    """Return the names that the loop binds, and the hidden ones that say how an iteration ended."""
    bound = names_in([loop.node]).bound & loop.frame.locals
    return [*sorted(bound), JUMP, RETURN]


def roll(loop: Loop) -> None:
    """Run the loop as one loop of the program, and leave its variables as Python would."""
    frame, stager = loop.frame, loop.frame.stager
    frame.env[JUMP] = ON
    go = True if loop.test is None else loop.test()
    names = carried_names(loop)
    frame.touch(names)
    initial = {name: flatten(frame.env.get(name, UNBOUND), stager.identities) for name in names}
    templates = {name: _widened(name, initial[name][0]) for name in names}
    mark = stager.mark()
    for _ in range(FIXPOINT_ROUNDS):
        stager.reset(mark)
        found = _trace_body(loop, templates)
        joined = {name: _carried(loop, name, templates[name], found) for name in names}
        if joined == templates and found.jaxpr is not None:
            break
        templates = joined
    else:
        raise Unstageable("loop-types-differ", "the types of its variables never settle", loop.key[1])
    _emit(loop, templates, initial, found, go)


def _widened(name: str, template: Template) -> Template:
    """A number that the loop binds will hardly stay the same: begin with one that only the run knows."""
    if isinstance(template, Static) and type(template.value) in (int, float, bool) and not name.startswith("$"):
        return NumberLeaf(type(template.value))
    return template


def _carried(loop: Loop, name: str, template: Template, found: Round) -> Template:
    """Return what `name` has to be carried as, given what it is before and after an iteration."""
    if name not in found.after:
        return template
    after = found.after[name]
    if isinstance(template, Absent) and not _live_outside(loop, name):
        return template
    joined = join(template, after, implied=name == RETURN)
    alike = holds_union(template) or holds_union(after) or not holds_union(joined)
    if not isinstance(joined, Clash) and (alike or loop.frame.stager.plan.loops.get(loop.key) == "peel-union"):
        return joined
    if name not in found.read and not _live_outside(loop, name):
        return Absent()
    why = f"{name}: {describe(template)} before the first iteration, {describe(after)} after it"
    raise _another_way(loop, why, "peel-twice" if isinstance(joined, Clash) else "peel-union")


def _another_way(loop: Loop, why: str, second: LoopDecision = "peel-twice") -> BaseException:
    """Return what to raise where the loop cannot be rolled as it stands: peel iterations, unroll, or give up."""
    stager = loop.frame.stager
    match stager.plan.loops.get(loop.key):
        case None | "rolled":
            return stager.retry_loop(loop.key, "peel", why)
        case "peel":
            return stager.retry_loop(loop.key, second, why)
        case _ if isinstance(loop.count, int) and loop.count <= 64:
            return stager.retry_loop(loop.key, "unroll", why)
        case _:
            return Unstageable("loop-types-differ", why, loop.key[1])


def _live_outside(loop: Loop, name: str) -> bool:
    """Return whether anything but the loop itself reads `name`."""
    if name in (JUMP, RETURN):
        return True
    return name in names_in(body_of(loop.frame.node), skip=loop.node).loaded


def _trace_body(loop: Loop, templates: dict[str, Template]) -> Round:
    frame, stager = loop.frame, loop.frame.stager
    before = frame.env
    found = Round()
    origin = frozenset([loop.key])

    def iteration(index: Any, *leaves: Any) -> list[Any]:
        rows, carry = leaves[: len(loop.rows)], iter(leaves[len(loop.rows) :])
        stager.scope.iteration = index
        start = {name: build(t, carry, stager.identities, frozenset()) for name, t in templates.items()}
        frame.env = {**before, **start, JUMP: ON}
        watch = Watch({name: value for name, value in start.items() if not name.startswith("$")})
        frame.watches.append(watch)
        found.read = watch.read
        with wide():
            number = Number(int, lax.convert_element_type(index, jnp.int64), origin)
        hand_out = iter(rows)
        try:
            loop.body(number, lambda: next(hand_out))
        except UnboundHere as unbound:
            if unbound.name in templates and isinstance(templates[unbound.name], Absent):
                raise _another_way(loop, f"{unbound.name} is bound by an earlier iteration") from None
            raise
        finally:
            frame.watches.remove(watch)
        return _finish(loop, templates, found)

    with wide():
        types = [jax.ShapeDtypeStruct((), jnp.int32), *map(_row_type, loop.rows)]
        types += [aval for template in templates.values() for aval in avals(template)]
    try:
        with stager.inner():
            found.jaxpr = stager.trace(iteration, types)
    except _NotYet:
        found.jaxpr = None
    finally:
        frame.env = before
    return found


class _NotYet(BaseException):
    """The variables after the iteration do not fit the types it was traced for: trace again with wider ones."""


def _row_type(array: Any) -> jax.ShapeDtypeStruct:
    aval = jax.typeof(array)
    return jax.ShapeDtypeStruct(aval.shape[1:], aval.dtype, weak_type=bool(getattr(aval, "weak_type", False)))


def _finish(loop: Loop, templates: dict[str, Template], found: Round) -> list[Any]:
    """Return the leaves of the carry after the body: the variables, whether to go on, and the trip code."""
    frame, stager = loop.frame, loop.frame.stager
    frame.env[JUMP] = next_iteration(loop.node, frame.env.get(JUMP, ON))
    go = _goes_on(loop)
    own: dict[str, list[Any]] = {}
    for name in templates:
        found.after[name], own[name] = flatten(frame.env.get(name, UNBOUND), stager.identities)
    if any(_carried(loop, name, template, found) != template for name, template in templates.items()):
        raise _NotYet
    found.has_code = stager.scope.code is not None
    code = [stager.scope.code] if found.has_code else []
    return [*_laid_out(stager, templates, found.after, own), go, *code]


def _laid_out(
    stager: Stager, templates: dict[str, Template], found: dict[str, Template], own: dict[str, Any]
) -> list[Any]:
    """Return the leaves of all carried variables, in the layout of `templates`."""
    leaves: list[Any] = []
    for name, template in templates.items():
        if not isinstance(template, Absent):
            leaves.extend(conform(found[name], own[name], template, stager.constant))
    return [leaf if isinstance(leaf, jax.Array) else jnp.asarray(leaf) for leaf in leaves]


def next_iteration(node: ast.For | ast.While, jump: Any) -> Any:
    """Return the jump code at the end of an iteration: `continue` has done its work."""
    if not isinstance(jump, Number):
        return ON if jump == CONTINUE else jump
    if not jumps_out(node.body):
        return ON
    with wide():
        on = lax.select(jump.value == CONTINUE, jnp.int64(ON), jump.value)
    return Number(int, on, jump.origin)


def _goes_on(loop: Loop) -> Any:
    """Return whether another iteration may follow, as a traced boolean."""
    frame = loop.frame
    jump = frame.env[JUMP]
    if isinstance(jump, Number):
        with wide():
            stays = jump.value == ON
        return stays if loop.test is None else _tested_unless_left(loop, stays)
    if jump != ON:
        return jnp.bool_(False)
    return jnp.asarray(True if loop.test is None else loop.test(), jnp.bool_)


def _tested_unless_left(loop: Loop, stays: Any) -> Any:
    # The test is evaluated though the loop may have been left: it has no effects, a trip in it falls back, and
    # an endless loop in it runs into its cap.
    assert loop.test is not None
    return lax.bitwise_and(stays, jnp.asarray(loop.test(), jnp.bool_))


def _emit(
    loop: Loop, templates: dict[str, Template], initial: dict[str, tuple[Template, list[Any]]], found: Round, go: Any
) -> None:
    frame, stager = loop.frame, loop.frame.stager
    before = {name: template for name, (template, _) in initial.items()}
    with wide():
        carry = _laid_out(stager, templates, before, {name: own for name, (_, own) in initial.items()})
    body = jaxpr_as_fun(found.jaxpr)
    counted = isinstance(loop.count, int) and not found.has_code and loop.test is None and not _may_jump(templates)
    with wide():
        leaves = _scan(loop, body, carry) if counted else _while(loop, body, carry, found, go)
    frame.env.update(_bind_after(loop, templates, found, iter(leaves)))


def _may_jump(templates: dict[str, Template]) -> bool:
    return isinstance(templates[JUMP], NumberLeaf)


def _scan(loop: Loop, body: Callable[..., Any], carry: list[Any]) -> list[Any]:
    """Emit a loop that runs a known number of times and holds no guard."""
    stager = loop.frame.stager
    count = loop.count
    assert isinstance(count, int)
    stager.decide(loop.key, "scan", f"{count} iterations, known while converting")

    def step(state: list[Any], row: Any) -> tuple[list[Any], None]:
        index, *variables = state
        after = list(body(index, *row, *variables))[:-1]
        return [index + jnp.int32(1), *after], None

    final, _ = lax.scan(step, [jnp.int32(0), *carry], list(loop.rows), length=count)
    return list(final)[1:]


def _while(loop: Loop, body: Callable[..., Any], carry: list[Any], found: Round, go: Any) -> list[Any]:
    """Emit a loop whose end only the run knows; a guard that trips inside ends it."""
    stager = loop.frame.stager
    limit = loop.count
    stop = limit.value if isinstance(limit, Number) else None if limit is None else jnp.int64(limit)
    cap = limit if isinstance(limit, int) else _cap(loop)
    seen = stager.facts.trips(*loop.key)
    evidence = f"{seen.minimum} to {seen.maximum} iterations seen" if seen else "not profiled"
    stager.decide(loop.key, "while loop", f"{evidence}, at most {cap} allowed")

    def condition(index: Any, going: Any, code: Any, *_: Any) -> Any:
        result = lax.bitwise_and(going, code == jnp.int32(0))
        in_range = None if stop is None else lax.convert_element_type(index, jnp.int64) < stop
        return result if in_range is None else lax.bitwise_and(result, in_range)

    def step(index: Any, _going: Any, _code: Any, *variables: Any) -> list[Any]:
        rows = [lax.dynamic_index_in_dim(row, index, keepdims=False) for row in loop.rows]
        after = list(body(index, *rows, *variables))
        code = after.pop() if found.has_code else jnp.int32(0)
        going = after.pop()
        return [index + jnp.int32(1), going, code, *after]

    init = [jnp.int32(0), jnp.asarray(go, jnp.bool_), jnp.int32(0), *carry]
    types = [
        jax.ShapeDtypeStruct(x.shape, x.dtype, weak_type=bool(getattr(jax.typeof(x), "weak_type", False))) for x in init
    ]
    result = while_loop(jax.make_jaxpr(condition)(*types), jax.make_jaxpr(step)(*types), init, cap=cap)
    _, _, code, *final = result.carry
    if found.has_code:
        stager.add_code(code)
    if not isinstance(limit, int):
        stager.guard(
            lax.bitwise_not(result.exhausted), f"the loop ends within {cap} iterations", "cap", str(cap), loop.key
        )
    return final


def _cap(loop: Loop) -> int:
    stager = loop.frame.stager
    planned = stager.plan.caps.get(loop.key)
    seen = stager.facts.trips(*loop.key)
    return planned or (CAP_FACTOR * seen.maximum + CAP_MARGIN if seen else CAP_UNSEEN)


def _bind_after(loop: Loop, templates: dict[str, Template], found: Round, leaves: Any) -> dict[str, Any]:
    """Return the variables after the loop."""
    stager = loop.frame.stager
    runs = isinstance(loop.count, int) and loop.count > 0
    result: dict[str, Any] = {}
    for name, template in templates.items():
        value = build(template, leaves, stager.identities, frozenset([loop.key]))
        after = found.after.get(name)
        if runs and after is not None:
            settle(value, after, stager.identities)
        if runs and isinstance(template, MaybeLeaf) and after is not None and not isinstance(after, MaybeLeaf | Absent):
            value = value.value  # the body binds it whenever it runs
        result[name] = value
    return result


def leave(node: ast.For | ast.While, jump: Any) -> Any:
    """Return the jump code behind a loop: `break` has done its work, `return` goes on."""
    if not isinstance(jump, Number):
        return ON if jump == BREAK else jump
    if not returns(node.body):
        return ON
    with wide():
        after = lax.select(jump.value == BREAK, jnp.int64(ON), jump.value)
    return Number(int, after, jump.origin)
