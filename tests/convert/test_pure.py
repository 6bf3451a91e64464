"""Everything on the pure list does under a trace what it does eagerly, and nothing else."""

from __future__ import annotations

import operator
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import jax
import jax.image
import jax.numpy as jnp
import jax.scipy.fft
import jax.scipy.integrate
import jax.scipy.linalg
import jax.scipy.ndimage
import jax.scipy.signal
import jax.scipy.special
import jax.scipy.stats
import numpy as np
import pytest

from janus_jax._convert.names import NameTable, resolve
from janus_jax._convert.pure import (
    ARRAY_ATTRIBUTES,
    ARRAY_METHODS,
    AT_METHODS,
    CONCRETE_DIFFERS,
    FRESH_EAGERLY,
    HOST_DIFFERS,
    KEEPS_LEAVES,
    PURE,
    SAME_EAGERLY,
    PureFunction,
    PureTable,
    pure_function,
)
from janus_jax._convert.pure_names import ARRAY_NAMES, OPERATORS, STATIC_NAMES
from tests.convert.agreement import (
    How,
    Run,
    differences,
    identities,
    is_array,
    number_places,
    plain,
    run_eagerly,
    run_traced,
    run_with_number,
)
from tests.convert.examples import Call, I, V
from tests.convert.examples_identity import NOTHING_TO_DO
from tests.convert.examples_methods import AT, ATTRIBUTES, METHODS
from tests.convert.pure_examples import PURE_EXAMPLES

IDENTITY_DIFFERS = FRESH_EAGERLY | SAME_EAGERLY

# Names that not every supported version has, and which has them.
ONLY_IN: dict[str, Callable[[], bool]] = {
    "jax.lax.log2": lambda: jax.__version_info__ >= (0, 11),
    "jax.scipy.special.erfcinv": lambda: jax.__version_info__ >= (0, 11),
    "math.fma": lambda: sys.version_info >= (3, 13),
    "math.sumprod": lambda: sys.version_info >= (3, 12),
}

# Eager and compiled differ in the last bits, or in the sign of a zero, even under the flags of tests/conftest.py: what
# is constant in them, mostly `loc=0` and `scale=1`, is folded.
ROUNDS: frozenset[str] = frozenset(
    {
        "jax.random.beta",
        "jax.random.loggamma",
        "jax.scipy.special.multigammaln",
        "jax.scipy.stats.cauchy.logpdf",
        "jax.scipy.stats.cauchy.pdf",
        "jax.scipy.stats.logistic.isf",
        "jax.scipy.stats.pareto.logpdf",
        "jax.scipy.stats.pareto.pdf",
    }
)


def _names(tables: dict[str, str]) -> list[tuple[str, str]]:
    return [(module, name) for module, text in tables.items() for name in text.split()]


ARRAY = [f"{module}.{name}" for module, name in _names(ARRAY_NAMES)]
STATIC = [f"{module}.{name}" for module, name in _names(STATIC_NAMES)]
OPERATOR = [f"operator.{name}" for name in OPERATORS]
OF_ARRAYS = {"Array": METHODS | ATTRIBUTES, "Array.at": AT}
MEMBERS = {f"{owner}.{name}": calls for owner, table in OF_ARRAYS.items() for name, calls in table.items()}
ENTRIES = dict(
    [(f"{module}.{name}", resolve(module, name)) for module, name in _names(ARRAY_NAMES) + _names(STATIC_NAMES)]
    + [(f"operator.{name}", getattr(operator, name)) for name in OPERATORS]
)


CHECKED = [*ARRAY, *OPERATOR, *sorted(MEMBERS)]


def _examples(name: str) -> tuple[Call, ...]:
    return MEMBERS[name] if name in MEMBERS else PURE_EXAMPLES[name]


def _called(name: str, examples: tuple[Call, ...]) -> list[tuple[Any, Call]]:
    return [(example.function or _function(name), example) for example in examples]


def _function(name: str) -> Any:
    if name in MEMBERS:
        return None
    if ENTRIES[name] is None:
        pytest.skip(f"{name} is not in this version")
    return ENTRIES[name]


def _host_state() -> Any:
    return (
        random.getstate(),
        repr(np.random.get_state()),
        dict(jax.config.values),
        np.geterr(),
        np.get_printoptions(),
        sys.getrecursionlimit(),
    )


# Types that JAX has in its 64-bit mode only; otherwise it warns, and gives the narrow one.
WIDE = {f"jax.numpy.{name}" for name in ("complex128", "float64", "int64", "uint64")}


