"""Observer: runs a function as plain Python, and counts what its branches and loops do."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any

from janus_jax._base import Site, Unstageable
from janus_jax._frontend import Born, FunctionSource, ObservedForm, SourceCache, fill_form, observed_code, with_code
from janus_jax._profiler.counting import BranchHooks, LoopHooks
from janus_jax._profiler.lending import Lender, may_call
from janus_jax._profiler.profile import Context, Profile, extended

TRUSTED_ROOTS = frozenset({"jax", "jaxlib", "numpy", "flax", "optax", "janus_jax"})
MAX_FORMS = 4096
MAX_COPIES_PER_CALL = 2000
# Callees are left alone where fewer frames than this are left.
FRAMES_TO_SPARE = 200

_LIBRARY_FOLDERS = tuple({sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")})


def is_users_own(function: FunctionType) -> bool:
    """Whether `function` comes from none of the libraries whose insides are not looked into."""
    # its globals may be of a subclass of dict: asked as a dict, no code of the user's runs
    name = dict.get(function.__globals__, "__name__")
    root = name.partition(".")[0] if type(name) is str else ""
    in_library = root in sys.stdlib_module_names and function.__code__.co_filename.startswith(_LIBRARY_FOLDERS)
    return root not in TRUSTED_ROOTS and not in_library


def _as_it_is(function: Any) -> Any:
    return function


class Observer:
    """Makes watched copies of functions.

    `unwrap` says which function an object of another kind stands for (by default: none), `may_watch` whether the
    insides of a callee are of interest. Both are called between the user's operations, so they run no user code.
    """

    def __init__(
        self,
        sources: SourceCache,
        unwrap: Callable[[Any], Any] = _as_it_is,
        may_watch: Callable[[FunctionType], bool] = is_users_own,
    ) -> None:
        self.sources = sources
        self.unwrap = unwrap
        self.may_watch = may_watch
        self._forms: dict[int, tuple[FunctionSource, ObservedForm | None]] = {}

    def clear(self) -> None:
        """Forget the rewritten functions."""
        self._forms.clear()

    def watch(self, function: Any) -> Observation:
        """Return a watched copy of `function`, for one call."""
        return Observation(self, function)

    def run(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Profile]:
        """Return what `function` returns, and the facts of this call; its exceptions pass, and leave no facts."""
        observation = self.watch(function)
        try:
            result = observation.function(*args, **kwargs)
        finally:
            profile = observation.finish()
        return result, profile

    def form_of(self, code: CodeType) -> ObservedForm | None:
        """Return the P-form of `code`; None where it has none."""
        try:
            source = self.sources.find(code)
        except Unstageable:
            return None
        known = self._forms.get(id(code))
        if known is None or known[0] is not source:
            known = self._forms[id(code)] = source, _form_or_none(source)
            while len(self._forms) > MAX_FORMS:
                self._forms.pop(next(iter(self._forms)), None)
        return known[1]


def _form_or_none(source: FunctionSource) -> ObservedForm | None:
    try:
        return observed_code(source)
    except Unstageable:
        return None


@dataclass(frozen=True, slots=True, eq=False)
class _Copy:
    """The code of one function with the hooks of one context, and what was the function's code."""

    code: CodeType | None
    original: CodeType


