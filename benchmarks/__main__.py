"""Run the benchmarks: `python -m benchmarks [--check] [--only NAME]`."""

from __future__ import annotations

import argparse
import sys
from types import ModuleType

from rich.console import Console

from benchmarks import bench_convert, bench_dispatch, bench_loops, bench_programs, bench_trips
from benchmarks.common import Row, machine, save, show

BENCHMARKS: dict[str, ModuleType] = {
    "dispatch": bench_dispatch,
    "programs": bench_programs,
    "loops": bench_loops,
    "convert": bench_convert,
    "trips": bench_trips,
}


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for, show and save it; return 1 if `--check` was asked for and a bar was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit status 1 where a bar is missed")
    parser.add_argument("--only", action="append", choices=BENCHMARKS, metavar="NAME", help=", ".join(BENCHMARKS))
    options = parser.parse_args(arguments)
    console = Console()
    console.print({name: value for name, value in machine().items() if value})
    rows = [row for name in options.only or BENCHMARKS for row in run(console, name)]
    missed = [row.name for row in rows if not row.passes]
    console.print(
        f"{len(rows) - len(missed)} of {len(rows)} as they should be", *(f"\n  missed: {name}" for name in missed)
    )
    return int(options.check and bool(missed))


def run(console: Console, name: str) -> list[Row]:
    """Measure one benchmark; its rows are shown, saved and returned."""
    with console.status(f"measuring {name}"):
        rows = list(BENCHMARKS[name].measure())
    show(console, name, rows)
    console.print(f"[dim]{save(name, rows)}")
    return rows


if __name__ == "__main__":
    sys.exit(main())
