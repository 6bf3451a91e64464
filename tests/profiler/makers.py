"""Functions that make functions. A plain module, so that pytest leaves its code as it is."""

import asyncio
import functools
import threading

KEPT = {}
SEEN = []


def look(function):
    SEEN.append((function, function.__code__))
    return function


def look_twice(text):
    return lambda function: look(look(function))


def wrapping(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args) if args else None

    return wrapper


def runs(function, *args):
    """Have a library call it."""
    return list(map(function, *([arg] for arg in args)))


def runs_here(function):
    return function(0)


def makes_def(x):
    def inner(y: int = 3, *, z: "str" = "z") -> float:
        """Count."""
        for _ in range(y):
            y += 1 if z else 2
        return y + x

    return inner(2), runs(inner, 2), inner


def makes_lambda(x):
    inner = lambda y=x: y if y > 0 else -y
    return inner(2), runs(inner, -2), inner


def makes_without_a_call(x):
    def inner(y):
        return y if y else x

    return inner


def makes_async(x):
    async def inner(y):
        for _ in range(2):
            await asyncio.sleep(0)
        return [i async for i in others(y)]

    async def others(y):
        while y > 0:
            yield y
            y -= 1

    return asyncio.run(inner(2)), runs(asyncio.run, inner(x)), inner, others


def makes_generator(x):
    def inner(y):
        for i in range(y):
            yield i if i else x

    begun = inner(3)
    next(begun)
    return list(inner(2)), list(runs(inner, 3)[0]), inner, list(begun)


def makes_class(x):
    class Inner:
        def __init__(self, y):
            self.y = y if y else 1

        def method(self):
            return [item or x for item in range(self.y)]

        @staticmethod
        def still(y):
            return y if y else 0

        @classmethod
        def make(cls, y):
            return cls(y) if y else None

        @property
        def value(self):
            return self.y if self.y else 0

        def __add__(self, other):
            return self.y + (other.y if other else 0)

        class Deeper:
            def method(self):
                while x > 100:
                    pass
                return super().__repr__ is not None

    one, two = Inner(1), Inner.make(2)
    names = [Inner.__init__, Inner.method, Inner.still, Inner.make.__func__, Inner.value.fget, Inner.__add__]
    return one.method(), two.still(0), two.value, one + two, Inner.Deeper().method(), *names, Inner.Deeper.method


def makes_in_comprehensions(x):
    made = [lambda y, i=i: y if y else i for i in range(2)]
    keyed = {i: (lambda: x if x else i) for i in range(2)}
    lazy = (lambda y: y if y else i for i in range(2))
    return runs(made[0], 1), *made, *keyed.values(), *lazy


def makes_two_levels(x):
    def middle(y):
        def inner(z):
            while z > 0:
                z -= 1
            return lambda: z if z else x + y

        return inner if y else None

    by_library = runs(middle, 1)[0]
    by_watched = middle(2)
    return middle, by_library, by_watched, runs(by_library, 2)[0], by_library(1), by_watched(3)


def makes_decorated(x):
    @look_twice("the text")
    @look
    def seen(y):
        return y if y else x

    @wrapping
    def wrapped(y):
        return y if y else x

    @functools.lru_cache(None)
    def cached(y):
        return y if y else x

    results = seen(1), runs(seen, 0), wrapped(2), runs(wrapped, 0), cached(3), runs(cached, 0)
    return *results, seen, wrapped.__wrapped__, wrapped, cached.__wrapped__


def makes_and_stores(x):
    def inner(y):
        return y if y else x

    class Holder:
        pass

    holder = Holder()
    holder.field = holder.listed = [inner, {"key": inner}, functools.partial(inner, 1)]
    KEPT["inner"] = inner
    KEPT["holder"] = holder
    return runs(inner, 1), inner


def makes_and_raises(error):
    def inner(y):
        if y:
            raise error
        return y

    KEPT["inner"] = inner
    runs(inner, 0)
    runs(inner, 1)


def makes_in_a_thread(go, done):
    def work():
        def inner(y):
            return y if y else 0

        runs(inner, 1)
        KEPT["first"] = inner
        done.release()
        go.acquire()

        def later(y):
            return y if y else 0

        runs(later, 1)
        KEPT["later"] = later

    thread = threading.Thread(target=work)
    thread.start()
    done.acquire()
    return thread, work


def leaves_a_generator(x):
    def produce():
        for i in range(x):

            def inner(y, i=i):
                return y if y else i

            runs(inner, 1)
            yield inner

    begun = produce()
    return next(begun), begun


def calls_itself(n):
    def inner(y):
        return y if y else n

    if n > 0:
        return [inner, runs(inner, n), *calls_itself(n - 1), runs(inner, 0)]
    return [inner, runs(inner, n)]


def replaces_its_code(x):
    def inner(y):
        return y if y else 1

    def other(y):
        return y

    runs(inner, 1)
    inner.__code__ = other.__code__
    return inner


def uses_by_library(x):
    def inner(y):
        while y > 0:
            y -= 1
        return y

    class Vector:
        def __init__(self, y):
            self.y = y

        def __add__(self, other):
            for _ in range(3):
                pass
            return Vector(self.y + other.y)

    total = Vector(1) + Vector(2)
    return runs(inner, 2), sorted([3, 1], key=inner), total.y, inner(x)


def makes_many(n):
    for i in range(n):
        inner = lambda y: y if y else i
        runs(inner, i)
    return n


def makes_endless(x):
    def inner(y):
        return inner(y + 1)

    return runs(inner, x)


def looks_inside(check):
    def inner(y):
        return y if y else 0

    before = inner.__code__
    return runs(check, inner)[0], before, inner


CASES = [
    makes_def,
    makes_lambda,
    makes_without_a_call,
    makes_async,
    makes_generator,
    makes_class,
    makes_in_comprehensions,
    makes_two_levels,
    makes_decorated,
    makes_and_stores,
    calls_itself,
]
