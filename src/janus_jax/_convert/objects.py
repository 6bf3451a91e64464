"""Objects of users' classes: how they are made, and how their attributes are read and set."""

from __future__ import annotations

import enum
import functools
from types import FunctionType, MemberDescriptorType
from typing import Any

from jax import lax

from janus_jax._base import Unstageable
from janus_jax._base.objects import bases_of, definer_of_dictionary, module_of, namespace_of
from janus_jax._convert import enums
from janus_jax._convert.classes import (
    MISSING,
    REFUSED,
    Found,
    Missing,
    expect_no_descriptor,
    find_in_class,
    has_method,
    is_data_descriptor,
    is_plain_class,
    read_field,
    read_found,
    read_inside,
)
from janus_jax._convert.heap import change, store
from janus_jax._convert.refused import refused
from janus_jax._convert.stager import Raised, Stager
from janus_jax._convert.unions import choose
from janus_jax._values.kinds import UNBOUND, BoundValue, Cursor, Instance, Maybe, Opaque, SuperValue
from janus_jax._values.number import wide

_ABSTRACT = 1 << 20  # the flag of a class with abstract methods


OBJECT_METHODS = (object.__setattr__, object.__init__)


def call_object_method(stager: Stager, function: Any, args: list[Any]) -> None:
    """Do `object.__setattr__(owner, name, value)` or `object.__init__(owner)`."""
    if function is object.__setattr__ and len(args) == 3 and type(args[1]) is str and isinstance(args[0], Instance):
        return write_field(stager, *args)
    if function is object.__init__ and len(args) == 1 and isinstance(args[0], Instance):
        return None
    raise Unstageable("heap-write", f"{function.__qualname__} with these arguments", stager.site)


def class_of(value: Any) -> type | None:
    """Return the class of an object of a user's class; None for other values."""
    match value:
        case Instance(kind):
            return kind
        case Opaque(_, kind):
            return kind
        case _ if enums.is_member(value):
            return type(value)
        case _:
            return None


def make(stager: Stager, kind: type, args: list[Any], keywords: dict[str, Any]) -> Instance:
    """Return a new object of a user's class, initialised as Python does."""
    _check(stager, kind, kind.__qualname__)
    if kind.__flags__ & _ABSTRACT:
        raise Unstageable("raises", f"TypeError: {kind.__qualname__} is abstract", stager.site)
    made = Instance(kind, {})
    stager.heap.adopt(made)
    init = find_in_class(stager, kind, "__init__")
    assert isinstance(init, Found)
    if type(init.value) is FunctionType:
        result = stager.call(read_found(stager, init), [made, *args], keywords)
        if result is not None:
            raise Unstageable("raises", "TypeError: __init__() should return None", stager.site)
    elif init.value is not object.__init__:
        raise Unstageable("object-attribute", f"{kind.__qualname__}.__init__", stager.site)
    elif args or keywords:
        raise Unstageable("raises", f"TypeError: {kind.__qualname__}() takes no arguments", stager.site)
    return made


def _check(stager: Stager, kind: type, what: Any) -> None:
    """End the conversion where objects of a class are not read as those of `object`, or lead to hidden state."""
    if kind is Cursor:
        raise Unstageable("object-attribute", "an attribute or method of an iterator", stager.site)
    for one in bases_of(kind):
        known = refused(one)
        if known is not None:
            raise Unstageable(known[0], known[1], stager.site)
    if not is_plain_class(kind) and not enums.is_enum_class(kind):
        raise Unstageable("object-attribute", f"{what} is a {kind.__name__}", stager.site)
    for name in REFUSED:
        find_in_class(stager, kind, name)


def read(stager: Stager, owner: Any, name: str) -> Any:
    """Return `owner.name` for an object of a user's class, or for `super()`."""
    value = _find_or_compute(stager, owner, name)
    if value is not MISSING:
        return value
    raise Unstageable("raises", f"AttributeError: {name}", stager.site)


