"""The P-form of a function as a syntax tree: the user's own control flow, with hooks beside it.

No hook performs an operation of the user's: it is told that an arm or an iteration begins, or is handed the callee
of a call and hands one back. So every construct of Python keeps its meaning, and its frame, without a special case.

Before:
    for item in items:
        total = f(item) if item else total
After:
    HOOK0.enter(HOOK0.tick())
    for item in items:
        HOOK0.tick()
        total = HOOK1.first() and HOOK2.callee(f)(item) if item else HOOK1.second() and total

A function made inside is shown to a hook before anyone else has it, if there is something to watch in it.

Before:
    @decorator
    def scaled(x):
        return f(x)
After:
    @decorator
    @HOOK1.callee
    def scaled(x):
        return HOOK0.callee(f)(x)

A hook stands in the tree as a constant, which `filling` replaces in the code object: it has no name.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TypeVar, cast

from janus_jax._base import Site, site_of
from janus_jax._frontend.matching import FunctionNode, first_line

Node = TypeVar("Node", bound=ast.AST)
Loop = ast.While | ast.For | ast.AsyncFor

# what stands in front of the number of a site, in the constant that becomes its hook
MARK = "janus_jax: a hook stands here"

# Annotations may be turned into strings, and are not the function's own doing.
_LEFT_ALONE = frozenset({"annotation", "returns", "type_params", "decorator_list"})
# Calls with this many arguments are compiled another way (STACK_USE_GUIDELINE of CPython).
_MANY_ARGUMENTS = 30


def rewrite(node: FunctionNode, file: str, module: ast.AST) -> tuple[FunctionNode, tuple[Site, ...]]:
    """Return a copy of `node`, which is in `module`, with hooks in its body, and the hooks' sites by number."""
    rewriter = _Rewriter(file, module)
    copied = _shallow_copy(node)
    if isinstance(node, ast.Lambda):
        cast("ast.Lambda", copied).body = rewriter.expression(node.body)
    else:
        cast("ast.FunctionDef", copied).body = rewriter.block(node.body)
    return copied, tuple(rewriter.sites)


def _shallow_copy(node: Node) -> Node:
    # with all fields at once: Python 3.13 warns where one is missing
    return type(node)(**vars(node))


