"""Programs that stay in Python: one at least for each Reason that a user can provoke, each with its effect.

Whatever the effect is, it must happen as often, in the order, and with the values of plain Python.
"""

import gc
import inspect
import logging
import os
import random
import sys
import tempfile
import threading
import time
import warnings

import jax
import jax.numpy as jnp
import numpy as np

from tests.programs import f32, grid, program, scalar
from tests.programs.objects import Model


@program(
    rows=(13,), inputs=lambda: [(f32(1, 2), 3), (f32(-1, 2), 3), (f32(1, 2), 0)], expect="imperative", reason="effect"
)
def prints(x, n):
    for i in range(n):
        x = x * 2
        print("step", i, float(x.sum()))
    if x.sum() > 0:
        print(x, end="!\n")
    return x


@program(
    rows=(13,),
    inputs=lambda: [(f32(1, 2),), (f32(3, 4),)],
    expect="imperative",
    reason=("effect", "callback", "opaque-call"),
)
def debug_prints(x):
    jax.debug.print("x = {}", x)
    return x + 1


@program(
    rows=(7,),
    inputs=lambda: [(f32(1, 2), []), (f32(-1, 2), [5]), (f32(1, 2), [[]])],
    expect="imperative",
    reason="heap-write",
)
def appends_to_argument(x, log):
    for value in x:
        if value > 0:
            log.append(value)
    return log


@program(
    rows=(7,),
    inputs=lambda: [({"a": f32(1)}, 2), ({"a": f32(-1)}, 2), ({"a": 1}, 3)],
    expect="imperative",
    reason="heap-write",
)
def stores_into_dict(table, k):
    table["b"] = table["a"] * k
    return table


@program(
    rows=(14,), inputs=lambda: [([f32(1), 2, 3], 1), ([f32(1), 2, 3], 7)], expect="imperative", reason="heap-write"
)
def stores_into_list(items, i):
    items[i] = items[0] + 1
    del items[0]
    return items


@program(
    rows=(14,),
    inputs=lambda: [([1],), ([f32(1)],), ((1, 2),)],
    expect="imperative",
    reason=("heap-write", "unsupported-statement"),
)
def extends_in_place(items):
    other = items
    other += [4]
    return items


@program(
    rows=(7, 12),
    inputs=lambda: [(f32(1, 2), Model(2.0)), (f32(1, 2), Model(3.0)), (f32(1, 2), None)],
    expect="imperative",
    reason=("heap-write", "object-attribute"),
)
def writes_attribute(x, model):
    model.weight = x
    model.steps += 1
    return model.steps


COUNTER = 0


def reset_counter():
    global COUNTER
    COUNTER = 0


@program(
    rows=(7,),
    inputs=lambda: [(f32(1, 2), 3), (f32(1, 2), 0)],
    expect="imperative",
    reason=("heap-write", "unsupported-statement"),
    reset=reset_counter,
    observe=lambda: COUNTER,
)
def writes_global(x, n):
    global COUNTER
    for _ in range(n):
        COUNTER += 1
        x = x * COUNTER
    return x


def make_counter():
    count = 0

    def bump(x):
        nonlocal count
        count += 1
        return x * count

    def clear():
        nonlocal count
        count = 0

    return bump, clear


bump, clear_count = make_counter()
program(
    rows=(7,),
    inputs=lambda: [(f32(1, 2),), (2.0,)],
    expect="imperative",
    reason=("heap-write", "unsupported-statement"),
    reset=clear_count,
    observe=lambda: bump.__closure__[0].cell_contents,
    name="writes_nonlocal",
)(bump)


@program(
    rows=(9,),
    inputs=lambda: [(f32(1, 2), 2), (f32(1, 2), 0)],
    expect="imperative",
    reason=("generator", "unsupported-result"),
)
def is_generator(x, n):
    for i in range(n):
        yield x * i


@program(rows=(9,), inputs=lambda: [(f32(1, 2),), (f32(3),), ([1, 2],)], expect="any")
def uses_comprehension(x):
    squares = [value * value for value in x]
    table = {i: s for i, s in enumerate(squares)}
    return squares, table, {len(squares)}


@program(
    rows=(9,),
    inputs=lambda: [(iter([1, 2, 3]), f32(1, 2)), (iter(()), f32(1, 2))],
    expect="imperative",
    reason=("hidden-state", "object-attribute"),
)
def consumes_iterator(items, x):
    for item in items:
        x = x + item
        if item == 2:
            break
    return x, list(items)


