"""Every name that ends a conversion ends it before the call is made, with the reason that the table gives."""

from __future__ import annotations

import concurrent.futures
import contextlib
import contextvars
import datetime
import importlib
import inspect
import io
import logging
import os
import pathlib
import queue
import random
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import janus_jax
from janus_jax._base.reasons import MEANINGS
from janus_jax._convert import names
from janus_jax._convert.names import resolve
from janus_jax._convert.pure import ARRAY_ATTRIBUTES, ARRAY_METHODS, pure_function
from janus_jax._convert.refused import REFUSED, refused
from janus_jax._convert.refused_names import REFUSED_METHODS, REFUSED_NAMES, REFUSED_OF_ARRAYS
from tests.harness.generate import compiled_source

# Names that not every supported version has, and which has them.
ONLY_IN: dict[str, Callable[[], bool]] = {
    "jax.get_abstract_mesh": lambda: jax.__version_info__ >= (0, 11),
    "jax.get_mesh": lambda: jax.__version_info__ >= (0, 11),
    "random.binomialvariate": lambda: sys.version_info >= (3, 12),
    "sys._getframemodulename": lambda: sys.version_info >= (3, 12),
    "threading.setprofile_all_threads": lambda: sys.version_info >= (3, 12),
    "threading.settrace_all_threads": lambda: sys.version_info >= (3, 12),
}

ENTRIES = [
    (reason, module, name)
    for reason, table in REFUSED_NAMES.items()
    for module, text in table.items()
    for name in text.split()
]
MODULES = {module: importlib.import_module(module) for _, module, _ in ENTRIES}
OBJECTS = {(module, name): resolve(module, name) for _, module, name in ENTRIES}
FOUND = [entry for entry in ENTRIES if OBJECTS[entry[1:]] is not None]

every_entry = pytest.mark.parametrize(("reason", "module", "name"), FOUND)


def first_name_of(value: object) -> tuple[str, str]:
    """The reason and the name of an object that may stand in the table under several."""
    return next((reason, f"{module}.{name}") for reason, module, name in FOUND if OBJECTS[module, name] is value)


def generator() -> Iterator[int]:
    """A generator to call methods of."""
    yield 1


class Handler(logging.Handler):
    """A subclass of a class in the table."""


class File(io.IOBase):
    """A file as a user may write one."""

    def write(self, text: str) -> int:
        """Write nothing."""
        return len(text)


class Local(threading.local):
    """A subclass of a class that has no method of its own."""

    def content(self) -> dict[str, Any]:
        """What this thread has set."""
        return vars(self)


# For each class of the table of methods, something whose methods are called.
RECEIVERS: dict[str, Any] = {
    "logging.Logger": logging.getLogger(__name__),
    "logging.LoggerAdapter": logging.LoggerAdapter(logging.getLogger(__name__)),
    "logging.Handler": Handler(),
    "io.IOBase": File(),
    "_io._IOBase": io.BytesIO(),
    "random.Random": random.Random(0),
    "numpy.random.RandomState": np.random.RandomState(0),
    "numpy.random.Generator": np.random.default_rng(0),
    "numpy.random.BitGenerator": np.random.PCG64(0),
    "os._Environ": os.environ,
    "threading.Thread": threading.main_thread(),
    "threading.Event": threading.Event(),
    "threading.Condition": threading.Condition(),
    "threading.Semaphore": threading.BoundedSemaphore(),
    "threading.Barrier": threading.Barrier(1),
    "threading.local": Local(),
    "_thread.LockType": threading.Lock(),
    "_thread.RLock": threading.RLock(),
    "queue.Queue": queue.LifoQueue(),
    "queue.SimpleQueue": queue.SimpleQueue(),
    "contextvars.ContextVar": contextvars.ContextVar("variable"),
    "contextvars.Context": contextvars.Context(),
    "datetime.datetime": datetime.datetime,
    "datetime.date": datetime.date,
    "pathlib.Path": pathlib.Path(),
    "concurrent.futures.Executor": concurrent.futures.Executor(),
    "concurrent.futures.Future": concurrent.futures.Future(),
    "types.GeneratorType": generator(),
    "jax.config.__class__": jax.config,
}


