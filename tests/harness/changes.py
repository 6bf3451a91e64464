"""What a place may hold instead: other values, other types, other shapes, and things that only look the same."""

from __future__ import annotations

import contextlib
import math
import sys
import types
from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array, device_put, devices, dtypes, lax
from jax.random import split

from tests.harness.outcomes import PROGRAM_FILES, is_user_file
from tests.harness.places import MISSING, AttributePlace, ContentPlace, FunctionPlace, GlobalPlace, Place

Change = tuple[str, Any]


def changes_of(place: Place) -> list[Change]:
    """Return every change that is tried on `place`, with a name for each."""
    value = place.read()
    match place:
        case FunctionPlace(function, name):
            return list(function_changes(function, name))
        case ContentPlace():
            return list(content_changes(value))
        case AttributePlace(types.ModuleType() as owner, _) if is_of_library(owner):
            return list(library_changes(owner, value))
        case _:
            deletion = (
                [] if isinstance(place, GlobalPlace) and place.name not in place.namespace else [("deleted", MISSING)]
            )
            return [*value_changes(value), *deletion]


def is_of_library(module: types.ModuleType) -> bool:
    """Say whether a module is neither a test's nor made by one."""
    builtin = module.__name__ in sys.builtin_module_names
    return builtin or not is_user_file(getattr(module, "__file__", PROGRAM_FILES[0]))


def library_changes(owner: types.ModuleType, value: Any) -> Iterator[Change]:
    """Yield what may stand in a library's module: only callers in users' files see a function replaced.

    JAX calls its own modules, and keeps what it traced: a function that is changed for JAX too would stay changed.
    """
    if isinstance(value, types.ModuleType):
        yield from module_changes(value)
    elif isinstance(value, type):
        yield from class_changes(value)
    elif callable(value):
        yield ("twisted for users", twisted_for_users(value))
        yield ("a wrapper that adds nothing", wrapped(value))
    else:
        yield from value_changes(value)
    if owner.__name__.startswith("jax."):
        yield ("deleted", MISSING)


def class_changes(value: type) -> Iterator[Change]:
    """Yield a class for a library's class: the library asks of objects whether they are of it."""
    with contextlib.suppress(TypeError):  # bool, for one, has no subclasses
        yield ("a subclass that adds nothing", type(value.__name__, (value,), {}))


def value_changes(value: Any) -> Iterator[Change]:
    """Yield other values for one that is read."""
    match value:
        case bool():
            yield from bool_changes(value)
        case int():
            yield from int_changes(value)
        case float():
            yield from float_changes(value)
        case str():
            yield from [("another string", value + "x"), ("no string", None), ("an equal string", "".join(list(value)))]
        case None:
            yield from [("a number for None", 1), ("False for None", False), ("an array for None", jnp.zeros(3))]
        case Array() | np.ndarray():
            yield from array_changes(value)
        case tuple() | list() | dict():
            yield from container_changes(value)
        case types.ModuleType():
            yield from module_changes(value)
        case type():
            yield from [("a subclass", subclass_of(value)), ("another class", complex), ("twisted", twisted(value))]
        case _ if callable(value):
            yield from callable_changes(value)
        case _:
            yield ("None for an object", None)


def bool_changes(value: bool) -> Iterator[Change]:
    """Yield what a bool may become."""
    yield ("the other bool", not value)
    yield ("the equal int", int(value))
    yield ("a NumPy bool", np.bool_(value))
    yield ("an array of the bool", jnp.asarray(value))
    yield ("None", None)


def int_changes(value: int) -> Iterator[Change]:
    """Yield what an int may become."""
    yield ("next int", value + 1)
    yield ("previous int", value - 1)
    yield ("negated int", -value)
    yield ("zero", 0)
    yield ("the equal bool, or True", value == 1)
    yield ("the equal float", float(value))
    yield ("a half", value + 0.5)
    yield ("beyond 32 bits", value + 2**33)
    yield ("beyond 64 bits", value + 2**70)
    yield ("a NumPy int", np.int32(value % 2**30))
    yield ("an array of the int", jnp.asarray(value % 2**30))
    yield ("a string", str(value))
    yield ("None", None)


