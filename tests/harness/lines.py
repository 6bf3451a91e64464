"""The lines of the user's code that an exception came through."""

from __future__ import annotations

import dis
from collections.abc import Iterator
from types import TracebackType


def lines_through(error: BaseException) -> Iterator[tuple[str, str, int]]:
    """Yield file, function and line of each frame that the exception came through, the outermost first."""
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        yield code.co_filename, code.co_name, _line(error, traceback)
        traceback = traceback.tb_next


def _line(error: BaseException, traceback: TracebackType) -> int:
    """Return the line of an entry; for an unbound name, that of the name, though Python 3.11 may give the one before.

    See docs/differences.md.
    """
    instructions = dis.get_instructions(traceback.tb_frame.f_code)
    here = [each for each in instructions if each.offset >= traceback.tb_lasti][:2]
    unbound = [isinstance(error, UnboundLocalError) and f"'{each.argval}'" in str(error) for each in here]
    positions = here[1].positions if unbound == [False, True] else None
    return (positions and positions.lineno) or traceback.tb_lineno
