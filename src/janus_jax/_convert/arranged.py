"""Iterators of `itertools` that hand on what they are given in another order, and call nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

from janus_jax._base import Unstageable
from janus_jax._convert import iterables
from janus_jax._convert.handlers import Caller, Handler, unsupported
from janus_jax._convert.native import numbers_within
from janus_jax._convert.stager import Stager
from janus_jax._values.number import Number

MOST = 10_000  # so many elements come of a few, at most


def _static(stager: Stager, values: Iterable[Any], what: str) -> None:
    """Demand integers that are known while converting, or None."""
    values = list(values)
    if numbers_within(values):
        raise stager.need_static(numbers_within(values), what)
    if not all(value is None or type(value) is int for value in values):
        raise unsupported(stager, what)


def _of_pools(function: Any, counts: tuple[str, ...]) -> Handler:
    """Return the handler of an iterator that takes all elements of its arguments when it is made."""

    def make(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
        several = not counts
        sources, given = (args, []) if several else (args[:1], args[1:])
        options = {**dict(zip(counts, given, strict=False)), **keywords}
        if (not sources and not several) or len(given) > len(counts) or options.keys() - {*counts, "repeat"}:
            raise unsupported(stager, f"{function.__name__} with these arguments")
        _static(stager, options.values(), f"{function.__name__} of so many")
        pools = [tuple(iterables.items(stager, source)) for source in sources]
        return iterables.ArrangedValue((), tuple(pools), lambda _: _limited(stager, function, pools, options))

    return make


def _limited(stager: Stager, function: Any, pools: list[tuple[Any, ...]], options: dict[str, Any]) -> list[Any]:
    try:
        found = list(itertools.islice(function(*pools, **options), MOST + 1))
    except (TypeError, ValueError) as error:
        raise Unstageable("raises", f"{type(error).__name__}: {error}", stager.site) from None
    if len(found) > MOST:
        raise Unstageable("concrete-value", f"more than {MOST} elements of {function.__name__}", stager.site)
    return found


def _arrange(
    stager: Stager, sources: list[Any], arrange: Callable[..., Iterable[Any]], held: tuple[Any, ...] = ()
) -> iterables.ArrangedValue:
    """Return an iterator over what `arrange` makes of the elements of the sources."""
    parts = tuple([iterables.opened(stager, source) for source in sources])
    return iterables.ArrangedValue(parts, held, lambda parts: list(arrange(*parts)))


def _pairwise(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
    if len(args) != 1 or keywords:
        raise Unstageable("raises", "TypeError: pairwise() takes one argument", stager.site)
    return _arrange(stager, args, itertools.pairwise)


def _chain(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
    if keywords:
        raise Unstageable("raises", "TypeError: chain() takes no keywords", stager.site)
    return _arrange(stager, args, itertools.chain)


def chain_of(stager: Stager, args: list[Any], keywords: dict[str, Any]) -> Any:
    """Return `itertools.chain.from_iterable(*args)`."""
    if len(args) != 1 or keywords:
        raise Unstageable("raises", "TypeError: chain.from_iterable() takes one argument", stager.site)
    return _arrange(stager, args, lambda rows: [item for row in rows for item in iterables.items(stager, row)])


def _zip_longest(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
    if keywords.keys() - {"fillvalue"}:
        raise Unstageable("raises", "TypeError: zip_longest() takes no such keyword", stager.site)
    fill = keywords.get("fillvalue")
    return _arrange(stager, args, lambda *rows: itertools.zip_longest(*rows, fillvalue=fill), (fill,))


def _slice(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
    if not 2 <= len(args) <= 4 or keywords:
        raise unsupported(stager, "islice with these arguments")
    source, bounds = iterables.opened(stager, args[0]), args[1:]
    if iterables.holds_generator(source):
        raise Unstageable("generator", "islice may leave the rest of it", stager.site)
    _static(stager, bounds, "the bounds of islice")
    if any(bound is not None and bound < 0 for bound in bounds) or bounds[2:] == [0]:
        raise Unstageable("raises", "ValueError: the bounds of islice()", stager.site)
    stop = bounds[0] if len(bounds) == 1 else bounds[1]
    if isinstance(source, iterables.ENDLESS):
        if stop is None or stop > MOST:
            raise unsupported(stager, "islice without an end")
        return iterables.ArrangedValue(
            (), (source,), lambda _: list(itertools.islice(iterables.first(stager, source, stop), *bounds))
        )
    return _arrange(stager, [source], lambda items: itertools.islice(items, *bounds))


def _repeat(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
    times = keywords.get("times", args[1] if len(args) == 2 else None)
    if not 1 <= len(args) <= 2 or keywords.keys() - {"times"}:
        raise unsupported(stager, "repeat with these arguments")
    if len(args) == 1 and not keywords:
        return iterables.RepeatValue(args[0])
    _static(stager, [times], "repeat of so many")
    if times is None:
        raise Unstageable("raises", "TypeError: repeat() of None times", stager.site)
    return iterables.ArrangedValue((), (args[0],), lambda _: [args[0]] * times)


def _count(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
    options = {"start": 0, "step": 1, **dict(zip(("start", "step"), args, strict=False)), **keywords}
    kinds = [value.kind if isinstance(value, Number) else type(value) for value in options.values()]
    if len(args) > 2 or len(options) > 2 or kinds != [int, int]:
        raise unsupported(stager, "count of these values")
    return iterables.CountValue(options["start"], options["step"])


def _cycle(stager: Stager, args: list[Any], keywords: dict[str, Any], _: Caller) -> Any:
    part = iterables.opened(stager, args[0]) if len(args) == 1 else None
    if part is None or keywords or isinstance(part, iterables.ENDLESS) or iterables.holds_generator(part):
        raise unsupported(stager, "cycle of these values")
    return iterables.CycleValue(part)


HANDLERS: dict[Any, Handler] = {
    itertools.pairwise: _pairwise,
    itertools.chain: _chain,
    itertools.zip_longest: _zip_longest,
    itertools.islice: _slice,
    itertools.repeat: _repeat,
    itertools.count: _count,
    itertools.cycle: _cycle,
    itertools.product: _of_pools(itertools.product, ()),
    itertools.permutations: _of_pools(itertools.permutations, ("r",)),
    itertools.combinations: _of_pools(itertools.combinations, ("r",)),
    itertools.combinations_with_replacement: _of_pools(itertools.combinations_with_replacement, ("r",)),
}
