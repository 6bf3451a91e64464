"""What an engine knows of the calls with one structure of arguments, and in which state they are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from janus_jax._base import Reason
from janus_jax._execute import Program
from janus_jax._frontend import FunctionSource
from janus_jax._profiler import Profile
from janus_jax._speculation import Plan
from janus_jax._speculation.entries import NumberFacts


@dataclass(frozen=True, slots=True)
class Profiling:
    """The next calls run observed; so many are left."""

    left: int


@dataclass(frozen=True, slots=True, eq=False)
class Converting:
    """Some call is converting; nobody waits for it, other calls run as plain Python."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """One more program is made when none of those that there are fits."""


@dataclass(frozen=True, slots=True)
class Plain:
    """No more programs are made: calls that none fits run as plain Python."""

    reason: Reason


State: TypeAlias = Profiling | Converting | Compiled | Plain


@dataclass(frozen=True, slots=True, eq=False)
class AsPiece:
    """What the engine of a piece knows of the function around it."""

    source: FunctionSource
    profile: Profile


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for."""

    profile_calls: int = 3
    strict: bool = False
    max_programs: int = 8
    static: frozenset[int | str] = frozenset()


@dataclass(slots=True, eq=False)
class Entry:
    """All that is known of the calls with one structure of arguments."""

    state: State
    plan: Plan
    numbers: NumberFacts = field(default_factory=NumberFacts)
    profile: Profile = field(default_factory=Profile)
    programs: list[Program] = field(default_factory=list)
    retired: list[Program] = field(default_factory=list)  # by a trip; freeing takes a while, a conversion takes longer
    trips: Counter[Any] = field(default_factory=Counter)
    changes: int = 0
    failures: int = 0
    relaxed: list[str] = field(default_factory=list)
