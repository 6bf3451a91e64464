"""Which names are certainly bound behind statements, and which they may read before they bind them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Names = frozenset[str]
NOTHING: Names = frozenset()
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, slots=True)
class Flow:
    """What statements read before they bind it, and what is certainly bound behind them; None: nothing comes there."""

    exposed: Names
    bound: Names | None


def loaded(node: ast.AST | None) -> Names:
    """Return the names that a piece of code needs bound, functions inside it included: `del` and `+=` need theirs."""
    nodes = [] if node is None else list(ast.walk(node))
    changed = {n.target.id for n in nodes if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name)}
    return frozenset(changed.union(n.id for n in nodes if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Store)))


def stored(nodes: Iterable[ast.AST]) -> Names:
    """Return the names that pieces of code may bind, with those that `:=` binds anywhere inside."""
    found: set[str] = set()
    pending = list(nodes)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        if isinstance(node, (*_COMPREHENSIONS, *FUNCTIONS)):
            found |= {n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr)}
        elif isinstance(node, ast.alias):
            found.add(node.asname or node.name.split(".")[0])
        else:
            found |= {name for name in (getattr(node, "name", None), getattr(node, "rest", None)) if name}
            pending.extend(ast.iter_child_nodes(node))
    return frozenset(found)


def assigned(target: ast.AST | None) -> Names:
    """Return the names that a target certainly binds: not those that `:=` binds in a subscript of it."""
    match target:
        case ast.Name(id=name):
            return frozenset({name})
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return NOTHING.union(*map(assigned, parts))
        case ast.Starred(value=value):
            return assigned(value)
        case _:
            return NOTHING


def unbound(nodes: Iterable[ast.AST]) -> Names:
    """Return the names that pieces of code may unbind, functions inside included: by `del`, or behind a handler."""
    inner = [n for node in nodes for n in ast.walk(node)]
    handled = {n.name for n in inner if isinstance(n, ast.ExceptHandler) and n.name}
    return frozenset(handled.union(n.id for n in inner if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Del)))


def captured(node: ast.AST) -> Names:
    """Return the names that functions inside a function see as they change, or bind; a comprehension runs at once."""
    inner = [n for n in ast.walk(node) if isinstance(n, (*FUNCTIONS, ast.GeneratorExp)) and n is not node]
    declared = {name for n in ast.walk(node) if isinstance(n, ast.Nonlocal) for name in n.names}
    return frozenset(declared).union(*map(loaded, inner))


def declared(statements: Iterable[ast.AST]) -> Names:
    """Return the names that statements declare to be `global` or `nonlocal`, those inside their functions apart."""
    found: set[str] = set()
    pending = list(statements)
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            found.update(node.names)
        elif not isinstance(node, FUNCTIONS):
            pending.extend(ast.iter_child_nodes(node))
    return frozenset(found)


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
            kept = bound - unbound([node])  # in an iteration, and behind the last
            inside = flow(body, kept | assigned(target))
            read = (loaded(iterable) - bound) | (loaded(target) - kept)
            return Flow(read | inside.exposed | flow(orelse, kept).exposed, kept)
        case ast.While(test=test, body=body, orelse=orelse):
            kept = bound - unbound([node])
            read = loaded(test) - kept
            return Flow(read | flow(body, kept).exposed | flow(orelse, kept).exposed, kept)
        case ast.With(items=items, body=body):
            read = NOTHING.union(*map(loaded, items)) - bound
            # a manager may swallow an exception: any statement may have been the last
            return Flow(read | flow(body, bound | entered(items)).exposed, bound - unbound(body))
        case ast.Try(body=body, finalbody=final) | ast.TryStar(body=body, finalbody=final):
            kept = bound - unbound([node])  # any statement may have been the last
            exposed = flow(body, bound).exposed | flow(node.orelse, kept).exposed | flow(final, kept).exposed
            for handler in node.handlers:
                named = kept | {handler.name} if handler.name else kept
                exposed |= (loaded(handler.type) - kept) | flow(handler.body, named).exposed
            return Flow(exposed, flow(final, kept).bound)
        case ast.Delete(targets=targets):
            return Flow(loaded(node) - bound, bound - stored(targets))
        case ast.AugAssign(target=ast.Name(id=name)):
            return Flow(loaded(node) - bound, bound | {name})
        case ast.Assign(targets=targets):
            return Flow(loaded(node) - bound, bound.union(*map(assigned, targets)))
        case ast.AnnAssign(target=target, value=value):
            return Flow((loaded(value) | loaded(target)) - bound, bound | (assigned(target) if value else NOTHING))
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return Flow(loaded(node) - bound, bound | {name})
        case _:
            kept = bound - unbound([node])
            return Flow(loaded(node) - kept, kept)


def entered(items: Iterable[ast.withitem]) -> Names:
    """Return the names that are certainly bound where the body of a `with` begins."""
    return NOTHING.union(*(assigned(item.optional_vars) for item in items))


def _both(left: Names | None, right: Names | None) -> Names | None:
    if left is None or right is None:
        return right if left is None else left
    return left & right