def find(stager: Stager, owner: Any, name: str) -> Any:
    """Return `owner.name`, or `MISSING` where Python would raise an `AttributeError`."""
    try:
        return _find_or_compute(stager, owner, name)
    except Raised as raised:
        _pass_on(raised)
        return MISSING


def _pass_on(raised: Raised) -> None:
    """Raise it again unless it is an `AttributeError`."""
    if AttributeError not in bases_of(raised.error.kind):
        raise raised


def _find_or_compute(stager: Stager, owner: Any, name: str) -> Any:
    """Return `owner.name`, or what `__getattr__` gives for it, or `MISSING`; what the methods raise comes through."""
    _check(stager, _kind(owner), owner.path if isinstance(owner, Opaque) else _kind(owner).__qualname__)
    computed = MISSING if isinstance(owner, SuperValue) else find_in_class(stager, _kind(owner), "__getattr__")
    if isinstance(computed, Missing):
        return _find(stager, owner, name)
    try:
        value = _find(stager, owner, name)
    except Raised as raised:
        _pass_on(raised)
        value = MISSING
    if value is not MISSING:
        return value
    if type(computed.value) is not FunctionType:
        raise Unstageable("object-attribute", "a __getattr__ that is no function", stager.site)
    return stager.call(read_found(stager, computed), [owner, name], {})


def _find(stager: Stager, owner: Any, name: str) -> Any:
    """Return the attribute as the classes and the object have it, or `MISSING`."""
    kind = _kind(owner)
    _check(stager, kind, owner.path if isinstance(owner, Opaque) else kind.__qualname__)
    if name == "__class__":
        return kind
    if isinstance(owner, SuperValue):
        found = find_in_class(stager, kind, name, owner.after)
        return MISSING if isinstance(found, Missing) else _bound(stager, found, owner.receiver, kind)
    found = find_in_class(stager, kind, name)
    slot = isinstance(found, Found) and type(found.value) is MemberDescriptorType
    if not slot and is_data_descriptor(stager, found) and has_method(stager, found, "__get__"):
        assert isinstance(found, Found)
        return _bound(stager, found, owner, kind)
    if isinstance(owner, Instance):
        own = owner.fields.get(name, MISSING)
    else:
        own = read_field(stager, owner if isinstance(owner, Opaque) else enums.as_opaque(owner), name, found)
    if own is not MISSING:
        expect_no_descriptor(stager, found)
    if isinstance(own, Maybe) and isinstance(found, Found) and not slot:
        if has_method(stager, found, "__get__"):
            raise Unstageable("object-attribute", f"whether {name} is computed, only the run knows", stager.site)
        return choose(stager, own.bound, own.value, _bound(stager, found, owner, kind))
    if own is not MISSING and own is not UNBOUND:
        return stager.settle(f"attribute {name}", own)
    if isinstance(found, Missing) or slot:
        return MISSING
    return _bound(stager, found, owner, kind)


def _kind(owner: Any) -> type:
    kind = class_of(owner.receiver if isinstance(owner, SuperValue) else owner)
    assert kind is not None
    return kind


def _bound(stager: Stager, found: Found, receiver: Any, kind: type) -> Any:
    """Return what an attribute of the class is when it is read from an object."""
    kind_of_attribute = type(found.value)
    if kind_of_attribute is FunctionType:
        return BoundValue(read_found(stager, found), receiver)
    if kind_of_attribute is staticmethod:
        return read_inside(stager, found, "__func__")
    if kind_of_attribute is classmethod:
        return BoundValue(read_inside(stager, found, "__func__"), kind)
    if kind_of_attribute is property:
        getter = read_inside(stager, found, "fget")
        if getter is None:
            raise Unstageable("raises", "AttributeError: unreadable attribute", stager.site)
        return stager.call(getter, [receiver], {})
    if kind_of_attribute is enum.property and enums.is_member(receiver):
        return enums.read_property(stager, found, receiver)
    if kind_of_attribute is functools.cached_property and isinstance(receiver, Instance):
        return _cached(stager, found, receiver)
    if any(found.value is method for method in OBJECT_METHODS):
        return BoundValue(found.value, receiver)
    return _other_attribute(stager, found, receiver, kind)


