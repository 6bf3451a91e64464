"""The pure list: the library functions that the Stager may call while staging.

Comes in: any object that the user's function calls. Goes out: what is known of it, or None.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from types import MethodType
from typing import Any, Literal, TypeAlias, assert_never

from janus_jax._convert.names import NameTable, belongs_to, words
from janus_jax._convert.pure_names import ARRAY_NAMES, OPERATORS, STATIC_NAMES
from janus_jax._convert.pure_static import is_static

ArgumentKind: TypeAlias = Literal["array", "static", "operator"]

MOST_ARGUMENTS = 32  # as many positions are described of a function with a star parameter

# Whose objects a module's names stand for; anything else found under such a name was put there by somebody.
PACKAGES: dict[str, tuple[str, ...]] = {
    "jax": ("jax", "jaxlib", "ml_dtypes", "numpy"),
    "numpy": ("numpy", "ml_dtypes"),
    "math": ("math",),
    "operator": ("operator", "_operator"),
    "typing": ("typing",),
}


@dataclass(frozen=True, slots=True)
class PureFunction:
    """A library function that may be called while staging.

    `argument` says with what: "array": tracers, static numbers, strings, dtypes and containers of them; "static": no
    tracer; "operator": not at all, the Stager's own operator `symbol` takes its place. Never with a Python function,
    and never with one of `REFUSED_PARAMETERS`. A Python number that is given for a parameter in `static` (by keyword),
    or for an argument in `static_positions`, has to stay one: a tracer there raises or gives something else.
    """

    name: str
    argument: ArgumentKind
    static: tuple[str, ...] = ()
    static_positions: tuple[int, ...] = ()
    symbol: str = ""

    def keeps_number(self, place: int | str) -> bool:
        """Whether a Python number at this position, or under this keyword, has to stay a Python number."""
        return place in self.static or place in self.static_positions


def _split(names: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {module: tuple(text.split()) for module, text in names.items()}


def _accepts(module: str, value: Any) -> bool:
    return belongs_to(PACKAGES[module.partition(".")[0]], value)


class PureTable:
    """The pure list, looked up by identity."""

    def __init__(self) -> None:
        self._tables: dict[ArgumentKind, NameTable] = {
            "array": NameTable(_split(ARRAY_NAMES), _accepts),
            "static": NameTable(_split(STATIC_NAMES), _accepts),
            "operator": NameTable({"operator": OPERATORS}, _accepts),
        }
        self._described: dict[tuple[str, int], PureFunction] = {}

    def find(self, value: object) -> PureFunction | None:
        """What is known of `value`, or None when it is not on the list."""
        if type(value) is not MethodType:
            return self._known(value, bound=0)
        # jnp.add.reduce is a new object at every read: what counts is its function, and on whom it is called
        owner = self._tables["array"].find(value.__self__)
        return self._known(value.__func__, bound=1) if owner is not None else None

    def _known(self, function: object, bound: int) -> PureFunction | None:
        for argument, table in self._tables.items():
            name = table.find(function)
            if name is not None:
                if (name, bound) not in self._described:
                    self._described[name, bound] = _describe(name, argument, function, bound)
                return self._described[name, bound]
        return None

    def clear(self) -> None:
        """No library object is held any more; the next look-up fills the table again."""
        for table in self._tables.values():
            table.clear()
        self._described.clear()

    def __repr__(self) -> str:
        return f"PureTable({', '.join(f'{argument}: {table}' for argument, table in self._tables.items())})"


def _describe(name: str, argument: ArgumentKind, function: Any, bound: int) -> PureFunction:
    """What is to be known of a function; its first `bound` parameters are given already."""
    match argument:
        case "operator":
            return PureFunction(name, argument, symbol=OPERATORS[name.rpartition(".")[2]])
        case "static":
            return PureFunction(name, argument)
        case "array":
            parameters = _parameters(function)[bound:]
            places = [place for place, one in enumerate(parameters) if is_static(name, one.name)]
            static = tuple(parameters[place].name for place in places)
            positions = tuple(place for place in places if parameters[place].kind is not parameters[place].KEYWORD_ONLY)
            if places and parameters[places[-1]].kind is inspect.Parameter.VAR_POSITIONAL:
                positions = (*positions, *range(positions[-1] + 1, MOST_ARGUMENTS))
            return PureFunction(name, argument, static, positions)
        case _:
            assert_never(argument)


def _parameters(function: Any) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # written in C, without a signature
        return []


PURE = PureTable()


def pure_function(value: object) -> PureFunction | None:
    """What is known of `value`, when it may be called while staging; otherwise None."""
    return PURE.find(value)


# Arguments under these names place results on devices, write into an argument, or call Python: only their defaults.
REFUSED_PARAMETERS: frozenset[str] = words(
    """
    device devices sharding out_sharding out inplace is_leaf is_leaf_takes_path select_callable
    """
)

# What may be read of an array while staging.
ARRAY_ATTRIBUTES: frozenset[str] = words("shape dtype ndim size itemsize nbytes weak_type T mT real imag at")

ARRAY_METHODS: frozenset[str] = words(
    """
    all any argmax argmin argpartition argsort astype choose clip compress conj conjugate copy cumprod cumsum diagonal
    dot flatten max mean min nonzero prod ptp ravel repeat reshape round searchsorted sort squeeze std sum swapaxes
    take trace transpose var view
    """
)

# Of `array.at[index]`.
AT_METHODS: frozenset[str] = words("add divide get max min mul multiply power set subtract")

# Functions, methods ("Array.conj") and attributes ("Array.T") that, where they have nothing to do, return a new object
# eagerly, and their very argument (or the same object twice) under a trace.
FRESH_EAGERLY: frozenset[str] = words(
    """
    Array.conj Array.conjugate Array.flatten Array.ravel Array.real Array.squeeze Array.swapaxes
    jax.lax.broadcast_in_dim jax.lax.expand_dims jax.numpy.abs jax.numpy.absolute jax.numpy.broadcast_arrays
    jax.numpy.ceil jax.numpy.conj jax.numpy.conjugate jax.numpy.einsum jax.numpy.expand_dims jax.numpy.floor
    jax.numpy.ix_ jax.numpy.meshgrid jax.numpy.moveaxis jax.numpy.positive jax.numpy.ravel jax.numpy.real
    jax.numpy.squeeze jax.numpy.swapaxes operator.abs operator.pos
    """
)

# A Python float beside an array of 16 bits is rounded to 32 bits first, eagerly and not under a trace; but not here.
ROUNDS_ONCE: frozenset[str] = words("jax.numpy.full_like jax.lax.full_like jax.numpy.linalg.norm")

# And the other way round: these hand their arguments on eagerly, and make new tracers of them under a trace.
SAME_EAGERLY: frozenset[str] = frozenset({"jax.lax.stop_gradient"})

# Given a NumPy array, these give one eagerly: it stays as it is. All others make a new array of JAX of it.
HOST_DIFFERS: frozenset[str] = frozenset({"jax.numpy.reshape"})

# What is handed to these comes out again, leaf by leaf: a Python number is to be handed over as it is, as an opaque
# leaf, never as the weakly typed array that other functions may get for it.
KEEPS_LEAVES: frozenset[str] = (
    frozenset(f"jax.tree.{name}" for name in ARRAY_NAMES["jax.tree"].split())
    | frozenset(f"jax.tree_util.{name}" for name in ARRAY_NAMES["jax.tree_util"].split())
    | {"typing.cast"}
)

# Eagerly these look at the value of a scalar integer array given as second argument (`x ** jnp.int32(-1)` raises for
# integers); under a trace they cannot.
CONCRETE_DIFFERS: frozenset[str] = frozenset({"jax.numpy.power", "jax.numpy.pow"})
