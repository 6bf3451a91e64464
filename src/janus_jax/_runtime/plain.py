"""Plain: hooks that do nothing. A P-form under them is the user's function, and not even `sys.settrace` can tell.

They are implemented in C: a trace function would see a frame of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

_NOTHING: tuple[()] = ()
# `next` returns its default when the iterator has no more: the identity function, in C
_identity: Callable[[Any], Any] = partial(next, iter(_NOTHING))
_true: Callable[[], bool] = partial(bool, True)


@dataclass(frozen=True, slots=True)
class PlainHooks:
    """Stands at every site, and hands everything on."""

    first: Callable[[], bool] = _true
    second: Callable[[], bool] = _true
    tick: Callable[[], bool] = _true
    enter: Callable[[Any], Any] = _identity
    callee: Callable[[Any], Any] = _identity

    def at(self, index: int) -> PlainHooks:
        """Return the object that stands at every site: this one."""
        return self


PLAIN = PlainHooks()
