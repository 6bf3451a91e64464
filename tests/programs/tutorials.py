"""Whole scripts, each longer than a screen, as tutorials print them."""

import jax
import jax.numpy as jnp

from tests.programs import f32, grid, i32, program, scalar


@program(
    rows=(1, 2, 3, 4, 10),
    inputs=lambda: [
        (f32(2, 1), 1e-3, 12),
        (f32(3, 0.25), 1e-3, 12),
        (f32(2, -1), 1e-3, 12),
        (f32(2, 1), 1e-3, 2),
        (f32(0, 0), 1e-3, 12),
        (f32(1e6, 1e6), 1e-3, 5),
        (f32(2, 1), -1.0, 3),
    ],
    expect="compiled",
)
def newton_in_two_dimensions(start, tolerance, most):
    """Solve x*x + y*y = 4, x*y = 1 with a damped Newton method and its own 2x2 solver."""

    def residual(point):
        x, y = point[0], point[1]
        return jnp.stack([x * x + y * y - 4.0, x * y - 1.0])

    def jacobian(point):
        x, y = point[0], point[1]
        return (2.0 * x, 2.0 * y), (y, x)

    def solve(matrix, right):
        (a, b), (c, d) = matrix
        determinant = a * d - b * c
        if determinant == 0:
            raise ZeroDivisionError("the Jacobian is singular")
        u = (right[0] * d - b * right[1]) / determinant
        v = (a * right[1] - right[0] * c) / determinant
        return jnp.stack([u, v])

    if tolerance < 0:
        raise ValueError("tolerance", tolerance)

    point = start
    value = residual(point)
    norm = jnp.sqrt((value * value).sum())
    damped = 0
    reason = "steps"

    for iteration in range(most):
        # stop as soon as the residual is small
        if norm < tolerance:
            reason = "converged"
            break
        if norm > 1e9:
            reason = "diverged"
            break

        step = solve(jacobian(point), value)

        # halve the step until the residual gets smaller
        factor = 1.0
        tries = 0
        while True:
            candidate = point - factor * step
            new_value = residual(candidate)
            new_norm = jnp.sqrt((new_value * new_value).sum())
            if new_norm < norm:
                break
            tries += 1
            if tries > 6:
                break
            factor = factor / 2
            damped += 1

        point = candidate
        value = new_value
        norm = new_norm
    else:
        iteration = most

    assert iteration <= most
    return {"point": point, "norm": norm, "iterations": iteration, "damped": damped, "reason": reason}


@program(
    rows=(1, 2, 3),
    inputs=lambda: [
        (jnp.array([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]]), 2, 1e-2),
        (jnp.array([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]]), 1, 1e-2),
        (jnp.array([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 1.0]]), 2, 1e-2),
        (jnp.array([[0.1, 1.0], [-1.0, 0.1]]), 1, 1e-2),
        (jnp.zeros((2, 2)), 2, 1e-2),
        (jnp.array([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]]), 0, 1e-2),
    ],
    expect="compiled",
)
def power_iteration(matrix, wanted, tolerance):
    """The largest eigenvalues of a symmetric matrix by power iteration and deflation."""
    size = matrix.shape[0]
    values = jnp.zeros(size)
    vectors = jnp.zeros((size, size))
    total_steps = 0
    failed = False

    def normalise(v):
        length = jnp.sqrt((v * v).sum())
        if length > 1e-6:
            return v / length, length
        return v, length

    for k in range(wanted):
        # a start vector that is not an eigenvector of anything simple
        v = 1.0 + 0.25 * jnp.arange(size)
        v, _ = normalise(v)
        previous = 0.0
        steps = 0

        while True:
            w = matrix @ v
            w, length = normalise(w)
            if length <= 1e-6:
                # the rest of the matrix is zero
                eigenvalue = 0.0
                break

            eigenvalue = w @ (matrix @ w)
            change = abs(eigenvalue - previous)
            previous = eigenvalue
            steps += 1

            # the direction may flip when the eigenvalue is negative
            if (v * w).sum() < 0:
                v = -w
            else:
                v = w

            if change < tolerance:
                break
            if steps >= 30:
                failed = True
                break

        values = values.at[k].set(eigenvalue)
        vectors = vectors.at[k].set(v)
        total_steps += steps
        if failed:
            break
        # deflate: the next largest becomes the largest
        matrix = matrix - eigenvalue * jnp.outer(v, v)

    trace = 0.0
    for i in range(size):
        trace = trace + values[i]

    # the vectors found should be orthogonal
    worst = 0.0
    for i in range(wanted):
        for j in range(i):
            overlap = abs(vectors[i] @ vectors[j])
            if overlap > worst:
                worst = overlap

    return values, vectors, trace, total_steps, failed, worst


