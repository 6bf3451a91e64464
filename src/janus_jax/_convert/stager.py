"""The state of one conversion: inputs, guards, decisions, and the regions that are being traced."""

from __future__ import annotations

import ast
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import ClosedJaxpr

from janus_jax._base import Site, Unstageable
from janus_jax._convert.inputs import Externals, Input, input_p
from janus_jax._frontend import FunctionSource
from janus_jax._guards import Path
from janus_jax._speculation import BranchDecision, Context, Key, LoopDecision, Plan
from janus_jax._values.heap import Heap
from janus_jax._values.identities import Identities
from janus_jax._values.kinds import Conflict, ExceptionValue, Maybe, Unbound
from janus_jax._values.number import Number, lift, wide
from janus_jax._values.template import Template


def no_call(function: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
    """Stands where calls are handed in."""
    raise AssertionError(function)


NOWHERE = Site("", 0, 0, "")  # before the first statement
T = TypeVar("T")
GuardKind: TypeAlias = Literal["branch", "cap", "assert", "number", "bound", "late"]
# What the variables of a loop were before it, and as what they are carried.
Settled: TypeAlias = dict[str, tuple[Template, Template]]


@dataclass(frozen=True, slots=True)
class Guard:
    """An assertion inside the program: what it protects, and which decision to take back when it trips."""

    index: int
    kind: GuardKind
    site: Site
    context: Context
    meaning: str
    decision: str = ""

    @property
    def key(self) -> Key:
        """The place in the plan that this guard protects."""
        return (self.context, self.site)


class Retry(BaseException):
    """Raised while staging when another plan is needed; caught by `convert` alone."""

    def __init__(self, plan: Plan, why: str) -> None:
        super().__init__(why)
        self.plan = plan
        self.why = why


PEELED = "peeled"  # what is decided of a loop whose first iterations stand before it
# Branches on how a statement was left, which stand in no line of the user's.
REST, REST_OF_LOOP, FIRST_ITERATION = "rest", "rest of loop", "first iteration"
LOOP_TEST, LOOP_ELSE = "loop test", "loop else"
BOOKKEEPING = frozenset({REST, REST_OF_LOOP, FIRST_ITERATION, LOOP_TEST, LOOP_ELSE})


class Raised(Unstageable):
    """Raised while staging where plain Python certainly raises `error`: a handler around may catch it."""

    def __init__(self, error: ExceptionValue, where: Site) -> None:
        super().__init__("raises", error.kind.__name__, where)
        self.error = error


class TooCostly(BaseException):
    """Raised while staging where more operations come than an attempt may take; caught by `Stager.afford` alone."""


class BranchFacts(Protocol):
    """What a profile says of a branch."""

    @property
    def arms(self) -> tuple[int, ...]:
        """How often the true arm and the false arm were taken."""
        ...


class TripFacts(Protocol):
    """What a profile says of a loop."""

    @property
    def minimum(self) -> int:
        """The smallest trip count seen."""
        ...

    @property
    def maximum(self) -> int:
        """The largest trip count seen."""
        ...


class Facts(Protocol):
    """The part of a profile that staging asks for."""

    def branch(self, context: Context, site: Site) -> BranchFacts:
        """Return how often each arm was taken."""
        ...

    def trips(self, context: Context, site: Site) -> TripFacts | None:
        """Return how often the loop ran, or None when it was never entered."""
        ...


@dataclass(slots=True)
class Scope:
    """A region being traced: the trip code of the guards in it so far."""

    code: Any = None
    iteration: Any = None  # the iteration of the innermost rolled loop, when guards can be forced


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided at a site, and why, for `explain()`."""

    site: Site
    decision: str
    evidence: str


@dataclass(slots=True)
class Mark:
    """How far a conversion has come, to return there when an attempt is given up."""

    guards: int
    decisions: dict[Key, Decision]
    code: Any
    operations: int
    notes: int


@dataclass(slots=True)
class Stager:
    """One conversion of one function under one plan."""

    plan: Plan
    facts: Facts
    identities: Identities
    externals: Externals
    user_x64: bool
    find_source: Callable[[CodeType], FunctionSource]
    execute: Callable[[Any], Any]  # runs the body of a frame; handed in, because calls lead back to statements
    run: Callable[[Any, Sequence[ast.stmt]], None]  # runs statements in a frame; handed in, because of loops in loops
    run_rest: Callable[[Any, ast.stmt, Sequence[ast.stmt]], None]  # the same, unless the statement before has left
    forceable: bool = False
    is_piece: bool = False  # of a function that runs in Python beside it
    handlers: int = 0  # how many `try` statements with handlers are running: what is raised may be caught
    generic: bool = False  # for calls under somebody else's transformation: there are no guards
    checked: bool = False  # unless they arrive in the error of somebody's `checkify`
    traced: bool = False  # in a function that JAX calls with tracers, in plain Python too: nothing has a value there
    unseen: bool = False  # in an arm that no watched call has taken
    active: Any = None  # in a generic program: whether the branches around are taken, None where there are none
    guards: list[Guard] = field(default_factory=list)
    decisions: dict[Key, Decision] = field(default_factory=dict)
    scope: Scope = field(default_factory=Scope)
    context: Context = ()
    site: Site = NOWHERE
    operations: int = 0
    ceiling: float = float("inf")  # of operations: what is being tried may not take more
    rolled: set[Key] = field(default_factory=set)  # loops that were found to need rolling
    settled: dict[Key, Settled] = field(default_factory=dict)  # what the loops rolled so far carry
    reshaped: list[Any] = field(default_factory=list[Any])  # the dicts, sets and deques that got or lost elements
    retained: dict[int, Any] = field(default_factory=dict[int, Any])  # what functions saw that JAX has traced
    depth: int = 0
    call: Callable[[Any, list[Any], dict[str, Any]], Any] = no_call  # of any callable; handed in, as `execute` is
    iterate: Callable[[Stager, Any], Any] = lambda _, value: value  # what a loop goes through; handed in, too
    uses_numbers: bool = False
    takes_numbers: bool = False
    _zero: Any = None
    _force: Any = None

    @property
    def heap(self) -> Heap:
        """The objects that the call has made."""
        return self.identities.heap

    # Context of number operations (see `_values.number.NumberContext`)

    def guard(
        self, ok: Any, meaning: str, kind: GuardKind = "number", decision: str = "", key: Key | None = None
    ) -> None:
        """Have the call run again in plain Python if `ok` is False when the program runs."""
        if self.generic and (not self.checked or kind == "late"):
            raise Unstageable("outer-trace", meaning, self.site)
        if self.traced:
            raise Unstageable("callback", f"{meaning}: in a function that JAX transforms", self.site)
        context, site = key or (self.context, self.site)
        guard = Guard(len(self.guards), kind, site, context, meaning, decision)
        self.guards.append(guard)
        with wide():
            failed = lax.bitwise_not(jnp.reshape(jnp.asarray(ok, jnp.bool_), ()))
            if self.forceable:
                failed = lax.bitwise_or(failed, self._forced(guard.index))
            code = lax.select(failed, jnp.int32(guard.index + 1), jnp.int32(0))
            self.add_code(code)

    def add_code(self, code: Any) -> None:
        """Join the trip code of an inner region, or of one guard; the first trip wins."""
        if self.scope.code is not None:
            with wide():
                code = lax.select(self.scope.code != jnp.int32(0), self.scope.code, code)
        self.scope.code = code

    def zero(self) -> Any:
        """Return a 64-bit zero that the compiler cannot know."""
        self.uses_numbers = True
        with wide():
            if self._zero is None:
                with jax.ensure_compile_time_eval():
                    self._zero = jnp.asarray(0, jnp.int64)
                self.externals.add(Input(None, "zero", self._zero))
            return input_p.bind(self._zero)

    def constant(self, value: Any) -> Any:
        """Return the leaf of a Python number that is known while converting."""
        self.uses_numbers = True
        return lift(self, value).value

    def note_choice(self, chosen: Any, predicate: Any, left: Any, right: Any) -> None:
        """Record that the array `chosen` is the object `left` or `right`, as the predicate says."""
        mine, theirs = self.identities.of(left), self.identities.of(right)
        if not (isinstance(mine, int) and isinstance(theirs, int) and mine == theirs):
            self.identities.set(chosen, lax.select(predicate, jnp.int32(mine), jnp.int32(theirs)))

    def _forced(self, index: int) -> Any:
        if self._force is None:
            with jax.ensure_compile_time_eval():
                self._force = jnp.asarray(np.array([-1, -1], np.int32))
            self.externals.add(Input(None, "force", self._force))
        force = input_p.bind(self._force)
        chosen = force[0] == np.int32(index)
        iteration = self.scope.iteration if self.scope.iteration is not None else np.int32(0)
        return chosen & ((force[1] < np.int32(0)) | (force[1] == iteration))

    # Regions

    def narrow(self) -> Any:
        """Return the context in which the user's own operations are traced."""
        return jax.enable_x64(self.user_x64)

    @contextmanager
    def inner(self, iteration: Any = None) -> Generator[Scope]:
        """Collect the guards of a region in a scope of its own; what it changes in objects is taken back at its end."""
        outer = self.scope
        self.scope = Scope(None, outer.iteration if iteration is None else iteration)
        around = self.heap.enter()
        try:
            yield self.scope
        finally:
            self.heap.leave(around)
            self.scope = outer

    def trace(self, run: Callable[..., Sequence[Any]], avals: Sequence[Any] = ()) -> ClosedJaxpr:
        """Return the jaxpr of `run`, which gets and returns leaves; what it closes over becomes constants."""

        def region(*leaves: Any) -> Sequence[Any]:
            try:
                with self.narrow():
                    return run(*leaves)
            except Raised as raised:  # what the region has done until here is lost: nobody may go on from there
                raise Unstageable("raises", raised.detail, raised.where) from None

        with wide():
            return jax.make_jaxpr(region)(*avals)

    def mark(self) -> Mark:
        """Return where the conversion stands."""
        return Mark(len(self.guards), dict(self.decisions), self.scope.code, self.operations, self.heap.mark())

    def reset(self, mark: Mark) -> None:
        """Forget what an abandoned attempt has added."""
        del self.guards[mark.guards :]
        self.decisions = mark.decisions
        self.scope.code = mark.code
        self.operations = mark.operations
        self.heap.undo(mark.notes)

    # Costs

    def spend(self) -> None:
        """Count one operation; end the attempt that may not take so many."""
        self.operations += 1
        if self.operations > self.ceiling:
            raise TooCostly

    @contextmanager
    def at_most(self, operations: float) -> Generator[None]:
        """End, by `TooCostly`, what takes more than so many operations."""
        outer = self.ceiling
        self.ceiling = min(outer, self.operations + operations)
        try:
            yield
        finally:
            self.ceiling = outer

    def afford(self, operations: float, run: Callable[[], T]) -> T | None:
        """Return what `run` returns, or None as soon as it takes more than so many operations."""
        try:
            with self.at_most(operations):
                return run()
        except TooCostly:
            if self.operations > self.ceiling:
                raise  # whoever set this ceiling has to give up
            return None

    # Decisions

    def decide(self, key: Key, decision: str, evidence: str) -> None:
        """Record what was decided, for `explain()`; what becomes of our own branches is no news."""
        if key[1].kind in BOOKKEEPING:
            return
        before = self.decisions.get(key)
        if before is not None and before.decision == PEELED != decision:
            decision = f"{PEELED}, then {decision}"
        self.decisions[key] = Decision(key[1], decision, evidence)

    def retry_branch(self, key: Key, decision: BranchDecision, why: str) -> Retry:
        """Return the request for another attempt with this branch decided so."""
        return Retry(self.plan.with_branch(key, decision), why)

    def retry_loop(self, key: Key, decision: LoopDecision, why: str) -> Retry:
        """Return the request for another attempt with this loop decided so."""
        return Retry(self.plan.with_loop(key, decision), why)

    def need_static(self, numbers: Sequence[Number], why: str) -> BaseException:
        """Return what to raise where the value of these numbers is needed while converting."""
        plan = self.plan
        origins: frozenset[Any] = frozenset().union(*(number.origin for number in numbers))
        for origin in origins:
            if isinstance(origin, Path):
                plan = plan.with_static(frozenset([origin]))
            elif origin in plan.loops and plan.loops[origin] == "unroll":
                continue
            elif origin[1].kind == "for":
                plan = plan.with_loop(origin, "unroll")
        if plan == self.plan:
            return Unstageable("concrete-value", why, self.site)
        return Retry(plan, why)

    # Names

    def settle(self, name: str, value: Any) -> Any:
        """Return `value` once it is certain that `name` is bound to it."""
        if isinstance(value, Unbound):
            raise UnboundHere(name, self.site)
        if isinstance(value, Maybe):
            self.guard(value.bound, f"{name} is bound", "bound")
            return self.settle(name, value.value)
        if isinstance(value, Conflict):
            raise conflict(self, name, value)
        return value


class UnboundHere(Unstageable):
    """Raised where a name is read that no path so far has bound: by a loop, perhaps, in an earlier iteration."""

    def __init__(self, name: str, where: Site) -> None:
        super().__init__("unbound-name", name, where)
        self.name = name


def conflict(stager: Stager, name: str, value: Conflict) -> BaseException:
    """Return what to raise when a name is read whose type depends on the path: a guard, or the end."""
    for key in value.blame:
        arms = stager.facts.branch(*key).arms
        if key not in stager.plan.branches and sum(arms) and 0 in arms:
            decision = "guard-true" if arms[0] else "guard-false"
            return stager.retry_branch(key, decision, f"{name}: {value.detail}")
    return Unstageable("branch-types-differ", f"{name}: {value.detail}", stager.site)
