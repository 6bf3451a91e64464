"""Which code object is which, and which node of the syntax tree it was compiled from."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import CodeType
from typing import TypeAlias

from janus_jax._frontend.compiling import compile_module

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Range: TypeAlias = tuple[tuple[int, int], tuple[int, int]]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def fingerprint(code: CodeType) -> tuple[object, ...]:
    """Return a value that two code objects share exactly when they do the same at the same positions.

    The name of the file is left out: it says where the code was found, not what it does.
    """
    return (
        (code.co_name, code.co_qualname, code.co_firstlineno, code.co_flags, code.co_stacksize),
        (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount),
        (code.co_code, code.co_linetable, code.co_exceptiontable),
        (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars),
        tuple(_constant_key(constant) for constant in code.co_consts),
    )


def _constant_key(constant: object) -> object:
    """Return a value that tells 1 from True from 1.0, and 0.0 from -0.0."""
    match constant:
        case CodeType():
            return fingerprint(constant)
        case tuple():
            return tuple, tuple(_constant_key(item) for item in constant)
        case frozenset():
            return frozenset, frozenset(_constant_key(item) for item in constant)
        case float() | complex():
            return type(constant), repr(constant)
        case _:
            return type(constant), constant


def nested_codes(code: CodeType) -> Iterator[CodeType]:
    """Yield every code object inside `code`, at any depth."""
    pending = [code]
    while pending:
        inner = [constant for constant in pending.pop().co_consts if isinstance(constant, CodeType)]
        yield from inner
        pending.extend(inner)


def first_line(node: ast.AST) -> int:
    """Return the line on which `node` starts, its decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    own: int = getattr(node, "lineno", 0)
    return min([own, *(decorator.lineno for decorator in decorators)])


def find_path(tree: ast.Module, code: CodeType) -> tuple[ast.AST, ...] | None:
    """Return the nodes from `tree` down to the one `code` was compiled from; None when it is not certain.

    A `def` stands alone on its line, whatever it is called; of lambdas, the innermost whose body holds an
    instruction of `code` is the one: no code has instructions in the body of a function inside it.
    """
    paths = [path for path in _paths_on_line(tree, code.co_firstlineno) if _name_of(path[-1]) == code.co_name]
    if len(paths) <= 1 or code.co_name != "<lambda>":
        return paths[0] if len(paths) == 1 else None
    places = list(_places(code))
    holding = [path for path in paths if any(_contains(_body_range(path[-1]), place) for place in places)]
    innermost = [path for path in holding if not any(_is_inside(other, path) for other in holding)]
    if not places:
        # Python 3.12 forgets where a constant stands that a lambda returns; of equal ones, any will do
        innermost = [path for path in paths if _compiles_to(path[-1], code)][:1]
    return innermost[0] if len(innermost) == 1 else None


def _compiles_to(node: ast.AST, code: CodeType) -> bool:
    """Whether the lambda `node`, compiled alone, does what `code` does. It reads no name: it returns a constant."""
    assert isinstance(node, ast.Lambda), node
    given = node.args
    # without the defaults, which are evaluated outside and may be lambdas themselves
    arguments = ast.arguments(
        given.posonlyargs, given.args, given.vararg, given.kwonlyargs, [None] * len(given.kwonlyargs), given.kwarg, []
    )
    alone = ast.copy_location(ast.Lambda(arguments, node.body), node)
    compiled = compile_module(ast.Module([ast.copy_location(ast.Expr(alone), node)], []), code.co_filename, 0)
    # the first part has the name and the flags, which tell where the lambda stands
    return any(fingerprint(inner)[1:] == fingerprint(code)[1:] for inner in nested_codes(compiled))


def _name_of(node: ast.AST) -> str:
    return "<lambda>" if isinstance(node, ast.Lambda) else str(getattr(node, "name", ""))


def _paths_on_line(tree: ast.Module, line: int) -> Iterator[tuple[ast.AST, ...]]:
    """Yield the way to each function that starts on `line`; looks only where `line` can be."""
    pending: list[tuple[ast.AST, ...]] = [(tree,)]
    while pending:
        path = pending.pop()
        if isinstance(path[-1], _FUNCTIONS) and first_line(path[-1]) == line:
            yield path
        pending.extend((*path, child) for child in ast.iter_child_nodes(path[-1]) if _may_hold(child, line))


def _may_hold(node: ast.AST, line: int) -> bool:
    end: int | None = getattr(node, "end_lineno", None)
    return end is None or first_line(node) <= line <= end


def _places(code: CodeType) -> Iterator[Range]:
    """Yield the places in the source that instructions of `code` stand for; what has no width is no place."""
    for line, end_line, column, end_column in code.co_positions():
        if line is None or end_line is None or column is None or end_column is None:
            continue
        if (line, column) < (end_line, end_column):
            yield (line, column), (end_line, end_column)


def _body_range(node: ast.AST) -> Range:
    assert isinstance(node, ast.Lambda), node
    body = node.body
    assert body.end_lineno is not None, body
    assert body.end_col_offset is not None, body
    return (body.lineno, body.col_offset), (body.end_lineno, body.end_col_offset)


def _contains(outer: Range, inner: Range) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _is_inside(inner: tuple[ast.AST, ...], outer: tuple[ast.AST, ...]) -> bool:
    return len(inner) > len(outer) and inner[len(outer) - 1] is outer[-1]
