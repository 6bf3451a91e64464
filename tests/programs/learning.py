"""Machine learning from scratch: layers, optimisers and models as classes, training loops as a course writes them."""

from collections import Counter, namedtuple
from dataclasses import dataclass, field
from functools import reduce

import jax
import jax.numpy as jnp
import numpy as np

from tests.programs import f32, grid, i32, program

POINTS = grid(6, 2, scale=0.25)
XOR = (f32(0, 0, 0, 1, 1, 0, 1, 1).reshape(4, 2), f32(0, 1, 1, 0).reshape(4, 1))


class Layer:
    """A layer without parameters; those with parameters are subclasses."""

    def parameters(self):
        return []

    def forward(self, x):
        raise NotImplementedError

    def __call__(self, x):
        self.input = x
        return self.forward(x)


class Dense(Layer):
    def __init__(self, key, inputs, outputs):
        self.weight = jax.random.normal(key, (inputs, outputs)) / np.sqrt(inputs)
        self.bias = jnp.zeros(outputs)
        self.weight_slope = self.bias_slope = None

    def forward(self, x):
        return x @ self.weight + self.bias

    def backward(self, slope):
        self.weight_slope = self.input.T @ slope
        self.bias_slope = slope.sum(axis=0)
        return slope @ self.weight.T

    def parameters(self):
        return [self.weight, self.bias]


class Tanh(Layer):
    def forward(self, x):
        self.output = jnp.tanh(x)
        return self.output

    def backward(self, slope):
        return slope * (1 - self.output**2)


class Network:
    def __init__(self, *layers):
        self.layers = list(layers)

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def __len__(self):
        return len(self.layers)

    @property
    def size(self):
        return sum(p.size for layer in self.layers for p in layer.parameters())


@program(
    rows=(1, 3, 4, 6, 12, 16),
    inputs=lambda: [
        (jax.random.key(0), *XOR, (2, 3, 1), 6, 0.3),
        (jax.random.key(1), *XOR, (2, 1), 6, 0.1),
        (jax.random.key(0), XOR[0], XOR[1] * 1e4, (2, 3, 1), 6, 5.0),
    ],
    expect="compiled",
)
def network_by_hand(key, x, y, sizes, epochs, rate):
    """A network of layer objects, trained by backpropagation that is written out."""
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        key, layer_key = jax.random.split(key)
        if layers:
            layers.append(Tanh())
        layers.append(Dense(layer_key, inputs, outputs))
    network = Network(*layers)
    assert len(network) == 2 * len(sizes) - 3

    def mean_squared_error(prediction, target):
        difference = prediction - target
        return (difference**2).mean(), 2 * difference / difference.size

    history = []
    best = None
    patience = 2
    status = "trained"

    for epoch in range(epochs):
        loss, slope = mean_squared_error(network(x), y)
        history.append(loss)

        # something has gone wrong for good
        if not jnp.isfinite(loss) or loss > 1e6:
            status = "diverged"
            break

        if best is None or loss < best:
            best = loss
            patience = 2
        else:
            patience -= 1
            if patience == 0:
                status = "stopped early"
                break

        # backwards through the layers
        for layer in reversed(network.layers):
            slope = layer.backward(slope)

        # one step down the hill, no longer than one
        longest = 0.0
        for layer in network.layers:
            if isinstance(layer, Dense):
                longest = jnp.maximum(longest, jnp.abs(layer.weight_slope).max())
        scale = rate if longest * rate < 1.0 else 1.0 / longest
        for layer in network.layers:
            if not isinstance(layer, Dense):
                continue
            layer.weight = layer.weight - scale * layer.weight_slope
            layer.bias = layer.bias - scale * layer.bias_slope

    # how many of the answers are on the right side?
    answers = network(x)
    right = 0
    for answer, target in zip(answers[:, 0], y[:, 0]):
        if (answer > 0.5) == (target > 0.5):
            right += 1

    report = {
        "status": status,
        "epochs": epoch + 1,
        "parameters": network.size,
        "accuracy": right / len(y),
        "improved": bool(history[-1] < history[0]),
    }
    weights = [layer.parameters() for layer in network.layers]
    return report, jnp.stack(history), weights


