"""Objects of users' classes, named tuples and `match` go by Python's rules, or end the conversion."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import pytest

import janus_jax
from tests.harness.agreement import Pair

V = jnp.array([1.0, 2.0, 3.0])


class Base:
    def __init__(self, value: Any) -> None:
        self.value = value

    def __add__(self, other: Any) -> Any:
        return "add", self.value, other.value

    def __radd__(self, other: Any) -> Any:
        return "radd", self.value, other.value


class Inheriting(Base):
    pass


class Repeating(Base):
    __radd__ = Base.__radd__


class Overriding(Base):
    def __radd__(self, other: Any) -> Any:
        return "own", self.value, other.value


def reflected_operators(x: Any) -> Any:
    one = Base(1)
    return one + Inheriting(2), one + Repeating(3), one + Overriding(x), Overriding(4) + one


class Text:
    def __init__(self, value: Any) -> None:
        self.value = value

    def __rmod__(self, other: Any) -> Any:
        return "rmod", other


def an_object_as_text(x: Any) -> Any:
    text: Any = "%s"
    return (text % Text(1))[:5], x


class Declining:
    def __init__(self, value: Any) -> None:
        self.value = value

    def __iadd__(self, other: Any) -> Any:
        if self.value.sum() > 0:
            return NotImplemented
        return NotImplemented

    def __add__(self, other: Any) -> Any:
        return self.value + other


class SometimesDeclining(Declining):
    def __iadd__(self, other: Any) -> Any:
        return NotImplemented if self.value.sum() > 0 else 7


def an_augmented_assignment_that_is_declined(x: Any) -> Any:
    one, other = Declining(x), SometimesDeclining(x)
    one += 1
    other += 2
    return one, other


class Equal:
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]  # compared only


class Unequal:
    def __ne__(self, other: object) -> Any:
        return "ne"


class DecliningUnequal:
    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> Any:
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # compared only


def inequalities(x: Any) -> Any:
    one: Any = Equal()
    other: Any = Unequal()
    declining: Any = DecliningUnequal()
    return one != other, other != one, declining != DecliningUnequal(), one != 3, one != Equal(), x


class Sized:
    def __init__(self, value: Any) -> None:
        self.value = value

    def __len__(self) -> int:
        return self.value


class Truthful(Sized):
    def __bool__(self) -> bool:
        return self.value


def a_truth_that_is_an_array(x: Any) -> Any:
    return x + 1 if Truthful(x.sum() > 0) else x


def a_truth_that_is_a_number(x: Any) -> Any:
    return x + 1 if Truthful(1) else x


def a_truth_by_a_negative_length(x: Any) -> Any:
    return x + 1 if Sized(-1) else x


def a_length_that_is_an_array(x: Any) -> Any:
    return len(Sized(jnp.int32(3))), x


def a_length_that_is_a_bool(x: Any) -> Any:
    return len(Sized(True)), x


def a_length_that_is_a_float(x: Any) -> Any:
    return len(Sized(2.0)), x


def a_length_of_the_run(x: Any) -> Any:
    return len(Sized(int(x.sum()))), x


class Failing:
    @property
    def bad(self) -> Any:
        raise AttributeError("bad")

    @property
    def worse(self) -> Any:
        raise KeyError("worse")


class Computing(Failing):
    def __getattr__(self, name: str) -> Any:
        if name == "none":
            raise AttributeError(name)
        return "computed", name


def attributes_that_raise(x: Any) -> Any:
    found: list[Any] = []
    try:
        found += [hasattr(Failing(), "bad"), getattr(Failing(), "bad", 7), hasattr(Computing(), "none")]
        found += [Computing().bad, getattr(Computing(), "none", 8), x]
        found += [Failing().bad]
    except AttributeError as error:
        return found, error.args
    return found


def another_error_of_a_property(x: Any) -> Any:
    try:
        return hasattr(Computing(), "worse"), x
    except KeyError as error:
        return error.args, x


class Setting:
    def __set__(self, owner: Any, value: Any) -> None:
        owner.__dict__["field"] = value * 2


class Holder:
    field = Setting()

    def __init__(self, value: Any) -> None:
        self.field = value


HOLDER = Holder(3.0)


def a_descriptor_that_only_sets(x: Any) -> Any:
    return HOLDER.field, x


class Untrue(NamedTuple):
    first: Any

    def __bool__(self) -> bool:
        return False


class Odd(NamedTuple):
    first: Any

    def __len__(self) -> int:
        return 7

    def __getitem__(self, index: Any) -> Any:
        return "item"

    def __contains__(self, item: object) -> bool:
        return True

    def __iter__(self) -> Any:
        return iter((1, 2, 3))

    def __eq__(self, other: object) -> Any:
        return "eq"

    __hash__ = None  # type: ignore[assignment]  # compared only


class Shown(NamedTuple):
    first: Any

    def __repr__(self) -> str:
        return "shown"


def the_truth_of_a_named_tuple(x: Any) -> Any:
    return x if Untrue(x) else x + 1


def methods_of_a_named_tuple(x: Any) -> Any:
    return Odd(x)[0], len(Odd(x)), 5 in Odd(1), Odd(1) == Odd(2), list(Odd(1)), f"{Shown(1)}", x


class Cached:
    def __init__(self, value: Any) -> None:
        self.value, self.count = value, 0

    @functools.cached_property
    def double(self) -> Any:
        self.count += 1
        return self.value * 2


def a_cached_property_of_one_path(x: Any) -> Any:
    made = Cached(x)
    if x.sum() > 0:
        made.double  # noqa: B018
    return made.double, made.count


class Keys:
    pair, number = (1, 2), 3


def mappings(x: Any) -> Any:
    found: list[Any] = []
    for subject in ({(1, 2): x}, {3: x}, {}, {"rest": 1, 3: 2}):
        match subject:
            case {Keys.pair: value}:
                found.append(("pair", value))
            case {Keys.number: value, **rest}:
                found.append(("number", value, rest))
            case _:
                found.append("none")
    return found


def keys_that_are_one(x: Any) -> Any:
    match {3: x, 4: x}:
        case {Keys.number: a, 3: b}:
            return a, b
        case _:
            return x


def builtin_classes_with_attributes(x: Any) -> Any:
    five: Any = 5
    match five:
        case int(_, real=3):
            return "yes", x
        case int(value):
            return value, x
        case _:
            return x


def builtin_classes_with_two_positions(x: Any) -> Any:
    five: Any = 5
    match five:
        case int(a, _):  # type: ignore[misc]
            return a, x
        case _:
            return x


def kind(value: Any) -> Any:
    match value:
        case [_, _]:
            return "pair"
        case _:
            return "other"


def sequences(x: Any) -> Any:
    return kind(deque([1, 2])), kind((x, x)), kind("ab"), kind(b"ab"), kind({1: 2, 3: 4}), kind({1, 2}), kind(x[:2])


def ranges(x: Any) -> Any:
    return kind(range(2)), x


def a_part_of_one_of_two_types(x: Any) -> Any:
    part = (x, x) if x.sum() > 0 else None
    match (part, 1):
        case [[_, _], _]:
            return "pair", x
        case _:
            return "other", x


class Log:
    def __init__(self) -> None:
        self.log: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.log.append(name)
        return name


def attributes_of_a_pattern(x: Any) -> Any:
    log = Log()
    match log:
        case Log(a="b", c="d"):
            pass
        case Log(e="e", f="f"):
            log.log.append("fits")
        case _:
            pass
    return log.log, x


@pytest.mark.parametrize(
    "function",
    [
        reflected_operators,
        an_object_as_text,
        an_augmented_assignment_that_is_declined,
        inequalities,
        a_truth_that_is_an_array,
        a_truth_that_is_a_number,
        a_truth_by_a_negative_length,
        a_length_that_is_an_array,
        a_length_that_is_a_bool,
        a_length_that_is_a_float,
        a_length_of_the_run,
        attributes_that_raise,
        another_error_of_a_property,
        a_descriptor_that_only_sets,
        the_truth_of_a_named_tuple,
        methods_of_a_named_tuple,
        a_cached_property_of_one_path,
        mappings,
        keys_that_are_one,
        builtin_classes_with_attributes,
        builtin_classes_with_two_positions,
        sequences,
        ranges,
        a_part_of_one_of_two_types,
        attributes_of_a_pattern,
    ],
)
def test_objects_go_by_the_rules_of_python(function: Callable[[Any], Any]) -> None:
    pair = Pair(function)
    for scale in (1.0, 2.0, 1.0, 1.0, -1.0, 3.0, -2.0, 1.0):
        pair.agree(V * scale)
    assert "internal" not in [reason.id for reason in pair.speculated.explain().reasons]


@pytest.mark.parametrize(
    "function",
    [reflected_operators, inequalities, attributes_that_raise, mappings, sequences, attributes_of_a_pattern],
)
def test_what_is_done_by_the_rules_runs_compiled(function: Callable[[Any], Any]) -> None:
    Pair(function).warm(V)


class Filling:
    pass


def sets_in_another_order(x: Any) -> Any:
    made: Any = Filling()
    if x.sum() > 0:
        made.a = x
    made.b = 1
    made.a = x + 1
    return made


def sets_again_at_once(x: Any) -> Any:
    made: Any = Filling()
    made.b = 1
    if x.sum() > 0:
        made.a = x
    made.a = x + 1
    made.c = 2
    return made


def deletes_and_sets(x: Any) -> Any:
    made: Any = Filling()
    made.a, made.b = x, x
    if x.sum() > 0:
        del made.a
    made.a = x + 1
    return made


@pytest.mark.parametrize("function", [sets_in_another_order, sets_again_at_once, deletes_and_sets])
def test_attributes_are_in_the_order_in_which_they_were_set(function: Callable[[Any], Any]) -> None:
    speculated = janus_jax.speculate(function)
    for scale in (1.0, 1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0, 1.0):
        assert list(vars(speculated(V * scale))) == list(vars(function(V * scale)))


class Helper:
    pass


class Helped:
    helper: Any = Helper()


HELPED = Helped()
HELPED.helper = 5


def reads_its_own(x: Any) -> Any:
    return HELPED.helper, x


def test_a_class_attribute_becomes_a_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair(reads_its_own).warm(V)
    monkeypatch.setattr(Helper, "__get__", lambda self, owner, kind: "got", raising=False)
    pair.agree(V)
    monkeypatch.setattr(Helper, "__set__", lambda self, owner, value: None, raising=False)
    assert pair.agree(V) is not None


class Plain(NamedTuple):
    first: Any
    second: Any


def uses_a_plain_one(x: Any) -> Any:
    made = Plain(x, 2)
    return made[1], len(made), bool(made), made


@pytest.mark.parametrize("name", ["__len__", "__bool__", "__getitem__"])
def test_a_named_tuple_gets_a_method(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair(lambda x: uses_a_plain_one(x)[:3]).warm(V)
    monkeypatch.setattr(Plain, name, lambda *_: False if name == "__bool__" else 1, raising=False)
    pair.agree(V)


def test_a_key_of_a_pattern_varies(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair(mappings).warm(V)
    for number in (4, 3, 5, 3, 3):
        monkeypatch.setattr(Keys, "number", number)
        pair.agree(V)


def test_an_inherited_method_is_overridden_later(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair(reflected_operators).warm(V)
    monkeypatch.setattr(Inheriting, "__radd__", lambda self, other: ("new", self.value), raising=False)
    pair.agree(V)
    monkeypatch.setattr(Repeating, "__radd__", lambda self, other: ("new", self.value))
    pair.agree(V)
