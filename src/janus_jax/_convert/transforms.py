"""Functions of JAX that are given a Python function: they call it, while converting, with tracers of their own.

Under `jax.grad` the function has values, as in plain Python: it may branch on them. Under all others it has none: plain
Python raises where it asks for one, and so does the conversion end.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import jaxpr_as_fun

from janus_jax._base import Site, Unstageable
from janus_jax._convert.identity import fresh, renewed
from janus_jax._convert.library import refuse_unknown_trees
from janus_jax._convert.native import (
    CALLABLES,
    Fault,
    is_array,
    is_constant,
    lower,
    numbers_within,
    run_native,
    shielded,
)
from janus_jax._convert.operators import refuse_host
from janus_jax._convert.pure import pure_function
from janus_jax._convert.retained import note_traced
from janus_jax._convert.stager import Stager
from janus_jax._convert.unions import find_union, spread
from janus_jax._guards import Cell, CodeIs, ObjectIs, Path
from janus_jax._jax import OPTIONS, computes_only, taken_apart
from janus_jax._values.kinds import FunctionValue, HostArray, TransformedValue, leaves_of

GRADIENTS = (jax.grad, jax.value_and_grad, jax.jacfwd, jax.jacrev, jax.jacobian, jax.hessian)
TRACING = (jax.jit, jax.vmap, jax.checkpoint)
TREE_MAPS = (jax.tree.map, jax.tree_util.tree_map)
HIGHER_ORDER = (
    jax.lax.scan,
    jax.lax.while_loop,
    jax.lax.fori_loop,
    jax.lax.cond,
    jax.lax.switch,
    jax.lax.map,
    jax.lax.associative_scan,
)
_OPTIONS: dict[Any, tuple[str, ...]] = {
    **dict.fromkeys(GRADIENTS, ("fun", "argnums", "has_aux")),
    jax.jit: ("fun",),
    jax.checkpoint: ("fun",),
    jax.vmap: ("fun", "in_axes", "out_axes"),
}
_JITTED = type(jax.jit(lambda: 0))


def is_transform(function: Any) -> bool:
    """Return whether `function` makes a function of another."""
    return any(function is one for one in (*GRADIENTS, *TRACING))


def transform(stager: Stager, function: Any, args: list[Any], keywords: dict[str, Any]) -> TransformedValue:
    """Return what `jax.grad` and the like make of a function of the user."""
    names = _OPTIONS[function]
    options = {**dict(zip(names, args, strict=False)), **keywords}
    inner = options.pop("fun", None)
    if len(args) > len(names) or options.keys() - set(names):
        raise Unstageable("callback", f"jax.{function.__name__} with these options", stager.site)
    return transform_of(stager, function, inner, options)


def transform_of(stager: Stager, function: Any, inner: Any, options: dict[str, Any]) -> TransformedValue:
    """Return what a transformation makes of `inner`."""
    is_known = isinstance(inner, CALLABLES) or pure_function(inner) is not None or is_jitted(inner)
    if not is_known or not is_constant(options):
        raise Unstageable("callback", f"jax.{function.__name__} with these options", stager.site)
    return TransformedValue(function, inner, options)


def is_transformed(function: FunctionValue) -> bool:
    """Return whether `jax.grad` and the like have made this function, before the call."""
    return taken_apart(function.function) is not None


def opened(stager: Stager, function: FunctionValue) -> TransformedValue:
    """Return what JAX has made of a function as what it was made of; all of it is expected at the next call, too."""
    made = taken_apart(function.function)
    assert made is not None
    transform, way, usual = made
    path, held = function.path, function.function
    cells = _cells(held)
    for name in way[:-1]:
        path, held = cells[name].path(path), cells[name].value
        stager.externals.expect(CodeIs(path, held.__code__))
        cells = _cells(held)
    options: dict[str, Any] = {}
    for name, value in usual.items():
        if name in OPTIONS:
            options[name] = stager.externals.read(cells[name].path(path), cells[name].value)
        elif cells[name].value is value:
            stager.externals.expect(ObjectIs(cells[name].path(path), value))
        else:
            raise Unstageable("callback", f"jax.{transform.__name__} with these options", stager.site)
    inner = stager.externals.read(cells[way[-1]].path(path), cells[way[-1]].value)
    return transform_of(stager, transform, inner, options)


@dataclass(frozen=True, slots=True)
class _Cell:
    index: int
    name: str
    value: Any

    def path(self, owner: Path) -> Path:
        """Return the path to the content of this cell of the function at `owner`."""
        return Cell(owner, self.index, self.name)


def _cells(function: Any) -> dict[str, _Cell]:
    names = function.__code__.co_freevars
    held = [cell.cell_contents for cell in function.__closure__]
    return {name: _Cell(place, name, value) for place, (name, value) in enumerate(zip(names, held, strict=True))}


def call_transformed(
    stager: Stager, transformed: TransformedValue, args: list[Any], keywords: dict[str, Any], site: Site | None
) -> Any:
    """Return what a transformed function gives."""
    if any(transformed.transform is one for one in TRACING):
        note_traced(stager, transformed.transform, [transformed.function])
        traced = _traced(stager, transformed.function, site, evaluated=transformed.transform is jax.checkpoint)
        if transformed.transform is jax.jit:
            return renewed(_run(stager, _inlined(traced), *args, **keywords))
        function = transformed.transform(traced, **transformed.options)
        return _run(stager, _handing_on(stager, function, args, keywords), *args, **keywords)
    return _differentiate(stager, transformed, args, keywords, site)


def _inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what computes as `jax.jit(function)` does, in the trace that is open.

    What the function reads is then read by the program, and is no constant of a part that is kept apart.
    """

    def call(*args: Any, **keywords: Any) -> Any:
        leaves = [leaf if is_array(leaf) else jnp.asarray(leaf) for leaf in jax.tree.leaves((args, keywords))]
        jaxpr, shapes = jax.make_jaxpr(function, return_shape=True)(*args, **keywords)
        return jax.tree.unflatten(jax.tree.structure(shapes), jaxpr_as_fun(jaxpr)(*leaves))

    return call