class Optimiser:
    """Remember the rate and count the steps; how to step is a matter of the subclass."""

    def __init__(self, rate=0.1, **options):
        self.rate = rate
        self.steps = 0
        self.options = options

    def step(self, params, slopes):
        self.steps += 1
        return {name: self.update(name, value, slopes[name]) for name, value in params.items()}

    def update(self, name, value, slope):
        return value - self.rate * slope


class Momentum(Optimiser):
    def __init__(self, rate=0.1, *, friction=0.9, **options):
        super().__init__(rate, **options)
        self.friction = friction
        self.velocity = {}

    def update(self, name, value, slope):
        velocity = self.friction * self.velocity.get(name, 0.0) - self.rate * slope
        self.velocity[name] = velocity
        if self.options.get("nesterov", False):
            return value + self.friction * velocity - self.rate * slope
        return value + velocity


class Adaptive(Optimiser):
    def __init__(self, rate=0.1, decay=0.9):
        super().__init__(rate)
        self.decay = decay
        self.squares = {}

    def update(self, name, value, slope):
        if name in self.squares:
            self.squares[name] = self.decay * self.squares[name] + (1 - self.decay) * slope**2
        else:
            self.squares[name] = slope**2
        return value - self.rate * slope / (jnp.sqrt(self.squares[name]) + 1e-6)


@program(
    rows=(1, 3, 4, 9, 12, 38),
    inputs=lambda: [
        (f32(1, 2, 3, 4), f32(2, 4, 6, 8), 6),
        (f32(1, 2, 3, 4), f32(2, 4, 60, 8), 6),
        (f32(0, 0), f32(1, 1), 4),
    ],
    expect="imperative",
    reason="concrete-value",
)
def race_of_optimisers(x, y, steps):
    """The same line is fitted by several optimisers; the best one is asked for its line."""

    def loss_of(params):
        residual = params["slope"] * x + params["offset"] - y
        size = jnp.abs(residual)
        # Huber's loss: outliers count less
        return jnp.where(size < 4.0, 0.5 * residual**2, 4.0 * size - 8.0).mean()

    def run(optimiser, steps):
        params = {"slope": jnp.zeros(()), "offset": jnp.zeros(())}
        losses = []
        for _ in range(steps):
            loss, slopes = jax.value_and_grad(loss_of)(params)
            losses.append(loss)
            if loss < 1e-3:
                break
            # a step that goes up is taken back, once, with half of the rate
            candidate = optimiser.step(params, slopes)
            if loss_of(candidate) > loss:
                optimiser.rate = optimiser.rate / 2
                candidate = optimiser.step(params, slopes)
            params = candidate
        return params, losses

    contestants = [
        Optimiser(0.05),
        Momentum(0.05),
        Momentum(0.05, friction=0.5, nesterov=True),
        Adaptive(decay=0.8),
    ]

    table = {}
    best = None
    for place, optimiser in enumerate(contestants):
        name = f"{place}: {type(optimiser).__name__}"
        params, losses = run(optimiser, steps)
        final = loss_of(params)
        table[name] = (final, optimiser.steps, optimiser.rate)

        if best is None:
            best = (name, final, params, losses)
        elif final < best[1]:
            best = (name, final, params, losses)

    winner, final, params, losses = best
    halved = sorted(name for name, (_, _, rate) in table.items() if rate < 0.05)
    ranking = sorted(table, key=lambda name: len(name))
    drops = [before - after for before, after in zip(losses, losses[1:])]

    if any(drop < 0 for drop in drops):
        course = "bumpy"
    elif len(losses) < steps:
        course = "done early"
    else:
        course = "smooth"

    # the line in words
    sign = "+" if params["offset"] >= 0 else "-"
    words = "y = a x {} b".format(sign)
    return {
        "winner": winner,
        "final": jnp.sqrt(final),
        "params": params,
        "table": table,
        "halved": halved,
        "ranking": ranking,
        "course": course,
        "line": words,
    }


@dataclass
class Stump:
    """A decision on one feature: left of the threshold is one sign, right of it the other."""

    feature: int
    threshold: jax.Array
    sign: int
    weight: jax.Array | None = None

    def predict(self, x):
        return jnp.where(x[:, self.feature] > self.threshold, self.sign, -self.sign)


