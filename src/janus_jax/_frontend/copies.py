"""Which code object is a watched copy of which, as long as the copy may be met."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import CodeType


@dataclass(frozen=True, slots=True, eq=False)
class Born:
    """`code` was made from `original`, a code object of the user's."""

    code: CodeType
    original: CodeType


class Copies:
    """The copies that are in use, of all watched calls: one call may meet the functions of another."""

    def __init__(self) -> None:
        # by id: equal code objects may be copies for two calls; the entries keep the code alive
        self._born: dict[int, Born] = {}

    def __repr__(self) -> str:
        return f"Copies({len(self._born)} in use)"

    def original_of(self, code: CodeType) -> CodeType:
        """Return the user's own code object that `code` is a copy of, or `code` itself."""
        born = self._born.get(id(code))
        return code if born is None else born.original

    def add(self, copies: Iterable[Born]) -> None:
        """Know these copies from now on."""
        self._born.update((id(born.code), born) for born in copies)

    def drop(self, copies: Iterable[Born]) -> None:
        """Forget copies that nothing runs any more."""
        for born in copies:
            self._born.pop(id(born.code), None)
