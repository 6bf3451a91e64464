"""Python numbers: unbounded integers, 64-bit floats, truth values; alone, in loops and next to arrays."""

import math

import jax.numpy as jnp

from tests.programs import f32, i32, program, scalar, weak

NAN = float("nan")
INF = float("inf")


@program(rows=(2,), inputs=[(0.0,), (0.5,), (1.0,), (-0.3,), (NAN,), (0,)], expect="compiled")
def time_steps(t):
    steps = 0
    while t < 1.0:
        t += 0.1
        steps += 1
    return t, steps


@program(rows=(2,), inputs=[(48, 18), (17, 5), (0, 5), (5, 0), (-48, 18), (2**62, 6), (48.0, 18)], expect="compiled")
def greatest_common_divisor(a, b):
    while b:
        a, b = b, a % b
    return a


@program(rows=(3,), inputs=[(10,), (90,), (1,), (0,), (92,), (93,), (120,)], expect="compiled")
def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


@program(rows=(3,), inputs=[(5,), (12,), (0,), (20,), (21,), (25,)], expect="compiled")
def factorial(n):
    product = 1
    for k in range(2, n + 1):
        product *= k
    return product


@program(
    rows=(1,),
    inputs=[
        (7, 2),
        (7, -2),
        (-7, 2),
        (-7, -2),
        (7, 0),
        (0, 3),
        (7.5, 2),
        (-7.5, 2),
        (7, 0.0),
        (2**63 - 1, -1),
        (-(2**63), -1),
    ],
    expect="compiled",
)
def floor_and_remainder(a, b):
    return a // b, a % b, divmod(a, b)


@program(
    rows=(1,),
    inputs=[
        (6, 4),
        (1, 3),
        (9, 4),
        (0, 5),
        (5, 0),
        (2**53 + 1, 1),
        (2**62, 3),
        (1.5, 0.5),
        (-0.0, 3),
    ],
    expect="compiled",
)
def true_division(a, b):
    quotient = a / b
    if quotient > 1:
        quotient = quotient - 1
    return quotient


@program(
    rows=(1,),
    inputs=[(12, 10, 3), (-12, 10, 3), (1, 0, 40), (1, 0, 62), (1, 0, 63), (1, 2, -1), (True, False, 1)],
    expect="compiled",
)
def bit_operations(a, b, k):
    return (a & b) | (a ^ b), ~a, a << k, a >> 2, b >> k


@program(
    rows=(2, 3),
    inputs=lambda: [(f32(1, 2), 3), (f32(1, 2), 0), (f32(0.1, 0.2), 6), (i32(1, 2), 3), (weak(1.0), 4), (2, 3)],
    expect="compiled",
)
def numbers_meet_arrays(x, n):
    scale = 1.0
    count = 0
    for i in range(n):
        scale = scale * 0.9
        x = x * scale + i
        count += i
    return x, scale, count


@program(rows=(2,), inputs=[(2.0,), (9.0,), (1e10,), (1e-3,), (0.0,), (1,)], expect="compiled")
def square_root_by_newton(a):
    guess = a if a > 1 else 1.0
    for _ in range(60):
        better = (guess + a / guess) / 2
        if abs(better - guess) < 1e-12:
            return better
        guess = better
    return guess


@program(
    rows=(1,), inputs=[(1, 2.0), (2, 2.0), (3, -1.0), (0, -0.0), (1, NAN), (True, 0.5), (-3, INF)], expect="compiled"
)
def bounds_of_numbers(a, b):
    low = min(a, b)
    high = max(a, b, 0)
    return low, high, abs(a), -b, +a, a == b, a != b, a <= b


@program(
    rows=(1,), inputs=[(3, 2.5), (0, -2.5), (-7, 0.5), (True, 1e18), (5, NAN), (5, INF), (1, 1e20)], expect="compiled"
)
def conversions(a, b):
    return float(a), int(b), bool(a), bool(b), int(a)


