"""Every perturbation of every program, as a table; for people, and for the long run.

python -m tests.harness                 the probes
python -m tests.harness gallery         the gallery
python -m tests.harness gallery loops   the programs of the gallery with `loops` in their name
"""

from __future__ import annotations

import sys

import tests.conftest  # noqa: F401 - sets XLA's flags, so it must run before JAX is imported

# isort: split
import janus_jax
from tests.harness.perturb import gallery_subjects, perturb, probe_subjects


def main() -> None:
    """Print the tallies, and exit with 1 if any answer was wrong."""
    subjects = gallery_subjects() if "gallery" in sys.argv else probe_subjects()
    names = [name for name in sys.argv[1:] if name != "gallery"]
    wrong = 0
    for subject in subjects:
        if names and not any(name in subject.name for name in names):
            continue
        tally = perturb(subject, janus_jax.speculate, calls=5)
        wrong += len(tally.wrong)
        print(tally, *tally.wrong, sep="\n    ", flush=True)
    sys.exit(wrong > 0)


main()
