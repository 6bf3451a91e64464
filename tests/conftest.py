"""What every test relies on: XLA is bit-exact before JAX is imported, and `janus_jax` forgets all after each test."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

# Op by op and as one program, these make XLA agree to the bit on nearly everything (see docs/decisions/test-flags.md).
EXACT_FLAGS = (
    "--xla_cpu_max_isa=AVX",
    "--xla_allow_excess_precision=false",
    "--xla_disable_hlo_passes=fusion,algsimp",
)
# Two workers on two cores: a thread pool for each would only get in the way.
PLAIN_FLAGS = ("--xla_cpu_multi_thread_eigen=false",)


def set_flags() -> None:
    """Leave XLA's flags set for this process and for every worker it starts."""
    exact = os.environ.get("JANUS_TEST_FLAGS", "exact") != "default"
    given = os.environ.get("XLA_FLAGS", "").split()
    wanted = (*PLAIN_FLAGS, *(EXACT_FLAGS if exact else ()))
    names = {flag.partition("=")[0] for flag in given}
    os.environ["XLA_FLAGS"] = " ".join([*given, *(flag for flag in wanted if flag.partition("=")[0] not in names)])
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    os.environ.setdefault("JANUS_JAX_DEVELOPER", "1")


assert "jax" not in sys.modules, "XLA reads its flags once, when JAX is imported: too late to set them now"
set_flags()

import jax  # noqa: E402
import pytest  # noqa: E402 - after the flags: a plugin of pytest could import JAX
from hypothesis import HealthCheck, settings  # noqa: E402

import janus_jax  # noqa: E402

# Every program that XLA has compiled keeps a few regions of memory, of which Linux allows a process 65,530: beyond,
# the next compilation ends in a segmentation fault.
MAPS = Path("/proc/self/maps")
MOST_MAPS = 30_000

# Tests are deterministic; and how long an example takes hangs on whether something had to be compiled.
settings.register_profile(
    "janus",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("janus")


@pytest.fixture(scope="session")
def exact() -> bool:
    """Whether results are to be compared bit by bit; otherwise XLA has its default flags: by tolerance."""
    return os.environ.get("JANUS_TEST_FLAGS", "exact") != "default"


@pytest.fixture(autouse=True)
def reset() -> Iterator[None]:
    """Forget every profile and program after the test."""
    yield
    janus_jax.reset()
    if MAPS.exists() and MAPS.read_bytes().count(b"\n") > MOST_MAPS:
        jax.clear_caches()
