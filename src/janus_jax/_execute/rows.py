"""Writes how the elements of a list are made of the rows of outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from janus_jax._convert import FromOutput, Output, Rows
from janus_jax._execute.writer import Writer
from janus_jax._values.template import ArrayLeaf, Either, Group, NumberLeaf, Static, Template


def arrays_of(rows: Any, count: int) -> list[Any]:
    """Return the first rows of an array of JAX, each an array; compiled once, whatever `count` is."""
    return list(islice(iter(rows), count))


def known_of(new: list[Any], codes: Any, known: tuple[Any, ...]) -> list[Any]:
    """Return the elements that are new, and in place of others the objects that they stand for."""
    return [one if not code else known[code - 1] for one, code in zip(new, np.asarray(codes).tolist(), strict=False)]


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
            columns = ", ".join(_column(writer, rows, child, places, count) for child in children)
            if kind is tuple:
                return f"list(zip({columns}))"
            return f"list(map({writer.constant(kind)}, {columns}))"
        case _:
            raise AssertionError(element)


def _known(writer: Writer, rows: Rows, code: int) -> str:
    return writer.names.get(rows.paths[code - 1], "None")