def _other_attribute(stager: Stager, found: Found, receiver: Any, kind: type) -> Any:
    """Return what a value in the class is when it is read there, or through the object `receiver`."""
    value = read_found(stager, found)
    if type(found.value) is stager.externals.speculated:
        return value if receiver is None else BoundValue(value, receiver)
    if isinstance(find_in_class(stager, type(found.value), "__get__"), Missing):
        return value
    if class_of(value) is None:
        raise Unstageable("object-attribute", f"{found.path}, a descriptor", stager.site)
    return stager.call(special(stager, value, "__get__"), [receiver, kind], {})


def _cached(stager: Stager, found: Found, receiver: Instance) -> Any:
    getter = stager.externals.read_slot(found.path, found.value, "func")
    value = stager.call(getter, [receiver], {})
    _put(stager, receiver, found.value.attrname, value)
    return value


def write(stager: Stager, owner: Any, name: str, value: Any) -> None:
    """Do `owner.name = value`."""
    if not isinstance(owner, Instance) or owner.kind is Cursor:
        raise Unstageable("heap-write", "an attribute of an object that the call has not made", stager.site)
    setter = find_in_class(stager, owner.kind, "__setattr__")
    assert isinstance(setter, Found)
    if type(setter.value) is FunctionType:
        stager.call(read_found(stager, setter), [owner, name, value], {})
    elif setter.value is object.__setattr__:
        write_field(stager, owner, name, value)
    else:
        raise Unstageable("object-attribute", "a __setattr__ that is no function", stager.site)


def write_field(stager: Stager, owner: Instance, name: str, value: Any) -> None:
    """Do `object.__setattr__(owner, name, value)`."""
    found = find_in_class(stager, owner.kind, name)
    if is_data_descriptor(stager, found):
        assert isinstance(found, Found)
        if type(found.value) is property:
            setter = read_inside(stager, found, "fset")
            if setter is None:
                raise Unstageable("raises", f"AttributeError: {name} has no setter", stager.site)
            stager.call(setter, [owner, value], {})
            return
        if type(found.value) is not MemberDescriptorType:
            stager.call(_setter(stager, found), [owner, value], {})
            return
    elif isinstance(found, Found):
        expect_no_descriptor(stager, found)
    if isinstance(found, Found) and type(found.value) is MemberDescriptorType:
        change(stager, owner)
        owner.fields[name] = store(stager, value)
    else:
        _put(stager, owner, name, value)


def _put(stager: Stager, owner: Instance, name: str, value: Any) -> None:
    """Set an attribute in the dictionary of an object; it goes to the end of that where it was not there."""
    if definer_of_dictionary(owner.kind) is None:
        raise Unstageable("raises", f"AttributeError: {name} is no slot", stager.site)
    old = owner.fields.get(name, UNBOUND)
    if isinstance(old, Maybe):
        _keep_place(stager, owner, name, old.bound)
    change(stager, owner)
    if old is UNBOUND:
        owner.fields.pop(name, None)
    owner.fields[name] = store(stager, value)


def _keep_place(stager: Stager, owner: Instance, name: str, bound: Any) -> None:
    """Assert that an attribute is there already if one behind it is: else it would have its place behind that."""
    behind = list(owner.fields.values())[list(owner.fields).index(name) + 1 :]
    for other in behind:
        if other is not UNBOUND:
            with wide():
                ok = lax.bitwise_or(bound, lax.bitwise_not(other.bound)) if isinstance(other, Maybe) else bound
            stager.guard(ok, f"attribute {name} keeps its place", "bound")


def _setter(stager: Stager, found: Found) -> Any:
    value = read_found(stager, found)
    if class_of(value) is None:
        raise Unstageable("object-attribute", f"{found.path}, a descriptor", stager.site)
    return special(stager, value, "__set__")


