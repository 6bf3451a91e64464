"""What a conversion assumes: how each branch and loop is lowered, and which numbers are inputs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal, TypeAlias

from janus_jax._base import Site
from janus_jax._guards import Path

Context: TypeAlias = tuple[Site, ...]
Key: TypeAlias = tuple[Context, Site]

BranchDecision = Literal["both", "guard-true", "guard-false"]
LoopDecision = Literal["unroll", "peel", "peel-twice", "peel-union", "rolled"]

# Reaching the cap of a dynamic loop is a trip; the cap leaves room over what was seen (SOUNDNESS 13).
CAP_FACTOR = 8
CAP_MARGIN = 1_000
CAP_UNSEEN = 100_000


@dataclass(frozen=True, slots=True)
class Plan:
    """Every decision of one conversion that was not taken from the profile alone.

    A plan only ever grows: a retry during conversion, or a tripped guard, adds decisions.
    """

    inputs: frozenset[Path] = frozenset()  # numbers fed at run time, because their value was seen to change
    static: frozenset[Path] = frozenset()  # numbers that decide a shape or an index: one program for each value
    branches: MappingProxyType[Key, BranchDecision] = field(default_factory=lambda: MappingProxyType({}))
    loops: MappingProxyType[Key, LoopDecision] = field(default_factory=lambda: MappingProxyType({}))
    caps: MappingProxyType[Key, int] = field(default_factory=lambda: MappingProxyType({}))
    exact: bool = False  # compile without the passes that fuse, because a decision hangs on last bits

    def with_branch(self, key: Key, decision: BranchDecision) -> Plan:
        """Return this plan with the branch at `key` lowered as `decision` says."""
        return replace(self, branches=MappingProxyType({**self.branches, key: decision}))

    def with_loop(self, key: Key, decision: LoopDecision) -> Plan:
        """Return this plan with the loop at `key` lowered as `decision` says."""
        return replace(self, loops=MappingProxyType({**self.loops, key: decision}))

    def with_cap(self, key: Key, cap: int) -> Plan:
        """Return this plan with the loop at `key` allowed `cap` iterations."""
        return replace(self, caps=MappingProxyType({**self.caps, key: cap}))

    def with_inputs(self, paths: frozenset[Path]) -> Plan:
        """Return this plan with the numbers at `paths` fed at run time."""
        return replace(self, inputs=(self.inputs | paths) - self.static)

    def with_static(self, paths: frozenset[Path]) -> Plan:
        """Return this plan with the numbers at `paths` frozen, one program for each value."""
        return replace(self, static=self.static | paths, inputs=self.inputs - paths)
