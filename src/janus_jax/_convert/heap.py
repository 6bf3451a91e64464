"""Changes of objects that the call has made: allowed where it is certain which object is meant, and noted first."""

from __future__ import annotations

from typing import Any

from janus_jax._base import Unstageable
from janus_jax._convert.iterables import holds_iterator
from janus_jax._convert.stager import Stager


def change(stager: Stager, target: Any) -> None:
    """Note that an object is about to change; end the conversion where it is not of this call, or not certainly."""
    identity = stager.identities.of(target)
    if not isinstance(identity, int) or identity:
        raise Unstageable("heap-write", "an object that was there before the call", stager.site)
    if stager.heap.has_family(target):
        raise Unstageable("heap-write", "which of several objects it is, only the run knows", stager.site)
    stager.heap.note(target)


def store(stager: Stager, value: Any) -> Any:
    """Return `value`, which an object is going to hold."""
    if holds_iterator(value):
        raise Unstageable("unsupported-expression", "an iterator is kept in an object", stager.site)
    stager.heap.adopt(value)
    return value
