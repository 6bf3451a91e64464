"""Pieces: runs of statements that may become programs of their own, inside a function that stays in Python.

Before:
    h = f(x)
    log(h)
    for i in range(n):
        h = g(h, i)
After:
    h = f(x)
    log(h)
    for h in PIECE.attempt((h, n)):
        break
    else:
        for i in range(n):
            h = g(h, i)

`attempt` gives what the statements bind, or nothing: then they run where they stand, as the user wrote them. A piece
gets what it may read, and gives what somebody may read after it.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import Any, cast

from janus_jax._base import Unstageable
from janus_jax._frontend.bindings import (
    FUNCTIONS,
    NOTHING,
    Names,
    assigned,
    captured,
    declared,
    entered,
    flow,
    loaded,
    stored,
    unbound,
)
from janus_jax._frontend.filling import compile_around, compile_in_place
from janus_jax._frontend.matching import FunctionNode
from janus_jax._frontend.rewriting import MARK
from janus_jax._frontend.source import FunctionSource

SMALLEST = 2  # operations: what computes less stays in Python, unless it is a loop
_OPERATIONS = (ast.Call, ast.BinOp, ast.Subscript)
_LOOPS = (ast.For, ast.While)
_LEAVING = (ast.Return, ast.Yield, ast.YieldFrom, ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Import, ast.ImportFrom)
_DECLARING = (ast.Global, ast.Nonlocal, ast.ClassDef, ast.AsyncFunctionDef, ast.Delete, ast.FunctionDef)
_ODD_NAMES = frozenset({"super", "__class__"})
_FRAME_NAMES = frozenset({"locals", "vars", "dir", "eval", "exec", "builtins", "__builtins__"})
_FRAME_ATTRIBUTES = frozenset(
    {"f_locals", "currentframe", "_getframe", "_current_frames", "getargvalues", "walk_stack"}
)


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A run of statements: the names that it needs, and those that it gives. Lines are of the file."""

    statements: tuple[ast.stmt, ...]
    needs: tuple[str, ...]
    gives: tuple[str, ...]

    @property
    def lines(self) -> tuple[int, int]:
        """The first line and the last."""
        last = self.statements[-1]
        return self.statements[0].lineno, last.end_lineno or last.lineno


@dataclass(slots=True, eq=False)
class _Search:
    """Walks the blocks of a function for runs of statements without an odd one among them."""

    local: Names
    shared: Names  # others than this frame see how they are bound
    fleeting: Names  # functions inside may unbind them
    odd: frozenset[int]
    met: set[str]  # what may be bound already
    found: list[Piece] = field(default_factory=list)

    def block(self, statements: Sequence[ast.stmt], bound: Names, live: Names) -> None:
        """Find the pieces of a block that begins with `bound` certainly bound, and behind which `live` may be read."""
        run: list[ast.stmt] = []
        before, now = bound, bound
        for index, statement in enumerate(statements):
            if self._is_fit(statement):
                run.append(statement)
            else:
                self._add(run, before, live | flow(statements[index:], NOTHING).exposed)
                run = []
                self._inside(statement, now, live | flow(statements[index + 1 :], NOTHING).exposed)
                self.met |= stored([statement])
            after = flow([statement], now).bound
            if after is None:
                break
            now = after
            before = before if run else now
        self._add(run, before, live)

    def _inside(self, node: ast.stmt, bound: Names, live: Names) -> None:
        if isinstance(node, _LOOPS):
            self.met |= stored([node])  # in an iteration before
        match node:
            case ast.For(target=target, body=body, orelse=orelse):
                kept = bound - unbound([node])
                self.block(body, kept | assigned(target), live | flow([node], NOTHING).exposed)
                self.block(orelse, kept, live)
            case ast.While(body=body, orelse=orelse):
                kept = bound - unbound([node])
                self.block(body, kept, live | flow([node], NOTHING).exposed)
                self.block(orelse, kept, live)
            case ast.If(body=body, orelse=orelse):
                self.block(body, bound, live)
                self.block(orelse, bound, live)
            case ast.With(items=items, body=body):
                self.block(body, bound | entered(items), live)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                rest = [*handlers, *orelse, *final]
                self.block(body, bound, live.union(*map(loaded, rest)))
            case _:
                pass

    def _is_fit(self, node: ast.stmt) -> bool:
        """Return whether nothing in a statement is odd, leaves it, or is seen by more than this frame."""
        lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
        if self.odd & {*lines} or isinstance(node, (ast.Break, ast.Continue, ast.Raise, ast.Pass)) or _jumps(node):
            return False
        inner = list(ast.walk(node))
        return not any(isinstance(n, (*_LEAVING, *_DECLARING)) for n in inner) and not loaded(node) & _ODD_NAMES

    def _add(self, run: Sequence[ast.stmt], bound: Names, live: Names) -> None:
        for part in _split(run):
            self._add_one(part, bound, live)
            self.met |= stored(part)
            after = flow(part, bound).bound
            bound = bound if after is None else after

    def _add_one(self, run: Sequence[ast.stmt], bound: Names, live: Names) -> None:
        if stored(run) & self.shared:
            return  # others would go on seeing the variable of the frame or of the module, which a piece does not bind
        gives = stored(run) & live
        certain = flow(run, NOTHING).bound or NOTHING
        unmet = stored(run) - self.met  # unbound before, and so they are in the function of the piece
        needs = ((flow(run, NOTHING).exposed & self.local) | (gives - certain)) - unmet
        if gives and needs <= bound - self.fleeting and _is_worth_it(run):
            self.found.append(Piece(tuple(run), tuple(sorted(needs)), tuple(sorted(gives))))


