"""Python's constructs, each in a small function: what a rewritten function must not change.

A plain module, so that pytest leaves its code as it is.
"""
# ruff: noqa: B006, B007, B008, C400, E501, F821, PERF401

import asyncio
import contextlib
import functools
import sys

CASES = []


def case(*args):
    """Register the function with arguments to call it with, and hand it back."""

    def register(function):
        CASES.append((function, args))
        return function

    return register


def helper(value, *more, scale=2, **options):
    if value > 3:
        value -= 1
    return value * scale + len(more) + len(options)


def double(value):
    return value * 2


class Trail:
    """Writes down what is done to it."""

    def __init__(self):
        self.events = []

    def __bool__(self):
        self.events.append("bool")
        return len(self.events) % 2 == 0

    def __call__(self, name):
        self.events.append(name)
        return name

    def __getitem__(self, key):
        self.events.append(key)
        return self

    def __enter__(self):
        self.events.append("enter")
        return self

    def __exit__(self, *details):
        self.events.append(details[0])
        return True


@case(5)
def branches(n):
    """The docstring."""
    out = []
    for i in range(n):
        if i == 0:
            out.append("zero")
        elif i % 2:
            out.append("odd")
        else:
            out.append("even")
        if i > 2:
            out.append(i)
    return out


@case(3)
def branches_without_else(n):
    if n > 10:
        return "big"
    if not n:
        return "none"
    if n > 2 and (
        n < 100
        or n == 1000
    ):  # fmt: skip
        n += 1
    return n


@case(7)
def loops_with_else(n):
    found = []
    for i in range(n):
        for j in range(i):
            if j == 3:
                break
            if j % 2:
                continue
            found.append((i, j))
        else:
            found.append(i)
    while n:
        n -= 1
        if n == 2:
            break
    else:
        found.append("never")
    return found, n, i, j


@case()
def loop_over_nothing():
    for item in ():
        return item
    else:
        return "nothing"


@case()
def loop_variable_unbound():
    for item in []:
        pass
    return item


@case(4)
def ternaries(n):
    trail = Trail()
    first = "a" if trail else "b"
    second = ("c" if n else "d") if trail else (trail("e"), "f")
    third = trail if n > 2 else None
    if third if n else n:
        trail("asked once")
    return first, second, [x if x % 2 else -x for x in range(n)], trail.events


@case()
def falsy_arms():
    return [0 if True else 1, "" if [] else (), None if 1 else 2, (x := 0) if 1 else 5, x]


@case(3)
def short_circuits(n):
    trail = Trail()
    return (n > 1 and trail("and")) or trail("or"), not trail, n < 5 < 2 or trail, 1 < n < 9, trail.events


@case(3)
def calls(n):
    options = {"a": 1}
    positional = [1, 2]
    return [
        helper(n),
        helper(n, *positional),
        helper(n, 1, *positional, 2, scale=5, **options),
        helper(*positional, **options, b=3),
        (lambda x, y=n: x + y)(4),
        helper(helper(helper(n))),
        max([n, 2], key=lambda item: -item),
        "-".join(str(item) for item in positional),
    ]


@case()
def order_of_evaluation():
    trail = Trail()
    trail[trail("first")](trail("second"), *[trail("third")], key=trail("fourth")) if 0 else trail("fifth")
    trail[(trail("i"))].attribute = trail("value")
    x, trail[trail("target")].y = trail("left"), trail("right")
    return trail.events, x


@case()
def not_callable():
    value = 3
    return value(1)


@case()
def wrong_arguments():
    return double(1, 2)


@case()
def wrong_keyword():
    return double(wrong=2)


class Base:
    """A class whose methods are inherited."""

    factor = 3

    def __init__(self, value):
        self.value = value

    def scaled(self, by=1):
        total = 0
        for _ in range(by):
            total += self.value
        return total

    @classmethod
    def made(cls, value):
        return cls(value) if value else cls(1)

    @staticmethod
    def fixed(value):
        return value + 1

    @property
    def doubled(self):
        return double(self.value)

    def raising(self):
        if self.value:
            raise KeyError(self.value)


class Derived(Base):
    """Uses both forms of super, and names that are private to the class."""

    __hidden = 4

    def __init__(self, value):
        super().__init__(value)
        self.__private = [value] if value else []

    def scaled(self, by=1):
        extra = sum(super(Derived, self).scaled(i) for i in range(2))
        return super().scaled(by) + self.__hidden + len(self.__private) + extra

    @classmethod
    def made(cls, value):
        made = super().made(value)
        if made.value > 1:
            made.value += 1
        return made

    def own_class(self):
        return __class__ if self.value else None

    def __secret(self):
        return "secret" if self.value else ""

    def tell(self):
        return self.__secret()

    def many_times(self):
        def inner():
            return __class__.__name__ if self.value else super(__class__, self).scaled(2)

        return inner(), [super(Derived, self).scaled(n) for n in (1, 2)]


