"""Tuples, lists and dicts of arrays and numbers: read, built, nested, returned, the same object twice."""

import jax.numpy as jnp
import numpy as np

from tests.programs import Call, f32, grid, i32, program, scalar


def params(scale=1.0):
    return {"w": grid(2, 2) * scale, "b": f32(1, -1), "layers": [f32(1, 2), f32(3, 4)], "name": "net"}


@program(
    rows=(6, 12),
    inputs=lambda: [
        (params(), f32(1, 2)),
        (params(2.0), f32(-1, 2)),
        (params() | {"name": "other"}, f32(1, 2)),
        ({"b": f32(1, -1), "w": grid(2, 2), "layers": [], "name": "net"}, f32(1, 2)),
        (params() | {"extra": 1}, f32(1, 2)),
        ({"w": grid(2, 2)}, f32(1, 2)),
    ],
    expect="compiled",
)
def reads_dict(p, x):
    y = p["w"] @ x + p["b"]
    for layer in p["layers"]:
        y = y * layer
    if p["name"] == "net":
        y = y + 1
    return y, len(p), "extra" in p


@program(
    rows=(6,),
    inputs=lambda: [
        ({"a": f32(1, 2), "b": f32(3, 4)},),
        ({"b": f32(1, 2), "a": f32(3, 4)},),
        ({"a": 1.5, "b": f32(3, 4)},),
        ({},),
        ({"a": f32(1)},),
    ],
    expect="compiled",
)
def over_dict_items(p):
    total = 0.0
    order = ""
    for name, value in p.items():
        total = total * 2 + value
        order = order + name
    for value in p.values():
        total = total + value
    for name in p:
        total = total + p[name]
    return total, order


@program(
    rows=(6,),
    inputs=lambda: [(f32(1, 2), 3), (f32(-1, 2), 3), (i32(1, 2), 4), (f32(), 0)],
    expect="compiled",
)
def builds_containers(x, n):
    pair = (x, n)
    nested = {"pair": pair, "list": [x * 2, [n, None, "text"]], "empty": (), "z": {}, "a": 1.5}
    if x.sum() > 0:
        first = nested["list"][0] + 1
    else:
        first = nested["pair"][0]
    return nested, first, [pair, pair]


def same_twice():
    x = f32(1, 2)
    row = [x, x]
    return [
        Call((x, f32(3, 4))),
        Call((x, x)),
        Call((row, row)),
        Call((x, x * 1)),
        Call((2.0, 2.0)),
        Call((x, None)),
    ]


@program(rows=(19, 6), inputs=same_twice, expect="compiled")
def returns_arguments(x, y):
    return x, (y, x), {"x": x, "new": x * 2 if y is not None else y}


@program(
    rows=(6,),
    inputs=lambda: [
        (f32(1, 2),),
        (None,),
        ("text",),
        ((f32(1), 2),),
        ([f32(1), {"a": None}],),
        (True,),
        (3,),
        (2.5,),
        ({},),
    ],
    expect="compiled",
)
def identity(x):
    return x


@program(
    rows=(6,),
    inputs=lambda: [(f32(1, 2),), (f32(-1, 2),), (f32(0, 0),), (i32(1, 2),)],
    expect="compiled",
)
def same_object_in_result(x):
    y = x * 2
    if y.sum() > 0:
        z = -y
    else:
        z = x
    both = [y, z, y]
    return both, both, y, (x, z)


@program(
    rows=(6, 3),
    inputs=lambda: [
        ([f32(1), f32(2), f32(3)], 1),
        ([f32(1), f32(2), f32(3)], 2),
        ([f32(1), f32(2), f32(3)], -1),
        ([f32(1), f32(2), f32(3)], 3),
        ((f32(1), 2.0, f32(3)), 1),
        ([f32(1), f32(2, 3), f32(3)], 1),
    ],
    expect="compiled",
)
def static_index(items, i):
    chosen = items[i]
    head = items[:2]
    tail = items[i:]
    return chosen + items[0], len(head), tail[-1], items[::-1][0]


@program(
    rows=(6, 3),
    inputs=lambda: [
        ([f32(1, 2), f32(3, 4), f32(5, 6)], f32(1, 1)),
        ([f32(1, 2), f32(3, 4)], f32(1, 1)),
        ([f32(1, 2), f32(3, 4), f32(5, 6)], f32(-100, 1)),
        ([], f32(1, 1)),
        ([grid(2, 2), grid(2, 2)], f32(1, 1)),
    ],
    expect="compiled",
)
def loop_variable_as_static_index(layers, x):
    for i in range(len(layers)):
        y = layers[i] * x
        if i > 0 and y.sum() < 0:
            y = y + layers[i - 1]
        x = y
    return x