def delete(stager: Stager, owner: Any, name: str) -> None:
    """Do `del owner.name`."""
    if not isinstance(owner, Instance) or owner.kind is Cursor:
        raise Unstageable("heap-write", "an attribute of an object that the call has not made", stager.site)
    found = find_in_class(stager, owner.kind, name)
    deleter = find_in_class(stager, owner.kind, "__delattr__")
    assert isinstance(deleter, Found)
    slot = isinstance(found, Found) and type(found.value) is MemberDescriptorType
    if deleter.value is not object.__delattr__ or (is_data_descriptor(stager, found) and not slot):
        raise Unstageable("object-attribute", f"del of {name}", stager.site)
    expect_no_descriptor(stager, found)
    if name not in owner.fields:
        raise Unstageable("raises", f"AttributeError: {name}", stager.site)
    stager.settle(f"attribute {name}", owner.fields[name])
    change(stager, owner)
    del owner.fields[name]


def special(stager: Stager, owner: Any, name: str) -> Any:
    """Return the method `name` that Python calls by itself: it is looked for in the class only."""
    method = find_special(stager, owner, name)
    if method is MISSING:
        raise Unstageable("raises", f"TypeError: no {name}", stager.site)
    return method


def find_special(stager: Stager, owner: Any, name: str) -> Any:
    """Return the method `name` that Python calls by itself, or `MISSING`; ends the conversion for other objects."""
    kind = class_of(owner)
    if kind is None:
        raise Unstageable("unsupported-expression", f"{name} of this value", stager.site)
    _check(stager, kind, owner.path if isinstance(owner, Opaque) else kind.__qualname__)
    found = find_in_class(stager, kind, name)
    if isinstance(found, Missing) or found.value is namespace_of(object).get(name):
        return MISSING
    return _bound(stager, found, owner, kind)


def read_of_class(stager: Stager, kind: type, name: str) -> Any:
    """Return `kind.name` for a user's class."""
    _check(stager, kind, kind.__qualname__)
    found = find_in_class(stager, kind, name)
    if isinstance(found, Missing) or any(name in namespace_of(one) for one in bases_of(type(kind))):
        raise Unstageable("object-attribute", f"{kind.__qualname__}.{name}", stager.site)
    kind_of_attribute = type(found.value)
    if kind_of_attribute is FunctionType:
        return read_found(stager, found)
    if kind_of_attribute is staticmethod:
        return read_inside(stager, found, "__func__")
    if kind_of_attribute is classmethod:
        return BoundValue(read_inside(stager, found, "__func__"), kind)
    return _other_attribute(stager, found, None, kind)


def match_args(stager: Stager, kind: type) -> tuple[str, ...]:
    """Return the attributes that positional patterns of a class stand for."""
    _check(stager, kind, kind.__qualname__)
    found = find_in_class(stager, kind, "__match_args__")
    names = () if isinstance(found, Missing) else read_found(stager, found)
    if type(names) is not tuple or not all(type(name) is str for name in names):
        raise Unstageable("raises", f"TypeError: {kind.__qualname__}.__match_args__", stager.site)
    return names


def is_of_class(stager: Stager, value: Any, kind: type) -> bool:
    """Return whether a value is an instance of a user's class."""
    own = class_of(value)
    find_in_class(stager, own if own is not None else kind, "__class__")
    if own is not None and any(one is kind for one in bases_of(own)):
        return True
    if type(kind) is not type and not enums.is_enum_class(kind):
        raise Unstageable("unsupported-expression", "isinstance with an abstract class", stager.site)
    return False


def is_user_class(value: Any) -> bool:
    """Return whether `value` is a class whose objects can be made while converting."""
    root = module_of(value).partition(".")[0] if is_plain_class(value) else "builtins"
    return root not in ("builtins", "jax", "jaxlib", "numpy") and refused(value) is None