def method_names(owner: str, methods: str) -> list[str]:
    """The methods that an entry of the table stands for: those it names, or every public one."""
    if methods != "*":
        return methods.split()
    named = {name for _, *place, names in REFUSED_METHODS if ".".join(place) == owner for name in names.split()}
    kind = type(RECEIVERS[owner])
    public = [name for name in dir(kind) if not name.startswith("_") and name not in named]
    return [name for name in public if callable(inspect.getattr_static(kind, name))]


METHODS = [
    (reason, f"{module}.{kind}", name)
    for reason, module, kind, methods in REFUSED_METHODS
    for name in method_names(f"{module}.{kind}", methods)
]
every_method = pytest.mark.parametrize(("reason", "owner", "name"), METHODS)


@contextlib.contextmanager
def standing_in(module: str, name: str, value: object) -> Iterator[None]:
    """Have the table find `value` under a name of the library, inside the `with`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(names, "resolve", lambda *entry: value if entry == (module, name) else resolve(*entry))
        REFUSED.clear()
        try:
            yield
        finally:
            REFUSED.clear()


def reason_for(expression: str, **variables: Any) -> tuple[str, str]:
    """Return why a function stays in Python that would evaluate `expression`, if Python ever came to it."""
    source = f'def f(x):\n    assert x > 0, "stop"\n    return {expression}\n'
    with compiled_source(source) as module:
        module.update(variables)
        speculated = janus_jax.speculate(module["f"], profile_calls=0)
        with pytest.raises(AssertionError, match="stop"):
            speculated(jnp.float32(-1.0))
    (reason,) = speculated.explain().reasons
    return reason.id, reason.detail


def test_every_reason_is_known() -> None:
    given = {*REFUSED_NAMES, *(reason for reason, *_ in REFUSED_METHODS), *REFUSED_OF_ARRAYS.values()}
    assert given <= set(MEANINGS)


def test_every_name_resolves_where_it_should() -> None:
    missing = {f"{module}.{name}" for _, module, name in ENTRIES if OBJECTS[module, name] is None}
    assert missing == {name for name, is_there in ONLY_IN.items() if not is_there()}


def test_no_name_is_listed_twice_or_also_pure() -> None:
    assert len({entry[1:] for entry in ENTRIES}) == len(ENTRIES)
    assert [entry for entry in FOUND if pure_function(OBJECTS[entry[1:]]) is not None] == []


@every_entry
def test_the_table_finds_the_object(reason: str, module: str, name: str) -> None:
    expected = first_name_of(OBJECTS[module, name])
    assert refused(OBJECTS[module, name]) == expected
    assert expected[0] == reason


@every_entry
def test_meeting_the_object_ends_the_conversion(reason: str, module: str, name: str) -> None:
    value = OBJECTS[module, name]
    assert reason_for("target(x)", target=value) == first_name_of(value)


@every_entry
def test_the_call_is_not_made_while_converting(reason: str, module: str, name: str) -> None:
    given: list[Any] = []

    def stand_in(x: Any) -> Any:
        given.append(x)
        return x * 2

    function = lambda x: stand_in(x) + 1
    with standing_in(module, name, stand_in):
        speculated = janus_jax.speculate(function, profile_calls=1)
        results = [speculated(jnp.float32(number)) for number in range(3)]
    assert [float(result) for result in results] == [1.0, 3.0, 5.0]
    assert [float(x) for x in given] == [0.0, 1.0, 2.0]
    assert [(why.id, why.detail) for why in speculated.explain().reasons] == [(reason, f"{module}.{name}")]


@every_method
def test_meeting_a_method_ends_the_conversion(reason: str, owner: str, name: str) -> None:
    method = getattr(RECEIVERS[owner], name)
    assert reason_for("target(x)", target=method) == (reason, f"{owner}.{name}")


def test_the_table_of_methods_leaves_other_objects_alone() -> None:
    assert refused([].append) is None
    assert refused(datetime.datetime(2020, 1, 1).isoformat) is None
    assert refused(len) is None


@pytest.mark.parametrize(("name", "reason"), REFUSED_OF_ARRAYS.items())
def test_reading_it_of_an_array_ends_the_conversion(name: str, reason: str) -> None:
    assert hasattr(type(jnp.zeros(())), name)
    assert name not in ARRAY_ATTRIBUTES | ARRAY_METHODS
    assert reason_for(f"x.{name}")[0] == reason
