"""Calls under somebody else's transformation: programs without guards, whose operations the open trace sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax

from janus_jax._base import Unstageable
from janus_jax._convert import Request, Staged, convert
from janus_jax._execute import MISS, abstract_call, make_generic
from janus_jax._jax import state_restored
from janus_jax._profiler import Profile
from janus_jax._session import session
from janus_jax._speculation import Plan


@dataclass(slots=True, eq=False)
class Generic:
    """The programs without guards of one function, the last one first; `most` of them are kept."""

    speculated: type
    most: int
    _runs: list[Callable[..., Any]] = field(default_factory=list[Callable[..., Any]])

    def call(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what such a program makes of the call; `MISS` where there is none."""
        for run in tuple(self._runs):
            result = run(args, kwargs)
            if result is not MISS:
                return result
        made = self._made(function, args, kwargs)
        if made is None:
            return MISS
        self._runs.insert(0, made)
        del self._runs[self.most :]
        return made(args, kwargs)

    def _made(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[..., Any] | None:
        call = abstract_call(args, kwargs)
        request = Request(
            function,
            call.concrete_args,
            call.concrete_kwargs,
            Profile(),
            session.sources,
            self.speculated,
            session.is_plain,
            forceable=False,
            generic=True,
        )
        try:
            with state_restored(), jax.transfer_guard("allow"):
                staged = convert(request, Plan())
                return make_generic(staged, function) if isinstance(staged, Staged) else None
        except Unstageable:
            return None
