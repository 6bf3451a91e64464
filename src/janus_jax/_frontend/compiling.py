"""Parsing and compiling as the import system does it, without a warning."""

from __future__ import annotations
import __future__

import ast
import contextlib
import threading
import warnings
from collections.abc import Generator
from types import CodeType
from typing import cast

# `nested_scopes` shares its bit with CO_NESTED, which every nested function carries.
_FUTURES = {name: getattr(__future__, name).compiler_flag for name in __future__.all_feature_names}
_FUTURE_FLAGS = sum({flag for name, flag in _FUTURES.items() if name != "nested_scopes"})


def future_flags(code: CodeType) -> int:
    """Return the `from __future__` imports that `code` was compiled under, as flags for `compile`."""
    return code.co_flags & _FUTURE_FLAGS


class _ThisThread:
    """Stands where a warning filter has its pattern, and matches every message of the thread that made it."""

    def __init__(self) -> None:
        self.thread: int | None = threading.get_ident()

    def match(self, message: str) -> bool:
        return threading.get_ident() == self.thread


@contextlib.contextmanager
def _no_warnings() -> Generator[None]:
    """Compile without warnings: the user has had them when the module was imported.

    `warnings.catch_warnings` would silence other threads, too, and undo what they set meanwhile. A filter that
    matches in this thread only does neither: at worst, it is copied by somebody's snapshot, and matches nothing.
    """
    # It stands for a compiled pattern: the machinery calls `match` with the message, and nothing else.
    pattern = _ThisThread()
    entry = ("ignore", pattern, Warning, None, 0)
    filters = cast("list[object]", warnings.filters)
    filters.insert(0, entry)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            filters.remove(entry)
        pattern.thread = None


def parse_text(text: str, file: str, flags: int) -> ast.Module:
    """Return the module that `text` says."""
    with _no_warnings():
        tree = compile(text, file, "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
    assert isinstance(tree, ast.Module)
    return tree


def compile_module(module: str | ast.Module, file: str, flags: int) -> CodeType:
    """Return the code of `module`, as importing it would compile it."""
    with _no_warnings():
        try:
            return compile(module, file, "exec", flags, dont_inherit=True)
        except SyntaxError:
            # A cell of a notebook may `await` at its top level.
            return compile(module, file, "exec", flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