class Observation:
    """One call that is watched: `function` is to be called once, then `finish()` has the facts and ends the watch.

    A fault of ours must not reach the program, whose effects have happened: recording stops, the call goes on, and
    `fault` says what it was.
    """

    def __init__(self, observer: Observer, function: Any) -> None:
        self.fault: Exception | None = None
        self._observer = observer
        self._original = function
        self._is_active = True
        # by id: the entries keep the code alive
        self._copies: dict[tuple[int, Context], _Copy] = {}
        self._born: list[Born] = []
        self._lender = Lender()
        self._hooks: list[_ContextHooks] = []
        self._profile: Profile | None = None
        self.function = self._guarded(function, (), lambda callee: True)

    def finish(self) -> Profile:
        """Stop recording and return the facts."""
        self._is_active = False
        self._lender.give_back()
        if self._profile is None:
            self._profile = Profile()
            self._profile.add_call()
            for hooks in self._hooks:
                hooks.add_to(self._profile)
            self._observer.sources.copies.drop(self._born)
            # the copies lead back here: without this, they would wait for the garbage collector
            self._copies, self._born, self._hooks, self.function = {}, [], [], self._original
        return self._profile

    def callee(self, function: Any, context: Context) -> Any:
        """Return what to call instead of `function`: a watched copy, or `function` itself."""
        return self._guarded(function, context, self._observer.may_watch) if self._is_active else function

    def made(self, function: FunctionType, code: CodeType | None) -> None:
        """Watch `function`, which was just made, by `code` when it is called from where calls are not watched."""
        try:
            if self._is_active and code is not None:
                self._lender.note(function, code)
        except Exception as fault:
            self._fail(fault)

    def _guarded(self, function: Any, context: Context, may_watch: Callable[[FunctionType], bool]) -> Any:
        try:
            watched = self._watched(function, context, may_watch)
            if watched is function and may_call(function):
                # nobody is asked about the calls that it makes
                self._lender.lend()
        except RecursionError:
            # less of the stack is left than a hook needs: no fault
            return function
        except (Exception, Unstageable) as fault:
            self._fail(fault)
            return function
        return watched

    def _fail(self, fault: Exception | Unstageable) -> None:
        self._is_active = False
        self.fault = fault if isinstance(fault, Exception) else RuntimeError(str(fault))

    def _watched(self, function: Any, context: Context, may_watch: Callable[[FunctionType], bool]) -> Any:
        """Return a copy for functions, methods of them, and partial applications; everything else as it is."""
        kind: type[Any] = type(function)
        if kind is FunctionType:
            code = self._code_for(function, context) if may_watch(function) else None
            return function if code is None else _copy_or_itself(function, code)
        if kind is MethodType:
            inner = self._watched(function.__func__, context, may_watch)
            return function if inner is function.__func__ else MethodType(inner, function.__self__)
        if kind is partial:
            inner = self._watched(function.func, context, may_watch)
            return function if inner is function.func else partial(inner, *function.args, **function.keywords)
        inner = self._observer.unwrap(function)
        if inner is function:
            return function
        watched = self._watched(inner, context, may_watch)
        return function if watched is inner else watched

    def _code_for(self, function: FunctionType, context: Context) -> CodeType | None:
        if _is_deep():
            # one that recurses with the watched code lent to it would meet the end of the stack in a hook
            self._lender.give_back()
            return None
        # a function made by a watched one may have our code, which the file does not know
        original = self._observer.sources.copies.original_of(function.__code__)
        copied = self._copies.get((id(original), context))
        if copied is None:
            copied = self._copies[id(original), context] = _Copy(self._make(original, context), original)
        return copied.code

    def _make(self, code: CodeType, context: Context) -> CodeType | None:
        if len(self._copies) >= MAX_COPIES_PER_CALL:
            return None
        form = self._observer.form_of(code)
        if form is None:
            return None
        hooks = _ContextHooks(self, context, form.sites)
        all_born = fill_form(form, hooks)
        hooks.codes.update((id(born.original), born.code) for born in all_born)
        self._hooks.append(hooks)
        self._remember(all_born)
        return all_born[-1].code

    def _remember(self, copies: tuple[Born, ...]) -> None:
        self._born.extend(copies)
        self._observer.sources.copies.add(copies)
        if not self._is_active:
            # the call ended in another thread meanwhile, and has forgotten its copies already
            self._observer.sources.copies.drop(copies)


def _copy_or_itself(function: FunctionType, code: CodeType) -> FunctionType:
    copied = with_code(function, code)
    # a function keeps the builtins of its making; the user may have exchanged those of the module since
    return copied if copied.__builtins__ is function.__builtins__ else function


def _is_deep() -> bool:
    """Whether the stack is nearly as deep as it may be."""
    frames = sys.getrecursionlimit() - FRAMES_TO_SPARE
    if frames <= 0:
        return True
    try:
        sys._getframe(frames)  # pyright: ignore[reportPrivateUsage] - documented; nothing else asks for the depth in C
    except ValueError:
        return False
    return True


class _CallHooks:
    """Stands at one call."""

    __slots__ = ("_context", "_observation")

    def __init__(self, observation: Observation, context: Context) -> None:
        self._observation = observation
        self._context = context

    def callee(self, function: Any) -> Any:
        try:
            return self._observation.callee(function, self._context)
        except RecursionError:
            # not even the way there fits on the stack: the user may have lowered its limit
            return function


class _MakingHooks:
    """Stands where a function is made, in a function whose copies are in `codes`, by the id of their original."""

    __slots__ = ("_codes", "_observation")

    def __init__(self, observation: Observation, codes: dict[int, CodeType]) -> None:
        self._observation = observation
        self._codes = codes

    def callee(self, function: FunctionType) -> FunctionType:
        try:
            self._observation.made(function, self._codes.get(id(function.__code__)))
        except RecursionError:
            # as above; the function is not watched
            return function
        return function


class _ContextHooks:
    """The hooks of one function in one context."""

    def __init__(self, observation: Observation, context: Context, sites: tuple[Site, ...]) -> None:
        self.context = context
        self.sites = sites
        self.codes: dict[int, CodeType] = {}
        self._observation = observation
        self._made: dict[Site, BranchHooks | LoopHooks] = {}

    def at(self, index: int) -> object:
        site = self.sites[index]
        match site.kind:
            case "call":
                return _CallHooks(self._observation, extended(self.context, site))
            case "def" | "lambda":
                return _MakingHooks(self._observation, self.codes)
            case "if" | "ifexp":
                return self._made.setdefault(site, BranchHooks())
            case _:
                return self._made.setdefault(site, LoopHooks())

    def add_to(self, profile: Profile) -> None:
        """Read the counters into `profile`; to be done once."""
        for site, hooks in self._made.items():
            match hooks:
                case BranchHooks():
                    branch = hooks.counts()
                    # what was not reached was not seen: another context may know more
                    if branch.total > 0:
                        profile.add_branch(self.context, site, branch)
                case LoopHooks():
                    trips = hooks.counts()
                    if trips is not None:
                        profile.add_loop(self.context, site, trips)
