"""The exceptions that a user of janus_jax may meet and catch."""

from __future__ import annotations

from janus_jax._base import Reason


class JanusError(Exception):
    """The base of all errors of janus_jax."""


class UsageError(JanusError):
    """janus_jax was asked for something that it does not do; the message says what to do instead."""


class NotAFunctionError(UsageError, TypeError):
    """Something was given that cannot be called, or that no Python function is behind."""


class SpeculationError(JanusError):
    """A function with `strict=True` would have run as plain Python; `reason` says why."""

    def __init__(self, name: str, reason: Reason) -> None:
        super().__init__(f"{name} cannot run compiled. {reason} {reason.hint}")
        self.reason = reason


class InternalError(JanusError):
    """janus_jax itself failed; raised under JANUS_JAX_DEVELOPER=1 only, otherwise the call runs as plain Python."""
