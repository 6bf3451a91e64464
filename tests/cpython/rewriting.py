"""Gives every function of a module its P-form under `Plain`: those inside others too, from the module's import on."""

from __future__ import annotations

import ast
import doctest
import gc
import importlib
import linecache
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from inspect import CO_OPTIMIZED
from types import CodeType, FunctionType, ModuleType
from typing import Any

from janus_jax._base import Unstageable
from janus_jax._frontend import SourceCache, fill_form, observed_code
from janus_jax._runtime import PLAIN
from tests.cpython.modules import is_one_of

LATE_VALUES = ("TypeAlias", "TypeVar", "TypeVarTuple", "ParamSpec")  # nodes that Python 3.11 does not have


def is_function(code: CodeType) -> bool:
    """Whether `code` is that of a `def` or a lambda, and not of a module, class, comprehension or type parameters."""
    return bool(code.co_flags & CO_OPTIMIZED) and (code.co_name == "<lambda>" or not code.co_name.startswith("<"))


def inner_codes(code: CodeType) -> list[CodeType]:
    """Return the code objects that stand in `code`."""
    return [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def is_late_value(code: CodeType) -> bool:
    """Whether `code` is that of a type alias or a type parameter: Python computes it late, by what is no function."""
    tree = ast.parse("".join(linecache.getlines(code.co_filename)))
    nodes = [node for node in ast.walk(tree) if type(node).__name__ in LATE_VALUES]
    return any((node.lineno, name_of(node)) == (code.co_firstlineno, code.co_name) for node in nodes)


def name_of(node: Any) -> str:
    return node.name if isinstance(node.name, str) else node.name.id


@dataclass(slots=True)
class Rewriter:
    """Rewrites code, and counts: functions that got hooks, those that need none, and why others could not get any."""

    rewritten: int = 0
    without_sites: int = 0
    reasons: dict[str, list[str]] = field(default_factory=dict)
    sources: SourceCache = field(default_factory=SourceCache)

    def tree(self, code: CodeType) -> CodeType:
        """Return `code` with the P-form of itself, where it is a function, and of every function inside.

        Each function is rewritten by itself, as one that is called by a watched function is: in its own P-form, the
        functions that it makes are the user's own. Here, those are rewritten as well, and stand in their place.
        """
        own = self._function(code) if is_function(code) else code
        constants = (self.tree(each) if isinstance(each, CodeType) else each for each in own.co_consts)
        return own.replace(co_consts=tuple(constants))

    def _function(self, code: CodeType) -> CodeType:
        try:
            form = observed_code(self.sources.find(code))
        except Unstageable as error:
            if not is_late_value(code):
                self.reasons.setdefault(error.reason_id, []).append(error.detail)
            return code
        self.rewritten += bool(form.sites)
        self.without_sites += not form.sites
        return fill_form(form, PLAIN)[-1].code


def exchange_codes(module: ModuleType, change: Callable[[CodeType], CodeType]) -> None:
    """Change the code of every function of `module`, which is imported already: this program itself needs it."""
    for function in [each for each in gc.get_objects() if type(each) is FunctionType]:
        if function.__globals__ is vars(module) and function.__code__.co_filename == module.__file__:
            function.__code__ = change(function.__code__)


class _Loader(SourceFileLoader):
    """Changes the code of each module that it loads."""

    change: Callable[[CodeType], CodeType]

    def get_code(self, fullname: str) -> CodeType | None:
        code = super().get_code(fullname)
        return code and self.change(code)


class ChangingFinder(MetaPathFinder):
    """Finds the modules and packages called `names`, and what is in them, and has their code changed."""

    def __init__(self, names: Sequence[str], change: Callable[[CodeType], CodeType]) -> None:
        self.names = names
        self.change = change

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not is_one_of(fullname, self.names):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
            spec.loader.change = self.change
        return spec


def import_changed(names: Sequence[str], change: Callable[[CodeType], CodeType]) -> None:
    """Have the code of the modules `names` changed: those that are imported, and those that are yet to be.

    The examples of doctests, too: what they define is found by `linecache`, as long as they run.
    """
    sys.meta_path.insert(0, ChangingFinder(names, change))
    vars(doctest)["compile"] = lambda *arguments: change(compile(*arguments))
    for name in names:
        if name in sys.modules:
            exchange_codes(sys.modules[name], change)
        importlib.import_module(name)
