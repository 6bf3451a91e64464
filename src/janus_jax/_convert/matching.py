"""`match`: tests a value against patterns, one after the other, and binds the names in the one that fits."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from janus_jax._base import Unstageable
from janus_jax._convert import attributes, branches, builtin_calls, iterables, objects, operators
from janus_jax._convert.classes import MISSING
from janus_jax._convert.expressions import evaluate, truth_of
from janus_jax._convert.frames import Frame
from janus_jax._convert.native import is_key, numbers_within
from janus_jax._convert.runs import holds_run
from janus_jax._convert.stager import Stager
from janus_jax._values.kinds import HostArray, Opaque, Union
from janus_jax._values.number import Number
from janus_jax._values.template import is_named_tuple

Binding = tuple[str, Any]
TAKEN = "$taken"
# Classes whose one positional pattern is the value itself.
_ITSELF = (bool, bytearray, bytes, dict, float, int, list, set, str, tuple, frozenset)
_SUBJECT = "$subject"


def run_match(frame: Frame, node: ast.Match) -> None:
    """Run the block of the first case that fits."""
    subject = evaluate(frame, node.subject)
    if isinstance(subject, Union):
        raise Unstageable("branch-types-differ", "a match on a value whose type only the run knows", frame.site(node))
    _try_cases(frame, node, subject, 0)


def _try_cases(frame: Frame, node: ast.Match, subject: Any, index: int) -> None:
    if index == len(node.cases):
        return
    case = node.cases[index]
    key = (frame.stager.context, frame.site(case.pattern, "case"))
    frame.stager.site = frame.site(case.pattern)
    bindings: list[Binding] = []
    fits = _fits(frame, case.pattern, subject, bindings)
    rest: Callable[[], None] = lambda: _try_cases(frame, node, subject, index + 1)  # noqa: E731
    if fits is False:
        return rest()

    def bind() -> None:
        for name, value in bindings:
            frame.store(name, value)

    def block() -> None:
        frame.stager.run(frame, case.body)

    if case.guard is None:
        return _choose(frame, key, fits, lambda: (bind(), block()), rest)
    taken = _guarded(frame, key, fits, bind, case.guard)
    return _choose(frame, (key[0], frame.site(case.guard, "guard")), taken, block, rest)


def _guarded(frame: Frame, key: Any, fits: Any, bind: Callable[[], None], guard: ast.expr) -> Any:
    """Return whether the pattern fits and its guard is true; the names stay bound where only the guard is not."""

    def test() -> None:
        bind()
        holds = truth_of(frame, guard)
        frame.store(TAKEN, holds if isinstance(holds, bool) else Number(bool, holds))

    _choose(frame, key, fits, test, lambda: frame.store(TAKEN, False))
    taken = frame.env.pop(TAKEN)
    return taken if isinstance(taken, bool) else taken.value


def _choose(frame: Frame, key: Any, holds: Any, true: Callable[[], Any], false: Callable[[], Any]) -> None:
    if isinstance(holds, bool):
        (true if holds else false)()
    else:
        branches.stage(frame, key, holds, true, false)


def _fits(frame: Frame, pattern: ast.pattern, subject: Any, bindings: list[Binding]) -> Any:
    """Return whether the subject fits: a bool, or a traced boolean. Nothing is bound here."""
    stager = frame.stager
    match pattern:
        case ast.MatchValue(value=value):
            return operators.truth(stager, operators.compare(stager, "==", subject, evaluate(frame, value)))
        case ast.MatchSingleton(value=value):
            return operators.truth(stager, operators.identical(stager, subject, value))
        case ast.MatchAs(pattern=inner, name=name):
            fits = True if inner is None else _fits(frame, inner, subject, bindings)
            if name is not None:
                bindings.append((name, subject))
            return fits
        case ast.MatchOr(patterns=patterns):
            return _any_fits(frame, patterns, subject, bindings)
        case ast.MatchSequence(patterns=patterns):
            return _sequence_fits(frame, patterns, subject, bindings)
        case ast.MatchMapping():
            return _mapping_fits(frame, pattern, subject, bindings)
        case ast.MatchClass():
            return _class_fits(frame, pattern, subject, bindings)
        case _:
            raise Unstageable("unsupported-statement", "match", frame.site(pattern))


def _all(frame: Frame, tests: Sequence[Callable[[], Any]]) -> Any:
    """Return whether all tests hold; what is known while converting ends the search, as in Python."""
    found: list[Any] = []
    for test in tests:
        holds = test()
        if holds is False:
            return False
        if holds is not True:
            found.append(holds)
    return _combined(frame, "&", found) if found else True


def _combined(frame: Frame, symbol: str, tests: Sequence[Any]) -> Any:
    """Return whether all, or any, of the traced tests hold."""
    numbers = [Number(bool, holds) for holds in tests]
    return reduce(lambda left, right: operators.binary(frame.stager, symbol, left, right), numbers).value


def _any_fits(frame: Frame, patterns: list[ast.pattern], subject: Any, bindings: list[Binding]) -> Any:
    dynamic: list[Any] = []
    for pattern in patterns:
        own: list[Binding] = []
        fits = _fits(frame, pattern, subject, own)
        if fits is False:
            continue
        if own and (dynamic or fits is not True):
            raise Unstageable("unsupported-statement", "alternatives that bind names", frame.site(pattern))
        if fits is True:
            bindings.extend(own)
            return True
        dynamic.append(fits)
    return _combined(frame, "|", dynamic) if dynamic else False


def _sequence_fits(frame: Frame, patterns: list[ast.pattern], subject: Any, bindings: list[Binding]) -> Any:
    _refuse_unknown(frame, subject)
    if isinstance(subject, iterables.RangeValue):
        raise Unstageable("unsupported-statement", "a match on a range", frame.stager.site)
    if not (type(subject) in (tuple, list, deque) or is_named_tuple(subject)):
        return False
    if holds_run(subject):
        raise Unstageable("unsupported-statement", "a match on a list that a loop has made", frame.stager.site)
    stars = [index for index, pattern in enumerate(patterns) if isinstance(pattern, ast.MatchStar)]
    if len(subject) < len(patterns) - len(stars) or (not stars and len(subject) != len(patterns)):
        return False
    items = list(subject)
    if stars:
        star, extra = stars[0], len(items) - len(patterns) + 1
        items = [*items[:star], items[star : star + extra], *items[star + extra :]]
    return _all(frame, [_part(frame, pattern, item, bindings) for pattern, item in zip(patterns, items, strict=True)])


def _part(frame: Frame, pattern: ast.pattern, item: Any, bindings: list[Binding]) -> Callable[[], Any]:
    def test() -> Any:
        if not isinstance(pattern, ast.MatchStar):
            return _fits(frame, pattern, frame.stager.settle("the element", item), bindings)
        if pattern.name is not None:
            bindings.append((pattern.name, item))
        return True

    return test


def _mapping_fits(frame: Frame, pattern: ast.MatchMapping, subject: Any, bindings: list[Binding]) -> Any:
    _refuse_unknown(frame, subject)
    if type(subject) is not dict:
        return False
    if len(subject) < len(pattern.keys):
        return False
    keys = [evaluate(frame, key) for key in pattern.keys]
    _check_keys(frame.stager, keys)
    if not all(key in subject for key in keys):
        return False
    if pattern.rest is not None:
        bindings.append((pattern.rest, {key: value for key, value in subject.items() if key not in keys}))
    parts = zip(pattern.patterns, keys, strict=True)
    return _all(frame, [_part(frame, inner, subject[key], bindings) for inner, key in parts])


def _check_keys(stager: Stager, keys: list[Any]) -> None:
    """End the conversion where it is not known which keys a pattern has, or where one is there twice."""
    numbers = numbers_within(keys)
    if numbers:
        raise stager.need_static(numbers, "the key of a pattern")
    if not all(map(is_key, keys)) or len({*keys}) < len(keys):
        raise Unstageable("unsupported-statement", "a match with these keys", stager.site)


def _class_fits(frame: Frame, pattern: ast.MatchClass, subject: Any, bindings: list[Binding]) -> Any:
    stager = frame.stager
    kind = evaluate(frame, pattern.cls)
    if not builtin_calls.is_instance(stager, subject, kind):
        return False
    parts: list[Any] = []
    for name in _attributes_of(frame, pattern, kind):  # all are read before the first is compared
        parts.append(subject if name is _SUBJECT else attributes.find(stager, subject, name))
        if parts[-1] is MISSING:
            return False
    pairs = zip([*pattern.patterns, *pattern.kwd_patterns], parts, strict=True)
    return _all(frame, [_part(frame, inner, part, bindings) for inner, part in pairs])


def _attributes_of(frame: Frame, pattern: ast.MatchClass, kind: Any) -> list[str]:
    """Return the attributes that the patterns in a class pattern are for."""
    names, count = list(pattern.kwd_attrs), len(pattern.patterns)
    if count:
        itself = any(kind is one for one in _ITSELF)
        names = [*((_SUBJECT,) if itself else objects.match_args(frame.stager, kind))[:count], *names]
    if len({*names}) != count + len(pattern.kwd_patterns):
        raise Unstageable("raises", "TypeError: positional patterns that do not fit", frame.site(pattern))
    return names


def _refuse_unknown(frame: Frame, subject: Any) -> None:
    """End the conversion for values of which only their class, or the run, knows whether they are of the kind."""
    if isinstance(subject, (Opaque, HostArray, Union)) or objects.class_of(subject) is not None:
        raise Unstageable("unsupported-statement", "a match on an object's elements", frame.stager.site)
