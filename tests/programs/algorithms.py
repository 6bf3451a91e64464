"""Algorithms as textbooks print them: linear algebra by hand, least squares, roots, tables, interpreters."""

from collections import deque
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import jax
import jax.numpy as jnp

from tests.programs import call, f32, grid, program, scalar


@program(
    rows=(1, 2, 4, 6, 10, 38),
    inputs=lambda: [
        (f32(0, 1, 2, 3, 4), f32(2.0, 1.3, 0.8, 0.5, 0.4), f32(1, 0.1), 6),
        (f32(0, 1, 2, 3, 4), f32(2.0, 1.3, 0.8, 0.5, 0.4), f32(8, -1), 6),
        (f32(0, 0, 0), f32(1, 1, 1), f32(0, 0), 4),
    ],
    expect="imperative",
    reason="loop-types-differ",
)
def levenberg_marquardt(times, values, guess, most):
    """Fit a decaying exponential; the damping grows where a step fails and shrinks where it works."""

    def model(parameters):
        amplitude, rate = parameters
        return amplitude * jnp.exp(-rate * times)

    def residuals(parameters):
        return model(parameters) - values

    def cost(parameters):
        r = residuals(parameters)
        return 0.5 * (r * r).sum()

    def solve_2x2(matrix, right):
        (a, b), (c, d) = matrix
        determinant = a * d - b * c
        if abs(determinant) < 1e-12:
            raise ZeroDivisionError("the normal equations are singular")
        return jnp.stack([d * right[0] - b * right[1], a * right[1] - c * right[0]]) / determinant

    parameters = guess
    damping = 1e-2
    current = cost(parameters)
    log = [{"cost": current, "damping": damping, "accepted": True}]
    failures = 0
    status = None

    while status is None:
        jacobian = jax.jacfwd(residuals)(parameters)
        slope = jacobian.T @ residuals(parameters)
        if jnp.abs(slope).max() < 1e-3:
            status = "flat"
            continue

        # damped normal equations
        normal = jacobian.T @ jacobian
        damped = normal + damping * jnp.diag(jnp.diag(normal))
        try:
            step = solve_2x2(damped, -slope)
        except ZeroDivisionError as error:
            log.append({"cost": current, "damping": damping, "accepted": False, "error": str(error)})
            damping *= 10
            failures += 1
            if failures > 2:
                status = "singular"
            continue

        candidate = parameters + step
        new = cost(candidate)
        accepted = bool(new < current)
        log.append({"cost": new, "damping": damping, "accepted": accepted})
        if accepted:
            gain = (current - new) / current
            parameters, current = candidate, new
            damping = max(damping / 5, 1e-6)
            if gain < 1e-3:
                status = "converged"
        else:
            damping *= 5
            failures += 1
            if failures > 3:
                status = "stuck"
        if len(log) > most:
            status = status or "too many steps"

    accepted = [entry for entry in log if entry["accepted"]]
    costs = [entry["cost"] for entry in accepted]
    largest = max(entry["damping"] for entry in log)
    half_life = jnp.log(2.0) / parameters[1]
    return parameters, status, len(log), costs, failures, largest, half_life


@program(
    rows=(1, 2, 3, 4, 6, 38),
    inputs=lambda: [
        (f32(-1.2, 1.0), 3, 6),
        (f32(0.5, 0.5, 0.5), 2, 5),
        (f32(1.0, 1.0), 3, 6),
    ],
    expect="imperative",
    reason="unsupported-expression",
)
def limited_memory_bfgs(start, memory, most):
    """L-BFGS with a deque of pairs, the two-loop recursion and a line search that halves."""

    def rosenbrock(x):
        total = 0.0
        for a, b in zip(x, x[1:]):
            total = total + 10.0 * (b - a * a) ** 2 + (1.0 - a) ** 2
        return total

    evaluate = jax.value_and_grad(rosenbrock)

    def direction(slope, pairs):
        """Minus the inverse Hessian, as the pairs know it, times the slope."""
        q = slope
        alphas = []
        for s, y, rho in reversed(pairs):
            alpha = rho * (s @ q)
            q = q - alpha * y
            alphas.append(alpha)
        if pairs:
            s, y, _ = pairs[-1]
            q = q * (s @ y) / (y @ y)
        for (s, y, rho), alpha in zip(pairs, reversed(alphas)):
            beta = rho * (y @ q)
            q = q + s * (alpha - beta)
        return -q

    def search(x, value, slope, along):
        """The first of 1, 1/2, 1/4, ... that goes down far enough."""
        length = 1.0
        downhill = slope @ along
        for halvings in range(10):
            candidate = x + length * along
            new = rosenbrock(candidate)
            if new <= value + 1e-4 * length * downhill:
                return candidate, halvings
            length /= 2
        return None, halvings

    x = start
    value, slope = evaluate(x)
    pairs = deque(maxlen=memory)
    values = [value]
    halvings = 0
    skipped = 0
    outcome = "out of steps"

    for iteration in range(most):
        if jnp.abs(slope).max() < 1e-3:
            outcome = "converged"
            break

        candidate, tries = search(x, value, slope, direction(slope, pairs))
        halvings += tries
        if candidate is None:
            # the model is wrong: forget it, unless there is nothing to forget
            if not pairs:
                outcome = "the line search failed"
                break
            pairs.clear()
            continue

        new_value, new_slope = evaluate(candidate)
        s, y = candidate - x, new_slope - slope
        curvature = s @ y
        if curvature > 1e-6:
            pairs.append((s, y, 1.0 / curvature))
        else:
            skipped += 1
        x, value, slope = candidate, new_value, new_slope
        values.append(value)

    falls = all(b <= a for a, b in pairwise(values))
    return x, values, outcome, iteration, len(pairs), (halvings, skipped), falls