def _split(run: Sequence[ast.stmt]) -> Iterator[Sequence[ast.stmt]]:
    if run:
        yield run


def _jumps(node: ast.AST, *, inside: bool = False) -> bool:
    """Return whether a statement may leave a loop around it."""
    if isinstance(node, (ast.Break, ast.Continue)):
        return not inside
    if isinstance(node, (ast.Lambda, ast.FunctionDef)):
        return False
    if isinstance(node, _LOOPS):
        return any(_jumps(n, inside=True) for n in node.body) or any(_jumps(n, inside=inside) for n in node.orelse)
    return any(_jumps(n, inside=inside) for n in ast.iter_child_nodes(node))


def _is_worth_it(run: Sequence[ast.stmt]) -> bool:
    nodes = [n for statement in run for n in ast.walk(statement)]
    return any(isinstance(n, _LOOPS) for n in nodes) or sum(isinstance(n, _OPERATIONS) for n in nodes) >= SMALLEST


def find_pieces(source: FunctionSource, odd: frozenset[int]) -> tuple[Piece, ...]:
    """Return the pieces of a function, none of which has a statement on one of the `odd` lines."""
    node = source.node
    if not isinstance(node, ast.FunctionDef) or any(isinstance(n, (ast.Yield, ast.YieldFrom)) for n in ast.walk(node)):
        return ()
    if _reads_frames(node):
        return ()
    given = frozenset(argument.arg for argument in _arguments(node.args))
    outer = declared(node.body)
    inner = [n for n in ast.walk(node) if isinstance(n, FUNCTIONS) and n is not node]
    fleeting = unbound(inner) & frozenset().union(*(declared(n.body) for n in inner if not isinstance(n, ast.Lambda)))
    search = _Search((given | stored(node.body)) - outer, captured(node) | outer, fleeting, odd, set(given))
    search.block(node.body, given, NOTHING)
    return tuple(search.found)


def _arguments(node: ast.arguments) -> Iterator[ast.arg]:
    yield from (*node.posonlyargs, *node.args, *node.kwonlyargs)
    yield from (one for one in (node.vararg, node.kwarg) if one)


