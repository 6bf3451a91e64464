"""Functions that call a function for each element: one after the other, as far as their result is asked for."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jax import lax

from janus_jax._base import Unstageable
from janus_jax._convert import folds, iterables, operators
from janus_jax._convert.handlers import Caller, Handler, unsupported
from janus_jax._convert.stager import Raised, Stager
from janus_jax._convert.watching import Watch
from janus_jax._values.number import Number, wide


def each(stager: Stager, source: Any) -> Iterator[Any]:
    """Yield the elements of `source`, which may not change from one to the next as far as Python would see it."""
    watch, before = Watch(stager, source), stager.heap.now()
    items = iterables.items(stager, source)
    for index, item in enumerate(items):
        watch.check(index)
        yield item
    watch.check(len(items))
    if iterables.holds_generator(source) and stager.heap.changed_since(before):
        raise Unstageable("generator", "what a generator does, and what is done with its elements", stager.site)


def search(stager: Stager, tests: Iterable[Callable[[], Any]], stop: bool) -> Any:
    """Return whether any of the tests gives what is true, or, with `stop` False, whether all do.

    Behind a test of which only the run knows whether it ends the search, nothing may change.
    """
    dynamic: list[Any] = []
    for test in tests:
        holds = operators.truth(stager, _aside(stager, test) if dynamic else test())
        if holds is stop:
            return stop
        if not isinstance(holds, bool):
            dynamic.append(holds)
    if not dynamic:
        return not stop
    stager.uses_numbers = True
    result = dynamic[0]
    with wide():
        for truth in dynamic[1:]:
            result = lax.bitwise_or(result, truth) if stop else lax.bitwise_and(result, truth)
    return Number(bool, result)


def _aside(stager: Stager, test: Callable[[], Any]) -> Any:
    """Return what a test gives that Python may not come to."""
    around = stager.heap.enter()
    try:
        result = test()
        if stager.heap.changed():
            raise Unstageable("heap-write", "in a step of a search that may have ended", stager.site)
        return result
    except Raised as raised:
        raise Unstageable("raises", raised.detail, raised.where) from None
    finally:
        stager.heap.leave(around)


def _any_all(stop: bool) -> Handler:
    def fold(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
        if len(args) != 1 or keywords:
            raise Unstageable("raises", "TypeError: any() and all() take one argument", stager.site)
        if isinstance(args[0], iterables.GeneratorValue):
            return search_generator(stager, args[0], stop)
        if folds.is_long(stager, args[0]):
            return folds.fold(stager, "any" if stop else "all", args[0])
        return search(stager, (functools.partial(_itself, item) for item in iterables.items(stager, args[0])), stop)

    return fold


def search_generator(stager: Stager, generator: iterables.GeneratorValue, stop: bool) -> Any:
    """Return whether any, or all, of the elements of a generator are true; it goes no further than Python asks."""
    if generator.search is None:
        raise Unstageable("generator", "any or all of a generator", stager.site)
    return generator.search(stop)


def _itself(value: Any) -> Any:
    return value


def _generator(stager: Stager, args: list[Any], run: Callable[[], list[Any]]) -> iterables.GeneratorValue:
    """Return an iterator that calls functions, and is used up at once."""

    def find(stop: bool) -> Any:
        raise Unstageable("generator", "any or all of this iterator", stager.site)

    return iterables.GeneratorValue(run, find, None, tuple(args))


def _map(stager: Stager, args: list[Any], keywords: dict[str, Any], caller: Caller) -> Any:
    if len(args) < 2 or keywords:
        raise unsupported(stager, "map with these arguments")
    function = args[0]
    sources = [iterables.opened(stager, source) for source in args[1:]]
    rows = sources[0] if len(sources) == 1 else iterables.ZipValue(tuple(sources))

    def tests() -> Iterator[Callable[[], Any]]:
        for row in each(stager, rows):
            yield functools.partial(caller, function, [row] if len(sources) == 1 else list(row))

    return iterables.GeneratorValue(
        lambda: [test() for test in tests()], lambda stop: search(stager, tests(), stop), None, (function, *sources)
    )


def _starmap(stager: Stager, args: list[Any], keywords: dict[str, Any], caller: Caller) -> Any:
    function, source = _function_and_source(stager, args, keywords)

    def run() -> list[Any]:
        return [caller(function, iterables.items(stager, row)) for row in each(stager, source)]

    return _generator(stager, args, run)


def _function_and_source(stager: Stager, args: list[Any], keywords: dict[str, Any]) -> tuple[Any, Any]:
    if len(args) != 2 or keywords:
        raise unsupported(stager, "these arguments of a function that calls another")
    return args[0], iterables.opened(stager, args[1])


def _known(stager: Stager, caller: Caller, function: Any, item: Any) -> bool:
    """Return whether a test holds, which has to be known while converting."""
    holds = operators.truth(stager, item if function is None else caller(function, [item]))
    if not isinstance(holds, bool):
        raise unsupported(stager, "a choice of elements that only the run knows")
    return holds


def _filter(kept: bool) -> Handler:
    def choose(stager: Stager, args: list[Any], keywords: dict[str, Any], caller: Caller) -> Any:
        function, source = _function_and_source(stager, args, keywords)

        def chosen() -> Iterator[Any]:
            return (item for item in each(stager, source) if _known(stager, caller, function, item) is kept)

        return iterables.GeneratorValue(
            lambda: list(chosen()),
            lambda stop: search(stager, (functools.partial(_itself, item) for item in chosen()), stop),
            None,
            (function, source),
        )

    return choose


def _take_while(stager: Stager, args: list[Any], keywords: dict[str, Any], caller: Caller) -> Any:
    function, source = _function_and_source(stager, args, keywords)
    if iterables.holds_generator(source):
        raise Unstageable("generator", "takewhile may leave the rest of it", stager.site)
    test = functools.partial(_known, stager, caller, function)
    return _generator(stager, args, lambda: list(itertools.takewhile(test, each(stager, source))))


def _drop_while(stager: Stager, args: list[Any], keywords: dict[str, Any], caller: Caller) -> Any:
    function, source = _function_and_source(stager, args, keywords)
    test = functools.partial(_known, stager, caller, function)
    return _generator(stager, args, lambda: list(itertools.dropwhile(test, each(stager, source))))


def _reduce(stager: Stager, args: list[Any], keywords: dict[str, Any], caller: Caller) -> Any:
    if not 2 <= len(args) <= 3 or keywords:
        raise unsupported(stager, "reduce with these arguments")
    totals = _totals(stager, caller, args[0], args[1], args[2:])
    if not totals:
        raise Unstageable("raises", "TypeError: reduce() of empty iterable", stager.site)
    return totals[-1]


def _accumulate(stager: Stager, args: list[Any], keywords: dict[str, Any], caller: Caller) -> Any:
    options = {**dict(zip(("iterable", "func"), args, strict=False)), **keywords}
    if len(args) > 2 or not {"iterable"} <= options.keys() <= {"iterable", "func", "initial"}:
        raise unsupported(stager, "accumulate with these arguments")
    options["iterable"] = iterables.opened(stager, options["iterable"])
    initial = [options["initial"]] if options.get("initial") is not None else []
    return _generator(
        stager,
        list(options.values()),
        lambda: _totals(stager, caller, options.get("func"), options["iterable"], initial),
    )


def _totals(stager: Stager, caller: Caller, function: Any, source: Any, initial: list[Any]) -> list[Any]:
    """Return what has come together before, at the first and at each further element."""
    found = list(initial)
    for item in each(stager, source):
        if not found:
            found.append(item)
        elif function is None:
            found.append(operators.binary(stager, "+", found[-1], item))
        else:
            found.append(caller(function, [found[-1], item]))
    return found


HANDLERS: dict[Any, Handler] = {
    any: _any_all(True),
    all: _any_all(False),
    map: _map,
    filter: _filter(True),
    functools.reduce: _reduce,
    itertools.filterfalse: _filter(False),
    itertools.starmap: _starmap,
    itertools.takewhile: _take_while,
    itertools.dropwhile: _drop_while,
    itertools.accumulate: _accumulate,
}
# They do not look at what they are given.
LAZY = tuple(function for function in HANDLERS if not any(function is one for one in (any, all, functools.reduce)))
