"""The runner of the documentation's code: it runs what a page shows, and notices what a page gets wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs import run_code as runner

PAGE = """# A page

```python
def line():
    return 41 + 1

print(line(), "then")
```

Some words.

```python
print("it took 0.125 s")
```

<!-- output -->
```text
{first}
it took ... s
```
"""


NUMBERED = """Some words.

```python
import inspect

def answer():
    return 42
```

```python
print(answer.__code__.co_firstlineno)
print(inspect.getsource(answer))
```

<!-- output -->
```text
6
def answer():
    return 42
```
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    page = tmp_path / "page.md"
    page.write_text(PAGE.format(first="42 then"))
    return page


def test_a_page_that_tells_the_truth_passes(page: Path) -> None:
    assert runner.run_page(page, updating=False) == 0


def test_a_page_that_does_not_is_shown(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page.write_text(PAGE.format(first="43 then"))
    assert runner.run_page(page, updating=False) == 1
    assert f"{page}:18: but this was printed\n42 then\nit took 0.125 s\n" in capsys.readouterr().out


def test_an_update_leaves_the_page_true(page: Path) -> None:
    page.write_text(PAGE.format(first="43 then"))
    runner.run_page(page, updating=True)
    assert runner.run_page(page, updating=False) == 0
    assert page.read_text() == PAGE.format(first="42 then").replace("took ... s", "took 0.125 s")


def test_code_stands_under_the_line_numbers_of_its_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(NUMBERED)
    assert runner.run_page(page, updating=False) == 0


def test_code_that_raises_is_not_passed_over(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nraise LookupError('no')\n```\n")
    with pytest.raises(LookupError):
        runner.run_page(page, updating=False)


@pytest.mark.parametrize(
    ("said", "printed", "expected"),
    [
        ("a b", "a b\n", True),
        ("a b", "a c\n", False),
        ("a ... b", "a long way to b\n", True),
        ("a ... b", "a long\nway to b\n", False),
        ("a\n...\nb", "a\nx\ny\nb\n", True),
        ("a\n...\nb", "a\nb\n", True),
        ("a\n...", "a\n", True),
        ("a", "a\nb\n", False),
        ("", "", True),
        ("", "a\n", False),
        ("(a+", "(a+\n", True),
        ("a", "a   \n", True),
    ],
)
def test_dots_stand_for_anything(said: str, printed: str, expected: bool) -> None:
    assert runner.agrees(said, printed) is expected
