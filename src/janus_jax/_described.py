"""What `explain()` says of an entry and of its program."""

from __future__ import annotations

from typing import assert_never

from janus_jax._convert import Staged
from janus_jax._guards import Expectation, Lacks, describe, frozen
from janus_jax._report import GuardReport, ReasonReport, SiteReport
from janus_jax._states import Compiled, Converting, Entry, Plain, Profiling


def outcome(entry: Entry | None, reasons: tuple[ReasonReport, ...]) -> str:
    """Return how the next calls run, if they are like those of `entry`; without one, there were plain calls or none."""
    if entry is None:
        return "imperative" if reasons else "profiling"
    match entry.state:
        case Plain():
            return "mixed" if entry.programs else "imperative"
        case Profiling() | Converting() | Compiled():
            return "compiled" if entry.programs else "profiling"
        case _:
            assert_never(entry.state)


def site_reports(staged: Staged) -> tuple[SiteReport, ...]:
    """Return what was decided at which site."""
    return tuple(SiteReport(d.site.file, d.site.line, d.site.kind, d.decision, d.evidence) for d in staged.decisions)


def inputs(staged: Staged) -> tuple[str, ...]:
    """Return what the program reads anew at every call."""
    return tuple(f"{item.path}" for item in staged.inputs if item.path is not None)


def guard_reports(staged: Staged) -> tuple[GuardReport, ...]:
    """Return what is checked, before the call and inside the program."""
    inside = [GuardReport(guard.kind, guard.site, guard.meaning) for guard in staged.guards]
    absent: dict[str, list[str]] = {}
    for expectation in staged.expectations:
        if isinstance(expectation, Lacks):
            absent.setdefault(str(expectation.path.owner), []).append(expectation.name)
    entry = [GuardReport(frozen(e), None, describe(e), str(e.path)) for e in staged.expectations if not is_absent(e)]
    none = [
        GuardReport("structure", None, f"{owner} has no attribute of its own called {', '.join(names)}", owner)
        for owner, names in absent.items()
    ]
    return (*inside, *entry, *none)


def is_absent(expectation: Expectation) -> bool:
    """Return whether it is expected that an attribute is not there: those of one owner are said in one line."""
    return isinstance(expectation, Lacks)
