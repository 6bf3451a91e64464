"""Integers that loops count with: no guard where they cannot leave 64 bits, plain Python's answer where they do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import pytest

import janus_jax
from tests.harness.agreement import Pair

V = jnp.linspace(-1.0, 2.0, 100)
SCALES = (1.0, -1.0, 2.0, 1.0, 0.0, -2.0, 1.0)
LARGEST = 2**63 - 1


def counts_on_one_path(x: Any) -> Any:
    skipped = 0
    for value in x:
        if value < 0:
            skipped += 1
            continue
    return skipped


def counts_down_and_up(x: Any) -> Any:
    balance = 5
    for value in x:
        balance = balance - 3 if value < 0 else 2 + balance
    return balance


def counts_in_two_loops(x: Any) -> Any:
    visited = 0
    for row in x.reshape(10, 10):
        for value in row:
            visited += 1
            if value > 1:
                break
    return visited


def counts_truths(x: Any) -> Any:
    hits = 0
    for value in x:
        hits += bool(value > 0)
    return hits


def begins_anew(x: Any) -> Any:
    run, longest = 0, 0
    for value in x:
        run = 0 if value > 0 else run + 1
        if run > longest:
            longest = run
    return run, longest


def goes_on_behind_the_loop(x: Any) -> Any:
    n = 0
    for value in x:
        if value > 0:
            n += 1
    return n * 2**40 + 7


def counts_what_a_helper_counts(x: Any) -> Any:
    total = 0
    for row in x.reshape(10, 10):
        total += counts_on_one_path(row)
    return total


@pytest.mark.parametrize(
    "function",
    [
        counts_on_one_path,
        counts_down_and_up,
        counts_in_two_loops,
        counts_truths,
        begins_anew,
        goes_on_behind_the_loop,
        counts_what_a_helper_counts,
    ],
)
def test_counting_needs_no_guard(function: Callable[[Any], Any]) -> None:
    pair = Pair(function).warm(V)
    for scale in SCALES:
        pair.agree(V * scale)
    assert janus_jax.testing.guards(pair.speculated) == ()
    assert pair.compiled > len(SCALES)


def until_it_settles(x: Any) -> Any:
    steps = 0
    while jnp.abs(x).max() > 0.1:
        x = x / 2
        steps += 1
    return x, steps


def test_counting_in_a_loop_without_a_known_end_leaves_the_limit_of_the_loop_only() -> None:
    pair = Pair(until_it_settles).warm(V)
    assert [guard.kind for guard in janus_jax.testing.guards(pair.speculated)] == ["cap"]
    for scale in (1.0, 100.0, 1e6):
        pair.agree(V * scale)


# --- what leaves 64 bits ---------------------------------------------------------------------------------------------


def fibonacci(x: Any) -> Any:
    a, b = 0, 1
    for value in x:
        if value > -2:
            a, b = b, a + b
    return a


def triples(x: Any) -> Any:
    n = 1
    for value in x:
        if value > -2:
            n = n * 3
    return n


def doubles_by_another_name(x: Any) -> Any:
    n = 1
    for value in x:
        before = n
        if value > -2:
            n = n + before
    return n


def doubles_in_an_inner_loop(x: Any) -> Any:
    n = 1
    for row in x.reshape(10, 10):
        before = n
        for value in row:
            if value > -2:
                n = before
                before = n + n
    return n


def same_name_in_both_loops(x: Any) -> Any:
    n = 1
    for value in x:
        kept = n
        for other in x[:7]:
            if other > -2 and value > -2:
                n = kept + n
    return n


def begins_anew_far_away(x: Any) -> Any:
    n = 0
    for value in x:
        n = 2**63 - 50 if value > -2 else n + 1
        n += 1 if value < 0 else 60
    return n


def counts_from_far_away(x: Any) -> Any:
    n = 2**63 - 50
    for value in x:
        if value > -2:
            n += 1
    return n


def takes_long_steps(x: Any) -> Any:
    n = 0
    for value in x:
        if value > -2:
            n += 2**57
    return n


def subtracts_itself(x: Any) -> Any:
    n = 1
    for value in x:
        if value > -2:
            n = -2 * n - n
    return n


def adds_what_another_counts(x: Any) -> Any:
    n, total = 2**57, 0
    for value in x:
        if value > -2:
            total += n
            n += 1
    return total


def changes_places(x: Any) -> Any:
    a, b, twice = 1, 2**62, 0
    for value in x[:99]:
        if value > -2:
            a, b = b, a
            twice = a + a
    return twice


def is_set_to_what_it_was_outside(x: Any) -> Any:
    n, twice = 2**62, 0
    for value in x:
        far = n
        n = 0
        for _ in x[:7]:
            if value > -2:
                twice = n + n
            n = far
    return twice


def has_moved_far_behind_the_loop(x: Any) -> Any:
    n = 0
    for value in x:
        if value > -2:
            n += 2**31
    return n * 2**26


def is_set_far_behind_the_loop(x: Any) -> Any:
    n = 0
    for value in x:
        if value > -2:
            n = 2**31
    return n * 2**32


def is_set_far_behind_two_loops(x: Any) -> Any:
    n = 0
    for row in x.reshape(10, 10):
        for value in row:
            if value > -2:
                n = 2**31
    return n * 2**32


def has_moved_far_behind_the_inner_loop(x: Any) -> Any:
    n, far = 0, 0
    for row in x.reshape(10, 10):
        if row[0] > -2:
            far = n * 2**26
        for value in row:
            if value > -2:
                n += 2**31
    return far


def in_a_tuple_of_small_ones(x: Any) -> Any:
    m = int(jnp.sum(x) > 0)
    state = (m % 5 + 1, m % 7 + 1)
    for value in x:
        if value > -2:
            state = (state[1], state[0] + state[1])
    return state[0]


@pytest.mark.parametrize(
    "function",
    [
        changes_places,
        is_set_to_what_it_was_outside,
        has_moved_far_behind_the_loop,
        is_set_far_behind_the_loop,
        is_set_far_behind_two_loops,
        has_moved_far_behind_the_inner_loop,
        in_a_tuple_of_small_ones,
        fibonacci,
        triples,
        doubles_by_another_name,
        doubles_in_an_inner_loop,
        same_name_in_both_loops,
        begins_anew_far_away,
        counts_from_far_away,
        takes_long_steps,
        subtracts_itself,
        adds_what_another_counts,
    ],
)
def test_an_integer_that_leaves_64_bits_is_plain_pythons(function: Callable[[Any], Any]) -> None:
    low = V - 9  # on which nothing is added
    pair = Pair(function)
    for _ in range(5):
        pair.agree(low)
    for scale in (1.0, 0.0, 1.0):
        pair.agree(V * scale)
        pair.agree(low)
    assert not -LARGEST <= function(V) <= LARGEST
    assert pair.compiled


def counts_from(x: Any, n: int) -> Any:
    for value in x:
        if value > 0:
            n += 1
    return n


def test_an_integer_that_comes_from_outside_keeps_its_guard() -> None:
    pair = Pair(counts_from)
    for n in (1, 2, 3, 4, 5, LARGEST, LARGEST - 99, -LARGEST, 7):
        pair.agree(V, n)
    assert "number" in [guard.kind for guard in janus_jax.testing.guards(pair.speculated)]


def in_a_tuple(x: Any) -> Any:
    state = (0, 1)
    for value in x:
        if value > -2:
            state = (state[1], state[0] + state[1])
    return state


def test_integers_in_containers_keep_their_guards() -> None:
    pair = Pair(in_a_tuple)
    for shift in (9, 9, 9, 9, 9, 0, 9):
        pair.agree(V - shift)
    assert pair.trips
