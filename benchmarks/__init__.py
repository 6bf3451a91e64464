"""What janus_jax costs and wins, measured against `jax.jit` and hand-written `lax` code; `python -m benchmarks`."""
