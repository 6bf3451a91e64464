"""Calls: functions of the user are staged in place, pure library functions run, everything else ends the conversion."""

from __future__ import annotations

import ast
import contextlib
import functools
import inspect
from typing import Any

import numpy as np

from janus_jax._base import Site, Unstageable
from janus_jax._convert import arranged, attributes, born, containers, enums, functional, later, objects, transforms
from janus_jax._convert.builtin_calls import BUILTINS, GETTERS, call_getter
from janus_jax._convert.frames import Frame, new_frame
from janus_jax._convert.generators import generator_of
from janus_jax._convert.library import call_method, call_pure
from janus_jax._convert.native import (
    CALLABLES,
    is_array,
    is_constant,
    number_from,
)
from janus_jax._convert.pure import pure_function
from janus_jax._convert.refused import refused
from janus_jax._convert.scopes import names_in
from janus_jax._convert.stager import Stager
from janus_jax._convert.unions import find_union, spread
from janus_jax._guards import Cell, Slot
from janus_jax._speculation import Context
from janus_jax._values.kinds import (
    BoundValue,
    ClosureValue,
    FunctionValue,
    Instance,
    ManagerValue,
    MethodValue,
    Opaque,
    PartialValue,
    TransformedValue,
    Union,
)

CONTEXT_DEPTH = 3
CALL_DEPTH = 24  # deeper calls are taken for endless recursion
LAZY = (zip, enumerate, reversed, *functional.LAZY, *arranged.HANDLERS)  # they do not look at what they are given
_MANAGES = contextlib.contextmanager(lambda: iter(())).__code__  # type: ignore[attr-defined]  # a function
_COROUTINES = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


def invoke(stager: Stager, function: Any, args: list[Any], keywords: dict[str, Any], site: Site | None) -> Any:
    """Return `function(*args, **keywords)`; `site` is None for the speculated function itself."""
    match function:
        case FunctionValue() if function.function.__code__ is _MANAGES:
            return invoke(
                stager, PartialValue(None, open_manager, (_managed(stager, function),), {}), args, keywords, site
            )
        case FunctionValue() if function.function is contextlib.contextmanager and len(args) == 1:
            return PartialValue(None, open_manager, (args[0],), {})
        case FunctionValue() if transforms.is_transformed(function):
            return transforms.call_transformed(stager, transforms.opened(stager, function), args, keywords, site)
        case FunctionValue() | ClosureValue():
            return _stage_call(stager, function, args, keywords, site)
        case PartialValue():
            options = {**function.keywords, **keywords}
            return invoke(stager, function.function, [*function.args, *args], options, site)
        case BoundValue():
            return invoke(stager, function.function, [function.receiver, *args], keywords, site)
        case Instance() | Opaque() if objects.is_user_class(objects.class_of(function)):
            return invoke(stager, objects.special(stager, function, "__call__"), args, keywords, site)
        case type() if objects.is_user_class(function):
            return objects.make(stager, function, args, keywords)
        case type() if enums.is_enum_class(function):
            return enums.make(stager, function, args, keywords)
        case type() if born.is_exception_class(function):
            return born.make_exception(stager, function, args, keywords)
        case type() if born.is_named_tuple_class(function):
            return born.make_named_tuple(stager, function, args, keywords)
        case MethodValue():
            return _call_method(stager, function, args, keywords)
        case TransformedValue():
            return transforms.call_transformed(stager, function, args, keywords, site)
        case Union():
            raise Unstageable("branch-types-differ", "which function is called, only the run knows", stager.site)
        case Opaque():
            raise Unstageable("opaque-call", f"{function.path} is a {function.type.__name__}", site)
        case _:
            return _call_library(stager, function, args, keywords, site)


def open_manager(generator: Any) -> ManagerValue:
    """Return what a function gives that `contextlib.contextmanager` has decorated."""
    return ManagerValue(generator)


