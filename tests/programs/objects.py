"""Objects of users' classes: those that were there before, which are read, and those that the call makes."""

import contextlib
import functools
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

import jax.numpy as jnp

from tests.programs import f32, grid, program, reattribute, rebind


@dataclass
class Model:
    """A thing with state."""

    weight: object
    steps: int = 0

    def forward(self, x):
        return x * self.weight

    @property
    def doubled(self):
        return self.weight * 2


@program(
    rows=(8, 12),
    inputs=lambda: [(f32(1, 2), Model(2.0)), (f32(1, 2), Model(3.0)), (f32(1, 2), Model(f32(1, 1)))],
    expect="compiled",
)
def reads_attribute(x, model):
    if x.sum() > 0:
        return x * model.weight + model.steps
    return x


@program(
    rows=(12,),
    inputs=lambda: [(f32(1, 2), Model(2.0)), (f32(-1, 2), Model(3.0))],
    expect="compiled",
    mutations=[
        reattribute(Model, "forward", lambda: lambda self, x: x - self.weight),
        reattribute(Model, "doubled", lambda: property(lambda self: self.weight * 3)),
    ],
)
def calls_method(x, model):
    return model.forward(x) + model.doubled


GLOBAL_MODEL = Model(2.0)


@program(
    rows=(8, 12),
    inputs=lambda: [(f32(1, 2),), (f32(-1, 2),)],
    expect="compiled",
    mutations=[
        rebind(globals(), "GLOBAL_MODEL", lambda: Model(5.0)),
        rebind(GLOBAL_MODEL.__dict__, "weight", lambda: 7.0),
    ],
)
def reads_attribute_of_global(x):
    return x * GLOBAL_MODEL.weight


class Layer:
    """A layer, as a beginner's book has it."""

    gain = 1.5

    def __init__(self, w, b, act="relu"):
        self.w = w
        self.b = b
        self.act = act
        self.parts = [w, w * 2]

    def __call__(self, x):
        y = self.w @ x + self.b
        for part in self.parts:
            y = y + (part * self.gain).sum(1)
        return self.activate(y)

    def activate(self, y):
        if self.act == "relu":
            return jnp.maximum(y, 0)
        return jnp.tanh(y)


LAYER = Layer(grid(2, 2), 0.5)


def shadow_gain():
    LAYER.__dict__["gain"] = 3.0
    return lambda: LAYER.__dict__.pop("gain")


def add_getattr():
    Layer.missing = 4.0
    return lambda: delattr(Layer, "missing")


@program(
    rows=(8, 12),
    inputs=lambda: [(f32(1, 2),), (f32(-1, 2),)],
    expect="compiled",
    mutations=[
        reattribute(Layer, "gain", lambda: 2.5),
        reattribute(Layer, "__call__", lambda: lambda self, x: x),
        reattribute(LAYER, "act", lambda: "tanh"),
        reattribute(LAYER, "parts", lambda: [grid(2, 2)]),
        reattribute(LAYER, "activate", lambda: lambda y: y * 7),
        reattribute(LAYER, "__class__", lambda: type("Other", (Layer,), {"activate": lambda self, y: y - 1})),
        reattribute(Layer, "activate", lambda: staticmethod(lambda y: y * 5)),
    ],
)
def calls_global_layer(x):
    return LAYER(x)


@program(rows=(12,), inputs=lambda: [(f32(1, 2),), (f32(-1, 2),)], expect="compiled")
def returns_object(x):
    return Model(x * 2)


class Account:
    """Counts what was put in."""

    rate = 2.0

    def __init__(self, value, kind=1):
        self.value = value
        self.kind = kind
        self.items = []

    def push(self, item):
        self.value = self.value + item * self.rate
        self.items.append(item)
        return self

    @property
    def mean(self):
        return self.value.mean()

    @mean.setter
    def mean(self, value):
        self.value = jnp.full_like(self.value, value)

    @staticmethod
    def twice(a):
        return 2 * a

    @classmethod
    def zero(cls, x):
        return cls(x * 0)

    def __add__(self, other):
        return Account(self.value + other.value)

    def __len__(self):
        return len(self.items)

    def __call__(self, z):
        return self.value * z

    def __eq__(self, other):
        return isinstance(other, Account) and len(self) == len(other)


class Sub(Account):
    """One that does more."""

    def __init__(self, value):
        super().__init__(value, kind=5)

    def push(self, item):
        super().push(item * 10)
        return self