@program(
    rows=(1, 3, 4, 6, 12),
    inputs=lambda: [
        (POINTS, f32(-1, -1, -1, 1, 1, 1), 3),
        (POINTS, f32(-1, 1, -1, 1, -1, 1), 3),
        (POINTS[:4] * -1, f32(1, 1, -1, -1), 2),
    ],
    expect="imperative",
    reason="heap-write",
)
def boosted_stumps(x, labels, rounds):
    """AdaBoost: stumps vote, and each new one looks at what the others got wrong."""
    count, features = x.shape

    def candidates():
        """Every threshold halfway between two neighbours, for every feature, in both directions."""
        for feature in range(features):
            values = jnp.sort(x[:, feature])
            for low, high in zip(values, values[1:]):
                for sign in (1, -1):
                    yield Stump(feature, (low + high) / 2, sign)

    def error_of(stump, weights):
        return (weights * (stump.predict(x) != labels)).sum()

    weights = jnp.full(count, 1.0 / count)
    ensemble = []
    errors = []
    finished = "all rounds"

    for number in range(rounds):
        best, least = None, jnp.inf
        for stump in candidates():
            error = error_of(stump, weights)
            if error < least:
                best, least = stump, error

        # a stump that is perfect needs no help
        if least < 1e-6:
            best.weight = jnp.ones(())
            ensemble = [best]
            errors.append(least)
            finished = f"perfect in round {number}"
            break
        if least > 0.49:
            finished = "no better than a coin"
            break

        best.weight = 0.5 * jnp.log((1 - least) / least)
        ensemble.append(best)
        errors.append(least)

        # what was wrong weighs more
        weights = weights * jnp.exp(-best.weight * labels * best.predict(x))
        weights = weights / weights.sum()

    def vote(points):
        total = jnp.zeros(len(points))
        for stump in ensemble:
            total = total + stump.weight * stump.predict(points)
        return jnp.sign(total)

    # how good are the first one, the first two, ...?
    staged = []
    margin = jnp.zeros(count)
    for stump in ensemble:
        margin = margin + stump.weight * stump.predict(x)
        staged.append((jnp.sign(margin) == labels).mean())

    used = [0] * features
    for stump in ensemble:
        used[stump.feature] += 1
    favourite = used.index(max(used))
    mistakes = [i for i, (said, label) in enumerate(zip(vote(x), labels)) if said != label]
    thresholds = [stump.threshold for stump in ensemble]
    return finished, errors, staged, favourite, mistakes, thresholds, weights.max()


Component = namedtuple("Component", "weight mean spread")


@program(
    rows=(1, 3, 4, 6, 9, 12),
    inputs=lambda: [
        (f32(-2, -1.5, -1, 1, 1.5, 3), 2, 4),
        (f32(-2, -1.5, -1, 1, 1.5, 30), 3, 4),
        (f32(1, 1, 1, 1), 2, 4),
    ],
    expect="imperative",
    reason="concrete-value",
)
def mixture_of_gaussians(x, k, rounds):
    """Expectation maximisation with named tuples; components that die are dropped and counted."""

    def density(component):
        z = (x - component.mean) / component.spread
        return jnp.exp(-0.5 * z**2) / (component.spread * jnp.sqrt(2 * jnp.pi))

    def expectation(components):
        parts = [component.weight * density(component) for component in components]
        total = sum(parts) + 1e-12
        return [part / total for part in parts], jnp.log(total).sum()

    def maximisation(shares):
        for share in shares:
            mass = share.sum()
            mean = (share * x).sum() / mass
            spread = jnp.sqrt((share * (x - mean) ** 2).sum() / mass)
            yield Component(mass / len(x), mean, jnp.maximum(spread, 0.1))

    low, high = x.min(), x.max()
    width = (high - low) / k
    if width == 0:
        # one heap: there is nothing to separate
        components = [Component(jnp.ones(()), low, jnp.full((), 0.1))]
    else:
        components = [Component(1 / k, low + (i + 0.5) * width, width / 2) for i in range(k)]

    history = []
    dropped = 0
    verdict = f"{rounds} rounds"
    for round_number in range(rounds):
        shares, likelihood = expectation(components)

        if history:
            gain = likelihood - history[-1]
            if abs(gain) < 1e-3:
                verdict = "converged"
                break
            if gain < -0.5:
                verdict = "went down"
                break
        history.append(likelihood)

        new = list(maximisation(shares))
        alive = [component for component in new if component.weight > 0.05]
        if len(alive) < len(new):
            dropped += len(new) - len(alive)
            total = sum(component.weight for component in alive)
            alive = [component._replace(weight=component.weight / total) for component in alive]
        components = alive

    weight_sum = reduce(lambda total, component: total + component.weight, components, 0.0)
    assert abs(weight_sum - 1) < 1e-3, "the weights are no distribution"

    # which component is each point's own?
    shares, _ = expectation(components)
    owners = jnp.argmax(jnp.stack(shares), axis=0)
    sizes = {f"component {i}": (owners == i).sum() for i in range(len(components))}
    widest, *others = sorted(range(len(components)), key=lambda i: -i)
    means = [mean for _, mean, _ in components]
    overlapping = 0
    for i, first in enumerate(components):
        for second in components[i + 1 :]:
            if abs(first.mean - second.mean) < first.spread + second.spread:
                overlapping += 1
    return components, means, history, verdict, dropped, owners, sizes, (widest, others), overlapping


