"""Members of enum classes: as constants, arguments, keys and cases, with values, methods and flags."""

from enum import Enum, Flag, IntEnum, StrEnum, auto

import jax.numpy as jnp

from tests.programs import Mutation, f32, grid, program, reattribute, rebind


class Mode(Enum):
    TRAIN = "train"
    EVAL = "eval"
    FROZEN = "frozen"
    TEST = "eval"  # another name for EVAL


class Axis(IntEnum):
    ROWS = 0
    COLUMNS = 1

    @property
    def other(self):
        return Axis(1 - self)


class Kernel(StrEnum):
    LINEAR = auto()
    RBF = auto()
    POLY = auto()


class Part(Flag):
    BIAS = auto()
    SCALE = auto()
    CLIP = auto()
    AFFINE = BIAS | SCALE


class Planet(Enum):
    MERCURY = (3.303e23, 2.4397e6)
    EARTH = (5.976e24, 6.37814e6)

    def __init__(self, mass, radius):
        self.mass = mass
        self.radius = radius

    @property
    def gravity(self):
        return 6.67300e-11 * self.mass / (self.radius * self.radius)

    @classmethod
    def home(cls):
        return cls.EARTH


class Level(Enum):
    LOW = 1
    HIGH = 2

    def __lt__(self, other):
        return self.value < other.value

    def scaled(self, x):
        return x * self.value


RATES = {Mode.TRAIN: 0.5, Mode.EVAL: 0.25, Mode.FROZEN: 0.0}
MODE = Mode.TRAIN
GRID = {(0, 0): 1.5, (0, 1): 2.5, None: -1.0, True: 4.0}
MODES = [(f32(1, 2), Mode.TRAIN), (f32(-1, 2), Mode.EVAL), (f32(1, 2), Mode.FROZEN), (f32(1, 2), "eval")]


def replace_member(kind, name, other):
    """The mutation that puts another member under a name, which only a metaclass's own methods refuse."""

    def apply():
        before = kind[name]
        type.__setattr__(kind, name, other)
        kind._member_map_[name] = other

        def undo():
            type.__setattr__(kind, name, before)
            kind._member_map_[name] = before

        return undo

    return Mutation(f"replace {name}", apply)


def replace_value(member, value):
    """The mutation that gives a member another value, and leaves it where it is found by its own."""
    return reattribute(member, "_value_", lambda: value)


def define(kind, name, method):
    """The mutation that gives an enum class a method."""

    def apply():
        setattr(kind, name, method)
        return lambda: type.__delattr__(kind, name)

    return Mutation(f"define {name}", apply)


@program(
    rows=(8, 12),
    inputs=lambda: MODES,
    expect="compiled",
    mutations=[
        replace_member(Mode, "TRAIN", Mode.FROZEN),
        define(Mode, "__eq__", lambda self, other: False),
        rebind(globals(), "MODE", lambda: Mode.FROZEN),
    ],
)
def takes_member(x, mode):
    if mode is Mode.TRAIN:
        x = x * 2
    elif mode == Mode.EVAL:
        x = x + 1
    if mode != MODE:
        x = -x
    return x, mode, mode in (Mode.EVAL, Mode.FROZEN), mode is not Mode.TEST


@program(
    rows=(8, 9),
    inputs=lambda: MODES,
    expect="compiled",
    mutations=[replace_member(Mode, "EVAL", Mode.FROZEN)],
)
def matches_member(x, mode):
    match mode:
        case Mode.TRAIN:
            y = x * 2
        case Mode.EVAL | Mode.FROZEN:
            y = x
        case _:
            y = x * 0
    return y


def modes_with_keys():
    return [
        (f32(1, 2), {Mode.TRAIN: f32(3, 4), Mode.EVAL: 2.0}, Mode.TRAIN),
        (f32(1, 2), {Mode.TRAIN: f32(3, 4), Mode.EVAL: 3.0}, Mode.EVAL),
        (f32(1, 2), {Mode.EVAL: f32(3, 4), Mode.TRAIN: 2.0}, Mode.TRAIN),
        (f32(1, 2), {"train": f32(3, 4)}, "train"),
    ]


@program(
    rows=(6, 8),
    inputs=modes_with_keys,
    expect="compiled",
    mutations=[
        rebind(globals(), "RATES", lambda: {**RATES, Mode.EVAL: 2.5}),
        rebind(globals(), "RATES", lambda: {key.value: rate for key, rate in RATES.items()}),
        define(Mode, "__hash__", lambda self: 1),
    ],
)
def member_as_key(x, weights, mode):
    table = {Mode.FROZEN: x, Mode.EVAL: x * 2}
    table[Mode.TRAIN] = x * RATES[Mode.TRAIN]
    seen = {mode, Mode.EVAL}
    return table, weights[mode] * x, table.get(mode), Mode.EVAL in weights, Mode.TRAIN in seen, RATES.get(mode, 1.0)


@program(
    rows=(8, 12),
    inputs=lambda: [(f32(1, 2), "TRAIN", "eval"), (f32(1, 2), "EVAL", "train"), (f32(1, 2), "TRAIN", "none")],
    expect="compiled",
    mutations=[replace_member(Mode, "TRAIN", Mode.FROZEN), replace_value(Mode.TRAIN, "other")],
)
def finds_members(x, name, value):
    by_name, by_value = Mode[name], Mode(value)
    if by_name.value == "train":
        x = x + 1
    return x, by_name, by_value.name, len(by_value.value), by_name is Mode(by_name)