def is_higher_order(function: Any) -> bool:
    """Return whether `function` calls functions that it is given, with tracers."""
    return any(function is one for one in HIGHER_ORDER)


def call_higher_order(
    stager: Stager, function: Any, args: Sequence[Any], keywords: Mapping[str, Any], site: Site | None
) -> Any:
    """Return what `lax.scan` and the like give."""
    note_traced(stager, function, leaves_of([*args, *keywords.values()]))

    def prepared(value: Any) -> Any:
        if isinstance(value, CALLABLES):
            return _traced(stager, value, site)
        if type(value) in (list, tuple) and any(isinstance(item, CALLABLES) for item in value):
            return [prepared(item) for item in value]
        return value

    given = [prepared(value) for value in args]
    named = {name: prepared(value) for name, value in keywords.items()}
    refuse_unknown_trees(stager, [*args, *keywords.values()])
    return _run(stager, _handing_on(stager, function, args, keywords), *given, **named)


def is_jitted(function: Any) -> bool:
    """Return whether `jax.jit` has made this function, before the call."""
    return type(function) is _JITTED


def call_jitted(stager: Stager, function: Any, args: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
    """Return what a function of the user's gives that `jax.jit` has compiled; what it froze stays frozen."""
    refuse_unknown_trees(stager, [*args, *keywords.values()])
    if stager.unseen:
        raise Unstageable("opaque-call", "a jitted function that JAX would have to trace before its time", stager.site)
    if not run_native(stager, lambda *given, **named: computes_only(function, given, named), *args, **keywords):
        raise Unstageable("opaque-call", "a jitted function with effects, donated arguments or shardings", stager.site)
    return fresh([*args, *keywords.values()], run_native(stager, function, *args, **keywords))


def map_tree(stager: Stager, args: list[Any], keywords: dict[str, Any], site: Site | None) -> Any:
    """Return `jax.tree.map(*args)`."""
    if len(args) < 2 or keywords or not (isinstance(args[0], CALLABLES) or pure_function(args[0]) is not None):
        raise Unstageable("callback", "jax.tree.map with these arguments", stager.site)
    if find_union(args) is not None:
        return spread(stager, lambda x: map_tree(stager, list(x), keywords, site), (tuple(args),))
    function, *trees = args
    refuse_unknown_trees(stager, trees)

    def applied(*leaves: Any) -> Any:
        stager.site = site or stager.site
        return shielded(lambda: stager.call(function, list(leaves), {}))

    return _run(stager, lambda: jax.tree.map(applied, *trees))


def _run(stager: Stager, function: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    """Return what a library function gives that calls functions of ours."""
    try:
        return run_native(stager, function, *args, **keywords)
    except Fault as fault:
        raise fault.error from None


def _handing_on(
    stager: Stager, function: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any]
) -> Callable[..., Any]:
    """Return `function`, for which JAX hands arguments on as they are, under a trace as eagerly.

    A Python number or a NumPy array would come back as what it was lowered to.
    """
    own = {id(leaf) for leaf in leaves_of([*args, *keywords.values()])}

    def call(*given: Any, **named: Any) -> Any:
        result = function(*given, **named)
        lowered = {id(leaf) for leaf in leaves_of([*given, *named.values()]) if is_array(leaf)} - own
        if any(id(leaf) in lowered for leaf in jax.tree.leaves(result)):
            raise Unstageable("unsupported-result", "a number or NumPy array that JAX hands on", stager.site)
        return result

    return call


def _traced(stager: Stager, function: Any, site: Site | None, *, evaluated: bool = False) -> Callable[..., Any]:
    """Return a function for JAX to call with tracers; what it gives is `evaluated` where JAX calls it eagerly."""

    def call(*given: Any, **named: Any) -> Any:
        with _without_values(stager):
            result = shielded(lambda: _lowered(stager, _undisturbed(stager, function, list(given), named, site)))
        if evaluated and any(_is_known(stager, leaf, [*given, *named.values()]) for leaf in jax.tree.leaves(result)):
            raise Unstageable("identity", "an array that jax.checkpoint hands on", stager.site)
        return result

    return call


def _is_known(stager: Stager, leaf: Any, given: Sequence[Any]) -> bool:
    """Return whether a result is an object from before the call of the function."""
    identity = stager.identities.of(leaf)
    return not isinstance(identity, int) or bool(identity) or any(leaf is one for one in jax.tree.leaves(given))


@contextmanager
def _without_values(stager: Stager) -> Generator[None]:
    outer, stager.traced = stager.traced, True
    try:
        yield
    finally:
        stager.traced = outer


def _undisturbed(stager: Stager, function: Any, args: list[Any], keywords: dict[str, Any], site: Site | None) -> Any:
    """Return what a function gives that JAX transforms; what it put into objects would be of that trace alone."""
    around = stager.heap.enter()
    stager.site = site or stager.site
    try:
        result = stager.call(function, args, keywords)
        if stager.heap.changed():
            raise Unstageable("heap-write", "by a function that JAX transforms", stager.site)
        return result
    finally:
        stager.heap.leave(around)


def _lowered(stager: Stager, value: Any) -> Any:
    """Return what a staged function hands to JAX: no Number and no NumPy array, of which JAX makes something else."""
    if numbers_within(value):
        raise Unstageable("unsupported-result", "a Python number that only the run knows", stager.site)
    refuse_host(stager, *leaves_of(value))
    return lower(stager, value, [])


def _differentiate(
    stager: Stager, gradient: TransformedValue, args: list[Any], keywords: dict[str, Any], site: Site | None
) -> Any:
    chosen = _differentiated(stager, gradient, len(args))
    _refuse_shown_primals(stager, gradient, [args[place] for place in chosen])

    def function(*inner: Any) -> Any:
        # only what is differentiated becomes a tracer: a Python number beside it stays one
        given = [inner[chosen.index(place)] if place in chosen else value for place, value in enumerate(args)]
        return shielded(lambda: _lowered(stager, _undisturbed(stager, gradient.function, given, keywords, site)))

    several = isinstance(gradient.options.get("argnums", 0), tuple | list)
    options = {**gradient.options, "argnums": tuple(range(len(chosen))) if several else 0}
    return _run(stager, gradient.transform(function, **options), *(args[place] for place in chosen))


def _refuse_shown_primals(stager: Stager, gradient: TransformedValue, differentiated: list[Any]) -> None:
    """End the conversion where a NumPy array may come back from under eager `grad`: as an array of another class."""
    hosts = [leaf for leaf in leaves_of(differentiated) if isinstance(leaf, HostArray)]
    if not gradient.options.get("has_aux"):
        hosts = [host for host in hosts if gradient.transform is jax.value_and_grad and host.shape == ()]
    refuse_host(stager, *hosts)


def _differentiated(stager: Stager, gradient: TransformedValue, count: int) -> list[int]:
    """Return the places of the arguments that are differentiated."""
    argnums = gradient.options.get("argnums", 0)
    places = list(argnums) if isinstance(argnums, tuple | list) else [argnums]
    chosen = [place + count if type(place) is int and place < 0 else place for place in places]
    if not all(type(place) is int and 0 <= place < count for place in chosen) or len(set(chosen)) < len(chosen):
        raise Unstageable("raises", "argnums that do not fit the call", stager.site)
    return chosen