@program(rows=(10,), inputs=lambda: [(3, f32(1)), ((1, 2), f32(1)), ("x", f32(1))], expect="any")
def matches(value, x):
    match value:
        case int():
            return x * value
        case (a, b):
            return x + a - b
        case _:
            return x


@program(
    rows=(14, 15),
    inputs=lambda: [(np.arange(3.0),), (np.arange(3),), (np.zeros(0),)],
    expect="imperative",
    reason=("numpy-array", "heap-write"),
)
def numpy_in_place(a):
    a += 1
    a[1:] *= 2
    return a


@program(
    rows=(15,),
    inputs=lambda: [(np.arange(3.0), 2), (np.arange(3), 2), (np.array([True]), 2)],
    expect="imperative",
    reason="numpy-array",
)
def numpy_arithmetic(a, k):
    b = a * k + 1
    if b.sum() > 3:
        return np.sqrt(b)
    return b


@program(rows=(14,), inputs=lambda: [(f32(1, 2, 3),), (f32(4),)], expect="imperative", reason=("heap-write", "raises"))
def assigns_item_of_jax_array(x):
    x[0] = 5.0
    return x


@program(rows=(16,), inputs=lambda: [(f32(1, 2),), (2.0,)], expect="imperative", reason="hidden-state")
def draws_from_random(x):
    if random.random() > 0.5:
        return x * random.gauss(0.0, 1.0)
    return x + random.randint(0, 9)


@program(
    rows=(16,),
    inputs=lambda: [(f32(1, 2), 2), (f32(1, 2), 0)],
    expect="imperative",
    reason=("hidden-state", "numpy-array"),
)
def draws_from_numpy(x, n):
    for _ in range(n):
        x = x + np.random.rand()
    return x, np.random.randint(10, size=2)


@program(rows=(19,), inputs=lambda: [(f32(1, 2),), (3,)], expect="imperative", reason="hidden-state")
def reads_clock(x):
    start = time.time()
    y = x * 2
    return y, time.time() >= start, time.perf_counter() > 0


@program(rows=(19,), inputs=lambda: [(f32(1, 2), 3), (f32(-1, 2), 4)], expect="imperative", reason=("frame-access",))
def reads_locals(x, n):
    y = x * n
    return sorted(locals()), sorted(vars()), dir()


@program(
    rows=(19,), inputs=lambda: [(f32(1, 2), "x + 1"), (f32(1, 2), "x * 2")], expect="imperative", reason="frame-access"
)
def evaluates(x, text):
    scope = {"x": x}
    exec("z = x - 1", {}, scope)
    return eval(text), scope["z"]


@program(rows=(19,), inputs=lambda: [(f32(1, 2),), (f32(-1, 2),)], expect="imperative", reason="frame-access")
def looks_at_frame(x):
    return x, sys._getframe().f_code.co_name, inspect.currentframe().f_lineno


@program(rows=(19,), inputs=lambda: [(f32(1, 2),), ((1, 2),)], expect="imperative", reason="identity")
def asks_for_identity(x):
    y = x
    return id(x) == id(y), y is x


@program(
    rows=(19,), inputs=lambda: [(2.5, f32(1)), (-1, f32(1)), ("text", f32(1))], expect="imperative", reason="identity"
)
def asks_for_hash(key, x):
    return hash(key) % 1000 + x


@program(
    rows=(19,),
    inputs=lambda: [(f32(1, 2),), (f32(3),)],
    expect="imperative",
    reason=("hidden-state", "effect", "unsupported-statement"),
)
def reads_and_writes_files(x):
    path = os.path.join(tempfile.gettempdir(), f"gallery-{os.getpid()}.txt")
    handle = open(path, "w")
    handle.write(str(x.sum()))
    handle.close()
    os.remove(path)
    return x, os.path.exists(path)


@program(
    rows=(19,),
    inputs=lambda: [(f32(1, 2),), (f32(3),)],
    expect="imperative",
    reason=("hidden-state", "callback", "opaque-call", "heap-write"),
)
def starts_thread(x):
    box = [x]
    thread = threading.Thread(target=box.append, args=(x + 1,))
    thread.start()
    thread.join()
    return box


LOCK = threading.Lock()


