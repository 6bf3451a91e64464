"""Runs one module of CPython's test-suite, and prints as JSON how its tests ended.

    python -m tests.cpython.runner MODULE untouched|plain|observed

A process of its own for each: tests of Python leave a lot behind. The parts of `janus_jax` that are needed are
imported without the rest, which would bring JAX: what is being tested is Python.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import unittest
from collections.abc import Iterator
from importlib.util import find_spec
from types import ModuleType
from typing import Any


def leave_out_jax() -> None:
    """Make `janus_jax` importable room by room."""
    spec = find_spec("janus_jax")
    assert spec is not None
    package = ModuleType("janus_jax")
    package.__path__ = list(spec.submodule_search_locations or ())
    sys.modules["janus_jax"] = package


leave_out_jax()

from tests.cpython.modules import MODULES, Module  # noqa: E402
from tests.cpython.rewriting import Rewriter, import_changed  # noqa: E402
from tests.cpython.watching import Watcher  # noqa: E402


class Result(unittest.TestResult):
    """The names of the tests that passed, and what was said of the others."""

    def __init__(self) -> None:
        super().__init__()
        self.passed: set[str] = set()

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self.passed.add(test.id())

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addExpectedFailure(test, err)
        self.passed.add(test.id())

    def failed(self) -> dict[str, str]:
        """Return the traceback of each test that failed, or of the last of its subtests."""
        return {getattr(test, "test_case", test).id(): text for test, text in (*self.failures, *self.errors)}


def flat(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    """Yield every test of `suite`, and of those in it."""
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flat(test)
        else:
            yield test


def run_tests(module: Module, mode: str) -> Result:
    """Run the tests of `module` that are to be run in `mode`."""
    random.seed(0)
    result = Result()
    suite = unittest.defaultTestLoader.loadTestsFromName(module.full_name)
    unittest.TestSuite(test for test in flat(suite) if module.runs(test.id(), mode)).run(result)
    return result


def main(name: str, mode: str) -> dict[str, Any]:
    """Run the tests of `name` in one of the modes."""
    module = MODULES[name]
    rewriter, watcher = Rewriter(), Watcher(module.rewritten)
    if mode == "observed":
        watcher.watch_tests()
    import_changed(module.rewritten, rewriter.tree if mode == "plain" else lambda code: code)
    result = run_tests(module, mode)
    failed = result.failed()
    return {
        "run": result.testsRun,
        "passed": sorted(result.passed - failed.keys()),
        "failed": failed,
        "rewritten": watcher.rewritten() if mode == "observed" else rewriter.rewritten,
        "without_sites": rewriter.without_sites,
        "reasons": rewriter.reasons,
        "faults": watcher.faults,
    }


if __name__ == "__main__":
    # what the tests print must not come between
    output = os.dup(1)
    os.dup2(2, 1)
    with tempfile.TemporaryDirectory() as folder:
        # they leave files behind
        os.chdir(folder)
        report = main(*sys.argv[1:])
        os.chdir("/")
    os.write(output, json.dumps(report).encode())
