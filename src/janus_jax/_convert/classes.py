"""Finds attributes as Python does: in the classes of an object, in order, and in the object itself.

What a lookup finds, and what it does not find on the way, is expected at the next call, too.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any

from janus_jax._base import Unstageable
from janus_jax._base.objects import bases_of, definer_of_dictionary, is_one_of, namespace_of
from janus_jax._convert.stager import Stager
from janus_jax._guards import (
    Field,
    Item,
    Lacks,
    MroIs,
    Namespace,
    ObjectIs,
    OtherObject,
    Path,
    Pinned,
    SameObject,
    TypeIs,
)
from janus_jax._values.kinds import Opaque

METACLASSES = (type, abc.ABCMeta)
# What a class may have of its own that says how its objects are made, read or dropped: only object's is known here.
REFUSED = ("__new__", "__getattribute__", "__del__", "__dict__", "__class__")
_HEAP_TYPE = 1 << 9


class Missing:
    """What a lookup gives that finds nothing."""


MISSING = Missing()


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """An attribute of a class: the object that is there, and the path to it."""

    value: Any
    path: Path


def is_plain_class(kind: Any) -> bool:
    """Return whether objects of a class are made, read and dropped as those of `object`."""
    if not isinstance(kind, type) or not is_one_of(type(kind), METACLASSES):
        return False
    *own, last = bases_of(kind)
    return last is object and all(_is_plain(one) for one in own)


def _is_plain(kind: type) -> bool:
    names = namespace_of(kind)
    refused = (name for name in REFUSED if name in names and type(names[name]) is not GetSetDescriptorType)
    return is_one_of(type(kind), METACLASSES) and bool(kind.__flags__ & _HEAP_TYPE) and not any(refused)


def find_in_class(stager: Stager, kind: type, name: str, after: type | None = None) -> Found | Missing:
    """Return what the classes of `kind` hold under `name`; from the one behind `after` on, if that is given."""
    bases = bases_of(kind)
    if kind.__flags__ & _HEAP_TYPE:  # those that C has made cannot be changed
        _expect(stager, MroIs(Pinned(kind), bases, type(kind)))
    for one in bases[0 if after is None else bases.index(after) + 1 :]:
        names = namespace_of(one)
        if name in names:
            found = Found(names[name], Item(Namespace(Pinned(one)), name))
            if type(found.value) is MemberDescriptorType:  # by which the slot is found, and nobody reads it
                _expect(stager, ObjectIs(found.path, found.value))
            return found
        if one.__flags__ & _HEAP_TYPE:
            _expect(stager, Lacks(Namespace(Pinned(one)), name))
    return MISSING


def read_found(stager: Stager, found: Found) -> Any:
    """Return the value that stands for an attribute of a class in the staged program."""
    return stager.externals.read(found.path, found.value)


def read_inside(stager: Stager, found: Found, slot: str) -> Any:
    """Return the function in a property, static or class method."""
    return stager.externals.read_slot(found.path, found.value, slot)


def is_data_descriptor(stager: Stager, found: Found | Missing) -> bool:
    """Return whether an attribute of the class has a say in how one of the object itself is set."""
    return has_method(stager, found, "__set__") or has_method(stager, found, "__delete__")


def has_method(stager: Stager, found: Found | Missing, name: str) -> bool:
    """Return whether the class of an attribute has a method, as it is expected to have at the next call, too."""
    if isinstance(found, Missing):
        return False
    kind = type(found.value)
    method = find_in_class(stager, kind, name)
    if isinstance(method, Missing):
        return False
    if kind.__flags__ & _HEAP_TYPE:
        _expect(stager, TypeIs(method.path, type(method.value)))
    return True


def overrides(stager: Stager, kind: type, base: type, name: str) -> bool:
    """Return whether the method `name` of a class is another one than that of its base."""
    own, inherited = find_in_class(stager, kind, name), find_in_class(stager, base, name)
    if isinstance(own, Missing) or isinstance(inherited, Missing):
        return isinstance(own, Found)
    if not (is_function(own.value) and is_function(inherited.value)):
        raise Unstageable("object-attribute", f"{own.path}, which is no function", stager.site)
    if own.path != inherited.path:
        same = own.value is inherited.value
        stager.externals.expect((SameObject if same else OtherObject)(own.path, inherited.path))
    return own.value is not inherited.value


def expect_same(stager: Stager, kind: type, name: str) -> Any:
    """Return what the classes of `kind` hold under `name`, which is expected to be there at the next call, too."""
    found = find_in_class(stager, kind, name)
    if isinstance(found, Missing):
        raise Unstageable("object-attribute", f"{kind.__qualname__}.{name}", stager.site)
    _expect(stager, ObjectIs(found.path, found.value))
    return found.value


def expect_no_descriptor(stager: Stager, found: Found | Missing) -> None:
    """Expect that an attribute of the class still comes after one of the object itself, which was found."""
    if isinstance(found, Found):
        _expect(stager, TypeIs(found.path, type(found.value)))


def read_field(stager: Stager, owner: Opaque, name: str, found: Found | Missing) -> Any:
    """Return the attribute that an object from before the call has of its own, or `MISSING`."""
    if isinstance(found, Found) and type(found.value) is MemberDescriptorType:
        return _read_slot(stager, owner, found)
    definer = definer_of_dictionary(owner.type)
    if definer is None:
        return MISSING
    fields: dict[str, Any] = namespace_of(definer)["__dict__"].__get__(owner.object)
    path = Field(owner.path, Pinned(definer), "__dict__")
    if type(fields) is not dict:
        raise Unstageable("object-attribute", f"{owner.path} has a __dict__ of its own", stager.site)
    if name not in fields:
        _expect(stager, Lacks(path, name))
        return MISSING
    return stager.externals.read(Item(path, name), fields[name])


def _read_slot(stager: Stager, owner: Opaque, found: Found) -> Any:
    assert isinstance(found.path, Item)
    assert isinstance(found.path.owner, Namespace)
    try:
        value = found.value.__get__(owner.object)
    except AttributeError:
        raise Unstageable("object-attribute", f"{owner.path}.{found.path.key}, an empty slot", stager.site) from None
    return stager.externals.read(Field(owner.path, found.path.owner.owner, str(found.path.key)), value)


def _expect(stager: Stager, expectation: Any) -> None:
    stager.externals.expect_once(expectation)


def is_function(value: Any) -> bool:
    """Return whether `value` is a function written in Python."""
    return type(value) is FunctionType