@program(
    rows=(19,),
    inputs=lambda: [(f32(1, 2),), (f32(3),)],
    expect="imperative",
    reason=("hidden-state", "opaque-call", "object-attribute", "unsupported-statement"),
)
def takes_lock(x):
    LOCK.acquire()
    y = x + 1
    LOCK.release()
    return y, LOCK.locked()


@program(rows=(38,), inputs=lambda: [(grid(3, 2),), (grid(1, 2),), (grid(2, 3),)], expect="compiled")
def vmaps_user_function(x):
    return jax.vmap(lambda row: row.sum() * row)(x)


@program(rows=(38,), inputs=lambda: [(f32(1, 2, 3),), (f32(4),)], expect="compiled")
def scans_user_function(x):
    def step(total, value):
        return total + value, total * value

    return jax.lax.scan(step, jnp.float32(0), x)


@jax.jit
def jitted_square(x):
    return x * x


@program(rows=(38,), inputs=lambda: [(f32(1, 2),), (f32(-1),), (2.0,)], expect="any")
def calls_jitted_function(x):
    return jitted_square(x) + 1


def outside(x):
    return np.asarray(x) * 2


@program(
    rows=(19, 38), inputs=lambda: [(f32(1, 2),), (f32(-1, 4),)], expect="imperative", reason=("callback", "opaque-call")
)
def calls_back_to_the_host(x):
    return jax.pure_callback(outside, jax.ShapeDtypeStruct((2,), jnp.float32), x)


@program(
    rows=(17,),
    inputs=lambda: [(scalar(3, jnp.int32), 1.0), (scalar(5, jnp.int32), 1.0), (scalar(0, jnp.int32), 1.0)],
    expect="imperative",
    reason=("concrete-value", "number-math"),
)
def shape_from_item(n, fill):
    y = jnp.zeros(n.item()) + fill
    return y, jnp.arange(int(n))


@program(
    rows=(17,),
    inputs=lambda: [(f32(1, -2, 3),), (f32(-1),), (f32(1, 2),)],
    expect="imperative",
    reason=("concrete-value", "staging-error"),
)
def boolean_mask(x):
    return x[x > 0], jnp.nonzero(x)[0]


def without_source():
    scope = {"jnp": jnp}
    exec("def hidden(x):\n    if x.sum() > 0:\n        return x * 2\n    return jnp.abs(x)", scope)
    return scope["hidden"]


hidden = without_source()


@program(
    rows=(19,), inputs=lambda: [(f32(1, 2),), (f32(-1, -2),)], expect="imperative", reason=("no-source", "opaque-call")
)
def calls_function_without_source(x):
    return hidden(x) + 1


@program(rows=(10,), inputs=lambda: [(f32(1, 2), 0), (f32(1, 2), 1)], expect="imperative", reason="raises")
def always_raises(x, k):
    y = x * 2
    raise LookupError("nothing here", k)


@program(rows=(10,), inputs=lambda: [(f32(1, 2),), (f32(1),)], expect="any")
def calls_with_wrong_shapes(x):
    return x + jnp.ones(5)


@program(
    rows=(10,), inputs=lambda: [(f32(1, 2), {"a": 1}), (f32(1, 2), {"b": 1})], expect="imperative", reason="raises"
)
def missing_key(x, table):
    return x * table["b"] if "a" not in table else table["c"]


@program(
    rows=(1,),
    inputs=lambda: [(f32(1, 2),), (f32(1),), (f32(0),)],
    expect="imperative",
    reason=("truth-of-array", "raises"),
)
def truth_of_vector(x):
    if x > 0:
        return x
    return -x


@program(rows=(5,), inputs=lambda: [(f32(1, 2), 3), (f32(1, 2), 0), (f32(1, 2), 4)], expect="any")
def grows_in_loop(x, n):
    for _ in range(n):
        x = jnp.concatenate([x, x[-1:] * 2])
    return x


@program(rows=(5,), inputs=lambda: [(scalar(3.0),), (scalar(0.0),), (scalar(5.0),)], expect="any")
def grows_in_while(x):
    y = jnp.ones(1)
    while x > 0:
        y = jnp.concatenate([y, y])
        x = x - 1
    return y


def countdown(x, n):
    if n <= 0:
        return x
    return countdown(x + n, n - 1)


@program(rows=(11,), inputs=lambda: [(f32(1), 120), (f32(1), 3), (f32(1), 0)], expect="any")
def deep_recursion(x, n):
    return countdown(x, n)


def descend(x):
    if x.sum() < 1:
        return x
    return descend(x / 2) + 1


