"""`in`: whether a container has an element that is, or equals, a value."""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Iterable
from typing import Any

from janus_jax._base import Unstageable
from janus_jax._convert import dunders, enums, iterables, operators
from janus_jax._convert.dunders import has_class
from janus_jax._convert.native import is_constant, is_key, numbers_within, run_native
from janus_jax._convert.stager import Stager
from janus_jax._convert.unions import spread
from janus_jax._values.kinds import Union
from janus_jax._values.number import Number
from janus_jax._values.template import is_named_tuple

_MOST = 64  # so many elements are compared with a value that only the run knows, at most


def contains(stager: Stager, item: Any, container: Any) -> Any:
    """Return `item in container`."""
    if isinstance(item, Union) or isinstance(container, Union):
        return spread(stager, lambda *x: contains(stager, *x), (item, container))
    if enums.is_member(item) and operators.on_flags(stager, (container,), ("__contains__",)):
        return run_native(stager, lambda: item in container)
    if has_class(container):
        return operators.truth(stager, dunders.contains(stager, item, container))
    if type(container) in (dict, set):
        return _has_key(stager, item, container)
    if is_constant(item) and is_constant(container) and not isinstance(container, (int, float)):
        operators.refuse_nan(stager, item, container)
        return run_native(stager, operator.contains, container, item)
    if type(container) in (tuple, list, deque) or is_named_tuple(container) or isinstance(container, _LISTED):
        return _has_element(stager, item, iterables.items(stager, container))
    raise _refusal(stager)


_LISTED = (iterables.ViewValue, iterables.RangeValue)


def _refusal(stager: Stager) -> Unstageable:
    return Unstageable("unsupported-expression", "`in` with values of the program", stager.site)


def _has_key(stager: Stager, item: Any, container: dict[Any, Any] | set[Any]) -> Any:
    if is_key(item):
        return run_native(stager, lambda: item in container)
    if isinstance(item, Number):
        return _has_element(stager, item, container)
    if numbers_within(item):
        raise stager.need_static(numbers_within(item), f"`in` of a {type(container).__name__}")
    raise _refusal(stager)


def _has_element(stager: Stager, item: Any, elements: Iterable[Any]) -> Any:
    """Return whether one of the elements is, or equals, the item: neither is more than a constant or a number."""
    found: Any = False
    elements = list(elements)
    if len(elements) > _MOST:
        raise _refusal(stager)
    for element in elements:
        equal = operators.is_or_equals(stager, element, item)
        if equal is True:
            return True
        if equal is not False:
            found = equal if found is False else operators.binary(stager, "|", found, equal)
    return found
