"""Training scripts as a person writes them: parameters in tuples and dicts, Python loops, early stopping."""

import jax
import jax.numpy as jnp
import numpy as np

from tests.programs import f32, grid, program

POINTS = grid(6, 2, scale=0.25)
LABELS = (POINTS[:, 0] > 0).astype(jnp.float32)


@program(
    rows=(3, 38),
    inputs=lambda: [
        (POINTS, LABELS, 4, 0.5),
        (POINTS, LABELS, 0, 0.5),
        (POINTS[:3], LABELS[:3], 4, 0.5),
        (POINTS, LABELS, 6, 0.1),
        (POINTS * 0, LABELS, 2, 0.5),
    ],
    expect="compiled",
)
def linear_regression(x, y, steps, rate):
    w = jnp.zeros(x.shape[1])
    b = 0.0
    for _ in range(steps):
        error = x @ w + b - y
        w = w - rate * (x.T @ error) / len(x)
        b = b - rate * error.mean()
    return w, b


@program(
    rows=(2, 4, 38),
    inputs=lambda: [
        (POINTS, LABELS, 0.6),
        (POINTS, LABELS, 0.5),
        (POINTS, 1 - LABELS, 0.6),
        (POINTS, LABELS, 10.0),
        (POINTS[:2], LABELS[:2], 0.6),
    ],
    expect="compiled",
    unreached=2,
)
def logistic_with_early_stop(x, y, good_enough):
    def loss_of(w):
        p = jax.nn.sigmoid(x @ w)
        return -(y * jnp.log(p + 1e-6) + (1 - y) * jnp.log(1 - p + 1e-6)).mean()

    w = jnp.zeros(2)
    best = None
    bad = 0
    for step in range(12):
        loss, slope = jax.value_and_grad(loss_of)(w)
        if loss < good_enough:
            break
        if best is None or loss < best:
            best = loss
            bad = 0
        else:
            bad += 1
            if bad > 2:
                break
        w = w - 1.0 * slope
    return w, loss, step


@program(
    rows=(1, 2, 3),
    inputs=lambda: [
        (POINTS, LABELS * 2 - 1),
        (POINTS, 1 - LABELS * 2),
        (POINTS[:1], LABELS[:1]),
        (POINTS[:0], LABELS[:0]),
    ],
    expect="compiled",
)
def perceptron(x, y):
    w = jnp.zeros(2)
    b = jnp.float32(0)
    for epoch in range(6):
        mistakes = 0
        for point, label in zip(x, y):
            if label * (point @ w + b) <= 0:
                w = w + label * point
                b = b + label
                mistakes += 1
        if mistakes == 0:
            break
    return w, b, mistakes, epoch


def mlp(p, x):
    for layer in p[:-1]:
        x = jnp.tanh(x @ layer["w"] + layer["b"])
    last = p[-1]
    return (x @ last["w"] + last["b"])[:, 0]


def start():
    return [{"w": grid(2, 3), "b": f32(0, 0, 0)}, {"w": grid(3, 1, scale=0.5), "b": f32(0)}]


@program(
    rows=(3, 12, 38),
    inputs=lambda: [
        (start(), POINTS, LABELS, 3, 0.1),
        (start(), POINTS, LABELS * 30, 3, 0.1),
        (start(), POINTS, LABELS, 5, 0.1),
        (start(), POINTS[:4], LABELS[:4], 3, 0.1),
        (start(), POINTS, LABELS, 0, 0.1),
        (start(), POINTS, LABELS, 3, 2.0),
        (start(), POINTS, LABELS * 30, 5, 0.1),
        (start(), POINTS[:4], LABELS[:4] * 30, 3, 0.1),
    ],
    expect="compiled",
)
def mlp_with_tree_map(params, x, y, steps, rate):
    def loss_of(p):
        return jnp.mean((mlp(p, x) - y) ** 2)

    losses = jnp.zeros(5)
    for step in range(steps):
        loss, slopes = jax.value_and_grad(loss_of)(params)
        losses = losses.at[step].set(loss)
        if loss > 1.0:
            rate = rate / 2
        params = jax.tree.map(lambda p, g: p - rate * g, params, slopes)
    return params, losses, rate


@program(
    rows=(1, 3, 38),
    inputs=lambda: [(f32(3, -4), 6), (f32(0.1, 0.1), 6), (f32(300, -400), 6), (f32(3, -4), 0), (f32(3, -4), 11)],
    expect="compiled",
)
def adam_with_schedule(x, steps):
    m = v = jnp.zeros_like(x)
    rate = 0.3
    for t in range(1, steps + 1):
        g = jax.grad(lambda z: (z**2).sum() + z[0])(x)
        norm = jnp.sqrt((g * g).sum())
        if norm > 5.0:
            g = g * (5.0 / norm)
        m = 0.9 * m + 0.1 * g
        v = 0.99 * v + 0.01 * g * g
        if t % 4 == 0:
            rate *= 0.5
        x = x - rate * (m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.99**t)) + 1e-8)
    return x, rate


@program(
    rows=(3, 15),
    inputs=lambda: [
        (np.arange(12, dtype=np.float32).reshape(6, 2) / 8, 2),
        (np.arange(12, dtype=np.float32).reshape(6, 2) / 8, 3),
        (np.arange(12, dtype=np.float32).reshape(6, 2) / 8, 4),
        (-np.arange(12, dtype=np.float32).reshape(6, 2), 2),
        (np.zeros((0, 2), np.float32), 2),
    ],
    expect="compiled",
)
def mini_batches(data, size):
    data = jnp.asarray(data)
    mean = jnp.zeros(2)
    batches = 0
    for start in range(0, len(data), size):
        batch = data[start : start + size]
        mean = mean + batch.mean(axis=0)
        batches += 1
        if jnp.isnan(mean).any():
            raise FloatingPointError("mean is not a number")
    if batches == 0:
        return None
    return mean / batches


@program(
    rows=(3, 16, 38),
    inputs=lambda: [
        (jax.random.key(0), POINTS, 3),
        (jax.random.key(1), POINTS, 3),
        (jax.random.key(0), POINTS, 5),
        (jax.random.key(0), POINTS, 0),
    ],
    expect="compiled",
)
def noisy_sgd(key, x, steps):
    w = jnp.ones(2)
    rejected = 0
    for _ in range(steps):
        key, noise_key, pick_key = jax.random.split(key, 3)
        noise = jax.random.normal(noise_key, (2,)) * 0.1
        point = x[jax.random.randint(pick_key, (), 0, len(x))]
        slope = jax.grad(lambda v: (v @ point - 1.0) ** 2)(w + noise)
        if jnp.abs(slope).max() > 2:
            rejected += 1
            continue
        w = w - 0.1 * slope
    return w, rejected


@program(
    rows=(3, 12, 38),
    inputs=lambda: [(f32(1, -2), 3), (f32(1, -2), 1), (f32(0.5, 0), 12), (f32(1, -2), 5_000)],
    expect="compiled",
)
def adam_corrects_its_bias(w, start):
    m = v = jnp.zeros_like(w)
    for step in range(start, start + 6):
        slope = 2 * w - jnp.cos(w)
        m = 0.9 * m + 0.1 * slope
        v = 0.999 * v + 0.001 * slope**2
        w = w - 0.1 * (m / (1 - 0.9**step)) / (jnp.sqrt(v / (1 - 0.999**step)) + 1e-8)
    return w, 1.5**start, start
