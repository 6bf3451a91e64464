"""The page that says which Python is compiled is what the gallery says."""

from __future__ import annotations

from docs import supported


def test_the_page_is_up_to_date() -> None:
    written = supported.PAGE.read_text(encoding="utf-8")
    assert written == supported.page(), "run python docs/supported.py --update"


def test_every_line_counts_programs() -> None:
    lines = [line for line in supported.page().splitlines() if line.startswith("| ") and " of " in line]
    assert len(lines) > 40
    assert sum("| compiled |" in line for line in lines) > 30
    assert any("| in Python |" in line for line in lines)
