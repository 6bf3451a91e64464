"""Writes the source of one generated function, statement by statement."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies

from tests.harness.grammar import GLOBALS, GRAMMAR, HELPER_GRAMMAR, HELPER_LEAVES, LEAVES, READABLE_AS, TOKENS

Draw = Callable[[Any], Any]


@dataclass(slots=True)
class Writer:
    """Writes one function; every choice is drawn, the simplest alternative first."""

    draw: Draw
    statements: list[str]
    names: dict[str, str]
    serial: Iterator[int]
    helpers: dict[str, str]
    left: int = 12
    loops: int = 0
    in_loop: bool = False
    depth: int = 1
    lines: list[str] = field(default_factory=list)
    risky: list[str] = field(default_factory=list)
    result: str | None = None

    # -- choices

    def pick(self, options: Sequence[Any]) -> Any:
        """Return one of the options."""
        return self.draw(strategies.sampled_from(list(options)))

    def chance(self, one_in: int) -> bool:
        """Return True in about one of so many cases."""
        return self.draw(strategies.integers(0, one_in - 1)) == one_in - 1

    def fresh(self, stem: str) -> str:
        """Return a name that the program has not used."""
        return f"{stem}{next(self.serial)}"

    def of_kind(self, *kinds: str) -> list[str]:
        """Return the names of these kinds that are bound for certain, and global ones."""
        return [name for name, kind in {**self.names, **GLOBALS}.items() if kind in kinds]

    # -- lines and blocks

    def line(self, text: str) -> None:
        """Write one line at the current depth."""
        self.lines.append("    " * self.depth + text)

    def block(self, most: int = 3) -> None:
        """Write an indented block of at least one statement."""
        self.depth += 1
        before = len(self.lines)
        for _ in range(self.draw(strategies.integers(1, most))):
            self.statement()
        if len(self.lines) == before:
            self.augmented()
        self.depth -= 1

    def branch(self, most: int = 3) -> dict[str, str]:
        """Write a block and return the names as they are after it; the writer's own are as before."""
        before = dict(self.names)
        self.block(most)
        after, self.names = self.names, before
        return after

    def statement(self) -> None:
        """Write one statement of any kind that the theme has."""
        if self.left <= 0:
            return
        self.left -= 1
        getattr(self, self.pick(self.statements))()

    # -- expressions

    def expression(self, kind: str, depth: int = 2) -> str:
        """Return an expression of a kind, drawn from the grammar; at depth 0, a leaf of it."""
        if kind not in GRAMMAR:
            return self.expand(self.pick(TOKENS[kind]), depth)
        if depth <= 0 or self.chance(3):
            names = self.of_kind(*READABLE_AS.get(kind, (kind,)))
            return self.expand(self.pick([*names, *self.leaves()[kind], *names, *names]), 0)
        return self.expand(self.pick(self.grammar()[kind]), depth - 1)

    def expand(self, form: str, depth: int) -> str:
        """Return a form of the grammar with its <holes> filled."""
        return re.sub("<([a-z]+)>", lambda hole: self.expression(hole[1], depth), form)

    def grammar(self) -> dict[str, list[str]]:
        """The forms of each kind of expression, the simplest first."""
        return GRAMMAR

    def leaves(self) -> dict[str, list[str]]:
        """What stands for each kind where no name does."""
        return LEAVES

    def leaf(self, kind: str) -> str:
        """Return a name or a literal."""
        return self.expression(kind, 0)

    def condition(self, depth: int) -> str:
        """Return a condition on numbers, arrays, or both."""
        return self.expand(self.pick(self.grammar()["condition"]), depth)

    # -- statements

    def assign(self) -> None:
        """Bind a name, new or old."""
        kind = self.pick(["scalar", "vector", "float", "int", "bool", "vectors"])
        self.bind(self.target(kind), kind, self.expression(kind))

    def target(self, kind: str) -> str:
        """Return a name to bind to a value of a kind."""
        known = [name for name, other in self.names.items() if other == kind]
        return self.pick(known) if known and not self.chance(3) else self.fresh("a")

    def bind(self, name: str, kind: str, value: str) -> None:
        """Write an assignment."""
        self.line(f"{name} = {value}")
        self.names[name] = kind

    def augmented(self) -> None:
        """Change a name in place."""
        known = [name for name, kind in self.names.items() if kind in ("scalar", "vector", "int", "float", "mixed")]
        if not known:
            return self.assign()
        name = self.pick(known)
        kind = self.names[name]
        operator = self.pick(["+=", "-=", "*="])
        if kind == "int":
            value = self.leaf("int") if operator != "*=" else self.pick(TOKENS["factor"])
        else:
            value = self.expression(self.pick(["float", "int"] if kind == "float" else ["scalar", "float", "int"]), 1)
        self.line(f"{name} {operator} {value}")

    def number(self) -> None:
        """Bind a Python number."""
        kind = self.pick(["int", "float", "bool"])
        self.bind(self.target(kind), kind, self.expression(kind, 3))

    def ternary(self) -> None:
        """Bind a name by a conditional expression."""
        kind = self.pick(["scalar", "vector", "float", "int"])
        value = f"{self.expression(kind, 1)} if {self.condition(1)} else {self.expression(kind, 1)}"
        self.bind(self.target(kind), kind, value)

    def swap(self) -> None:
        """Bind several names at once, some of them nested."""
        a = self.pick(list(self.names))
        same = [name for name, kind in self.names.items() if kind == self.names[a]]
        b = self.pick(same)
        if self.chance(2):
            self.line(f"{a}, {b} = {b}, {a}")
            return
        c, d, e = (self.fresh("a") for _ in range(3))
        self.line(f"({c}, {d}), {e} = ({self.expression('scalar', 1)}, {self.expression('int', 1)}), {a}")
        self.names |= {c: "scalar", d: "int", e: self.names[a]}

    def if_(self) -> None:
        """Branch, with or without elif and else."""
        before = dict(self.names)
        self.line(f"if {self.condition(2)}:")
        ends = [self.branch()]
        if self.chance(4):
            self.line(f"elif {self.condition(1)}:")
            ends.append(self.branch(2))
        if self.chance(2):
            self.line("else:")
            ends.append(self.branch())
        else:
            ends.append(before)
        self.merge(ends)

    def merge(self, ends: list[dict[str, str]]) -> None:
        """Keep the names that every path has bound; those with several kinds are of kind mixed."""
        merged: dict[str, str] = {}
        for name in dict.fromkeys(itertools.chain.from_iterable(ends)):
            kinds = {end.get(name, "unbound") for end in ends}
            if "unbound" in kinds:
                self.risky.append(name)
            else:
                merged[name] = kinds.pop() if len(kinds) == 1 else "mixed"
        self.names = merged

    def while_(self) -> None:
        """Loop with a counter that bounds it."""
        if self.loops >= 2:
            return self.assign()
        counter = self.fresh("k")
        self.line(f"{counter} = 0")
        bound = f"{counter} < {self.pick(['3', '2', '5', 'min(n, 4)'])}"
        other = self.condition(1)
        self.line(
            f"while {self.pick([bound, f'{bound} and {other}', f'({other}) and {bound}', f'{bound} and not {other}'])}:"
        )
        self.depth += 1
        self.line(f"{counter} += 1")
        self.depth -= 1
        self.loop_body()
        self.loop_else()

    def for_(self) -> None:
        """Loop over what Python can loop over."""
        if self.loops >= 2:
            return self.assign()
        i, w = self.fresh("i"), self.fresh("w")
        forms = [
            (f"{i} in range({self.pick(['3', '2', '4', 'n % 4', 'min(n, 4)', 'LIMIT'])})", {i: "int"}),
            (f"{w} in v", {w: "scalar"}),
            (f"{w} in vs", {w: "vector"}),
            (f"{i}, {w} in enumerate(v)", {i: "int", w: "scalar"}),
            (f"{i}, {w} in zip(range(3), vs)", {i: "int", w: "vector"}),
            (f"{w} in reversed(vs)", {w: "vector"}),
            (f"{i} in range({self.leaf('int')} % 3, 6, 2)", {i: "int"}),
            (f"{i} in reversed(range(3))", {i: "int"}),
            (f"{i}, {w} in enumerate([x, v[0] + 1, x * 2], start=1)", {i: "int", w: "scalar"}),
            (f"{w} in (x, v[1], 2.0)", {w: "mixed"}),
        ]
        header, bound = self.pick(forms)
        self.line(f"for {header}:")
        self.loop_body(bound)
        self.loop_else()

    def loop_body(self, bound: dict[str, str] | None = None) -> None:
        """Write the body of a loop, in which leaving it is possible."""
        before, was = dict(self.names), self.in_loop
        self.names |= bound or {}
        self.loops, self.in_loop = self.loops + 1, True
        after = self.branch(4)
        self.loops, self.in_loop = self.loops - 1, was
        self.merge([before, after])

    def loop_else(self) -> None:
        """Write an `else` behind a loop, sometimes."""
        if self.chance(5):
            self.line("else:")
            self.merge([dict(self.names), self.branch(2)])

    def leave(self) -> None:
        """Leave the loop, or this turn of it, under a condition."""
        if not self.in_loop:
            return self.augmented()
        self.line(f"if {self.condition(1)}:")
        before = dict(self.names)
        self.depth += 1
        if self.chance(2):
            self.augmented()
        self.line(self.pick(["break", "continue"]))
        self.depth -= 1
        self.names = before

    def return_(self) -> None:
        """Return early, under a condition."""
        self.line(f"if {self.condition(1)}:")
        values = self.result and self.expression(self.result, 1)
        self.line("    return " + (values or self.pick(["x, n", "v", "r", "None", "n, flag", "(v, x), vs[0]"])))

    def assert_(self) -> None:
        """Assert what mostly holds."""
        safe = ["assert v.shape == (3,)", "assert n < 2**32, 'n is large'", "assert n > -9", "assert abs(r) < 2.0, r"]
        self.line(self.pick([*safe, "assert x > -90.0", "assert jnp.all(v < 50)", f"assert {self.condition(0)}, n"]))

    def retype(self) -> None:
        """Let a number become an array, as accumulators do."""
        known = self.of_kind("int", "float", "mixed")
        known = [name for name in known if name in self.names]
        if not known or self.chance(3):
            name = self.fresh("a")
            self.bind(name, "mixed", self.pick(["0", "0.0", "1", "None if flag else 0.0"]))
            return
        name = self.pick(known)
        self.line(f"{name} = {name} + {self.expression('scalar', 1)}")
        self.names[name] = "mixed"

    def none(self) -> None:
        """Bind a name to None, and to an array where it is still None."""
        known = [name for name, kind in self.names.items() if kind == "none"]
        if not known:
            return self.bind(self.fresh("a"), "none", "None")
        name = self.pick(known)
        self.line(f"if {name} is None:")
        self.line(f"    {name} = {self.expression('scalar', 1)}")
        self.line("else:")
        self.line(f"    {name} = {name} + {self.leaf('float')}")

    def one_path(self) -> None:
        """Bind a name on one path only, and read it anyway, sometimes."""
        if self.risky and self.chance(3):
            return self.bind(self.fresh("a"), "mixed", self.pick(self.risky))
        name = self.fresh("a")
        self.line(f"if {self.condition(1)}:")
        self.line(f"    {name} = {self.expression('scalar', 1)}")
        self.risky.append(name)

    def call(self) -> None:
        """Call a helper, by position, by keyword, or with stars."""
        name = self.helper()
        a, b, c = self.expression("scalar", 1), self.expression("float", 0), self.expression("int", 0)
        ways = [f"{name}({a})", f"{name}({a}, {b})", f"{name}({a}, q={b}, r={c})", f"{name}(p={a}, r={c})"]
        ways += [f"{name}(*({a}, {b}))", f"{name}({a}, **{{'r': {c}}})", f"scaled({a})", f"scaled({a}, shift={b})"]
        self.bind(self.target("scalar"), "scalar", self.pick(ways))

    def helper(self) -> str:
        """Return the name of a helper function, an old or a new one."""
        if self.helpers and not self.chance(3):
            return self.pick(list(self.helpers))
        name = f"helper{len(self.helpers)}"
        self.helpers[name] = ""
        defaults = f"q={self.pick(LEAVES['float'])}, *, r={self.pick(LEAVES['int'])}"
        names = {"p": "scalar", "q": "float", "r": "int"}
        statements = [kind for kind in self.statements if kind in ("assign", "augmented", "if_", "return_")]
        inner = HelperWriter(self.draw, statements, names, itertools.count(), {}, left=3, result="scalar")
        inner.depth = 0
        inner.block()
        inner.depth = 1
        inner.line(f"return {inner.expression('scalar', 1)}")
        self.helpers[name] = "\n".join([f"def {name}(p, {defaults}):", *inner.lines])
        return name

    def lambda_(self) -> None:
        """Bind a lambda that reads what is around it, and call it."""
        name = self.fresh("g")
        outer = self.pick([*self.of_kind("scalar", "float", "int"), "1"])
        self.line(f"{name} = lambda t, c={self.leaf('float')}: t * c + {outer}")
        self.bind(self.target("scalar"), "scalar", f"{name}({self.expression('scalar', 1)})")

    def inner(self) -> None:
        """Define a function inside, and call it."""
        name = self.fresh("h")
        outer = self.pick([*self.of_kind("scalar", "float", "int"), "1"])
        self.line(f"def {name}(t, c={self.leaf('int')}):")
        self.line(f"    if t > {outer}:")
        self.line(f"        return t - {outer}")
        self.line("    return t + c")
        self.bind(self.target("scalar"), "scalar", f"{name}({self.expression('scalar', 1)}, c={self.leaf('int')})")


class HelperWriter(Writer):
    """Writes a helper, which knows neither `v` nor `vs`, only its own parameters."""

    def grammar(self) -> dict[str, list[str]]:
        """The forms that name no array with axes."""
        return HELPER_GRAMMAR

    def leaves(self) -> dict[str, list[str]]:
        """The leaves that name only the parameters."""
        return HELPER_LEAVES

    def assign(self) -> None:
        """Bind a name to an array or a number."""
        kind = self.pick(["scalar", "float"])
        self.bind(self.target(kind), kind, self.expression(kind, 1))