@program(
    rows=(1, 2, 3, 6),
    inputs=lambda: [
        ("kitten", "sitting", {"replace": 1, "insert": 1, "delete": 1}),
        ("flaw", "lawn", {"replace": 2, "insert": 1, "delete": 1}),
        ("", "abc", {"replace": 1, "insert": 1, "delete": 1}),
    ],
    expect="imperative",
    reason="unsupported-expression",
)
def edit_distance(source, target, costs):
    """The cheapest way from one word to another, with the table in an array and the way in words."""
    rows, columns = len(source) + 1, len(target) + 1
    table = jnp.zeros((rows, columns), jnp.int32)
    table = table.at[:, 0].set(costs["delete"] * jnp.arange(rows))
    table = table.at[0, :].set(costs["insert"] * jnp.arange(columns))

    for i, old in enumerate(source, start=1):
        for j, new in enumerate(target, start=1):
            change = 0 if old == new else costs["replace"]
            choices = [
                table[i - 1, j - 1] + change,
                table[i, j - 1] + costs["insert"],
                table[i - 1, j] + costs["delete"],
            ]
            table = table.at[i, j].set(min(choices))

    # walk back from the end, and say what was done
    operations = []
    i, j = len(source), len(target)
    while i > 0 or j > 0:
        here = table[i, j]
        if i > 0 and j > 0:
            change = 0 if source[i - 1] == target[j - 1] else costs["replace"]
            if here == table[i - 1, j - 1] + change:
                if change:
                    operations.append(f"replace {source[i - 1]} by {target[j - 1]}")
                else:
                    operations.append(None)
                i, j = i - 1, j - 1
                continue
        if j > 0 and here == table[i, j - 1] + costs["insert"]:
            operations.append(f"insert {target[j - 1]}")
            j -= 1
        else:
            operations.append(f"delete {source[i - 1]}")
            i -= 1
    operations.reverse()

    # do what was said
    word = []
    letters = iter(source)
    for operation in operations:
        match operation.split() if operation else None:
            case None:
                word.append(next(letters))
            case ["replace", _, "by", letter]:
                next(letters)
                word.append(letter)
            case ["insert", letter]:
                word.append(letter)
            case ["delete", _]:
                next(letters)
    assert "".join(word) == target, "the way leads elsewhere"

    kept = operations.count(None)
    kinds = {}
    for operation in operations:
        if operation is not None:
            kind, *_ = operation.split()
            kinds[kind] = kinds.get(kind, 0) + 1

    distance = table[-1, -1]
    longer = max(len(source), len(target))
    similarity = 1.0 - distance / longer if longer else 1.0
    if distance == 0:
        verdict = "the same"
    elif kept * 2 > longer:
        verdict = "alike"
    else:
        verdict = "different"
    return distance, operations, kinds, similarity, verdict


COUNT_DOWN = (
    ("push", "x"),
    ("label", "again"),
    ("dup",),
    ("push", 0.5),
    ("mul",),
    ("dup",),
    ("push", 1.0),
    ("less",),
    ("jump unless", "again"),
)
AVERAGE = (("push", "x"), ("push", "y"), ("add",), ("push", 2.0), ("div",), ("store", "mean"), ("push", "mean"))


