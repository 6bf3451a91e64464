"""What rewritten code calls while it runs: here, the hooks of Plain, the yardstick."""

from janus_jax._runtime.plain import PLAIN

__all__ = ["PLAIN"]
