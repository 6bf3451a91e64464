"""Which names are certainly bound behind statements, and which they may read before they bind them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Names = frozenset[str]
NOTHING: Names = frozenset()
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, slots=True)
class Flow:
    """What statements read before they bind it, and what is certainly bound behind them; None: nothing comes there."""

    exposed: Names
    bound: Names | None


def loaded(node: ast.AST | None) -> Names:
    """Return the names that a piece of code reads, functions inside it included."""
    nodes = [] if node is None else ast.walk(node)
    return frozenset(n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))


def stored(nodes: Iterable[ast.AST]) -> Names:
    """Return the names that pieces of code may bind, functions inside them apart."""
    found: set[str] = set()
    pending = list(nodes)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, _COMPREHENSIONS):
            found |= {n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr)}
        elif not isinstance(node, ast.Lambda):
            found |= {name for name in (getattr(node, "name", None), getattr(node, "rest", None)) if name}
            pending.extend(ast.iter_child_nodes(node))
    return frozenset(found)


def captured(node: ast.AST) -> Names:
    """Return the names that functions inside a function see as they change, or bind; a comprehension runs at once."""
    inner = [n for n in ast.walk(node) if isinstance(n, (*_FUNCTIONS, ast.GeneratorExp)) and n is not node]
    declared = {name for n in ast.walk(node) if isinstance(n, ast.Nonlocal) for name in n.names}
    return frozenset(declared).union(*map(loaded, inner))


def flow(statements: Sequence[ast.stmt], bound: Names) -> Flow:
    """Follow statements from where `bound` are certainly bound."""
    exposed: Names = NOTHING
    now: Names | None = bound
    for statement in statements:
        if now is None:
            break
        one = _flow_of(statement, now)
        exposed |= one.exposed
        now = one.bound
    return Flow(exposed, now)


def _flow_of(node: ast.stmt, bound: Names) -> Flow:
    match node:
        case ast.Return() | ast.Raise() | ast.Break() | ast.Continue():
            return Flow(loaded(node) - bound, None)
        case ast.If(test=test, body=body, orelse=orelse):
            first, second = flow(body, bound), flow(orelse, bound)
            return Flow((loaded(test) - bound) | first.exposed | second.exposed, _both(first.bound, second.bound))
        case ast.For(target=target, iter=iterable, body=body, orelse=orelse):
            inside = flow(body, bound | stored([target]))
            exposed = ((loaded(iterable) | loaded(target)) - bound) | inside.exposed | flow(orelse, bound).exposed
            return Flow(exposed, bound)
        case ast.While(test=test, body=body, orelse=orelse):
            exposed = (loaded(test) - bound) | flow(body, bound).exposed | flow(orelse, bound).exposed
            return Flow(exposed, bound)
        case ast.With(items=items, body=body):
            entered = bound | stored(items)
            inside = flow(body, entered)
            return Flow(frozenset().union(*map(loaded, items)) - bound | inside.exposed, inside.bound)
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
            parts = [body, *(handler.body for handler in handlers), orelse, final]
            types = frozenset().union(*(loaded(handler.type) for handler in handlers)) - bound
            exposed = types.union(*(flow(part, bound).exposed for part in parts))
            return Flow(exposed, flow(final, bound).bound)
        case ast.Delete(targets=targets):
            return Flow(loaded(node) - bound, bound - stored(targets))
        case ast.AugAssign(target=ast.Name(id=name)):
            return Flow((loaded(node) | {name}) - bound, bound | {name})
        case ast.Assign(targets=targets):
            return Flow(loaded(node) - bound, bound | stored(targets))
        case ast.AnnAssign(target=target, value=value):
            return Flow((loaded(value) | loaded(target)) - bound, bound | (stored([target]) if value else NOTHING))
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return Flow(loaded(node) - bound, bound | {name})
        case _:
            return Flow(loaded(node) - bound, bound)


def _both(left: Names | None, right: Names | None) -> Names | None:
    if left is None or right is None:
        return right if left is None else left
    return left & right
