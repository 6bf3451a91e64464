"""Calls under somebody else's transformation: programs without guards, whose operations the open trace sees.

Under somebody's `checkify` there is a second kind, whose guards are checks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax

from janus_jax._base import Unstageable
from janus_jax._convert import Request, Staged, convert
from janus_jax._execute import MISS, abstract_call, make_generic
from janus_jax._jax import checks_arrive, state_restored
from janus_jax._profiler import Profile
from janus_jax._session import session
from janus_jax._speculation import Plan


@dataclass(slots=True, eq=False)
class Generic:
    """The programs of one function without guards, and with checks, the last one first; `most` of each are kept."""

    speculated: type
    most: int
    _runs: dict[bool, list[Callable[..., Any]]] = field(default_factory=lambda: {False: [], True: []})

    def call(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what such a program makes of the call; `MISS` where there is none."""
        result = self._call(function, args, kwargs, checked=False)
        if result is MISS and checks_arrive():
            return self._call(function, args, kwargs, checked=True)
        return result

    def _call(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *, checked: bool) -> Any:
        runs = self._runs[checked]
        for run in tuple(runs):
            result = run(args, kwargs)
            if result is not MISS:
                return result
        made = self._made(function, args, kwargs, checked)
        if made is None:
            return MISS
        runs.insert(0, made)
        del runs[self.most :]
        return made(args, kwargs)

    def _made(
        self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], checked: bool
    ) -> Callable[..., Any] | None:
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
            checked=checked,
        )
        try:
            with state_restored(), jax.transfer_guard("allow"):
                staged = convert(request, Plan())
                return make_generic(staged, function) if isinstance(staged, Staged) else None
        except Unstageable:
            return None