@program(
    rows=(6, 12),
    inputs=lambda: [
        ((f32(1, 2), (f32(3), 4.0)), 2),
        ((f32(1, 2), (f32(3), 4.0)), 0),
        ((f32(1, 2), (f32(-3), 5)), 2),
        ((1, (2, 3)), 3),
        ((f32(1, 2), [f32(3), 4.0]), 2),
        ((f32(1, 2), (f32(3), 4.0)), 3),
    ],
    expect="compiled",
)
def carries_nested_tuples(state, n):
    for i in range(n):
        a, (b, c) = state
        state = (a + b, (b * 2, c + i))
    return state


@program(
    rows=(6,),
    inputs=lambda: [
        ((1, 2, 3), (4,)),
        ((), (4,)),
        ((f32(1), 2), (f32(3),)),
        ([1, 2], [3]),
        ("ab", "cd"),
        ((1,), [2]),
    ],
    expect="compiled",
)
def sums_of_sequences(a, b):
    c = a + b
    d = a * 2
    return c, d, len(c), a == b if len(a) == 0 else False


@program(
    rows=(6, 15),
    inputs=lambda: [
        (np.array([1.0, 2.0], np.float32), f32(1, 2)),
        (np.array([3.0, -4.0], np.float32), f32(1, 2)),
        (np.array([3, 4]), f32(1, 2)),
        (np.array([1.0, 2.0]), f32(1, 2)),
        (np.float32(2.0), f32(1, 2)),
        (np.array([1.0, 2.0, 3.0], np.float32)[::-2], f32(1, 2)),
        (np.array([], np.float32), f32()),
    ],
    expect="compiled",
)
def numpy_meets_jax(a, x):
    y = jnp.asarray(a) * 2 + x
    z = jnp.dot(a, x) if a.ndim else a * x
    if y.sum() > 0:
        y = x - a
    return y, z


@program(
    rows=(6,),
    inputs=lambda: [
        ((scalar(1.0), "a", None), {"k": f32(1)}),
        ((scalar(-1.0), "a", None), {"k": f32(1)}),
        ((scalar(1.0), "b", None), {"k": f32(1)}),
        ((scalar(1.0), "a", 5), {"k": f32(1)}),
        ((scalar(1.0), "a", None), {"k": None}),
        ((scalar(1.0), "a"), {"k": f32(1)}),
    ],
    expect="compiled",
)
def strings_and_none_inside(bundle, table):
    value, tag, extra = bundle
    result = table["k"]
    if tag == "a" and extra is None and value > 0:
        return {"result": result, "tag": tag + "!"}
    if result is None:
        return ()
    return [result, tag, extra, -value]


@program(
    rows=(6,),
    inputs=lambda: [
        (f32(1, 2, 3, 4), 1, 3),
        (f32(1, 2, 3, 4), 0, 2),
        (f32(1, 2, 3, 4), 3, 1),
        (f32(1, 2, 3, 4), -2, None),
        (f32(1, 2), 0, 9),
        (grid(3, 2), 1, 2),
    ],
    expect="compiled",
)
def slices_of_arrays(x, start, stop):
    middle = x[start:stop]
    return middle, x[::2], x[start], middle.sum(), x[..., -1], middle.shape[0]


@program(
    rows=(6, 15),
    inputs=lambda: [
        (np.arange(3.0), f32(1, 2, 3)),
        (np.arange(3.0), f32(-1, -2, -3)),
        (np.arange(3, dtype=np.float32), f32(1, 2, 3)),
        (np.arange(3), f32(1, 2, 3)),
        (np.float32(2.0), f32(1, 2, 3)),
    ],
    expect="compiled",
)
def numpy_becomes_jax(a, x):
    first, second = jnp.asarray(a), jnp.ravel(a)
    chosen = jnp.squeeze(a) if x.sum() > 0 else x
    kept = a if x[0] > 1 else None
    return first, second, chosen, kept, {"given": a, "made": jnp.asarray(a)}


