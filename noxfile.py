"""Everything that is done to this project has a session here; `nox -l` lists them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = True
nox.options.sessions = ["tests", "lint", "types", "layers", "docs"]

PROJECT = nox.project.load_toml("pyproject.toml")
SUPPORTED = ("3.13", "3.12", "3.11")  # the oldest last: it runs everything, so its closing line is the one to read
GALLERY = "tests/test_programs.py"  # runs all of tests/programs in every mode
COMPILED = "test_compiled_calls"
# What reads code objects, syntax trees and frames, and so may differ from one Python to the next.
PORTABLE = (
    "tests/test_programs.py",
    "tests/test_soundness.py",
    "tests/test_corners.py",
    "tests/frontend",
    "tests/profiler",
    "tests/cpython",
)
# A staged loop that never ends cannot be interrupted from Python: the process is ended instead, and xdist says so.
TIME_LIMIT = ("--timeout=600", "--timeout-method=thread")


def succeeds(*command: str) -> bool:
    """Whether `command` ends well."""
    return subprocess.run(command, check=False, capture_output=True, stdin=subprocess.DEVNULL).returncode == 0


def runs(interpreter: str) -> bool:
    """Whether `interpreter` is a Python that starts (the shims of pyenv may exist and not start)."""
    found = shutil.which(interpreter)
    return found is not None and succeeds(found, "-c", "")


def other_folders(version: str) -> list[Path]:
    """Return where else a Python of `version` may be: beside the one that runs this, and where pyenv keeps them."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    return [Path(sys.executable).parent, *sorted((root / "versions").glob(f"{version}.*/bin"), reverse=True)]


def make_findable(version: str) -> bool:
    """Whether `python<version>` can be started; afterwards it is on the path."""
    path = os.environ["PATH"]
    if runs(f"python{version}"):
        return True
    for folder in other_folders(version):
        os.environ["PATH"] = f"{folder}{os.pathsep}{path}"
        if runs(f"python{version}"):
            return True
    os.environ["PATH"] = path
    return False


FOUND = [version for version in SUPPORTED if make_findable(version)] or [SUPPORTED[-1]]
MAIN = FOUND[-1]
NEXT = FOUND[-2] if len(FOUND) > 1 else MAIN


def install(session: nox.Session, *groups: str, package: bool = True) -> None:
    """Install the dependency groups and, unless told otherwise, the package itself, in the session's environment."""
    wanted = nox.project.dependency_groups(PROJECT, *groups)
    session.install("--quiet", *(["-e", "."] if package else []), *wanted)


def run_pytest(session: nox.Session, *arguments: str, flags: str = "exact") -> None:
    """Run pytest on every core, with XLA told to be bit-exact and faults of ours raised.

    With `flags="default"` as users have it: XLA is left alone, and a program has no input that forces guards.
    """
    cores = ("-n", "auto", "--dist", "worksteal")
    environment = {"JANUS_TEST_FLAGS": flags, "JANUS_JAX_DEVELOPER": "0" if flags == "default" else "1"}
    session.run("python", "-m", "pytest", *cores, *TIME_LIMIT, *arguments, env=environment)


@nox.session(python=FOUND)
def tests(session: nox.Session) -> None:
    """Every test but the slow ones (`nox -s slow`) on the main Python; what hangs on the Python, on the others.

    The gallery, which takes most of the time, runs on one of the others.
    """
    install(session, "test")
    if session.posargs:
        return run_pytest(session, *session.posargs)
    if session.python != MAIN:
        portable = [path for path in PORTABLE if path != GALLERY or session.python == NEXT]
        return run_pytest(session, *portable, "-m", "not slow", "-k", f"not test_programs or {COMPILED}")
    run_pytest(session, GALLERY, "-k", COMPILED, flags="default")
    run_pytest(session, "-m", "not slow")


@nox.session(python=MAIN)
def slow(session: nox.Session) -> None:
    """The slow tests: 2,000 generated programs, every change of what a probe reads, three for a read of the gallery."""
    install(session, "test")
    run_pytest(session, "-m", "slow", *session.posargs)


@nox.session(python=FOUND)
def cpython(session: nox.Session) -> None:
    """CPython's own test-suite, every function of it rewritten: under Plain, and where the Observer watches."""
    install(session, "test")
    run_pytest(session, "tests/cpython", *session.posargs)


@nox.session(python=MAIN)
def lowest(session: nox.Session) -> None:
    """The gallery on the oldest dependencies that pyproject.toml allows."""
    bounds = [requirement.replace(">=", "==") for requirement in PROJECT["project"]["dependencies"]]
    session.install("--quiet", "-e", ".", *bounds, *nox.project.dependency_groups(PROJECT, "test"))
    run_pytest(session, *(session.posargs or (GALLERY, "-k", COMPILED)))


@nox.session(python=MAIN)
def lint(session: nox.Session) -> None:
    """Style: ruff's rules and ruff's format."""
    install(session, "lint", package=False)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(python=MAIN)
def types(session: nox.Session) -> None:
    """Types: pyright, strict, over src."""
    install(session, "types")
    session.run("pyright", "--pythonpath", shutil.which("python", path=session.bin) or "python")


@nox.session(python=MAIN)
def layers(session: nox.Session) -> None:
    """Imports run upstream only."""
    install(session, "layers", package=False)
    session.run("lint-imports", env={"PYTHONPATH": "src"})


@nox.session(python=MAIN)
def docs(session: nox.Session) -> None:
    """Every block of Python in the documentation runs, and prints what the page says."""
    install(session, "docs")
    session.run("python", "docs/run_code.py", *session.posargs)


@nox.session(python=MAIN)
def demo(session: nox.Session) -> None:
    """The main job: a training script on real digits, plain, speculated and written by hand."""
    install(session, "demo")
    session.run("python", "examples/digits.py", *session.posargs)


@nox.session(python=MAIN)
def bench(session: nox.Session) -> None:
    """The benchmark; `nox -s bench -- --check` fails where a bar is missed."""
    install(session, "bench")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session(python=MAIN)
def gpu(session: nox.Session) -> None:
    """The gallery on a GPU; skipped where there is none."""
    if shutil.which("nvidia-smi") is None or not succeeds("nvidia-smi"):
        session.skip("no GPU here: nvidia-smi is missing or finds none")
    install(session, "test")
    session.install("--quiet", "jax[cuda12]")
    backend = session.run("python", "-c", "import jax; print(jax.default_backend())", silent=True)
    if "gpu" not in str(backend):
        session.skip("no GPU here: JAX finds none")
    arguments = session.posargs or (GALLERY, "-k", COMPILED)
    run_environment = {"JANUS_TEST_FLAGS": "default", "JAX_PLATFORMS": "cuda,cpu"}
    session.run("python", "-m", "pytest", *TIME_LIMIT, *arguments, env=run_environment)
