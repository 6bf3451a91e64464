"""Enum classes of the user's whose members are constants: Python's own code makes, compares and hashes them."""

from __future__ import annotations

from enum import Enum, EnumType, Flag, IntEnum, IntFlag, ReprEnum, StrEnum
from types import GetSetDescriptorType
from typing import Any

from janus_jax._base.objects import bases_of, is_one_of, namespace_of

_LIBRARY = (Enum, Flag, IntEnum, IntFlag, ReprEnum, StrEnum, int, str, object)
_HEAP_TYPE = 1 << 9
# What no class of the user's among the bases may have of its own.
COMPARING = ("__eq__", "__ne__", "__hash__")
_REFUSED = (*COMPARING, "__getattribute__", "__del__", "__dict__", "__class__")
KEY_TYPES = (str, int, bool, type(None))


def is_enum_class(kind: Any) -> bool:
    """Return whether `kind` is an enum class whose members are compared and hashed without the user's code."""
    if not is_one_of(type(kind), (EnumType,)) or is_one_of(kind, _LIBRARY):
        return False
    return Enum in bases_of(kind) and all(map(_is_plain, users_bases(kind)))


def users_bases(kind: type) -> list[type]:
    """Return the classes in the method resolution order of an enum class that are not Python's own."""
    return [one for one in bases_of(kind) if not is_one_of(one, _LIBRARY)]


def _is_plain(kind: type) -> bool:
    names = namespace_of(kind)
    made_by_enum = names.get("__new__", Enum.__new__) is Enum.__new__
    known = is_one_of(type(kind), (type, EnumType)) and bool(kind.__flags__ & _HEAP_TYPE)
    refused = (name for name in _REFUSED if name in names and type(names[name]) is not GetSetDescriptorType)
    return known and made_by_enum and not any(refused)


def is_member(value: object) -> bool:
    """Return whether `value` is a member of such a class."""
    return is_enum_class(type(value))


def is_plain_key(key: object) -> bool:
    """Return whether a dict may be looked into that has this key: it is compared and hashed by Python's own code."""
    if type(key) is tuple:
        return all(map(is_plain_key, key))
    return is_one_of(type(key), KEY_TYPES) or is_member(key)


def same_key(left: object, right: object) -> bool:
    """Return whether two such keys are of one type and equal; any other key is never the same."""
    if left is right:
        return True
    if type(left) is not type(right):
        return False
    if isinstance(left, tuple) and isinstance(right, tuple) and type(left) is tuple:
        return len(left) == len(right) and all(map(same_key, left, right))
    return is_one_of(type(left), KEY_TYPES) and left == right


def payload(member: Any) -> int | str | None:
    """Return the integer or text that a member of a class derived from these is."""
    for kind in (int, str):
        if kind in bases_of(type(member)):
            return kind.__getnewargs__(member)[0]
    return None
