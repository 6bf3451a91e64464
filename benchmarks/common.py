"""Paired timing, the rows that benchmarks return, and how rows become a table, a file and an exit status.

Ours and theirs are timed in turns within one process, so that whatever slows the machine down slows both; what is
judged is the median of the ratios of such pairs, never the ratio of two figures from different minutes.
"""

from __future__ import annotations

import itertools
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax
import jaxlib
import numpy as np
from rich.console import Console
from rich.table import Table

import janus_jax

REPETITIONS = 5
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing compared: `ours` and `theirs` in seconds, their paired `ratio`, and the `bar` that it must not pass."""

    name: str
    ours: float
    theirs: float
    ratio: float
    bar: float | None = None
    at_least: bool = False  # the bar is a floor: how many times faster we have to be
    note: str = ""
    failed: bool = False  # nothing comparable was measured: `note` says why

    @property
    def passes(self) -> bool:
        """Whether the bar is kept; what has no bar passes."""
        if self.failed or self.bar is None:
            return not self.failed
        return self.ratio >= self.bar if self.at_least else self.ratio <= self.bar


def failure(name: str, why: str) -> Row:
    """Return the row of a comparison that could not be made; it fails `--check`."""
    return Row(name, float("nan"), float("nan"), float("nan"), note=why, failed=True)


# --- timing ----------------------------------------------------------------------------------------------------------


def seconds(run: Callable[[], Any]) -> float:
    """Return how long one `run` takes, everything that it dispatched included."""
    start = time.perf_counter()
    jax.block_until_ready(run())
    return time.perf_counter() - start


@dataclass(frozen=True, slots=True)
class Pair:
    """Seconds for one run of ours and of theirs (medians), and the median of the paired ratios."""

    ours: float
    theirs: float
    ratio: float


def paired(
    ours: Callable[[], Any],
    theirs: Callable[[], Any],
    *,
    rounds: int = 20,
    runs: int = 1,
    repetitions: int = REPETITIONS,
    measure: Callable[[Callable[[], Any]], float] = seconds,
) -> Pair:
    """Return what `ours` and `theirs` take, for one of the `runs` that each measurement holds.

    A repetition is `rounds` measurements of each, in turns, who goes first changing from round to round; it gives the
    median of the ratios of neighbours. The ratio returned is the median over the repetitions.
    """
    rounds_of = [_repetition(ours, theirs, rounds, measure) for _ in range(repetitions)]
    ratio = statistics.median(statistics.median(mine / other for mine, other in turns) for turns in rounds_of)
    mine, other = zip(*itertools.chain.from_iterable(rounds_of), strict=True)
    return Pair(statistics.median(mine) / runs, statistics.median(other) / runs, ratio)


def _repetition(
    ours: Callable[[], Any], theirs: Callable[[], Any], rounds: int, measure: Any
) -> list[tuple[float, float]]:
    turns: list[tuple[float, float]] = []
    for number in range(rounds):
        if number % 2:
            turns.append((measure(ours), measure(theirs)))
        else:
            turns.append((measure(theirs), measure(ours))[::-1])
    return turns


# --- what is compared is alike ---------------------------------------------------------------------------------------


def same(ours: Any, theirs: Any, tolerance: float = 1e-4) -> str | None:
    """Return None where two results agree in structure and, to `tolerance`, in value; else what differs."""
    if jax.tree.structure(ours) != jax.tree.structure(theirs):
        return f"results differ in structure: {jax.tree.structure(ours)} and {jax.tree.structure(theirs)}"
    for mine, other in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        if not np.allclose(np.asarray(mine), np.asarray(other), rtol=tolerance, atol=tolerance):
            return "results differ in value"
    return None


def unfit(speculated: Any, *arguments: Any, expected: Any = None, guarded: bool | None = None) -> str | None:
    """Warm `speculated` up on `arguments`; return None if it is compiled as meant, else why it is no use here.

    `guarded` says whether its program has to have guards whose verdict the host reads; `expected` is compared with
    the result of a compiled call.
    """
    for _ in range(6):
        before = speculated.stats().compiled_calls
        result = speculated(*arguments)
    if speculated.stats().compiled_calls == before:
        return f"not compiled: {'; '.join(reasons(speculated)) or speculated.explain().outcome}"
    if guarded is not None and bool(janus_jax.testing.guards(speculated)) != guarded:
        return "has no guard in its program" if guarded else "has guards in its program"
    return None if expected is None else same(result, expected)


def reasons(speculated: Any) -> list[str]:
    """Return why calls of `speculated` stayed in Python, one short line for each reason."""
    return [f"[{reason.id}] {reason.sentence}" for reason in speculated.explain().reasons]


# --- what is shown and kept ------------------------------------------------------------------------------------------


def machine() -> dict[str, Any]:
    """Return what the figures depend on besides the code."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "jax": jax.__version__,
        "jaxlib": jaxlib.__version__,
        "devices": [str(device) for device in jax.devices()],
        "load": os.getloadavg()[0],
        "flags": os.environ.get("XLA_FLAGS", ""),
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def save(name: str, rows: Iterable[Row]) -> Path:
    """Write `rows` and the machine to `results/NAME.json`, and return that path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    kept = [{**asdict(row), "passes": row.passes} for row in rows]
    path.write_text(json.dumps({"benchmark": name, "machine": machine(), "rows": kept}, indent=2) + "\n")
    return path


def show(console: Console, title: str, rows: Iterable[Row]) -> None:
    """Print `rows` as a table."""
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("what", overflow="fold")
    for heading in ("ours", "theirs", "ratio", "bar"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for row in rows:
        table.add_row(*_cells(row))
    console.print(table)


def _cells(row: Row) -> tuple[str, ...]:
    if row.failed:
        return row.name, "", "", "", "", f"[red]not measured: {row.note}"
    bar = "" if row.bar is None else f"{'≥' if row.at_least else '≤'} {row.bar:g}"
    verdict = "" if row.bar is None else "[green]kept" if row.passes else "[red]missed"
    return row.name, duration(row.ours), duration(row.theirs), f"{row.ratio:.3f}", bar, f"{verdict} [dim]{row.note}"


def duration(value: float) -> str:
    """Return seconds as people write them."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-6:.3g} µs"