def float_changes(value: float) -> Iterator[Change]:
    """Yield what a float may become."""
    yield ("next float", math.nextafter(value, math.inf))
    yield ("another float", value + 1.25)
    yield ("negated float", -value)
    yield ("zero", 0.0)
    yield ("negative zero", -0.0)
    yield ("nan", math.nan)
    yield ("infinity", math.inf)
    yield ("an equal float", float(repr(value)))
    yield ("an int", 2 if not math.isfinite(value) else int(value))
    yield ("a NumPy float", np.float64(value))
    yield ("a NumPy float32", np.float32(value))
    yield ("an array of the float", jnp.asarray(value))
    yield ("a strong array of the float", jnp.asarray(value, jnp.float32))
    yield ("None", None)


def array_changes(value: Any) -> Iterator[Change]:
    """Yield what an array may become."""
    if dtypes.issubdtype(value.dtype, dtypes.prng_key):
        yield ("another key", split(value)[0])
        return
    space = np if isinstance(value, np.ndarray) else jnp
    yield ("an equal array", space.array(value))
    yield ("other content", value ^ True if value.dtype == bool else value + 1)
    yield ("negated", value if value.dtype == bool else -value)
    yield ("zeros", space.zeros_like(value))
    yield ("another dtype", value.astype(np.int32 if np.issubdtype(value.dtype, np.floating) else np.float32))
    yield ("a smaller dtype", value.astype(np.float16))
    yield ("one more axis", value[None])
    yield ("longer", space.concatenate([value, value]) if value.ndim else space.stack([value, value]))
    yield ("empty", value.reshape(-1)[:0])
    yield ("the other library", jnp.asarray(value) if space is np else np.asarray(value))
    yield ("a number", 1.5)
    yield ("None", None)
    if np.issubdtype(value.dtype, np.floating):
        yield ("nans", space.full_like(value, math.nan))
        yield ("negative zeros", -space.zeros_like(value))
        yield ("infinities", space.full_like(value, math.inf))
    if space is jnp:
        yield ("committed", device_put(value, devices()[0]))
        yield ("the other weak type", with_other_weak_type(value))


def with_other_weak_type(value: Array) -> Array:
    """Return the array weakly typed if it was not, and the reverse, when that is possible."""
    if value.aval.weak_type:
        return lax.convert_element_type(value, np.dtype(value.dtype))
    if value.dtype not in (jnp.float32, jnp.int32) or not value.size:
        return value
    return jnp.full(value.shape, value.reshape(-1)[0].item())


def container_changes(value: Any) -> Iterator[Change]:
    """Yield other containers with other or the same content."""
    kind = type(value)
    yield ("an equal container", dict(value) if kind is dict else kind_of(value)(list(value)))
    yield ("an empty container", kind_of(value)())
    yield ("None", None)
    if kind is dict:
        yield ("another key order", dict(reversed(value.items())))
        yield ("one key more", {**value, "a new key": 0})
        yield ("one key less", dict(list(value.items())[1:]))
        return
    yield ("reversed", kind_of(value)(list(value)[::-1]))
    yield ("shorter", kind_of(value)(list(value)[:-1]))
    yield ("longer", kind_of(value)([*value, *value[:1]]))
    yield ("the other sequence", tuple(value) if kind is list else list(value))


def kind_of(value: Any) -> type:
    """Return list for lists, tuple for tuples of any class, dict for dicts."""
    return next(kind for kind in (list, tuple, dict) if isinstance(value, kind))


def content_changes(value: Any) -> Iterator[Change]:
    """Yield other contents for one and the same container."""
    if isinstance(value, np.ndarray):
        yield ("other content", value ^ True if value.dtype == bool else value + 1)
        yield ("zeros", np.zeros_like(value))
        return
    for name, other in container_changes(value):
        if other is not None and type(other) is type(value):
            yield (f"content: {name}", other)


