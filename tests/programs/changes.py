"""Lists, dicts, sets and outer variables that the call makes and changes: in branches, in loops, by alias."""

import jax
import jax.numpy as jnp
import numpy as np

from tests.programs import f32, program

BOTH = [(f32(1, 2, 3),), (f32(-1, -2, -3),)]


@program(rows=(6,), inputs=lambda: [(f32(1, 2),), (f32(-1, 2),), (f32(),)], expect="compiled")
def appends_to_local_list(x):
    kept = []
    for value in x:
        kept.append(value * 2)
    return kept


@program(rows=(7,), inputs=lambda: [(f32(1, 2), 3), (f32(1, 2), 0), (f32(1, 2), 9)], expect="compiled")
def inner_function_writes_nonlocal(x, n):
    total = 0.0

    def add(value):
        nonlocal total
        total = total + value

    for _ in range(n):
        add(x.sum())
    return total


@program(rows=(6,), inputs=lambda: BOTH, expect="compiled")
def changes_in_branches(x):
    out = []
    out.append(x)
    if x.sum() > 0:
        out[0] = out[0] * 2
    else:
        out[0] = out[0] - 1
    out.append(x + 1)
    return out


@program(rows=(6,), inputs=lambda: BOTH, expect="compiled")
def changes_dict_in_loop(x):
    state = {"a": x, "n": 0}
    for i in range(100):
        state["a"] = state["a"] * 0.5 + i
        state["n"] += 1
    return state


@program(rows=(6,), inputs=lambda: BOTH, expect="compiled")
def changes_by_alias(x):
    a = [x]
    b = a
    if x.sum() > 0:
        b.append(x + 1)
    else:
        a[0] = x * 3
    return a, b[0], len(b)


@program(rows=(6,), inputs=lambda: BOTH, expect="compiled")
def changes_what_is_nested(x):
    table = {"p": [x, {"q": x}]}
    inner = table["p"][1]
    for i in range(30):
        inner["q"] = inner["q"] * 0.5 + i
        if inner["q"].sum() > 20:
            table["p"][0] = table["p"][0] + 1
    return table, inner


@program(rows=(6,), inputs=lambda: BOTH, expect="compiled")
def made_in_both_arms(x):
    if x.sum() > 0:
        c = [x]
    else:
        c = [x * 2]
    c.append(x)
    c[0] = c[0] + 1
    return c


@program(rows=(6,), inputs=lambda: BOTH, expect="imperative", reason="heap-write")
def changes_one_of_two(x):
    a = [x]
    b = [x + 1]
    if x.sum() > 0:
        c = a
    else:
        c = b
    c[0] = x * 100
    return a, b, c


@program(rows=(6,), inputs=lambda: BOTH, expect="compiled")
def shared_by_closure(x):
    seen = []

    def note(value):
        seen.append(value)
        return len(seen)

    a = note(x)
    if x.sum() > 0:
        b = note(x + 1)
    else:
        b = 0
    return a, b, len(seen)


@program(rows=(6,), inputs=lambda: [(f32(*range(12)),), (f32(*range(-12, 0)),)], expect="compiled")
def collects_rows(x):
    ys = []
    s = 0.0
    for v in x:
        s = s + v
        ys.append(s)
    return jnp.stack(ys), len(ys), ys[-1]


@program(rows=(6,), inputs=lambda: [(f32(1, 2), 30), (f32(1, 2), 40), (f32(1, 2), 0)], expect="compiled")
def looks_back(x, n):
    ys = [x]
    for i in range(n):
        ys.append(ys[-1] * 0.5 + i)
    return jnp.stack(ys), len(ys)


@program(rows=(2, 6), inputs=lambda: [(f32(1, 2),), (f32(8, 2),), (f32(-1),)], expect="compiled")
def collects_until(x):
    ys = []
    while x.sum() > 0.125:
        x = x * 0.5
        ys.append(x.sum())
    return ys


@program(rows=(2, 6), inputs=lambda: BOTH, expect="compiled")
def looks_back_until(x):
    history = [x.sum()]
    while history[-1] > 0.125 and len(history) < 20:
        history.append(history[-1] * 0.5)
    return history


@program(rows=(6,), inputs=lambda: BOTH, expect="compiled")
def appends_now_and_then(x):
    ys = []
    for i in range(20):
        if x[0] * i > 5:
            ys.append(x * i)
    return len(ys), ys


@program(rows=(6,), inputs=lambda: [(f32(1), 5), (f32(-1), 17), (f32(1), 70)], expect="compiled")
def fibonacci(x, n):
    a = [1, 1]
    for _ in range(n):
        a.append(a[-1] + a[-2])
    return a, x * a[-1]


@program(rows=(6,), inputs=lambda: BOTH, expect="compiled")
def appends_two_at_a_time(x):
    a = []
    b = []
    for i in range(40):
        a.append(x * i)
        a.append(x + i)
        b.append((i, x.sum() * i))
    return len(a), a[3], b[5], b


@program(rows=(4, 6), inputs=lambda: BOTH, expect="compiled")
def stops_appending(x):
    out = []
    for i in range(40):
        if x.sum() * i > 30:
            break
        out.append(x * i)
    return out


