"""Has the Observer watch every test: the test is the entry, as a speculated function is, with all that it calls."""

from __future__ import annotations

import unittest
from collections.abc import Callable, Sequence
from types import CodeType, FunctionType
from typing import Any

from janus_jax._frontend import SourceCache
from janus_jax._profiler import Observer
from tests.cpython.modules import is_one_of


class Watcher:
    """Watches the calls of all functions in the modules and packages `names`, and collects faults of the Observer."""

    def __init__(self, names: Sequence[str]) -> None:
        self.faults: list[str] = []
        self._names = names
        self._codes: dict[int, CodeType] = {}
        self._observer = Observer(SourceCache(), may_watch=self._may_watch)

    def _may_watch(self, function: FunctionType) -> bool:
        wanted = is_one_of(dict.get(function.__globals__, "__name__"), self._names)
        if wanted:
            self._note(function)
        return wanted

    def _note(self, function: FunctionType) -> None:
        code = self._observer.sources.copies.original_of(function.__code__)
        self._codes[id(code)] = code

    def rewritten(self) -> int:
        """Return how many functions with hooks in their P-form were called in watched calls."""
        forms = map(self._observer.form_of, self._codes.values())
        return sum(form is not None and bool(form.sites) for form in forms)

    def watch_tests(self) -> None:
        """Let `unittest` call the watched copy of each test from now on."""
        for kind in (unittest.TestCase, unittest.IsolatedAsyncioTestCase):
            kind._callTestMethod = self._watching(kind._callTestMethod)  # type: ignore[attr-defined]

    def _watching(self, call: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
        def call_watched(case: Any, method: Any) -> None:
            function = getattr(method, "__func__", method)
            if type(function) is FunctionType:
                self._note(function)
            observation = self._observer.watch(method)
            try:
                call(case, observation.function)
            finally:
                observation.finish()
                if observation.fault is not None:
                    self.faults.append(f"{case.id()}: {observation.fault!r}")

        return call_watched