def clouds(shift=0.0):
    return jnp.concatenate([grid(4, 2), grid(4, 2, start=5.0 + shift), grid(3, 2, start=-9.0)])


@program(
    rows=(1, 3, 4),
    inputs=lambda: [
        (clouds(), 3, 5),
        (clouds(2.0), 3, 5),
        (clouds(), 2, 5),
        (clouds(), 3, 1),
        (clouds() * 0, 2, 3),
        (clouds()[:5], 3, 5),
    ],
    expect="compiled",
)
def k_means(points, k, most):
    """Lloyd's algorithm; a cluster that loses all its points starts again at the farthest point."""
    count = points.shape[0]
    assert k <= count, "more clusters than points"

    # the first centres: points that are far from each other
    centres = (points[0],)
    while len(centres) < k:
        nearest = jnp.full(count, jnp.inf)
        for centre in centres:
            distance = ((points - centre) ** 2).sum(axis=1)
            nearest = jnp.minimum(nearest, distance)
        centres = (*centres, points[jnp.argmax(nearest)])
    centres = jnp.stack(centres)

    labels = jnp.full(count, -1)
    reseeded = 0
    inertia = jnp.inf

    for step in range(most):
        distances = ((points[:, None, :] - centres[None, :, :]) ** 2).sum(axis=-1)
        new_labels = jnp.argmin(distances, axis=1)
        new_inertia = distances.min(axis=1).sum()

        if (new_labels == labels).all():
            break
        labels = new_labels

        for j in range(k):
            member = labels == j
            size = member.sum()
            if size == 0:
                farthest = jnp.argmax(distances.min(axis=1))
                centres = centres.at[j].set(points[farthest])
                reseeded += 1
                continue
            mean = jnp.where(member[:, None], points, 0).sum(axis=0) / size
            centres = centres.at[j].set(mean)

        if new_inertia > inertia * 0.999 and reseeded == 0:
            inertia = new_inertia
            break
        inertia = new_inertia

    # sort the clusters by their first coordinate, so that the answer is unique
    order = jnp.argsort(centres[:, 0])
    ranks = jnp.argsort(order)
    sizes = jnp.zeros(k, jnp.int32)
    for j in range(k):
        sizes = sizes.at[j].set((labels == order[j]).sum())

    # how far apart are the two closest centres?
    closest = jnp.inf
    for i in range(k):
        for j in range(i + 1, k):
            gap = ((centres[i] - centres[j]) ** 2).sum()
            if gap < closest:
                closest = gap

    if reseeded > 0:
        note = "reseeded"
    elif step + 1 == most:
        note = "not converged"
    else:
        note = None
    return centres[order], ranks[labels], sizes, inertia, step, note, closest


