"""A plain run that is stopped when it takes too many lines: a changed constant may make a loop endless."""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.harness.outcomes import is_user_file


class Runaway(BaseException):
    """Raised in a user's frame that ran more lines than allowed."""


@dataclass(slots=True)
class LineCount:
    """How many lines of user code have run."""

    lines: int = 0


@contextlib.contextmanager
def line_budget(most: int | None = None) -> Iterator[LineCount]:
    """Count the lines that user code runs inside the `with`; raise `Runaway` in it after the last one allowed."""
    count = LineCount()

    def trace(frame: types.FrameType, event: str, argument: Any) -> Any:
        if not is_user_file(frame.f_code.co_filename):
            return None
        count.lines += 1
        if most is not None and count.lines > most:
            raise Runaway
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield count
    finally:
        sys.settrace(before)
