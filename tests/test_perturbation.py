"""Mechanical perturbation: whatever a program reads is changed, and the next call must notice or not depend on it.

The reads are found by tracing opcodes, so nobody had to think of them; `python -m tests.harness` makes every change.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import jax
import pytest

import janus_jax
from tests.harness.outcomes import difference, fresh
from tests.harness.perturb import Subject, Tally, gallery_subjects, perturb, probe_subjects
from tests.harness.probes import PROBES
from tests.harness.reads import reads

SUBJECTS = {subject.name: subject for subject in probe_subjects()}
GALLERY = {subject.name: subject for subject in gallery_subjects()}
# Long programs read a thousand things, and each read is traced: they are for the slow tests.
LONG = ("algorithms.", "learning.", "signals.", "simulations.", "tutorials.")
SHORT = [name for name in GALLERY if not name.startswith(LONG)]
EVERY = int(os.environ.get("JANUS_PERTURBATIONS", "0")) or None


def plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function itself: no speculation at all."""
    return function


def remembered(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that answers each call as the first one: the worst speculation there can be."""
    answers: list[Any] = []

    def answer(*args: Any, **kwargs: Any) -> Any:
        if not answers:
            answers.append(function(*args, **kwargs))
        return answers[0]

    return answer


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_the_log_finds_what_a_program_reads(probe):
    assert len(reads(probe.function, probe.arguments)) >= probe.places


def test_the_log_names_globals_cells_items_attributes_and_builtins():
    found = {str(place) for probe in PROBES for place in reads(probe.function, probe.arguments)}
    home = "tests.harness.probes"
    assert {
        f"global RATE of {home}",
        f"builtin range of {home}",
        "cell step",
        "item 'scale' of a dict",
        "attribute sin of jax.numpy",
        "attribute gain of settings",
        "attribute rounds of Settings",
        "attribute rate of Settings",
        "content of a ndarray",
        "__defaults__ of scaled",
        "__code__ of power_of",
    } <= found


@pytest.mark.parametrize("name", ["reads_globals", "reads_containers", "calls_helpers"])
def test_plain_python_agrees_with_itself(name):
    tally = perturb(SUBJECTS[name], plain, calls=1)
    assert tally.changes > 40
    assert tally.wrong == []


@pytest.mark.parametrize("name", ["reads_globals", "reads_containers", "calls_helpers", "all_kinds_of_arguments"])
@pytest.mark.parametrize("careless", [remembered, jax.jit])
def test_the_harness_sees_stale_answers(name, careless):
    tally = perturb(SUBJECTS[name], careless, per_place=3, calls=1)
    assert len(tally.wrong) > tally.changes / 4


def check(tally: Tally) -> None:
    """Print the tally and demand that no answer was wrong."""
    print(tally)
    assert tally.wrong == []


def ends_compiled(subject: Subject) -> bool:
    """Say whether a program's fourth call runs compiled, nothing changed."""
    speculated = janus_jax.speculate(subject.function)
    for _ in range(5):
        subject.run(speculated, fresh(subject.arguments))
    return speculated.stats().compiled_calls > 0


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_no_change_of_a_probe_goes_unnoticed(probe):
    tally = perturb(SUBJECTS[probe.name], janus_jax.speculate, per_place=EVERY or 3)
    check(tally)
    assert tally.was_compiled == probe.compiled
    if probe.compiled:
        assert tally.restored_compiled >= tally.restored / 2


@pytest.mark.slow
@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_no_change_at_all_of_a_probe_goes_unnoticed(probe):
    check(perturb(SUBJECTS[probe.name], janus_jax.speculate, calls=5))


def check_gallery_program(name: str, per_place: int) -> None:
    """Change what a gallery program reads, so many ways at each place, and demand that no answer was wrong."""
    subject = GALLERY[name]
    first, second = (subject.run(subject.function, subject.arguments) for _ in range(2))
    if difference(first, second):
        assert not ends_compiled(subject)
        pytest.skip("it gives something else at every call, also as plain Python")
    tally = perturb(subject, janus_jax.speculate, per_place)
    check(tally)
    assert tally.was_compiled == ends_compiled(subject)


@pytest.mark.parametrize("name", SHORT[::8])
def test_no_change_of_some_gallery_programs_goes_unnoticed(name):
    check_gallery_program(name, 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", GALLERY)
def test_no_change_of_a_gallery_program_goes_unnoticed(name):
    check_gallery_program(name, EVERY or 3)
