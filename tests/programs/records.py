"""Lists of dicts, lists and objects that a loop makes: histories, tables of rows, particles."""

from collections import deque
from dataclasses import dataclass

import jax.numpy as jnp

from tests.programs import f32, i32, program

SHRINKING = [(f32(1, 2, 3),), (f32(0.5, 0.1),), (f32(0.01, 0.02),)]


@dataclass
class Record:
    loss: object
    step: int = 0

    def is_better(self, other):
        return other is None or self.loss < other.loss


class Span:
    __slots__ = ("start", "stop")

    def __init__(self, start, stop):
        self.start = start
        self.stop = stop

    @property
    def width(self):
        return self.stop - self.start


@program(rows=(3, 6), inputs=lambda: [(f32(1, 2), 40), (f32(1, 2), 40), (f32(-1, 2), 40)], expect="compiled")
def history_of_epochs(x, epochs):
    history = []
    for epoch in range(epochs):
        x = x * 0.9
        entry = {"loss": (x**2).sum(), "epoch": epoch}
        history.append(entry)
        entry["largest"] = jnp.abs(x).max()
    return history, len(history)


@program(rows=(2, 6), inputs=lambda: SHRINKING, expect="compiled")
def history_until_small(x):
    history = []
    while x.sum() > 0.25:
        x = x * 0.7
        history.append({"loss": x.sum(), "best": x.max(), "seen": len(history)})
    losses = [entry["loss"] for entry in history]
    return history, sum(losses), len(losses)


@program(rows=(2, 6), inputs=lambda: SHRINKING, expect="compiled")
def rows_that_are_lists(x):
    table = [[x[0], 0]]
    while x.sum() > 0.25:
        x = x * 0.7
        if x[0] > 0.2:
            table.append([x[0], len(table)])
    return table[-1][0] + table[0][0], table[-1][1]


@program(rows=(2, 6, 12), inputs=lambda: SHRINKING, expect="compiled")
def objects_in_rows(x):
    records = []
    while x.sum() > 0.25:
        x = x * 0.7
        records.append(Record(x.sum(), len(records)))
    better = 0
    for record in records:
        if record.is_better(records[-1]):
            better += 1
    return records, better


@program(rows=(2, 6, 12), inputs=lambda: SHRINKING, expect="compiled", unreached=1)
def slots_in_rows(x):
    spans = []
    low = 0.0
    while x.sum() > 0.25:
        x = x * 0.7
        spans.append((Span(low, x.sum()), deque([x])))
        low = x.sum()
    widths = 0.0
    for span, _ in spans:
        widths = widths + span.width
    return widths, spans[-1][1][0] if spans else None


@program(rows=(2, 6), inputs=lambda: SHRINKING, expect="compiled")
def nothing_in_rows(x):
    marks, dicts = [], []
    while x.sum() > 0.25:
        x = x * 0.7
        marks.append(())
        dicts.append({})
    return marks, dicts


@program(rows=(7,), inputs=lambda: SHRINKING, expect="imperative", reason="heap-write")
def changes_what_earlier_rows_hold(x):
    """All rows are one dict."""
    history = []
    entry = {"loss": x.sum()}
    while x.sum() > 0.25:
        x = x * 0.7
        entry["loss"] = x.sum()
        history.append(entry)
    return history


@program(rows=(7,), inputs=lambda: SHRINKING, expect="imperative", reason="heap-write")
def changes_the_row_before(x):
    history = []
    last = None
    while x.sum() > 0.25:
        x = x * 0.7
        if last is not None:
            last["next"] = x.max()
        last = {"loss": x.sum(), "next": 0.0}
        history.append(last)
    return history


@program(rows=(7,), inputs=lambda: SHRINKING, expect="imperative", reason="loop-types-differ")
def repeats_a_row_now_and_then(x):
    history = []
    entry = {"loss": x.sum()}
    while x.sum() > 0.25:
        x = x * 0.7
        if x[0] > 0.3:
            entry = {"loss": x.sum()}
        history.append(entry)
    return history


@program(rows=(7,), inputs=lambda: SHRINKING, expect="imperative", reason="branch-types-differ")
def puts_in_one_row_twice(x):
    history = []
    while x.sum() > 0.25:
        x = x * 0.7
        entry = [x.sum()]
        history.append(entry)
        history.append(entry)
    if history:
        history[0].append(1.0)
    return history


@program(rows=(7,), inputs=lambda: SHRINKING, expect="imperative", reason="loop-types-differ")
def puts_one_row_into_two_lists(x):
    first, second = [], []
    while x.sum() > 0.25:
        x = x * 0.7
        entry = [x.sum()]
        first.append(entry)
        second.append(entry)
    return first, second


@program(rows=(7,), inputs=lambda: SHRINKING, expect="imperative", reason=("shared-result", "heap-write"))
def changes_a_row_afterwards(x):
    rows = [[x[0]]]
    first = rows[0]
    while x.sum() > 0.25:
        x = x * 0.7
        rows.append([x.sum()])
        if rows[-1][0] > 0.5:
            x = x * 0.9
    first[0] = 7.0
    rows[-1].append(x)
    return rows[0][0], rows[-1]


@program(rows=(7,), inputs=lambda: SHRINKING, expect="imperative", reason="shared-result")
def returns_rows_and_the_last(x):
    rows = []
    last = None
    while x.sum() > 0.25:
        x = x * 0.7
        last = {"loss": x.sum()}
        rows.append(last)
    return rows, last


class Log:
    def __init__(self):
        self.entries = []
        self.last = None

    def add(self, value):
        if self.last is not None:
            self.last["next"] = value
        self.last = {"value": value}
        self.entries.append(self.last)


@program(rows=(7,), inputs=lambda: SHRINKING, expect="imperative", reason="branch-types-differ")
def object_that_holds_the_last_row(x):
    log = Log()
    while x.sum() > 0.25:
        x = x * 0.7
        log.add(x.sum())
    return log.entries


@program(rows=(7,), inputs=lambda: SHRINKING, expect="any")
def generator_that_changes_its_rows_late(x):
    def entries(x):
        while x.sum() > 0.25:
            x = x * 0.7
            entry = {"loss": x.sum()}
            yield entry
            entry["late"] = x.max()

    kept = []
    for entry in entries(x):
        kept.append(entry)
    return kept


@program(rows=(7,), inputs=lambda: SHRINKING, expect="any")
def returns_one_list_twice(x):
    rows = []
    while x.sum() > 0.25:
        x = x * 0.7
        rows.append({"x": x})
    return {"rows": rows}, rows


@program(rows=(2, 3, 6), inputs=lambda: [(i32(10, 20, 30),), (i32(1, 0, 0),), (f32(1, 2, 3),)], expect="compiled")
def rows_of_weakly_typed_arrays(x):
    rows, pairs = [], []
    for i in range(50):
        x = x * 0.7
        rows.append(x)
    while x.sum() < 100:
        x = x * 1.5 + 0.01
        pairs.append((x, x.sum()))
    return rows, pairs