@program(
    rows=(12,),
    inputs=lambda: [(f32(1, 2, 3),), (f32(-1, -2, 3),), (f32(-1, -2, -3),)],
    expect="compiled",
    mutations=[
        reattribute(Account, "rate", lambda: 3.0),
        reattribute(Account, "twice", lambda: staticmethod(lambda a: a)),
        reattribute(Sub, "__bases__", lambda: (type("Between", (Account,), {"push": lambda self, item: self}),)),
    ],
)
def inherits_and_operates(x):
    a = Account.zero(x)
    a.push(x).push(x + 1)
    b = Sub(x)
    b.push(x)
    c = a + b
    if x.sum() > 0:
        c.value = c.value + 100
    else:
        c.extra = 1.0
        c.value = c.value * Account.twice(3)
    a.mean = 3.0
    return c.mean, c.value, len(a), b(x), a.items[1], isinstance(b, Account), type(c) is Account, a == b, a != c, a.mean


class Node:
    """An element of a chain."""

    def __init__(self, value, next=None):
        self.value = value
        self.next = next


@program(rows=(6, 12), inputs=lambda: [(f32(1, 2),), (f32(-1, 2),)], expect="compiled")
def linked_list(x):
    head = None
    for i in range(4):
        head = Node(x * i, head)
    total = 0
    node = head
    while node is not None:
        total = total + node.value
        node = node.next
    return total, head.next.next.value


@program(rows=(5, 12), inputs=lambda: [(f32(1, 2),), (f32(-1, -2),)], expect="compiled")
def object_in_loop(x):
    node = Node(x)
    node.count = 0
    for i in range(50):
        node.value = node.value * 0.5
        if node.value.sum() > 0.25:
            node.count += 1
        else:
            node.flag = i
    return node.value, node.count


@program(rows=(5, 12), inputs=lambda: [(f32(1, 2),), (f32(-1, 2),)], expect="compiled")
def leads_back_to_itself(x):
    node = Node(x, Node(x * 2))
    node.next.next = node
    if x.sum() > 1:
        node.value = x * 5
        node.next.value = x - 1
    return node.next.next.value, node.next.value


@program(rows=(12,), inputs=lambda: [(f32(1, 2),), (f32(-1, -2),)], expect="compiled")
def returns_objects_that_lead_to_each_other(x):
    one = Node(x)
    other = Node(x + 1, one)
    one.next = other
    if x.sum() > 0:
        one.extra = x * 2
    return one, [other]


class Slotted:
    """Keeps its attributes in slots."""

    __slots__ = ("a", "b")

    def __init__(self, a):
        self.a = a


SLOTTED = Slotted(f32(1, 2))


@program(
    rows=(8, 12),
    inputs=lambda: [(f32(1, 2),), (f32(-1, -2),)],
    expect="compiled",
    mutations=[reattribute(SLOTTED, "a", lambda: f32(3, 4))],
)
def slots(x):
    own = Slotted(x)
    own.b = SLOTTED.a + 1
    if x.sum() > 0:
        own.a = own.a * 2
    return own.a, own.b, hasattr(own, "b"), getattr(SLOTTED, "c", 5), own


@dataclass
class Record:
    """Has every kind of field."""

    a: object
    n: int = 3
    xs: list = field(default_factory=list)
    made: object = field(init=False, default=7)

    def __post_init__(self):
        self.c = self.n + 1


@dataclass(frozen=True)
class Frozen:
    """Cannot be changed."""

    a: object
    b: float = 2.0


@dataclass(slots=True)
class State:
    """Changes in place."""

    a: object
    n: int = 1

    def step(self):
        self.a = self.a * 0.5
        self.n += 1


@program(
    rows=(12,),
    inputs=lambda: [(f32(1, 2),), (f32(-1, -2),)],
    expect="compiled",
    mutations=[
        reattribute(Record.__init__, "__defaults__", lambda: (9, *Record.__init__.__defaults__[1:])),
        reattribute(Record, "__post_init__", lambda: lambda self: setattr(self, "c", -1)),
        reattribute(State, "step", lambda: lambda self: None),
    ],
)
def dataclasses_of_all_kinds(x):
    record = Record(x)
    record.xs.append(x)
    record.n += 2
    frozen = Frozen(x * 2)
    state = State(x)
    for _ in range(5):
        state.step()
    if x.sum() > 0:
        record.n = record.n * 2
    return record.a, record.n, record.xs, record.c, record.made, frozen.a, frozen.b, state.a, state.n, frozen