@program(
    rows=(1, 2, 3, 38),
    inputs=lambda: [
        (grid(8, 2), (grid(8, 2)[:, 0] > 0).astype(jnp.float32), 8, 0.0),
        (grid(8, 2), f32(0, 0, 0, 1, 1, 1, 0, 0), 8, 0.0),
        (grid(8, 2), (grid(8, 2)[:, 0] > 0).astype(jnp.float32), 8, 0.1),
        (grid(8, 2), jnp.zeros(8), 8, 0.0),
        (grid(8, 2), (grid(8, 2)[:, 0] > 0).astype(jnp.float32), 3, 0.0),
        (grid(4, 2), f32(0, 1, 1, 0), 8, 0.0),
        (grid(8, 2) * jnp.nan, jnp.ones(8), 4, 0.0),
    ],
    expect="compiled",
)
def logistic_regression(features, labels, epochs, penalty):
    """Gradient descent with a validation set, a learning rate that adapts, and early stopping."""
    count, width = features.shape
    split = count * 3 // 4
    train_x, train_y = features[:split], labels[:split]
    check_x, check_y = features[split:], labels[split:]

    def predict(params, x):
        w, b = params
        return jax.nn.sigmoid(x @ w + b)

    def loss_of(params, x, y):
        p = jnp.clip(predict(params, x), 1e-6, 1 - 1e-6)
        cross = -(y * jnp.log(p) + (1 - y) * jnp.log(1 - p)).mean()
        if penalty > 0:
            for leaf in params:
                cross = cross + penalty * (leaf * leaf).sum()
        return cross

    params = (jnp.zeros(width), jnp.zeros(()))
    best_params = params
    best_loss = jnp.inf
    rate = 1.0
    patience = 3
    waited = 0
    history = jnp.full(epochs, -1.0)
    stopped = "end"

    for epoch in range(epochs):
        loss, slopes = jax.value_and_grad(loss_of)(params, train_x, train_y)
        if jnp.isnan(loss):
            stopped = "nan"
            break
        params = jax.tree.map(lambda p, g: p - rate * g, params, slopes)

        check = loss_of(params, check_x, check_y)
        history = history.at[epoch].set(check)

        if check < best_loss:
            best_loss = check
            best_params = params
            waited = 0
            rate = rate * 1.1
        else:
            waited += 1
            rate = rate * 0.5
            if waited >= patience:
                stopped = "patience"
                break

    probabilities = predict(best_params, features)
    hits = 0
    for probability, label in zip(probabilities, labels):
        if probability > 0.5 and label == 1:
            hits += 1
        elif probability <= 0.5 and label == 0:
            hits += 1

    # a model that always says the same is worth a word
    if hits == 0 or hits == count:
        word = "extreme"
    else:
        word = ""
    return best_params, best_loss, history, hits / count, stopped + word, rate


@program(
    rows=(1, 2, 3, 10),
    inputs=lambda: [
        (f32(1, 2, 3, 4), 8, True),
        (f32(1, 2, 3, 4), 8, False),
        (f32(0, 0, 0, 0), 8, True),
        (f32(1, 2, 3, 4), 1, True),
        (f32(1, -2, 3), 8, False),
        (f32(jnp.nan, 1), 8, False),
    ],
    expect="compiled",
)
def conjugate_gradient(b, most, precondition):
    """Conjugate gradients for a tridiagonal matrix that is applied, never built."""
    size = b.shape[0]
    diagonal = 2.0 + 0.5 * jnp.arange(size)

    def apply(v):
        out = diagonal * v
        out = out.at[1:].add(-v[:-1])
        out = out.at[:-1].add(-v[1:])
        return out

    def solve_approximately(r):
        if precondition:
            return r / diagonal
        return r

    def dot(u, v):
        total = 0.0
        for i in range(size):
            total = total + u[i] * v[i]
        return total

    x = jnp.zeros(size)
    residual = b - apply(x)
    direction = z = solve_approximately(residual)
    rho = dot(residual, z)
    steps = 0
    status = "running"
    largest = jnp.abs(residual).max()

    if rho == 0:
        return x, 0, "nothing to do"

    while steps < most:
        image = apply(direction)
        curvature = dot(direction, image)
        if curvature <= 0:
            status = "not positive definite"
            break

        alpha = rho / curvature
        x = x + alpha * direction
        residual = residual - alpha * image
        steps += 1

        size_of_residual = jnp.abs(residual).max()
        if size_of_residual > largest:
            largest = size_of_residual
        if size_of_residual < 1e-4:
            status = "converged"
            break

        z = solve_approximately(residual)
        new_rho = dot(residual, z)
        if new_rho < 1e-12:
            status = "stalled"
            break
        direction = z + (new_rho / rho) * direction
        rho = new_rho
    else:
        status = "too many steps"

    check = jnp.abs(b - apply(x)).max()
    if status == "converged":
        assert check < 1e-2, "the recurrence lost touch with the residual"
    return x, steps, status, largest


