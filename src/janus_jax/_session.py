"""Everything that outlives a call, in one object: configuration, sources, the observer, and the live engines."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Generator
from contextlib import contextmanager
from types import CodeType
from typing import Any

from janus_jax._base.objects import unwrap
from janus_jax._frontend import SourceCache
from janus_jax._jax import has_started
from janus_jax._profiler import Observer


def _is_set(name: str) -> bool:
    return os.environ.get(name, "") not in ("", "0")


class _Switches(threading.local):
    """What is switched in this thread only."""

    disabled = 0


class Session:
    """The hidden state of janus_jax; `reset()` clears it."""

    def __init__(self) -> None:
        self.disabled_everywhere = _is_set("JANUS_JAX_DISABLE")
        self.developer = _is_set("JANUS_JAX_DEVELOPER")
        self.compiles = True  # unless XLA's threads were left behind in another process
        self.sources = SourceCache()
        self.observer = Observer(self.sources, unwrap=unwrap)
        self._switches = _Switches()
        self._plain: dict[int, CodeType] = {}  # by id: code objects that are equal need not be the same function
        self._engines: weakref.WeakSet[Any] = weakref.WeakSet()
        self._lock = threading.Lock()

    def register(self, engine: Any) -> None:
        """Have `reset()` reach this engine."""
        with self._lock:
            self._engines.add(engine)

    def mark_plain(self, code: CodeType) -> None:
        """Never convert functions that run `code`."""
        # a function that a watched call made runs a copy meanwhile
        code = self.sources.copies.original_of(code)
        self._plain[id(code)] = code

    def is_plain(self, code: CodeType) -> bool:
        """Return whether functions that run `code` were marked never to be converted."""
        return id(self.sources.copies.original_of(code)) in self._plain

    def is_disabled(self) -> bool:
        """Return whether speculated functions run as plain Python in this thread now."""
        return self.disabled_everywhere or self._switches.disabled > 0

    @contextmanager
    def disabled(self) -> Generator[None]:
        """Run every speculated function as plain Python in this thread, inside the `with`."""
        self._switches.disabled += 1
        try:
            yield
        finally:
            self._switches.disabled -= 1

    def reset(self) -> None:
        """Forget all profiles, programs and sources."""
        with self._lock:
            engines = list(self._engines)
        for engine in engines:
            engine.clear()
        self.sources.clear()
        self.observer.clear()

    def after_fork(self) -> None:
        """Replace all locks, which another thread may have held; compile nothing more where that would hang."""
        self.compiles = self.compiles and not has_started()
        self._lock = threading.Lock()
        self.sources.renew_locks()
        for engine in list(self._engines):
            engine.renew_locks()


session = Session()
os.register_at_fork(after_in_child=session.after_fork)
