"""Imperative Python, NumPy-style JAX and Flax, compiled by speculation, with exactly the meaning of plain Python."""

from janus_jax import errors, testing
from janus_jax._api import Speculated, disabled, plain, reset, speculate

__all__ = ["Speculated", "disabled", "errors", "plain", "reset", "speculate", "testing"]
