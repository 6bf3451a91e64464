"""The house rules that no tool checks for us: who may import what, and how long things may be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "janus_jax"
FILES = sorted(SOURCE.rglob("*.py"))
LONGEST_FILE = 500
LONGEST_FUNCTION = 60
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def each(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=lambda path: str(path.relative_to(SOURCE)))


every_file = each(FILES)


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported_modules(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield each module that `tree` imports anywhere, with its line; `from a import b` yields `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def dotted_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield each dotted name that is read, such as `jax._src.core`, with its line; nothing of what a call returns."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and re.fullmatch(r"[\w.]+", name := ast.unparse(node)):
            yield name, node.lineno


def is_private_to_jax(name: str) -> bool:
    parts = name.split(".")
    return parts[0] in {"jax", "jaxlib"} and any(part.startswith("_") for part in parts[1:])


@each([path for path in FILES if path != SOURCE / "_jax.py"])
def test_only_the_one_door_touches_private_parts_of_jax(path: Path) -> None:
    tree = tree_of(path)
    found = [(name, line) for name, line in (*imported_modules(tree), *dotted_names(tree)) if is_private_to_jax(name)]
    assert not found


@each([path for path in FILES if "integrations" not in path.relative_to(SOURCE).parts])
def test_flax_and_optax_are_imported_in_integrations_only(path: Path) -> None:
    found = [(name, line) for name, line in imported_modules(tree_of(path)) if name.split(".")[0] in {"flax", "optax"}]
    assert not found


@every_file
def test_nothing_is_imported_inside_a_function(path: Path) -> None:
    functions = [node for node in ast.walk(tree_of(path)) if isinstance(node, FUNCTIONS)]
    assert not [found for function in functions for found in imported_modules(function)]


@every_file
def test_no_file_and_no_function_is_too_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE
    functions = [node for node in ast.walk(tree_of(path)) if isinstance(node, FUNCTIONS)]
    lengths = {node.lineno: (node.end_lineno or node.lineno) - node.lineno + 1 for node in functions}
    assert not {line: length for line, length in lengths.items() if length > LONGEST_FUNCTION}


@every_file
def test_no_error_is_swallowed_without_a_word(path: Path) -> None:
    handlers = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.ExceptHandler)]
    broad = [node for node in handlers if node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"}]
    assert not [node.lineno for node in broad if all(isinstance(statement, ast.Pass) for statement in node.body)]


@every_file
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(tree_of(path))


@every_file
def test_a_todo_carries_the_number_of_its_issue(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if re.search(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))", line)]


@every_file
def test_an_ignore_names_its_rule(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if re.search(r"# (type: ignore|pyright: ignore|noqa)(?!\[|: [A-Z]+\d)", line)]


@pytest.mark.parametrize("room", sorted({path.parent for path in FILES} - {SOURCE}), ids=lambda room: room.name)
def test_every_room_says_what_it_is_and_is_on_the_way(room: Path) -> None:
    assert (room / "__init__.py").is_file()
    if room.parent == SOURCE:
        assert f"({room.name})" in (SOURCE / "README.md").read_text(encoding="utf-8")


def test_the_rules_see_what_they_forbid() -> None:
    tree = ast.parse("def f():\n    from jax._src import core\n    return jax._src.util")
    assert [name for name, _ in imported_modules(tree) if is_private_to_jax(name)] == ["jax._src.core"]
    assert {name for name, _ in dotted_names(tree) if is_private_to_jax(name)} == {"jax._src", "jax._src.util"}
