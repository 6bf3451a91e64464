"""Lists, dicts, sets and deques that are changed in place."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from janus_jax._base import Unstageable
from janus_jax._convert import attributes, dunders, enums, iterables, operators, ordering, runs, slices
from janus_jax._convert.generators import may_read
from janus_jax._convert.heap import change, store
from janus_jax._convert.native import is_constant, is_key, key_of, numbers_within, run_native
from janus_jax._convert.objects import class_of
from janus_jax._convert.stager import Stager
from janus_jax._convert.watching import reshape
from janus_jax._values.kinds import Union, leaves_of
from janus_jax._values.number import Number

Method = Callable[[Stager, Any, list[Any], dict[str, Any]], Any]
CONTAINERS = (list, dict, set, deque)


def set_item(stager: Stager, owner: Any, index: Any, value: Any) -> None:
    """Do `owner[index] = value`."""
    if class_of(owner) is not None:
        return dunders.set_item(stager, owner, index, value)
    if type(owner) not in (list, dict, deque):
        raise Unstageable("heap-write", "an item of this value", stager.site)
    _expand(stager, owner)
    place = _place(stager, owner, index)
    if type(owner) is dict and place not in owner:
        reshape(stager, owner)
    change(stager, owner)
    if isinstance(place, slice):
        return run_native(stager, lambda: owner.__setitem__(place, store(stager, iterables.items(stager, value))))
    return run_native(stager, lambda: owner.__setitem__(place, store(stager, value)))


def delete_item(stager: Stager, owner: Any, index: Any) -> None:
    """Do `del owner[index]`."""
    if type(owner) not in (list, dict, deque):
        raise Unstageable("heap-write", "del of an item of this value", stager.site)
    _expand(stager, owner)
    place = _place(stager, owner, index)
    reshape(stager, owner)
    change(stager, owner)
    return run_native(stager, lambda: owner.__delitem__(place))


def _place(stager: Stager, owner: Any, index: Any) -> Any:
    """Return an index that is known while converting."""
    what = f"the index of a {type(owner).__name__}"
    if type(owner) is dict:
        return key_of(stager, index, what)
    (index,) = enums.operands(stager, [index], ("__index__",))
    numbers = numbers_within(index)
    if numbers:
        raise stager.need_static(numbers, what)
    if is_constant(index):
        return index
    raise Unstageable("concrete-value", what, stager.site)


def augmented(stager: Stager, symbol: str, left: Any, right: Any) -> Any:
    """Return what a name is bound to by `left symbol= right`, which may change `left` in place."""
    if isinstance(left, Union) and any(isinstance(value, CONTAINERS) for value in left.alternatives):
        raise Unstageable("heap-write", "which of several objects it is, only the run knows", stager.site)
    if class_of(left) is not None:
        return dunders.augmented(stager, symbol, left, right)
    if not isinstance(left, CONTAINERS):
        return operators.binary(stager, symbol, left, right)
    name = _IN_PLACE.get((type(left), symbol))
    if name is None:
        raise Unstageable("unsupported-expression", f"{symbol}= of a {type(left).__name__}", stager.site)
    if type(left) is set and type(right) is not set:
        raise Unstageable("raises", f"TypeError: {symbol}= of a set and a {type(right).__name__}", stager.site)
    call_method(stager, left, name, [right], {})
    return left


_IN_PLACE: dict[tuple[type, str], str] = {
    (list, "+"): "extend",
    (deque, "+"): "extend",
    (dict, "|"): "update",
    (set, "|"): "update",
    (set, "&"): "intersection_update",
    (set, "-"): "difference_update",
    (set, "^"): "symmetric_difference_update",
}


def call_method(stager: Stager, receiver: Any, name: str, args: list[Any], keywords: dict[str, Any]) -> Any:
    """Return what a method of a container gives, and change the container as the method does."""
    if name not in _ON_RUNS:
        _expand(stager, receiver)
    return METHODS[type(receiver)][name](stager, receiver, args, keywords)


def _expand(stager: Stager, owner: Any) -> None:
    """Have a list hold each element by itself, of those that a loop has made."""
    if runs.holds_run(owner):
        change(stager, owner)
        owner[:] = runs.items(stager, owner)


def _changing(name: str) -> Method:
    """Return a method that moves what the container holds, and looks at none of it."""

    def call(stager: Stager, receiver: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
        reshape(stager, receiver)
        change(stager, receiver)
        store(stager, args)
        return run_native(stager, lambda: getattr(receiver, name)(*args, **keywords))

    return call


def _placing(name: str) -> Method:
    """As `_changing`, for methods whose first argument is a key or index."""

    def call(stager: Stager, receiver: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
        place = [_place(stager, receiver, args[0])] if args else []
        return _changing(name)(stager, receiver, [*place, *args[1:]], keywords)

    return call


def _taking(name: str) -> Method:
    """As `_changing`, for methods that take elements out of another container."""

    def call(stager: Stager, receiver: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
        taken = [_taken(stager, receiver, value) for value in args]
        return _changing(name)(stager, receiver, taken, keywords)

    return call


def _of_constants(name: str, *, changes: bool = True) -> Method:
    """Return a method that compares or hashes: all it gets has to be known while converting."""

    def call(stager: Stager, receiver: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
        held = [*leaves_of(args), *(receiver if type(receiver) is not dict else ())]
        numbers = numbers_within(held)
        if numbers:
            raise stager.need_static(numbers, f"{name} of a {type(receiver).__name__}")
        if keywords or not all(map(is_key, held)):
            raise Unstageable("unsupported-expression", f"{name} with values of the program", stager.site)
        if changes:
            reshape(stager, receiver)
            change(stager, receiver)
        return run_native(stager, lambda: getattr(receiver, name)(*args))

    return call


def _append(stager: Stager, receiver: list[Any], args: list[Any], keywords: dict[str, Any]) -> None:
    if len(args) != 1 or keywords:
        raise Unstageable("raises", "TypeError: list.append() takes one argument", stager.site)
    change(stager, receiver)
    runs.append(stager, receiver, store(stager, args[0]))


def _extend(stager: Stager, receiver: list[Any], args: list[Any], keywords: dict[str, Any]) -> None:
    if len(args) != 1 or keywords:
        raise Unstageable("raises", "TypeError: list.extend() takes one argument", stager.site)
    for item in _taken(stager, receiver, args[0]):
        _append(stager, receiver, [item], {})


def _pop(stager: Stager, receiver: list[Any], args: list[Any], keywords: dict[str, Any]) -> Any:
    is_last = not keywords and (not args or (args[0] is not True and args == [-1]))
    if is_last and runs.holds_run(receiver) and isinstance(runs.length(stager, receiver), Number):
        change(stager, receiver)
        return runs.pop(stager, receiver)
    _expand(stager, receiver)
    return _placing("pop")(stager, receiver, args, keywords)


def _copy(stager: Stager, receiver: list[Any], args: list[Any], keywords: dict[str, Any]) -> Any:
    if args or keywords:
        raise Unstageable("raises", "TypeError: list.copy() takes no arguments", stager.site)
    runs.holds_run(receiver)  # a loop's body must not copy what it does not know
    return slices.copied(receiver)


def _taken(stager: Stager, receiver: Any, source: Any) -> list[Any]:
    """Return the elements that a container gets, one by one, from what does not look at it meanwhile."""
    if iterables.holds_generator(source) and may_read(source, receiver):
        raise Unstageable("generator", "a container gets what a generator makes of it", stager.site)
    return list(source) if type(source) is set else iterables.items(stager, source)


def _reading(name: str) -> Method:
    return lambda stager, receiver, args, keywords: run_native(
        stager, lambda: getattr(receiver, name)(*args, **keywords)
    )


def _getting(name: str) -> Method:
    """Return `dict.get`, which reads at a key."""

    def call(stager: Stager, receiver: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
        place = [_place(stager, receiver, args[0])] if args else []
        return _reading(name)(stager, receiver, [*place, *args[1:]], keywords)

    return call


def _view(name: str) -> Method:
    def call(stager: Stager, receiver: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
        if args or keywords:
            raise Unstageable("raises", f"TypeError: dict.{name}() takes no arguments", stager.site)
        return iterables.ViewValue(receiver, name)

    return call


def _update(stager: Stager, receiver: Any, args: list[Any], keywords: dict[str, Any]) -> None:
    pairs: dict[Any, Any] = {}
    for value in args:
        found = value.items() if type(value) is dict else map(tuple, _taken(stager, receiver, value))
        pairs.update(run_native(stager, lambda found=found: dict(found)))
    for key in pairs:
        _ = key_of(stager, key, "the key of a dict")
    if len(args) > 1:
        raise Unstageable("unsupported-expression", "dict.update with these arguments", stager.site)
    reshape(stager, receiver)
    change(stager, receiver)
    receiver.update(store(stager, {**pairs, **keywords}))


def _with_sets(name: str, *, changes: bool) -> Method:
    """Return a method of sets whose arguments may be anything with elements."""

    def call(stager: Stager, receiver: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
        taken = [_taken(stager, receiver, value) for value in args]
        return _of_constants(name, changes=changes)(stager, receiver, taken, keywords)

    return call


_SETS_CHANGE = ("update", "intersection_update", "difference_update", "symmetric_difference_update")
_SETS_READ = (
    "union", "intersection", "difference", "symmetric_difference", "issubset", "issuperset", "isdisjoint"
)  # fmt: skip
_ON_RUNS = ("append", "extend", "pop", "copy")  # what is done to a list without looking at each element
METHODS: dict[type, dict[str, Method]] = {
    list: {
        "append": _append,
        "extend": _extend,
        "insert": _placing("insert"),
        "pop": _pop,
        "clear": _changing("clear"),
        "reverse": _changing("reverse"),
        "copy": _copy,
        "remove": _of_constants("remove"),
        "sort": ordering.sort,
        "index": _of_constants("index", changes=False),
        "count": _of_constants("count", changes=False),
    },
    dict: {
        "get": _getting("get"),
        "items": _view("items"),
        "keys": _view("keys"),
        "values": _view("values"),
        "update": _update,
        "setdefault": _placing("setdefault"),
        "pop": _placing("pop"),
        "popitem": _changing("popitem"),
        "clear": _changing("clear"),
        "copy": _reading("copy"),
    },
    set: {
        "add": _of_constants("add"),
        "discard": _of_constants("discard"),
        "remove": _of_constants("remove"),
        **{name: _with_sets(name, changes=True) for name in _SETS_CHANGE},
        **{name: _with_sets(name, changes=False) for name in _SETS_READ},
        "copy": _reading("copy"),
        "clear": _changing("clear"),
    },
    deque: {
        "append": _changing("append"),
        "appendleft": _changing("appendleft"),
        "extend": _taking("extend"),
        "extendleft": _taking("extendleft"),
        "pop": _changing("pop"),
        "popleft": _changing("popleft"),
        "rotate": _of_constants("rotate"),
        "reverse": _changing("reverse"),
        "clear": _changing("clear"),
        "copy": _reading("copy"),
    },
}
# `dict.setdefault` of a key that is there changes nothing, and may be noted all the same.
attributes.CONTAINER_METHODS.update({kind: frozenset(methods) for kind, methods in METHODS.items()})