@pytest.fixture(autouse=True)
def wide(request: pytest.FixtureRequest) -> Iterator[None]:
    """Runs the tests of types that only the 64-bit mode has in that mode."""
    parameters = getattr(request.node, "callspec", None)
    with jax.enable_x64(parameters is not None and parameters.params.get("name") in WIDE):
        yield


@pytest.fixture
def unnoticed(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Fails where what runs under it prints, warns, or changes the random streams or a configuration."""
    before = _host_state()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    assert _host_state() == before
    assert capfd.readouterr() == ("", "")


def _agree(name: str, function: Any, example: Call, how: How, exact: bool) -> None:
    called = example.function or function
    arrays = [leaf for leaf in jax.tree.leaves((example.args, example.kwargs)) if is_array(leaf)]
    before = [plain(array).tobytes() for array in arrays]
    eager = run_eagerly(called, example)
    traced = run_traced(called, example, how)
    assert differences(eager, traced, exact) == []
    assert [plain(array).tobytes() for array in arrays] == before, "it changes its arguments"
    _check_identity(name, eager, traced)


def _check_identity(name: str, eager: Run, traced: Run) -> None:
    found = list(zip(identities(eager), identities(traced), strict=True))
    if name in FRESH_EAGERLY:
        assert all(one in ("fresh", other) for one, other in found)
    elif name in SAME_EAGERLY:
        assert all(other in ("fresh", one) for one, other in found)
    else:
        assert all(one == other for one, other in found)


@pytest.mark.parametrize("name", CHECKED)
def test_a_function_gives_under_a_trace_what_it_gives_eagerly(name: str, unnoticed: None) -> None:
    """Structure, types, dtypes, weak types, identities, and every bit: what is traced is run operation by operation."""
    _agree(name, _function(name), _examples(name)[0], "op by op", exact=True)


@pytest.mark.parametrize("name", sorted(IDENTITY_DIFFERS | NOTHING_TO_DO.keys()))
def test_a_function_that_has_nothing_to_do_is_known_for_what_it_returns(name: str, unnoticed: None) -> None:
    examples = NOTHING_TO_DO[name]
    for example in examples:
        _agree(name, _function(name), example, "not", exact=True)
    differ = [
        identities(run_eagerly(f, one)) != identities(run_traced(f, one, "not")) for f, one in _called(name, examples)
    ]
    assert any(differ) == (name in IDENTITY_DIFFERS)


@pytest.mark.slow
@pytest.mark.parametrize("name", CHECKED)
def test_every_example_gives_compiled_what_it_gives_eagerly(name: str, exact: bool, unnoticed: None) -> None:
    """The first is compiled as one program, so that XLA may fuse what is one operation after the other eagerly."""
    first, *rest = _examples(name)
    _agree(name, _function(name), first, "compiled", exact and name not in ROUNDS)
    for example in rest:
        _agree(name, _function(name), example, "op by op", exact=True)


@pytest.mark.parametrize("name", STATIC)
def test_a_static_function_gives_the_same_value_twice_and_never_an_array(name: str, unnoticed: None) -> None:
    function = _function(name)
    for example in PURE_EXAMPLES[name]:
        first, second = (function(*example.args, **example.kwargs) for _ in range(2))
        assert type(first) is type(second)
        assert repr(first) == repr(second)
        assert not isinstance(first, (jax.Array, np.ndarray, list, dict, set))


@pytest.mark.parametrize("name", [name for name in ARRAY if name not in KEEPS_LEAVES])
def test_a_number_may_become_a_tracer_unless_it_is_static(name: str) -> None:
    """The traced call stands for the eager one, with which the other tests compare it."""
    function = _function(name)
    for example in _examples(name):
        called = example.function or function
        known = pure_function(called)
        assert known is not None
        with_number = run_traced(called, example, "not")
        for place in number_places(example):
            if not known.keeps_number(place.parameter):
                assert differences(with_number, run_with_number(called, example, place), exact=True) == [], place


def _wider(leaf: Any) -> Any:
    """The array as NumPy has it, and in 64 bits where JAX would not keep them."""
    if not is_array(leaf) or jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return leaf
    array = np.asarray(leaf)
    return array.astype({"float32": np.float64, "int32": np.int64}.get(str(array.dtype), array.dtype))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in NOTHING_TO_DO or name in HOST_DIFFERS else [pytest.mark.slow])
        for name in ARRAY
        if name not in KEEPS_LEAVES
    ],
)
def test_a_numpy_array_counts_as_the_array_that_jax_makes_of_it(name: str) -> None:
    example = _examples(name)[0]
    function = example.function or _function(name)
    args, kwargs = jax.tree.map(_wider, (example.args, example.kwargs))
    given = jax.tree.map(lambda leaf: jnp.array(leaf) if isinstance(leaf, np.ndarray) else leaf, (args, kwargs))
    outcomes = [run_eagerly(function, replace(example, args=a, kwargs=k)) for a, k in ((args, kwargs), given)]
    alike = not differences(*outcomes, exact=True)
    assert alike == (name not in HOST_DIFFERS | SAME_EAGERLY)


def test_every_entry_has_an_example_and_every_example_an_entry() -> None:
    assert set(PURE_EXAMPLES) == {*ARRAY, *STATIC, *OPERATOR}
    assert set(METHODS) == ARRAY_METHODS
    assert set(ATTRIBUTES) == ARRAY_ATTRIBUTES
    assert set(AT) == AT_METHODS


def test_no_name_is_in_the_table_twice() -> None:
    names = [*ARRAY, *STATIC, *OPERATOR]
    assert len(names) == len(set(names))


def test_the_names_that_are_missing_here_are_in_another_version() -> None:
    assert {name for name, value in ENTRIES.items() if value is None} == {
        name for name, present in ONLY_IN.items() if not present()
    }


@pytest.mark.parametrize("name", [*ARRAY, *STATIC, *OPERATOR])
def test_every_entry_is_found_by_identity(name: str) -> None:
    function = _function(name)
    known = pure_function(function)
    assert known is not None
    # an alias is known by the first of its names
    assert ENTRIES[known.name] is function
    kind = "static" if name in STATIC else "operator" if name in OPERATOR else "array"
    assert known.argument == kind
    assert known.symbol == (OPERATORS[name.removeprefix("operator.")] if kind == "operator" else "")


def test_identity_differs_one_way_or_the_other() -> None:
    assert not FRESH_EAGERLY & SAME_EAGERLY
    assert {*ARRAY, *OPERATOR, *MEMBERS} >= IDENTITY_DIFFERS


def _never(x: Any) -> Any:
    return x


@pytest.mark.parametrize(
    "value",
    [
        *(_never, len, print, jax.jit, jax.lax.scan, jnp.vectorize, jnp.frompyfunc(_never, 1, 1), jax.jit(_never)),
        *(jnp.frompyfunc(max, 2, 1).reduce, [].append, np.linspace, np.asarray, "jax.numpy.sin", None, 3, V.sum),
    ],
    ids=lambda value: str(getattr(value, "__name__", value)),
)
def test_anything_else_is_not_pure(value: object) -> None:
    assert pure_function(value) is None


def test_methods_of_the_ufuncs_in_the_table_are_found() -> None:
    static = ("axis", "dtype", "keepdims")
    assert pure_function(jnp.add.reduce) == PureFunction("jax.numpy.ufunc.reduce", "array", static, (1, 2, 4))


def test_a_function_that_somebody_put_into_the_library_is_not_pure(monkeypatch: pytest.MonkeyPatch) -> None:
    import functools

    @functools.wraps(jnp.sin)
    def wrapped(x: Any) -> Any:
        return jnp.sin(x)

    for intruder in (_never, wrapped, jax.jit(_never), jax.custom_jvp(_never)):
        monkeypatch.setattr(jnp, "sin", intruder)
        assert PureTable().find(intruder) is None


def test_names_are_found_as_soon_as_their_module_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    table = NameTable({"janus_test_module": ("one",)})
    assert table.find(_never) is None
    monkeypatch.setitem(sys.modules, "janus_test_module", SimpleNamespace(one=_never))
    assert table.find(_never) == "janus_test_module.one"


def test_a_table_can_be_printed_and_cleared() -> None:
    table = PureTable()
    assert table.find(jnp.sin) is not None
    assert not repr(table).startswith("PureTable(array: NameTable(0 objects of 0 imported modules)")
    table.clear()
    assert repr(table).count("0 objects of 0 imported modules") == 3
    assert table.find(jnp.sin) == PURE.find(jnp.sin)


def test_a_power_with_an_integer_array_as_exponent_depends_on_the_trace() -> None:
    """The one known function whose eager result looks at an array's value: it is in `CONCRETE_DIFFERS`."""
    for name in CONCRETE_DIFFERS:
        with pytest.raises(TypeError, match="nteger"):
            ENTRIES[name](I, jnp.asarray(-1))
        jax.make_jaxpr(ENTRIES[name])(I, jnp.asarray(-1))