class MachineError(Exception):
    """What the program of the stack machine has done wrong."""


@program(
    rows=(1, 2, 4, 6, 10),
    inputs=lambda: [
        (COUNT_DOWN, {"x": scalar(5.0)}, 60),
        (AVERAGE, {"x": f32(1, 2), "y": f32(3, 5)}, 60),
        (COUNT_DOWN, {"x": scalar(40.0)}, 12),
        ((("push", 1.0), ("add",)), {}, 60),
    ],
    expect="imperative",
    reason="concrete-value",
)
def stack_machine(instructions, variables, most):
    """An interpreter of a small language: a stack, variables, jumps, and errors with the place."""

    operations = {
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b,
        "less": lambda a, b: a < b,
    }
    labels = {words[1]: place for place, words in enumerate(instructions) if words[0] == "label"}
    memory = dict(variables)
    stack = []
    deepest = 0
    executed = 0
    place = 0

    def pop():
        if not stack:
            raise MachineError(f"nothing on the stack at {place}")
        return stack.pop()

    try:
        while place < len(instructions):
            executed += 1
            if executed > most:
                raise MachineError("the program does not end")

            match instructions[place]:
                case ("push", str(name)):
                    stack.append(memory[name])
                case ("push", int() | float() as number):
                    stack.append(jnp.asarray(number))
                case ("store", name):
                    memory[name] = pop()
                case ("dup",):
                    top = pop()
                    stack.extend([top, top])
                case ("label", _):
                    pass
                case ("jump", name):
                    place = labels[name]
                    continue
                case ("jump unless", name):
                    if not pop():
                        place = labels[name]
                        continue
                case (name,) if name in operations:
                    right, left = pop(), pop()
                    stack.append(operations[name](left, right))
                case unknown:
                    raise MachineError(f"what is {unknown}?")

            deepest = max(deepest, len(stack))
            place += 1
    except MachineError as error:
        message = str(error)
    except KeyError as error:
        message = f"no variable {error}"
    else:
        message = "done"

    born = {name: value for name, value in memory.items() if name not in variables}
    return {"stack": stack, "born": born, "executed": executed, "deepest": deepest, "message": message}


@program(
    rows=(1, 2, 4, 6, 10),
    inputs=lambda: [
        call(scalar(0.0), scalar(2.0)),
        call(scalar(-3.0), scalar(0.5), shift=1.0),
        call(scalar(1.5), scalar(2.0), tolerance=1e-2),
        call(scalar(0.0), scalar(2.0), shift=0.75, most=3),
    ],
    expect="imperative",
    reason="concrete-value",
)
def root_by_brent(low, high, *, shift=0.0, tolerance=1e-4, most=20):
    """Brent's method: inverse quadratic interpolation, secants, and bisection when nothing else helps."""
    calls = 0

    def function(x):
        nonlocal calls
        calls += 1
        return x**3 - x - 0.25 + shift * jnp.sin(x)

    a, b = low, high
    fa, fb = function(a), function(b)
    widened = 0
    while fa * fb > 0:
        # no change of sign: look further
        width = b - a
        a, b = a - width, b + width
        fa, fb = function(a), function(b)
        widened += 1
        if widened > 4:
            raise ValueError("no root in sight", widened)

    if abs(fa) < abs(fb):
        a, b, fa, fb = b, a, fb, fa
    c, fc = a, fa
    d = c
    bisected = True
    steps = []

    for _ in range(most):
        if fb == 0 or abs(b - a) < tolerance:
            break

        if fa != fc and fb != fc:
            kind = "quadratic"
            s = a * fb * fc / ((fa - fb) * (fa - fc))
            s = s + b * fa * fc / ((fb - fa) * (fb - fc))
            s = s + c * fa * fb / ((fc - fa) * (fc - fb))
        else:
            kind = "secant"
            s = b - fb * (b - a) / (fb - fa)

        # is the interpolated place any good?
        lower, upper = sorted([(3 * a + b) / 4, b])
        last = abs(b - c) if bisected else abs(c - d)
        if not lower < s < upper or abs(s - b) >= last / 2 or last < tolerance:
            kind = "bisection"
            s = (a + b) / 2
        bisected = kind == "bisection"
        steps.append(kind)

        fs = function(s)
        d, c, fc = c, b, fb
        if fa * fs < 0:
            b, fb = s, fs
        else:
            a, fa = s, fs
        if abs(fa) < abs(fb):
            a, b, fa, fb = b, a, fb, fa
    else:
        steps.append("gave up")

    counts = {kind: steps.count(kind) for kind in ("quadratic", "secant", "bisection")}
    favourite = max(counts, key=counts.get)
    quality = "exact" if fb == 0 else "good" if abs(fb) < 10 * tolerance else "poor"
    return b, fb, calls, widened, counts, favourite, f"{quality} after {len(steps)} steps"