@program(rows=(4, 6), inputs=lambda: BOTH, expect="compiled")
def skips_appending(x):
    out = []
    for i in range(40):
        if x.sum() * i > 30:
            continue
        out.append(i)
    return out


@program(rows=(6,), inputs=lambda: BOTH, expect="compiled")
def rows_of_rows(x):
    m = []
    for i in range(10):
        row = []
        for j in range(12):
            row.append(x[0] * i + j)
        m.append(jnp.stack(row))
    return jnp.stack(m)


@program(rows=(6,), inputs=lambda: BOTH, expect="compiled")
def appends_in_inner_loop(x):
    m = []
    for i in range(10):
        for j in range(12):
            if j > i:
                m.append(x[0] * i + j)
    return m


@program(rows=(6, 38), inputs=lambda: BOTH, expect="compiled")
def gradient_through_list(x):
    def loss(w):
        hs = []
        h = w
        for _ in range(10):
            h = h * w * 0.5
            hs.append(h)
        return jnp.stack(hs).sum()

    return jax.grad(loss)(x)


@program(rows=(6,), inputs=lambda: BOTH, expect="compiled")
def deletes(x):
    table = {"a": x, "b": x + 1, 3: x}
    items = [x, x + 1, x + 2]
    if x.sum() > 0:
        table["a"] = x * 9
    del table["b"]
    del items[0]
    items.insert(1, x)
    items.reverse()
    table.update(c=x, a=1)
    first = table.pop(3)
    return table, items, first, table.setdefault("d", 5), len(table), table.get("zz")


@program(rows=(6,), inputs=lambda: BOTH, expect="compiled")
def sets_of_numbers(x):
    seen = {1, 2}
    seen.add(5)
    n = 0
    for k in (1, 5, 7):
        if k in seen:
            n += 1
    return x * n, sorted(seen), len(seen), 7 in seen


@program(rows=(6,), inputs=lambda: [(f32(1, 2), 3), (f32(-1, 2), 0)], expect="compiled")
def reads_rows_again(x, n):
    ys = []
    for i in range(50):
        ys.append(x * i)
    total = x * 0
    for y in ys:
        total = total + y
    pairs = [a.sum() + b for a, b in zip(ys, range(50))]
    return total, ys[n], pairs[n], len(pairs)


@program(rows=(5, 6), inputs=lambda: BOTH, expect="compiled")
def collects_words(x):
    out = []
    for name, value in zip(["a", "b", "c"], x):
        if value > 1.5:
            out.append(name)
    marks = []
    for i in range(30):
        if x[0] * i > 5:
            marks.append("up")
        else:
            marks.append(None)
    kept = {"a": x[0] > 0, "b": x[1] > 5, "c": x[2] < 0}
    return out, marks, [name for name, holds in kept.items() if holds]


@program(rows=(5,), inputs=lambda: BOTH, expect="compiled")
def greatest_of_unlike_values(x):
    greatest = 0.0
    for value in x:
        greatest = max(greatest, value)
    return greatest, min(5, x[0])


@program(rows=(7, 12), inputs=lambda: BOTH, expect="compiled")
def changes_here_and_rebinds_there(x):
    node = Shared(x)
    other = node
    rows = [[x], [x + 1]]
    first = rows[0]
    pair = (node, first)
    if x.sum() > 0:
        other.value = x * 3
        first[0] = x * 7
        first.append(x)
    else:
        node = Shared(x + 1)
        rows[0] = [x * 5, x]
        pair = (node, rows[0])
    return node.value + other.value, rows[0][0] + first[0], pair[0].value, pair[1][0]


@program(rows=(3, 7), inputs=lambda: [(f32(1, 2), f32(3, 4)), (f32(-1, 2), f32(3, 4))], expect="compiled")
def replaces_what_a_list_held(x, y):
    held = [x, x * 2]
    for _ in range(6):
        held = held
        held[0] = y
    table = {"a": x}
    for _ in range(6):
        table = keep(table, y)
    return x, held, table, x


def keep(table, value):
    """Put a value into a dict, and hand the dict on."""
    table["a"] = value
    return table


class Shared:
    """An object with one attribute, or two."""

    def __init__(self, value):
        self.value = value


@program(rows=(1, 7), inputs=lambda: BOTH, expect="compiled")
def holds_one_object_twice(x):
    values = [1]
    node = Shared(x)
    if x.sum() > 0:
        same = values
        node.values = values
        several = (values, values)
    else:
        same = None
        several = None
    return same, node, several, values


@program(rows=(1, 7), inputs=lambda: [(f32(1, 2), [1, 2]), (f32(-1, 2), [1, 2])], expect="compiled")
def holds_one_object_in_one_alternative(x, given):
    values = [1]
    chosen = given if x.sum() > 0 else [values, values, values]
    return chosen, values


@program(rows=(5, 7), inputs=lambda: BOTH, expect="compiled")
def chooses_a_numpy_array(x):
    mine = np.array(x + 1)
    chosen = mine if x.sum() > 0 else np.array(x)
    return chosen, mine


@program(rows=(9,), inputs=lambda: BOTH, expect="compiled")
def takes_what_a_generator_returns(x):
    def inner():
        yield x
        return x * 2

    def outer():
        last = yield from inner()
        yield last
        nothing = yield from [x]
        yield nothing is None

    return list(outer())
