"""Text of values that only the run knows, and arrays of a length that only the run knows."""

import jax.numpy as jnp
import numpy as np

from tests.programs import f32, program

BOTH = [(f32(1, 2, 3),), (f32(-1, -2, 3),), (f32(0.25, 0.5),)]


@program(rows=(12,), inputs=lambda: BOTH, expect="compiled")
def says_what_it_found(x):
    mean = x.mean()
    if mean > 0:
        verdict = f"mean {mean:.3f} of {x.size}"
    else:
        verdict = "below zero"
    verdict += "; largest " + str(float(x.max()))
    return verdict, f"{x!r}", "{:>8.2f}|{name}".format(float(mean), name=x.dtype)


@program(rows=(6, 12), inputs=lambda: BOTH, expect="compiled")
def keeps_a_log(x):
    lines = []
    for step in range(4):
        x = x * 0.5 + step
        lines.append(f"step {step}: {float(x.sum()):.2f}")
    return "\n".join(lines), lines[-1], x


@program(rows=(2, 6, 12), inputs=lambda: [(f32(1, 2), 20.0), (f32(1, 2), 500.0), (f32(9, 9), 3.0)], expect="compiled")
def logs_while_it_grows(x, limit):
    names = []
    while x.sum() < limit:
        x = x * 1.5
        names.append(f"{x.sum():.1f}")
    return names, f"{len(names)} lines"


@program(rows=(2, 4, 6), inputs=lambda: [(f32(8, 2), 0.5), (f32(1, 2), 0.01), (f32(80, 2), 0.5)], expect="compiled")
def stacks_what_came_before_the_end(x, tolerance):
    history, sums = [], []
    for _ in range(40):
        x = x * 0.7
        history.append(x)
        sums.append(float(x.sum()))
        if x.sum() < tolerance:
            break
    return jnp.stack(history), jnp.array(sums), np.array(sums), len(sums)


@program(rows=(2, 6, 10), inputs=lambda: [(f32(4, 3), 10.0), (f32(4, 3), 10.0), (f32(40, 3), 10.0)], expect="compiled")
def stacks_nothing(x, limit):
    found = []
    while x.sum() < limit:
        x = x + 1
        found.append(x)
    return jnp.stack(found)


@program(rows=(6, 9), inputs=lambda: BOTH, expect="compiled")
def keeps_the_large_ones(x):
    large = jnp.array([float(value) for value in x if value > 0.3])
    return large, [str(value) for value in x], np.asarray(x * 2), np.float32(x.sum())


@program(rows=(10, 12), inputs=lambda: [(f32(1, 2), ".1f"), (f32(1, 2), "d"), (f32(1, 2), "none")], expect="compiled")
def formats_as_it_is_told(x, spec):
    return f"{float(x.sum()):{spec}}", x


@program(rows=(5, 12), inputs=lambda: [(f32(1, 2), "ab"), (f32(-1, 2), "")], expect="compiled")
def keeps_text_in_an_object(x, prefix):
    notes = {"x": f"{prefix}{x[0]}", "pair": (f"{x[1]:.0f}", prefix)}
    if x[0] > 0:
        notes["x"] = notes["x"] + "!"
    notes["all"] = ", ".join([notes["x"], prefix, f"{[float(x[0]), 1]} {(x[1], None)}"])
    return notes


@program(rows=(17,), inputs=lambda: BOTH, expect="imperative", reason=("unsupported-expression", "concrete-value"))
def looks_at_its_text(x):
    text = f"{x.sum():.0f}"
    return x * len(text) if text.startswith("-") else x


@program(rows=(17,), inputs=lambda: BOTH, expect="imperative", reason="concrete-value")
def computes_with_what_it_stacked(x):
    kept = []
    for value in x:
        if value > 0.3:
            kept.append(value)
    return jnp.stack(kept).mean()


@program(rows=(2, 6), inputs=lambda: [(f32(1, 2, 3),), (f32(0.5, 0.1),), (f32(4, 2),)], expect="compiled")
def fills_in_forms(x):
    steps = 0
    log = []
    while x.sum() > 1:
        x = x * 0.5
        steps += 1
        log.append("step %d: %.3f" % (steps, x.sum()))
    return "%d steps, %s" % (steps, x), log, "%5d|%r" % (steps, float(x[0]))


@program(rows=(3, 6), inputs=lambda: [(f32(1, 2, 3),), (f32(-1, 0),)], expect="compiled")
def names_in_a_long_loop(x):
    params = {f"w{i}": x * i for i in range(40)}
    total = x
    for i in range(40):
        total = total + params["w%d" % i] * params[f"w{39 - i}"]
    return total


@program(rows=(6,), inputs=lambda: [(f32(1, 2), 7), (f32(1), 8)], expect="imperative", reason="raises")
def fills_in_too_little(x, n):
    return "%d %d" % n, x
