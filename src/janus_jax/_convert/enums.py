"""Members of users' enum classes: constants, by name, by value and in order, and what operators see in them."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from types import FunctionType, MethodDescriptorType, WrapperDescriptorType
from typing import Any

from janus_jax._base import Unstageable
from janus_jax._base.enums import is_enum_class, is_member, payload
from janus_jax._base.objects import bases_of, definer_of_dictionary, is_one_of, namespace_of
from janus_jax._convert.classes import Found, find_in_class, read_field
from janus_jax._convert.names import belongs_to
from janus_jax._convert.stager import Stager
from janus_jax._guards import Field, Item, Namespace, ObjectIs, Path, Pinned, TypeIs
from janus_jax._values.kinds import Opaque

__all__ = ["is_enum_class", "is_member"]

_METHODS = (FunctionType, MethodDescriptorType, WrapperDescriptorType, classmethod)
_MAKING = ("__new__", "_new_member_", "_missing_")


def _table(stager: Stager, kind: type, name: str, table: type) -> tuple[Path, Any]:
    """Return what Python keeps of the members of a class under `name`."""
    path, found = Item(Namespace(Pinned(kind)), name), namespace_of(kind)[name]
    if type(found) is not table:
        raise Unstageable("object-attribute", str(path), stager.site)
    stager.externals.expect_once(TypeIs(path, table))
    return path, found


def is_name(kind: type, name: Any) -> bool:
    """Return whether a member is called so."""
    return type(name) is str and name in namespace_of(kind)["_member_map_"]


def by_name(stager: Stager, kind: type, name: Any) -> Any:
    """Return `kind[name]`."""
    path, found = _table(stager, kind, "_member_map_", dict)
    if type(name) is not str or name not in found:
        raise Unstageable("raises", f"KeyError: {kind.__qualname__}[{name!r}]", stager.site)
    return stager.externals.read(Item(path, name), found[name])


def read(stager: Stager, kind: type, name: str) -> Any:
    """Return `kind.name` for a member's name."""
    member = by_name(stager, kind, name)
    path, found = Item(Namespace(Pinned(kind)), name), namespace_of(kind).get(name)
    if found is not member:
        raise Unstageable("object-attribute", f"{kind.__qualname__}.{name}", stager.site)
    stager.externals.expect_once(ObjectIs(path, found))
    return member


def members(stager: Stager, kind: type) -> list[Any]:
    """Return the members in their order, without those that are another name for one."""
    path, names = _table(stager, kind, "_member_names_", list)
    _ = stager.externals.read(path, names)
    return [by_name(stager, kind, name) for name in names]


def make(stager: Stager, kind: type, args: list[Any], keywords: dict[str, Any]) -> Any:
    """Return `kind(value)`: the member that has this value."""
    if len(args) != 1 or keywords:
        raise Unstageable("unsupported-expression", f"{kind.__qualname__} of these values", stager.site)
    maker = find_in_class(stager, kind, "__new__")
    if not isinstance(maker, Found) or maker.value is not enum.Enum.__new__:
        raise Unstageable("object-attribute", f"{kind.__qualname__}.__new__", stager.site)
    stager.externals.expect_once(ObjectIs(maker.path, maker.value))
    value = args[0]
    if type(value) is kind:
        return value
    if not is_one_of(type(value), (int, str)):
        raise Unstageable("concrete-value", f"the value of a {kind.__qualname__}", stager.site)
    path, found = _table(stager, kind, "_value2member_map_", dict)
    if value in found and type(found[value]) is kind:
        return stager.externals.read(Item(path, value), found[value])
    raise Unstageable("raises", f"ValueError: {value!r} is not a valid {kind.__qualname__}", stager.site)


def as_opaque(member: Any) -> Opaque:
    """Return a member as an object whose attributes are read."""
    return Opaque(Pinned(member), type(member), member)


def read_property(stager: Stager, found: Found, member: Any) -> Any:
    """Return `member.name` or `member.value`, as they are of every enum class."""
    for name, field in (("name", "_name_"), ("value", "_value_")):
        if found.value is namespace_of(enum.Enum)[name]:
            stager.externals.expect_once(ObjectIs(found.path, found.value))
            return read_field(stager, as_opaque(member), field, find_in_class(stager, type(member), field))
    raise Unstageable("object-attribute", f"{found.path}, a descriptor", stager.site)


def operands(stager: Stager, values: Sequence[Any], names: Sequence[str]) -> list[Any]:
    """Return `values` with plain numbers and texts in place of members to which the methods `names` see nothing else.

    A member of a class that does these operations by methods of its own stays as it is.
    """
    return [_operand(stager, value, names) if is_member(value) else value for value in values]


def _operand(stager: Stager, member: Any, names: Sequence[str]) -> Any:
    plain = payload(member)
    if plain is None:
        return member
    found = [find_in_class(stager, type(member), name) for name in names]
    own = [one for one in found if isinstance(one, Found) and not _is_of_base(one, type(plain))]
    return member if own else plain


def _is_of_base(found: Found, base: type) -> bool:
    assert isinstance(found.path, Item)
    assert isinstance(found.path.owner, Namespace)
    return found.path.owner.owner.held in (base, object)


def is_left_to_library(stager: Stager, kind: type, names: Sequence[str]) -> bool:
    """Return whether Python's own methods do these operations, at the next call, too, and make no member by others."""
    for name in (*names, *_MAKING):
        found = find_in_class(stager, kind, name)
        if not isinstance(found, Found):
            continue
        inner = found.value.__func__ if type(found.value) is classmethod else found.value
        own = name != "_new_member_" and not is_one_of(type(found.value), _METHODS)
        if own or not belongs_to(("enum", "builtins"), inner):
            return False
        stager.externals.expect_once(ObjectIs(found.path, found.value))
    return True


def of_library(stager: Stager, values: Sequence[Any], names: Sequence[str]) -> bool:
    """Return whether one flag or more are among `values`, and Python's own methods do an operation on them."""
    flags = [value for value in values if is_member(value) and enum.Flag in bases_of(type(value))]
    if not flags or not all(is_left_to_library(stager, type(value), names) for value in flags):
        return False
    for value in flags:
        _expect_value(stager, value)
    return True


def _expect_value(stager: Stager, member: Any) -> None:
    definer = definer_of_dictionary(type(member))
    assert definer is not None
    path = Item(Field(Pinned(member), Pinned(definer), "__dict__"), "_value_")
    stager.externals.expect_once(ObjectIs(path, namespace_of(definer)["__dict__"].__get__(member)["_value_"]))
