"""Calls: functions of the user are staged in place, pure library functions run, everything else ends the conversion."""

from __future__ import annotations

import ast
import functools
import inspect
from typing import Any

import jax
import numpy as np

from janus_jax._base import Site, Unstageable
from janus_jax._convert import arranged, attributes, born, containers, enums, functional, objects
from janus_jax._convert.builtin_calls import BUILTINS, GETTERS, call_getter
from janus_jax._convert.frames import Frame, new_frame
from janus_jax._convert.generators import generator_of
from janus_jax._convert.library import call_method, call_pure, refuse_unknown_trees
from janus_jax._convert.native import (
    CALLABLES,
    is_array,
    is_constant,
    lower,
    number_from,
    numbers_within,
    run_native,
    shielded,
)
from janus_jax._convert.operators import refuse_host
from janus_jax._convert.pure import pure_function
from janus_jax._convert.refused import refused
from janus_jax._convert.scopes import names_in
from janus_jax._convert.stager import Stager
from janus_jax._convert.unions import find_union, spread
from janus_jax._guards import Slot
from janus_jax._speculation import Context
from janus_jax._values.kinds import (
    BoundValue,
    ClosureValue,
    FunctionValue,
    GradValue,
    HostArray,
    Instance,
    MethodValue,
    Opaque,
    PartialValue,
    Union,
    leaves_of,
)

CONTEXT_DEPTH = 3
CALL_DEPTH = 24  # deeper calls are taken for endless recursion
LAZY = (zip, enumerate, reversed, *functional.LAZY, *arranged.HANDLERS)  # they do not look at what they are given
GRADIENTS = (jax.grad, jax.value_and_grad, jax.jacfwd, jax.jacrev, jax.hessian)
TREE_MAPS = (jax.tree.map, jax.tree_util.tree_map)
_COROUTINES = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


def invoke(stager: Stager, function: Any, args: list[Any], keywords: dict[str, Any], site: Site | None) -> Any:
    """Return `function(*args, **keywords)`; `site` is None for the speculated function itself."""
    match function:
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
        case GradValue():
            return _differentiate(stager, function, args, keywords, site)
        case Union():
            raise Unstageable("branch-types-differ", "which function is called, only the run knows", stager.site)
        case Opaque():
            raise Unstageable("opaque-call", f"{function.path} is a {function.type.__name__}", site)
        case _:
            return _call_library(stager, function, args, keywords, site)


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
    if _is(function, GRADIENTS):
        return _gradient_of(stager, function, args, keywords)
    if _is(function, TREE_MAPS):
        return _tree_map(stager, args, keywords, site)
    if type(function) in GETTERS and not keywords:
        return call_getter(stager, function, args)
    if function is functools.partial and args:
        return PartialValue(None, args[0], tuple(args[1:]), keywords)
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


def _gradient_of(stager: Stager, transform: Any, args: list[Any], keywords: dict[str, Any]) -> GradValue:
    names = ("fun", "argnums", "has_aux")
    options = {**dict(zip(names, args, strict=False)), **keywords}
    function = options.pop("fun", None)
    is_known = isinstance(function, CALLABLES) or pure_function(function) is not None
    if len(args) > 3 or not is_known or not is_constant(options) or options.keys() - set(names):
        raise Unstageable("unsupported-expression", "jax.grad with these options", stager.site)
    return GradValue(transform, function, options)


def _differentiate(
    stager: Stager, gradient: GradValue, args: list[Any], keywords: dict[str, Any], site: Site | None
) -> Any:
    chosen = _differentiated(stager, gradient, len(args))
    _refuse_shown_primals(stager, gradient, [args[place] for place in chosen])

    def function(*inner: Any) -> Any:
        # only what is differentiated becomes a tracer: a Python number beside it stays one
        given = [inner[chosen.index(place)] if place in chosen else value for place, value in enumerate(args)]
        return shielded(lambda: _lowered_result(stager, _undisturbed(stager, gradient.function, given, keywords, site)))

    several = isinstance(gradient.options.get("argnums", 0), tuple | list)
    options = {**gradient.options, "argnums": tuple(range(len(chosen))) if several else 0}
    return run_native(stager, gradient.transform(function, **options), *(args[place] for place in chosen))


def _undisturbed(stager: Stager, function: Any, args: list[Any], keywords: dict[str, Any], site: Site | None) -> Any:
    """Return what a function gives that JAX transforms; what it put into objects would be of that trace alone."""
    around = stager.heap.enter()
    try:
        result = invoke(stager, function, args, keywords, site)
        if stager.heap.changed():
            raise Unstageable("heap-write", "by a function that JAX transforms", stager.site)
        return result
    finally:
        stager.heap.leave(around)


def _refuse_shown_primals(stager: Stager, gradient: GradValue, differentiated: list[Any]) -> None:
    """End the conversion where a NumPy array may come back from under eager `grad`: as an array of another class."""
    hosts = [leaf for leaf in leaves_of(differentiated) if isinstance(leaf, HostArray)]
    if not gradient.options.get("has_aux"):
        hosts = [host for host in hosts if gradient.transform is jax.value_and_grad and host.shape == ()]
    refuse_host(stager, *hosts)


def _differentiated(stager: Stager, gradient: GradValue, count: int) -> list[int]:
    """Return the places of the arguments that are differentiated."""
    argnums = gradient.options.get("argnums", 0)
    places = list(argnums) if isinstance(argnums, tuple | list) else [argnums]
    chosen = [place + count if type(place) is int and place < 0 else place for place in places]
    if not all(type(place) is int and 0 <= place < count for place in chosen) or len(set(chosen)) < len(chosen):
        raise Unstageable("raises", "argnums that do not fit the call", stager.site)
    return chosen


def _lowered_result(stager: Stager, value: Any) -> Any:
    """Return what a staged function hands to JAX: no Number and no NumPy array, of which JAX makes something else."""
    if numbers_within(value):
        raise Unstageable("unsupported-result", "a Python number that only the run knows", stager.site)
    refuse_host(stager, *leaves_of(value))
    return lower(stager, value, [])


def _tree_map(stager: Stager, args: list[Any], keywords: dict[str, Any], site: Site | None) -> Any:
    if len(args) < 2 or keywords or not (isinstance(args[0], CALLABLES) or pure_function(args[0]) is not None):
        raise Unstageable("callback", "jax.tree.map with these arguments", stager.site)
    if find_union(args) is not None:
        return spread(stager, lambda x: _tree_map(stager, list(x), keywords, site), (tuple(args),))
    function, *trees = args
    refuse_unknown_trees(stager, trees)

    def applied(*leaves: Any) -> Any:
        return shielded(lambda: invoke(stager, function, list(leaves), {}, site))

    return run_native(stager, lambda: jax.tree.map(applied, *trees))
