"""The variables of one function being staged, and how names are found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from janus_jax._base import Site, Unstageable
from janus_jax._convert.iterables import holds_iterator
from janus_jax._convert.scopes import FunctionNode, body_of, names_in, parameters
from janus_jax._convert.stager import Stager
from janus_jax._guards import Cell, Global, Path
from janus_jax._values.kinds import UNBOUND, Conflict, Maybe, Unbound

# Hidden variables: how the last statement left (0 on, 1 break, 2 continue, 3 return), and what it returned.
JUMP, RETURN, VALUE = "$jump", "$return", "$value"
ON, BREAK, CONTINUE, RETURNED = 0, 1, 2, 3


@dataclass(slots=True, eq=False)
class Watch:
    """Which values a loop's body found in its variables, and which of them it read."""

    initial: dict[str, Any]
    read: set[str] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Frame:
    """One call of a function: its variables, and where its free and global names are found.

    `function` is the Python function whose globals and cells are read; a function that the call made itself has the
    frame it was made in as `parent`.
    """

    stager: Stager
    node: FunctionNode
    file: str
    name: str
    function: Any  # a FunctionType, which type checkers take for a descriptor: they would see a method
    path: Path
    parent: Frame | None
    env: dict[str, Any] = field(default_factory=dict)
    locals: frozenset[str] = frozenset()
    globals: frozenset[str] = frozenset()  # the names that it declares to be global
    watches: list[Watch] = field(default_factory=list)
    is_over: bool = False  # whether the call has returned

    def site(self, node: Any, kind: str | None = None) -> Site:
        """Return the site of a node of this function."""
        return Site(self.file, node.lineno, node.col_offset, kind or type(node).__name__.lower())

    def owner(self, name: str) -> Frame | None:
        """Return the frame that holds the variable `name`, or None when it is a cell or global of the function."""
        frame: Frame | None = self
        while frame is not None and name not in frame.locals:
            frame = None if name in frame.globals else frame.parent
        return frame

    def load(self, name: str) -> Any:
        """Return the value of `name`, or end the conversion where Python might find it unbound."""
        if name.startswith("__") and not name.endswith("__"):
            raise Unstageable("unsupported-expression", "a name that Python mangles", self.stager.site)
        frame = self.owner(name)
        if frame is None:
            return self._load_outside(name)
        value = frame.env.get(name, UNBOUND)
        for watch in frame.watches:
            if name in watch.initial and value is watch.initial[name]:
                watch.read.add(name)
        settled = self.settle(name, value)
        if frame is self and settled is not value:
            self.env[name] = settled  # only here: an outer variable is settled for this region alone
        return settled

    def settle(self, name: str, value: Any) -> Any:
        """Return `value` once it is certain that `name` is bound to it."""
        if isinstance(value, Unbound):
            raise UnboundHere(name, self.stager.site)
        if isinstance(value, Maybe):
            self.stager.guard(value.bound, f"{name} is bound", "bound")
            return self.settle(name, value.value)
        if isinstance(value, Conflict):
            raise conflict(self.stager, name, value)
        return value

    def touch(self, names: Iterable[str]) -> None:
        """Note that the values these names have now are used, though no expression reads them."""
        for watch in self.watches:
            watch.read.update(n for n in names if n in watch.initial and self.env.get(n) is watch.initial[n])

    def _load_outside(self, name: str) -> Any:
        root = self.function
        if name in root.__code__.co_freevars:
            return self._load_cell(name, root.__code__.co_freevars.index(name))
        if type(root.__globals__) is not dict:
            raise Unstageable("object-attribute", "globals with methods of their own", self.stager.site)
        builtins: dict[str, Any] = root.__builtins__
        if name not in root.__globals__ and name not in builtins:
            raise Unstageable("raises", f"NameError: name {name!r} is not defined", self.stager.site)
        value = root.__globals__[name] if name in root.__globals__ else builtins[name]
        return self.stager.externals.read(Global(self.path, name), value)

    def _load_cell(self, name: str, index: int) -> Any:
        cells = self.function.__closure__ or ()
        try:
            value = cells[index].cell_contents
        except ValueError:
            raise Unstageable("raises", f"NameError: free variable {name!r} is not bound", self.stager.site) from None
        return self.stager.externals.read(Cell(self.path, index, name), value)

    def store(self, name: str, value: Any) -> None:
        """Bind a local name; a write to any other ends the conversion."""
        if name not in self.locals and not name.startswith("$"):
            raise Unstageable("heap-write", f"{name} is global or belongs to an outer function", self.stager.site)
        if holds_iterator(value) and not name.startswith("$"):
            raise Unstageable("unsupported-expression", f"{name} keeps an iterator", self.stager.site)
        self.env[name] = value


class UnboundHere(Unstageable):
    """Raised where a name is read that no path so far has bound: by a loop, perhaps, in an earlier iteration."""

    def __init__(self, name: str, where: Site) -> None:
        super().__init__("unbound-name", name, where)
        self.name = name


def conflict(stager: Stager, name: str, value: Conflict) -> BaseException:
    """Return what to raise when a name is read whose type depends on the path: a guard, or the end."""
    for key in value.blame:
        arms = stager.facts.branch(*key).arms
        if key not in stager.plan.branches and sum(arms) and 0 in arms:
            decision = "guard-true" if arms[0] else "guard-false"
            return stager.retry_branch(key, decision, f"{name}: {value.detail}")
    return Unstageable("branch-types-differ", f"{name}: {value.detail}", stager.site)


def new_frame(
    stager: Stager, node: FunctionNode, file: str, name: str, outer: Frame | tuple[FunctionType, Path]
) -> Frame:
    """Return an empty frame for a call, inside the frame `outer` or as a function of its own."""
    if isinstance(outer, Frame):
        function, path, parent = outer.function, outer.path, outer
    else:
        function, path, parent = *outer, None
    names = names_in(body_of(node))
    own = (names.bound | frozenset(parameters(node.args))) - names.globals - names.nonlocals
    return Frame(stager, node, file, name, function, path, parent, {JUMP: ON}, own, names.globals)