@dataclass(frozen=True)
class Panel:
    """A piece of an integral: where it is, what the function is there, what Simpson says."""

    left: float
    right: float
    values: tuple
    estimate: jax.Array

    @property
    def middle(self):
        return (self.left + self.right) / 2

    @classmethod
    def over(cls, function, left, right, first=None, last=None):
        middle = (left + right) / 2
        first = function(left) if first is None else first
        last = function(right) if last is None else last
        values = (first, function(middle), last)
        return cls(left, right, values, (right - left) / 6 * (values[0] + 4 * values[1] + values[2]))

    def halves(self, function):
        first, centre, last = self.values
        yield Panel.over(function, self.left, self.middle, first, centre)
        yield Panel.over(function, self.middle, self.right, centre, last)


@program(
    rows=(1, 3, 6, 11, 12),
    inputs=lambda: [
        (scalar(3.0), 0.0, 2.0, 1e-3),
        (scalar(12.0), 0.0, 2.0, 1e-2),
        (scalar(1.0), 2.0, -1.0, 1e-3),
    ],
    expect="compiled",
)
def adaptive_simpson(sharpness, left, right, tolerance):
    """Integrate a peak by splitting where the estimate is poor, and look at where it was split."""
    evaluations = 0
    deepest = 0
    accepted = []

    def peak(x):
        nonlocal evaluations
        evaluations += 1
        return 1.0 / (1.0 + (sharpness * (x - 0.75)) ** 2)

    def refine(panel, tolerance, depth):
        nonlocal deepest
        deepest = max(deepest, depth)
        first, second = panel.halves(peak)
        both = first.estimate + second.estimate
        error = (both - panel.estimate) / 15

        if abs(error) < tolerance:
            accepted.append(panel)
            return both + error
        if depth == 4:
            # deep enough: take what there is
            accepted.append(panel)
            return both

        return refine(first, tolerance / 2, depth + 1) + refine(second, tolerance / 2, depth + 1)

    if left > right:
        left, right, sign = right, left, -1
    else:
        sign = 1
    whole = Panel.over(peak, left, right)
    integral = sign * refine(whole, tolerance, 0)

    # the accepted pieces must cover everything, without gaps
    accepted.sort(key=lambda panel: panel.left)
    for before, after in pairwise(accepted):
        assert before.right == after.left, f"a gap at {before.right}"
    covered = sum(panel.right - panel.left for panel in accepted)
    assert abs(covered - (right - left)) < 1e-9

    narrowest = min(accepted, key=lambda panel: panel.right - panel.left)
    widths = {}
    for panel in accepted:
        widths.setdefault(panel.right - panel.left, []).append(panel.middle)
    share = max((panel.estimate for panel in accepted), default=None) / abs(integral)

    # the same by the trapezoidal rule, for comparison
    points = [left + (right - left) * i / 8 for i in range(9)]
    ends = (peak(points[0]) + peak(points[-1])) / 2
    inside = reduce(lambda total, point: total + peak(point), points[1:-1], 0.0)
    plain = sign * (ends + inside) * (right - left) / 8
    difference = abs(plain - integral)
    if difference < tolerance:
        verdict = "not worth the trouble"
    elif deepest < 4:
        verdict = "worth it"
    else:
        verdict = "too sharp"

    exact = sign * (jnp.arctan(sharpness * (right - 0.75)) - jnp.arctan(sharpness * (left - 0.75))) / sharpness
    return {
        "integral": integral,
        "error": abs(integral - exact),
        "evaluations": evaluations,
        "deepest": deepest,
        "panels": len(accepted),
        "narrowest": narrowest.middle,
        "widths": {f"{width:.4f}": len(places) for width, places in widths.items()},
        "share": share,
        "verdict": verdict,
    }