class Diverged(ArithmeticError):
    """The numbers have become too large to go on."""


@program(
    rows=(1, 3, 4, 6, 10, 16),
    inputs=lambda: [
        ({(0, 0): 5.0, (0, 1): 3.0, (1, 0): 4.0, (2, 1): 1.0, (2, 2): 4.5}, 2, 4, 0.05),
        ({(0, 0): 5.0, (0, 1): 3.0, (1, 1): 1.0}, 1, 6, 0.5),
        ({(0, 0): 500.0, (1, 1): -300.0}, 2, 4, 0.1),
    ],
    expect="compiled",
    unreached=2,  # no input halves its rate
)
def matrix_factorisation(ratings, rank, epochs, rate):
    """Recommend by two thin matrices that are fitted to the known ratings, one rating at a time."""
    people = 1 + max(person for person, _ in ratings)
    films = 1 + max(film for _, film in ratings)
    mean = sum(ratings.values()) / len(ratings)

    person_key, film_key = jax.random.split(jax.random.key(people + 10 * films))
    taste = 0.3 * jax.random.normal(person_key, (people, rank))
    style = 0.3 * jax.random.normal(film_key, (films, rank))
    person_bias = jnp.zeros(people)
    film_bias = jnp.zeros(films)

    def predict(person, film):
        return mean + person_bias[person] + film_bias[film] + taste[person] @ style[film]

    def fit_one(person, film, rating):
        nonlocal taste, style, person_bias, film_bias
        error = rating - predict(person, film)
        if jnp.abs(error) > 1e3:
            raise Diverged(f"the rating of film {film} by person {person}")
        old = taste[person]
        taste = taste.at[person].add(rate * (error * style[film] - 0.02 * old))
        style = style.at[film].add(rate * (error * old - 0.02 * style[film]))
        person_bias = person_bias.at[person].add(rate * error)
        film_bias = film_bias.at[film].add(rate * error)
        return error

    errors = []
    best = None
    try:
        for epoch in range(epochs):
            total = 0.0
            for (person, film), rating in sorted(ratings.items()):
                total = total + fit_one(person, film, rating) ** 2
            root = jnp.sqrt(total / len(ratings))
            errors.append(root)
            if best is None or root < best[1]:
                best = (epoch, root)
            elif root > 2 * best[1]:
                rate = rate / 2
    except Diverged as error:
        outcome = f"diverged at {error}"
    else:
        outcome = "fitted"

    # what has not been rated is to be recommended
    recommendations = {}
    for person in range(people):
        unseen = [film for film in range(films) if (person, film) not in ratings]
        if not unseen:
            continue
        guesses = jnp.stack([predict(person, film) for film in unseen])
        recommendations[person] = (jnp.argmax(guesses), guesses.max())
    return outcome, errors, best and best[0], recommendations, taste, style


