"""Objects of a result that several ways lead to: they are made first, so that it is one object on all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from janus_jax._base import Unstageable
from janus_jax._convert.outputs import Build, BuildObject, FromChoice, FromTag, Inside, Output, Rows

Scope = tuple[int, ...]  # the alternatives around an output, from outside in


def made_first(result: Output) -> tuple[Output, ...]:
    """Return the objects that are met in an alternative first, and elsewhere again; each after those that it holds.

    What is built in one alternative is not there in another one, nor behind them.
    """
    search = _Search()
    search.visit(result, ())
    chosen = [one for one in search.done if one.label in search.shared]
    for one in chosen:
        if not _leads_back_to(one) <= _labels(one):
            raise Unstageable("shared-result", "two objects, of which one holds the other")
    return tuple(chosen)


@dataclass(slots=True)
class _Search:
    met: dict[int, Scope] = field(default_factory=dict[int, Scope])
    shared: set[int] = field(default_factory=set[int])
    done: list[Build | BuildObject] = field(default_factory=list["Build | BuildObject"])
    numbers: Iterator[int] = field(default_factory=count)

    def visit(self, output: Output, scope: Scope) -> None:
        if not isinstance(output, Build | BuildObject):
            return self._visit_parts(output, scope)
        if output.label in self.met and not _is_tuple(output):
            around = self.met[output.label]
            if scope[: len(around)] != around:
                self.shared.add(output.label)
            return None
        self.met.setdefault(output.label, scope)
        self._visit_parts(output, scope)
        self.done.append(output)
        return None

    def _visit_parts(self, output: Output, scope: Scope) -> None:
        for part, is_alternative in _parts(output):
            self.visit(part, (*scope, next(self.numbers)) if is_alternative else scope)


def _is_tuple(output: Build | BuildObject) -> bool:
    return isinstance(output.type, type) and issubclass(output.type, tuple)


def _parts(output: Output) -> list[tuple[Output, bool]]:
    """Return what an output is made of, and whether it is made of that now and then only."""
    match output:
        case Build(children=children):
            return [(child, False) for child in children]
        case BuildObject(fields=fields):
            return [(each.value, each.condition is not None) for each in fields]
        case FromTag(_, alternatives):
            return [(each, True) for each in alternatives]
        case FromChoice(new):
            return [(new, True)]
        case Rows(read=read):
            return [(value, False) for _, value in read]
        case _:
            return []


def _labels(output: Output) -> set[int]:
    own = {output.label} if isinstance(output, Build | BuildObject) else set[int]()
    return own.union(*(_labels(part) for part, _ in _parts(output)))


def _leads_back_to(output: Output) -> set[int]:
    own = {output.label} if isinstance(output, Inside) else set[int]()
    return own.union(*(_leads_back_to(part) for part, _ in _parts(output)))