@program(
    rows=(1, 2, 3, 4),
    inputs=lambda: [
        (((1, 2), (2,), (0,), (0, 2)), 0.85, 1e-3),
        (((1, 2), (2,), (0,), (0, 2)), 0.5, 1e-3),
        (((1,), (2,), (0,), ()), 0.85, 1e-3),
        (((), ()), 0.85, 1e-3),
        ((), 0.85, 1e-3),
        ([[1], [0]], 0.85, 1e-3),
    ],
    expect="compiled",
)
def page_rank(links, damping, tolerance):
    """PageRank over a graph given as a tuple of tuples of targets."""
    count = len(links)
    if count == 0:
        return None

    # the transition matrix, one column for each page
    matrix = jnp.zeros((count, count))
    dangling = 0
    for source, targets in enumerate(links):
        if len(targets) == 0:
            dangling += 1
            matrix = matrix.at[:, source].set(1.0 / count)
            continue
        share = 1.0 / len(targets)
        for target in targets:
            matrix = matrix.at[target, source].add(share)

    # every column has to be a distribution
    for source in range(count):
        total = matrix[:, source].sum()
        assert abs(total - 1.0) < 1e-3, "column does not sum to one"

    rank = jnp.full(count, 1.0 / count)
    teleport = (1.0 - damping) / count
    steps = 0
    change = 1.0

    while change > tolerance:
        new = teleport + damping * (matrix @ rank)
        change = jnp.abs(new - rank).sum()
        rank = new
        steps += 1
        if steps == 25:
            break

    # the order of pages, best first, by selection
    left = rank
    order = jnp.zeros(count, jnp.int32)
    for place in range(count):
        best = 0
        for page in range(count):
            if left[page] > left[best]:
                best = page
        order = order.at[place].set(best)
        left = left.at[best].set(-1.0)

    # how much of the rank do the best pages hold together?
    held = 0.0
    needed = 0
    for place in range(count):
        if held > 0.5:
            break
        held = held + rank[order[place]]
        needed += 1

    spread = rank.max() - rank.min()
    if spread < tolerance:
        verdict = "all alike"
    elif dangling:
        verdict = "some pages lead nowhere"
    else:
        verdict = "fine"
    return {"rank": rank, "order": order, "steps": steps, "verdict": verdict, "needed": needed}


@program(
    rows=(1, 3, 5),
    inputs=lambda: [
        (f32(1, 2.5, 2.5, 4, 5.5), 0.5, None),
        (f32(1, 2.5, jnp.nan, 4, 5.5), 0.5, None),
        (f32(1, 2.5, 40, 4, 5.5), 0.5, 3.0),
        (f32(), 0.5, None),
        (f32(1, 2.5, 2.5, 4, 5.5), 0.1, 100.0),
        (f32(1, 2), 2, 3),
    ],
    expect="compiled",
)
def kalman_filter(measurements, noise, gate):
    """Track position and velocity; measurements that are missing or far off are left out."""
    transition = jnp.array([[1.0, 1.0], [0.0, 1.0]])
    observe = jnp.array([1.0, 0.0])
    process = 0.01 * jnp.eye(2)

    state = None
    covariance = jnp.eye(2) * 10.0
    log_likelihood = 0.0
    missing = 0
    rejected = 0
    smoothest = 0.0
    path = jnp.zeros((len(measurements), 2))

    for t, z in enumerate(measurements):
        # the first measurement starts the filter
        if state is None:
            if jnp.isnan(z):
                missing += 1
                continue
            state = jnp.stack([z, jnp.zeros_like(z)])
            path = path.at[t].set(state)
            continue

        # predict
        state = transition @ state
        covariance = transition @ covariance @ transition.T + process

        if jnp.isnan(z):
            missing += 1
            path = path.at[t].set(state)
            continue

        # how surprising is the measurement?
        innovation = z - observe @ state
        spread = observe @ covariance @ observe + noise
        distance = innovation * innovation / spread
        if gate is not None and distance > gate * gate:
            rejected += 1
            path = path.at[t].set(state)
            continue

        # update
        gain = covariance @ observe / spread
        state = state + gain * innovation
        covariance = covariance - jnp.outer(gain, observe @ covariance)
        log_likelihood = log_likelihood - 0.5 * (distance + jnp.log(spread))
        path = path.at[t].set(state)

        jump = jnp.abs(gain * innovation).max()
        if jump > smoothest:
            smoothest = jump

    if state is None:
        return None, missing

    # look one step ahead, and say how sure we are
    ahead = observe @ (transition @ state)
    doubt = jnp.sqrt(observe @ covariance @ observe)
    if doubt > 1:
        ahead = None
    quality = "good" if rejected + missing == 0 else "patchy"
    return state, covariance, log_likelihood, path, smoothest, (missing, rejected), quality, ahead


