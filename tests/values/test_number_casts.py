"""Numbers become arrays as JAX makes them of Python's, and arrays become numbers as Python makes them of JAX's."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from janus_jax._base.reasons import Unstageable
from janus_jax._values.number import Number, wide
from janus_jax._values.number_casts import ceil, convert, floor, from_array, round_, to_weak, trunc
from janus_jax._values.number_math import UNARY, copysign, fabs, isfinite, isinf, isnan, sqrt
from tests.values.staged_numbers import (
    NASTY,
    NASTY_FLOATS,
    NASTY_INTEGERS,
    TRIPPED,
    Recorder,
    check,
    check_all,
    nasty,
    stage,
    stage_all,
)


def _random_floats() -> list[float]:
    found: list[float] = []

    @seed(2)
    @settings(max_examples=300, database=None, deadline=None)
    @given(st.floats() | st.floats(-1e6, 1e6) | st.floats(1e-46, 1e-37) | st.floats(3.4e38, 3.5e38))
    def collect(value: float) -> None:
        found.append(value)

    collect()
    return found


def _bits(array: Any) -> bytes:
    found = np.asarray(array)
    return b"nan" if np.isnan(found) else found.tobytes()


# ---------------------------------------------------------------------------------------------- numbers to arrays


def test_a_float_becomes_the_weak_float32_that_jax_makes_of_it() -> None:
    run = stage(to_weak, float)
    for value in [*NASTY_FLOATS, *_random_floats()]:
        got = run(value)
        size = abs(value)
        if got is TRIPPED:
            assert 2.0**-150 < size < 2.0**-126 or 2.0**128 - 2.0**103 <= size < math.inf, value
            continue
        expected = jnp.asarray(value)
        assert got.dtype == expected.dtype
        assert _bits(got) == _bits(expected), value


@pytest.mark.parametrize("value", [True, 7, 0.1])
@pytest.mark.parametrize("x64", [False, True])
def test_an_array_of_a_number_is_as_weak_as_jax_has_it(value: float, x64: bool) -> None:
    with jax.enable_x64(x64):
        expected = jax.eval_shape(lambda a: a, value)

    def program(zero: jax.Array, argument: jax.Array) -> jax.Array:
        with jax.enable_x64(x64):
            return to_weak(Recorder(zero), Number(type(value), argument))

    with wide():
        got = jax.eval_shape(program, np.int64(0), np.dtype(type(value)).type(value))
    assert (got.dtype, got.weak_type) == (expected.dtype, expected.weak_type)


def test_an_integer_becomes_a_weak_int32_or_trips() -> None:
    run = stage(to_weak, int)
    for value in NASTY_INTEGERS:
        fits = -(2**31) <= value < 2**31
        got = run(value)
        assert (got == value and got.dtype == np.int32) if fits else got is TRIPPED


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float16, jnp.bfloat16, jnp.int8, jnp.uint32, jnp.complex64])
@pytest.mark.parametrize("kind", [int, float])
def test_a_product_with_an_array_is_the_product_with_the_number(dtype: Any, kind: type) -> None:
    array = jnp.asarray([1, 3], dtype)
    run = stage(lambda context, number, array: array * to_weak(context, number), kind, None)
    values = {
        int: [0, 1, -1, 7, 300, 2**24 + 1, 2**31 - 1, -(2**31)],
        float: [0.1, -0.0, 1 + 2.0**-11 + 2.0**-40, 1e30],
    }
    for value in values[kind]:
        got, expected = run(value, array), array * value
        assert got.dtype == expected.dtype
        assert got.tobytes() == np.asarray(expected).tobytes(), value


def test_rounding_to_32_bits_is_not_left_out_on_the_way_back() -> None:
    def there_and_back(context: Any, number: Number) -> Number:
        return from_array(context, float, to_weak(context, number))

    assert check(there_and_back, lambda a: float(np.float32(a)), (float,), [(0.1,), (1 / 3,), (1e-30,)]) == 1.0


def test_in_64_bits_a_number_keeps_all_of_them() -> None:
    def program(zero: jax.Array, real: jax.Array, whole: jax.Array) -> tuple[jax.Array, jax.Array]:
        context = Recorder(zero)
        return to_weak(context, Number(float, real)), to_weak(context, Number(int, whole))

    with wide():
        real, whole = jax.jit(program)(np.int64(0), np.float64(0.1), np.int64(2**62 + 1))
    assert (real.item(), whole.item()) == (0.1, 2**62 + 1)


# ---------------------------------------------------------------------------------------------- arrays to numbers


def _read_all(arrays: list[Any], kinds: list[type]) -> None:
    """Fail unless every array becomes the number that Python makes of it, or trips with good reason."""
    run = stage_all([lambda context, a, kind=kind: from_array(context, kind, a) for kind in kinds], None)
    for array in arrays:
        for kind, got in zip(kinds, run(array), strict=True):
            plain = array.item() if array.dtype != jnp.bfloat16 else float(array)
            if kind is int and not (math.isfinite(plain) and abs(plain) < 2**63):
                assert got is TRIPPED or got == -(2**63), plain
                continue
            expected = kind(plain)
            assert type(got) is kind, plain
            assert got == expected or (math.isnan(got) and math.isnan(expected)), (plain, got)
            assert math.copysign(1, got) == math.copysign(1, expected) or math.isnan(expected), plain


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16])
def test_every_float_of_16_bits_is_read_exactly(dtype: Any) -> None:
    patterns = [*range(0, 2**16, 61), *range(40), *range(0x7F0, 0x810), *range(0x3F0, 0x410), 0x7F80, 0x7C00, 0x8001]
    arrays = np.asarray(patterns, np.uint16).view(dtype)
    _read_all([arrays[i] for i in range(arrays.size)], [float, int, bool])


def test_a_float_of_32_bits_is_read_exactly_subnormals_included() -> None:
    steps = [
        0,
        1,
        2,
        0x7FFFFF,
        0x800000,
        0x800001,
        0x3F800000,
        0x4B800001,
        0x5F000000,
        0x7F7FFFFF,
        0x7F800000,
        0x7FC00000,
    ]
    patterns = np.asarray([*steps, *(0x80000000 | step for step in steps)], np.uint32)
    arrays = np.concatenate([patterns, np.random.default_rng(3).integers(0, 2**32, 300, np.uint32)]).view(np.float32)
    _read_all([arrays[i] for i in range(arrays.size)], [float, int, bool])


def test_a_float_of_64_bits_is_read_exactly() -> None:
    _read_all([np.float64(value) for value in NASTY_FLOATS], [float, int, bool])


@pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.uint8, np.int32, np.uint32, np.int64, np.uint64])
def test_an_integer_is_read_exactly(dtype: Any) -> None:
    bounds = (0, 1) if dtype is np.bool_ else (np.iinfo(dtype).min, np.iinfo(dtype).max, 0, 1, 100)
    run = stage_all([lambda context, a, kind=kind: from_array(context, kind, a) for kind in (float, int, bool)], None)
    for bound in bounds:
        expected = [TRIPPED] * 3 if bound >= 2**63 else [float(bound), int(bound), bool(bound)]
        assert run(dtype(bound)) == expected


@pytest.mark.parametrize(
    ("kind", "array"),
    [
        (float, jnp.ones((1,))),
        (int, jnp.ones((1, 1), int)),
        (bool, jnp.ones((2,))),
        (float, jnp.ones((), complex)),
        (bool, jnp.ones((), complex)),
        (int, jax.random.key(0)),
    ],
)
def test_what_is_no_number_ends_staging(kind: type, array: jax.Array) -> None:
    with pytest.raises(Unstageable):
        stage(lambda context, a: from_array(context, kind, a), None)(array)


def test_the_truth_of_one_element_has_any_shape() -> None:
    assert stage(lambda context, a: from_array(context, bool, a), None)(np.ones((1, 1), np.float32)) is True


# --------------------------------------------------------------------------------------------- numbers to numbers


@pytest.mark.parametrize("kind", [bool, int, float])
def test_conversions_agree_with_cpython_or_trip(kind: type) -> None:
    operations: dict[str, Any] = {
        "bool": (lambda context, a: convert(context, bool, a), bool),
        "int": (lambda context, a: convert(context, int, a), int),
        "float": (lambda context, a: convert(context, float, a), float),
        "trunc": (trunc, math.trunc),
        "floor": (floor, math.floor),
        "ceil": (ceil, math.ceil),
        "round": (round_, round),
    }
    rows = nasty(kind)
    if kind is float:
        rows += [(s * (n + d),) for n in (0, 1, 2, 5, 2**31) for d in (0.25, 0.5, 0.75) for s in (1, -1)]
        rows += [
            (value,) for value in (0.49999999999999994, -0.49999999999999994, 2**52 + 0.5, 2**52 + 1.5, -(2.0**63))
        ]
    answered = check_all(operations, (kind,), rows)
    assert all(part == 1.0 or (kind is float and part > 0.95) for part in answered.values()), answered


@pytest.mark.parametrize("kind", [bool, int, float])
def test_functions_of_math_agree_with_cpython_or_trip(kind: type) -> None:
    operations: dict[str, Any] = {plain.__name__: (staged, plain) for plain, staged in UNARY.items()}
    assert {staged for staged, _ in operations.values()} >= {sqrt, isnan, isinf, isfinite, fabs}
    answered = check_all(operations, (kind,), [*nasty(kind), *((kind(v),) for v in range(1, 200))])
    assert min(answered.values()) > 0.9, answered


@pytest.mark.parametrize("kinds", [(float, float), (int, float), (float, int)], ids=str)
def test_the_sign_of_one_number_goes_to_another(kinds: tuple[type, type]) -> None:
    rows = [(a, b) for a, b in nasty(*kinds, limit=500) if not math.isnan(b)]
    assert check(copysign, math.copysign, kinds, rows) == 1.0


def test_numbers_of_a_kind_are_converted_without_a_guard() -> None:
    with wide():
        context = Recorder(jnp.asarray(0))
        numbers = [Number(kind, jnp.asarray(NASTY[kind][1], kind)) for kind in (bool, int, float)]
    for number in numbers:
        assert convert(context, number.kind, number).kind is number.kind
    assert context.oks == []