@program(
    rows=(1, 3, 4, 10, 12, 38),
    inputs=lambda: [
        (f32(3, -2), {"kind": "step", "every": 2, "factor": 0.5}, 8),
        (f32(0.5, 0.0), ("cosine", 8), 8),
        (f32(3, -2), ["warm", 3, {"kind": "constant"}], 8),
        (f32(3, -2), {"kind": "magic"}, 8),
    ],
    expect="imperative",
    reason="concrete-value",
)
def schedules_of_the_rate(start, plan, steps):
    """Descend a narrow valley with a learning rate that a description prescribes."""

    def make_schedule(plan, top=0.1):
        """The function from the step to the rate."""
        match plan:
            case {"kind": "constant"}:
                return lambda step: top
            case {"kind": "step", "every": int(every), "factor": factor}:
                return lambda step: top * factor ** (step // every)
            case ("cosine", length) if length > 0:
                return lambda step: 0.5 * top * (1 + jnp.cos(jnp.pi * step / length))
            case ["warm", warm, rest]:
                later = make_schedule(rest, top)
                return lambda step: top * (step + 1) / warm if step < warm else later(step - warm)
            case _:
                raise ValueError(f"no such plan: {plan!r}")

    def valley(point):
        x, y = point
        bend = y - 0.25 * x**2
        return 0.5 * x**2 + 4.0 * bend**2

    schedule = make_schedule(plan)
    descend = jax.value_and_grad(valley)
    point = start
    rates = []
    heights = []
    rising = 0
    averages = {}

    for step in range(steps):
        height, slope = descend(point)
        rate = schedule(step)
        rates.append(rate)
        heights.append(height)

        # two averages of the height that forget at different speeds
        for name, memory in {"slow": 0.9, "fast": 0.5}.items():
            averages[name] = memory * averages.get(name, height) + (1 - memory) * height
        if step > 2 and averages["fast"] > averages["slow"]:
            rising += 1
            if rising == 2:
                break

        length = jnp.sqrt((slope**2).sum())
        if length < 0.05:
            break
        if length > 4.0:
            slope = 4.0 * slope / length
        point = point - rate * slope
    else:
        step = steps

    lowest = min(range(len(heights)), key=lambda i: heights[i])
    total = reduce(lambda a, b: a + b, rates)
    steady = all(height >= after for height, after in zip(heights, heights[1:]))
    match (step == steps, steady):
        case (True, True):
            verdict = "steady, with time left to learn"
        case (True, False):
            verdict = "bumpy"
        case (False, _):
            verdict = f"stopped at {step}"
    return point, jnp.stack(heights), lowest, total, averages, verdict


@dataclass
class Vocabulary:
    """Words get numbers in the order in which they come."""

    numbers: dict = field(default_factory=dict)

    def add(self, text):
        for word in text.lower().replace(",", " ").split():
            self.numbers.setdefault(word, len(self.numbers))

    def count(self, text):
        counts = jnp.zeros(len(self.numbers))
        unknown = []
        for word, times in Counter(text.lower().replace(",", " ").split()).items():
            if word in self.numbers:
                counts = counts.at[self.numbers[word]].add(times)
            else:
                unknown.append(word)
        return counts, unknown

    def __len__(self):
        return len(self.numbers)


LETTERS = (
    ("win money now, win", "spam"),
    ("money for you, free money", "spam"),
    ("the meeting is on monday", "ham"),
    ("are you free on monday", "ham"),
)


@program(
    rows=(1, 3, 6, 9, 12),
    inputs=lambda: [
        (LETTERS, ("free money", "the meeting on tuesday"), 1.0),
        (LETTERS[:3], ("free money", "monday"), 0.5),
        (LETTERS, ("", "xyzzy"), 2.0),
    ],
    expect="imperative",
    reason="opaque-call",
)
def sorts_letters(letters, questions, smoothing):
    """Naive Bayes on words: counts in arrays, words in dicts."""
    vocabulary = Vocabulary()
    for text, _ in letters:
        vocabulary.add(text)
    classes = sorted({label for _, label in letters})

    # how often does each word come in each class?
    counts = {label: jnp.zeros(len(vocabulary)) for label in classes}
    documents = dict.fromkeys(classes, 0)
    for text, label in letters:
        added, unknown = vocabulary.count(text)
        assert not unknown
        counts[label] = counts[label] + added
        documents[label] += 1

    prior = {label: jnp.log(documents[label] / len(letters)) for label in classes}
    likelihood = {}
    for label in classes:
        smoothed = counts[label] + smoothing
        likelihood[label] = jnp.log(smoothed / smoothed.sum())

    def classify(text):
        added, unknown = vocabulary.count(text)
        scores = {label: prior[label] + added @ likelihood[label] for label in classes}
        best, *others = classes
        for label in others:
            if scores[label] > scores[best]:
                best = label
        # how sure? by a softmax that does not overflow
        top = scores[best]
        total = sum(jnp.exp(score - top) for score in scores.values())
        return best, 1.0 / total, unknown

    answers = []
    surprises = []
    for question in questions:
        label, certainty, unknown = classify(question)
        answers.append(label)
        if certainty < 0.6:
            surprises.append((question, "unsure"))
        elif unknown:
            surprises.append((question, " ".join(unknown)))

    # the word that says most, for each class
    telling = {}
    words = list(vocabulary.numbers)
    for label in classes:
        others = [likelihood[other] for other in classes if other != label]
        contrast = likelihood[label] - jnp.stack(others).mean(axis=0)
        ahead = [word for word in words if contrast[vocabulary.numbers[word]] > 0.5]
        telling[label] = (contrast.max(), ahead)

    training = sum(classify(text)[0] == label for text, label in letters)
    longest = max(words, key=len)
    lengths = jnp.array([len(word) for word in words])
    return {
        "answers": answers,
        "surprises": surprises,
        "telling": telling,
        "training": f"{training} of {len(letters)}",
        "words": (len(words), longest, lengths.mean()),
        "matrix": jnp.stack([likelihood[label] for label in classes]),
    }


WEATHER = {
    "states": ("rain", "sun"),
    "start": {"rain": 0.5, "sun": 0.5},
    "move": {"rain": {"rain": 0.7, "sun": 0.3}, "sun": {"rain": 0.2, "sun": 0.8}},
    "see": {"rain": f32(0.9, 0.1), "sun": f32(0.2, 0.8)},
}


@program(
    rows=(1, 3, 6, 9),
    inputs=lambda: [
        (WEATHER, i32(0, 0, 1, 0)),
        (WEATHER, i32(1, 1, 1, 0, 0)),
        (WEATHER, i32(1)),
    ],
    expect="imperative",
    reason="unsupported-expression",
)
def hidden_weather(model, umbrellas):
    """A hidden Markov model in dicts: forward, backward, Viterbi, and one round of learning."""
    states = model["states"]
    move, see = model["move"], model["see"]

    def forward():
        columns = []
        scales = []
        for t, seen in enumerate(umbrellas):
            column = {}
            for state in states:
                if t == 0:
                    arriving = model["start"][state]
                else:
                    arriving = sum(columns[-1][before] * move[before][state] for before in states)
                column[state] = arriving * see[state][seen]
            scale = sum(column.values())
            scales.append(scale)
            columns.append({state: value / scale for state, value in column.items()})
        return columns, scales

    def backward(scales):
        columns = [dict.fromkeys(states, 1.0)]
        for seen, scale in list(zip(umbrellas, scales))[:0:-1]:
            after = columns[0]
            column = {
                state: sum(move[state][then] * see[then][seen] * after[then] for then in states) / scale
                for state in states
            }
            columns.insert(0, column)
        return columns

    def viterbi():
        best = {state: jnp.log(model["start"][state] * see[state][umbrellas[0]]) for state in states}
        came_from = []
        for seen in umbrellas[1:]:
            new, pointers = {}, {}
            for state in states:
                top, origin = None, None
                for before in states:
                    score = best[before] + jnp.log(move[before][state])
                    if top is None or score > top:
                        top, origin = score, before
                new[state] = top + jnp.log(see[state][seen])
                pointers[state] = origin
            best = new
            came_from.append(pointers)
        last = states[0] if best[states[0]] >= best[states[1]] else states[1]
        path = [last]
        for pointers in reversed(came_from):
            path.append(pointers[path[-1]])
        return path[::-1], best[last]

    ahead, scales = forward()
    behind = backward(scales)
    smoothed = [{s: a[s] * b[s] for s in states} for a, b in zip(ahead, behind)]
    for column in smoothed:
        assert abs(sum(column.values()) - 1) < 1e-3, "no distribution"
    likelihood = sum(jnp.log(scale) for scale in scales)

    path, score = viterbi()
    rainy = path.count("rain")
    changes = sum(a != b for a, b in zip(path, path[1:]))
    expected = {state: sum(column[state] for column in smoothed) for state in states}
    return path, score, likelihood, smoothed, (rainy, changes), expected


@program(
    rows=(1, 3, 4, 6, 16, 38),
    inputs=lambda: [
        (jax.random.key(0), POINTS, f32(0, 0, 0, 1, 1, 1), [2, 4, 1], 5),
        (jax.random.key(1), POINTS, f32(0, 1, 0, 1, 0, 1), [2, 4, 1], 5),
        (jax.random.key(2), POINTS * 10, f32(0, 0, 0, 1, 1, 1) * 50, [2, 1], 5),
    ],
    expect="compiled",
)
def network_by_gradients(key, x, y, sizes, epochs):
    """A network whose parameters are a list of dicts, trained by jax.grad with Adam by hand and with decay."""

    def make_layer(key, inputs, outputs):
        weight_key, bias_key = jax.random.split(key)
        return {
            "weight": jax.random.normal(weight_key, (inputs, outputs)) * (2.0 / inputs) ** 0.5,
            "bias": 0.1 * jax.random.normal(bias_key, (outputs,)),
        }

    def predict(layers, x):
        *hidden, last = layers
        for layer in hidden:
            x = jax.nn.relu(x @ layer["weight"] + layer["bias"])
        return (x @ last["weight"] + last["bias"])[:, 0]

    def loss_of(layers, decay=1e-3):
        error = jnp.mean((predict(layers, x) - y) ** 2)
        size = sum((layer["weight"] ** 2).sum() for layer in layers)
        return error + decay * size

    def adam(value, slope, first, second, step):
        first = 0.9 * first + 0.1 * slope
        second = 0.99 * second + 0.01 * slope**2
        unbiased = first / (1 - 0.9 ** (step + 1))
        scale = jnp.sqrt(second / (1 - 0.99 ** (step + 1))) + 1e-6
        return value - 0.1 * unbiased / scale, first, second

    layers = []
    for inputs, outputs in zip(sizes[:-1], sizes[1:]):
        key, layer_key = jax.random.split(key)
        layers.append(make_layer(layer_key, inputs, outputs))
    firsts = [{name: jnp.zeros_like(value) for name, value in layer.items()} for layer in layers]
    seconds = jax.tree.map(jnp.zeros_like, firsts)

    best = jnp.inf
    best_layers = layers
    worse = 0
    course = ""

    for step in range(epochs):
        loss, slopes = jax.value_and_grad(loss_of)(layers)
        if loss < best:
            best, best_layers = loss, layers
            worse = 0
            course += "."
        else:
            worse += 1
            course += "!"
            if worse > 1:
                break

        # the slopes of all layers together are clipped
        norm = jnp.sqrt(sum((leaf**2).sum() for leaf in jax.tree.leaves(slopes)))
        if norm > 10.0:
            slopes = jax.tree.map(lambda leaf: leaf * (10.0 / norm), slopes)

        for layer, slope, first, second in zip(layers, slopes, firsts, seconds):
            for name in layer:
                layer[name], first[name], second[name] = adam(layer[name], slope[name], first[name], second[name], step)

    answers = predict(best_layers, x)
    right = sum(bool((answer > 0.5) == (target > 0.5)) for answer, target in zip(answers, y))
    sizes_of_layers = [layer["weight"].size + layer["bias"].size for layer in layers]
    dead = 0
    if len(layers) > 1:
        activity = x @ layers[0]["weight"] + layers[0]["bias"]
        for column in activity.T:
            if (column <= 0).all():
                dead += 1
    return best, answers, right / len(y), sizes_of_layers, dead, course


class Momentums:
    """Remembers for each parameter where it was going."""

    def __init__(self, params, friction):
        self.velocity = {name: jnp.zeros_like(value) for name, value in params.items()}
        self.friction = friction

    def step(self, params, slopes, rate):
        moved = {}
        for name, value in params.items():
            self.velocity[name] = self.friction * self.velocity[name] - rate * slopes[name]
            moved[name] = value + self.velocity[name]
        return moved

    def stop(self):
        for name in self.velocity:
            self.velocity[name] = jnp.zeros_like(self.velocity[name])


class Autoencoder:
    """Squeezes and unsqueezes with the same matrix."""

    def __init__(self, width, code, *, scale=0.25):
        self.code = code
        self.params = {
            "matrix": scale * jnp.cos(jnp.arange(width * code, dtype=jnp.float32)).reshape(width, code),
            "offset": jnp.zeros(width),
        }

    def encode(self, params, x):
        return jnp.tanh((x - params["offset"]) @ params["matrix"])

    def decode(self, params, code):
        return code @ params["matrix"].T + params["offset"]

    def loss(self, params, x):
        return ((self.decode(params, self.encode(params, x)) - x) ** 2).mean()


@program(
    rows=(1, 2, 4, 12, 15, 38),
    inputs=lambda: [
        (np.linspace(-1, 1.7, 12, dtype=np.float32).reshape(6, 2), 1, 0.2),
        (np.linspace(-1, 1.7, 12, dtype=np.float32).reshape(4, 3), 2, 0.2),
        (np.geomspace(1, 90, 12, dtype=np.float32).reshape(6, 2), 1, 2.0),
    ],
    expect="compiled",
    close="the sum in a mean is taken in another order from one version of XLA to the next",
)
def squeezes_points(data, code, rate):
    """An autoencoder as a class, an optimiser that remembers, and a loop that ends when nothing gets better."""
    points = jnp.asarray(data)
    model = Autoencoder(points.shape[1], code)
    optimiser = Momentums(model.params, friction=0.8)

    # a mean and a spread for each column
    mean = points.mean(axis=0)
    spread = jnp.sqrt(((points - mean) ** 2).mean(axis=0))
    if (spread > 2.0).any():
        points = (points - mean) / jnp.maximum(spread, 1e-3)
        scaled = True
    else:
        scaled = False

    def slopes_of(params):
        loss, slopes = jax.value_and_grad(model.loss)(params, points)
        norm = jnp.sqrt(sum((slope**2).sum() for slope in slopes.values()))
        return loss, slopes, norm

    loss, slopes, norm = slopes_of(model.params)
    first = loss
    steps = restarts = 0

    while norm > 1e-2:
        candidate = optimiser.step(model.params, slopes, rate)
        new_loss, new_slopes, new_norm = slopes_of(candidate)

        if new_loss > 1.5 * loss:
            # too fast: stand still, and go on with smaller steps
            optimiser.stop()
            rate = rate / 2
            restarts += 1
            if restarts > 3:
                outcome = "restless"
                break
            continue

        steps += 1
        small = abs(new_loss - loss) < 1e-4
        model.params, loss, slopes, norm = candidate, new_loss, new_slopes, new_norm
        if small:
            outcome = "settled"
            break
        if steps >= 10:
            outcome = "out of steps"
            break
    else:
        outcome = "flat"

    codes = model.encode(model.params, points)
    restored = model.decode(model.params, codes)
    errors = jnp.sqrt(((restored - points) ** 2).sum(axis=1))
    worst = 0
    for place in range(1, len(errors)):
        if errors[place] > errors[worst]:
            worst = place

    # are the codes in order along the line?
    rising = falling = 0
    for before, after in zip(codes[:-1, 0], codes[1:, 0]):
        if after > before:
            rising += 1
        elif after < before:
            falling += 1
    if rising and falling:
        order = "mixed"
    else:
        order = "rising" if rising else "falling"
    gain = 1.0 - loss / first
    return {"loss": loss, "gain": gain, "outcome": outcome, "order": order, "worst": worst, "scaled": scaled}, codes