def _managed(stager: Stager, function: FunctionValue) -> Any:
    """Return the generator function inside of a decorated one."""
    index = _MANAGES.co_freevars.index("func")
    return stager.externals.read(Cell(function.path, index, "func"), function.function.__closure__[index].cell_contents)


def _stage_call(
    stager: Stager, function: FunctionValue | ClosureValue, args: list[Any], keywords: dict[str, Any], site: Site | None
) -> Any:
    if stager.depth >= CALL_DEPTH:
        raise Unstageable("recursion", f"{CALL_DEPTH} calls inside each other", site)
    frame, arguments = _open_frame(stager, function)
    _bind(frame, function, arguments, args, keywords)
    if isinstance(frame.node, ast.FunctionDef) and names_in(frame.node.body).has_yield:
        return generator_of(stager, frame)
    outer: Context = stager.context
    stager.context = (*outer, site)[-CONTEXT_DEPTH:] if site else outer
    stager.depth += 1
    try:
        return stager.execute(frame)
    except Unstageable as end:
        end.root = site or end.root
        raise
    finally:
        frame.is_over = True
        stager.context = outer
        stager.depth -= 1


def _open_frame(stager: Stager, function: FunctionValue | ClosureValue) -> tuple[Frame, ast.arguments]:
    if isinstance(function, ClosureValue):
        node = function.node
        name = getattr(node, "name", "<lambda>")
        if isinstance(node, ast.Lambda) and names_in([node.body]).has_yield:
            raise Unstageable("generator", name, stager.site)
        frame = new_frame(stager, node, function.frame.file, name, function.frame)
        frame.private = function.frame.private
        return frame, node.args
    code = function.function.__code__
    if code.co_flags & _COROUTINES:
        raise Unstageable("generator", code.co_qualname, stager.site)
    source = stager.find_source(code)
    assert not isinstance(source.node, ast.AsyncFunctionDef)
    frame = new_frame(stager, source.node, source.file, code.co_name, (function.function, function.path))
    frame.private = source.private
    return frame, source.node.args


def _bind(
    frame: Frame,
    function: FunctionValue | ClosureValue,
    arguments: ast.arguments,
    args: list[Any],
    keywords: dict[str, Any],
) -> None:
    """Bind the arguments as Python does; a call that does not fit ends the conversion, and Python raises."""
    positional = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
    given = dict(zip(positional, args, strict=False))
    named = {name: value for name, value in keywords.items() if name in _by_keyword(arguments)}
    rest = {name: value for name, value in keywords.items() if name not in named}
    fits = not (given.keys() & named.keys())
    fits = fits and (len(args) <= len(positional) or arguments.vararg is not None)
    if not fits or (rest and arguments.kwarg is None):
        raise Unstageable("raises", "TypeError: the arguments do not fit", frame.stager.site)
    bound = {**given, **named}
    for name in (*positional, *(a.arg for a in arguments.kwonlyargs)):
        if name not in bound:
            bound[name] = _default(frame, function, arguments, name)
    if arguments.vararg:
        bound[arguments.vararg.arg] = tuple(args[len(positional) :])
    if arguments.kwarg:
        bound[arguments.kwarg.arg] = rest
    for name, value in bound.items():
        frame.store(name, value)


def _by_keyword(arguments: ast.arguments) -> set[str]:
    return {a.arg for a in (*arguments.args, *arguments.kwonlyargs)}


def _default(frame: Frame, function: FunctionValue | ClosureValue, arguments: ast.arguments, name: str) -> Any:
    positional = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
    defaults, named = _defaults(frame.stager, function)
    if name in positional:
        index = positional.index(name) - len(positional) + len(defaults)
        if 0 <= index < len(defaults):
            return defaults[index]
    elif name in named:
        return named[name]
    raise Unstageable("raises", f"TypeError: missing argument {name}", frame.stager.site)


