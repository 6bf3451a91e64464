"""The commands that the pages name are the ones that are run before a change is merged."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def commands_of(page: str) -> list[str]:
    """Return the lines of the page's shell blocks."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines()]


def test_what_passes_before_a_merge_begins_with_the_readme_s_test_command() -> None:
    (command,) = [command for command in commands_of("README.md") if command.endswith("-s tests")]
    assert f"\n{command} || exit\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_every_session_that_a_page_names_exists() -> None:
    sessions = set(re.findall(r"^def (\w+)\(session", (ROOT / "noxfile.py").read_text(encoding="utf-8"), re.MULTILINE))
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "src").rglob("*.md")]
    named = {name for page in pages for name in re.findall(r"nox -s (\w+)", page.read_text(encoding="utf-8"))}
    assert named <= sessions
