"""What `explain()`, the log and strict errors say of a function, word for word."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import pytest

import janus_jax

V = jnp.array([8.0, 4.0])


def cools(x: Any, rate: Any) -> Any:
    steps = 0
    if rate.max() >= 1:
        raise ValueError("never cools")
    while jnp.abs(x).max() > 1:
        x = x * rate
        steps = 1 - -steps
    return x, steps


def prints(x: Any) -> Any:
    y = x + 1
    print(y)
    return y


def scales(x: Any, by: float) -> Any:
    return x + 1 if by > 100 else x


def looks(x: Any) -> Any:
    return x * 2 if x.ndim == 1 or x else x


def explained(speculated: Any) -> str:
    """Return the explanation, in which the lines are counted from the first one of the function."""
    return counted(str(speculated.explain()), speculated.__wrapped__)


def counted(text: str, function: Callable[..., Any]) -> str:
    """Return `text` with the lines counted from the first one of the function, and files without folders."""
    first = inspect.getsourcelines(function)[1]
    return re.sub(r"\S*?(\w+\.py):(\d+)", lambda found: f"{found[1]}:{int(found[2]) - first}", text)


def test_it_is_about_the_last_call_also_where_that_was_a_quick_one() -> None:
    speculated: Any = janus_jax.speculate(lambda x: x + 1)
    for _ in range(5):
        speculated(jnp.ones(2))
    speculated(x=jnp.ones(2))
    assert speculated.explain().outcome == "profiling"
    speculated(jnp.ones(2))
    assert speculated.explain().outcome == "compiled"


def test_a_function_that_was_not_called_yet() -> None:
    assert explained(janus_jax.speculate(cools)) == (
        "cools is being profiled: it runs as plain Python, and is compiled after that"
    )


COMPILED = """\
cools runs compiled

Branches and loops
  test_explain.py:2  if rate.max() >= 1:
      guard: always False (taken 0 times, not taken 3 times)
  test_explain.py:4  while jnp.abs(x).max() > 1:
      while loop (3 iterations seen, at most 1,024 allowed)

Checked while the program runs
  test_explain.py:2  the test is False
  test_explain.py:6  the integer fits in 64 bits × 2
  test_explain.py:4  the loop ends within 1,024 iterations

Checked before every call
  the function runs the same code, cools
  the same objects as before: jnp, jnp.abs

Read anew at every call
  x
  rate"""


def test_a_compiled_function() -> None:
    speculated = janus_jax.speculate(cools)
    for _ in range(4):
        speculated(V, jnp.float32(0.5))
    assert explained(speculated) == COMPILED


RELAXED = """

Relaxed
  test_explain.py:4: it is no longer assumed that the loop ends within 1,024 iterations"""


def test_a_function_of_which_a_guard_has_tripped() -> None:
    speculated = janus_jax.speculate(cools)
    for rate in (0.5, 0.5, 0.5, 0.5, 0.999, 0.5):
        speculated(V, jnp.float32(rate))
    report = explained(speculated)
    assert report.startswith("cools runs compiled\n")
    assert report.endswith(RELAXED)


def test_a_number_that_was_seen_to_change() -> None:
    speculated = janus_jax.speculate(scales)
    for by in (1.5, 1.5, 1.5, 1.5, 2.5):
        speculated(V, by)
    assert explained(speculated).endswith("\n\nRelaxed\n  by is read anew at every call")


STAYS = """\
prints stays in Python

[effect] test_explain.py:2  print(y)
  The call has an effect outside the program. (builtins.print)
  Move it out of the speculated function."""

LOGGED = (
    "prints stays in Python: [effect] test_explain.py:2, in `print(y)`: The call has an effect outside the program. "
    "(builtins.print) Move it out of the speculated function."
)


def test_a_function_that_stays_in_python(caplog: pytest.LogCaptureFixture) -> None:
    speculated = janus_jax.speculate(prints)
    for _ in range(5):
        speculated(V)
    assert explained(speculated) == STAYS
    assert [counted(record.getMessage(), prints) for record in caplog.records] == [LOGGED]


def test_a_function_that_may_not_stay_in_python() -> None:
    speculated = janus_jax.speculate(prints, strict=True, profile_calls=0)
    with pytest.raises(janus_jax.errors.SpeculationError) as caught:
        speculated(V)
    assert counted(str(caught.value), prints) == LOGGED.replace("stays in Python:", "cannot run compiled.")


def test_a_reason_without_a_line() -> None:
    speculated = janus_jax.speculate(abs)
    speculated(V)
    assert str(speculated.explain()) == (
        "abs stays in Python\n\n"
        "[no-source]\n"
        "  The source of the function cannot be read. (a builtin_function_or_method)\n"
        "  Define it in a file (or a notebook cell), not through exec or in C."
    )


def test_a_function_that_is_compiled_for_some_arguments_only() -> None:
    speculated = janus_jax.speculate(looks)
    for _ in range(4):
        speculated(V)
    for _ in range(5):
        with pytest.raises(ValueError, match="truth value"):
            speculated(jnp.ones((2, 2)))
    report = speculated.explain()
    assert report.outcome == "mixed"
    assert explained(speculated).splitlines()[0] == (
        "looks runs compiled with arguments for which it was compiled, and stays in Python with all others"
    )
    speculated(V)
    assert speculated.stats().compiled_calls == 2