@program(
    rows=(3, 8),
    inputs=lambda: [(f32(1, 2),), (f32(-1, 2),)],
    expect="compiled",
    mutations=[
        replace_value(Kernel.RBF, "other"),
        reattribute(Mode, "_member_names_", lambda: ["EVAL", "TRAIN"]),
    ],
)
def goes_through_members(x):
    found = []
    for place, kernel in enumerate(Kernel):
        x = x * 2 + place
        found.append((kernel, kernel.value, kernel == "rbf"))
    names = [mode.name for mode in Mode]
    sizes = {mode: x * len(mode.value) for mode in Mode if mode is not Mode.FROZEN}
    return x, found, names, sizes, len(Mode), list(zip(Axis, "ab"))


@program(
    rows=(8, 12),
    inputs=lambda: [(grid(2, 3), Axis.ROWS), (grid(2, 3), Axis.COLUMNS), (grid(2, 3), 1)],
    expect="compiled",
)
def integers_of_enum(x, axis):
    total = jnp.sum(x, axis=axis) + axis
    row = x[Axis.COLUMNS] * Axis.COLUMNS
    pair = ["a", "b"]
    for _ in range(Axis.COLUMNS):
        total = total + 1
    if axis == 1 and axis >= Axis.ROWS:
        row = row - axis
    return total, row, pair[axis], axis + 1, -Axis.COLUMNS, isinstance(axis, int), Axis.ROWS.other, not axis


@program(
    rows=(12,),
    inputs=lambda: [(f32(1, 2), Planet.EARTH), (f32(1, 2), Planet.MERCURY)],
    expect="compiled",
    mutations=[reattribute(Planet.EARTH, "mass", lambda: 1.0)],
)
def methods_of_enum(x, planet):
    weight = x * planet.gravity
    if planet is Planet.home():
        weight = weight + 1
    level = Level.LOW
    if level < Level.HIGH:
        weight = Level.HIGH.scaled(weight)
    return weight, isinstance(planet, Planet), isinstance(planet, Mode), bool(level), type(planet) is Planet


@program(
    rows=(12,),
    inputs=lambda: [
        (f32(1, -2), Part.BIAS),
        (f32(1, 2), Part.AFFINE),
        (f32(1, -2), Part.BIAS | Part.CLIP),
        (f32(1, -2), Part(0)),
    ],
    expect="compiled",
    mutations=[replace_value(Part.CLIP, 1)],
)
def flags(x, parts):
    if parts & Part.SCALE:
        x = x * 2
    if Part.BIAS in parts:
        x = x + 1
    if parts & (Part.CLIP | Part.SCALE) == Part.CLIP:
        x = jnp.maximum(x, 0)
    return x, parts | Part.CLIP, ~parts & Part.AFFINE, not parts


class Unit(str, Enum):
    METRE = "m"
    FOOT = "ft"


class Size(int, Enum):
    SMALL = 1
    LARGE = 2


@program(
    rows=(19,),
    inputs=lambda: [(f32(1, 2), Size.LARGE)],
    expect="imperative",
    reason=("object-attribute", "unsupported-expression"),
)
def text_of_member(x, size):
    return "%s" % size, x


@program(rows=(12,), inputs=lambda: [(f32(1, 2), Size.LARGE), (f32(1, 2), Size.SMALL)], expect="compiled")
def arithmetic_of_members(x, size):
    names = ("s", "m", "l")
    if Kernel.RBF + "x" == "rbfx" and "r" + Kernel.RBF > "q":
        x = x * size
    if Unit.FOOT == "ft" and len(Unit.METRE.value) == 1 and Unit("m") is Unit.METRE:
        x = x + 1
    return x + size, size * 2.5, names[size], [0] * size, 2**size, Size.LARGE > size, {Size.SMALL: x, 2: x}[size]


class Odd(Enum):
    ONE = 1

    def __eq__(self, other):
        return other is not None

    def __hash__(self):
        return 1


@program(rows=(8,), inputs=lambda: [(f32(1, 2), Odd.ONE)], expect="imperative", reason="object-attribute")
def enum_that_compares(x, odd):
    return x if odd == Odd.ONE else -x


@program(
    rows=(6, 8),
    inputs=lambda: [(f32(1, 2), {(0, 1): f32(1, 2), None: 3.0}, 1), (f32(1, 2), {(0, 1): f32(1, 2), None: 4.0}, 0)],
    expect="compiled",
    mutations=[
        rebind(globals(), "GRID", lambda: {**GRID, (0, 1): 7.5}),
        rebind(globals(), "GRID", lambda: {(0, False): 1.5, (0, 1): 2.5, None: -1.0, True: 4.0}),
    ],
)
def keys_of_all_kinds(x, given, place):
    made = {(0, place): x, None: given[None], "z": x * 2}
    cells = [value for key, value in GRID.items() if type(key) is tuple]
    return made[0, place] + given[0, 1], made[None], GRID[0, place] * x, cells, GRID[True], (0, 1) in GRID