@program(
    rows=(6, 3),
    inputs=lambda: [
        ([f32(i, -i) for i in range(70)],),
        ([f32(-i, i) for i in range(70)],),
        ([f32(1, 2)] * 70,),
    ],
    expect="compiled",
)
def largest_of_many(xs):
    best = last = xs[0]
    for x in xs:
        if x[0] > best[0]:
            best = x
        last = x
    return best, last


@program(rows=(6,), inputs=lambda: [(f32(1, 2), 2, 0.5), (f32(-1, 2), 3, 1.5), (f32(1, 2), 2, 2.5)], expect="compiled")
def joins_dicts_and_sets(x, n, scale):
    base = {"rate": scale, "x": x}
    merged = base | {"x": x * 2, n: 1}
    base |= [("late", x + 1)]
    table = dict(zip("abc", x)) | dict.fromkeys(("a", None), scale)
    small, large = {1, n}, {1, 2, 3, 4}
    rest = (large - small) | {9} ^ (small & large)
    rest &= {3, 9, 4}
    rest -= {4}
    if small <= large and not small.isdisjoint(rest.union([2])):
        x = x * len(rest)
    return base, merged, table, sorted(rest), x, small == {1, 2}, large.issuperset((1, 3)), {n: x}[n]


@program(
    rows=(6,),
    inputs=lambda: [(f32(1, 2), 2, 0.5), (f32(1, 2), 7, 2.0), (f32(1, 2), 3, -1.0), (f32(1, 2), 2, float("nan"))],
    expect="compiled",
)
def asks_what_is_in(x, n, scale):
    if n in (2, 3, 5) and scale not in [1.0, 2.0]:
        x = x + 1
    if (n, "a") == (3, "a") or (n, 1) < (2, scale) or [n] >= [7, 0]:
        x = x * 3
    names = ("a", "b", "a")
    late = {n, 3}
    return x, None in (n, scale), n in {2: x}, 3 in late, names.index("b"), names.count("a"), "a" in "abc"


@program(rows=(6,), inputs=lambda: [(f32(1, 2), 6), (f32(-1, 2), 2), (f32(1, 2), 0)], expect="compiled")
def tuples_that_grow(x, n):
    powers = ()
    for k in range(n):
        powers = (*powers, x**2 + k)
        powers = powers + (x * k,)
    head, tail = powers[:3], powers[-2:]
    return head * 2 + tail, [0.5] * n, [*tail][::-1], "ab".title().center(6, "-")


@program(rows=(6,), inputs=lambda: [(f32(1, 2), 1.5), (f32(-1, 2), 2.5)], expect="compiled")
def changes_what_it_goes_through(x, scale):
    rows = [x, x + 1, x + 2]
    for place, row in enumerate(rows):
        rows[place] = row * scale
    table = {"a": x, "b": x * 2}
    for name in table:
        table[name] = table[name] + 1
    later = table.values()
    table["c"] = x
    for name in table:
        if name == "b":
            del table[name]
            break
    sizes = [len(list(later)), len(later)]
    return rows, table, sizes


@program(rows=(9,), inputs=lambda: [(f32(1, 2),), (f32(-1, 2),)], expect="imperative", reason="heap-write")
def grows_what_it_goes_through(x):
    rows = [x]
    for row in rows:
        if len(rows) < 5:
            rows.append(row + 1)
    return rows


@program(rows=(9,), inputs=lambda: [(f32(1, 2),), (f32(-1, 2),)], expect="imperative", reason="heap-write")
def grows_a_dict_it_goes_through(x):
    table = {"a": x}
    try:
        for name in table:
            table[name + "b"] = x
    except RuntimeError:
        return len(table)
    return table


@program(rows=(9,), inputs=lambda: [(f32(1, 2),), (f32(-1, 2),)], expect="imperative", reason="heap-write")
def maps_what_it_changes(x):
    rows = [x, x + 1]

    def shift(row):
        rows[1] = rows[1] + row
        return row * 2

    return list(map(shift, rows)), rows


@program(rows=(9,), inputs=lambda: [(f32(*range(90)),), (f32(*range(70)),)], expect="any")
def grows_long_list(x):
    rows = list(x)
    total = x[0]
    for row in rows:
        total = total + row
        if len(rows) < 100:
            rows.append(row)
    return total, len(rows)


@program(rows=(9,), inputs=lambda: [(f32(1, 2),), (f32(-1, 2),)], expect="imperative", reason="staging-error")
def set_with_a_list(x):
    found = {1}
    try:
        found |= [2]
    except TypeError:
        return x
    return -x
