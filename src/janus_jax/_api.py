"""The front door: `speculate`, `plain`, `disabled`, `reset`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import FunctionType
from typing import Any, Generic, ParamSpec, TypeVar, overload

import jax

from janus_jax._base.objects import AbstractSpeculated, is_a
from janus_jax._callables import behind, bound, resolved, static_arguments
from janus_jax._engine import Engine, Options
from janus_jax._report import Explanation, Stats
from janus_jax._session import session
from janus_jax.errors import NotAFunctionError, UsageError

P = ParamSpec("P")
R = TypeVar("R")


class Speculated(AbstractSpeculated, Generic[P, R]):
    """A function that runs compiled where that means the same; made by `speculate`."""

    __slots__ = ("__dict__", "__janus_engine__", "__weakref__", "_call", "_descriptor", "_is_wrapped")
    __qualname__: str  # of the function, if it has one

    def __init__(self, function: Any, options: Options) -> None:
        inner = behind(function)
        python, prefix, _ = resolved(inner)
        functools.update_wrapper(self, inner)
        self.__wrapped__ = inner
        self.__janus_function__ = inner
        self._descriptor = function
        self._is_wrapped = prefix is not None
        self.__janus_engine__ = Engine(python, Speculated, options)
        self._call = self.__janus_engine__.call

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what the plain function returns.

        Raises:
          SpeculationError: the function is `strict`, and would run as plain Python.
          Exception: whatever the plain function raises.
        """
        try:
            return self._call_wrapped(args, kwargs) if self._is_wrapped else self._call(args, kwargs)
        except BaseException as error:
            # the traceback shows the user's lines: `raise` adds none of ours again
            BaseException.with_traceback(error, _without_own_frames(_traceback_of(error)))
            raise

    def _call_wrapped(self, args: Any, kwargs: Any) -> R:
        """Call the function behind a partial, method or callable object; which one it is now may have changed."""
        python, prefix, keywords = resolved(self.__janus_function__)
        if python is not self.__janus_engine__.function:
            self.__janus_engine__.function = python
            self.__janus_engine__.clear()
        return self._call((*(prefix or ()), *args), {**keywords, **kwargs})

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Return what the wrapped object would be as an attribute: bound as a method where that would be."""
        return bound(self._descriptor, self, instance, owner)

    def stats(self) -> Stats:
        """Return how the calls so far ended; never raises."""
        return self.__janus_engine__.stats()

    def explain(self) -> Explanation:
        """Return what the function became, and why; print it to read it."""
        return self.__janus_engine__.explain()

    def clear(self) -> None:
        """Forget the profile and all programs; the counts begin again. Never raises, also during a call."""
        self.__janus_engine__.clear()

    def lower(self, /, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Return `jax.jit(function).lower(...)`, which knows nothing of what was speculated.

        Raises:
          jax.errors.ConcretizationTypeError: a test or a count hangs on the value of an argument, of which `jax.jit`
            sees the type only.
        """
        return jax.jit(self.__janus_function__).lower(*args, **kwargs)

    def eval_shape(self, /, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Return the shapes and dtypes of the result, without computing it, as `jax.eval_shape` does.

        Raises:
          jax.errors.ConcretizationTypeError: a test or a count hangs on the value of an argument.
        """
        return jax.jit(self.__janus_function__).eval_shape(*args, **kwargs)

    def __reduce__(self) -> str:
        """Pickle by name, as functions are; copies are the object itself."""
        return str(self.__qualname__)

    def __repr__(self) -> str:
        return f"<speculated {self.__janus_engine__.name}>"


# not as attributes: the exception is the user's own, and may be asked in ways of its own
_traceback_of: Any = BaseException.__dict__["__traceback__"].__get__


def _without_own_frames(traceback: Any) -> Any:
    """Return the traceback from the first frame on that is not ours, or all of it when every frame is."""
    inner = traceback
    while inner is not None and _is_own(inner.tb_frame.f_globals):
        inner = inner.tb_next
    return inner or traceback


def _is_own(namespace: dict[str, Any]) -> bool:
    name = dict.get(namespace, "__name__")  # which may be of a subclass, with a user's own methods
    return type(name) is str and name.startswith("janus_jax.")


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
      function: any callable, static or class method; without it, a decorator is returned. For a speculated function,
        the options that are given here take the place of its own.
      profile_calls: how many calls of each structure of arguments are observed first; 0: decide without a profile.
      strict: raise `SpeculationError` instead of running as plain Python.
      max_programs: how many structures of arguments are remembered; the least recently used is dropped.
      static_argnums, static_argnames: number arguments that are never made inputs: one program for each value. Named
        by position or by name, they may be passed in either way, as for `jax.jit`.

    Raises:
      NotAFunctionError: `function` cannot be called.
      UsageError: the options make no sense.
    """
    if function is None:
        return functools.partial(
            speculate,
            profile_calls=profile_calls,
            strict=strict,
            max_programs=max_programs,
            static_argnums=static_argnums,
            static_argnames=static_argnames,
        )
    inner = behind(function)
    if not callable(inner):
        raise NotAFunctionError(f"speculate takes a function, not {function!r}.")
    if profile_calls < 0 or max_programs < 1:
        raise UsageError("profile_calls must be 0 or more, and max_programs 1 or more.")
    static = static_arguments(inner, static_argnums, static_argnames)
    options = Options(profile_calls, strict, max_programs, static)
    if is_a(function, Speculated) and function.__janus_engine__.options == options:
        return function
    return Speculated(function, options)


def plain(function: Callable[P, R]) -> Callable[P, R]:
    """Return `function` marked so that no speculated function converts it: a call of it is opaque.

    Raises:
      NotAFunctionError: there is no Python function behind `function`, as with builtins and classes.
    """
    python, _, _ = resolved(function)
    if type(python) is not FunctionType:
        raise NotAFunctionError(
            f"plain marks Python functions, and there is none behind {function!r}. "
            "Put the call into a function of your own, and mark that."
        )
    session.mark_plain(python.__code__)
    return function


def disabled() -> AbstractContextManager[None]:
    """Return a context in which every speculated function runs as plain Python, in this thread."""
    return session.disabled()


def reset() -> None:
    """Forget all profiles, programs and sources, of every speculated function."""
    session.reset()
