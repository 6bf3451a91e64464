"""Branches on values that only the run knows: a `cond`, or one arm and a guard."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import ClosedJaxpr

from janus_jax._base import Unstageable
from janus_jax._convert.frames import JUMP, ON, Frame, is_implied
from janus_jax._convert.identity import distinct
from janus_jax._convert.merging import Side, merge
from janus_jax._convert.places import changed_places, flatten_place, is_object, put
from janus_jax._convert.runs import PastIsRead
from janus_jax._convert.stager import Stager
from janus_jax._speculation import Key
from janus_jax._values.build import build
from janus_jax._values.join import join
from janus_jax._values.kinds import Past
from janus_jax._values.layout import conform, refreshed
from janus_jax._values.number import Number, wide
from janus_jax._values.series import grown, most_elements
from janus_jax._values.template import Group, Static, Template, computes, labels_of, leaf_count

# An arm that was never seen is kept as long as it does not double the program, and always when it is small.
SMALL_ARM = 20


@dataclass(frozen=True, slots=True)
class Arm:
    """One side of a branch, traced, and what it changed."""

    jaxpr: ClosedJaxpr
    changed: dict[str, Template]
    has_code: bool


def negate(stager: Stager, value: Any) -> Any:
    """Return `not value` for a truth value."""
    if isinstance(value, bool):
        return not value
    stager.uses_numbers = True
    with wide():
        return Number(bool, lax.bitwise_not(value))


def stage(frame: Frame, key: Key, predicate: Any, true: Callable[[], None], false: Callable[[], None]) -> None:
    """Run one of two arms, as a traced boolean says; what either changes in `frame` is merged.

    An arm that the profile never saw is left out, behind a guard, when it is costly or cannot be compiled.
    """
    stager = frame.stager
    decision = stager.plan.branches.get(key)
    if decision in ("guard-true", "guard-false"):
        return _take(frame, key, predicate, decision == "guard-true", true, false)
    seen = stager.facts.branch(*key).arms if decision is None else (1, 1)
    mark = stager.mark()
    arms: list[Arm] = []
    for index, run in enumerate((true, false)):
        with _taken(stager, predicate, index == 0):
            arm = _arm_or_decision(frame, run, _never(seen, index))
        if isinstance(arm, str):
            stager.reset(mark)
            return _take(frame, key, predicate, index == 1, true, false, arm)
        arms.append(arm)
    stager.decide(key, "cond", f"taken {seen[0]} times, not taken {seen[1]} times" if sum(seen) else "not profiled")
    _merge(frame, key, predicate, arms)


@contextmanager
def _taken(stager: Stager, predicate: Any, taken: bool) -> Generator[None]:
    """Have loops know whether their branch is taken: under `vmap` both are run, and a loop in one might not end."""
    outer = stager.active
    if stager.generic:
        with wide():
            here = jnp.asarray(predicate, jnp.bool_)
            here = here if taken else lax.bitwise_not(here)
            stager.active = here if outer is None else lax.bitwise_and(outer, here)
    try:
        yield
    finally:
        stager.active = outer


def _arm_or_decision(frame: Frame, run: Callable[[], None], unseen: bool) -> Arm | str:
    """Return an arm of a branch; where it is left to Python, what to decide after it was taken."""
    stager = frame.stager
    outer, stager.unseen = stager.unseen, stager.unseen or unseen
    try:
        if unseen:
            return stager.afford(max(SMALL_ARM, stager.operations), lambda: _trace_arm(frame, run)) or "both"
        return _trace_arm(frame, run)
    except Unstageable as end:
        if end.reason_id == "raises":
            return ""  # seen or not, it only raises: there is nothing else to try
        if unseen:
            return "both"
        raise
    finally:
        stager.unseen = outer


def unless_left(frame: Frame, key: Key, jump: Number, rest: Callable[[], None]) -> None:
    """Run `rest` unless a statement has left, as `jump` says when the program runs."""
    with wide():
        stays = jump.value == ON

    def go_on() -> None:
        frame.env[JUMP] = ON
        rest()

    stage(frame, key, stays, go_on, lambda: None)


def _never(seen: Sequence[int], index: int) -> bool:
    return sum(seen) > 0 and seen[index] == 0


def _take(
    frame: Frame,
    key: Key,
    predicate: Any,
    taken: bool,
    true: Callable[[], None],
    false: Callable[[], None],
    relaxed: str = "both",
) -> None:
    """Run the arm that was always taken, and assert that it is taken; `relaxed` is what to decide after a trip."""
    stager = frame.stager
    seen = stager.facts.branch(*key).arms
    stager.decide(key, f"guard: always {taken}", f"taken {seen[0]} times, not taken {seen[1]} times")
    with wide():
        ok = predicate if taken else lax.bitwise_not(jnp.asarray(predicate))
    stager.guard(ok, f"the test is {taken}", "branch", relaxed, key)
    (true if taken else false)()


def _trace_arm(frame: Frame, run: Callable[[], None]) -> Arm:
    stager = frame.stager
    before = frame.env
    changed: dict[str, Template] = {}
    codes: list[Any] = []

    def arm() -> list[Any]:
        leaves: list[Any] = []
        run()
        for name in changed_places(before, frame):
            changed[name], found = flatten_place(frame, name, leaving=True)
            leaves.extend(found)
        codes.extend([] if stager.scope.code is None else [stager.scope.code])
        return [*leaves, *codes]

    frame.env = dict(before)
    try:
        with stager.inner():
            jaxpr = stager.trace(arm)
    finally:
        frame.env = before
    return Arm(jaxpr, changed, bool(codes))


def _merge(frame: Frame, key: Key, predicate: Any, arms: Sequence[Arm]) -> None:
    stager = frame.stager
    names = sorted(arms[0].changed.keys() | arms[1].changed.keys())
    frame.touch(name for name in names if not all(name in arm.changed for arm in arms))
    kept = {name: flatten_place(frame, name) for name in names}
    joined = {name: _joined(stager, key, name, *(_left_by(arm, name, kept) for arm in arms)) for name in names}
    has_code = any(arm.has_code for arm in arms)

    def side(arm: Arm) -> Side:
        def lay_out(leaves: Sequence[Any]) -> list[Any]:
            code = [leaves[-1] if arm.has_code else np.int32(0)] if has_code else []
            return [*_laid_out(stager, arm, leaves, kept, joined), *code]

        return Side(arm.jaxpr, lay_out, moves_only=not any(map(computes, joined.values())))

    with wide():
        given = [const for arm in arms for const in arm.jaxpr.consts]
        merged = distinct(merge(predicate, (side(arms[0]), side(arms[1]))), given)
    if has_code:
        stager.add_code(merged.pop())
    leaves = iter(merged)
    blame = _blame(frame, key)
    for name in names:
        put(frame, name, joined[name], build(joined[name], leaves, stager.identities, blame), blame)


def _left_by(arm: Arm, name: str, kept: dict[str, tuple[Template, list[Any]]]) -> Template:
    """Return what a place holds at the end of an arm."""
    if name in arm.changed:
        return arm.changed[name]
    nothing = {place: (template, [None] * leaf_count(template)) for place, template in arm.changed.items()}
    return refreshed(*kept[name], nothing)[0]


def _joined(stager: Stager, key: Key, name: str, left: Template, right: Template) -> Template:
    """Return what a place holds after the branch; a list that only one arm made longer has its elements in rows.

    Not where objects would be rows, and lose their freedom, for an arm that no watched call has taken.
    """
    joined = join(left, right, implied=is_implied(name))
    if is_object(name) and isinstance(left, Group) and isinstance(right, Group) and not isinstance(joined, Group):
        _ask_for_past(left)
        found = grown(left, right, max(most_elements(left), most_elements(right)), key[1])
        arms = stager.facts.branch(*key).arms
        return joined if found is None or (labels_of(found) and sum(arms) and 0 in arms) else found
    return joined


def _ask_for_past(template: Group) -> None:
    """Tell the loop around, whose body does not know what its earlier iterations have put into a list."""
    first = template.children[0] if template.children else None
    if isinstance(first, Static) and isinstance(first.value, Past):
        raise PastIsRead(first.value.place)


def _blame(frame: Frame, key: Key) -> frozenset[Any]:
    """Return the branches to guard where types differ: this one, or those that a jump came from."""
    jump = frame.env.get(JUMP)
    earlier = jump.origin if isinstance(jump, Number) else frozenset()
    return frozenset([key]) | frozenset(origin for origin in earlier if isinstance(origin, tuple))


def _laid_out(
    stager: Stager,
    arm: Arm,
    leaves: Sequence[Any],
    kept: dict[str, tuple[Template, list[Any]]],
    joined: dict[str, Template],
) -> list[Any]:
    changed: dict[str, tuple[Template, list[Any]]] = {}
    position = 0
    for name, template in arm.changed.items():
        changed[name] = (template, list(leaves[position : position + leaf_count(template)]))
        position += leaf_count(template)
    result: list[Any] = []
    for name in sorted(joined):
        template, own = changed[name] if name in changed else refreshed(*kept[name], changed)
        result.extend(conform(template, own, joined[name], stager.constant))
    return result
