"""Loops whose lowering waits for differentiation.

In come a condition and a body, to be traced; out goes what the loop computes. Promised: a plain `lax.while_loop` with a
step counter when nothing is differentiated, and a tape, written on the way forward, when something is. Both loops are
closed under `jvp`, transposition, batching and partial evaluation, and so under all that JAX builds from these.
"""

from __future__ import annotations

from janus_jax._loops import batching as batching
from janus_jax._loops import derivatives as derivatives
from janus_jax._loops import transposes as transposes
from janus_jax._loops.interface import LARGEST_CAP, LoopResult, for_function, for_loop, while_function

__all__ = ["LARGEST_CAP", "LoopResult", "for_function", "for_loop", "while_function"]