@case(4)
def objects(n):
    one = Derived(n)
    return (
        one.scaled(2),
        one.doubled,
        one.fixed(n),
        Derived.made(n).value,
        one.own_class(),
        one.tell(),
        one.many_times(),
    )


CASES.extend(
    (function, (Derived(2),))
    for function in (Derived.scaled, Derived.own_class, Derived.tell, Derived.many_times, Base.raising)
)
CASES.append((Derived.__init__, (Derived(1), 5)))
CASES.append((Derived.made.__func__, (Derived, 5)))


@case(3)
def raises_in_chain(n):
    return (
        Derived(n)
        .made(n)
        .raising()
    )  # fmt: skip


@case(3)
def raises_in_chain_on_module(n):
    return (
        functools
        .reduce(double, [n, "a"], key=1)
    )  # fmt: skip


@case(3)
def raises_in_chain_with_star(n):
    return (
        Derived(n)
        .raising(*[])
    )  # fmt: skip


@case(3)
def raises_over_lines(n):
    return helper(
        n,
        n / 0,
    )


@case()
def raises_in_loop_test():
    n = 3
    while 1 / n:
        n -= 1


@case()
def raises_in_iterator():
    for i in (1 / (2 - x) for x in range(5)):
        kept = i
    return kept


@case()
def exceptions():
    log = []
    for value in (1, 0, "a", None):
        try:
            result = 1 / value
            if result:
                log.append(result)
        except ZeroDivisionError as error:
            log.append(str(error))
            continue
        except TypeError:
            log.append("type")
            if value is None:
                break
        else:
            log.append("else")
        finally:
            log.append("finally" if value else "at last")
    return log, "error" in locals()


@case()
def returns_in_finally():
    for i in range(3):
        try:
            if i == 1:
                return i
        finally:
            if i == 1:
                double(i)


@case()
def exceptions_in_context():
    try:
        try:
            helper(None)
        except TypeError as error:
            raise ValueError("chained") from error
    finally:
        double(1)


@case()
def exception_groups():
    caught = []
    try:
        raise ExceptionGroup("many", [ValueError(1), KeyError(2)])
    except* ValueError as group:
        caught.append(len(group.exceptions) if group else 0)
    except* KeyError:
        caught.append("key")
    return caught


@case()
def contexts():
    trail = Trail()
    with trail as entered, contextlib.suppress(ValueError):
        entered("inside")
        if trail:
            raise ValueError
    with trail:
        raise KeyError("swallowed")
    return trail.events


@case([1, 2, 3])
def matches(items):
    out = []
    for subject in (items, {"kind": "x", "size": 2}, 5, "text", None, Base(3)):
        match subject:
            case [first, *rest] if double(first) == 2:
                out.append((first, rest))
            case {"kind": kind, **others}:
                out.append((kind, others) if others else kind)
            case int() | float():
                out.append("number")
            case Base(value=value):
                out.append(value)
            case None:
                pass
            case _:
                out.append("other")
    return out