@program(rows=(11,), inputs=lambda: [(f32(100, 20),), (f32(0.1, 0.1),), (f32(5),)], expect="any")
def recursion_on_array(x):
    return descend(x)


@program(
    rows=(13,),
    inputs=lambda: [(f32(1, 2),), (f32(-1, 2),)],
    expect="imperative",
    reason=("effect", "opaque-call", "hidden-state"),
)
def warns_and_logs(x):
    if x.sum() > 0:
        warnings.warn("positive", UserWarning, stacklevel=1)
    logging.getLogger("gallery").debug("sum %s", x.sum())
    return x


@program(
    rows=(19,),
    inputs=lambda: [(f32(1, 2),), (f32(3),)],
    expect="imperative",
    reason=("frame-access", "hidden-state", "effect", "opaque-call"),
)
def runs_collector(x):
    gc.collect(0)
    return x + 1


@program(
    rows=(19,),
    inputs=lambda: [(f32(1, 2),), (f32(3),)],
    expect="imperative",
    reason=("hidden-state", "no-source", "unsupported-expression", "opaque-call"),
)
def reads_environment(x):
    return x * len(os.environ.get("GALLERY_HAS_NO_SUCH_NAME", "ab"))


class Odd:
    """An object with behaviour behind every operator."""

    calls = 0

    def __mul__(self, other):
        Odd.calls += 1
        return other

    __rmul__ = __mul__

    def __bool__(self):
        Odd.calls += 1
        return True


def forget_odd(kind=Odd):
    kind.calls = 0
    if isinstance(globals().get("Odd"), type) and issubclass(Odd, kind):  # what a test has put in its place
        Odd.calls = 0


ODD = Odd()


@program(
    rows=(12,),
    inputs=lambda: [(f32(1, 2),), (3,)],
    expect="imperative",
    reason="heap-write",
    reset=forget_odd,
    observe=lambda kind=Odd: kind.calls,
)
def operators_of_objects(x):
    if ODD:
        return 2 * ODD, Odd.calls
    return x


@program(
    rows=(9,),
    inputs=lambda: [({3, 1, 2}, f32(1)), (frozenset({1}), f32(1))],
    expect="imperative",
    reason="object-attribute",
)
def argument_is_a_set(items, x):
    for item in sorted(items):
        x = x + item
    return x


@program(
    rows=(12,), inputs=lambda: [(f32(1, 2), 2.0), (f32(-1, 2), 3.0)], expect="imperative", reason="unsupported-result"
)
def returns_closure(x, k):
    def scaled(y):
        return x * y * k

    return scaled(1.0), scaled


@program(rows=(7,), inputs=lambda: [(f32(1, 2), [3.0, 1.0]), (f32(1, 2), [])], expect="imperative", reason="heap-write")
def sorts_and_pops(x, items):
    items.sort()
    return x * items.pop()


async def awaited(x):
    return x


@program(
    rows=(9,),
    inputs=lambda: [(f32(1, 2),)],
    expect="imperative",
    reason=("generator", "opaque-call", "unsupported-result"),
)
def returns_coroutine(x):
    coroutine = awaited(x)
    coroutine.close()
    return x


def nested(depth):
    value = ()
    for _ in range(depth):
        value = (value,)
    return value


@program(
    rows=(6,),
    inputs=lambda: [(f32(1, 2), [3.0, nested(150)]), (f32(1, 2), [2.0, nested(200)])],
    expect="imperative",
    reason="deep-argument",
)
def takes_what_is_nested_deeply(x, items):
    return x * items[0], len(items[1])


@program(rows=(6,), inputs=lambda: [(f32(1, 2), 3), (f32(1, 2), 4.5), (f32(1, 2), None)], expect="any")
def formats_text(x, n):
    label = f"n = {n!r:>5}"
    return x, label, "%s" % n, "{}".format(len(label)), label.upper()


@program(
    rows=(5,),
    inputs=lambda: [(f32(1, 2), 10**30), (f32(1, 2), -(10**30)), (f32(1, 2), 3), (f32(1, 2), -3)],
    expect="any",
)
def integers_beyond_64_bits(x, n):
    if n > 0:
        return n // 7, x
    return n * n, -x


@program(rows=(1,), inputs=lambda: [(1 + 2j, f32(1)), (2j, f32(1)), (1.0, f32(1))], expect="any")
def complex_numbers(z, x):
    return z * z + 1, x * abs(z)
