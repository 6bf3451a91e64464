"""Which object a library function gives: where a trace hands on another one than JAX does eagerly, this is mended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import jax

from janus_jax._base import Unstageable
from janus_jax._convert.inputs import input_p
from janus_jax._convert.pure import FRESH_EAGERLY, SAME_EAGERLY
from janus_jax._convert.stager import Stager


def as_eager_object(stager: Stager, name: str, args: Sequence[Any], result: Any) -> Any:
    """Return `result` with the identity that it has eagerly, where a trace hands on another object than JAX does."""
    if name in FRESH_EAGERLY:
        return fresh(args, result)
    if name in SAME_EAGERLY:
        if not isinstance(result, jax.Array) or not isinstance(args[0], jax.Array):
            raise Unstageable("identity", name, stager.site)
        stager.identities.set(result, stager.identities.of(args[0]))
    return result


def fresh(args: Sequence[Any], result: Any) -> Any:
    """Return a result whose arrays are all new objects, where a trace hands on what it was given."""
    given = {id(leaf) for leaf in jax.tree.leaves(list(args))}
    return jax.tree.map(lambda leaf: input_p.bind(leaf) if _handed_on(leaf, given) else leaf, result)


def renewed(result: Any) -> Any:
    """Return a result whose arrays are all new objects, whatever else they are."""
    return jax.tree.map(lambda leaf: input_p.bind(leaf) if isinstance(leaf, jax.Array) else leaf, result)


def distinct(leaves: Sequence[Any], given: Iterable[Any]) -> list[Any]:
    """Return the leaves that a region gives, a tracer of its own for each: what passes through, JAX hands on as it is.

    Two objects of the user's may be one value here, and each has an identity.
    """
    seen = {id(leaf) for leaf in given}
    return [input_p.bind(leaf) if _handed_on(leaf, seen) else leaf for leaf in leaves]


def _handed_on(leaf: Any, seen: set[int]) -> bool:
    """Return whether an array was seen before: among the arguments, or among the results."""
    known = id(leaf) in seen
    seen.add(id(leaf))
    return known and isinstance(leaf, jax.Array)