@program(
    rows=(3, 5, 12, 38),
    inputs=lambda: [
        ({"in": grid(2, 3), "loop": grid(3, 3) * 0.25, "out": f32(1, -1, 0.5)}, grid(5, 2), f32(0, 1, 0, 1, 0), 2),
        ({"in": grid(2, 3), "loop": grid(3, 3) * 0.25, "out": f32(1, -1, 0.5)}, grid(3, 2), f32(0, 1, 0), 2),
        ({"in": grid(2, 3), "loop": grid(3, 3) * 40, "out": f32(1, -1, 0.5) * 10}, grid(5, 2), f32(0, 1, 0, 1, 0), 2),
        ({"in": grid(2, 3), "loop": grid(3, 3) * 0.25, "out": f32(1, -1, 0.5)}, grid(5, 2), f32(0, 1, 0, 1, 0), 0),
        ({"out": f32(1, -1), "loop": grid(2, 2), "in": grid(1, 2)}, grid(4, 1), f32(0, 1, 0, 5), 1),
    ],
    expect="compiled",
)
def recurrent_network(params, inputs, targets, steps):
    """Train a small recurrent network by gradients through its unrolled loop, with clipping."""

    def cell(p, h, x):
        update = jnp.tanh(x @ p["in"] + h @ p["loop"])
        # a crude gate: a large state is damped
        if jnp.abs(update).max() > 0.95:
            return 0.5 * (update + h)
        return update

    def run(p):
        h = jnp.zeros(p["loop"].shape[0])
        loss = 0.0
        previous = None
        for x, target in zip(inputs, targets):
            h = cell(p, h, x)
            y = h @ p["out"]
            loss = loss + (y - target) ** 2
            if previous is not None:
                loss = loss + 0.01 * (y - previous) ** 2
            previous = y
        return loss / len(inputs), h

    def clip(slopes, most):
        total = 0.0
        for name in ("in", "loop", "out"):
            total = total + (slopes[name] ** 2).sum()
        norm = jnp.sqrt(total)
        if norm > most:
            return jax.tree.map(lambda g: g * (most / norm), slopes), norm
        return slopes, norm

    rate = 0.1
    velocity = jax.tree.map(jnp.zeros_like, params)
    clipped = 0
    last = None
    losses = ()

    for step in range(steps):
        (loss, state), slopes = jax.value_and_grad(run, has_aux=True)(params)
        slopes, norm = clip(slopes, 1.0)
        if norm > 1.0:
            clipped += 1

        # a loss that grows means that the steps are too long
        if last is not None and loss > last:
            rate = rate / 2
            velocity = jax.tree.map(jnp.zeros_like, velocity)
        last = loss

        velocity = jax.tree.map(lambda v, g: 0.9 * v - rate * g, velocity, slopes)
        params = jax.tree.map(lambda p, v: p + v, params, velocity)
        losses = (*losses, loss)

    final, state = run(params)

    # which of the losses was the best?
    best = None
    where = -1
    for i, loss in enumerate(losses):
        if best is None or loss < best:
            best = loss
            where = i
    if best is not None and final < best:
        where = "final"
    return params, final, state, losses, clipped, rate, where


GLIDER = [[0, 1, 0, 0], [0, 0, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0]]


