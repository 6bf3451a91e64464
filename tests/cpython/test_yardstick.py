"""Every test of CPython that passes untouched passes rewritten: under Plain, and where the Observer watches."""

from __future__ import annotations

import ast
import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from janus_jax._runtime import PLAIN
from tests.cpython.modules import MODULES, Module
from tests.cpython.rewriting import Rewriter, inner_codes, is_function

ROOT = Path(__file__).parent.parent.parent
TIME_LIMIT = 280  # seconds; the slowest module takes 50 on two cores
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
WATCHED = (ast.If, ast.IfExp, ast.While, ast.For, ast.AsyncFor, ast.Call)

if find_spec("test") is None or find_spec("test.support") is None:
    pytest.skip("this Python came without its test-suite", allow_module_level=True)


# those that are not quick run with the slow tests only
CASES = [
    pytest.param(module, marks=[] if module.is_quick else [pytest.mark.slow], id=name)
    for name, module in MODULES.items()
]


@functools.cache
def report(name: str, mode: str) -> dict[str, Any]:
    """Return how the tests of the module went, in a process of their own."""
    command = (sys.executable, "-m", "tests.cpython.runner", name, mode)
    environment = os.environ | {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}
    options = {"cwd": ROOT, "env": environment, "stdin": subprocess.DEVNULL, "timeout": TIME_LIMIT}
    done = subprocess.run(command, check=False, capture_output=True, **options)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return json.loads(done.stdout)


def demand_the_same(module: Module, mode: str) -> dict[str, Any]:
    """Run the module untouched and in `mode`; fail with the tracebacks of the tests that no longer pass."""
    if find_spec(module.full_name) is None:
        pytest.skip(f"this Python has no {module.full_name}")
    if not module.runs("", mode):
        pytest.skip("; ".join(module.not_observed.values()))
    before, after = report(module.name, "untouched"), report(module.name, mode)
    lost = [name for name in before["passed"] if module.runs(name, mode) and name not in after["passed"]]
    assert not lost, "\n".join(f"{name}\n{after['failed'].get(name, 'did not run')}" for name in lost)
    assert len(after["passed"]) > 0
    return after


def files_of(module: Module) -> list[Path]:
    """Return the files that the tests of the module stand in."""
    spec = find_spec(module.full_name)
    assert spec is not None
    assert spec.origin is not None
    file = Path(spec.origin)
    return [file, *file.parent.glob("test_*.py")] if file.name == "__init__.py" else [file]


def functions_to_watch(files: list[Path]) -> int:
    """Return how many functions in `files` branch, loop or call, as far as a glance tells."""
    trees = [ast.parse(file.read_bytes()) for file in files]
    functions = [node for tree in trees for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]
    return sum(map(has_something_to_watch, functions))


def has_something_to_watch(function: ast.AST) -> bool:
    body = getattr(function, "body", [])
    nodes = [node for part in (body if isinstance(body, list) else [body]) for node in ast.walk(part)]
    return any(isinstance(node, WATCHED) and not is_super(node) for node in nodes)


def is_super(node: ast.AST) -> bool:
    """Whether `node` calls `super`, which has no hook: the call itself finds the class and the object in the frame."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


@pytest.mark.filterwarnings("ignore:invalid escape sequence")  # in what is parsed
@pytest.mark.parametrize("module", CASES)
def test_rewritten_it_passes_what_it_passes_untouched(module: Module) -> None:
    after = demand_the_same(module, "plain")
    assert after["reasons"] == {}
    assert after["rewritten"] >= functions_to_watch(files_of(module))


@pytest.mark.parametrize("module", CASES)
def test_observed_it_passes_what_it_passes_untouched(module: Module) -> None:
    after = demand_the_same(module, "observed")
    assert after["faults"] == []
    assert after["rewritten"] > 0


def test_every_function_inside_a_rewritten_one_has_hooks() -> None:
    def functions(code: CodeType) -> Iterator[CodeType]:
        for inner in inner_codes(code):
            yield from [inner] if is_function(inner) else []
            yield from functions(inner)

    rewriter = Rewriter()
    code = rewriter.tree(compile(Path(__file__).read_bytes(), __file__, "exec"))
    with_hooks = [each for each in functions(code) if PLAIN in each.co_consts]
    assert len(with_hooks) == rewriter.rewritten == functions_to_watch([Path(__file__)])
    assert {each.co_name for each in with_hooks} >= {"functions", "report", "demand_the_same"}