def module_changes(module: types.ModuleType) -> Iterator[Change]:
    """Yield modules and objects that look like this one."""
    twin = types.ModuleType(module.__name__)
    twin.__dict__.update(vars(module))
    yield ("a module with the same content", twin)
    yield ("a namespace with the same content", types.SimpleNamespace(**vars(module)))
    twister = types.ModuleType(module.__name__)
    twister.__dict__.update(
        {name: twisted_for_users(item) if is_function(item) else item for name, item in vars(module).items()}
    )
    yield ("a module of twisted functions", twister)
    yield ("None", None)


def is_function(value: Any) -> bool:
    """Say whether a module's entry is a function, not a class or a module."""
    return callable(value) and not isinstance(value, type)


def subclass_of(value: type) -> Any:
    """Return a subclass, or the class itself where none can be made."""
    try:
        return type(value.__name__, (value,), {})
    except (TypeError, AttributeError):  # the latter for enum classes
        return value


def callable_changes(value: Any) -> Iterator[Change]:
    """Yield functions that stand in for a function."""
    yield ("twisted", twisted(value))
    yield ("a wrapper that adds nothing", wrapped(value))
    yield ("a callable object", Forwarding(value))
    yield ("another function", jnp.negative)
    yield ("None", None)
    if isinstance(value, types.FunctionType):
        yield ("an equal function", copy_of(value, value.__code__))
        for name, code in code_changes(value):
            yield (f"a function with {name}", copy_of(value, code))


def copy_of(function: types.FunctionType, code: types.CodeType) -> types.FunctionType:
    """Return a new function with the parts of `function` and another code object."""
    made = types.FunctionType(
        code, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    made.__kwdefaults__ = function.__kwdefaults__
    return made


def wrapped(function: Any) -> Any:
    """Return a Python function that does what `function` does."""

    def forwarded(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return forwarded


class Forwarding:
    """An object that can be called like a function."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return twist(self.function(*args, **kwargs))


def twisted(function: Any) -> Any:
    """Return a function that returns something else than `function`, of the same type where it can."""

    def altered(*args: Any, **kwargs: Any) -> Any:
        return twist(function(*args, **kwargs))

    return altered


def twisted_for_users(function: Any) -> Any:
    """Return a function that is twisted for callers in users' files and unchanged for all others."""

    def altered(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        return twist(result) if is_user_file(sys._getframe(1).f_code.co_filename) else result

    return altered


def twist(value: Any) -> Any:
    """Return another value, of the same type where that is easy."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, Array) and dtypes.issubdtype(value.dtype, dtypes.prng_key):
        return value
    if isinstance(value, Array | np.ndarray):
        return ~value if value.dtype == bool else value + 1
    if isinstance(value, tuple):
        return tuple(twist(item) for item in value)
    if callable(value):
        return twisted(value)
    return value


def function_changes(function: types.FunctionType, name: str) -> Iterator[Change]:
    """Yield other code, defaults or keyword defaults for one and the same function."""
    if name == "__code__":
        yield from code_changes(function)
    elif name == "__defaults__" and function.__defaults__:
        yield ("no defaults", None)
        for index, value in enumerate(function.__defaults__):
            for label, other in value_changes(value):
                items = [*function.__defaults__[:index], other, *function.__defaults__[index + 1 :]]
                yield (f"default {index}: {label}", tuple(items))
    elif name == "__kwdefaults__" and function.__kwdefaults__:
        yield ("no keyword defaults", None)
        for key, value in function.__kwdefaults__.items():
            for label, other in value_changes(value):
                yield (f"keyword default {key}: {label}", {**function.__kwdefaults__, key: other})


def code_changes(function: types.FunctionType) -> Iterator[tuple[str, types.CodeType]]:
    """Yield code objects that the function could have instead."""
    code = function.__code__
    yield ("an equal code object", code.replace(co_consts=code.co_consts))
    for index, constant in enumerate(code.co_consts):
        if type(constant) in (int, float):
            changed = (*code.co_consts[:index], constant + 1, *code.co_consts[index + 1 :])
            yield (f"constant {constant} + 1", code.replace(co_consts=changed))
    if not code.co_freevars:
        yield ("the code of another function", returns_something.__code__)


def returns_something(*args: Any, **kwargs: Any) -> Any:
    """Return what no program computes."""
    return (len(args), sorted(kwargs), "something")
