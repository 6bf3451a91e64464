"""Questions about a user's object, answered without running any of the user's code.

`isinstance` asks the object for its `__class__`; `==`, `in`, a dict and an attribute of a class ask its metaclass.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any

_bases: Any = type.__dict__["__mro__"].__get__
_members: Any = type.__dict__["__dict__"].__get__
_module: Any = type.__dict__["__module__"].__get__


class AbstractSpeculated:
    """What every room may know of a speculated function: which object runs when it is called.

    It is a slot, because everything in an object's `__dict__` may be overwritten by `functools.update_wrapper`.
    """

    __slots__ = ("__janus_function__",)
    __janus_function__: Any


def unwrap(function: Any) -> Any:
    """Return what a speculated function stands for; any other object as it is."""
    return function.__janus_function__ if is_a(function, AbstractSpeculated) else function


def is_a(value: object, *classes: type) -> bool:
    """Return whether the class of `value` is one of `classes` or derives from one."""
    kind = type(value)
    return any(type.__subclasscheck__(one, kind) for one in classes)


def is_one_of(kind: type, classes: Iterable[type]) -> bool:
    """Return whether the class `kind` is one of `classes`."""
    return any(kind is one for one in classes)


def class_attribute(kind: type, name: str) -> Any:
    """Return what `kind`, or the first of its bases that has it, holds under `name`, unbound; None for nothing."""
    for one in _bases(kind):
        if name in _members(one):
            return _members(one)[name]
    return None


def bases_of(kind: type) -> tuple[type, ...]:
    """Return the method resolution order of `kind`, itself included."""
    return _bases(kind)


def read_slot(value: object, name: str, otherwise: Any) -> Any:
    """Return the attribute `name`, if C code keeps it in the object: a slot, or an attribute of a built-in type."""
    descriptor = class_attribute(type(value), name)
    if not is_one_of(type(descriptor), (MemberDescriptorType, GetSetDescriptorType)):
        return otherwise
    try:
        return descriptor.__get__(value)
    except AttributeError:  # a slot that is empty
        return otherwise


def namespace_of(kind: type) -> Any:
    """Return the attributes that a class has of its own, as a mapping."""
    return _members(kind)


def definer_of_dictionary(kind: type) -> type | None:
    """Return the class by which objects of class `kind` have their `__dict__`; None where they have none."""
    return next((one for one in _bases(kind) if type(_members(one).get("__dict__")) is GetSetDescriptorType), None)


def read_slot_of(value: object, definer: type, name: str, otherwise: Any) -> Any:
    """Return what an object keeps in the slot `name` of the class `definer`."""
    descriptor = _members(definer).get(name)
    if not is_one_of(type(descriptor), (MemberDescriptorType, GetSetDescriptorType)):
        return otherwise
    try:
        return descriptor.__get__(value)
    except (AttributeError, TypeError):  # empty, or of another class by now
        return otherwise


def module_of(kind: type) -> str:
    """Return the name of the module that the class `kind` says it is from; "" where it says something else."""
    name = _module(kind)
    return name if type(name) is str else ""
