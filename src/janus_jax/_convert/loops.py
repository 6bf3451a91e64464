"""Loops: run while converting where that is short, rolled into one program loop otherwise."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from janus_jax._base import Unstageable
from janus_jax._convert import branches, loop_lists
from janus_jax._convert.counters import Counters
from janus_jax._convert.frames import JUMP, ON, RETURN, Watch, error_name, is_implied
from janus_jax._convert.loop import Loop, Output, Round, laid_out, next_iteration, runs_exactly
from janus_jax._convert.loop_emission import emit, most_iterations
from janus_jax._convert.places import flatten_place, is_object, put
from janus_jax._convert.runs import NoRoom, PastIsRead
from janus_jax._convert.scopes import body_of, jumps_out, names_in
from janus_jax._convert.stager import LOOP_TEST, UnboundHere
from janus_jax._speculation import LoopDecision
from janus_jax._values.build import build
from janus_jax._values.join import join
from janus_jax._values.kinds import Room
from janus_jax._values.layout import avals
from janus_jax._values.number import Number, wide
from janus_jax._values.number_bounds import INT32
from janus_jax._values.template import (
    Absent,
    ArrayLeaf,
    Clash,
    Group,
    NumberLeaf,
    Series,
    Static,
    Table,
    Template,
    describe,
    holds_union,
    labels_of,
    without_bounds,
)

GOES_ON = "$goes on"
FIXPOINT_ROUNDS = 8
# How many iterations are run before the rolled loop, by decision; in a union loop a variable may be of several types.
PEELED: dict[LoopDecision | None, int] = {"peel": 1, "peel-twice": 2, "peel-union": 1}


def carried_names(loop: Loop) -> list[str]:
    """Return the names that the loop binds, and the hidden ones that say how an iteration ended."""
    bound = (names_in([loop.node]).bound & loop.frame.locals) - loop.frame.boxes.keys()
    raised = [one for one in ast.walk(loop.node) if isinstance(one, ast.Raise)] if loop.frame.tries else []
    return [*sorted(bound), JUMP, RETURN, *(error_name(loop.frame.site(one)) for one in raised)]


def roll(loop: Loop) -> None:
    """Run the loop as one loop of the program, and leave its variables as Python would."""
    frame, stager = loop.frame, loop.frame.stager
    frame.env[JUMP] = ON
    go = True if loop.test is None else loop.test()
    names = carried_names(loop)
    frame.touch(names)
    initial = {name: flatten_place(frame, name) for name in names}
    templates = {name: _first_guess(loop, name, initial[name][0]) for name in names}
    visible = {name: template for name, (template, _) in initial.items() if not name.startswith("$")}
    counters = Counters.of(most_iterations(loop), visible)
    mark = stager.mark()
    lists = Lists()
    for _ in range(FIXPOINT_ROUNDS):
        stager.reset(mark)
        try:
            found = _trace_body(loop, templates, counters, lists)
        except PastIsRead as past:
            if past.place not in lists.outputs:
                raise
            lists.carry(past.place)
            templates[past.place] = _first_guess(loop, past.place, initial[past.place][0])
            continue
        except NoRoom as full:
            if full.place not in templates:
                raise
            if full.place not in lists.rooms:
                templates[full.place] = loop_lists.lengthened(loop, templates[full.place])
            lists.guard(full.place)
            continue
        for place in found.discovered:
            initial[place] = flatten_place(frame, place)
            templates[place] = _first_guess(loop, place, initial[place][0])
        if any(lists.guard(place) for place in list(lists.rooms) if _room_after(found, place) is None):
            continue
        for place in found.growing:
            lists.outputs.append(place)
            del templates[place]
        if found.discovered or found.growing:
            continue
        for place in templates.keys() & lists.carried - lists.guarded:
            lists.rooms.update(loop_lists.rooms(loop, place, templates[place], found.after.get(place)))
        joined = {name: without_bounds(_carried(loop, name, templates[name], found)) for name in templates}
        confirmed = counters.confirmed(found.after)
        if joined == templates and found.jaxpr is not None and confirmed.bounds == counters.bounds:
            break
        templates, counters = joined, confirmed
    else:
        raise Unstageable("loop-types-differ", "the types of its variables never settle", loop.key[1])
    stager.settled[loop.key] = {name: (initial[name][0], template) for name, template in templates.items()}
    emit(loop, templates, counters, initial, found, go)
    for place in lists.carried - lists.rooms.keys():
        loop_lists.note_origin(loop, place)
    for place, each in lists.rooms.items():
        exact = runs_exactly(loop, templates)
        loop_lists.settle(loop, place, initial[place][0], each, found.after[place], exact=exact)


@dataclass(slots=True)
class Lists:
    """The lists that a loop makes longer: outputs of it, and those that it has to carry."""

    outputs: list[str] = field(default_factory=list)
    carried: set[str] = field(default_factory=set)
    rooms: dict[str, int] = field(default_factory=dict)  # how many elements an iteration may put into those
    guarded: set[str] = field(default_factory=set)

    def carry(self, place: str) -> None:
        """Have the loop carry a list, since its body looks at it."""
        self.outputs.remove(place)
        self.carried.add(place)

    def guard(self, place: str) -> bool:
        """Have every element that the body puts into a list be guarded: it is not certain that there is room."""
        self.rooms.pop(place, None)
        self.guarded.add(place)
        return True


def _room_after(found: Round, place: str) -> Room | None:
    """Return what an iteration leaves of the room in a list; None where that is not known."""
    after = found.after.get(place)
    if not isinstance(after, Group) or len(after.children) != 1:
        return None
    series = after.children[0]
    return series.room if isinstance(series, Series) and series.room and not series.room.guarded else None


def _first_guess(loop: Loop, name: str, template: Template) -> Template:
    """Return as what a variable is probably carried: as it was when the loop was last rolled, from the same start."""
    settled = loop.frame.stager.settled.get(loop.key, {}).get(name)
    return without_bounds(_foreseen(loop, name, template, settled))


def _foreseen(loop: Loop, name: str, template: Template, settled: tuple[Template, Template] | None) -> Template:
    if settled is not None and settled[0] == template:
        joined = join(template, settled[1], implied=is_implied(name))
        if joined == settled[1]:
            return joined
    return _widened(loop, name, template)


def _widened(loop: Loop, name: str, template: Template) -> Template:
    """What the loop binds will hardly stay the same: begin with a number or object that only the run knows."""
    varies = jumps_out(loop.node.body) if name == JUMP else not name.startswith("$")
    if not varies:
        return template
    if isinstance(template, Static) and type(template.value) in (int, float, bool):
        return NumberLeaf(type(template.value))
    return _of_unknown_identity(template)


def _of_unknown_identity(template: Template) -> Template:
    """Return the template of a value whose arrays and containers may be others after an iteration."""
    match template:
        case ArrayLeaf() if template.identity:
            return replace(template, identity=None)
        case Group(children=children) | Table(children=children):
            children = tuple(map(_of_unknown_identity, children))
            if template.identity == 0:
                return replace(template, children=children)
            return replace(template, children=children, identity=None, entry=None)
        case _:
            return template


def _carried(loop: Loop, name: str, template: Template, found: Round) -> Template:
    """Return what `name` has to be carried as, given what it is before and after an iteration."""
    if name not in found.after:
        return template
    after = found.after[name]
    if isinstance(template, Absent) and not _live_outside(loop, name):
        return template
    joined = join(template, after, implied=is_implied(name))
    if is_object(name) and isinstance(template, Group) and isinstance(after, Group) and not isinstance(joined, Group):
        found_list = loop_lists.carried(loop, template, after)
        joined = joined if found_list is None else found_list
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
    if name == JUMP or is_implied(name) or is_object(name):
        return True
    after = names_in(loop.node.orelse).loaded
    return name in after or name in names_in(body_of(loop.frame.node), skip=loop.node).loaded


def _trace_body(loop: Loop, templates: dict[str, Template], counters: Counters, lists: Lists) -> Round:
    frame, stager = loop.frame, loop.frame.stager
    before = frame.env
    found = Round()
    origin = frozenset([loop.key])

    def iteration(index: Any, *leaves: Any) -> list[Any]:
        rows, carry = leaves[: len(loop.rows)], iter(leaves[len(loop.rows) :])
        stager.scope.iteration = index
        built = {name: build(t, carry, stager.identities, frozenset()) for name, t in templates.items()}
        start = {name: counters.begin(name, value) for name, value in built.items()}
        frame.env = {**before, **{name: value for name, value in start.items() if not is_object(name)}, JUMP: ON}
        for place in filter(is_object, templates):
            put(frame, place, templates[place], start[place], frozenset([loop.key]))
        loop_lists.hide(loop, lists.outputs)
        loop_lists.give_room(loop, templates, lists.rooms, lists.guarded)
        watch = Watch({name: value for name, value in start.items() if name[0] not in "$@"})
        frame.watches.append(watch)
        found.read = watch.read
        with wide():
            largest = loop.count - 1 if isinstance(loop.count, int) else INT32[1]
            number = Number(int, lax.convert_element_type(index, jnp.int64), origin, (0, largest))
        hand_out = iter(rows)
        try:
            loop.body(number, lambda: next(hand_out))
        except UnboundHere as unbound:
            if unbound.name in templates and isinstance(templates[unbound.name], Absent):
                raise _another_way(loop, f"{unbound.name} is bound by an earlier iteration") from None
            raise
        finally:
            frame.watches.remove(watch)
        return _finish(loop, templates, found, lists)

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


def _finish(loop: Loop, templates: dict[str, Template], found: Round, lists: Lists) -> list[Any]:
    """Return the leaves of the carry after the body: the variables, whether to go on, and the trip code."""
    frame, stager = loop.frame, loop.frame.stager
    frame.env[JUMP] = next_iteration(frame, loop.node, frame.env.get(JUMP, ON))
    go = _goes_on(loop)
    own: dict[str, list[Any]] = {}
    known = templates.keys() | {*lists.outputs}
    found.discovered = [place for place in stager.heap.changed() if place not in known]
    if found.discovered:
        raise _NotYet
    for name in templates:
        found.after[name], own[name] = flatten_place(frame, name, leaving=True)
    found.growing = [
        place
        for place, template in templates.items()
        if place not in lists.carried and loop_lists.is_longer(place, template, found.after[place])
    ]
    if found.growing or any(_carried(loop, name, template, found) != template for name, template in templates.items()):
        raise _NotYet
    found.has_code = stager.scope.code is not None
    code = [stager.scope.code] if found.has_code else []
    outputs = _outputs(loop, templates, found, lists)
    return [*laid_out(stager, templates, found.after, own), *outputs, go, *code]


def _outputs(loop: Loop, templates: dict[str, Template], found: Round, lists: Lists) -> list[Any]:
    """Return the leaves of what the iteration has put behind lists, and note what they are."""
    leaves: list[Any] = []
    met = [found.after[name] for name, template in templates.items() if not isinstance(template, Absent)]
    others = {label for template in met for label in labels_of(template)}
    for place in lists.outputs:
        element, columns = loop_lists.put_in(loop, place, others)
        others.update(labels_of(element))
        found.outputs[place] = Output(element, len(columns))
        leaves.extend(jnp.asarray(leaf) for column in columns for leaf in column)
    return leaves


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
    assert loop.test is not None
    assert isinstance(loop.node, ast.While)
    if names_in([loop.node.test]).bound:
        return _tested_where_it_stays(loop, loop.node, stays)
    # The test is evaluated though the loop may have been left: it has no effects, a trip in it falls back, and
    # an endless loop in it runs into its cap.
    return lax.bitwise_and(stays, jnp.asarray(loop.test(), jnp.bool_))


def _tested_where_it_stays(loop: Loop, node: ast.While, stays: Any) -> Any:
    """Evaluate a test that binds a name, which keeps its value where the loop was left."""
    frame, test = loop.frame, loop.test
    frame.env[GOES_ON] = False

    def tested() -> None:
        assert test is not None
        holds = test()
        frame.env[GOES_ON] = holds if isinstance(holds, bool) else Number(bool, holds)

    branches.stage(frame, (loop.key[0], frame.site(node, LOOP_TEST)), stays, tested, lambda: None)
    goes_on = frame.env.pop(GOES_ON)
    return goes_on.value if isinstance(goes_on, Number) else jnp.bool_(goes_on)
