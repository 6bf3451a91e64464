"""Exceptions that are raised, caught and passed on, and the statements that run all the same."""

import jax.numpy as jnp

from tests.programs import f32, program

BOTH = [(f32(1, 2, 3),), (f32(-1, -2, -3),)]


@program(
    rows=(10,),
    inputs=lambda: [(f32(1, 2), f32(2)), (f32(1, 2), None), (f32(1, 2), 0)],
    expect="compiled",
)
def tries_and_catches(x, y):
    try:
        z = x / y
    except TypeError as error:
        z = str(error)[:20]
    finally:
        x = x + 1
    return z, x


@program(rows=(10,), inputs=lambda: [(f32(1, 2),), (f32(-1),)], expect="compiled")
def catches_concretisation(x):
    try:
        value = float(x.sum())
    except Exception:
        value = -1.0
    return value


@program(rows=(10,), inputs=lambda: [(f32(1, 2), 1), (f32(1, 2), 0)], expect="compiled")
def raises_from_handler(x, k):
    try:
        return x * (1 // k)
    except ZeroDivisionError as error:
        raise KeyError("k", k) from error


class OwnError(ValueError):
    """An exception of the user's."""


@program(rows=(10,), inputs=lambda: BOTH, expect="compiled")
def catches_what_is_certain(x):
    table = {"a": x}
    steps = []
    try:
        steps.append(1)
        y = table["b"]
        steps.append(2)
    except KeyError as error:
        y = table["a"]
        steps.append(error.args[0])
    try:
        raise OwnError("no", 3)
    except (TypeError, ValueError) as error:
        y = y + len(error.args)
    else:
        y = y - 100
    finally:
        y = y * 2
    return y, steps


@program(rows=(10,), inputs=lambda: BOTH, expect="compiled")
def passes_through_finally(x):
    steps = []

    def inner(n):
        try:
            if n == 0:
                raise OwnError("zero")
            return x * n
        finally:
            steps.append(n)

    total = inner(2)
    try:
        total = total + inner(0)
    except OwnError:
        steps.append("caught")
    return total, steps


@program(rows=(10,), inputs=lambda: BOTH, expect="compiled")
def finally_overrules(x):
    def last():
        try:
            return x
        finally:
            return x + 1

    for _ in range(3):
        try:
            raise OwnError
        finally:
            break
    return last()


@program(rows=(10,), inputs=lambda: [(f32(1, 2),), (f32(-1, 2),), (f32(jnp.nan, 2),)], expect="compiled")
def raises_for_bad_values(x):
    if jnp.isnan(x).any():
        raise FloatingPointError(f"bad values in {x.shape}")
    try:
        if x.sum() < 0:
            raise OwnError("negative")
        y = x + 1
    except OwnError:
        y = x * 0
    else:
        y = y + 5
    return y


@program(rows=(10,), inputs=lambda: [(f32(1, 2), 1), (f32(1, 2), 5)], expect="compiled")
def index_out_of_range(x, k):
    rows = []
    for i in range(3):
        rows.append(x * i)
    try:
        return rows[k]
    except IndexError:
        return rows[0] - 1


@program(rows=(10,), inputs=lambda: [(f32(1, 2), 1), (f32(1, 2), 0)], expect="compiled")
def reraises(x, k):
    try:
        try:
            if k == 0:
                raise OwnError("k")
        except OwnError:
            x = x + 1
            raise
    except ValueError as error:
        return x, error.args
    return x * 2, ()
