"""A function that cannot be one program: it runs in Python, and the largest pieces of it that can are programs.

The pieces are found anew each time that one of them turns out not to be convertible: what was in the way is left out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, Protocol

from janus_jax._base import Reason, Unstageable
from janus_jax._frontend import (
    Born,
    FunctionSource,
    Piece,
    find_pieces,
    function_of,
    in_pieces,
    source_of_piece,
    with_code,
)
from janus_jax._frontend.filling import fill
from janus_jax._report import PieceReport, Stats

MOST_ATTEMPTS = 12  # to find pieces that can be converted
NOT_RUN: Any = object()  # what the engine of a piece gives where the piece has to run in Python


class PieceEngine(Protocol):
    """Runs the calls of a piece, where it can."""

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what the piece gives, or `NOT_RUN`."""
        ...

    def stats(self) -> Stats:
        """Return the counts so far."""
        ...

    def given_up(self) -> Reason | None:
        """Return why the piece will never run as a program; None as long as it may."""
        ...


@dataclass(slots=True, eq=False)
class RunningPiece:
    """One piece, the engine that runs it, and what that took."""

    piece: Piece
    engine: PieceEngine
    runs: int = 0
    seconds: float = 0.0

    def attempt(self, needs: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return what the piece binds, as the only element; nothing where it has to run in Python."""
        started = time.perf_counter()
        given = self.engine.call(needs, {})
        if given is NOT_RUN:
            return ()
        self.runs += 1
        self.seconds += time.perf_counter() - started
        return (given,)


@dataclass(slots=True, eq=False)
class Partial:
    """A function in pieces: `call` runs it, as long as there are any."""

    function: Any
    source: FunctionSource
    make_engine: Callable[[Any, FunctionSource], PieceEngine]
    odd: set[int] = field(default_factory=set[int])  # lines that hold up the conversion of what is around them
    pieces: tuple[RunningPiece, ...] = ()
    attempts: int = 0
    seconds: float = 0.0
    reasons: list[Reason] = field(default_factory=list[Reason])
    _code: CodeType | None = None
    _original: Any = None
    _lock: Any = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._original = self.function.__code__

    def exclude(self, reason: Reason, piece: Piece | None = None) -> None:
        """Take the line that a reason names out of all pieces; without one that helps, all of the piece."""
        first, last = piece.lines if piece else (self.source.node.lineno, self.source.node.end_lineno or 0)
        named = (where.line for where in (reason.root, reason.where) if where and where.file == self.source.file)
        line = next((line for line in named if first <= line <= last), None)
        self.odd.update([line] if line is not None else range(first, last + 1) if piece else [])
        self.reasons.append(reason)

    def ready(self) -> bool:
        """Return whether there are pieces; looks for others where one was given up."""
        if self.function.__code__ is not self._original:
            return False  # it is another function by now
        if not self._lock.acquire(blocking=False):
            return self._code is not None
        try:
            lost = [(one.piece, why) for one in self.pieces if (why := one.engine.given_up()) is not None]
            if lost or not self.attempts:
                for piece, why in lost:
                    self.exclude(why, piece)
                self._find()
            return self._code is not None
        finally:
            self._lock.release()

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what the function returns."""
        code = self._code  # which another thread may take away
        # made anew, for its defaults may be others by now
        runs = self.function if code is None else with_code(self.function, code)
        started = time.perf_counter()
        try:
            return runs(*args, **kwargs)
        finally:
            self.seconds += time.perf_counter() - started

    def reports(self) -> tuple[PieceReport, ...]:
        """Return the pieces for `explain()`."""
        total = self.seconds or 1.0
        return tuple(
            PieceReport(
                self.source.file, *one.piece.lines, one.piece.needs, one.piece.gives, one.runs, one.seconds / total
            )
            for one in self.pieces
        )

    def _find(self) -> None:
        known = {(one.piece.lines, one.piece.needs, one.piece.gives): one for one in self.pieces}
        found = find_pieces(self.source, frozenset(self.odd)) if self.attempts < MOST_ATTEMPTS else ()
        try:
            pieces = [known.get((piece.lines, piece.needs, piece.gives)) or self._running(piece) for piece in found]
            self._code = self._filled(pieces) if pieces else None
            self.pieces = tuple(pieces)
        except Unstageable as end:
            self.reasons.append(end.reason)
            self.pieces, self._code = (), None
        self.attempts += 1  # not before: one that is interrupted has to be made again

    def _running(self, piece: Piece) -> RunningPiece:
        source = source_of_piece(self.source, piece)
        return RunningPiece(piece, self.make_engine(function_of(source, self.function), source))

    def _filled(self, pieces: list[RunningPiece]) -> CodeType:
        born: list[Born] = []
        code = in_pieces(self.source, [one.piece for one in pieces])
        return fill(code, self.source.code, pieces.__getitem__, born)
