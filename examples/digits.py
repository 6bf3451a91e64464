"""Teach a model to read digits, in plain imperative Python; then put one decorator on it.

`train_epoch` below and its helpers are written as one writes NumPy: loops, tests and early exits on the values
themselves, no thought of `jit`. The same function runs three times over the same stream of images: as it stands, under
`janus_jax.speculate`, and rewritten by hand for `jax.jit`. The digits 8 and 9 join the stream late, so the branch that
greets a newcomer is one that speculation has never seen, and has to be wrong about once.

    python examples/digits.py            # or: nox -s demo
    python examples/digits.py --check    # exit status 1 where a promise is not kept
"""

from __future__ import annotations

import argparse
import linecache
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table
from sklearn.datasets import load_digits

import janus_jax

# --- what a person writes --------------------------------------------------------------------------------------------


def read(weights, images):
    """Return the scores that a network of one hidden layer gives to each digit."""
    inner, bias, outer = weights
    return jnp.tanh(images @ inner + bias) @ outer


def loss_of(weights, images, labels):
    """Return the mean cross-entropy of what the network says about `images`."""
    scores = jax.nn.log_softmax(read(weights, images))
    return -jnp.mean(jnp.sum(scores * jax.nn.one_hot(labels, 10), axis=1))


def step_size(images):
    """Return the longest step that is safe on `images`: one over the steepest curvature, by power iteration."""
    direction = jnp.ones(images.shape[1])
    size = jnp.linalg.norm(direction)
    while True:
        ahead = images.T @ (images @ direction)
        before, size = size, jnp.linalg.norm(ahead)
        direction = ahead / size
        if jnp.abs(size - before) < 1e-4 * size:
            break
    return 2 * len(images) / size


def descend(weights, gradient, images):
    """Return `weights` one step down the gradient, which is clipped where it is steep."""
    norm = 0.0
    for slope in gradient:
        norm = norm + jnp.sum(slope**2)
    norm = jnp.sqrt(norm)
    if norm > 1:
        gradient = jax.tree.map(lambda slope: slope / norm, gradient)
    step = step_size(images)
    return jax.tree.map(lambda weight, slope: weight - step * slope, weights, gradient)


def introduce(weights, images, labels):
    """Stay with one batch until the newcomers in it are understood."""
    while True:
        loss, gradient = jax.value_and_grad(loss_of)(weights, images, labels)
        if loss < 0.2:
            return weights
        weights = descend(weights, gradient, images)


def train_epoch(weights, known, usual, batches, labels, enough):
    """Go through the batches once, or until the usual loss is low `enough`."""
    steps = 0
    for images, answers in zip(batches, labels):  # noqa: B905 - as people write it
        if not known[answers].all():  # a digit that nobody has shown us before
            weights = introduce(weights, images, answers)
            known = known.at[answers].set(True)
        loss, gradient = jax.value_and_grad(loss_of)(weights, images, answers)
        weights = descend(weights, gradient, images)
        usual = 0.9 * usual + 0.1 * loss
        steps += 1
        if usual < enough:
            break
    return weights, known, usual, steps


# --- the same by hand, as `jax.jit` wants it -------------------------------------------------------------------------


def step_size_by_hand(images):
    def iterate(carry):
        direction, size, _ = carry
        ahead = images.T @ (images @ direction)
        return ahead / jnp.linalg.norm(ahead), jnp.linalg.norm(ahead), size

    start = jnp.ones(images.shape[1])
    first = iterate((start, jnp.linalg.norm(start), 0.0))
    _, size, _ = jax.lax.while_loop(lambda carry: jnp.abs(carry[1] - carry[2]) >= 1e-4 * carry[1], iterate, first)
    return 2 * len(images) / size


def descend_by_hand(weights, gradient, images):
    norm = jnp.sqrt(sum(jnp.sum(slope**2) for slope in gradient))
    step = step_size_by_hand(images)
    return jax.tree.map(lambda weight, slope: weight - step * (slope / jnp.maximum(norm, 1)), weights, gradient)


def introduce_by_hand(weights, images, labels):
    def look(weights):
        return weights, *jax.value_and_grad(loss_of)(weights, images, labels)

    def again(carry):
        weights, _, gradient = carry
        return look(descend_by_hand(weights, gradient, images))

    return jax.lax.while_loop(lambda carry: carry[1] >= 0.2, again, look(weights))[0]