def _defaults(stager: Stager, function: FunctionValue | ClosureValue) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if isinstance(function, ClosureValue):
        return function.defaults, function.keyword_defaults
    python = function.function
    read = stager.externals.read
    defaults = read(Slot(function.path, "__defaults__"), python.__defaults__)
    named = read(Slot(function.path, "__kwdefaults__"), python.__kwdefaults__)
    return defaults or (), named or {}


def _call_method(stager: Stager, method: MethodValue, args: list[Any], keywords: dict[str, Any]) -> Any:
    if method.name == "item" and is_array(method.receiver):
        if args or keywords or method.receiver.size != 1:
            raise Unstageable("unsupported-expression", "item with an index", stager.site)
        return number_from(stager, attributes.number_of_item(method.receiver), method.receiver)
    if isinstance(method.receiver, Union):
        return spread(stager, lambda x: _call_of(stager, x, method.name, args, keywords), (method.receiver,))
    if is_array(method.receiver):
        return call_method(stager, method.receiver, method.name, args, keywords)
    if isinstance(method.receiver, containers.CONTAINERS):
        return containers.call_method(stager, method.receiver, method.name, args, keywords)
    return attributes.call_method(stager, method, args, keywords)


def _call_of(stager: Stager, receiver: Any, name: str, args: list[Any], keywords: dict[str, Any]) -> Any:
    method = attributes.read(stager, receiver, name)
    if not isinstance(method, MethodValue):
        raise Unstageable("opaque-call", name, stager.site)
    return _call_method(stager, method, args, keywords)


def _call_library(stager: Stager, function: Any, args: list[Any], keywords: dict[str, Any], site: Site | None) -> Any:
    if transforms.is_transform(function):
        return transforms.transform(stager, function, args, keywords)
    if _is(function, transforms.TREE_MAPS):
        return transforms.map_tree(stager, args, keywords, site)
    if transforms.is_higher_order(function):
        return transforms.call_higher_order(stager, function, args, keywords, site)
    if transforms.is_jitted(function):
        return transforms.call_jitted(stager, function, args, keywords)
    if type(function) in GETTERS and not keywords:
        return call_getter(stager, function, args)
    if function is open_manager:
        return open_manager(invoke(stager, args[0], args[1:], keywords, site))
    if function is functools.wraps and len(args) == 1 and isinstance(args[0], CALLABLES) and not keywords:
        return PartialValue(None, functools.update_wrapper, (), {"wrapped": args[0]})
    if function is functools.update_wrapper and len(args) == 1 and isinstance(args[0], ClosureValue):
        return args[0]  # with attributes of another function, which nothing here can read
    if function is functools.partial and args:
        return PartialValue(None, args[0], tuple(args[1:]), keywords)
    if later.is_for_host(function, args) and not all(map(is_constant, (*args, *keywords.values()))):
        return later.call(stager, function, args, keywords)
    builtin = BUILTINS.get(function) if isinstance(function, type) or inspect.isbuiltin(function) else None
    if builtin is not None and function not in LAZY and find_union([*args, keywords]) is not None:
        return spread(stager, lambda x, named: builtin(stager, x, named, _caller(stager, site)), (args, keywords))
    if builtin is not None:
        return builtin(stager, args, keywords, _caller(stager, site))
    if _is(function, objects.OBJECT_METHODS) and not keywords:
        return objects.call_object_method(stager, function, args)
    pure = pure_function(function)
    if pure is not None:
        return call_pure(stager, function, pure, args, keywords)
    known = refused(function)
    if known is not None:
        raise Unstageable(known[0], known[1], site)
    name = _name(function)
    raise Unstageable("numpy-array" if name.startswith("numpy.") else "opaque-call", name, site)


def _caller(stager: Stager, site: Site | None) -> Any:
    return lambda function, args: invoke(stager, function, args, {}, site)


def _is(function: Any, table: tuple[Any, ...]) -> bool:
    return any(function is entry for entry in table)


def _name(function: Any) -> str:
    module = "numpy" if isinstance(function, np.ufunc) else getattr(function, "__module__", None)
    return f"{module}.{getattr(function, '__qualname__', type(function).__name__)}"
