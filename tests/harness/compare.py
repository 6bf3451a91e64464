"""What one call does, all of it, and whether another way of making the call does the same.

A call's outcome is its result or exception, what it printed and warned, what became of its arguments, of the random
states and of whatever the program watches. `assert_same` compares two outcomes and names each difference.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import pickle
import random
import traceback
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import janus_jax
from tests.harness.described import Described, Node, Walk, differences, identity_plan

HOME = str(Path(janus_jax.__file__).parent)
OURS_AT_ENTRY = 1  # the wrapper itself: no Python frame can leave itself out of the traceback


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception as the user sees it."""

    type: type[BaseException]
    args: Described
    message: str
    user_frames: tuple[tuple[str, int], ...]
    frames_of_ours_outside: int
    frames_of_ours_inside: int
    context: str | None
    cause: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that one call did."""

    result: Described | None
    error: Failure | None
    identity: Mapping[str, tuple[str, ...]]
    stdout: str
    warnings: tuple[tuple[str, str, int | None], ...]
    random_state: str
    arguments: Described
    observed: Described | None


def outcome_of(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    user: Callable[..., Any] | None = None,
    observe: Callable[[], Any] | None = None,
) -> Outcome:
    """Call `function` and return all that the call did; random streams start anew.

    `user` is the user's own function where `function` is made from it: its file and its globals are looked at.
    """
    own = user or function
    code: types.CodeType | None = getattr(own, "__code__", None)
    file = code.co_filename if code else ""
    before = Walk()
    before.describe((args, dict(kwargs)), "arguments") if not holds_iterator(args) else None
    anchors = [*before.places, *global_anchors(own)]
    random.seed(7)
    np.random.seed(7)
    result, error = None, None
    output = io.StringIO()
    walk = Walk()
    with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(output):
        warnings.simplefilter("always")
        try:
            value = function(*args, **kwargs)
        except Exception as exception:
            error = failure_of(exception, file)
        state = digest_of_random_states()
        if error is None:
            result = walk.describe(value, "result")
    return Outcome(
        result=result,
        error=error,
        identity=identity_plan(walk.places, anchors),
        stdout=output.getvalue(),
        warnings=tuple((w.category.__name__, str(w.message), w.lineno if w.filename == file else None) for w in caught),
        random_state=state,
        arguments=Walk().describe((args, dict(kwargs)), "arguments"),
        observed=Walk().describe(observe(), "observed") if observe else None,
    )


def holds_iterator(value: Any) -> bool:
    """Whether to look at `value` would use it up."""
    if isinstance(value, tuple | list):
        return any(holds_iterator(part) for part in value)
    return isinstance(value, Iterator)


def global_anchors(function: Callable[..., Any]) -> list[tuple[str, Any]]:
    """Return the globals and cells that the function names, with all their parts: a result may be one of them."""
    code: types.CodeType | None = getattr(function, "__code__", None)
    if code is None:
        return []
    walk = Walk()
    namespace: dict[str, Any] = getattr(function, "__globals__", {})
    for name in code.co_names:
        if isinstance(namespace.get(name), tuple | list | dict) or hasattr(namespace.get(name), "dtype"):
            walk.describe(namespace[name], f"global {name}")
    for name, cell in zip(code.co_freevars, getattr(function, "__closure__", None) or (), strict=True):
        with contextlib.suppress(ValueError):  # an empty cell
            walk.describe(cell.cell_contents, f"cell {name}")
    return walk.places


def digest_of_random_states() -> str:
    """Return a hash of the states of `random` and `numpy.random`."""
    return hashlib.sha1(pickle.dumps((random.getstate(), np.random.get_state()))).hexdigest()


def failure_of(exception: BaseException, file: str) -> Failure:
    """Return an exception taken down, with the frames of the user's file."""
    frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(exception.__traceback__)]
    user = [index for index, (code, _) in enumerate(frames) if code.co_filename == file]
    ours = [index for index, (code, _) in enumerate(frames) if code.co_filename.startswith(HOME)]
    first = user[0] if user else len(frames)
    return Failure(
        type=type(exception),
        args=Walk().describe(exception.args, "args"),
        message=str(exception),
        user_frames=tuple((frames[index][0].co_name, frames[index][1]) for index in user),
        frames_of_ours_outside=sum(index < first for index in ours),
        frames_of_ours_inside=sum(index > first for index in ours),
        context=type(exception.__context__).__name__ if exception.__context__ else None,
        cause=type(exception.__cause__).__name__ if exception.__cause__ else None,
    )


def failure_differences(plain: Failure, other: Failure, exact: bool) -> Iterator[str]:
    """Yield a line for each difference between two exceptions."""
    if plain.type is not other.type:
        yield f"raised {other.type.__name__}({other.message}) instead of {plain.type.__name__}({plain.message})"
        return
    yield from differences(plain.args, other.args, exact, "exception.args")
    for name in ("message", "user_frames", "context", "cause"):
        was, now = getattr(plain, name), getattr(other, name)
        if was != now and (exact or name != "message"):
            yield f"exception.{name}: {was!r} became {now!r}"
    if other.frames_of_ours_inside:
        yield f"exception.traceback: {other.frames_of_ours_inside} frames of janus_jax among the user's"
    if other.frames_of_ours_outside > OURS_AT_ENTRY:
        yield f"exception.traceback: {other.frames_of_ours_outside} frames of janus_jax before the user's"


def outcome_differences(plain: Outcome, other: Outcome, exact: bool) -> Iterator[str]:
    """Yield a line for each difference between two outcomes."""
    match plain.error, other.error:
        case None, None:
            assert plain.result is not None
            assert other.result is not None
            yield from differences(plain.result, other.result, exact, "result")
            yield from identity_differences(plain, other)
        case Failure() as was, Failure() as now:
            yield from failure_differences(was, now, exact)
        case None, Failure() as now:
            yield f"raised {now.type.__name__}({now.message}) at {now.user_frames}, plain returns"
        case Failure() as was, None:
            yield f"returned {other.result}, plain raises {was.type.__name__}({was.message})"
    for name in ("stdout", "warnings", "random_state"):
        was, now = getattr(plain, name), getattr(other, name)
        if was != now:
            yield f"{name}: {was!r} became {now!r}"
    yield from differences(plain.arguments, other.arguments, exact, "arguments after the call")
    if plain.observed is not None and other.observed is not None:
        yield from differences(plain.observed, other.observed, exact, "observed state")


def identity_differences(plain: Outcome, other: Outcome) -> Iterator[str]:
    """Yield a line for each object of the result that is somebody else than in plain Python."""
    if not isinstance(plain.result, Node) and not plain.identity:
        return
    for path in plain.identity.keys() & other.identity.keys():
        if plain.identity[path] != other.identity[path]:
            yield f"{path} is {other.identity[path]}, in plain Python {plain.identity[path]}"


def assert_same(plain: Outcome, other: Outcome, exact: bool, where: str = "") -> None:
    """Return when two outcomes agree; otherwise name the differences."""
    found = list(outcome_differences(plain, other, exact))
    assert not found, "\n  ".join([f"{where}: differs from plain Python", *found[:8]])
