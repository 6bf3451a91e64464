"""From a function's code object to the syntax tree it was certainly compiled from."""

from __future__ import annotations

import ast
import linecache
import threading
from dataclasses import dataclass
from types import CodeType
from typing import TypeVar

from janus_jax._base import Unstageable
from janus_jax._frontend.compiling import compile_module, future_flags, parse_text
from janus_jax._frontend.copies import Copies
from janus_jax._frontend.matching import FunctionNode, find_path, fingerprint, first_line, nested_codes

Key = TypeVar("Key")
Value = TypeVar("Value")

MAX_MODULES = 64
MAX_FUNCTIONS = 4096


@dataclass(frozen=True, slots=True, eq=False)
class FunctionSource:
    """`node` is what the user wrote for `code`. Nodes are shared: whoever changes one, copies it first.

    `lines` are the lines of the node, decorators included, without their ends. `path` leads from the module
    to the node, both included; `flags` are the `__future__` imports, for `compile`.
    """

    code: CodeType
    node: FunctionNode
    file: str
    lines: tuple[str, ...]
    path: tuple[ast.AST, ...]
    flags: int

    @property
    def private(self) -> str:
        """The class that the function stands in, by which Python mangles private names; "" where it is in none."""
        return next((node.name for node in reversed(self.path[:-1]) if isinstance(node, ast.ClassDef)), "")


@dataclass(frozen=True, slots=True, eq=False)
class _Module:
    """The content of one file, parsed, and compiled unchanged."""

    lines: list[str]
    tree: ast.Module
    codes: dict[tuple[str, int], list[CodeType]]


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What was found out about one code object while the file's content was `lines`."""

    code: CodeType
    lines: list[str]
    outcome: FunctionSource | tuple[str, str]


class SourceCache:
    """Finds sources, and remembers what it found as long as the files stay as they are."""

    def __init__(self) -> None:
        self.copies = Copies()
        self.renew_locks()
        # by id: equal code objects may come from different files; the entry keeps the id from being used again
        self._found: dict[int, _Found] = {}
        self._modules: dict[tuple[str, int], _Module] = {}

    def renew_locks(self) -> None:
        """Make new locks: at the start, and after a fork, where another thread may have held them."""
        self._lock = threading.Lock()
        # re-entrant: a finaliser of the user's may run while a tree is built
        self._parsing = threading.RLock()

    def __repr__(self) -> str:
        return f"SourceCache({len(self._found)} functions, {len(self._modules)} modules)"

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._found.clear()
            self._modules.clear()

    def find(self, code: CodeType) -> FunctionSource:
        """Return the source of `code`; it compiles to `code` itself, compared object by object.

        A watched copy has the source of the code that it was made from. Raises `Unstageable` with "no-source" or
        "source-differs".
        """
        code = self.copies.original_of(code)
        linecache.checkcache(code.co_filename)
        # what is run by `exec` has no file; under this name, Python 3.13 keeps the text of `python -c`
        lines = [] if code.co_filename == "<string>" else linecache.getlines(code.co_filename)
        found = self._found.get(id(code))
        # no:  compare the lines at every call
        # yes: `is`: linecache hands out one list until the file changes
        if found is None or found.lines is not lines:
            found = self._look_up(code, lines)
        match found.outcome:
            case FunctionSource():
                return found.outcome
            case (reason_id, detail):
                raise Unstageable(reason_id, detail)

    def _look_up(self, code: CodeType, lines: list[str]) -> _Found:
        found = self._found.get(id(code))
        if found is not None and found.lines == lines:
            found = _Found(code, lines, found.outcome)
        else:
            found = _Found(code, lines, self._outcome(code, lines))
        with self._lock:
            _remember(self._found, id(code), found, MAX_FUNCTIONS)
        return found

    def _outcome(self, code: CodeType, lines: list[str]) -> FunctionSource | tuple[str, str]:
        if not lines:
            return "no-source", code.co_filename
        try:
            module = self._module(code, lines)
        except (SyntaxError, ValueError) as error:
            return "source-differs", f"{code.co_filename}: {type(error).__name__}: {error}"
        except (RecursionError, SystemError) as error:
            # not remembered: with a shallower stack, or when no other thread parses, it may go well
            raise Unstageable("no-source", f"{code.co_filename}: {error}") from None
        return _match(code, module)

    def _module(self, code: CodeType, lines: list[str]) -> _Module:
        key = (code.co_filename, future_flags(code))
        module = self._modules.get(key)
        if module is not None and (module.lines is lines or module.lines == lines):
            return module
        # in early releases of 3.11 and 3.12, trees that two threads build disturb each other (python/cpython#106905)
        with self._parsing:
            module = _read_module(code.co_filename, future_flags(code), lines)
        with self._lock:
            # another thread may have been faster: one content has one tree
            other = self._modules.get(key)
            module = other if other is not None and other.lines == lines else module
            _remember(self._modules, key, module, MAX_MODULES)
        return module


def _remember(table: dict[Key, Value], key: Key, value: Value, limit: int) -> None:
    table.pop(key, None)
    table[key] = value
    while len(table) > limit:
        del table[next(iter(table))]


def _read_module(file: str, flags: int, lines: list[str]) -> _Module:
    text = "".join(lines)
    codes: dict[tuple[str, int], list[CodeType]] = {}
    for code in nested_codes(compile_module(text, file, flags)):
        codes.setdefault((code.co_qualname, code.co_firstlineno), []).append(code)
    return _Module(lines, parse_text(text, file, flags), codes)


def _match(code: CodeType, module: _Module) -> FunctionSource | tuple[str, str]:
    """Return the source of `code` in `module`, or why it cannot be trusted."""
    running = fingerprint(code)
    candidates = module.codes.get((code.co_qualname, code.co_firstlineno), [])
    place = f"{code.co_filename}:{code.co_firstlineno}: {code.co_qualname}"
    if not any(fingerprint(candidate) == running for candidate in candidates):
        return "source-differs", place
    path = find_path(module.tree, code)
    if path is None:
        return "source-differs", f"{place} cannot be told from others on its line"
    node = path[-1]
    assert isinstance(node, FunctionNode), node
    lines = tuple(line.rstrip("\n") for line in module.lines[first_line(node) - 1 : node.end_lineno])
    return FunctionSource(code, node, code.co_filename, lines, path, future_flags(code))
