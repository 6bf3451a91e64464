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


@program(rows=(4, 10), inputs=lambda: [(f32(1, 2),), (f32(8, 2),), (f32(-1, 2),)], expect="compiled")
def catches_what_a_value_raises(x):
    try:
        if x.sum() > 8:
            raise OwnError("big", x.sum())
        y = x * 2
    except ValueError as error:
        y = x - error.args[1]
    else:
        y = y + 1
    finally:
        y = y * 3
    return y


@program(rows=(2, 4, 10), inputs=lambda: [(f32(1, 2), 50.0), (f32(1, 2), 9e9), (f32(90), 50.0)], expect="compiled")
def raises_out_of_a_loop(x, limit):
    steps = 0
    try:
        while True:
            x = x * 1.3
            steps += 1
            if x.sum() > limit:
                raise OwnError(steps)
            if steps > 20:
                return x, "returned"
    except OwnError as error:
        return x / 2, error.args[0]


@program(rows=(3, 4, 10), inputs=lambda: [(f32(1, 1),), (f32(9, 9),), (f32(20, 20),), (f32(-9, 0),)], expect="compiled")
def nests_handlers(x):
    notes = []
    try:
        try:
            for k in range(20):
                if x.sum() > 30:
                    raise KeyError(k)
                if x.sum() > 22:
                    raise ValueError(f"after {k}")
                if k == 10:
                    break
                x = x + 0.5
        except KeyError as error:
            x = x - error.args[0]
        finally:
            notes.append("passed")
            x = x + 100
    except ValueError:
        x = -x
    return x, notes


@program(rows=(3, 4, 10), inputs=lambda: [(f32(1, 2),), (f32(0, 0),), (f32(9, 9),)], expect="compiled")
def goes_on_after_bad_steps(x):
    bad = 0
    for k in range(6):
        try:
            if (x * k).sum() > 15:
                raise OwnError
            x = x + 0.5
        except OwnError:
            bad += 1
            continue
        x = x + 0.25
    return x, bad


@program(rows=(10,), inputs=lambda: [(f32(1, 2),), (f32(9, 2),), (f32(-9, 2),)], expect="compiled")
def raises_another_from_the_handler(x):
    try:
        try:
            if x.sum() > 8:
                raise OwnError("first")
            if x.sum() < -5:
                raise LookupError
        except OwnError:
            x = x + 1
            raise KeyError("second") from None
    except KeyError as error:
        return x, error.args
    except LookupError:
        x = x * 0
    return x, ()