@program(
    rows=(1, 3, 4, 18),
    inputs=lambda: [
        (jnp.array(GLIDER), 3),
        (jnp.array(GLIDER), 5),
        (jnp.array(GLIDER, jnp.uint8), 3),
        (jnp.zeros((4, 4), jnp.int32), 3),
        (jnp.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]), 3),
        (jnp.array(GLIDER), 0),
    ],
    expect="compiled",
)
def game_of_life(board, generations):
    """Conway's game of life on a torus: counts by shifts, stops when nothing moves or all are dead."""
    height, width = board.shape
    born_total = 0
    died_total = 0
    oldest = jnp.zeros_like(board)
    before = None
    outcome = "alive"

    def neighbours(cells):
        total = cells
        for axis in (0, 1):
            band = total
            for shift in (-1, 0, 1):
                if shift == 0:
                    continue
                total = total + jnp.roll(band, shift, axis=axis)
        return total - cells

    generation = 0
    for generation in range(1, generations + 1):
        around = neighbours(board)
        survives = (board == 1) & ((around == 2) | (around == 3))
        born = (board == 0) & (around == 3)
        new = jnp.where(survives | born, 1, 0).astype(board.dtype)

        born_total = born_total + born.sum()
        died_total = died_total + ((board == 1) & ~survives).sum()
        oldest = jnp.where(new == 1, oldest + 1, 0).astype(board.dtype)

        if not new.any():
            board = new
            outcome = "extinct"
            break
        if (new == board).all():
            outcome = "still"
            break
        if before is not None and (new == before).all():
            outcome = "blinking"
            board = new
            break
        before = board
        board = new

    # where is the crowd? count by hand, row by row
    fullest = -1
    most = -1
    for row in range(height):
        count = 0
        for column in range(width):
            if board[row, column] == 1:
                count = count + 1
        if count > most:
            most = count
            fullest = row

    # a column that is empty separates the board
    gaps = 0
    for column in board.T:
        if not column.any():
            gaps += 1

    edge = board[0].sum() + board[-1].sum() + board[1:-1, 0].sum() + board[1:-1, -1].sum()
    touches = bool(edge > 0)
    return board, outcome, generation, born_total, died_total, oldest.max(), (fullest, most), touches, gaps


@program(
    rows=(1, 2, 3, 16),
    inputs=lambda: [
        (jax.random.key(0), scalar(0.0), 8, 1.0),
        (jax.random.key(1), scalar(0.0), 8, 1.0),
        (jax.random.key(3), scalar(1.0), 8, 1.0),
        (jax.random.key(4), scalar(1.9), 8, 1.0),
        (jax.random.key(0), scalar(3.0), 8, 4.0),
        (jax.random.key(0), scalar(0.0), 3, 1.0),
        (jax.random.key(0), scalar(0.0), 0, 1.0),
        (jax.random.key(0), scalar(0.0), 8, 0.01),
    ],
    expect="compiled",
)
def metropolis(key, start, samples, width):
    """A Metropolis sampler for a double well, which adapts the width of its proposals."""

    def energy(x):
        base = (x * x - 1.0) ** 2
        if x > 2:
            return base + (x - 2) * 5
        if x < -2:
            return base - (x + 2) * 5
        return base

    def propose(key, x, width):
        key, sub = jax.random.split(key)
        return key, x + width * jax.random.normal(sub)

    x = start
    current = energy(x)
    accepted = 0
    tried = 0
    crossings = 0
    mean = 0.0
    square = 0.0
    lowest = current
    where = x

    for sample in range(samples):
        key, candidate = propose(key, x, width)
        new = energy(candidate)
        tried += 1

        if new <= current:
            accept = True
        else:
            key, sub = jax.random.split(key)
            accept = jax.random.uniform(sub) < jnp.exp(current - new)

        if accept:
            if candidate * x < 0:
                crossings += 1
            x = candidate
            current = new
            accepted += 1
            if current < lowest:
                lowest, where = current, x

        mean = mean + x
        square = square + x * x

        # every four samples, look at the rate and change the width
        if (sample + 1) % 4 == 0:
            share = accepted / tried
            if share < 0.3:
                width = width * 0.5
            elif share > 0.7:
                width = width * 2.0
            accepted = 0
            tried = 0

    if samples == 0:
        return None
    mean = mean / samples
    variance = square / samples - mean * mean
    return mean, variance, (lowest, where), crossings, width