def _reads_frames(node: ast.AST) -> bool:
    """Return whether a function may see its frame, where a piece does not bind the names that nobody reads."""
    inner = list(ast.walk(node))
    names = {n.id for n in inner if isinstance(n, ast.Name)} | {n.name for n in inner if isinstance(n, ast.alias)}
    attributes = names | {n.attr for n in inner if isinstance(n, ast.Attribute)}
    return bool(names & _FRAME_NAMES or attributes & _FRAME_ATTRIBUTES)


def in_pieces(source: FunctionSource, pieces: Sequence[Piece]) -> CodeType:
    """Return the function's code with a mark for each piece, where `attempt` is asked before the piece runs."""
    code = compile_in_place(source, _with_attempts(source.node, pieces), binds_earlier=True)
    if code is source.code:
        raise Unstageable("internal", f"{code.co_qualname} cannot be taken to pieces")
    return code


def _with_attempts(node: FunctionNode, pieces: Sequence[Piece]) -> FunctionNode:
    firsts = {id(piece.statements[0]): (index, piece) for index, piece in enumerate(pieces)}

    def block(statements: Sequence[ast.stmt]) -> list[ast.stmt]:
        result: list[ast.stmt] = []
        position = 0
        while position < len(statements):
            statement = statements[position]
            found = firsts.get(id(statement))
            result.append(_attempt(*found) if found else inside(statement))
            position += len(found[1].statements) if found else 1
        return result

    def inside(statement: ast.stmt) -> ast.stmt:
        copied = copy.copy(statement)
        for name in ("body", "orelse", "finalbody"):
            inner = getattr(statement, name, None)
            if isinstance(inner, list) and not isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
                setattr(copied, name, block(inner))
        return copied

    assert isinstance(node, ast.FunctionDef)
    copied = copy.copy(node)
    copied.body = block(node.body)
    return copied


def _attempt(index: int, piece: Piece) -> ast.stmt:
    """Return the loop that runs once where the piece was run for it, and its `else` where it was not."""
    mark = ast.Attribute(ast.Constant(cast("Any", (MARK, index))), "attempt", ast.Load())
    needs = ast.Tuple([ast.Name(name, ast.Load()) for name in piece.needs], ast.Load())
    target = ast.Tuple([ast.Name(name, ast.Store()) for name in piece.gives], ast.Store())
    loop = ast.For(target, ast.Call(mark, [needs], []), [ast.Break()], list(piece.statements))
    return _at(loop, piece.statements[0], frozenset(map(id, piece.statements)))


def _at(node: ast.stmt, place: ast.stmt, kept: frozenset[int]) -> ast.stmt:
    """Put new nodes where `place` begins; the user's own stay where they are."""
    pending: list[ast.AST] = [node]
    while pending:
        one = pending.pop()
        if id(one) not in kept:
            ast.copy_location(one, place)
            pending.extend(ast.iter_child_nodes(one))
    return node


def source_of_piece(source: FunctionSource, piece: Piece) -> FunctionSource:
    """Return a function that does what a piece does: it takes what the piece needs, and returns what it gives."""
    node = source.node
    assert isinstance(node, ast.FunctionDef)
    given = ast.arguments([], [ast.arg(name) for name in piece.needs], None, [], [], None, [])
    returned = ast.Return(ast.Tuple([ast.Name(name, ast.Load()) for name in piece.gives], ast.Load()))
    body = [*piece.statements, _at(returned, piece.statements[-1], NOTHING_KEPT)]
    made = copy.copy(node)
    made.args, made.body, made.decorator_list, made.returns = given, body, [], None
    for argument in given.args:
        ast.copy_location(argument, node)
    code = compile_around(source, made)
    return FunctionSource(code, made, source.file, source.lines, (*source.path[:-1], made), source.flags)


NOTHING_KEPT: frozenset[int] = frozenset()


def function_of(source: FunctionSource, function: FunctionType) -> FunctionType:
    """Return the function with the code of `source`, which finds its names where `function` does."""
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    closure = tuple([cells[name] for name in source.code.co_freevars])
    return FunctionType(source.code, function.__globals__, function.__name__, None, closure)