class Polynomial:
    """A polynomial with its coefficients in an array, lowest first."""

    def __init__(self, *coefficients):
        self.coefficients = jnp.asarray(coefficients, dtype=jnp.float32)

    @staticmethod
    def of(array):
        return Polynomial(*array)

    @classmethod
    def with_roots(cls, *roots):
        result = cls(1.0)
        for root in roots:
            result = result * cls(-root, 1.0)
        return result

    @property
    def degree(self):
        return len(self.coefficients) - 1

    def __add__(self, other):
        if not isinstance(other, Polynomial):
            other = Polynomial(other)
        length = max(self.degree, other.degree) + 1
        first = jnp.zeros(length).at[: self.degree + 1].set(self.coefficients)
        return Polynomial.of(first.at[: other.degree + 1].add(other.coefficients))

    def __neg__(self):
        return Polynomial.of(-self.coefficients)

    def __sub__(self, other):
        return self + -other

    def __mul__(self, other):
        if not isinstance(other, Polynomial):
            return Polynomial.of(self.coefficients * other)
        product = jnp.zeros(self.degree + other.degree + 1)
        for power, coefficient in enumerate(self.coefficients):
            product = product.at[power : power + other.degree + 1].add(coefficient * other.coefficients)
        return Polynomial.of(product)

    __rmul__ = __mul__
    __radd__ = __add__

    def __call__(self, x):
        value = jnp.zeros_like(x)
        for coefficient in self.coefficients[::-1]:
            value = value * x + coefficient
        return value

    def __getitem__(self, power):
        return self.coefficients[power]

    def derivative(self):
        return Polynomial(*[power * c for power, c in enumerate(self.coefficients) if power > 0])


@program(
    rows=(1, 2, 3, 6, 12),
    inputs=lambda: [
        (f32(1, -2, 0.5), 4),
        (f32(2, 2, -1), 4),
        (f32(0.5, 3.0), 3),
    ],
    expect="imperative",
    reason="concrete-value",
)
def algebra_of_polynomials(roots, most):
    """Build a polynomial from its roots, forget them, and find them again."""
    p = Polynomial.with_roots(*roots)
    slope = p.derivative()
    assert slope.degree == p.degree - 1, "a derivative loses one degree"

    # laws of algebra
    x = Polynomial(0.0, 1.0)
    shifted = p + 2
    product = (x + 1) * (x - Polynomial(1.0))
    laws = {
        "shift": shifted[0] - p[0],
        "squares": product.coefficients,
        "doubled": (2 * p - p - p).coefficients,
        "at one": (p * x)(jnp.ones(())) - p(jnp.ones(())),
    }

    def newton(p, slope, x):
        """A root near x, or None."""
        for step in range(6):
            value = p(x)
            if abs(value) < 1e-4:
                return x
            steepness = slope(x)
            if abs(steepness) < 1e-3:
                # a flat place: step aside
                x = x + 0.5
                continue
            x = x - value / steepness
        return x if abs(p(x)) < 1e-2 else None

    def divide(p, root):
        """Synthetic division by x - root, without the remainder."""
        quotient = []
        carried = 0.0
        for coefficient in p.coefficients[:0:-1]:
            carried = carried * root + coefficient
            quotient.append(carried)
        return Polynomial(*reversed(quotient))

    found = []
    rest = p
    tries = 0
    while rest.degree > 0 and tries < most:
        tries += 1
        start = jnp.asarray(0.2 * tries)
        if rest.degree == 1:
            root = -rest[0] / rest[1]
        else:
            root = newton(rest, rest.derivative(), start)
        if root is None:
            break
        found.append(root)
        rest = divide(rest, root)

    # compare with what went in, in order
    found.sort(key=float)
    wanted = jnp.sort(roots)
    if len(found) == len(roots):
        worst = jnp.abs(jnp.stack(found) - wanted).max()
        verdict = "found" if worst < 0.05 else "roughly"
    else:
        worst = None
        verdict = f"only {len(found)} of {len(roots)}"

    signs = [int(jnp.sign(p(root + 0.25))) for root in found]
    table = [(root, p(root), slope(root)) for root in found]
    return laws, table, verdict, worst, signs, tries, rest.coefficients


