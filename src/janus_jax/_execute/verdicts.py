"""How a call of a program ends when not with a result."""

from __future__ import annotations

from dataclasses import dataclass


class Mismatch(BaseException):
    """Raised by a program's own trace when it is called with types that it was not made for.

    It derives from `BaseException` so that nothing in JAX handles it.
    """


class Miss:
    """What an entry function returns when the call does not fit its program."""

    def __repr__(self) -> str:
        return "miss"


MISS = Miss()


@dataclass(frozen=True, slots=True)
class Tripped:
    """What an entry function returns when a guard inside the program has failed: the guard's number.

    It is negative when the run itself raised, for want of memory for instance; `error` says what.
    """

    guard: int
    error: Exception | None = None