@program(
    rows=(1, 2, 3),
    inputs=lambda: [
        (f32(-2, -1.5, -1, 1, 1.5, 3), 5, 1e-3),
        (f32(-2, -1.5, -1, 1, 1.5, 30), 5, 1e-3),
        (f32(-2, -1.5, -1, 1, 1.5, 3), 2, 1e-3),
        (f32(0, 0, 0), 5, 1e-3),
        (f32(-2, -1.5, -1, 1, 1.5, 3), 5, 1.0),
        (f32(5), 3, 1e-3),
    ],
    expect="compiled",
)
def mixture_by_em(x, most, tolerance):
    """Expectation maximisation for two Gaussians, with a floor on the variances."""
    means = (x.min(), x.max())
    variances = (jnp.ones(()), jnp.ones(()))
    weights = (0.5, 0.5)
    previous = None
    floored = 0
    verdict = "steps"
    emptied = 0

    # with one value only there is nothing to separate
    if len(x) < 2:
        return None, 0, 0

    def density(value, mean, variance):
        z = value - mean
        return jnp.exp(-0.5 * z * z / variance) / jnp.sqrt(2 * jnp.pi * variance)

    for iteration in range(most):
        # expectation
        parts = ()
        for mean, variance, weight in zip(means, variances, weights):
            parts = (*parts, weight * density(x, mean, variance))
        total = parts[0] + parts[1] + 1e-12
        log_likelihood = jnp.log(total).sum()

        # has it converged?
        if previous is not None:
            gain = log_likelihood - previous
            if gain < 0:
                verdict = "went down"
                break
            if gain < tolerance:
                verdict = "converged"
                break
        previous = log_likelihood

        # maximisation, one component after the other
        new_means = ()
        new_variances = ()
        new_weights = ()
        for part, old in zip(parts, means):
            share = part / total
            mass = share.sum()
            if mass < 1e-3:
                new_means = (*new_means, old)
                new_variances = (*new_variances, jnp.ones(()))
                new_weights = (*new_weights, 0.5)
                emptied += 1
                continue
            mean = (share * x).sum() / mass
            variance = (share * (x - mean) ** 2).sum() / mass
            if variance < 0.05:
                variance = jnp.full((), 0.05)
                floored += 1
            new_means = (*new_means, mean)
            new_variances = (*new_variances, variance)
            new_weights = (*new_weights, mass / len(x))
        means, variances, weights = new_means, new_variances, new_weights

    # the smaller mean first
    if means[0] > means[1]:
        means = means[::-1]
        variances = variances[::-1]
        weights = weights[::-1]
    return (
        {"means": means, "variances": variances, "weights": weights, "verdict": verdict},
        iteration,
        floored + emptied,
    )


@program(
    rows=(1, 2, 3, 16),
    inputs=lambda: [
        (jax.random.PRNGKey(0), f32(1, -1), 2.0),
        (jax.random.PRNGKey(4), f32(1, -1), 2.0),
        (jax.random.PRNGKey(0), f32(0, 0), 2.0),
        (jax.random.PRNGKey(0), f32(1, -1), 0.2),
        (jax.random.PRNGKey(0), f32(30, -1), 1.0),
        (jax.random.PRNGKey(0), f32(1, -1), 0),
    ],
    expect="compiled",
)
def simulated_annealing(key, start, temperature):
    """Minimise a bumpy function of two variables; the temperature is a Python number."""

    def height(point):
        bumps = jnp.cos(3.0 * point).sum()
        bowl = (point * point).sum() * 0.25
        return bowl - bumps

    here = start
    level = height(here)
    best = here
    best_level = level
    rounds = 0
    uphill = 0
    restarts = 0
    stale = 0

    while temperature > 0.1:
        improved = False

        for trial in range(4):
            key, move_key, choice_key = jax.random.split(key, 3)
            reach = 0.5 if temperature < 1.0 else 1.0
            there = here + reach * jax.random.uniform(move_key, (2,), minval=-1.0, maxval=1.0)
            # stay inside of the box
            if jnp.abs(there).max() > 4:
                continue

            new_level = height(there)
            if new_level < level:
                here, level = there, new_level
            elif jax.random.uniform(choice_key) < jnp.exp((level - new_level) / temperature):
                here, level = there, new_level
                uphill += 1

            if level < best_level:
                best, best_level = here, level
                improved = True

        if improved:
            stale = 0
        else:
            stale += 1
            if stale == 3:
                # go back to the best place seen
                here, level = best, best_level
                restarts += 1
                stale = 0

        rounds += 1
        temperature = temperature * 0.6

    # walk downhill from the best place with ever smaller steps
    reach = 0.25
    while reach > 0.05:
        moved = False
        for direction in jnp.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]):
            there = best + reach * direction
            there_level = height(there)
            if there_level < best_level:
                best, best_level, moved = there, there_level, True
        if not moved:
            reach /= 2
        elif rounds > 50:
            break
        else:
            rounds += 1

    if rounds == 0:
        return best, best_level, "cold"
    return best, best_level, (rounds, uphill, restarts), temperature, key


