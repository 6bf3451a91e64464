"""`min`, `max`, `sorted` and `list.sort`, also by keys that only the run knows.

Where all keys are known, Python itself compares them. Otherwise the keys are put side by side in arrays, each element
is told its place by all comparisons at once, and the elements go there. NaN has no place: a guard says there is none.
"""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from janus_jax._base import Unstageable
from janus_jax._convert import folds, iterables, operators
from janus_jax._convert.functional import each
from janus_jax._convert.generators import may_read
from janus_jax._convert.handlers import Caller, Handler, unsupported
from janus_jax._convert.heap import change
from janus_jax._convert.identity import distinct
from janus_jax._convert.native import is_array, is_constant, is_number, is_scalar, run_native, run_python
from janus_jax._convert.stager import Stager
from janus_jax._convert.unions import choose
from janus_jax._values import number_ops
from janus_jax._values.build import build
from janus_jax._values.join import join
from janus_jax._values.kinds import Conflict
from janus_jax._values.layout import conform
from janus_jax._values.number import Number, wide
from janus_jax._values.number_bits import is_nan, order
from janus_jax._values.template import flatten, holds_union

MOST = 64  # so many elements are put in an order that only the run knows, at most
Before: TypeAlias = Callable[[], jax.Array]


def _kind(value: Any) -> Any:
    return value.kind if isinstance(value, Number) else type(value)


# The best of several


_FOLDS: dict[tuple[str, ...], str] = {(): "", ("key",): " by", ("default",): " or"}


def _extreme(symbol: str) -> Handler:
    best_of = builtins.max if symbol == ">" else builtins.min

    def extreme(stager: Stager, args: list[Any], keywords: dict[str, Any], caller: Caller) -> Any:
        source = args[0] if len(args) == 1 else args
        if keywords.keys() - {"key", "default"} or not args or ("default" in keywords and len(args) > 1):
            raise unsupported(stager, "min or max with these arguments")
        key = keywords.get("key")
        given = {name: value for name, value in keywords.items() if name != "key" or value is not None}
        if "key" not in given:
            source = folds.gathered(stager, source)
        if len(given) < 2 and folds.is_long(stager, source):
            return folds.fold(stager, best_of.__name__ + _FOLDS[tuple(given)], source, *given.values())
        if type(source) is set and key is None:
            source = list(source)
        found = [(item, item if key is None else caller(key, [item])) for item in each(stager, source)]
        if not found:
            if "default" in keywords:
                return keywords["default"]
            raise Unstageable("raises", "ValueError: min() or max() of nothing", stager.site)
        keys = [key for _, key in found]
        if all(map(is_constant, keys)):
            return found[run_python(stager, lambda: best_of(range(len(keys)), key=keys.__getitem__))][0]
        return functools.reduce(functools.partial(_better, stager, symbol), found)[0]

    return extreme


def _better(stager: Stager, symbol: str, best: tuple[Any, Any], other: tuple[Any, Any]) -> tuple[Any, Any]:
    """Return of two items, each with its key, the second if its key is better, which is what min and max do."""
    (item, key), (other_item, other_key) = best, other
    if key is other_key and is_number(key):
        return best
    better = operators.truth(stager, operators.compare(stager, symbol, other_key, key))
    if isinstance(better, bool):
        return other if better else best
    chosen = _chosen(stager, better, other_key, key)
    is_key = item is key and other_item is other_key
    return (chosen if is_key else _chosen(stager, better, other_item, item)), chosen


def _chosen(stager: Stager, predicate: Any, true: Any, false: Any) -> Any:
    """Return one of two values, as a traced boolean says."""
    if is_number(true) and is_number(false) and _kind(true) is _kind(false):
        with wide():
            pair = [number_ops.as_float(stager, x) if _kind(x) is float else x for x in (true, false)]
            leaves = [x.value if isinstance(x, Number) else stager.constant(x) for x in pair]
            return Number(_kind(true), lax.select(predicate, *leaves), _origins(true, false))
    if is_array(true) and is_array(false) and _same_type(true, false):
        chosen = run_native(stager, jnp.where, predicate, true, false)
        stager.note_choice(chosen, predicate, true, false)
        return chosen
    return choose(stager, predicate, true, false)


def _origins(*values: Any) -> frozenset[Any]:
    return frozenset().union(*(value.origin for value in values if isinstance(value, Number)))


def _same_type(left: Any, right: Any) -> bool:
    return left.shape == right.shape and left.dtype == right.dtype and left.weak_type == right.weak_type


# All in order


def _sorted(stager: Stager, args: list[Any], keywords: dict[str, Any], caller: Caller) -> Any:
    if len(args) != 1 or keywords.keys() - {"reverse", "key"}:
        raise unsupported(stager, "sorted with these arguments")
    if type(args[0]) is set and keywords.get("key") is not None:
        raise Unstageable("identity", "the order of a set, where keys are equal", stager.site)
    items = list(args[0]) if type(args[0]) is set else iterables.items(stager, args[0])
    return in_order(stager, items, keywords.get("key"), keywords.get("reverse", False), caller)


def sort(stager: Stager, receiver: list[Any], args: list[Any], keywords: dict[str, Any]) -> None:
    """Do `receiver.sort(**keywords)`: Python takes everything out of the list meanwhile."""
    key = keywords.get("key")
    if args or keywords.keys() - {"reverse", "key"} or may_read((key,), receiver):
        raise unsupported(stager, "sort with these arguments")
    before = tuple(receiver)
    caller: Caller = lambda function, given: stager.call(function, given, {})  # noqa: E731
    found = in_order(stager, list(receiver), key, keywords.get("reverse", False), caller)
    if len(before) != len(receiver) or any(a is not b for a, b in zip(before, receiver, strict=True)):
        raise Unstageable("heap-write", "a list changes while it is sorted", stager.site)
    change(stager, receiver)
    receiver[:] = found