class _Rewriter:
    """Copies trees; what it does not know, it copies as it is."""

    def __init__(self, file: str, module: ast.AST) -> None:
        self.file = file
        self.module = module
        self.sites: list[Site] = []

    def block(self, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
        return [new for statement in statements for new in self._statement(statement)]

    def expression(self, node: ast.expr) -> ast.expr:
        return cast("ast.expr", self._copy(node))

    def _statement(self, node: ast.stmt) -> list[ast.stmt]:
        match node:
            case ast.If():
                return [self._if(node)]
            case ast.While() | ast.For() | ast.AsyncFor():
                return self._loop(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return [self._def(node)]
            case _:
                return [self._copy_fields(node)]

    def _copy(self, node: ast.AST) -> ast.AST:
        match node:
            case ast.IfExp():
                return self._ifexp(node)
            case ast.Call():
                return self._call(node)
            case ast.Lambda():
                return self._lambda(node)
            case _:
                return self._copy_fields(node)

    def _copy_fields(self, node: Node) -> Node:
        copied = _shallow_copy(node)
        for name in node._fields:
            value = getattr(node, name, None)
            # the decorators of a function inside are calls of this one; only those of the root are not
            if name not in _LEFT_ALONE or name == "decorator_list":
                setattr(copied, name, self._field(value))
        return copied

    def _field(self, value: object) -> object:
        match value:
            case [ast.stmt(), *_]:
                return self.block(cast("list[ast.stmt]", value))
            case list():
                return [self._field(item) for item in cast("list[object]", value)]
            case ast.expr_context() | ast.operator() | ast.boolop() | ast.unaryop() | ast.cmpop():
                return value
            case ast.AST():
                return self._copy(value)
            case _:
                return value

    def _new_site(self, node: ast.expr | ast.stmt, kind: str) -> int:
        self.sites.append(site_of(node, self.file, kind))
        return len(self.sites) - 1

    def _if(self, node: ast.If) -> ast.If:
        site = self._new_site(node, "if")
        copied = _shallow_copy(node)
        copied.test = self.expression(node.test)
        copied.body = [_tell(site, "first", node.body[0]), *self.block(node.body)]
        copied.orelse = [_tell(site, "second", [*node.orelse, node.test][0]), *self.block(node.orelse)]
        return copied

    def _loop(self, node: Loop) -> list[ast.stmt]:
        site = self._new_site(node, "while" if isinstance(node, ast.While) else "for")
        begin = node.test if isinstance(node, ast.While) else node.iter
        entering = _hook_call(site, "enter", begin, _hook_call(site, "tick", begin))
        copied = self._copy_fields(node)
        copied.body.insert(0, _tell(site, "tick", node.body[0]))
        return [_at(ast.Expr(entering), begin), copied]

    def _ifexp(self, node: ast.IfExp) -> ast.IfExp:
        site = self._new_site(node, "ifexp")
        copied = _shallow_copy(node)
        copied.test = self.expression(node.test)
        # what the hook returns is true, so the value of the `and` is the user's, and nobody asks for its truth
        for name, arm in (("first", "body"), ("second", "orelse")):
            value: ast.expr = getattr(node, arm)
            both = ast.BoolOp(ast.And(), [_hook_call(site, name, value), self.expression(value)])
            setattr(copied, arm, ast.copy_location(both, value))
        return copied

    def _call(self, node: ast.Call) -> ast.Call:
        if isinstance(node.func, ast.Name) and node.func.id == "super":
            return self._copy_fields(node)
        site = self._new_site(node, "call")
        copied = self._copy_fields(node)
        copied.func = _hook_call(site, "callee", node.func, copied.func)
        _stand_at_the_attribute(copied, node, self.module)
        return copied

    def _def(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.stmt:
        known = len(self.sites)
        copied = self._copy_fields(node)
        if len(self.sites) > known:
            # the line of the `def`: that of the node is its first decorator's
            place = ast.copy_location(ast.Pass(), node)
            copied.decorator_list.append(_hook(self._new_site(node, "def"), "callee", place))
        return copied

    def _lambda(self, node: ast.Lambda) -> ast.expr:
        known = len(self.sites)
        copied = self._copy_fields(node)
        if len(self.sites) == known:
            return copied
        return _hook_call(self._new_site(node, "lambda"), "callee", node, copied)


def _stand_at_the_attribute(copied: ast.Call, node: ast.Call, module: ast.AST) -> None:
    """Give `copied` the line of the method's name, as the compiler does for a chain over several lines."""
    method = node.func
    if isinstance(method, ast.Attribute) and node.lineno != method.end_lineno and _is_method_call(node, method, module):
        assert method.end_lineno is not None, method
        assert method.end_col_offset is not None, method
        copied.lineno = method.end_lineno
        copied.col_offset = max(0, method.end_col_offset - len(method.attr))


def _is_method_call(node: ast.Call, method: ast.Attribute, module: ast.AST) -> bool:
    """Whether the compiler makes a method call of `node`: simple arguments, and not on an imported module."""
    values = [*node.args, *node.keywords]
    is_simple = not any(isinstance(value, ast.Starred) or getattr(value, "arg", "") is None for value in values)
    is_short = len(values) + bool(node.keywords) < _MANY_ARGUMENTS
    return is_simple and is_short and not (isinstance(method.value, ast.Name) and _imports(module, method.value.id))


def _imports(module: ast.AST, name: str) -> bool:
    """Whether `module` imports something as `name`, outside of functions and classes."""
    pending = [module]
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = (alias.asname or alias.name.partition(".")[0] for alias in node.names)
            if name in names:
                return True
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.expr)):
            pending.extend(ast.iter_child_nodes(node))
    return False


def _tell(site: int, name: str, place: ast.stmt | ast.expr) -> ast.stmt:
    return _at(ast.Expr(_hook_call(site, name, place)), place)


def _hook_call(site: int, name: str, place: ast.stmt | ast.expr, *arguments: ast.expr) -> ast.Call:
    # no:  call the constant itself: the compiler warns
    # yes: call an attribute of it
    return _at(ast.Call(_hook(site, name, place), list(arguments), []), place)


def _hook(site: int, name: str, place: ast.stmt | ast.expr) -> ast.expr:
    mark = cast("str", (MARK, site))  # the type stubs do not know that a tuple may be a constant
    return _at(ast.Attribute(_at(ast.Constant(mark), place), name, ast.Load()), place)


def _at(node: Node, place: ast.stmt | ast.expr) -> Node:
    """Return `node`, standing where `place` begins, without a width."""
    line = first_line(place)
    for name, value in (("lineno", line), ("end_lineno", line)):
        setattr(node, name, value)
    for name in ("col_offset", "end_col_offset"):
        setattr(node, name, place.col_offset)
    return node
