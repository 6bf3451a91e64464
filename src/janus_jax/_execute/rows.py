"""Writes how the elements of a list are made of the rows of outputs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, repeat
from typing import Any

import numpy as np

from janus_jax._convert import FromOutput, Output, Rows
from janus_jax._execute.writer import Writer
from janus_jax._values.template import ArrayLeaf, Either, Group, NumberLeaf, Static, Table, Template


def arrays_of(rows: Any, count: int) -> list[Any]:
    """Return the first rows of an array of JAX, each an array; compiled once, whatever `count` is."""
    return list(islice(iter(rows), count))


def known_of(new: list[Any], codes: Any, known: tuple[Any, ...]) -> list[Any]:
    """Return the elements that are new, and in place of others the objects that they stand for."""
    return [one if not code else known[code - 1] for one, code in zip(new, np.asarray(codes).tolist(), strict=False)]


def columns_of(count: int, *columns: list[Any]) -> Iterable[tuple[Any, ...]]:
    """Return the elements that have these columns, each a tuple."""
    return zip(*columns, strict=True) if columns else repeat((), count)


def object_of(kind: type, names: tuple[str, ...], values: tuple[Any, ...]) -> Any:
    """Return a new object with these attributes; runs none of the user's code."""
    new = object.__new__(kind)
    for name, value in zip(names, values, strict=True):
        object.__setattr__(new, name, value)
    return new


def build_rows(writer: Writer, rows: Rows, build: Callable[[Output], str]) -> str:
    """Return the name of a list of the elements."""
    count = str(rows.count) if isinstance(rows.count, int) else writer.local(f"int(asarray({_output(rows.count)}))")
    name = writer.local(_column(writer, rows, rows.element, iter(rows.places), count))
    for index, value in rows.read:
        writer.line(f"if {index} < {count}: {name}[{index}] = {build(value)}")
    return name


def _output(output: FromOutput) -> str:
    return f"o{output.index}"


def _column(writer: Writer, rows: Rows, element: Template, places: Iterator[int], count: str) -> str:
    match element:
        case NumberLeaf():
            return f"asarray(o{next(places)})[:{count}].tolist()"
        case ArrayLeaf(identity=identity):
            new = f"arrays_of(o{next(places)}, {count})"
            if identity is not None:
                return new if not identity else f"[{_known(writer, rows, identity)}] * {count}"
            known = ", ".join(_known(writer, rows, code + 1) for code in range(len(rows.paths)))
            return f"known_of({new}, o{next(places)}, ({known},))"
        case Static(value):
            return f"[{writer.constant(value)}] * {count}"
        case Either(alternatives):
            tags = f"asarray(o{next(places)})[:{count}].tolist()"
            columns = ", ".join(_column(writer, rows, one, places, count) for one in alternatives)
            return f"[row[1 + row[0]] for row in zip({tags}, {columns})]"
        case Group(kind, children):
            made = f"columns_of({count}, {_columns(writer, rows, children, places, count)})"
            if kind is tuple:
                return f"list({made})"
            form = "{}(row)" if kind in (list, deque) else "{}(*row)"
            return f"[{form.format(writer.constant(kind))} for row in {made}]"
        case Table(keys, children, type=kind):
            made = f"columns_of({count}, {_columns(writer, rows, children, places, count)})"
            new = "dict(zip({0}, row))" if kind is dict else "object_of({1}, {0}, row)"
            return f"[{new.format(writer.constant(keys), writer.constant(kind))} for row in {made}]"
        case _:
            raise AssertionError(element)


def _columns(writer: Writer, rows: Rows, children: Iterable[Template], places: Iterator[int], count: str) -> str:
    return ", ".join(_column(writer, rows, child, places, count) for child in children)


def _known(writer: Writer, rows: Rows, code: int) -> str:
    return writer.names.get(rows.paths[code - 1], "None")