class Point(NamedTuple):
    """A pair with names."""

    x: object
    k: int = 2


@program(rows=(12,), inputs=lambda: [(f32(1, 2),), (f32(-1, -2),)], expect="compiled")
def named_tuples(x):
    a = Point(x)
    b = Point(x + 1, k=5)
    return a, b._replace(k=7), a.k + b.k, isinstance(a, tuple)


class Guarded:
    """Says what happens to its attributes."""

    def __init__(self, x):
        object.__setattr__(self, "log", [])
        self.x = x

    def __setattr__(self, name, value):
        self.log.append(name)
        super().__setattr__(name, value)

    def __getattr__(self, name):
        if name.startswith("twice_"):
            return getattr(self, name[6:]) * 2
        raise AttributeError(name)


@program(rows=(12,), inputs=lambda: [(f32(1, 2),), (f32(-1, -2),)], expect="compiled")
def own_attribute_access(x):
    one = Guarded(x)
    one.y = x + 1
    return one.twice_x, one.twice_y, one.log, hasattr(one, "twice_x")


class Stack:
    """A container by its methods."""

    def __init__(self):
        self._items = []
        self.__count = 0

    def push(self, value):
        self._items.append(value)
        self.__count += 1

    def pop(self):
        self.__count -= 1
        return self._items.pop()

    def __bool__(self):
        return self.__count > 0

    def __getitem__(self, index):
        return self._items[index]

    def __setitem__(self, index, value):
        self._items[index] = value

    def __contains__(self, number):
        return number < self.__count

    def __neg__(self):
        return -self._items[-1]

    def __iadd__(self, value):
        self.push(value)
        return self


@program(rows=(6, 12), inputs=lambda: [(f32(1, 2),), (f32(-1, -2),)], expect="compiled")
def container_by_methods(x):
    stack = Stack()
    stack.push(x)
    stack.push(x + 1)
    stack += x * 3
    if x.sum() > 0:
        stack[0] = x * 9
    last = stack.pop()
    return last, stack[0], bool(stack), 2 in stack, 1 in stack, -stack


class Timer:
    """A context manager."""

    def __init__(self, log):
        self.log = log

    def __enter__(self):
        self.log.append("in")
        return self

    def __exit__(self, *found):
        self.log.append("out")
        return False


@program(rows=(10, 12), inputs=lambda: [(f32(1, 2),), (f32(-1, -2),)], expect="compiled")
def context_managers(x):
    log = []
    with Timer(log) as timer, Timer(log):
        x = x + 1
        timer.log.append("body")
        if x.sum() > 3:
            return x, log
    return x * 2, log


@program(rows=(10,), inputs=lambda: [(f32(1, 2),), (f32(-1),)], expect="compiled")
def suppresses(x):
    with contextlib.suppress(ZeroDivisionError):
        x = x + 1 // int(x[0] > 0)
    return x


@program(rows=(6,), inputs=lambda: [(f32(1, 2),), (f32(-1, -2),)], expect="compiled")
def deques(x):
    queue = deque()
    for i in range(3):
        queue.append(x * i)
    queue.appendleft(x)
    last = queue.pop()
    if x.sum() > 0:
        queue[0] = queue[0] + 5
    return list(queue), last, len(queue), queue


class Lazy:
    """Computes once."""

    def __init__(self, x):
        self.x = x

    @functools.cached_property
    def total(self):
        return self.x.sum()


@program(rows=(12,), inputs=lambda: [(f32(1, 2),), (f32(-1, -2),)], expect="compiled")
def cached_properties(x):
    lazy = Lazy(x)
    first = lazy.total
    lazy.x = x * 2
    return first, lazy.total, lazy.total is first


class Base:
    """What the two below build on."""

    def __init__(self, value):
        self.value = value

    def read(self):
        """The value."""
        return self.value


class Doubled(Base):
    """Names itself where it asks for what it inherits."""

    def __init__(self, value):
        super(Doubled, self).__init__(value * 2)

    def read(self):
        """One more than the value."""
        return super(Doubled, self).read() + 1


class Twice(Doubled):
    """Passes one of its bases over."""

    def read(self):
        """What both bases read, together."""
        return super(Doubled, self).read() + super().read()


@program(rows=(12,), inputs=lambda: [(f32(1, 2),), (f32(-1, 3),)], expect="compiled")
def names_the_class_in_super(x):
    return Doubled(x).read(), Twice(x).read()
