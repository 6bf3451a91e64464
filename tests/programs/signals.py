"""Signals, filters, transforms and pictures, sample by sample and pixel by pixel."""

from collections import defaultdict
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from tests.programs import f32, grid, i32, program


@program(
    rows=(1, 3, 6, 10, 11),
    inputs=lambda: [
        (f32(1, 2, 0, -1, 1.5, 0, 0, 1), 0.25),
        (f32(0, 0.7, 1, 0.7, 0, -0.7, -1, -0.7), 0.25),
        (f32(0, 1, 0, -1, 0, 1, 0, -1), 0.25),
        (f32(1, 2, 3, 4), 2.0),
        (f32(1, 2, 3), 0.25),
    ],
    expect="compiled",
    unreached=3,
)
def transform_and_clean(samples, threshold):
    """The fast Fourier transform by recursion; what is faint is removed, and the rest is transformed back."""
    count = len(samples)
    if count == 0 or count & (count - 1):
        raise ValueError(f"{count} is not a power of two")
    multiplications = 0

    def transform(values):
        nonlocal multiplications
        size = len(values)
        if size == 1:
            return values
        even = transform(values[::2])
        odd = transform(values[1::2])
        twiddles = jnp.exp(-2j * jnp.pi * jnp.arange(size // 2) / size)
        multiplications += size // 2
        turned = twiddles * odd
        return jnp.concatenate([even + turned, even - turned])

    def inverse(spectrum):
        return transform(spectrum.conj()).conj() / len(spectrum)

    spectrum = transform(samples.astype(jnp.complex64))
    power = jnp.abs(spectrum) ** 2 / count
    assert jnp.abs(power.sum() - (samples**2).sum()) < 1e-2, "Parseval would object"

    # only half of the frequencies are different from each other
    peaks = []
    for frequency in range(count // 2 + 1):
        strength = power[frequency]
        if strength < threshold:
            spectrum = spectrum.at[frequency].set(0)
            if 0 < frequency < count // 2:
                spectrum = spectrum.at[count - frequency].set(0)
            continue
        peaks.append((frequency, strength))

    cleaned = inverse(spectrum)
    imaginary = jnp.abs(cleaned.imag).max()
    if imaginary > 1e-4:
        raise ArithmeticError("the signal is not real any more")
    cleaned = cleaned.real

    if not peaks:
        kind = "silence"
        loudest = None
    else:
        loudest, strength = peaks[0]
        for frequency, other in peaks[1:]:
            if other > strength:
                loudest, strength = frequency, other
        match loudest:
            case 0:
                kind = "an offset"
            case n if n == count // 2:
                kind = "an alternation"
            case n if n * 4 == count:
                kind = "a quarter wave"
            case _:
                kind = f"a wave of period {count / loudest:.2f}"

    removed = ((samples - cleaned) ** 2).sum()
    return cleaned, peaks, kind, loudest, removed, multiplications


@program(
    rows=(1, 3, 4, 6, 12),
    inputs=lambda: [
        (f32(1.0, 2.1, 2.9, 4.2, 5.1), {"process": 0.01, "measurement": 0.25}, None),
        (f32(1.0, 2.1, 20.0, jnp.nan, 5.1), {"process": 0.01, "measurement": 0.25}, 9.0),
        (f32(1.0, 2.1), {"process": 0.5}, 9.0),
    ],
    expect="compiled",
)
def tracker(measurements, noise, gate):
    """A Kalman filter with a dict of matrices, then the smoother that runs back over its records."""
    model = {
        "F": jnp.array([[1.0, 1.0], [0.0, 1.0]]),
        "H": jnp.array([[1.0, 0.0]]),
        "Q": noise.get("process", 0.1) * jnp.eye(2),
        "R": noise.get("measurement", 1.0) * jnp.eye(1),
    }

    def predict(state, F, Q, **others):
        return {"x": F @ state["x"], "P": F @ state["P"] @ F.T + Q}

    def update(state, z, H, R, **others):
        innovation = z - H @ state["x"]
        S = H @ state["P"] @ H.T + R
        K = state["P"] @ H.T / S[0, 0]
        distance = (innovation[0] ** 2) / S[0, 0]
        better = {"x": state["x"] + K @ innovation, "P": (jnp.eye(2) - K @ H) @ state["P"]}
        return better, distance, S[0, 0]

    def inverse_2x2(m):
        determinant = m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0]
        return jnp.array([[m[1, 1], -m[0, 1]], [-m[1, 0], m[0, 0]]]) / determinant

    state = {"x": jnp.zeros(2), "P": 10.0 * jnp.eye(2)}
    records = []
    notes = {}
    likelihood = 0.0

    for t, z in enumerate(measurements):
        predicted = predict(state, **model)
        if jnp.isnan(z):
            notes[t] = "missing"
            state = predicted
            records.append({"predicted": predicted, "filtered": state})
            continue

        updated, distance, spread = update(predicted, z, **model)
        if gate is not None and distance > gate:
            notes[t] = "rejected"
            state = predicted
        else:
            state = updated
            likelihood = likelihood - 0.5 * (distance + jnp.log(2 * jnp.pi * spread))
        records.append({"predicted": predicted, "filtered": state})

    # backwards: each estimate learns from what came later
    smooth = [records[-1]["filtered"]]
    for before, after in zip(records[-2::-1], records[:0:-1]):
        filtered, predicted = before["filtered"], after["predicted"]
        gain = filtered["P"] @ model["F"].T @ inverse_2x2(predicted["P"])
        later = smooth[-1]
        smooth.append(
            {
                "x": filtered["x"] + gain @ (later["x"] - predicted["x"]),
                "P": filtered["P"] + gain @ (later["P"] - predicted["P"]) @ gain.T,
            }
        )
    smooth.reverse()

    path = jnp.stack([each["x"] for each in smooth])
    improvement = 0.0
    for record, each in zip(records, smooth):
        change = jnp.trace(record["filtered"]["P"]) - jnp.trace(each["P"])
        improvement = max(improvement, change)
    verdict = "complete" if not notes else ", ".join(f"{word} at {t}" for t, word in notes.items())
    return path, state, likelihood, notes, improvement, verdict


@program(
    rows=(1, 2, 3, 4, 6),
    inputs=lambda: [
        (-2.0, 0.6, 5, 3, 8),
        (-0.2, 0.2, 5, 3, 6),
        (0.4, 2.0, 5, 3, 12),
    ],
    expect="imperative",
    reason="unsupported-expression",
)
def mandelbrot_picture(left, right, columns, rows, most):
    """How soon each point escapes, point by point for a few, and all at once for the picture."""
    height = (right - left) * rows / columns
    real = left + (right - left) * (jnp.arange(columns) + 0.5) / columns
    imaginary = height * ((jnp.arange(rows) + 0.5) / rows - 0.5)
    plane = real[None, :] + 1j * imaginary[:, None]

    def escape(c):
        """After how many steps the point c has left the circle of radius two, or None."""
        z = 0j * c
        for step in range(most):
            z = z * z + c
            if z.real * z.real + z.imag * z.imag > 4.0:
                return step
        return None

    def escape_all(c):
        z = jnp.zeros_like(c)
        counts = jnp.zeros(c.shape, jnp.int32)
        inside = jnp.ones(c.shape, bool)
        steps = 0
        while inside.any() and steps < most:
            z = jnp.where(inside, z * z + c, z)
            inside = inside & (z.real**2 + z.imag**2 <= 4.0)
            counts = counts + inside
            steps += 1
        return counts, inside, steps

    counts, inside, steps = escape_all(plane)

    # a walk along the middle row, one point after the other
    middle = plane[rows // 2]
    walk = [escape(c) for c in middle]
    agreeing = 0
    for column, step in enumerate(walk):
        picture = counts[rows // 2, column]
        if step is None:
            agreeing += bool(inside[rows // 2, column])
        elif picture == step:
            agreeing += 1

    # runs of equal counts in each row
    runs = []
    for line in counts:
        length = longest = 1
        for a, b in zip(line, line[1:]):
            length = length + 1 if a == b else 1
            longest = max(longest, length)
        runs.append(longest)

    palette = " .:-=+*#%@"
    histogram = jnp.zeros(most + 1, jnp.int32)
    for count in range(most + 1):
        histogram = histogram.at[count].set((counts == count).sum())
    escaped = [step for step in walk if step is not None]
    slowest = max(escaped, default=-1)
    legend = {palette[count % len(palette)]: count for count in range(0, most + 1, 2)}

    area = inside.mean() * (right - left) * height
    if inside.all():
        verdict = "all inside"
    elif not inside.any():
        verdict = "all outside"
    else:
        verdict = "the border"
    return counts, walk, agreeing, runs, histogram, (slowest, steps), legend, area, verdict


@dataclass
class Peak:
    """A place that is higher than its surroundings."""

    place: int
    height: float
    left: int = 0
    right: int = 0

    @property
    def width(self):
        return self.right - self.left

    def __contains__(self, place):
        return self.left <= place <= self.right

    def __lt__(self, other):
        return self.height < other.height


@program(
    rows=(1, 2, 4, 6, 9, 12, 15),
    inputs=lambda: [
        (np.array([0, 1, 3, 1, 0, 0, 2, 5, 2, 0, 1, 0], np.float32), 0.5, 1),
        (np.array([0, 1, 3, 1, 2, 4, 2, 5, 2, 0, 1, 0], np.float32), 1.0, 0),
        (np.array([5, 4, 3, 2, 1, 0], np.float32), 0.5, 1),
    ],
    expect="imperative",
    reason="heap-write",
)
def finds_peaks(samples, prominence, smoothing):
    """Peaks of a signal, with their widths; close ones are merged, the highest come first."""
    signal = jnp.asarray(samples)
    count = len(signal)

    def smooth(values):
        padded = jnp.concatenate([values[:1], values, values[-1:]])
        return 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]

    for _ in range(smoothing):
        signal = smooth(signal)

    def summits():
        """The inner places that are higher than both neighbours."""
        for place in range(1, count - 1):
            before, here, after = signal[place - 1 : place + 2]
            if here > before and here >= after:
                yield Peak(place, here)

    def walk(place, direction, floor):
        """How far one can go until the signal is below the floor, or rises above where one started."""
        start = signal[place]
        while 0 <= place + direction < count:
            if signal[place + direction] < floor or signal[place + direction] > start:
                break
            place += direction
        return place

    peaks = []
    faint = 0
    base = jnp.median(signal)
    for peak in summits():
        if peak.height - base < prominence:
            faint += 1
            continue
        floor = (peak.height + base) / 2
        peak.left = walk(peak.place, -1, floor)
        peak.right = walk(peak.place, +1, floor)
        peaks.append(peak)

    # a peak inside of a higher one is no peak of its own
    merged = []
    for peak in sorted(peaks, reverse=True):
        for higher in merged:
            if peak.place in higher:
                break
        else:
            merged.append(peak)

    by_width = defaultdict(list)
    for peak in merged:
        by_width[peak.width].append(peak.place)

    if len(merged) >= 2:
        first, second, *others = merged
        distance = abs(first.place - second.place)
        ratio = first.height / second.height
    else:
        distance = ratio = None
    places = sorted(peak.place for peak in merged)
    marks = "".join("^" if place in places else "." for place in range(count))
    return {
        "peaks": [(peak.place, peak.height, peak.width) for peak in merged],
        "faint": faint,
        "hidden": len(peaks) - len(merged),
        "widths": dict(by_width),
        "pair": (distance, ratio),
        "marks": marks,
        "signal": signal,
    }


class Stage:
    """One stage of a chain: takes a sample, remembers what it must, gives a sample."""

    def reset(self):
        pass

    def __or__(self, other):
        return Chain(self, other)


class Chain(Stage):
    def __init__(self, *stages):
        self.stages = stages

    def __call__(self, sample):
        for stage in self.stages:
            sample = stage(sample)
        return sample

    def __or__(self, other):
        return Chain(*self.stages, other)

    def reset(self):
        for stage in self.stages:
            stage.reset()


class Biquad(Stage):
    """A filter of the second order, in direct form II transposed."""

    def __init__(self, b, a):
        self.b = b
        self.a = a
        self.reset()

    def reset(self):
        self.first = self.second = jnp.zeros(())

    def __call__(self, sample):
        out = self.b[0] * sample + self.first
        self.first = self.b[1] * sample - self.a[0] * out + self.second
        self.second = self.b[2] * sample - self.a[1] * out
        return out


class Limiter(Stage):
    def __init__(self, most):
        self.most = most
        self.hits = 0

    def __call__(self, sample):
        if abs(sample) > self.most:
            self.hits += 1
            return jnp.sign(sample) * self.most
        return sample


class Envelope(Stage):
    """Follows the loudness: fast up, slow down."""

    def __init__(self, attack=0.5, release=0.1):
        self.attack = attack
        self.release = release
        self.level = jnp.zeros(())

    def reset(self):
        self.level = jnp.zeros(())

    def __call__(self, sample):
        loudness = abs(sample)
        speed = self.attack if loudness > self.level else self.release
        self.level = self.level + speed * (loudness - self.level)
        return self.level


@program(
    rows=(1, 3, 4, 6, 9, 12),
    inputs=lambda: [
        (f32(1, 0, 0, 0, 0, 0, 0, 0), 1.0, 0.25),
        (f32(1, -1, 1, -1, 1, -1, 1, -1), 0.4, 0.25),
        (f32(4, 4, 4, 0, 0, 0), 0.3, 1.5),
    ],
    expect="imperative",
    reason="generator",
)
def chain_of_filters(samples, loudest, gate):
    """Samples flow through stages that are joined by an operator; silence is cut, loudness is limited."""
    low_pass = Biquad(b=(0.25, 0.5, 0.25), a=(-0.2, 0.1))
    limiter = Limiter(loudest)
    chain = low_pass | limiter
    meter = Envelope()
    assert len(chain.stages) == 2

    def stream(samples, stage):
        for sample in samples:
            yield stage(sample)

    def windows(items, length, hop=1):
        """Overlapping windows of a list; what is left over at the end is not a window."""
        for start in range(0, len(items) - length + 1, hop):
            yield items[start : start + length]

    def energy(window):
        total = 0.0
        for item in window:
            total = total + item * item
        return total / len(window)

    def describe(levels):
        """The course of the loudness in letters."""
        letters = []
        for before, after in zip(levels, levels[1:]):
            if after > before + 1e-3:
                letters.append("u")
            elif after < before - 1e-3:
                letters.append("d")
            else:
                letters.append("-")
        return "".join(letters)

    # the first pass, with everything as it comes
    wet = list(stream(samples, chain))
    levels = list(stream(wet, meter))
    first_hits = limiter.hits

    # the second pass: the same once more, from a quiet start, half as loud
    chain.reset()
    meter.reset()
    quiet = [chain(0.5 * sample) for sample in samples]
    assert limiter.hits >= first_hits, "hits are not forgotten"

    # a gate: windows without energy are silence
    silent = 0
    opened = []
    for number, window in enumerate(windows(wet, 3)):
        if energy(window) < 0.01 * gate:
            silent += 1
            continue
        opened.append(number)
        if len(opened) == 4:
            break

    # how linear is the chain? half as loud should be half as loud
    error = 0.0
    for loud, soft in zip(wet, quiet):
        deviation = abs(loud - 2 * soft)
        if deviation > error:
            error = deviation
    linear = error < 1e-5

    course = describe(levels)
    peak = max(levels)
    decay = None
    for time, level in enumerate(levels):
        if level == peak:
            decay = 0
        elif decay is not None and level > peak / 2:
            decay += 1
    return jnp.stack(wet), jnp.stack(quiet), (first_hits, limiter.hits), course, linear, silent, opened, peak, decay


@program(
    rows=(1, 2, 3, 4, 6, 10),
    inputs=lambda: [
        (i32(1, 1, 1, 0, 0, 2, 2, 2, 2, 1), 3),
        (i32(5, 5, 5, 5, 5, 5, 5, 5), 3),
        (i32(0, 1, 2, 3), 9),
        (i32(), 3),
    ],
    expect="imperative",
    reason="unsupported-statement",
)
def packs_and_unpacks(samples, longest):
    """Run lengths, then a Huffman code for them, then everything back again."""

    class Node:
        def __init__(self, weight, symbol=None, children=()):
            self.weight = weight
            self.symbol = symbol
            self.children = children

        @property
        def order(self):
            return self.weight, self.smallest()

        def smallest(self):
            if self.children:
                return min(child.smallest() for child in self.children)
            return self.symbol

        def codes(self, prefix=""):
            if not self.children:
                yield self.symbol, prefix or "0"
            for bit, child in zip("01", self.children):
                yield from child.codes(prefix + bit)

    def run_lengths(values):
        runs = []
        for value in values:
            value = int(value)
            if runs and runs[-1][0] == value and runs[-1][1] < longest:
                runs[-1] = (value, runs[-1][1] + 1)
            else:
                runs.append((value, 1))
        return runs

    def huffman(symbols):
        counts = {}
        for symbol in symbols:
            counts[symbol] = counts.get(symbol, 0) + 1
        nodes = [Node(weight, symbol) for symbol, weight in counts.items()]
        while len(nodes) > 1:
            first, second, *nodes = sorted(nodes, key=lambda node: node.order)
            nodes.append(Node(first.weight + second.weight, children=(first, second)))
        return dict(nodes[0].codes())

    if len(samples) == 0:
        return None

    runs = run_lengths(samples)
    codes = huffman(runs)
    packed = "".join(codes[run] for run in runs)

    # and back
    decode = {code: run for run, code in codes.items()}
    assert len(decode) == len(codes), "two runs have one code"
    restored = []
    word = ""
    for bit in packed:
        word += bit
        if word in decode:
            value, length = decode[word]
            restored += [value] * length
            word = ""
    assert word == "", f"{word!r} is left over"
    same = (jnp.array(restored) == samples).all()

    ratio = len(packed) / (3 * len(samples))
    longest_code = max(codes.items(), key=lambda item: (len(item[1]), item[0]))
    match ratio:
        case r if r < 0.3:
            verdict = "well packed"
        case r if r < 0.7:
            verdict = "packed"
        case _:
            verdict = "hardly packed"
    return packed, codes, same, f"{ratio:.3f}", longest_code, verdict


@program(
    rows=(1, 2, 3, 4, 6, 9),
    inputs=lambda: [
        (jnp.array([[0, 1, 1, 0, 0], [0, 1, 0, 0, 1], [0, 0, 0, 1, 1], [1, 0, 0, 1, 0]]), 2),
        (jnp.array([[0, 1, 1, 0, 0], [0, 1, 0, 0, 1], [0, 0, 0, 1, 1], [1, 0, 0, 1, 0]]), 4),
        (jnp.zeros((3, 3), jnp.int32), 2),
    ],
    expect="imperative",
    reason="concrete-value",
)
def labels_of_islands(picture, smallest):
    """Connected components by spreading labels, then each island's size, box and outline."""
    height, width = picture.shape
    land = picture > 0

    def shifted(values, dy, dx):
        """The values of the neighbours in one direction, zero beyond the border."""
        padded = jnp.pad(values, 1)
        return padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]

    directions = [(0, 1), (1, 0), (0, -1), (-1, 0)]
    labels = jnp.where(land, jnp.arange(1, height * width + 1).reshape(height, width), 0)
    rounds = 0
    while True:
        spread = labels
        for dy, dx in directions:
            spread = jnp.maximum(spread, shifted(spread, dy, dx))
        spread = jnp.where(land, spread, 0)
        rounds += 1
        if (spread == labels).all():
            break
        labels = spread

    # the labels that are left, in the order in which the eye meets them
    names = []
    for row in labels:
        for label in row:
            if label > 0 and int(label) not in names:
                names.append(int(label))

    islands = {}
    dropped = []
    for number, name in enumerate(names, start=1):
        mask = labels == name
        size = mask.sum()
        if size < smallest:
            dropped.append(number)
            land = land & ~mask
            continue
        ys = jnp.where(mask.any(axis=1), jnp.arange(height), -1)
        xs = jnp.where(mask.any(axis=0), jnp.arange(width), -1)
        top, bottom = jnp.argmax(ys >= 0), ys.max()
        left, right = jnp.argmax(xs >= 0), xs.max()
        coast = sum((mask & ~shifted(mask, dy, dx)).sum() for dy, dx in directions)
        islands[f"island {number}"] = {
            "size": size,
            "box": (top, left, bottom, right),
            "coast": coast,
            "full": bool(size == (bottom - top + 1) * (right - left + 1)),
        }

    if not islands:
        largest = None
        share = 0.0
    else:
        largest = max(islands, key=lambda key: islands[key]["size"])
        share = islands[largest]["size"] / land.sum()
    distances = []
    for row, line in enumerate(land):
        for column, cell in enumerate(line):
            if not cell:
                continue
            to_border = min(row, column, height - 1 - row, width - 1 - column)
            distances.append(to_border)
    inland = sum(1 for distance in distances if distance > 0)
    return islands, dropped, largest, share, rounds, inland, land


@program(
    rows=(1, 3, 4, 6, 9, 12, 18),
    inputs=lambda: [
        (grid(3, 4, scale=0.125), "edge", 3),
        (grid(3, 4, scale=0.125), "zero", 3),
        (grid(3, 4, scale=0.5), "wrap", 1),
    ],
    expect="imperative",
    reason="concrete-value",
)
def picture_in_filters(picture, border, size):
    """Convolution by loops, median filter, edges, and a histogram that is made flat."""
    height, width = picture.shape
    reach = size // 2

    def pixel(y, x, image):
        """The pixel at a place that may be outside."""
        match border:
            case "edge":
                return image[min(max(y, 0), height - 1), min(max(x, 0), width - 1)]
            case "wrap":
                return image[y % height, x % width]
            case "zero":
                if 0 <= y < height and 0 <= x < width:
                    return image[y, x]
                return jnp.zeros(())
        raise ValueError(border)

    def neighbourhood(y, x, image):
        offsets = range(-reach, reach + 1)
        return jnp.stack([pixel(y + dy, x + dx, image) for dy in offsets for dx in offsets])

    def over(image, function):
        rows = []
        for y in range(height):
            rows.append(jnp.stack([function(neighbourhood(y, x, image)) for x in range(width)]))
        return jnp.stack(rows)

    weights = jnp.array([1.0 / size**2] * size**2)
    if size == 3:
        sharpen = jnp.array([0.0, -1.0, 0.0, -1.0, 5.0, -1.0, 0.0, -1.0, 0.0])
    else:
        sharpen = jnp.ones(size**2)

    filters = {"blur": lambda values: values @ weights, "sharp": lambda values: values @ sharpen}
    results = {name: over(picture, function) for name, function in filters.items()}
    despeckled = over(picture, lambda values: jnp.sort(values)[len(values) // 2])

    # edges: where the blurred picture changes quickly
    blurred = results["blur"]
    across = jnp.abs(blurred[:, 1:] - blurred[:, :-1])
    down = jnp.abs(blurred[1:] - blurred[:-1])
    edges = [(y, x) for y in range(height - 1) for x in range(width - 1) if across[y, x] + down[y, x] > 0.55]

    # a flat histogram: each pixel's rank instead of its value
    flat = picture.reshape(-1)
    ranks = []
    for value in flat[: 2 * width]:
        ranks.append((flat < value).sum() / len(flat))

    brightest, place = flat[0], 0
    for index, value in enumerate(flat):
        if value > brightest:
            brightest, place = value, index
    y, x = divmod(place, width)
    kept = {name: abs(result.mean() - picture.mean()) < 0.05 for name, result in results.items()}
    gentle = [name for name, same in kept.items() if same]
    return results, despeckled, edges, jnp.stack(ranks), (y, x), sorted(gentle)


class Ring:
    """The last few samples, newest first."""

    def __init__(self, length):
        self.samples = jnp.zeros(length)
        self.filled = 0

    def push(self, sample):
        self.samples = jnp.roll(self.samples, 1).at[0].set(sample)
        self.filled = min(self.filled + 1, len(self.samples))

    @property
    def ready(self):
        return self.filled == len(self.samples)

    @property
    def power(self):
        return (self.samples**2).mean()

    def __matmul__(self, weights):
        return self.samples @ weights


@program(
    rows=(1, 3, 4, 12),
    inputs=lambda: [
        (jnp.sin(jnp.arange(14.0)), f32(0.5, 0.25, 0.0), 0.5, None),
        (jnp.sin(jnp.arange(14.0)), f32(0.5, -0.25, 0.125), 0.5, 6),
        (jnp.zeros(8), f32(1, 1), 0.5, 2),
    ],
    expect="compiled",
    unreached=2,
)
def cancels_an_echo(voice, room, rate, speech_at):
    """An adaptive filter learns the echo of a room; it stands still while somebody speaks at the other end."""
    heard = Ring(len(room))
    loud = Ring(2)
    weights = jnp.zeros(len(room))
    best_weights = weights
    best_error = None
    frozen = 0
    silent = 0
    left_over = jnp.zeros(len(voice))

    def echo_of(samples):
        return samples @ room

    def speech(time):
        """What is said at the other end: two loud samples."""
        if speech_at is None or not speech_at <= time < speech_at + 2:
            return 0.0
        return 1.5 if time == speech_at else -1.0

    def step(weights, error, power):
        """Normalised least mean squares; no division by silence."""
        if power < 1e-3:
            return weights, True
        return weights + rate * error * heard.samples / (len(weights) * power), False

    for time, sample in enumerate(voice):
        heard.push(sample)
        microphone = echo_of(heard.samples) + speech(time)
        guess = heard @ weights
        error = microphone - guess
        left_over = left_over.at[time].set(error)
        loud.push(error)

        # is somebody speaking? then what is left over is no error
        if loud.ready and jnp.abs(error) > 0.9:
            frozen += 1
            continue

        weights, quiet = step(weights, error, heard.power)
        if quiet:
            silent += 1
            continue

        mismatch = ((weights - room) ** 2).sum()
        if best_error is None or mismatch < best_error:
            best_error = mismatch
            best_weights = weights

    # how much quieter has the echo become?
    half = len(voice) // 2
    early = (left_over[:half] ** 2).sum()
    late = (left_over[half:] ** 2).sum()
    if early == 0:
        gain = None
    else:
        gain = late / early

    # the tap that matters most
    strongest = 0
    for tap in range(1, len(weights)):
        if jnp.abs(best_weights[tap]) > jnp.abs(best_weights[strongest]):
            strongest = tap
    signs = ["+" if weight >= 0 else "-" for weight in best_weights]

    if best_error is None:
        verdict = "silence"
    elif best_error < 0.05:
        verdict = "learnt"
    elif frozen > 0:
        verdict = "disturbed"
    else:
        verdict = "learning"
    return best_weights, best_error, gain, (frozen, silent), strongest, signs, verdict, left_over
