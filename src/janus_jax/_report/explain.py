"""What a function became, and why: data for programs, text for people."""

from __future__ import annotations

import linecache
import os
import textwrap
from dataclasses import dataclass
from itertools import groupby

from janus_jax._base import Reason, Site


@dataclass(frozen=True, slots=True)
class SiteReport:
    """One decision: at which line, about what, and on what evidence."""

    file: str
    line: int
    kind: str
    decision: str
    evidence: str


@dataclass(frozen=True, slots=True)
class GuardReport:
    """One guard: at the entry (`where` is None) or inside the program, and what it protects.

    At the entry `kind` is "library", "function", "value" or "structure", and `subject` names what is looked at.
    """

    kind: str
    where: Site | None
    meaning: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class StateReport:
    """What goes in and what is changed. Writes and effects are not compiled yet, so there are none."""

    inputs: tuple[str, ...]
    writes: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReasonReport:
    """Why the function, or a call of it, ran as plain Python."""

    id: str
    where: str
    sentence: str
    hint: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer of `explain()`; `str()` of it is for people.

    `outcome` is "profiling", "compiled" or "imperative".
    """

    name: str
    outcome: str
    sites: tuple[SiteReport, ...]
    guards: tuple[GuardReport, ...]
    state: StateReport
    reasons: tuple[ReasonReport, ...]
    relaxed: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(
            [*_head(self), *_sites(self), *_guards(self), *_inputs(self), *_relaxed(self), *_reasons(self)]
        )


def report_reason(reason: Reason) -> ReasonReport:
    """Return a reason as the user sees it."""
    return ReasonReport(reason.id, place(reason.where), reason.sentence, reason.hint, reason.detail)


def place(site: Site | None) -> str:
    """Return a site as file and line, without the folders."""
    return "" if site is None else f"{os.path.basename(site.file)}:{site.line}"


# Branches on how a statement was left, which stand in no line of the user's.
_BOOKKEEPING = ("rest", "rest of loop", "loop else")

_OUTCOMES = {
    "profiling": "is being profiled: it runs as plain Python, and is compiled after that",
    "compiled": "runs compiled",
    "imperative": "stays in Python",
}


def _head(report: Explanation) -> list[str]:
    return [f"{report.name} {_OUTCOMES[report.outcome]}"]


def _sites(report: Explanation) -> list[str]:
    shown = [site for site in report.sites if site.kind not in _BOOKKEEPING]
    lines = ["", "Branches and loops"] if shown else []
    for (file, line), group in groupby(sorted(shown, key=_place_of), key=_place_of):
        lines.append(f"  {os.path.basename(file)}:{line}  {linecache.getline(file, line).strip()}")
        sites = list(group)
        several = len({site.kind for site in sites}) > 1
        found = dict.fromkeys(f"      {_decided(site, several)}" for site in sites)
        lines.extend(found)  # a line that is reached by several calls may be decided alike
    return lines


def _decided(site: SiteReport, with_kind: bool) -> str:
    return f"{site.kind}: " * with_kind + f"{site.decision} ({site.evidence})"


def _place_of(site: SiteReport) -> tuple[str, int]:
    return site.file, site.line


def _guards(report: Explanation) -> list[str]:
    inside = [guard for guard in report.guards if guard.where is not None]
    entry = [guard for guard in report.guards if guard.where is None]
    lines: list[str] = []
    if inside:
        lines += ["", "Checked while the program runs"]
        lines += [f"  {place(guard.where)}  {guard.meaning}" for guard in inside]
    return [*lines, *_entry_guards(entry)]


def _entry_guards(guards: list[GuardReport]) -> list[str]:
    """Return one line for each guard, and one for all library objects, which are many and seldom change."""
    library = dict.fromkeys(guard.subject.removeprefix("global ") for guard in guards if guard.kind == "library")
    lines = list(dict.fromkeys(f"  {guard.meaning}" for guard in guards if guard.kind != "library"))
    if library:
        text = f"the same objects as before: {', '.join(library)}"
        lines += textwrap.wrap(text, 100, initial_indent="  ", subsequent_indent="    ")
    return ["", "Checked before every call", *lines] if lines else []


def _inputs(report: Explanation) -> list[str]:
    if not report.state.inputs:
        return []
    return ["", "Read anew at every call", *(f"  {name}" for name in report.state.inputs)]


def _relaxed(report: Explanation) -> list[str]:
    return ["", "Relaxed after a guard tripped", *(f"  {text}" for text in report.relaxed)] if report.relaxed else []


def _reasons(report: Explanation) -> list[str]:
    lines: list[str] = []
    for reason in report.reasons:
        detail = f" ({reason.detail})" if reason.detail else ""
        lines += ["", f"[{reason.id}] {reason.where}", f"  {reason.sentence}{detail}", f"  {reason.hint}"]
    return lines
