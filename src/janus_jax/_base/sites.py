"""Places in the user's source, as every room names them."""

from __future__ import annotations

import ast
import linecache
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Site:
    """One construct in the user's file: where it stands and what it is.

    `kind` is the Python construct: "if", "while", "for", "ifexp", "boolop", "call", "assert", "name", …
    Columns count from 0, lines from 1, as in `ast`.
    """

    file: str
    line: int
    column: int
    kind: str

    @property
    def text(self) -> str:
        """The user's line, without the space around it; empty where the file cannot be read."""
        return linecache.getline(self.file, self.line).strip()

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def site_of(node: ast.expr | ast.stmt, file: str, kind: str | None = None) -> Site:
    """Return the site of `node`, named after its class unless `kind` says otherwise."""
    return Site(file, node.lineno, node.col_offset, kind or type(node).__name__.lower())