@case(6)
def walrus(n):
    out = []
    while (half := n // 2) > 0:
        out.append(half)
        n = half
    if (m := len(out)) and (k := double(m)) > 1:
        out.append(k)
    return out, [y for x in range(5) if (y := helper(x)) > 2], y


@case(4)
def comprehensions(n):
    table = {str(k): v if v else None for k, v in enumerate(range(n)) if helper(k) > 0}
    nested = [[helper(i + j) for j in range(i)] for i in range(n)]
    return table, nested, {double(x) for x in range(n)}, list(double(x) for x in range(n)), sorted(locals())


@case(3)
def closures(n):
    count = 0

    def bump(by=1):
        nonlocal count
        for _ in range(by):
            count += 1
        return count

    functions = [lambda i=i: i + n for i in range(3)]
    late = [lambda: i for i in range(3)]
    bump()
    bump(by=3)
    return count, [f() for f in functions], [f() for f in late], bump.__qualname__, bump.__closure__[0].cell_contents


@case(5)
def recursion(n):
    def factorial(k):
        return 1 if k <= 1 else k * factorial(k - 1)

    return factorial(n)


def make_counter():
    total = [10]
    other = total if total else None

    def add(value):
        nonlocal other
        if value:
            other = [*total, value]
        return other, __name__

    return add


CASES.append((make_counter(), (4,)))
CASES.append((make_counter, ()))


@case(3)
def with_defaults(n, a=[], *, b=double(4), c=None):  # kept over calls, as people meet it
    a.append(n) if len(a) < 1 else None
    return n, a, b, c


@case(3)
def decorated_inside(n):
    def twice(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            return function(*args, **kwargs), function(*args, **kwargs)

        return wrapper

    @twice
    @functools.cache
    def inner(x: "int" = n) -> "int | None":
        """Inner docstring."""
        return x if x else None

    return inner(), inner.__doc__, inner.__annotations__, inner.__name__


@case(3)
def classes_inside(n):
    class Meta(type):
        def __call__(cls, *args):
            return super().__call__(*args) if args else None

    class Inner(Base, metaclass=Meta):
        if n > 2:
            size = n
        else:
            size = 0
        for extra in range(2):
            size += extra

        def scaled(self, by=size):
            return super().scaled(by) if self.value else by

    return Inner(), Inner(2).scaled(), Inner.size, sorted(key for key in vars(Inner) if not key.startswith("__"))


@case(2)
def local_names(n):
    if n:
        a = 1
    before = sorted(locals())
    for b in range(n):
        helper(b)
    del a
    return before, sorted(locals()), sorted(vars())


@case()
def deleted():
    x = 1
    if x:
        del x
    return x


@case()
def globals_changed():
    global made_here
    made_here = 5
    result = made_here if "made_here" in globals() else None
    del made_here
    return result


@case(3)
def strings(n):
    width = 6
    return f"{helper(n):>{width}} {n if n else 0!r} {double(n)=} {'a' if n else 'b'}tail{[double(x) for x in 'ab']}"


@case(4)
def generators(n):
    def produce(limit):
        received = []
        try:
            for i in range(limit):
                received.append((yield i if i % 2 else -i))
        finally:
            received.append("closed")
        return received

    def delegate(limit):
        result = yield from produce(limit)
        yield len(result)

    source = delegate(n)
    out = [next(source)]
    with contextlib.suppress(StopIteration):
        while True:
            out.append(source.send(len(out)))
    return out


@case(3)
def a_generator(n):
    try:
        for i in range(n):
            if i:
                yield helper(i)
        yield (yield double(n)) if n else None
    finally:
        yield "last"


@case(3)
def asynchronous(n):
    async def step(value):
        await asyncio.sleep(0)
        return value if value else None

    async def produce(limit):
        for i in range(limit):
            yield await step(i)

    async def main():
        out = [x async for x in produce(n) if x]
        async for x in produce(n):
            if x:
                out.append(x)
        else:
            out.append("done")
        async with contextlib.AsyncExitStack():
            out.append((await step(1)) if out else 0)
        return out

    return asyncio.run(main())


@case(3)
async def a_coroutine(n):
    total = 0
    for i in range(n):
        await asyncio.sleep(0)
        total += i if i else 10
    return total


@case(3)
async def an_async_generator(n):
    for i in range(n):
        if i:
            yield i
        await asyncio.sleep(0)


@case(4)
def augmented(n):
    table = {"a": [1]}
    table["a"] += [n] if n else []
    index = [0]
    values = [1, 2, 3]
    values[index.pop()] += double(n)
    values[1:] = reversed(values[1:])
    first, *rest = values
    return table, values, first, rest


@case()
def constant_tests():
    out = []
    if 0:
        out.append(never)  # it is never run
    if __debug__:
        out.append("debug")
    while 1:
        out.append("once")
        break
    while False:
        out.append("dead")
    return out if True else None


@case(3)
def assertions(n):
    assert n > 1, helper(n)
    assert n > 5, f"no: {helper(n)}"


@case()
def frames():
    frame = sys._getframe()
    return frame.f_code.co_name, frame.f_lineno - frame.f_code.co_firstlineno, sorted(frame.f_locals)


def undecorated_one_liner(n): return n if n else (n for n in "ab") if n is None else -1  # fmt: skip


CASES.append((undecorated_one_liner, (0,)))
CASES.append((lambda n: helper(n) if n else n, (3,)))
CASES.extend((f, (2,)) for f in (lambda a: a or helper(a), lambda a: helper(a) + 1, lambda a=1: a if a else helper(a)))  # fmt: skip
CASES.append((functools.partial(lambda a, b: a if a > b else helper(b), 3).func, (1, 2)))