@jax.jit
def train_epoch_by_hand(weights, known, usual, batches, labels, enough):
    def greet(weights, known, images, answers):
        return introduce_by_hand(weights, images, answers), known.at[answers].set(True)

    def step(carry):
        weights, known, usual, steps, _ = carry
        images, answers = batches[steps], labels[steps]
        weights, known = jax.lax.cond(
            known[answers].all(), lambda weights, known, *_: (weights, known), greet, weights, known, images, answers
        )
        loss, gradient = jax.value_and_grad(loss_of)(weights, images, answers)
        usual = 0.9 * usual + 0.1 * loss
        return descend_by_hand(weights, gradient, images), known, usual, steps + 1, usual < enough

    def more(carry):
        return (carry[3] < len(batches)) & ~carry[4]

    return jax.lax.while_loop(more, step, (weights, known, usual, 0, False))[:4]


# --- the run ---------------------------------------------------------------------------------------------------------

PLAIN, SPECULATED, BY_HAND = "plain Python", "speculate", "jax.jit by hand"
IMAGES, HIDDEN = 32, 128  # in a batch, in the hidden layer
ENOUGH = 0.05
KNOWN = 8  # the digits 0 to 7 are there from the start,
ARRIVALS = 6, 12  # 8 and 9 come in these epochs


def digits() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return images and labels to learn from, and images and labels to be tested on."""
    images, labels = load_digits(return_X_y=True)
    images, labels = (images / 16).astype(np.float32), labels.astype(np.int32)
    held_out = np.arange(len(labels)) % 4 == 3
    return images[~held_out], labels[~held_out], images[held_out], labels[held_out]


def stream(images: np.ndarray, labels: np.ndarray, epochs: int, batches: int) -> Iterator[tuple[jax.Array, jax.Array]]:
    """Yield for each epoch its batches of images, and their labels."""
    random = np.random.default_rng(0)
    for epoch in range(epochs):
        present = KNOWN + sum(epoch >= arrival for arrival in ARRIVALS)
        chosen = random.permutation(np.flatnonzero(labels < present))[: IMAGES * batches].reshape(batches, IMAGES)
        yield jnp.array(images[chosen]), jnp.array(labels[chosen])


def timed(train: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    """Return the seconds that a call took, until its results were there, and the results."""
    start = time.perf_counter()
    results = jax.block_until_ready(train(*arguments))
    return time.perf_counter() - start, results


def compared(first: Callable[..., Any], second: Callable[..., Any], *arguments: Any) -> tuple[float, float, float]:
    """Return seconds of `first` and of `second`, called in turns, and the median of five paired ratios."""
    rounds = []
    for _ in range(5):
        turns = [(timed(first, *arguments)[0], timed(second, *arguments)[0]) for _ in range(40)]
        rounds.append([statistics.median(times) for times in zip(*turns, strict=True)])
    ratio = statistics.median(ours / theirs for ours, theirs in rounds)
    return *(statistics.median(times) for times in zip(*rounds, strict=True)), ratio


def accuracy(weights: tuple[jax.Array, ...], images: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of `images` that is read correctly."""
    return float((jnp.argmax(read(weights, images), axis=1) == labels).mean())


