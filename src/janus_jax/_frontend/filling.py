"""Code objects with marks for hooks: how they come out of a module, and how hooks take the place of the marks."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from inspect import CO_OPTIMIZED
from itertools import zip_longest
from types import CodeType

from janus_jax._base import Unstageable
from janus_jax._frontend.compiling import compile_module
from janus_jax._frontend.copies import Born
from janus_jax._frontend.matching import FunctionNode, nested_codes
from janus_jax._frontend.rewriting import MARK
from janus_jax._frontend.source import FunctionSource


def compile_in_place(source: FunctionSource, node: FunctionNode, *, binds_earlier: bool = False) -> CodeType:
    """Return the code of `node`, compiled where the function of `source` stands.

    With `binds_earlier`, names may be bound in another order; what they mean is the same.

    What stands beside it is left out as far as no name hangs on it: on 3.11, 349 lines take 22 ms to compile.
    """
    try:
        compiled = compile_module(_prune(source.path, node), source.file, source.flags)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise Unstageable("internal", f"{source.file}: {type(error).__name__}: {error}") from None
    shape = _shape(source.code, ordered=not binds_earlier)
    alike = [code for code in nested_codes(compiled) if _shape(code, ordered=not binds_earlier) == shape]
    if not alike:
        where = f"{source.file}: {source.code.co_qualname}"
        raise Unstageable("internal", f"{where} changed its shape when it was rewritten")
    # lambdas beside it have no marks; when it has none either, no site can be reached
    found = next((code for code in alike if _has_marks(code)), source.code)
    if not _has_same_tree(found, source.code):
        raise Unstageable("internal", f"{source.code.co_qualname}: a function inside changed its shape")
    return found


def compile_around(source: FunctionSource, node: FunctionNode) -> CodeType:
    """Return the code of a function that stands where the function of `source` stands, with other parameters."""
    try:
        compiled = compile_module(_prune(source.path, node), source.file, source.flags)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise Unstageable("internal", f"{source.file}: {type(error).__name__}: {error}") from None
    names = (source.code.co_qualname, node.lineno)
    found = [code for code in nested_codes(compiled) if (code.co_qualname, code.co_firstlineno) == names]
    if len(found) != 1:
        raise Unstageable("internal", f"{source.file}: {source.code.co_qualname}: no code for a piece of it")
    return found[0]


def _prune(path: tuple[ast.AST, ...], node: FunctionNode) -> ast.Module:
    """Return a module of the classes around `path`'s last node, and of the statement they hold it in.

    Down to the first function, names are global or private to a class: only the classes count. From there on,
    everything stays, because it decides which variables are free.
    """
    outer = _outermost(path)
    kept = _replace_along(path[outer:], node)
    statement = kept if isinstance(kept, ast.stmt) else ast.copy_location(ast.Expr(_expression(kept)), kept)
    for around in reversed(path[1:outer]):
        if isinstance(around, ast.ClassDef):
            statement = _bare_class(around, statement)
    return ast.Module([statement], [])


def _outermost(path: tuple[ast.AST, ...]) -> int:
    """Return where on `path` the outermost function is, or the simple statement or the expression that holds it."""
    for index, node in enumerate(path[1:-1], start=1):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.expr)):
            return index
        if isinstance(node, ast.stmt) and not hasattr(node, "body") and not hasattr(node, "cases"):
            return index
    return len(path) - 1


def _expression(node: ast.AST) -> ast.expr:
    assert isinstance(node, ast.expr), node
    return node


def _bare_class(node: ast.ClassDef, statement: ast.stmt) -> ast.ClassDef:
    bare = copy.copy(node)
    bare.bases, bare.keywords, bare.decorator_list, bare.body = [], [], [], [statement]
    return bare


def _replace_along(path: tuple[ast.AST, ...], node: ast.AST) -> ast.AST:
    """Return a copy of the path's first node in which `node` stands for its last one."""
    new = node
    for parent, child in zip(reversed(path[:-1]), reversed(path), strict=False):
        copied = copy.copy(parent)
        for name, value in ast.iter_fields(parent):
            if value is child:
                setattr(copied, name, new)
            elif isinstance(value, list):
                setattr(copied, name, [new if item is child else item for item in value])
        new = copied
    return new


def _is_alike(code: CodeType, original: CodeType) -> bool:
    return _shape(code, ordered=True) == _shape(original, ordered=True)


def _shape(code: CodeType, *, ordered: bool) -> tuple[object, ...]:
    """Return what a rewritten function must have in common with the user's: everything but what it does."""
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount)
    local = code.co_varnames if ordered else frozenset(code.co_varnames)
    names = (local, code.co_freevars, code.co_cellvars)
    return code.co_qualname, code.co_name, code.co_firstlineno, code.co_flags, counts, names


def _has_marks(code: CodeType) -> bool:
    return any(_is_mark(constant) for inner in (code, *nested_codes(code)) for constant in inner.co_consts)


def _is_mark(constant: object) -> bool:
    return type(constant) is tuple and len(constant) == 2 and constant[0] == MARK


def fill(code: CodeType, original: CodeType, hook_at: Callable[[int], object], born: list[Born]) -> CodeType:
    """Return `code` with `hook_at(number)` for each mark, and note what became of each code object in `born`."""
    filled = code.replace(co_consts=tuple(_fill_constants(code, original, hook_at, born)))
    born.append(Born(filled, original))
    return filled


def _fill_constants(
    code: CodeType, original: CodeType, hook_at: Callable[[int], object], born: list[Born]
) -> Iterator[object]:
    originals = _inner_codes(original)
    for constant in code.co_consts:
        if _is_mark(constant):
            yield hook_at(constant[1])
        elif not isinstance(constant, CodeType):
            yield constant
        else:
            twin = next(originals, None)
            assert twin is not None, code
            # what has no site is the user's own
            copied = fill(constant, twin, hook_at, born) if _has_marks(constant) else twin
            yield twin if _may_escape(twin) else copied


def _may_escape(code: CodeType) -> bool:
    """Whether `code` is that of a function the user can hold: no class body, comprehension, or scope of parameters.

    Such a function is made with the user's own code, and nobody ever sees another in a decorator of it.
    """
    return bool(code.co_flags & CO_OPTIMIZED) and (code.co_name == "<lambda>" or not code.co_name.startswith("<"))


def _inner_codes(code: CodeType) -> Iterator[CodeType]:
    return (constant for constant in code.co_consts if isinstance(constant, CodeType))


def _has_same_tree(code: CodeType, original: CodeType) -> bool:
    """Whether the functions, classes and comprehensions inside both are alike, one by one."""
    pairs = list(zip_longest(_inner_codes(code), _inner_codes(original)))
    return all(
        left is not None and right is not None and _is_alike(left, right) and _has_same_tree(left, right)
        for left, right in pairs
    )
