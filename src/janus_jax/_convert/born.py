"""Objects of builtin kinds that the call makes by calling a class: exceptions and named tuples."""

from __future__ import annotations

from typing import Any, NamedTuple

from janus_jax._base import Unstageable
from janus_jax._base.objects import bases_of, namespace_of
from janus_jax._convert.classes import Found, expect_same, find_in_class, read_found, read_inside
from janus_jax._convert.names import belongs_to
from janus_jax._convert.native import run_native
from janus_jax._convert.stager import Stager
from janus_jax._values.kinds import ExceptionValue


class _Example(NamedTuple):
    """A named tuple."""

    x: int


# What Python, and JAX, may call of a tuple that is read.
_METHODS = (
    *("__array__", "__bool__", "__class__", "__contains__", "__eq__", "__format__", "__ge__", "__getattr__"),
    *("__getattribute__", "__getitem__", "__gt__", "__init__", "__iter__", "__jax_array__", "__le__", "__len__"),
    *("__lt__", "__ne__", "__reversed__", "__str__"),
)


def is_exception_class(value: Any) -> bool:
    """Return whether `value` is a class of exceptions that Python's own type made."""
    return type(value) is type and BaseException in bases_of(value)


def make_exception(stager: Stager, kind: type, args: list[Any], keywords: dict[str, Any]) -> ExceptionValue:
    """Return a new exception of a class that leaves making it to Python's own."""
    own = [one for one in bases_of(kind) if one.__module__ != "builtins"]
    plain = not any(name in namespace_of(one) for one in own for name in ("__init__", "__new__"))
    if keywords or not plain:
        raise Unstageable("raises", f"a {kind.__name__}, made by its own __init__", stager.site)
    for name in ("__init__", "__new__"):
        find_in_class(stager, kind, name)
    return ExceptionValue(kind, tuple(args))


def is_named_tuple_class(value: Any) -> bool:
    """Return whether a class was made by `collections.namedtuple`, and makes its objects as that does."""
    if type(value) is not type or not {"_fields", "_field_defaults", "__new__"} <= namespace_of(value).keys():
        return False
    made = namespace_of(value)["__new__"]
    code = getattr(made, "__code__", None) or getattr(getattr(made, "__func__", None), "__code__", None)
    return bases_of(value)[1:] == (tuple, object) and code is not None and code.co_filename == "<string>"


def make_named_tuple(stager: Stager, kind: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
    """Return a new object of a named tuple class."""
    defaults = find_in_class(stager, kind, "_field_defaults")
    maker = find_in_class(stager, kind, "__new__")
    assert isinstance(defaults, Found)
    assert isinstance(maker, Found)
    _ = read_inside(stager, maker, "__func__") if type(maker.value) is staticmethod else read_found(stager, maker)
    given = {**read_found(stager, defaults), **keywords}
    _check_methods(stager, kind)
    named = {name: given[name] for name in kind._fields[len(args) :] if name in given} | keywords
    return run_native(stager, lambda: kind(*args, **named))


def _check_methods(stager: Stager, kind: type) -> None:
    """End the conversion where a named tuple is not used as a tuple is, or not shown as `collections` does it."""
    own = namespace_of(kind).keys() - namespace_of(_Example).keys()
    if any(name.startswith("__") for name in own) or not belongs_to(("collections",), namespace_of(kind)["__repr__"]):
        raise Unstageable("object-attribute", f"{kind.__qualname__} has special methods of its own", stager.site)
    expect_same(stager, kind, "__repr__")
    for name in _METHODS:
        find_in_class(stager, kind, name)