def in_order(stager: Stager, items: list[Any], key: Any, reverse: Any, caller: Caller) -> list[Any]:
    """Return the items as `sorted` orders them."""
    if isinstance(reverse, Number):
        raise stager.need_static([reverse], "the direction of an order")
    if type(reverse) not in (bool, int):
        raise unsupported(stager, "sorted with these arguments")
    keys = items if key is None else [caller(key, [item]) for item in items]
    if len(items) < 2:
        return list(items)
    if all(map(is_constant, keys)):
        places = run_python(stager, lambda: sorted(range(len(keys)), key=keys.__getitem__, reverse=bool(reverse)))
        return [items[place] for place in places]
    if len(items) > MOST:
        raise Unstageable("concrete-value", f"an order of {len(items)} elements that only the run knows", stager.site)
    less, _ = _comparisons(stager, keys)
    return _placed(stager, items, _places(less.T if reverse else less))


def _comparisons(stager: Stager, keys: Sequence[Any]) -> tuple[jax.Array, jax.Array]:
    """Return which key is less than which, and which are equal, as square arrays."""
    if all(type(key) is tuple for key in keys) and len({len(key) for key in keys}) == 1 and keys[0]:
        columns = [_comparisons(stager, column) for column in zip(*keys, strict=True)]
        less, equal = columns[-1]
        for first, same in reversed(columns[:-1]):
            less, equal = first | (same & less), same & equal
        return less, equal
    row = _row(stager, keys)
    with wide():
        return row[:, None] < row[None, :], row[:, None] == row[None, :]


def _row(stager: Stager, keys: Sequence[Any]) -> jax.Array:
    """Return an array whose elements compare as the keys do."""
    if all(map(is_scalar, keys)):
        return _row_of_constants(stager, keys)
    kinds = {_kind(key) for key in keys}
    if all(map(is_number, keys)) and (kinds == {float} or kinds <= {int, bool}):
        return _row_of_floats(stager, keys) if kinds == {float} else _row_of_integers(stager, keys)
    if all(is_array(key) and key.ndim == 0 and _is_ordered(key) and _same_type(key, keys[0]) for key in keys):
        return _row_of_arrays(stager, keys)
    raise unsupported(stager, "an order of unlike values that only the run knows")


def _is_ordered(array: jax.Array) -> bool:
    return any(jnp.issubdtype(array.dtype, kind) for kind in (jnp.bool_, jnp.integer, jnp.floating))


def _row_of_constants(stager: Stager, keys: Sequence[Any]) -> jax.Array:
    if any(key != key for key in keys):
        raise Unstageable("identity", "a NaN is compared", stager.site)
    known = run_python(stager, lambda: sorted(keys))
    with wide():
        return jnp.asarray([known.index(key) for key in keys], jnp.int64)


def _row_of_integers(stager: Stager, keys: Sequence[Any]) -> jax.Array:
    stager.uses_numbers = True
    with wide():
        return jnp.stack([number_ops.as_integer(stager, key).value for key in keys])


def _row_of_floats(stager: Stager, keys: Sequence[Any]) -> jax.Array:
    stager.uses_numbers = True
    with wide():
        row = jnp.stack([number_ops.as_float(stager, key).value for key in keys])
        stager.guard(jnp.all(~is_nan(row)), "no NaN is put in order")
        return order(row)


def _row_of_arrays(stager: Stager, keys: Sequence[Any]) -> jax.Array:
    row = run_native(stager, lambda: jnp.stack(list(keys)))
    if jnp.issubdtype(row.dtype, jnp.floating):
        stager.guard(run_native(stager, lambda: jnp.all(row == row)), "no NaN is put in order")
    return row


def _places(less: jax.Array) -> jax.Array:
    """Return which element comes first, second, and so on; equal ones stay in their order."""
    count = less.shape[0]
    with wide():
        earlier = np.arange(count)[:, None] < np.arange(count)[None, :]
        ranks = jnp.sum(less | (~less.T & earlier), axis=0, dtype=jnp.int32)
        return jnp.zeros(count, jnp.int32).at[ranks].set(np.arange(count, dtype=np.int32))


def _placed(stager: Stager, items: list[Any], places: jax.Array) -> list[Any]:
    """Return the items in an order that only the run knows; all are of one structure."""
    flat = [flatten(item, stager.identities) for item in items]
    joined = functools.reduce(join, (template for template, _ in flat))
    if holds_union(joined):
        raise unsupported(stager, "an order of unlike values that only the run knows")
    with wide():
        laid_out = [conform(template, leaves, joined, stager.constant) for template, leaves in flat]
        columns = [jnp.stack([jnp.asarray(leaf) for leaf in column])[places] for column in zip(*laid_out, strict=True)]
    given = [leaf for _, leaves in flat for leaf in leaves]
    found: list[Any] = []
    for place in range(len(items)):
        with wide():
            own = [lax.index_in_dim(column, place, keepdims=False) for column in columns]
        found.append(build(joined, iter(distinct(own, given)), stager.identities, frozenset()))
    if any(isinstance(value, Conflict) for value in found):
        raise Unstageable("branch-types-differ", "elements in an order that only the run knows", stager.site)
    return found


HANDLERS: dict[Any, Handler] = {sorted: _sorted, max: _extreme(">"), min: _extreme("<")}
