"""Functions of JAX that are given functions, and functions that JAX has compiled or transformed before the call."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from tests.programs import f32, program, rebind

BOTH = [(f32(1, 2, 3),), (f32(-1, -2, -3),)]
WEIGHT = 2.0


@jax.jit
def doubled(y, k=1):
    """Compiled by the user: three results, of which one is the argument."""
    return y * 2 * k, y, y


@functools.partial(jax.jit, static_argnames="n")
def power(y, n):
    """Compiled by the user for each exponent."""
    return y**n


@program(
    rows=(12,),
    inputs=lambda: [*BOTH, (f32(9, 9),)],
    expect="compiled",
    mutations=[rebind(globals(), "doubled", lambda: jax.jit(lambda y, k=1: (y + k, y * 0, y)))],
)
def calls_what_jit_compiled(x):
    z, same, again = doubled(x)
    if z.sum() > 10:
        z = z - doubled(x, k=3)[0]
    return z, same, again, power(x, n=2), power(z, 3)


@program(rows=(12,), inputs=lambda: BOTH, expect="compiled")
def compiles_an_inner_function(x):
    @jax.jit
    def halves(y):
        return y / 2, y

    half, same = halves(x)
    return half, same, jax.jit(lambda y, z: {"sum": y + z})(half, 3.0)


@program(
    rows=(12,),
    inputs=lambda: BOTH,
    expect="compiled",
    mutations=[rebind(globals(), "WEIGHT", lambda: 5.0)],
)
def maps_over_rows(x):
    rows = jnp.stack([x, x * 2])
    weighted = jax.vmap(lambda row, scale: row * scale * WEIGHT, in_axes=(0, None))(rows, 3.0)
    return weighted, jax.vmap(jax.grad(lambda v: v**3))(x), jax.vmap(jnp.sum)(rows)


@program(rows=(3, 12), inputs=lambda: BOTH, expect="compiled")
def scans_by_hand(x):
    factor = 1.5

    def step(carry, value):
        carry = {"total": carry["total"] * factor + value, "count": carry["count"] + 1}
        return carry, carry["total"] * 2

    final, seen = jax.lax.scan(step, {"total": jnp.float32(0), "count": 0}, x)
    reverse, _ = jax.lax.scan(lambda c, v: (c - v, None), x[0], x, reverse=True)
    return final, seen, reverse, jax.lax.map(lambda v: v + 1, x), jax.lax.associative_scan(jnp.add, x)


@program(rows=(1, 2, 12), inputs=lambda: BOTH, expect="compiled")
def branches_and_loops_by_hand(x):
    def goes_on(state):
        return state[0] < 5

    def step(state):
        return state[0] + 1, state[1] * 1.5

    count, grown = jax.lax.while_loop(goes_on, step, (0, x))
    shifted = jax.lax.cond(x.sum() > 0, lambda v: v + 1, lambda v: v - 1, x)
    folded = jax.lax.fori_loop(0, 3, lambda i, v: v * i + x, x)
    return count, grown, shifted, folded, jax.lax.switch(1, [jnp.sin, jnp.cos, lambda v: v], x)


@program(rows=(38,), inputs=lambda: BOTH, expect="compiled")
def recomputes_for_the_gradient(x):
    @jax.checkpoint
    def layer(w):
        return jnp.sin(w) * jnp.cos(w)

    return jax.grad(lambda w: layer(layer(w)).sum())(x), jax.grad(jax.jit(lambda w: (w**2).sum()))(x)


def loss(w, target):
    """A loss of two arguments."""
    return ((w - target) ** 2).sum() * WEIGHT


slope = jax.grad(loss)
slope_of_target = jax.grad(loss, argnums=1)
both = jax.value_and_grad(loss, argnums=(0, 1))
each = jax.vmap(loss, in_axes=(0, None))


@program(
    rows=(12, 38),
    inputs=lambda: BOTH,
    expect="compiled",
    mutations=[
        rebind(globals(), "WEIGHT", lambda: 5.0),
        rebind(globals(), "slope", lambda: jax.grad(lambda w, target: (w * target).sum())),
        rebind(globals(), "slope", lambda: jax.vmap(loss)),
        rebind(globals(), "slope_of_target", lambda: jax.grad(loss)),
        rebind(globals(), "both", lambda: jax.value_and_grad(loss, argnums=(1, 0))),
        rebind(globals(), "each", lambda: jax.vmap(loss, in_axes=(None, 0))),
        rebind(globals(), "each", lambda: loss),
    ],
)
def calls_what_jax_has_made(x):
    target = x * 0 + 1
    return slope(x, target), slope_of_target(x, target), both(x, target), each(x, 0.5 * target[0])


@program(rows=(10,), inputs=lambda: BOTH, expect="imperative", reason=("raises", "staging-error"))
def asks_a_tracer_for_its_value(x):
    def bad(v):
        if v > 1:
            return v
        return -v

    try:
        return jax.vmap(bad)(x)
    except Exception as error:
        return type(error).__name__


@program(rows=(7,), inputs=lambda: BOTH, expect="imperative", reason="heap-write")
def notes_what_is_traced(x):
    calls = []

    def step(carry, value):
        calls.append(len(calls))
        return carry + value, value

    return jax.lax.scan(step, jnp.float32(0), x), calls


donated = jax.jit(lambda y: y + 1, donate_argnums=0)


@program(rows=(19,), inputs=lambda: BOTH, expect="imperative", reason="opaque-call")
def gives_its_buffer_away(x):
    return donated(x * 1)


@program(rows=(19,), inputs=lambda: BOTH, expect="imperative", reason="callback")
def makes_a_jacobian_product(x):
    return jax.jvp(jnp.sin, (x,), (x,))


@program(rows=(19,), inputs=lambda: BOTH, expect="imperative", reason="callback")
def changes_what_jax_has_traced(x):
    shift = 3

    def step(carry, value):
        return carry + shift, value

    first = jax.lax.scan(step, x[0], x)
    shift = 4
    return first, jax.lax.scan(step, x[0], x)


@program(rows=(19,), inputs=lambda: BOTH, expect="imperative", reason="callback")
def changes_what_jax_has_compiled(x):
    shift = [x]

    @jax.jit
    def shifted(y):
        return y + shift[0]

    for _ in range(12):
        shift[0] = shifted(x)
    return shift


@program(rows=(12,), inputs=lambda: BOTH, expect="compiled")
def has_jax_trace_again_what_has_not_changed(x):
    shift = x[0]

    def step(carry, value):
        return carry * 0.5 + shift, value

    carry = x[0]
    for _ in range(12):
        carry, _ = jax.lax.scan(step, carry, x)
    return carry


@program(rows=(12,), inputs=lambda: [(f32(1, 2), f32(3, 4)), (f32(-1, -2), f32(3, 4))], expect="compiled")
def has_jax_hand_on_what_it_gave(x, y):
    carry, rows = jax.lax.scan(lambda c, v: ((c[0], c[1] + v), v), (x, y), y)
    kept, _ = jax.lax.while_loop(lambda c: c[1].sum() < 9, lambda c: (c[0], c[1] + 1), (x, jnp.abs(y)))
    chosen = jax.lax.cond(x[0] > 0, lambda a, b: (a, b), lambda a, b: (a, a), x, y)
    return carry, rows, kept, chosen, jax.vmap(lambda v: v)(x), jax.lax.map(lambda v: v, y), jax.jit(lambda v: v)(x)


@program(rows=(12,), inputs=lambda: [(f32(1, 2), k) for k in (1, 2, 3)], expect="any", reason="unsupported-result")
def has_jax_hand_on_a_number(x, k):
    return jax.lax.while_loop(lambda c: c[0].sum() < 9, lambda c: (c[0] + 1, c[1]), (x, k))


@program(
    rows=(12,),
    inputs=lambda: [(f32(1, 2), np.ones(2, np.float32)), (f32(-1, 3), np.zeros(2, np.float32))],
    expect="imperative",
    reason="unsupported-result",
)
def has_jax_hand_on_a_numpy_array(x, y):
    return jax.vmap(lambda v: v)(y), x


@program(rows=(12,), inputs=lambda: BOTH, expect="imperative", reason="identity")
def has_checkpoint_hand_on_an_array(x):
    return jax.checkpoint(lambda v: (v, v + 1))(x)


@program(rows=(19,), inputs=lambda: BOTH, expect="imperative", reason="callback")
def renames_what_jax_has_traced(x):
    table = {"a": 1}

    def step(carry, value):
        return carry + sum(name == "a" for name in table), carry

    first = jax.lax.scan(step, x[0], x)
    table["b"] = table.pop("a")
    return first, jax.lax.scan(step, x[0], x)


SCALES = f32(1, 2, 3)


@program(rows=(8, 38), inputs=lambda: [(f32(1, 2, 3),), (f32(-1, 0, 1),)], expect="compiled")
def reads_globals_where_it_is_traced(x):
    made = jax.jit(lambda v: v * SCALES)(x)
    nested = jax.jit(lambda v: jax.jit(lambda w: w - SCALES)(v) + jax.vmap(lambda a, b: a * b)(v, SCALES))(x)
    kept = jax.checkpoint(lambda v: jax.jit(jnp.add)(v, SCALES))(x)
    return made, nested, kept


@program(rows=(12, 38), inputs=lambda: [(f32(1, 2, 3),), (f32(-1, 0, 1),)], expect="compiled")
def gives_back_what_it_closes_over(x):
    y = x * 2
    return jax.jit(lambda v: y)(x), jax.jit(lambda v: (v, y, SCALES))(y), y, jax.jit(lambda: SCALES)()


@program(rows=(38,), inputs=lambda: [(f32(1, 2, 3),), (f32(-1, 0, 1),)], expect="compiled")
def jacobians_by_every_name(x):
    def bend(v):
        return v**2 * v.sum()

    step = jnp.linalg.norm(jax.jacobian(bend)(x) - jax.jacfwd(bend)(x))
    return step, jax.jacrev(bend)(x), x - jax.jacobian(bend)(x) @ x
