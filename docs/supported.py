"""Write docs/reference/supported_python.md: which Python is compiled, by what the programs of the gallery come to.

Every line is counted from the gallery (tests/programs), whose tests demand that each program ends as it declares.
`python docs/supported.py` prints the page, `--update` writes it.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.programs import Program, load  # noqa: E402

PAGE = ROOT / "docs" / "reference" / "supported_python.md"
SHOWN = 3  # programs that a line links to

HEAD = (
    "# Which Python is compiled\n\n"
    "Generated from [the gallery](../../tests/programs): {count} programs, {long} of them longer than 60 lines. Each "
    "runs in every mode and must agree with plain Python; {compiled} run as one program. A program that does not is in "
    "Python as a whole or in pieces, and gives the right answer all the same; `explain()` says why.\n\n"
    "A construct is *compiled* where at least one program with it runs as one program, and *in Python* where none "
    "does: then it costs itself, and what is around it can still be compiled.\n"
)
ROWS = {
    1: "`if`, conditional expressions, `and`, `or`, `not`, chained comparison on array values",
    2: "`while` on array values",
    3: "`for` over ranges, arrays, `zip`, `enumerate`, dict items, lists of arrays",
    4: "`break`, `continue`, loop `else`, `return` inside loops and branches",
    5: "values that change type, shape or dtype, or are `None`",
    6: "lists and dicts that are built, also by `append` in loops",
    7: "changes that the caller sees",
    8: "globals, attributes, closures, defaults are read and guarded",
    9: "generators, comprehensions, iterators, `match`",
    10: "`try`, `raise`, `assert`, `with`, errors that hang on array values",
    11: "recursion",
    12: "classes, inheritance, `super()`, properties, dataclasses, named tuples, closures, partials, lambdas",
    13: "`print` and logging",
    14: "arrays that are changed in place",
    15: "NumPy calls and dtypes",
    16: "random numbers",
    17: "shapes that hang on data",
    18: "slices whose length hangs on a loop index",
    19: "third-party and C code",
    38: "gradients inside",
    39: "reverse mode through loops of unknown length",
}
CONSTRUCTS: dict[str, tuple[type[ast.AST], ...]] = {
    "`if`": (ast.If,),
    "conditional expression": (ast.IfExp,),
    "`and`, `or`": (ast.BoolOp,),
    "`while`": (ast.While,),
    "`for`": (ast.For,),
    "`break`": (ast.Break,),
    "`continue`": (ast.Continue,),
    "`assert`": (ast.Assert,),
    "`raise`": (ast.Raise,),
    "`try`": (ast.Try,),
    "`with`": (ast.With,),
    "`match`": (ast.Match,),
    "`del`": (ast.Delete,),
    "`global`": (ast.Global,),
    "`nonlocal`": (ast.Nonlocal,),
    "`import` inside a function": (ast.Import, ast.ImportFrom),
    "`class` inside a function": (ast.ClassDef,),
    "`lambda`": (ast.Lambda,),
    "assignment to an attribute": (ast.Attribute,),
    "assignment to an item": (ast.Subscript,),
    "augmented assignment": (ast.AugAssign,),
    "assignment expression": (ast.NamedExpr,),
    "star forms": (ast.Starred,),
    "list comprehension": (ast.ListComp,),
    "set comprehension": (ast.SetComp,),
    "dict comprehension": (ast.DictComp,),
    "generator expression": (ast.GeneratorExp,),
    "`yield`": (ast.Yield,),
    "`yield from`": (ast.YieldFrom,),
    "f-string": (ast.JoinedStr,),
    "set": (ast.Set,),
    "dict": (ast.Dict,),
    "slice": (ast.Slice,),
    "`await`": (ast.Await,),
}
STORED = ("assignment to an attribute", "assignment to an item")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: what it is about, and the programs that have it."""

    name: str
    programs: tuple[Program, ...]

    def __str__(self) -> str:
        compiled = [program for program in self.programs if program.expect == "compiled"]
        state = "compiled" if compiled else "in Python"
        links = ", ".join(map(link, [*compiled, *(p for p in self.programs if p not in compiled)][:SHOWN]))
        return f"| {self.name} | {state} | {len(compiled)} of {len(self.programs)} | {links} |"


def link(program: Program) -> str:
    """Return a link to a program's file."""
    theme, _, name = program.name.partition(".")
    return f"[{name}](../../tests/programs/{theme}.py)"


def nodes_of(program: Program) -> Iterator[ast.AST]:
    """Yield the nodes of a program's function."""
    lines = textwrap.dedent(inspect.getsource(program.function))
    try:
        tree = ast.parse(lines)
    except SyntaxError:  # a lambda in the middle of something
        return
    definitions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Lambda)]
    for statement in getattr(definitions[0], "body", []) if definitions else []:
        yield from ast.walk(statement)


def has(nodes: Iterable[ast.AST], name: str) -> bool:
    """Return whether a construct is among the nodes."""
    found = (node for node in nodes if isinstance(node, CONSTRUCTS[name]))
    return any(name not in STORED or isinstance(getattr(node, "ctx", None), ast.Store) for node in found)


def length(program: Program) -> int:
    """Return how many lines a program's function has."""
    return len(inspect.getsource(program.function).splitlines())


def page() -> str:
    """Return the page."""
    programs = [program for program in load().values() if program.expect != "any"]
    nodes = {program.name: list(nodes_of(program)) for program in programs}
    by_row = [Line(f"{n}. {text}", tuple(p for p in programs if n in p.rows)) for n, text in ROWS.items()]
    by_construct = [Line(name, tuple(p for p in programs if has(nodes[p.name], name))) for name in CONSTRUCTS]
    head = HEAD.format(
        count=len(programs),
        long=sum(length(program) > 60 for program in programs),
        compiled=sum(program.expect == "compiled" for program in programs),
    )
    return "\n".join([head, *table("By feature", by_row), *table("By construct", by_construct)]).rstrip() + "\n"


def table(title: str, lines: list[Line]) -> list[str]:
    """Return a table under its title; what no program has is left out."""
    shown = [str(line) for line in lines if line.programs]
    return [
        f"## {title}",
        "",
        "| what | state | as one program | for example |",
        "| --- | --- | --- | --- |",
        *shown,
        "",
    ]


def main() -> int:
    """Print the page, or write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", action="store_true", help="write the page")
    if parser.parse_args().update:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        print(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
