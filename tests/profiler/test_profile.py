"""Facts join as they should."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from janus_jax._base import Site
from janus_jax._profiler import BranchCounts, Profile, TripCounts, extended

SITE = Site("file.py", 3, 4, "if")
LOOP = Site("file.py", 5, 4, "for")
CALL = Site("file.py", 9, 0, "call")
OTHER = Site("file.py", 10, 0, "call")

branch_counts = st.builds(BranchCounts, st.tuples(st.integers(0, 9), st.integers(0, 9)))
trip_counts = st.lists(st.integers(0, 20), min_size=1).map(lambda n: TripCounts(len(n), min(n), max(n), sum(n)))


@given(st.lists(trip_counts, min_size=1, max_size=4), st.permutations(range(4)))
def test_trip_counts_join_in_any_order(counts: list[TripCounts], order: list[int]) -> None:
    joined = counts[0]
    for other in counts[1:]:
        joined = joined.join(other)
    shuffled = [counts[index] for index in order if index < len(counts)]
    again = shuffled[0]
    for other in shuffled[1:]:
        again = other.join(again)
    assert joined == again


@given(branch_counts, branch_counts)
def test_branch_counts_join_in_any_order(left: BranchCounts, right: BranchCounts) -> None:
    assert left.join(right) == right.join(left)
    assert left.join(right).total == left.total + right.total
    assert left.join(BranchCounts()) == left


def test_what_was_never_seen_is_zero_or_none() -> None:
    profile = Profile()
    assert profile.branch((), SITE) == BranchCounts((0, 0))
    assert profile.trips((), LOOP) is None


def test_facts_are_kept_by_context() -> None:
    profile = Profile()
    profile.add_branch((CALL,), SITE, BranchCounts((1, 2)))
    profile.add_branch((), SITE, BranchCounts((5, 5)))
    profile.add_branch((CALL,), SITE, BranchCounts((1, 0)))
    assert profile.branch((CALL,), SITE) == BranchCounts((2, 2))
    assert profile.branch((), SITE) == BranchCounts((5, 5))


def test_a_context_that_was_never_seen_is_answered_with_all_facts() -> None:
    profile = Profile()
    profile.add_branch((CALL,), SITE, BranchCounts((1, 2)))
    profile.add_branch((), SITE, BranchCounts((5, 5)))
    profile.add_loop((CALL,), LOOP, TripCounts(1, 2, 2, 2))
    profile.add_loop((), LOOP, TripCounts(2, 1, 3, 4))
    assert profile.branch((OTHER,), SITE) == BranchCounts((6, 7))
    assert profile.trips((OTHER,), LOOP) == TripCounts(3, 1, 3, 6)


def test_profiles_join() -> None:
    one, two = Profile(), Profile()
    for profile in (one, two):
        profile.add_call()
        profile.add_branch((CALL,), SITE, BranchCounts((1, 0)))
        profile.add_loop((), LOOP, TripCounts(1, 2, 2, 2))
    one.join(two)
    assert (one.calls, two.calls) == (2, 1)
    assert one.branch((CALL,), SITE) == BranchCounts((2, 0))
    assert one.trips((), LOOP) == TripCounts(2, 2, 2, 4)
    assert str(one) == (
        "2 calls\n"
        "file.py:3 if, called at file.py:9: true 2, false 0\n"
        "file.py:5 for: 2 executions, 2 iterations each, 4 in all"
    )


def test_a_profile_joins_itself() -> None:
    profile = Profile()
    profile.add_branch((), SITE, BranchCounts((1, 0)))
    profile.join(profile)
    assert profile.branch((), SITE) == BranchCounts((2, 0))


def test_a_context_is_cut_to_the_last_calls() -> None:
    sites = [Site("file.py", line, 0, "call") for line in range(5)]
    context: tuple[Site, ...] = ()
    for site in sites:
        context = extended(context, site)
    assert context == tuple(sites[-3:])
