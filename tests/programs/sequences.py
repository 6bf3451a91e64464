"""Lists whose length only the run knows, used as stacks, in parts and copies, searched for the best."""

import jax.numpy as jnp

from tests.programs import f32, program

SHRINKING = [(f32(1, 2, 3),), (f32(0.5, 0.1),), (f32(4, 0.25),)]


def sums_while_large(x):
    found = []
    while x.sum() > 1:
        x = x * 0.8
        if x[0] > 0.3:
            found.append(x.sum())
    return found


@program(rows=(2, 6), inputs=lambda: SHRINKING, expect="compiled")
def takes_parts(x):
    found = sums_while_large(x)
    parts = found[1:], found[:3], found[-3:], found[:-2], found[::-1], found[2:-1], found[-4:-2], found[5:2]
    return [[value + number for value in part] for number, part in enumerate(parts)]


@program(rows=(2, 6), inputs=lambda: SHRINKING, expect="compiled")
def copies_before_it_changes(x):
    found = sums_while_large(x)
    first, second = list(found), found.copy()
    first.append(x[0])
    if second:
        second.pop()
    found.append(x[1])
    return [v + 1 for v in found], [v + 2 for v in first], [v + 3 for v in second]


@program(rows=(2, 6, 4), inputs=lambda: SHRINKING, expect="compiled", unreached=1)
def stops_when_the_last_ones_settle(x):
    history = []
    while x.sum() > 1:
        x = x * 0.8
        history.append(x.sum())
        recent = history[-3:]
        with_more = list(history)
        with_more.append(x[0])
        if sum(recent) / len(recent) < 1.5 and with_more[-1] < 2:
            break
    return history, len(history)


@program(rows=(2, 6), inputs=lambda: SHRINKING, expect="compiled")
def best_of_what_was_found(x):
    found = sums_while_large(x)
    calls = 0

    def distance(value):
        nonlocal calls
        calls += 1
        return abs(value - 2)

    nearest = min(found, key=distance) if found else 0.0
    least = min(found, default=None)
    return max(found, key=None, default=-1), None if least is None else least + 1, nearest + 2, calls


@program(rows=(2, 6, 12), inputs=lambda: SHRINKING, expect="compiled")
def best_of_pairs(x):
    pairs = [(x.sum(), 0)]
    while x.sum() > 1:
        x = x * 0.8
        pairs.append((x.sum(), len(pairs)))
    last = max(pairs, key=lambda pair: pair[1])
    return last, min(pairs, key=lambda pair: abs(pair[0] - 2))[1]


@program(rows=(2, 6, 10), inputs=lambda: [(f32(3, 1),), (f32(0, 1),), (f32(9, 2),)], expect="compiled")
def works_off_a_stack(x):
    stack = [x.sum()]
    total, steps = 0.0, 0
    while stack and steps < 40:
        value = stack.pop()
        steps += 1
        if value > 1:
            stack.append(value * 0.4)
            stack.append(value * 0.3)
        else:
            total = total + value
    return total, steps, len(stack), stack


@program(rows=(2, 6, 10), inputs=lambda: [(f32(1, 2, 3),), (f32(1, 0.5),), (f32(0.5, 0.1),)], expect="compiled")
def pops_what_may_be_nothing(x):
    rows = []
    while x.sum() > 1:
        x = x * 0.5
        if x[0] > 0.1:
            rows.append({"value": x.sum()})
    last = rows.pop()
    before = rows.pop()
    return last["value"] + before["value"], len(rows)


@program(rows=(3, 6), inputs=lambda: [(f32(1, 2, 3),), (f32(-1, 2),)], expect="compiled")
def pops_and_puts_back(x):
    rows = [x.sum()]
    for _ in range(60):
        last = rows.pop()
        rows.append(last * 0.9)
        if last < 1:
            rows.append(last)
    return rows


@program(rows=(3, 6), inputs=lambda: [(f32(1, 2, 3),), (f32(-1, 2),)], expect="compiled")
def rearranges_what_a_loop_made(x):
    rows = []
    for _ in range(40):
        x = x * 0.9
        rows.append(x.sum())
    last, first = rows.pop(), rows.pop(0)
    rows[3] = last * 2
    del rows[0]
    rows.reverse()
    rows.sort()
    return last, first, rows


@program(rows=(7,), inputs=lambda: SHRINKING, expect="imperative", reason="shared-result")
def returns_rows_and_a_part(x):
    rows = []
    while x.sum() > 1:
        x = x * 0.8
        rows.append([x.sum()])
    return rows, rows[1:]


@program(rows=(2, 6), inputs=lambda: SHRINKING, expect="compiled")
def returns_a_table_as_an_array(x):
    table = []
    while x.sum() > 1:
        x = x * 0.8
        table.append([x[0], x[1]])
    return jnp.array(table), table


@program(rows=(7,), inputs=lambda: SHRINKING, expect="imperative", reason=("shared-result", "heap-write"))
def changes_what_it_popped(x):
    rows = []
    while x.sum() > 1:
        x = x * 0.8
        rows.append({"value": x.sum()})
    if not rows:
        return rows, None
    last = rows.pop()
    last["last"] = True
    return rows, last


@program(
    rows=(2, 6, 9), inputs=lambda: [(f32(1, 2, 3),), (f32(0.9, 0.2),), (f32(4, 0.25),)], expect="compiled", unreached=1
)
def folds_of_generators(x):
    history = [{"loss": x.sum(), "size": 1}]
    while x.sum() > 1:
        x = x * 0.8
        history.append({"loss": x.sum(), "size": len(history)})
    mean = sum(entry["loss"] for entry in history) / len(history)
    losses = list(entry["loss"] * 2 for entry in history)
    return mean, max(entry["size"] for entry in history), min((loss + 1 for loss in losses), default=0.0), len(losses)


@program(rows=(7,), inputs=lambda: SHRINKING, expect="any")
def folds_what_changes_meanwhile(x):
    values, seen = [x.sum()], []
    while x.sum() > 1:
        x = x * 0.8
        values.append(x.sum())

    def noted():
        for value in values:
            seen.append(value)
            yield value

    return sum(noted()), len(seen)
