"""The pure list: the library functions that the Stager may call while staging.

Comes in: any object that the user's function calls. Goes out: what is known of it, or None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MethodType
from typing import Any, Literal, TypeAlias

from janus_jax._convert.names import NameTable, belongs_to
from janus_jax._convert.pure_names import ARRAY_NAMES, OPERATORS, STATIC_NAMES

ArgumentKind: TypeAlias = Literal["array", "static", "operator"]

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
    and never with one of `REFUSED_PARAMETERS`. Parameters in `static` want a Python value, not a tracer.
    """

    name: str
    argument: ArgumentKind
    static: tuple[str, ...] = ()
    symbol: str = ""


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

    def find(self, value: object) -> PureFunction | None:
        """What is known of `value`, or None when it is not on the list."""
        function = value
        if type(value) is MethodType:
            # jnp.add.reduce is a new object at every read: what counts is its function, and on whom it is called
            if self._tables["array"].find(value.__self__) is None:
                return None
            function = value.__func__
        for argument, table in self._tables.items():
            name = table.find(function)
            if name is not None:
                return _describe(name, argument)
        return None

    def clear(self) -> None:
        """No library object is held any more; the next look-up fills the table again."""
        for table in self._tables.values():
            table.clear()

    def __repr__(self) -> str:
        return f"PureTable({', '.join(f'{argument}: {table}' for argument, table in self._tables.items())})"


def _describe(name: str, argument: ArgumentKind) -> PureFunction:
    symbol = OPERATORS[name.rpartition(".")[2]] if argument == "operator" else ""
    return PureFunction(name, argument, (), symbol)


PURE = PureTable()


def pure_function(value: object) -> PureFunction | None:
    """What is known of `value`, when it may be called while staging; otherwise None."""
    return PURE.find(value)


# Arguments under these names place results on devices, write into an argument, or call Python: only their defaults.
REFUSED_PARAMETERS: frozenset[str] = frozenset(
    {"device", "devices", "sharding", "out_sharding", "out", "inplace", "is_leaf", "is_leaf_takes_path", "order"}
)

# What may be read of an array while staging. The last three of the first line are arrays, `at` an updater.
ARRAY_ATTRIBUTES: frozenset[str] = frozenset(
    {"shape", "dtype", "ndim", "size", "itemsize", "nbytes", "weak_type", "T", "mT", "real", "imag", "at"}
)

ARRAY_METHODS: frozenset[str] = frozenset(
    """
    all any argmax argmin argpartition argsort astype choose clip compress conj conjugate copy cumprod cumsum diagonal
    dot flatten max mean min nonzero prod ptp ravel repeat reshape round searchsorted sort squeeze std sum swapaxes
    take trace transpose var view
    """.split()
)

AT_METHODS: frozenset[str] = frozenset("add divide get max min mul multiply power set subtract".split())

# Functions (and "Array.x" for methods and attributes) that return one of their arguments, or the same object twice,
# when called eagerly but not under a trace, or the other way round.
IDENTITY_DIFFERS: frozenset[str] = frozenset()
