"""The variables of one function being staged, and how names are found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from janus_jax._base import Site, Unstageable
from janus_jax._convert.iterables import holds_iterator
from janus_jax._convert.scopes import FunctionNode, body_of, names_in, parameters
from janus_jax._convert.stager import Stager
from janus_jax._guards import Cell, Global, Path
from janus_jax._values.kinds import UNBOUND, Box

# Hidden variables: how the last statement left, what it returned, and the arguments of what was raised, by its place.
JUMP, RETURN, VALUE, ERROR = "$jump", "$return", "$value", "$error "
# How: going on, by a jump, or by the exception with this number or a higher one, which a `try` around will catch.
ON, BREAK, CONTINUE, RETURNED, RAISED = 0, 1, 2, 3, 4


def is_implied(name: str) -> bool:
    """Return whether a hidden variable is bound wherever the jump says that it is read."""
    return name == RETURN or name.startswith(ERROR)


def error_name(site: Site) -> str:
    """Return the hidden variable for what the `raise` at a site raises."""
    return f"{ERROR}{site.line}:{site.column}"


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
    path: Path | None  # None for a function of ours, in which every name is a local one
    parent: Frame | None
    env: dict[str, Any] = field(default_factory=dict)
    locals: frozenset[str] = frozenset()
    globals: frozenset[str] = frozenset()  # the names that it declares to be global
    watches: list[Watch] = field(default_factory=list)
    is_over: bool = False  # whether the call has returned
    handled: list[Any] = field(default_factory=list)  # the exceptions whose handlers are running
    tries: list[Any] = field(default_factory=list)  # the `try` and `with` statements whose bodies are running
    jumps: dict[tuple[Site, type], int] = field(default_factory=dict)  # the exceptions that leave by a jump
    take: Callable[[Any], None] | None = None  # of a generator that runs: who takes what it yields
    is_beside: bool = False  # of a generator: whether its user runs beside it
    private: str = ""  # the class that this function stands in
    boxes: dict[str, Box] = field(default_factory=dict)  # the variables that functions inside may bind

    def mangled(self, name: str) -> str:
        """Return an attribute's name as the class around this function has it."""
        owner = self.private.lstrip("_")
        return f"_{owner}{name}" if owner and name.startswith("__") and not name.endswith("__") else name

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
        if name in frame.boxes:
            return self.stager.settle(name, frame.boxes[name].content)
        value = frame.env.get(name, UNBOUND)
        for watch in frame.watches:
            if name in watch.initial and value is watch.initial[name]:
                watch.read.add(name)
        settled = self.stager.settle(name, value)
        if frame is self and settled is not value:
            self.env[name] = settled  # only here: an outer variable is settled for this region alone
        return settled

    def touch(self, names: Iterable[str]) -> None:
        """Note that the values these names have now are used, though no expression reads them."""
        for watch in self.watches:
            watch.read.update(n for n in names if n in watch.initial and self.env.get(n) is watch.initial[n])

    def _load_outside(self, name: str) -> Any:
        root = self.function
        assert self.path is not None
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
        assert self.path is not None
        cells = self.function.__closure__ or ()
        try:
            value = cells[index].cell_contents
        except ValueError:
            raise Unstageable("raises", f"NameError: free variable {name!r} is not bound", self.stager.site) from None
        return self.stager.externals.read(Cell(self.path, index, name), value)

    def store(self, name: str, value: Any) -> None:
        """Bind a local name; a write to any other ends the conversion."""
        if holds_iterator(value) and not name.startswith("$"):
            raise Unstageable("unsupported-expression", f"{name} keeps an iterator", self.stager.site)
        self.bind(name, value)
        self.stager.heap.adopt(value)

    def unbind(self, name: str) -> None:
        """Do `del name`."""
        self.load(name)
        self.bind(name, UNBOUND)

    def bind(self, name: str, value: Any) -> None:
        """Bind a name to any value, or to none; a write to a name of somebody else ends the conversion."""
        frame = self if name.startswith("$") else self.owner(name)
        if frame is not None and name in frame.boxes:
            box = frame.boxes[name]
            self.stager.heap.note(box)
            box.content = value
        elif frame is self:
            self.env[name] = value
        else:
            raise Unstageable("heap-write", f"{name} is global or belongs to an outer function", self.stager.site)


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
    boxes = {shared: Box() for shared in names.shared & own}
    for box in boxes.values():
        stager.heap.adopt(box)
    return Frame(stager, node, file, name, function, path, parent, {JUMP: ON}, own, names.globals, boxes=boxes)
