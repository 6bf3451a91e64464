"""Run every block of Python in the documentation, and compare what it prints with what the page says.

The blocks of a page share one namespace and run in order, in a process of their own. A `text` block that follows the
mark `<!-- output -->` is what the blocks since the last such mark must have printed; `...` stands for anything within
a line, and for any lines where it has a line to itself. `--update` writes what was printed into the pages instead.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(\w*)\s*$")
MARK = "<!-- output -->"


@dataclass(frozen=True, slots=True)
class Block:
    """The text between two fences: its language, the index of its first line, and whether it is marked as output."""

    language: str
    start: int
    lines: tuple[str, ...]
    is_output: bool

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@dataclass(frozen=True, slots=True)
class Difference:
    """What one output block says, and what was printed instead."""

    page: Path
    block: Block
    printed: str

    def __str__(self) -> str:
        where = f"{self.page}:{self.block.start + 1}"
        return f"{where}: the page says\n{self.block.text}\n{where}: but this was printed\n{self.printed}"


def pages() -> list[Path]:
    """Return every page whose code has to run."""
    return [ROOT / "README.md", ROOT / "src" / "janus_jax" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks_of(lines: Sequence[str]) -> Iterator[Block]:
    """Yield the fenced blocks of a page, in order."""
    start, language, marked = -1, "", False
    for index, line in enumerate(lines):
        fence = FENCE.match(line)
        if start >= 0 and fence:
            yield Block(language, start, tuple(lines[start:index]), marked)
            start, marked = -1, False
        elif start < 0 and fence:
            start, language = index + 1, fence.group(1)
        elif start < 0 and line.strip():
            marked = line.strip() == MARK


def agrees(said: str, printed: str) -> bool:
    """Whether `printed` is what the page said, `...` standing for anything."""
    pattern = ""
    for line in said.strip("\n").splitlines():
        if line.strip() == "...":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += r"[^\n]*?".join(re.escape(part) for part in line.rstrip().split("...")) + r"[ \t]*\n"
    return re.fullmatch(pattern, printed.strip("\n") + "\n" if printed.strip() else "") is not None


def write_module(blocks: Sequence[Block], length: int, target: Path) -> None:
    """Write the page's Python to `target`, every line under the number it has in the page."""
    lines = [""] * length
    for block in blocks:
        lines[block.start : block.start + len(block.lines)] = block.lines
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


def run_blocks(page: Path, target: Path) -> Iterator[Difference]:
    """Run the page's blocks one after the other, and yield each output that differs."""
    lines = page.read_text(encoding="utf-8").splitlines()
    blocks = list(blocks_of(lines))
    write_module([block for block in blocks if block.language == "python"], len(lines), target)
    module = ModuleType(f"page_{target.stem}")
    module.__file__ = str(target)
    sys.modules[module.__name__] = module
    printed = io.StringIO()
    for block in blocks:
        if block.is_output:
            if not agrees(block.text, printed.getvalue()):
                yield Difference(page, block, printed.getvalue())
            printed = io.StringIO()
        elif block.language == "python":
            code = compile("\n" * block.start + block.text, str(target), "exec", dont_inherit=True)
            with contextlib.redirect_stdout(printed):
                exec(code, module.__dict__)


def update(page: Path, differences: Sequence[Difference]) -> None:
    """Write what was printed into the page, in place of what it said."""
    lines = page.read_text(encoding="utf-8").splitlines()
    for difference in reversed(differences):
        start = difference.block.start
        lines[start : start + len(difference.block.lines)] = difference.printed.strip("\n").splitlines()
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")


def run_page(page: Path, *, updating: bool) -> int:
    """Run one page in this process; return how many outputs differ and were left so."""
    with tempfile.TemporaryDirectory() as folder:
        differences = list(run_blocks(page, Path(folder) / f"{page.stem.lower()}.py"))
    if updating:
        update(page, differences)
        return 0
    for difference in differences:
        print(difference)
    return len(differences)


def run_in_own_process(page: Path, *, updating: bool) -> bool:
    """Whether the page's code ran and printed what the page says."""
    command = [sys.executable, __file__, "--here", *(["--update"] if updating else []), str(page)]
    done = subprocess.run(command, check=False, env={"JAX_PLATFORMS": "cpu", **os.environ})
    print(f"{'ok    ' if done.returncode == 0 else 'FAILED'} {page}")
    return done.returncode == 0


def main() -> int:
    """Run the pages named on the command line, or all; return the process's exit status."""
    parser = argparse.ArgumentParser(description="Run every block of Python in the documentation.")
    parser.add_argument("pages", nargs="*", type=Path)
    parser.add_argument("--update", action="store_true", help="write what was printed into the pages")
    parser.add_argument("--here", action="store_true", help="run in this process, one page after the other")
    chosen = parser.parse_args()
    wanted = [page for page in chosen.pages or pages() if "```python" in page.read_text(encoding="utf-8")]
    if chosen.here:
        return min(1, sum(run_page(page, updating=chosen.update) for page in wanted))
    return min(1, sum(not run_in_own_process(page, updating=chosen.update) for page in wanted))


if __name__ == "__main__":
    sys.exit(main())
