"""jax.random: keys split, folded and carried through loops and branches."""

import jax
import jax.numpy as jnp

from tests.programs import grid, program


@program(
    rows=(3, 16),
    inputs=lambda: [
        (jax.random.key(0), 3),
        (jax.random.key(1), 3),
        (jax.random.key(0), 0),
        (jax.random.PRNGKey(0), 3),
        (jax.random.key(0), 5),
    ],
    expect="compiled",
)
def splits_in_loop(key, n):
    total = 0.0
    for _ in range(n):
        key, sub = jax.random.split(key)
        total = total + jax.random.uniform(sub)
    return key, total


@program(
    rows=(2, 16),
    inputs=lambda: [
        (jax.random.PRNGKey(0), 0.9),
        (jax.random.PRNGKey(3), 0.9),
        (jax.random.PRNGKey(0), 0.0),
        (jax.random.PRNGKey(5), 0.99),
    ],
    expect="compiled",
)
def draws_until_large(key, limit):
    tries = 0
    while True:
        key, sub = jax.random.split(key)
        value = jax.random.uniform(sub)
        tries += 1
        if value > limit or tries == 40:
            break
    return value, tries


@program(
    rows=(3, 16),
    inputs=lambda: [(0, 4), (7, 4), (0, 1), (0, 0), (2**31, 2), (-1, 2)],
    expect="compiled",
)
def random_walk(seed, n):
    key = jax.random.key(seed)
    position = jnp.zeros(2)
    farthest = 0.0
    for i in range(n):
        step = jax.random.normal(jax.random.fold_in(key, i), (2,))
        position = position + step
        distance = jnp.abs(position).sum()
        if distance > farthest:
            farthest = distance
    return position, farthest


@program(
    rows=(1, 16),
    inputs=lambda: [
        (jax.random.key(0), grid(4, 2), True),
        (jax.random.key(0), grid(4, 2), False),
        (jax.random.key(2), grid(3, 2), True),
        (jax.random.key(0), grid(0, 2), True),
    ],
    expect="compiled",
)
def dropout(key, x, training):
    if training:
        keep = jax.random.bernoulli(key, 0.5, x.shape)
        order = jax.random.permutation(key, x.shape[0])
        return jnp.where(keep, x * 2, 0)[order]
    return x
