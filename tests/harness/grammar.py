"""What generated programs are made of: expressions by kind, globals that they may read, themes."""

from __future__ import annotations

from dataclasses import dataclass

PARAMETERS = {"x": "scalar", "v": "vector", "n": "int", "r": "float", "flag": "bool", "vs": "vectors"}
LEAVES = {
    "int": ["1", "0", "2", "3", "-1", "5", "7"],
    "float": ["0.5", "1.0", "-2.0", "0.1", "0.0", "-0.0", "3.0"],
    "bool": ["True", "False"],
    "scalar": ["x", "v[0]", "v[-1]", "v.sum()"],
    "vector": ["v", "vs[0]", "vs[-1]"],
    "vectors": ["vs"],
    "condition": ["<scalar> > <float>", "<int> < <int>", "flag"],
}
READABLE_AS = {"scalar": ("scalar", "mixed"), "condition": ("bool",)}
# What expressions look like; a <hole> is filled by an expression of its kind, nested one level less deep.
GRAMMAR = {
    "int": [
        *("<int> + <int>", "(<int> - <int>)", "-(<int>)", "(<int>) * <factor>", "min(<int>, <int>)", "abs(<int>)"),
        *("(<int>) // <divisor>", "(<int>) % <divisor>", "max(<int>, <int>)", "((<int>) % 7) ** 2", "len(vs)"),
        *("v.shape[0]", "(<int> if <condition> else <int>)"),
    ],
    "float": [
        *("<float> + <float>", "(<float> - <float>)", "(<float>) * (<float>)", "-(<float>)", "(<float> + <int>)"),
        *("(<int>) / <divisor>", "max(<float>, <float>)", "min(<float>, <float>)", "(<float>) / <divisor>"),
        *("abs(<float>)", "float(<int>)", "(<float>) // <divisor>", "(<float> if <condition> else <float>)"),
    ],
    "bool": ["<condition>", "<int> <sign> <int>", "<float> <sign> <float>", "not <condition>"],
    "scalar": [
        *("<scalar> + <float>", "(<scalar> - <scalar>)", "(<scalar>) * (<number>)", "(<scalar>) * 0.5 + <scalar>"),
        *("jnp.sum(<vector>)", "jnp.sin(<scalar>)", "jnp.maximum(<scalar>, <scalar>)", "jnp.abs(<scalar>)"),
        *("(<vector>).max()", "-(<scalar>)", "v[(<int>) % 3]", "jnp.where(<scalar> > <number>, <scalar>, <scalar>)"),
        *("(<scalar>) / 2", "(<scalar> if <condition> else <scalar>)", "jnp.dot(v, <vector>)", "(<number> - <scalar>)"),
    ],
    "vector": [
        *("<vector> + <number>", "(<vector>) * (<scalar>)", "(<vector> - <vector>)", "-(<vector>)", "(<vector>) / 4"),
        *("jnp.tanh(<vector>)", "(<vector>)[::-1]", "jnp.where(<vector> > 0, <vector>, <number>)", "jnp.abs(<vector>)"),
        *("jnp.cumsum(<vector>) * 0.5", "(<vector>).at[<index>].set(<number>)", "(<vector>) + <scalar>"),
    ],
    "vectors": ["[<vector>, <vector>]"],
    "condition": [
        *("<scalar> <sign> <float>", "<int> <sign> <int>", "flag", "<float> <sign> <float>", "v.sum() <sign> <scalar>"),
        *("<float> < <scalar> <= 2.0", "<int> < <int> <sign> n", "<scalar>", "<int>", "<float>", "not (<condition>)"),
        *("(<condition> and <condition>)", "(<condition> or <condition>)", "jnp.any(<vector> > <float>)"),
        *("v[0] <sign> v[1] < <float>", "<bool>"),
    ],
}
TOKENS = {
    "number": ["<float>", "<int>", "<scalar>"],
    "factor": ["2", "1", "0", "-1", "3"],
    "divisor": ["2", "3", "-2", "5", "(<int>)"],
    "sign": ["<", ">", "<=", ">=", "==", "!="],
    "index": ["0", "1", "-1", "n % 3"],
    "mixed": ["<scalar>", "<float>", "<int>"],
}
HELPER_LEAVES = {**LEAVES, "scalar": ["p"], "condition": ["r > <int>"]}
HELPER_GRAMMAR = {
    **{kind: [form for form in GRAMMAR[kind] if "v" not in form] for kind in ("int", "float")},
    "scalar": [
        "<scalar> + <float>",
        "(<scalar>) * <int>",
        "jnp.sin(<scalar>)",
        "(<scalar>) / 2",
        "(<float> - <scalar>)",
    ],
    "condition": ["<scalar> <sign> <float>", "r <sign> <int>", "q"],
}
GLOBALS = {"RATE": "float", "LIMIT": "int", "BIAS": "vector"}
PREAMBLE = {
    "RATE": "RATE = 0.5\n",
    "LIMIT": "LIMIT = 3\n",
    "BIAS": "BIAS = jnp.array([0.5, -0.25, 1.0])\n",
    "Thing(": """
class Base:
    scale = 2

    def __init__(self, value, count=0):
        self.value = value
        self.count = count
        self.items = []

    def __len__(self):
        return len(self.items)


class Thing(Base):
    def __init__(self, value, **options):
        super().__init__(value, **options)

    def add(self, other):
        self.value = self.value + other * self.scale
        self.count += 1
        return self.value

    def __iadd__(self, other):
        self.items.append(other)
        return self

    @property
    def doubled(self):
        return self.value * 2

    @doubled.setter
    def doubled(self, value):
        self.value = value / 2
""",
    "scaled(": """
def make_scaled(factor):
    def scaled(t, shift=RATE):
        if t > 2.0:
            return t * factor - LIMIT
        return t * factor + shift
    return scaled


scaled = make_scaled(1.5)
""",
}


@dataclass(frozen=True, slots=True)
class Theme:
    """What a program is mostly made of: how often each kind of statement is drawn."""

    name: str
    weights: dict[str, int]

    def statements(self) -> list[str]:
        """The kinds of statements, each as often as its weight; the simplest first, as shrinking wants them."""
        return [kind for kind, weight in self.weights.items() for _ in range(weight)]


PLAIN = {"assign": 4, "augmented": 3}
THEMES = {
    theme.name: theme
    for theme in (
        Theme("branches", {**PLAIN, "if_": 7, "return_": 1, "one_path": 1, "ternary": 2, "swap": 1, "assert_": 1}),
        Theme("loops", {**PLAIN, "if_": 2, "while_": 3, "for_": 4, "leave": 3, "return_": 1, "retype": 1, "none": 1}),
        Theme("calls", {**PLAIN, "if_": 2, "for_": 2, "call": 4, "lambda_": 2, "inner": 2, "swap": 1, "return_": 1}),
        Theme("numbers", {**PLAIN, "number": 5, "if_": 3, "while_": 3, "for_": 2, "leave": 2, "retype": 2, "swap": 2}),
        Theme("objects", {**PLAIN, "make": 4, "change": 6, "read": 3, "alias": 1, "if_": 3, "for_": 3, "leave": 1}),
        Theme("rare", {**PLAIN, "make": 3, "change": 3, "read": 2, "tries": 3, "matches": 2, "closure": 2, "if_": 2}),
        Theme("odd", {**PLAIN, "retype": 3, "none": 2, "one_path": 2, "if_": 3, "for_": 3, "while_": 2, "leave": 2}),
    )
}