@program(
    rows=(1, 2, 4, 10),
    inputs=lambda: [
        (scalar(1.0), 0.9, 1e-3),
        (scalar(1.0), 2.0, 1e-3),
        (scalar(-3.0), 1.0, 1e-3),
        (scalar(1.0), 0.0, 1e-3),
        (scalar(1.0), 1.0, 1e-1),
        (scalar(50.0), 1.0, 1e-4),
        (scalar(1.0), -1.0, 1e-3),
    ],
    expect="compiled",
)
def adaptive_ode(y, end, tolerance):
    """Heun's method with an Euler estimate of its error; time and step are Python floats until an array meets them."""
    if end < 0:
        raise ValueError("time runs forwards", end)

    def slope(t, y):
        force = jnp.sin(3.0 * t)
        if y > 2:
            return force - 2.0 * y
        if y < -2:
            return force - y * 0.5
        return force - y

    t = 0.0
    h = 0.25
    accepted = 0
    rejected = 0
    smallest = h
    turning = 0
    direction = None

    while t < end:
        # never step over the end
        if t + h > end:
            h = end - t

        k1 = slope(t, y)
        euler = y + h * k1
        k2 = slope(t + h, euler)
        heun = y + 0.5 * h * (k1 + k2)
        error = abs(heun - euler)

        if error > tolerance:
            rejected += 1
            h = h / 2
            if h < smallest:
                smallest = h
            if h < 1e-4:
                raise ArithmeticError("the step became too small", t)
            if rejected > 40:
                return t, y, "too many rejections"
            continue

        t += h
        accepted += 1

        # count the turning points
        rising = heun > y
        if direction is not None and rising != direction:
            turning += 1
        direction = rising
        y = heun

        # grow again when the error allows
        if error < tolerance / 4:
            h = h * 2
        if accepted >= 60:
            break

    # how much was wasted?
    if accepted + rejected > 0:
        waste = rejected / (accepted + rejected)
    else:
        waste = None
    return t, y, (accepted, rejected, turning), smallest, waste


@program(
    rows=(2, 3, 4),
    inputs=lambda: [
        (i32(3, 4, 2, 5), i32(30, 50, 15, 60), 8),
        (i32(3, 4, 2, 5), i32(30, 50, 15, 60), 5),
        (i32(3, 4, 2, 5), i32(30, 50, 15, 60), 0),
        (i32(9), i32(1), 4),
        (i32(3, 4, 2, 5), i32(30, -50, 15, 60), 8),
        (i32(), i32(), 3),
    ],
    expect="compiled",
)
def knapsack(weights, values, capacity):
    """The 0/1 knapsack by dynamic programming over arrays, then the items that were taken."""
    count = len(weights)
    if capacity < 0:
        raise ValueError("capacity must not be negative", capacity)
    table = jnp.zeros((count + 1, capacity + 1), jnp.int32)
    filled = 0

    # row i: the best with the first i items
    for i in range(count):
        weight = weights[i]
        value = values[i]
        if value <= 0:
            # never worth taking
            table = table.at[i + 1].set(table[i])
            continue
        for room in range(capacity + 1):
            best = table[i, room]
            if weight <= room:
                other = table[i, room - weight] + value
                if other > best:
                    best = other
                    filled += 1
            table = table.at[i + 1, room].set(best)

    # walk back through the table
    room = capacity
    taken = jnp.zeros(count, jnp.bool_)
    used = 0
    i = count
    while i > 0:
        if table[i, room] != table[i - 1, room]:
            taken = taken.at[i - 1].set(True)
            used = used + weights[i - 1]
            room = room - weights[i - 1]
        i -= 1

    # check the answer
    total = 0
    for i in range(count):
        if taken[i]:
            total = total + values[i]
    assert total == table[count, capacity], "the walk back lost something"
    assert used <= capacity

    if used == 0:
        return None
    tight = False
    for i in range(count):
        if not taken[i] and weights[i] <= room:
            if values[i] > 0:
                break
    else:
        tight = True

    # what is the value of one more unit of room?
    if capacity > 0:
        margin = table[count, capacity] - table[count, capacity - 1]
    else:
        margin = 0
    return total, taken, used, tight, filled, margin