@program(
    rows=(1, 3, 4, 6, 10),
    inputs=lambda: [
        (jnp.array([[2.0, 1.0, 1.0], [4.0, 3.0, 3.0], [8.0, 7.0, 9.0]]), f32(1, 2, 3)),
        (jnp.array([[0.0, 2.0], [1.0, 1.0]]), f32(2, 2)),
        (jnp.array([[1.0, 2.0], [2.0, 4.0]]), f32(1, 3)),
        (grid(2, 3), f32(1, 2)),
    ],
    expect="imperative",
    reason="concrete-value",
)
def solves_linear_systems(matrix, right):
    """LU with pivoting, and QR by Gram-Schmidt, row by row and column by column; the two must agree."""
    rows, columns = matrix.shape
    if rows != columns:
        raise ValueError(f"a matrix of {rows} x {columns} is not square")
    size = rows

    def decompose(a):
        """The rows' order, both triangles in one matrix, and the sign of the permutation."""
        order = list(range(size))
        sign = 1
        for k in range(size):
            pivot = k
            for i in range(k + 1, size):
                if abs(a[i, k]) > abs(a[pivot, k]):
                    pivot = i
            if abs(a[pivot, k]) < 1e-6:
                raise ArithmeticError("singular", k)
            if pivot != k:
                swapped = a.at[k].set(a[pivot])
                a = swapped.at[pivot].set(a[k])
                order[k], order[pivot] = order[pivot], order[k]
                sign = -sign
            for i in range(k + 1, size):
                factor = a[i, k] / a[k, k]
                a = a.at[i, k + 1 :].add(-factor * a[k, k + 1 :])
                a = a.at[i, k].set(factor)
        return order, a, sign

    def substitute(order, a, b):
        x = jnp.stack([b[i] for i in order])
        for i in range(1, size):
            x = x.at[i].add(-(a[i, :i] @ x[:i]))
        for i in reversed(range(size)):
            x = x.at[i].set((x[i] - a[i, i + 1 :] @ x[i + 1 :]) / a[i, i])
        return x

    def orthogonalise(a):
        basis = []
        for column in a.T:
            for other in basis:
                column = column - (other @ column) * other
            length = jnp.sqrt(column @ column)
            if length > 1e-3:
                basis.append(column / length)
        return basis

    try:
        order, packed, sign = decompose(matrix)
    except ArithmeticError as error:
        # least squares in the space that is left
        basis = orthogonalise(matrix)
        projected = sum((q @ right) * q for q in basis)
        return {"rank": len(basis), "projected": projected, "why": error.args, "solution": None}

    solution = substitute(order, packed, right)
    determinant = sign * jnp.prod(jnp.diag(packed))
    basis = orthogonalise(matrix)
    rank = len(basis)
    volume = reduce(lambda product, q: product * (q @ q), basis, abs(determinant))

    # one step of refinement
    residual = right - matrix @ solution
    if jnp.abs(residual).max() > 1e-6:
        solution = solution + substitute(order, packed, residual)
    inverse = jnp.stack([substitute(order, packed, unit) for unit in jnp.eye(size)], axis=1)
    condition = jnp.abs(matrix).sum(axis=1).max() * jnp.abs(inverse).sum(axis=1).max()
    verdict = "well conditioned" if condition < 100 else "badly conditioned"
    return {"rank": rank, "solution": solution, "determinant": determinant, "order": order, "volume": volume}, verdict


@program(
    rows=(1, 2, 3, 4, 6),
    inputs=lambda: [
        (6, ((0, 1, 1.0), (1, 2, 1.0), (0, 2, 1.0), (3, 4, 1.0), (4, 5, 1.0), (3, 5, 1.0), (2, 3, 0.1)), 1e-3),
        (4, ((0, 1, 1.0), (1, 2, 1.0), (2, 3, 1.0)), 1e-3),
        (5, ((0, 1, 1.0), (1, 2, 2.0), (3, 4, 1.0)), 1e-2),
    ],
    expect="imperative",
    reason="staging-error",
)
def cuts_a_graph(count, edges, tolerance):
    """Spectral clustering in two: the second eigenvector by power iteration, then what the cut costs."""
    weights = jnp.zeros((count, count))
    neighbours = {node: [] for node in range(count)}
    for a, b, weight in edges:
        weights = weights.at[a, b].add(weight).at[b, a].add(weight)
        neighbours[a].append(b)
        neighbours[b].append(a)

    def components():
        """The nodes that can be reached from each other, by a search in depth."""
        left = set(range(count))
        found = []
        while left:
            stack = [min(left)]
            reached = []
            while stack:
                node = stack.pop()
                if node not in left:
                    continue
                left.remove(node)
                reached.append(node)
                stack.extend(other for other in neighbours[node] if other in left)
            found.append(sorted(reached))
        return found

    parts = components()
    connected = len(parts) == 1
    degrees = weights.sum(axis=1)
    laplacian = jnp.diag(degrees) - weights

    # turn the spectrum round: the second smallest becomes the second largest
    bound = 2.0 * degrees.max()
    flipped = bound * jnp.eye(count) - laplacian
    vector = jnp.cos(jnp.arange(count) * 1.0)
    value = None
    steps = 0

    while True:
        # without the part that all nodes have in common
        vector = vector - vector.mean()
        vector = vector / jnp.sqrt(vector @ vector)
        image = flipped @ vector
        new_value = vector @ image
        steps += 1
        if value is not None and abs(new_value - value) < tolerance * bound:
            break
        if steps >= 25:
            break
        value, vector = new_value, image

    # the sign of the first node is free: it is to be on the left
    if vector[0] > 0:
        vector = -vector
    left = [node for node in range(count) if vector[node] < 0]
    right = [node for node in range(count) if node not in left]

    cut = sum((weights[a, b] for a in left for b in right), jnp.zeros(()))
    volumes = [sum(degrees[node] for node in side) for side in (left, right)]
    conductance = cut / min(volumes) if all(volume > 0 for volume in volumes) else None
    boundary = sorted({node for node in left for other in neighbours[node] if other in right})
    match (connected, conductance):
        case (False, _):
            verdict = f"{len(parts)} parts"
        case (True, None):
            verdict = "one side is empty"
        case _:
            verdict = "one part"
    return left, right, cut, conductance, bound - new_value, boundary, parts, verdict, steps


