"""Runs a converted function: compile, check at the entry, run, read the verdict, build the result.

In: `Staged`. Out: a `Program`, whose `call` gives the result, `MISS` or `Tripped`.
Promise: until the verdict is read nothing of the call can be seen, and what was checked is what is used.
"""

from janus_jax._execute.generic import abstract_call, make_generic
from janus_jax._execute.program import Program
from janus_jax._execute.verdicts import MISS, Tripped

__all__ = ["MISS", "Program", "Tripped", "abstract_call", "make_generic"]