@program(rows=(3,), inputs=[(4, 2), (10, 3), (0, 2), (62, 2), (64, 2), (3, -3), (40, 3)], expect="compiled")
def power_by_products(n, base):
    result = 1
    sign = False
    for i in range(n):
        result = result * base
        sign = not sign
    return result, sign


@program(
    rows=(1, 3), inputs=[(5, 3, 13), (2, 10, 1000), (7, 0, 13), (3, 200, 50), (2, 10, 1), (2, 10, 0)], expect="compiled"
)
def modular_power(base, exponent, modulus):
    result = 1 % modulus
    base = base % modulus
    while exponent > 0:
        if exponent & 1:
            result = result * base % modulus
        base = base * base % modulus
        exponent >>= 1
    return result


@program(
    rows=(2,),
    inputs=[(0.5, 10), (0.9, 10), (3.7, 20), (2.0, 0), (-1.0, 5), (1e200, 5), (1e200, 12)],
    expect="compiled",
)
def float_iteration(x, n):
    largest = 0.0
    for _ in range(n):
        x = 3.5 * x * (1 - x)
        if x > largest:
            largest = x
    return x, largest


@program(rows=(1,), inputs=[(2.0,), (0.25,), (0.0,), (-1.0,), (NAN,), (4,), (1e300,)], expect="any")
def host_mathematics(x):
    y = math.sqrt(x) + math.floor(x)
    if y > 1:
        return math.exp(-y)
    return math.log(y + 1)


@program(
    rows=(1,),
    inputs=lambda: [
        (scalar(2.6),),
        (scalar(-2.6),),
        (scalar(7, jnp.int32),),
        (scalar(0.0),),
        (scalar(NAN),),
        (f32(1.5),),
        (scalar(3e9),),
    ],
    expect="compiled",
)
def numbers_from_arrays(x):
    value = float(x)
    whole = int(x)
    if whole > 2:
        value = value * 0.1
    return value, whole, bool(x), x.item()


@program(rows=(2,), inputs=[(1, 1), (3, 1), (2**40, 3), (2**62, 1), (0, 1), (-5, 2)], expect="compiled")
def doubles_until_overflow(n, step):
    rounds = 0
    while 0 < n and rounds < 20:
        n = n * 2
        rounds += step
    return n, rounds


@program(rows=(1, 3), inputs=[(6, -1), (4, -2), (10, 0), (10, 3), (0, 1), (-4, 2)], expect="compiled")
def divides_in_loop(n, zero_at):
    total = 0
    for i in range(n):
        total += 100 // (i - zero_at) if i != 5 else 1
    return total


@program(rows=(1,), inputs=[(True, 3), (False, 3), (True, 0), (1, 3), (True, True)], expect="compiled")
def truth_values_are_numbers(flag, n):
    count = flag + flag
    total = flag + n + (n > 2)
    return count, total, flag * n, flag == 1, not n, flag is True


@program(
    rows=(1,),
    inputs=[(0.0, -0.0), (-0.0, 0.0), (0.0, 0.0), (NAN, NAN), (INF, -INF), (5e-324, 0.5), (0.1, 0.2)],
    expect="compiled",
)
def signed_zeros_and_nan(a, b):
    product = a * b
    difference = a - b
    if a == b:
        chosen = a
    elif a < b:
        chosen = b
    else:
        chosen = product
    return product, difference, chosen, a + b


SMALLEST = 5e-324


@program(
    rows=(2, 10),
    inputs=lambda: [
        (1.5, 0.0, f32(1)),
        (2.5, 1.0, f32(0)),
        (0.0, -0.0, f32(2)),
        (SMALLEST, 0.0, f32(1e-45)),
        (-SMALLEST, 2e-310, f32(-1e-45)),
        (2e-310, SMALLEST, f32(-0.0)),
    ],
    expect="compiled",
)
def truth_of_the_smallest(a, b, x):
    return (
        1 if a else 2,
        3 if not b else 4,
        5 if a and b else 6,
        7 if x[0] else 8,
        9 if bool(a) else 10,
        11 if x[0] and a else 12,
    )