def decisions(explanation: Any) -> dict[tuple[str, int, str], tuple[str, ...]]:
    """Return what was decided for each line: branches kept or guarded, loops unrolled or rolled."""
    found: dict[tuple[str, int, str], tuple[str, ...]] = {}
    for site in explanation.sites:
        found.setdefault((site.file, site.line, site.kind), ())
        found[site.file, site.line, site.kind] += (site.decision,)
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail unless 10 times plain, within 10 %% of by hand")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--batches", type=int, default=32, help="batches in an epoch, 32 at most")
    options = parser.parse_args(arguments)
    console = Console()

    images, labels, unseen_images, unseen_labels = digits()
    speculated = janus_jax.speculate(train_epoch)
    runs = {PLAIN: train_epoch, SPECULATED: speculated, BY_HAND: train_epoch_by_hand}
    inner = jax.random.normal(jax.random.key(0), (64, HIDDEN)) / 8
    weights = inner, jnp.zeros(HIDDEN), jnp.zeros((HIDDEN, 10))
    start = weights, jnp.arange(10) < KNOWN, jnp.float32(np.log(10))
    states: dict[str, tuple[Any, ...]] = dict.fromkeys(runs, start)
    times: dict[str, list[float]] = {name: [] for name in runs}
    before_trip, trips = {}, []

    for epoch, data in enumerate(
        track(stream(images, labels, options.epochs, options.batches), "learning", total=options.epochs)
    ):
        for name, train in runs.items():
            seconds, (*state, steps) = timed(train, *states[name], *data, ENOUGH)
            states[name] = tuple(state)
            times[name].append(seconds / int(steps))
        losses = [float(state[2]) for state in states.values()]
        assert np.allclose(losses, losses[0], rtol=1e-4), f"the losses of epoch {epoch} differ: {losses}"
        if speculated.stats().guard_trips == len(trips):
            before_trip = before_trip if trips else decisions(speculated.explain())
        else:
            trips.append(epoch)

        if steps < options.batches:
            break

    # What an epoch costs once everything has been seen and compiled: ours and by hand in turns, on a whole last epoch.
    after_trip = decisions(speculated.explain())
    weights, known, _ = states[PLAIN]
    ours, theirs, ratio = compared(speculated, train_epoch_by_hand, weights, known, start[2], *data, ENOUGH)
    steady = {PLAIN: statistics.median(times[PLAIN])}
    steady |= {SPECULATED: ours / options.batches, BY_HAND: theirs / options.batches}
    accuracies = {name: accuracy(state[0], unseen_images, unseen_labels) for name, state in states.items()}
    spread = max(accuracies.values()) - min(accuracies.values())
    assert spread <= 1.5 / len(unseen_labels), f"the accuracies differ: {accuracies}"
    faster = steady[PLAIN] / steady[SPECULATED]

    show_runs(console, steady, accuracies, {name: float(state[2]) for name, state in states.items()})
    console.print(f"speculate: {faster:.0f} times faster than plain, {ratio:.3f} of the time of the version by hand\n")
    show_speculation(console, speculated, before_trip, after_trip, trips)
    kept = faster >= 10 and ratio <= 1.1
    if options.check and not kept:
        console.print("[red]expected: at least 10 times faster than plain, at most 1.1 of by hand")
    return int(options.check and not kept)


# --- what is shown ---------------------------------------------------------------------------------------------------


def show_runs(
    console: Console, steady: dict[str, float], accuracies: dict[str, float], losses: dict[str, float]
) -> None:
    """Print time for each step, and what was learned, of each run."""
    table = Table("", title=f"reading digits, {jax.devices()[0].platform}", title_justify="left")
    for heading in ("a step", "faster", "accuracy", "loss"):
        table.add_column(heading, justify="right")
    for name, seconds in steady.items():
        speed = f"{steady[PLAIN] / seconds:.1f} ×"
        table.add_row(name, f"{seconds * 1e6:,.0f} µs", speed, f"{accuracies[name]:.2%}", f"{losses[name]:.5f}")
    console.print(table)


def show_speculation(console: Console, speculated: Any, before: Any, after: Any, trips: list[int]) -> None:
    """Print what was speculated, what was wrong about it, and what became of that."""
    console.print(str(speculated.explain()), highlight=False, markup=False)
    stats = speculated.stats()
    console.print(
        f"\n{stats.calls} calls: {stats.profiled_calls} profiled, {stats.compiled_calls} compiled, "
        f"{stats.imperative_calls} in plain Python; {stats.programs} program(s), {stats.relaxations} relaxation(s)"
    )
    for epoch in trips:
        console.print(f"epoch {epoch}: a guard tripped; the epoch ran again as plain Python, nothing was lost")
    table = Table("line", "source", "assumed", "relaxed to", title="what the trip changed", title_justify="left")
    for (file, line, kind), decision in before.items():
        now = after.get((file, line, kind), ())
        if set(now) != set(decision):  # a line that is reached from another place as well is decided there alike
            source = escape(linecache.getline(file, line).strip())
            table.add_row(str(line), source, *(", ".join(dict.fromkeys(each)) for each in (decision, now)))
    if table.row_count:
        console.print(table)


if __name__ == "__main__":
    sys.exit(main())
