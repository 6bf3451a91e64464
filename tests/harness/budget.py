"""A plain run that is stopped when it takes too many lines: a changed constant may make a loop endless."""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Iterator
from typing import Any

from tests.harness.outcomes import is_user_file


class Runaway(BaseException):
    """Raised in a user's frame that ran more lines than allowed."""


@contextlib.contextmanager
def line_budget(lines: int) -> Iterator[None]:
    """Raise `Runaway` once user code has run `lines` lines inside the `with`."""
    left = lines

    def trace(frame: types.FrameType, event: str, argument: Any) -> Any:
        nonlocal left
        if not is_user_file(frame.f_code.co_filename):
            return None
        left -= 1
        if left < 0:
            raise Runaway
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)
