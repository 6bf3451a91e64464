"""What is known of a function that a conversion does itself: its handler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from janus_jax._base import Unstageable
from janus_jax._convert.stager import Stager

Caller: TypeAlias = Callable[[Any, list[Any]], Any]
Handler: TypeAlias = Callable[[Stager, list[Any], dict[str, Any], Caller], Any]


def unsupported(stager: Stager, what: str) -> Unstageable:
    """Return what ends the conversion where a function is called in a way that is not done here."""
    return Unstageable("unsupported-expression", what, stager.site)
