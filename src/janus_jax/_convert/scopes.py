"""Which names a function binds itself, as Python's compiler decides it."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, slots=True)
class Names:
    """What a piece of a function's body binds and reads, nested functions apart."""

    bound: frozenset[str]
    loaded: frozenset[str]  # nested functions included: they read the variables around them
    globals: frozenset[str]  # declared so
    nonlocals: frozenset[str]  # declared so
    has_yield: bool
    shared: frozenset[str]  # what functions inside bind, by `nonlocal` or in a comprehension


class _Collector(ast.NodeVisitor):
    def __init__(self, skip: ast.AST | None = None) -> None:
        self.bound: set[str] = set()
        self.loaded: set[str] = set()
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.has_yield = False
        self.shared: set[str] = set()
        self._skip = skip

    def visit(self, node: ast.AST) -> None:
        if node is not self._skip:
            super().visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        (self.loaded if isinstance(node.ctx, ast.Load) else self.bound).add(node.id)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.loaded.add(node.target.id)
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> None:
        self.globals.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.nonlocals.update(node.names)

    def visit_Yield(self, node: ast.Yield) -> None:
        self.has_yield = True
        self.generic_visit(node)

    def visit_YieldFrom(self, node: ast.YieldFrom) -> None:
        self.has_yield = True
        self.generic_visit(node)

    def visit_Await(self, node: ast.Await) -> None:
        self.has_yield = True
        self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.bound.add(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        if node.name:
            self.bound.add(node.name)
        self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        if node.name:
            self.bound.add(node.name)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self.bound.add(node.rest)
        self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        self._import(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self._import(node)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        self.bound.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)

    def generic_visit(self, node: ast.AST) -> None:
        if isinstance(node, _SCOPES):
            self._nested(node)
        elif isinstance(node, _COMPREHENSIONS):
            self._comprehension(node)
        else:
            super().generic_visit(node)

    def _nested(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef) -> None:
        if not isinstance(node, ast.Lambda):
            self.bound.add(node.name)
        inner = _Collector(self._skip)
        for child in ast.iter_child_nodes(node):
            inner.visit(child)
        self.loaded.update(inner.loaded)
        self.shared |= inner.nonlocals | (inner.shared - inner.bound)

    def _comprehension(self, node: ast.AST) -> None:
        inner = _Collector(self._skip)
        for child in ast.iter_child_nodes(node):
            inner.visit(child)
        self.loaded.update(inner.loaded)
        self.has_yield |= inner.has_yield
        # a walrus inside binds in the function around the comprehension
        walrus = {n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr)}
        self.bound |= walrus
        self.shared |= walrus | inner.shared


def names_in(nodes: Iterable[ast.AST], *, skip: ast.AST | None = None) -> Names:
    """Return what `nodes` bind and read, without what stands in `skip`."""
    collector = _Collector(skip)
    for node in nodes:
        collector.visit(node)
    return Names(
        frozenset(collector.bound),
        frozenset(collector.loaded),
        frozenset(collector.globals),
        frozenset(collector.nonlocals),
        collector.has_yield,
        frozenset(collector.shared),
    )


def body_of(node: FunctionNode) -> list[ast.AST]:
    """Return the statements of a function, or the expression of a lambda."""
    return [node.body] if isinstance(node, ast.Lambda) else list(node.body)


def parameters(arguments: ast.arguments) -> list[str]:
    """Return the names of all parameters."""
    star = [a for a in (arguments.vararg, arguments.kwarg) if a]
    return [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *star)]


def leaves(body: Iterable[ast.stmt]) -> bool:
    """Return whether these statements never run to their end: the last of them always jumps."""
    return any(_leaves(statement) for statement in body)


def _leaves(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.If):
        return leaves(statement.body) and leaves(statement.orelse)
    return isinstance(statement, ast.Return | ast.Raise | ast.Break | ast.Continue)


def jumps_out(body: Iterable[ast.stmt]) -> bool:
    """Return whether a loop with this body may end before its iterator does: by `break` or `return`."""
    return breaks(body) or returns(body)


def breaks(body: Iterable[ast.stmt]) -> bool:
    """Return whether a `break` of the loop with this body is in it."""
    return any(_breaks(statement) for statement in body)


def _breaks(node: ast.AST) -> bool:
    if isinstance(node, ast.Break):
        return True
    if isinstance(node, _SCOPES):
        return False
    inner = node.orelse if isinstance(node, ast.For | ast.While | ast.AsyncFor) else ast.iter_child_nodes(node)
    return any(map(_breaks, inner))


def returns(body: Iterable[ast.AST]) -> bool:
    """Return whether a `return` is in these statements."""
    return any(
        isinstance(n, ast.Return) or (not isinstance(n, _SCOPES) and returns(ast.iter_child_nodes(n))) for n in body
    )


def jumps(body: Iterable[ast.AST]) -> bool:
    """Return whether a `break`, `continue` or `return` is in these statements."""
    found = (ast.Break, ast.Continue, ast.Return)
    return any(isinstance(n, found) or (not isinstance(n, _SCOPES) and jumps(ast.iter_child_nodes(n))) for n in body)


def is_endless(node: ast.While) -> bool:
    """Return whether a loop ends by `return` only."""
    return isinstance(node.test, ast.Constant) and bool(node.test.value) and not breaks(node.body)


def annotations_of(node: ast.FunctionDef) -> list[ast.expr]:
    """Return the annotations that Python evaluates when it defines the function."""
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return [a.annotation for a in every if a and a.annotation] + ([node.returns] if node.returns else [])
