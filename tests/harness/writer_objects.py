"""Statements of generated programs about objects: lists, dicts, a class, aliases, exceptions, comprehensions."""

from __future__ import annotations

from tests.harness.writer import Writer

# What a program may read of each kind of object, as a scalar.
READINGS = {
    "list": ["{0}[-1]", "{0}[0]", "len({0})", "sum({0})"],
    "dict": ["{0}['a']", "{0}.get('b', 1.5)", "len({0})"],
    "thing": ["{0}.value", "{0}.count", "{0}.doubled", "{0}.add(x)", "len({0})", "getattr({0}, 'extra', 0.5)"],
}
CHANGES = {
    "list": [
        *("{0}.append(<scalar>)", "{0}.append(<mixed>)", "{0}[-1] = <scalar>", "{0}.extend([<scalar>, x])"),
        *("{0} += [<scalar>]", "{0}.pop()", "{0}.insert(0, <scalar>)", "{0}.reverse()", "{0}[0] = {0}[-1]"),
    ],
    "dict": ["{0}['a'] = <scalar>", "{0}['a'] += <number>", "{0}['c'] = <int>", "{0}.update(b=<scalar>)"],
    "thing": [
        *("{0}.value = <scalar>", "{0}.count += 1", "{0}.add(<scalar>)", "{0}.extra = <number>"),
        *("{0}.items.append(<scalar>)", "{0}.doubled = <scalar>", "{0} += <scalar>"),
    ],
}
MADE = {
    "list": ["[]", "[<scalar>]", "[<scalar>, <number>]", "[t * 2 for t in v]", "[t for t in v if t > <float>]"],
    "dict": ["{'a': <scalar>}", "{'a': <number>, 'b': <scalar>}", "{k: t for k, t in zip('ab', v)}"],
    "thing": ["Thing(<scalar>)", "Thing(<number>, count=<int>)"],
}
TRIED = {
    "ZeroDivisionError": ["(<int>) // (<int>)", "(<float>) / (<int>)"],
    "IndexError": ["vs[<int>].sum()", "[1, 2][<int>]"],
    "(KeyError, ValueError)": ["{{'a': 1}}['b']", "int('7')", "{{1: x}}[n % 3]"],
}


class ObjectWriter(Writer):
    """Writes functions that make objects, change them in branches and loops, and read them."""

    def make(self) -> None:
        """Bind a name to a new object."""
        kind = self.pick(list(MADE))
        self.bind(self.target(kind), kind, self.expand(self.pick(MADE[kind]), 1))

    def alias(self) -> None:
        """Bind another name to an object."""
        known = self.objects()
        if not known:
            return self.make()
        name = self.pick(known)
        self.bind(self.fresh("a"), self.names[name], name)

    def change(self) -> None:
        """Change an object in place."""
        known = self.objects()
        if not known:
            return self.make()
        name = self.pick(known)
        form = self.pick(CHANGES[self.names[name]])
        self.line(self.expand(form.replace("{0}", name), 1))

    def read(self) -> None:
        """Bind a name to something that an object holds."""
        known = self.objects()
        if not known:
            return self.make()
        name = self.pick(known)
        self.bind(self.fresh("a"), "mixed", self.pick(READINGS[self.names[name]]).format(name))

    def tries(self) -> None:
        """Catch an exception, where there is one."""
        error = self.pick(list(TRIED))
        name = self.fresh("a")
        self.line("try:")
        self.line(f"    {name} = {self.expand(self.pick(TRIED[error]).replace('{{', '{').replace('}}', '}'), 1)}")
        self.line(f"except {error}:")
        self.line(f"    {name} = {self.leaf('float')}")
        if self.chance(3):
            self.line("finally:")
            self.branch(1)
        self.names[name] = "mixed"

    def matches(self) -> None:
        """Choose by patterns."""
        name = self.fresh("a")
        number, pad = self.leaf("int"), "    " * (self.depth + 2)
        self.line(f"match {self.pick([f'({number}) % 3', '(n, flag)', number])}:")
        self.line(f"    case 0 | 1:\n{pad}{name} = {self.expression('scalar', 1)}")
        self.line(f"    case (k, True) if k > 1:\n{pad}{name} = k * 1.5")
        self.line(f"    case _:\n{pad}{name} = {self.expression('scalar', 0)}")
        self.names[name] = "mixed"

    def closure(self) -> None:
        """Define a function that binds a variable around it, and call it, perhaps under a condition."""
        known = [name for name, kind in self.names.items() if kind in ("scalar", "float", "int") and name[0] == "a"]
        if not known or self.depth > 1:
            return self.change()
        name, function = self.pick(known), self.fresh("h")
        self.line(f"def {function}(t):")
        self.line(f"    nonlocal {name}")
        self.line(f"    {name} = {name} + t")
        self.line(f"    return {name}")
        if self.chance(2):
            self.line(f"if {self.condition(1)}:")
            self.line(f"    {function}({self.expression('scalar', 1)})")
        self.bind(self.fresh("a"), "mixed", f"{function}({self.expression('scalar', 1)})")
        self.names[name] = "mixed"

    def objects(self) -> list[str]:
        """Return the names of objects that are bound for certain."""
        return [name for name, kind in self.names.items() if kind in CHANGES]
