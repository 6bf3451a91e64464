"""Functions that a watched call makes: each has its own code, lent a watched one, and its own again in the end.

Who calls them from a watched function gets a copy anyway. For all other callers (`map`, `jax.grad`, a thread) the
function itself must count; but it is the user's, who may keep it for ever, and look at it: in a decorator, say. So
it runs the watched code from the first call that leads out of what is watched until the watched call ends.
"""

from __future__ import annotations

import builtins
import weakref
from collections.abc import Callable
from types import BuiltinMethodType, CodeType, FunctionType
from typing import Any, TypeAlias

from janus_jax._base.objects import is_one_of

_Forget: TypeAlias = Callable[[weakref.ref[FunctionType]], None]

# What of Python itself calls no function of the user's, as far as anyone would want to count: `print`, `len`, `list`.
_CALLERS = (map, filter, sorted, min, max, iter, property, eval, exec)
_QUIET = {id(value) for value in vars(builtins).values()} - {id(value) for value in _CALLERS}
_CONTAINERS = (list, dict, set, tuple, str, bytes)


def may_call(callee: Any) -> bool:
    """Whether `callee` may call a function of the user's; asks no code of the user's."""
    if type(callee) is BuiltinMethodType and is_one_of(type(callee.__self__), _CONTAINERS):
        return callee.__name__ == "sort"
    return id(callee) not in _QUIET


class _Made(weakref.ref[FunctionType]):
    """A function that the watched call made, without keeping it alive, and its two codes."""

    __slots__ = ("own", "watched")

    own: CodeType
    watched: CodeType

    @classmethod
    def of(cls, function: FunctionType, forget: _Forget, own: CodeType, watched: CodeType) -> _Made:
        """Return a reference to `function`; `forget` is C, so that the end of a function shows no frame of ours."""
        made = cls(function, forget)
        made.own, made.watched = own, watched
        return made

    def exchange(self, before: CodeType, after: CodeType) -> None:
        """Let the function run `after`, if it is alive and runs `before`; the user may have given it another."""
        function = self()
        if function is not None and function.__code__ is before:
            function.__code__ = after


class Lender:
    """Lends watched code to functions, and gives all of them their own back; threads may do so at the same time.

    There is no lock: a finaliser that runs in the middle may come here again. What is iterated over are copies of
    the sets, made in C: a function may die at any time.
    """

    def __init__(self) -> None:
        self._is_open = True
        self._waiting: set[_Made] = set()
        self._lent: set[_Made] = set()

    def note(self, function: FunctionType, watched: CodeType) -> None:
        """Have `lend()` lend `watched` to a function that was just made."""
        self._waiting.add(_Made.of(function, self._waiting.discard, function.__code__, watched))

    def lend(self) -> None:
        """Let every function that waits run its watched code."""
        if not self._waiting:
            return
        for made in self._waiting.copy():
            function = made()
            if function is not None:
                self._lend(_Made.of(function, self._lent.discard, made.own, made.watched))
            self._waiting.discard(made)

    def _lend(self, made: _Made) -> None:
        # written down first: whatever comes between, the code is given back
        self._lent.add(made)
        if self._is_open:
            made.exchange(made.own, made.watched)
        if not self._is_open:
            # the call ended in another thread meanwhile, and may not have seen this function
            made.exchange(made.watched, made.own)

    def give_back(self) -> None:
        """Let every function run its own code from now on."""
        self._is_open = False
        try:
            self._give_back_all()
        finally:
            # an interrupt may have cut it short; if not, nothing is left to do
            self._give_back_all()

    def _give_back_all(self) -> None:
        for made in self._lent.copy():
            made.exchange(made.watched, made.own)
        self._waiting.clear()
        self._lent.clear()