class Expression:
    """A term; operators build larger ones."""

    def __add__(self, other):
        return Sum(self, wrap(other))

    def __radd__(self, other):
        return Sum(wrap(other), self)

    def __mul__(self, other):
        return Product(self, wrap(other))

    def __rmul__(self, other):
        return Product(wrap(other), self)

    def __sub__(self, other):
        return Sum(self, Product(Number(-1.0), wrap(other)))


@dataclass(frozen=True)
class Number(Expression):
    value: float


@dataclass(frozen=True)
class Variable(Expression):
    name: str


@dataclass(frozen=True)
class Sum(Expression):
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Product(Expression):
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Call(Expression):
    function: str
    argument: Expression


def wrap(value):
    return value if isinstance(value, Expression) else Number(value)


@program(
    rows=(1, 3, 11, 12),
    inputs=lambda: [
        ({"x": scalar(0.5), "y": scalar(2.0)}, "x", 4),
        ({"x": f32(1, -2), "y": scalar(2.0)}, "y", 4),
        ({"x": scalar(-1.0), "y": scalar(0.0)}, "x", 6),
    ],
    expect="imperative",
    reason="frame-access",
)
def symbolic_derivatives(values, name, steps):
    """Terms as trees: they are evaluated, differentiated, simplified and printed; then used to walk downhill."""
    x, y = Variable("x"), Variable("y")

    def evaluate(term, values):
        match term:
            case Number(value):
                return value
            case Variable(name):
                return values[name]
            case Sum(left, right):
                return evaluate(left, values) + evaluate(right, values)
            case Product(left, right):
                return evaluate(left, values) * evaluate(right, values)
            case Call("sin", argument):
                return jnp.sin(evaluate(argument, values))
            case Call("cos", argument):
                return jnp.cos(evaluate(argument, values))
        raise TypeError(f"what is {term}?")

    def derive(term, name):
        match term:
            case Number():
                return Number(0.0)
            case Variable(other):
                return Number(1.0 if other == name else 0.0)
            case Sum(left, right):
                return derive(left, name) + derive(right, name)
            case Product(left, right):
                return derive(left, name) * right + left * derive(right, name)
            case Call("sin", argument):
                return Call("cos", argument) * derive(argument, name)
            case Call("cos", argument):
                return -1.0 * Call("sin", argument) * derive(argument, name)

    def simplify(term):
        match term:
            case Sum(left, right):
                match simplify(left), simplify(right):
                    case (Number(0.0), other) | (other, Number(0.0)):
                        return other
                    case Number(a), Number(b):
                        return Number(a + b)
                    case left, right:
                        return left + right
            case Product(left, right):
                match simplify(left), simplify(right):
                    case (Number(0.0), _) | (_, Number(0.0)):
                        return Number(0.0)
                    case (Number(1.0), other) | (other, Number(1.0)):
                        return other
                    case left, right:
                        return left * right
            case Call(function, argument):
                return Call(function, simplify(argument))
        return term

    def text(term):
        match term:
            case Number(value):
                return f"{value:g}"
            case Variable(name):
                return name
            case Sum(left, right):
                return f"({text(left)} + {text(right)})"
            case Product(left, right):
                return f"{text(left)} {text(right)}"
            case Call(function, argument):
                return f"{function}({text(argument)})"

    def size(term):
        return 1 + sum(size(part) for part in vars(term).values() if isinstance(part, Expression))

    hill = x * x + 0.5 * x * y + Call("sin", x) - 2
    raw = derive(hill, name)
    slope = simplify(raw)
    point = dict(values)
    heights = []
    turns = 0
    last = None
    for _ in range(steps):
        steepness = evaluate(slope, point)
        if jnp.abs(steepness).max() < 1e-2:
            break
        if last is not None and (steepness * last < 0).any():
            turns += 1
        last = steepness
        point[name] = point[name] - 0.25 * steepness
        heights.append(evaluate(hill, point))

    return text(hill), text(slope), (size(raw), size(slope)), point, heights, turns


