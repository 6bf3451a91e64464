"""The whole journey on one screen: profile, decide, convert, run, and back to Python when a guard trips.

Each entry (the types and structure of the arguments) is in one of four states:

    Profiling --enough calls--> Converting --program--> Compiled --guard trips--> Compiled (relaxed) or Plain
                                Converting --reason--> Plain
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from types import FunctionType
from typing import Any, assert_never

import jax

from janus_jax._base import Reason, Unstageable
from janus_jax._convert import Guard, Request, Staged, convert
from janus_jax._described import guard_reports, inputs, outcome, site_reports
from janus_jax._execute import MISS, Program, Tripped
from janus_jax._execute.calls import Call, as_call
from janus_jax._frontend import FunctionSource
from janus_jax._generic import Generic
from janus_jax._guards import Argument, Path, ValueIs, look_up, same_bits
from janus_jax._jax import debugging, in_eager_trace, is_ready, state_restored
from janus_jax._partial import NOT_RUN, Partial
from janus_jax._report import (
    Explanation,
    StateReport,
    Stats,
    Tally,
    place,
    report_reason,
)
from janus_jax._session import session
from janus_jax._speculation import Plan, can_relax, relax
from janus_jax._speculation.entries import NUMBERS, array_types, signature
from janus_jax._states import AsPiece, Compiled, Converting, Entry, Options, Plain, Profiling, State
from janus_jax.errors import InternalError, SpeculationError

MAX_TRIPS = 3  # of one guard, before the entry stays in Python
MAX_EXECUTABLES = 32  # for one entry: one for each combination of shapes and frozen values
MAX_CHANGES = 12  # of frozen values that cannot become inputs, before the entry stays in Python
# Reasons that hold for every piece as well, or for the call and not for the function.
NEVER_IN_PIECES = frozenset({"no-source", "source-differs", "outer-trace", "disabled", "debug-config", "generator"})
FREE_CONVERSIONS = 16  # of one function; then each has to be earned
CALLS_FOR_A_CONVERSION = 100  # compiled calls that earn one more: what changes at every call is not converted for ever
MAX_FAILURES = 3  # conversions that end in an exception which plain Python does not raise
# Reasons that another call may not have: they count as failures, and do not end the entry at once.
MAY_PASS = frozenset({"raises", "truth-of-array", "outer-trace", "internal"})
QUIET = frozenset({"outer-trace", "raises", "debug-config"})
_log = logging.getLogger("janus_jax")


class Engine:
    """Runs the calls of one function."""

    def __init__(self, function: Any, speculated: type, options: Options, piece: AsPiece | None = None) -> None:
        self._piece = piece
        self._partial: Partial | None = None
        self.function = function
        self._speculated = speculated
        self.options = options
        self._lock = threading.Lock()
        self.clear()
        session.register(self)

    def clear(self) -> None:
        """Forget everything learned, and all programs."""
        self._current: Program | None = None
        self._last: Entry | None = None  # of the calls that took the slow path
        self._compiled_before = 0  # how many compiled calls there were when it did
        self._entries: OrderedDict[Any, Entry] = OrderedDict()
        self._reasons: dict[Reason, None] = {}
        self._profiled, self._compiled, self._in_pieces, self._imperative = Tally(), Tally(), Tally(), Tally()
        self._partial = None
        self._generic = Generic(self._speculated, self.options.max_programs)
        self._trips, self._relaxations, self._conversions = Tally(), Tally(), Tally()
        self._convert_seconds = self._compile_seconds = 0.0

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what the function returns, compiled where that is possible."""
        program = self._current
        if program is None or session.is_disabled() or not is_ready(program.prng_kind):
            return self._slow(args, kwargs, None, None)
        result = program.call(args, kwargs)
        if result is MISS or type(result) is Tripped:
            return self._slow(args, kwargs, program, result)
        self._compiled.step()
        return result

    # The slow path

    def _slow(self, args: tuple[Any, ...], kwargs: dict[str, Any], tried: Program | None, result: Any) -> Any:
        call = self._why_not_now() or as_call(args, kwargs)
        if isinstance(call, Reason):
            return (self._under_trace if call.id == "outer-trace" else self._plain)(args, kwargs, call)
        entry = self._entry(signature(call.concrete_args, call.concrete_kwargs))
        if isinstance(entry.state, Profiling):
            return self._profile(entry, call, entry.state.left)
        if type(result) is Tripped and tried is not None:
            return self._tripped(entry, call, tried, result)
        return self._run_or_convert(entry, call, tried)

    def _why_not_now(self) -> Reason | None:
        if session.is_disabled():
            return Reason("disabled", None)
        if debugging():
            return Reason("debug-config", None)
        if type(self.function) is not FunctionType:
            return Reason("no-source", None, f"a {type(self.function).__name__}")
        return None if in_eager_trace() else Reason("outer-trace", None)

    def _entry(self, key: Any) -> Entry:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                static: frozenset[Path] = frozenset(Argument(name) for name in self.options.static)
                left = self.options.profile_calls
                entry = Entry(Profiling(left) if left else Compiled(), Plan(static=static))
                if self._piece is not None:
                    entry.profile.join(self._piece.profile)
                self._entries[key] = entry
                while len(self._entries) > self.options.max_programs:
                    _, dropped = self._entries.popitem(last=False)
                    self._current = None if self._current in dropped.programs else self._current
            self._entries.move_to_end(key)
            self._last, self._compiled_before = entry, self._compiled.value
            return entry

    def _plain(self, args: tuple[Any, ...], kwargs: dict[str, Any], reason: Reason | None) -> Any:
        if reason is not None:
            self._note(reason)
        self._imperative.step()
        if self._piece is not None:
            return NOT_RUN
        result = self.function(*args, **kwargs)
        if reason is not None and reason.id == "raises":
            self._note_mistake(reason)
        return result

    # Under somebody else's transformation

    def _under_trace(self, args: tuple[Any, ...], kwargs: dict[str, Any], reason: Reason) -> Any:
        """Have the other transformation see the plain function; where that needs a value, a program without guards."""
        if self._piece is not None:
            return NOT_RUN
        try:
            result = self.function(*args, **kwargs)
        except (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError):
            result = self._generic.call(self.function, args, kwargs)
            if result is MISS:
                self._note(reason)
                self._imperative.step()
                raise
            self._compiled.step()
            return result
        self._note(reason)
        self._imperative.step()
        return result

    def _note_mistake(self, reason: Reason) -> None:
        """Correct a reason that said that plain Python would raise: it has not."""
        self._reasons.pop(reason, None)
        self._note(Reason("staging-error", reason.where, reason.detail))

    def _note(self, reason: Reason) -> None:
        """Record why a call runs as plain Python; warn once for each reason, or raise when the user is strict."""
        if reason.id == "disabled":
            return
        if self.options.strict and reason.id not in QUIET:
            raise SpeculationError(self.name, reason)
        if reason not in self._reasons:
            self._reasons[reason] = None
            if reason.id not in QUIET and self._piece is None:
                _log.warning("%s stays in Python: %s %s", self.name, reason, reason.hint)

    @property
    def name(self) -> str:
        """The function's own name."""
        return str(getattr(self.function, "__qualname__", self.function))

    def _profile(self, entry: Entry, call: Call, left: int) -> Any:
        entry.numbers.join(call.concrete_args, call.concrete_kwargs)
        self._profiled.step()
        try:
            return self._observe(entry, call)
        finally:
            with self._lock:
                if isinstance(entry.state, Profiling) and entry.state.left == left:
                    entry.state = Profiling(left - 1) if left > 1 else Compiled()

    def _observe(self, entry: Entry, call: Call) -> Any:
        result, facts = session.observer.run(self.function, call.args, call.kwargs)
        entry.profile.join(facts)
        return result

    # Running and converting

    def _run_or_convert(self, entry: Entry, call: Call, tried: Program | None) -> Any:
        types = array_types(call.concrete_args, call.concrete_kwargs) if len(entry.programs) > 1 else None
        for program in tuple(entry.programs):
            if (program is tried and not call.traced) or (types is not None and types != program.array_types):
                continue
            if not is_ready(program.prng_kind) and not call.traced:
                continue
            if call.traced and program.staged.takes_numbers:
                return self._plain(call.args, call.kwargs, Reason("outer-trace", None))
            result = call.run(program)
            if type(result) is Tripped:
                return self._tripped(entry, call, program, result)
            if result is not MISS:
                return self._finish(program, result, call)
        match entry.state:
            case Compiled() if not session.compiles:
                return self._plain(call.args, call.kwargs, Reason("forked", None))
            case Compiled() if not self._may_convert():
                return self._plain(call.args, call.kwargs, Reason("unstable-value", None, self._storm()))
            case Compiled():
                return self._convert(entry, call)
            case Plain(why):
                return self._run_in_pieces(entry, call, why)
            case Converting() | Profiling():
                return self._plain(call.args, call.kwargs, None)
            case _:
                assert_never(entry.state)

    def _may_convert(self) -> bool:
        """Return whether one more conversion will probably pay: compilation takes as long as many calls."""
        earned = self._compiled.value // CALLS_FOR_A_CONVERSION
        return self._conversions.value < FREE_CONVERSIONS + earned

    def _storm(self) -> str:
        return f"after {FREE_CONVERSIONS} programs, one more for every {CALLS_FOR_A_CONVERSION} calls that ran compiled"

    def _run_in_pieces(self, entry: Entry, call: Call, why: Reason) -> Any:
        """Run what cannot be one program as Python with programs in it, if there are any; otherwise as plain Python."""
        if self._piece is not None or call.traced or why.id in NEVER_IN_PIECES or self.options.strict:
            return self._plain(call.args, call.kwargs, why)
        if self._partial is None:
            self._partial = self._to_pieces(entry, why)
        if self._partial is None or not self._partial.ready():
            return self._plain(call.args, call.kwargs, why)
        self._note(why)
        self._in_pieces.step()
        return self._partial.call(call.args, call.kwargs)

    def _to_pieces(self, entry: Entry, why: Reason) -> Partial | None:
        try:
            source = session.sources.find(self.function.__code__)
        except Unstageable:
            return None
        options = Options(profile_calls=0, max_programs=self.options.max_programs)

        def engine(function: Any, piece: FunctionSource) -> Engine:
            return Engine(function, self._speculated, options, AsPiece(piece, entry.profile))

        partial = Partial(self.function, source, engine)
        partial.exclude(why)
        return partial

    def given_up(self) -> Reason | None:
        """Return why no call of a piece will ever run as a program; None as long as one may."""
        with self._lock:
            entries = list(self._entries.values())
        if not entries or any(entry.programs or not isinstance(entry.state, Plain) for entry in entries):
            return None
        return next((entry.state.reason for entry in entries if isinstance(entry.state, Plain)), None)

    def _finish(self, program: Program, result: Any, call: Call) -> Any:
        if not call.traced:
            self._current = program
        self._compiled.step()
        return result

    def _convert(self, entry: Entry, call: Call) -> Any:
        converting = Converting()
        after: State = Compiled()
        made: Program | Reason | None = None
        result: Any = MISS
        try:
            with self._lock:
                if isinstance(entry.state, Compiled):
                    entry.state = converting
            if entry.state is converting:
                made = self._make_program(entry, call)
                if isinstance(made, Program):
                    made, result = self._compile(entry, call, made)
                if isinstance(made, Reason):
                    after = self._state_after(entry, made)
        finally:  # an interrupt may come anywhere: nobody but this call may end what it has begun
            if entry.state is converting:
                entry.state = after
        if not isinstance(made, Program):
            return self._plain(call.args, call.kwargs, made)
        return self._after_first_run(entry, call, made, result)

    def _state_after(self, entry: Entry, reason: Reason) -> State:
        """Return how to go on after a failed conversion: with other shapes or values, the next may succeed."""
        if reason.id == "unstable-value" or (not entry.programs and reason.id not in MAY_PASS):
            return Plain(reason)
        entry.failures += 1
        return Plain(reason) if entry.failures > MAX_FAILURES else Compiled()

    def _make_program(self, entry: Entry, call: Call) -> Program | Reason:
        entry.retired.clear()
        try:
            reason = self._learn(entry, call)
            if reason is not None:
                return reason
            with state_restored(), jax.transfer_guard("allow"):  # the constants of a program are made on the host
                return self._staged(entry, call)
        except Exception as fault:
            if session.developer:
                raise InternalError(f"converting {self.name} failed") from fault
            return Reason("internal", None, f"{type(fault).__name__}: {fault}")

    def _staged(self, entry: Entry, call: Call) -> Program | Reason:
        request = Request(
            self.function,
            call.concrete_args,
            call.concrete_kwargs,
            entry.profile,
            session.sources,
            self._speculated,
            session.is_plain,
            session.developer,
            source=self._piece and self._piece.source,
        )
        started = time.perf_counter()
        try:
            staged = convert(request, entry.plan)
            self._conversions.step()  # not before: one that is interrupted has to be done again
            if not isinstance(staged, Staged):
                return staged
            entry.plan = staged.plan
            return Program(staged, self.function)
        finally:
            self._convert_seconds += time.perf_counter() - started

    def _learn(self, entry: Entry, call: Call) -> Reason | None:
        """Make inputs of the numbers that were seen to change; give up on other values that change all the time."""
        entry.numbers.join(call.concrete_args, call.concrete_kwargs)
        changed = {path for program in entry.programs for path in self._broken(program, call, NUMBERS)}
        if changed - entry.plan.inputs - entry.plan.static:
            self._relaxations.step()
            entry.relaxed.extend(f"{path} is read anew at every call" for path in changed - entry.plan.static)
        entry.plan = entry.plan.with_inputs(frozenset(changed | entry.numbers.varied))
        others = {path for program in entry.programs for path in self._broken(program, call, None)}
        entry.changes += 1 if others else 0
        if entry.changes > MAX_CHANGES:
            return Reason("unstable-value", None, ", ".join(map(str, others)))
        return None

    def _broken(self, program: Program, call: Call, kinds: tuple[type, ...] | None) -> list[Path]:
        """Return the frozen values that are not the same now: numbers of these types, or with None all others."""
        result: list[Path] = []
        for expectation in program.staged.expectations:
            if isinstance(expectation, ValueIs):
                now = look_up(expectation.path, self.function, call.concrete_args, call.concrete_kwargs)
                is_number = type(now) is type(expectation.value) and type(now) in NUMBERS
                wanted = is_number if kinds else not is_number or expectation.path in program.staged.plan.static
                if wanted and not same_bits(now, expectation.value):
                    result.append(expectation.path)
        return result

    def _compile(self, entry: Entry, call: Call, program: Program) -> tuple[Program | Reason, Any]:
        """Compile a program by running it for the call that it was made for; return what came of it."""
        program.array_types = array_types(call.concrete_args, call.concrete_kwargs)
        result = program.compile(call.concrete_args, call.concrete_kwargs)
        self._convert_seconds += program.trace_seconds
        self._compile_seconds += program.compile_seconds
        if session.developer and (result is MISS or (type(result) is Tripped and result.error)):
            why = result.error if type(result) is Tripped else None
            raise InternalError(f"the program of {self.name} does not run the call it was made for") from why
        if result is MISS:
            return Reason("internal", None, "a program does not fit its own call"), MISS
        with self._lock:
            entry.programs.insert(0, program)
            del entry.programs[MAX_EXECUTABLES:]
        return program, result

    def _after_first_run(self, entry: Entry, call: Call, program: Program, result: Any) -> Any:
        if call.traced and program.staged.takes_numbers:
            return self._plain(call.args, call.kwargs, Reason("outer-trace", None))
        if call.traced:
            result = call.run(program)
        if type(result) is Tripped:
            return self._tripped(entry, call, program, result)
        return self._finish(program, result, call)

    # When a guard trips

    def _tripped(self, entry: Entry, call: Call, program: Program, tripped: Tripped) -> Any:
        """Run the call as plain Python, then assume less: nothing of the program's run was visible."""
        if tripped.error is not None:
            return self._failed(entry, call, program, tripped.error)
        guard = program.guards[tripped.guard]
        self._imperative.step()
        self._trips.step()
        # an exception is the user's own: what was assumed stays
        if self._piece is not None:
            result = NOT_RUN
        elif can_relax(guard.kind, guard.decision):
            result = self._observe(entry, call)
        else:
            result = self.function(*call.args, **call.kwargs)
        self._relax(entry, program, guard)
        return result

    def _failed(self, entry: Entry, call: Call, program: Program, error: Exception) -> Any:
        """Run the call as plain Python, which raises too where the fault is not the program's."""
        if session.developer:
            raise InternalError(f"the program of {self.name} cannot run") from error
        entry.failures += 1
        reason = Reason("run-error", None, f"{type(error).__name__}: {error}".partition("\n")[0])
        if entry.failures > MAX_FAILURES:
            with self._lock:
                entry.state = Plain(reason)
                entry.programs = [other for other in entry.programs if other is not program]
                self._current = None
        return self._plain(call.args, call.kwargs, reason)

    def _relax(self, entry: Entry, program: Program, guard: Guard) -> None:
        with self._lock:
            entry.trips[guard.key] += 1
            relaxed = relax(entry.plan, guard.key, guard.kind, guard.decision, entry.profile)
            if relaxed is None and entry.trips[guard.key] < MAX_TRIPS:
                return
            if relaxed is None or entry.trips[guard.key] > MAX_TRIPS:
                entry.state = Plain(Reason("guard-trips", guard.site, guard.meaning))
            else:
                entry.plan = relaxed
                entry.relaxed.append(f"{place(guard.site)}: it is no longer assumed that {guard.meaning}")
                self._relaxations.step()
                entry.retired.extend(entry.programs)
            entry.programs.clear()
            self._current = None

    # Seeing it

    def stats(self) -> Stats:
        """Return the counts so far."""
        counts = (self._profiled.value, self._compiled.value, self._in_pieces.value, 0, self._imperative.value)
        inner = [one.engine.stats() for one in self._partial.pieces] if self._partial else []
        with self._lock:
            tables = [entry.programs for entry in self._entries.values() if entry.programs]
        return Stats(
            sum(counts),
            *counts,
            self._trips.value,
            self._relaxations.value + sum(piece.relaxations for piece in inner),
            len(tables) + sum(piece.programs for piece in inner),
            sum(map(len, tables)) + sum(piece.executables for piece in inner),
            self._compile_seconds + sum(piece.compile_seconds for piece in inner),
            self._convert_seconds + sum(piece.convert_seconds for piece in inner),
        )

    def explain(self) -> Explanation:
        """Return what the function became, by the entry that was called last."""
        entry = self._called_last()
        program = entry.programs[0] if entry and entry.programs else None
        others = self._partial.reasons if self._partial else []
        reasons = tuple(map(report_reason, dict.fromkeys([*self._reasons, *others])))
        return Explanation(
            self.name,
            "partial" if self._partial and self._partial.pieces else outcome(entry, reasons),
            site_reports(program.staged) if program else (),
            guard_reports(program.staged) if program else (),
            StateReport(inputs(program.staged) if program else ()),
            reasons,
            tuple(entry.relaxed) if entry else (),
            self._partial.reports() if self._partial else (),
        )

    def _called_last(self) -> Entry | None:
        """Return the entry of the last call, which may have been a quick one, of the current program."""
        program = self._current
        if program is None or self._compiled.value == self._compiled_before:
            return self._last
        with self._lock:
            return next((entry for entry in self._entries.values() if program in entry.programs), self._last)

    def program(self) -> Program | None:
        """Return the program that would run next, for tests."""
        return self._current or (self._last.programs[0] if self._last and self._last.programs else None)

    def renew_locks(self) -> None:
        """Replace the locks after a fork; what another thread was converting is nobody's now."""
        self._lock = threading.Lock()
        for entry in self._entries.values():
            entry.profile.renew_lock()
            entry.state = Compiled() if isinstance(entry.state, Converting) else entry.state
