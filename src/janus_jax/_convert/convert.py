"""One conversion, from a function and the arguments of a call to a program that is not compiled yet."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import CodeType, FunctionType
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr

from janus_jax._base import Reason, Site, Unstageable
from janus_jax._convert.calls import invoke
from janus_jax._convert.cursors import iterate
from janus_jax._convert.inputs import Externals, Input
from janus_jax._convert.iterables import GeneratorValue
from janus_jax._convert.native import Fault
from janus_jax._convert.outputs import Output, OutputPlanner
from janus_jax._convert.sharing import made_first
from janus_jax._convert.stager import Decision, Facts, Guard, Retry, Stager
from janus_jax._convert.statements import execute, run, run_rest
from janus_jax._convert.widths import constants_inside, is_wide, lowered_otherwise
from janus_jax._frontend import FunctionSource, SourceCache, regenerate
from janus_jax._guards import Argument, CodeIs, Expectation, Path, Root
from janus_jax._jax import is_tracer, wide_types_enabled
from janus_jax._speculation import Plan
from janus_jax._values.identities import Identities
from janus_jax._values.kinds import FunctionValue

MAX_ATTEMPTS = 40


@dataclass(frozen=True, slots=True, eq=False)
class Staged:
    """A function as one closed jaxpr: what goes in, what is checked before and inside, what is made of what comes out.

    Outputs of the jaxpr are the leaves that `result` names, and last the trip code when there are guards.
    """

    jaxpr: ClosedJaxpr
    inputs: tuple[Input, ...]
    expectations: tuple[Expectation, ...]
    guards: tuple[Guard, ...]
    decisions: tuple[Decision, ...]
    result: Output
    plan: Plan
    wide: bool  # traced with 64-bit numbers, so that it has to run with them enabled
    user_wide: bool  # whether the user had them enabled: `jit` cannot see that where `wide` enables them anyway
    keywords: tuple[str, ...]  # in the order given, which the function can see: it has `**named`; otherwise empty
    takes_numbers: bool  # whether it makes Python numbers of floats, which a tracer of eager `grad` refuses

    def without_arrays(self) -> Staged:
        """Return this with the types of arrays in place of those that it was made with."""
        inputs = tuple(replace(item, placeholder=None) if item.path else item for item in self.inputs)
        constants = [jax.typeof(constant) for constant in self.jaxpr.consts]
        return replace(self, inputs=inputs, jaxpr=ClosedJaxpr(self.jaxpr.jaxpr, constants))


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """What is to be converted: the function, and the arguments of the call that asks for it."""

    function: Any  # a FunctionType, which type checkers take for a descriptor: they would see a method
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    facts: Facts
    sources: SourceCache
    speculated: type  # the class of speculated functions, which are staged like their own function
    is_plain: Callable[[CodeType], bool]
    forceable: bool
    generic: bool = False
    checked: bool = False
    source: FunctionSource | None = None  # of the function itself, where it stands in no file: a piece of another

    def find_source(self, code: CodeType) -> FunctionSource:
        """Return the syntax tree of a function that may be converted."""
        if self.source is not None and code is self.source.code:
            return self.source
        if self.is_plain(code):
            raise Unstageable("opaque-call", f"{code.co_qualname} is marked @janus_jax.plain")
        return regenerate(code) or self.sources.find(code)


def convert(request: Request, plan: Plan) -> Staged | Reason:
    """Return the function as a program under `plan`, or under one that grew from it, or why there is none."""
    why = ""
    for _ in range(MAX_ATTEMPTS):
        try:
            return _attempt(request, plan)
        except Retry as retry:
            plan, why = retry.plan, retry.why
        except Unstageable as end:
            return end.reason
        except RecursionError:
            return Reason("recursion", None)
        except Fault as fault:
            raise fault.error from None
    return Reason("conversion-limit", None, f"after {MAX_ATTEMPTS} attempts, the last because of {why}")


class _Policy:
    """Says which numbers are inputs: those that the plan names."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def is_input(self, path: Path) -> bool:
        return path in self._plan.inputs


def _attempt(request: Request, plan: Plan) -> Staged:
    identities = Identities()
    externals = Externals(_Policy(plan), request.speculated, identities)
    stager = Stager(
        plan,
        request.facts,
        identities,
        externals,
        wide_types_enabled(),
        request.find_source,
        execute,
        run,
        run_rest,
        forceable=request.forceable,
        is_piece=request.source is not None,
        generic=request.generic,
        checked=request.checked,
    )
    stager.call = lambda function, args, keywords: invoke(stager, function, args, keywords, stager.site)
    stager.iterate = iterate
    externals.expect(CodeIs(Root(), request.function.__code__))
    for path, value in _arguments(request):
        externals.declare(path, value)
    planner = OutputPlanner(identities)
    results: list[Output] = []

    def program(*arguments: Any) -> list[Any]:
        externals.arguments.extend(arguments)
        result = _call(stager, request)
        if isinstance(result, GeneratorValue):
            raise Unstageable("generator", request.function.__qualname__)
        results.append(planner.plan(result))
        made_first(results[0])  # which ends the conversion where that is not possible
        code = [] if stager.scope.code is None else [stager.scope.code]
        return [*planner.leaves, *code]

    jaxpr = stager.trace(program, externals.avals)
    assert not any(map(is_tracer, jaxpr.consts)), "a value of one region is used in another"
    read = [item.placeholder for item in externals.inputs if item.placeholder is not None]
    if any(constant is one for constant in constants_inside(jaxpr.jaxpr) for one in read):
        raise Unstageable("callback", "a library function keeps what the function that it is given reads")
    wide = not wide_types_enabled() and is_wide(jaxpr)
    if wide and (spoiled := lowered_otherwise(jaxpr)):
        raise Unstageable("number-math", f"beside Python numbers, XLA is given another {spoiled}")
    return Staged(
        jaxpr,
        tuple(externals.inputs),
        tuple(externals.expectations),
        tuple(stager.guards),
        tuple(stager.decisions.values()),
        results[0],
        plan,
        wide or any(item.kind in ("int", "float", "zero") for item in externals.inputs),
        wide_types_enabled(),
        tuple(request.kwargs) if request.function.__code__.co_flags & inspect.CO_VARKEYWORDS else (),
        stager.takes_numbers,
    )


def _arguments(request: Request) -> list[tuple[Path, Any]]:
    positional: list[tuple[Path, Any]] = [
        (Argument(index, _parameter(request.function, index)), value) for index, value in enumerate(request.args)
    ]
    return [*positional, *((Argument(name, name), value) for name, value in request.kwargs.items())]


def _parameter(function: FunctionType, index: int) -> str:
    """Return the name of positional parameter number `index`; none for what a star parameter collects."""
    code = function.__code__
    return code.co_varnames[index] if index < code.co_argcount else ""


def _call(stager: Stager, request: Request) -> Any:
    read = stager.externals.read
    args = [read(Argument(index), value) for index, value in enumerate(request.args)]
    keywords = {name: read(Argument(name), value) for name, value in request.kwargs.items()}
    code = request.function.__code__
    stager.site = Site(code.co_filename, code.co_firstlineno, 0, "call")
    return invoke(stager, FunctionValue(Root(), request.function), args, keywords, None)
