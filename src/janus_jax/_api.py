"""The front door: `speculate`, `plain`, `disabled`, `reset`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import FunctionType, MethodType
from typing import Any, Generic, ParamSpec, TypeVar, overload

import jax

from janus_jax._engine import Engine, Options
from janus_jax._report import Explanation, Stats
from janus_jax._session import session
from janus_jax.errors import UsageError

P = ParamSpec("P")
R = TypeVar("R")


class Speculated(Generic[P, R]):
    """A function that runs compiled where that means the same; made by `speculate`."""

    __janus_speculated__ = True
    __qualname__: str  # of the function, if it has one

    def __init__(self, function: Callable[P, R], options: Options) -> None:
        functools.update_wrapper(self, function)
        self.__wrapped__ = function
        python, prefix, _ = _resolved(function)
        self._is_wrapped = prefix is not None
        self.__janus_engine__ = Engine(python, Speculated, options)
        self._call = self.__janus_engine__.call

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what the plain function returns."""
        try:
            return self._call_wrapped(args, kwargs) if self._is_wrapped else self._call(args, kwargs)
        except BaseException as error:
            # the traceback shows the user's lines: `raise` adds none of ours again
            error.__traceback__ = _without_own_frames(error.__traceback__)
            raise

    def _call_wrapped(self, args: Any, kwargs: Any) -> R:
        """Call the function behind a partial, method or callable object; which one it is now may have changed."""
        python, prefix, keywords = _resolved(self.__wrapped__)
        if python is not self.__janus_engine__.function:
            self.__janus_engine__.function = python
            self.__janus_engine__.clear()
        return self._call((*(prefix or ()), *args), {**keywords, **kwargs})

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Return the method of `instance`, as a plain function's attribute would be."""
        return self if instance is None else MethodType(self, instance)

    def stats(self) -> Stats:
        """Return how the calls so far ended."""
        return self.__janus_engine__.stats()

    def explain(self) -> Explanation:
        """Return what the function became, and why; print it to read it."""
        return self.__janus_engine__.explain()

    def clear(self) -> None:
        """Forget the profile and all programs; the counts begin again."""
        self.__janus_engine__.clear()

    def lower(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Return `jax.jit(function).lower(...)`, which knows nothing of what was speculated."""
        return jax.jit(self.__wrapped__).lower(*args, **kwargs)

    def eval_shape(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Return the shapes and dtypes of the result, without computing it, as `jax.eval_shape` does."""
        return jax.eval_shape(self.__wrapped__, *args, **kwargs)

    def __reduce__(self) -> str:
        """Pickle by name, as functions are; copies are the object itself."""
        return str(self.__qualname__)

    def __repr__(self) -> str:
        return f"<speculated {self.__janus_engine__.name}>"


def _resolved(function: Any) -> tuple[Any, tuple[Any, ...] | None, dict[str, Any]]:
    """Return the Python function behind a callable, and the arguments that it is always called with."""
    if type(function) is FunctionType:
        return function, None, {}
    if type(function) is functools.partial:
        inner, prefix, keywords = _resolved(function.func)
        return inner, (*(prefix or ()), *function.args), {**keywords, **function.keywords}
    if type(function) is MethodType:
        inner, prefix, keywords = _resolved(function.__func__)
        return inner, (*(prefix or ()), function.__self__), keywords
    method = getattr(type(function), "__call__", None)  # noqa: B004 - the method itself is wanted
    if type(method) is FunctionType and not isinstance(function, type):
        return method, (function,), {}
    return function, None, {}


def _without_own_frames(traceback: Any) -> Any:
    """Return the traceback from the first frame on that is not ours, or all of it when every frame is."""
    inner = traceback
    while inner is not None and inner.tb_frame.f_globals.get("__name__", "").startswith("janus_jax."):
        inner = inner.tb_next
    return inner or traceback


@overload
def speculate(
    function: Callable[P, R],
    /,
    *,
    profile_calls: int = 3,
    strict: bool = False,
    max_programs: int = 8,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
) -> Speculated[P, R]: ...
@overload
def speculate(
    function: None = None,
    /,
    *,
    profile_calls: int = 3,
    strict: bool = False,
    max_programs: int = 8,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
) -> Callable[[Callable[P, R]], Speculated[P, R]]: ...
def speculate(
    function: Any = None,
    /,
    *,
    profile_calls: int = 3,
    strict: bool = False,
    max_programs: int = 8,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
) -> Any:
    """Return `function` with exactly its meaning, run compiled where that is possible.

    The first `profile_calls` calls with arguments of the same Python types run as plain Python and are observed; then
    the function is converted into one XLA program, guarded by what was observed. What cannot be compiled runs as
    plain Python; `explain()` of the result says why.

    Args:
      function: any callable; without it, a decorator is returned.
      profile_calls: how many calls of each structure of arguments are observed first; 0: decide without a profile.
      strict: raise `SpeculationError` instead of running as plain Python.
      max_programs: how many structures of arguments are remembered; the least recently used is dropped.
      static_argnums, static_argnames: number arguments that are never made inputs: one program for each value.

    Raises:
      UsageError: the options make no sense.
    """
    if function is None:
        return lambda inner: speculate(
            inner,
            profile_calls=profile_calls,
            strict=strict,
            max_programs=max_programs,
            static_argnums=static_argnums,
            static_argnames=static_argnames,
        )
    if not callable(function):
        raise UsageError(f"speculate takes a function, not {function!r}.")
    if profile_calls < 0 or max_programs < 1:
        raise UsageError("profile_calls must be 0 or more, and max_programs 1 or more.")
    if isinstance(function, Speculated):
        return function
    numbers = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)
    names = (static_argnames,) if isinstance(static_argnames, str) else tuple(static_argnames)
    return Speculated(function, Options(profile_calls, strict, max_programs, frozenset([*numbers, *names])))


def plain(function: Callable[P, R]) -> Callable[P, R]:
    """Return `function` marked so that no speculated function converts it: a call of it is opaque."""
    python, _, _ = _resolved(function)
    if type(python) is FunctionType:
        session.mark_plain(python.__code__)
    return function


def disabled() -> AbstractContextManager[None]:
    """Return a context in which every speculated function runs as plain Python, in this thread."""
    return session.disabled()


def reset() -> None:
    """Forget all profiles, programs and sources, of every speculated function."""
    session.reset()
