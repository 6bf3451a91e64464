"""Converts a function into one program: the Stager walks its statements over traced values.

In: a `Request` (function, arguments, profile) and a `Plan`. Out: `Staged`, or a `Reason`.
Promise: nothing that anyone could notice happens while staging, and whatever became a constant is an expectation.
"""

from janus_jax._convert.convert import Request, Staged, convert
from janus_jax._convert.inputs import Input
from janus_jax._convert.outputs import (
    Build,
    BuildObject,
    Constant,
    FromChoice,
    FromInput,
    FromNumber,
    FromOutput,
    FromTag,
    Inside,
    Output,
    Rows,
)
from janus_jax._convert.sharing import made_first
from janus_jax._convert.stager import Decision, Guard

__all__ = [
    "Build",
    "BuildObject",
    "Constant",
    "Decision",
    "FromChoice",
    "FromInput",
    "FromNumber",
    "FromOutput",
    "FromTag",
    "Guard",
    "Input",
    "Inside",
    "Output",
    "Request",
    "Rows",
    "Staged",
    "convert",
    "made_first",
]
