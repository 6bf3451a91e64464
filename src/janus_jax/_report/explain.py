"""What a function became, and why: data for programs, text for people."""

from __future__ import annotations

import os
import textwrap
from collections import Counter
from collections.abc import Iterable
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
    """Why the function, or a call of it, ran as plain Python, and the user's line that says so."""

    id: str
    where: str
    sentence: str
    hint: str
    detail: str = ""
    line: str = ""


@dataclass(frozen=True, slots=True)
class PieceReport:
    """A run of statements that is a program of its own, in a function that stays in Python.

    `runs` counts how often the program ran, `share` is its part of the time of the calls in pieces, from 0 to 1.
    """

    file: str
    first_line: int
    last_line: int
    needs: tuple[str, ...]
    gives: tuple[str, ...]
    runs: int
    share: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer of `explain()`; `str()` of it is for people.

    `outcome` is "profiling", "compiled", "partial" (in Python, with pieces that are compiled), "imperative", or
    "mixed": compiled with some arguments, and not with others.
    """

    name: str
    outcome: str
    sites: tuple[SiteReport, ...]
    guards: tuple[GuardReport, ...]
    state: StateReport
    reasons: tuple[ReasonReport, ...]
    relaxed: tuple[str, ...]
    pieces: tuple[PieceReport, ...] = ()

    def __str__(self) -> str:
        parts = (_head, _pieces, _sites, _guards, _inputs, _relaxed, _reasons)
        return "\n".join([line for part in parts for line in part(self)])


def report_reason(reason: Reason) -> ReasonReport:
    """Return a reason as the user sees it."""
    line = reason.where.text if reason.where else ""
    return ReasonReport(reason.id, place(reason.where), reason.sentence, reason.hint, reason.detail, line)


def place(site: Site | None) -> str:
    """Return a site as file and line, without the folders."""
    return "" if site is None else f"{os.path.basename(site.file)}:{site.line}"


_OUTCOMES = {
    "profiling": "is being profiled: it runs as plain Python, and is compiled after that",
    "compiled": "runs compiled",
    "partial": "runs in Python, with compiled pieces",
    "imperative": "stays in Python",
    "mixed": "runs compiled with arguments for which it was compiled, and stays in Python with all others",
}


def _head(report: Explanation) -> list[str]:
    return [f"{report.name} {_OUTCOMES[report.outcome]}"]


def _pieces(report: Explanation) -> list[str]:
    if not report.pieces:
        return []
    share = sum(piece.share for piece in report.pieces)
    lines = ["", f"Compiled pieces: {share:.0%} of the time of these calls"]
    for piece in report.pieces:
        where = Site(piece.file, piece.first_line, 0, "")
        until = f" to {piece.last_line}" if piece.last_line > piece.first_line else ""
        lines.append(f"  {place(where)}{until}  {where.text}")
        lines.append(
            f"      {', '.join(piece.needs)} → {', '.join(piece.gives)}; {_times(piece.runs)}, {piece.share:.0%}"
        )
    return lines


def _times(count: int) -> str:
    return "not run yet" if count == 0 else "run once" if count == 1 else f"run {count:,} times"


def _sites(report: Explanation) -> list[str]:
    lines = ["", "Branches and loops"] if report.sites else []
    for (file, line), group in groupby(sorted(report.sites, key=_place_of), key=_place_of):
        sites = list(group)
        where = Site(file, line, 0, "")
        lines.append(f"  {place(where)}  {where.text}")
        several = len({site.kind for site in sites}) > 1
        found = dict.fromkeys(f"      {_decided(site, several)}" for site in sites)
        lines.extend(found)  # a line that is reached by several calls may be decided alike
    return lines


def _counted(lines: Iterable[str]) -> list[str]:
    """Return each line once, with the number of times that it is there."""
    return [f"{line} × {count}" if count > 1 else line for line, count in Counter(lines).items()]


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
        lines += _counted(f"  {place(guard.where)}  {guard.meaning}" for guard in inside)
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
    return ["", "Relaxed", *_counted(f"  {text}" for text in report.relaxed)] if report.relaxed else []


def _reasons(report: Explanation) -> list[str]:
    lines: list[str] = []
    for reason in report.reasons:
        detail = f" ({reason.detail})" if reason.detail else ""
        head = f"[{reason.id}] {reason.where}  {reason.line}".rstrip()
        lines += ["", head, f"  {reason.sentence}{detail}", f"  {reason.hint}"]
    return lines