@program(
    rows=(1, 2, 3, 4, 11, 18),
    inputs=lambda: [
        (f32(0, 1, 1, 1, 1, 1, 1, 1, 0), 1e-2, 3),
        (jnp.sin(jnp.arange(9.0)).at[0].set(0.0).at[8].set(0.0), 1e-4, 2),
        (jnp.zeros(9), 1e-2, 3),
    ],
    expect="imperative",
    reason="loop-types-differ",
)
def multigrid(right, tolerance, most):
    """Poisson's equation in one dimension by V-cycles; where they do not help, by elimination."""
    visited = []

    def residual(u, f, h):
        r = jnp.zeros_like(u)
        return r.at[1:-1].set(f[1:-1] - (2 * u[1:-1] - u[:-2] - u[2:]) / (h * h))

    def smooth(u, f, h, sweeps):
        """Gauss and Seidel, red points first, then the black ones."""
        for _ in range(sweeps):
            for first in (1, 2):
                inner = 0.5 * (u[first - 1 : -2 : 2] + u[first + 1 :: 2] + h * h * f[first:-1:2])
                u = u.at[first:-1:2].set(inner)
        return u

    def restrict(fine):
        coarse = fine[::2]
        middle = 0.25 * fine[1:-2:2][: len(coarse) - 2] + 0.5 * fine[2:-2:2] + 0.25 * fine[3::2]
        return coarse.at[1:-1].set(middle)

    def prolong(coarse):
        fine = jnp.zeros(2 * len(coarse) - 1)
        fine = fine.at[::2].set(coarse)
        return fine.at[1::2].set(0.5 * (coarse[:-1] + coarse[1:]))

    def cycle(u, f, h):
        visited.append(len(u))
        if len(u) == 3:
            # one inner point: solved by looking at it
            return u.at[1].set(0.5 * h * h * f[1])
        u = smooth(u, f, h, 1)
        coarse = restrict(residual(u, f, h))
        correction = cycle(jnp.zeros_like(coarse), coarse, 2 * h)
        return smooth(u + prolong(correction), f, h, 1)

    def eliminate(f, h):
        """Thomas's algorithm for the tridiagonal matrix."""
        inner = len(f) - 2
        upper = jnp.zeros(inner)
        values = jnp.zeros(inner)
        for i in range(inner):
            below = upper[i - 1] if i > 0 else 0.0
            before = values[i - 1] if i > 0 else 0.0
            pivot = 2.0 + below
            upper = upper.at[i].set(-1.0 / pivot)
            values = values.at[i].set((h * h * f[i + 1] + before) / pivot)
        for i in range(inner - 2, -1, -1):
            values = values.at[i].add(-upper[i] * values[i + 1])
        return jnp.concatenate([jnp.zeros(1), values, jnp.zeros(1)])

    h = 1.0 / (len(right) - 1)
    u = jnp.zeros_like(right)
    size = jnp.abs(residual(u, right, h)).max()
    if size == 0:
        return u, 0, None, "nothing to do", visited

    cycles = 0
    rates = ()
    while size > tolerance and cycles < most:
        u = cycle(u, right, h)
        new_size = jnp.abs(residual(u, right, h)).max()
        rates = (*rates, new_size / size)
        size = new_size
        cycles += 1

    exact = eliminate(right, h)
    difference = jnp.abs(u - exact).max()
    if size <= tolerance:
        verdict = "converged"
    elif difference < 1e-2:
        verdict = "close"
    else:
        u, verdict = exact, "eliminated"
    slowest = max(rates)
    return u, cycles, slowest, verdict, visited
