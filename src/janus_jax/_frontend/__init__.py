"""The frontend reads: a code object comes in, the syntax tree it was certainly compiled from goes out.

And it emits the P-form: the same function, with hooks that watch its control flow and never perform it.
"""

from janus_jax._frontend.copies import Born, Copies
from janus_jax._frontend.generated import regenerate
from janus_jax._frontend.observed import Hooks, ObservedForm, fill_form, instantiate, observed_code, with_code
from janus_jax._frontend.pieces import Piece, find_pieces, function_of, in_pieces, source_of_piece
from janus_jax._frontend.source import FunctionSource, SourceCache

__all__ = [
    "Born",
    "Copies",
    "FunctionSource",
    "Hooks",
    "ObservedForm",
    "Piece",
    "SourceCache",
    "fill_form",
    "find_pieces",
    "function_of",
    "in_pieces",
    "instantiate",
    "observed_code",
    "regenerate",
    "source_of_piece",
    "with_code",
]
