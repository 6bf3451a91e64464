"""The P-form: a function that does what the user's does, in one frame, and lets hooks watch."""

from __future__ import annotations

from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Protocol

from janus_jax._base import Site, Unstageable
from janus_jax._frontend.copies import Born
from janus_jax._frontend.filling import compile_in_place, fill
from janus_jax._frontend.rewriting import rewrite
from janus_jax._frontend.source import FunctionSource


class Hooks(Protocol):
    """What watches a P-form.

    The object at a site of kind "if" or "ifexp" has `first()` and `second()`, called when the true or the false arm
    begins, which return something true; of kind "while" or "for" `tick()`, called when an iteration begins, and
    `enter(tick())`, called before the loop; of kind "call" `callee(function)`, which returns what to call instead;
    of kind "def" or "lambda" `callee(function)`, which returns the function that was just made. Its code is the
    user's own: whoever wants to watch it gives it the copy that `fill_form` returned, and takes that back in time.
    They are best implemented in C: a trace function of the user's would see Python.
    """

    def at(self, index: int) -> object:
        """Return the object that stands at `form.sites[index]`."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ObservedForm:
    """The P-form of the function of `source`, with marks where hooks will be."""

    source: FunctionSource
    code: CodeType
    sites: tuple[Site, ...]


def observed_code(source: FunctionSource) -> ObservedForm:
    """Return the P-form of a function; raises `Unstageable` where it does not come out alike."""
    try:
        node, sites = rewrite(source.node, source.file, source.path[0])
    except RecursionError:
        raise Unstageable("internal", "the stack is too deep to rewrite the function") from None
    if not sites:
        return ObservedForm(source, source.code, ())
    return ObservedForm(source, compile_in_place(source, node), sites)


def fill_form(form: ObservedForm, hooks: Hooks) -> tuple[Born, ...]:
    """Return the code with `hooks` for each code object of the function that has any, its own one last."""
    if not form.sites:
        return (Born(form.source.code, form.source.code),)
    made = tuple(hooks.at(index) for index in range(len(form.sites)))
    born: list[Born] = []
    fill(form.code, form.source.code, made.__getitem__, born)
    return tuple(born)


def instantiate(form: ObservedForm, function: FunctionType, hooks: Hooks) -> FunctionType:
    """Return a function that is `function`, watched by `hooks`."""
    new = with_code(function, fill_form(form, hooks)[-1].code)
    new.__module__ = function.__module__
    new.__doc__ = function.__doc__
    new.__annotations__ = function.__annotations__
    new.__dict__.update(function.__dict__)
    return new


def with_code(function: FunctionType, code: CodeType) -> FunctionType:
    """Return a function that does in a call what `function` would do with `code`; it lacks what only readers see."""
    new = FunctionType(code, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    new.__kwdefaults__ = function.__kwdefaults__
    new.__qualname__ = function.__qualname__
    return new
