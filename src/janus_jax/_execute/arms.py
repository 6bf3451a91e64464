"""Has both arms of a cheap `cond` computed and one chosen, where jumping over an arm costs more than running it.

An arm behind a jump is a computation of its own to XLA: nothing fuses across it, and what passes through is copied.
Only the code that XLA gets is different: derivatives are those of `cond`, so no NaN comes out of the arm that was not
taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn, Primitive, jaxpr_as_fun, jaxprs_in_params
from jax.extend.core.primitives import cond_p
from jax.interpreters import ad, mlir

# What the arms may cost, in elements computed: some microseconds on one core.
CHEAP = 2**15
# What costs an element that a primitive writes, or in a reduction reads; a primitive without a weight is not cheap.
_LIGHT = """
    abs add add_any and broadcast_in_dim ceil clamp concatenate convert_element_type copy copy_p div dynamic_slice eq
    floor ge gt imag integer_pow iota is_finite le lt max min mul ne neg not or real reduce_and reduce_max reduce_min
    reduce_or reduce_sum reshape round select_n sign slice sqrt square squeeze stop_gradient sub transpose xor
"""
_HEAVY = "cos exp exp2 expm1 log log1p logistic pow rsqrt sin tanh"
_WEIGHTS = {**dict.fromkeys(_LIGHT.split(), 1), **dict.fromkeys(_HEAVY.split(), 16)}
_CALLS = frozenset({"cond", "custom_jvp_call", "custom_vjp_call", "janus_choice", "jit"})


def with_cheap_arms_chosen(closed: ClosedJaxpr) -> ClosedJaxpr:
    """Return `closed` with a choice in the place of every `cond` whose two arms are cheap, at any depth."""
    return _Rewriter().closed(closed)


class _Rewriter:
    """Rewrites jaxprs; one that is used twice is rewritten once, because XLA's functions are shared by identity."""

    def __init__(self) -> None:
        self._done: dict[int, tuple[Jaxpr, Jaxpr]] = {}

    def closed(self, closed: ClosedJaxpr) -> ClosedJaxpr:
        jaxpr = self._jaxpr(closed.jaxpr)
        return closed if jaxpr is closed.jaxpr else closed.replace(jaxpr=jaxpr)

    def _jaxpr(self, jaxpr: Jaxpr) -> Jaxpr:
        if id(jaxpr) not in self._done:
            equations = [self._equation(equation) for equation in jaxpr.eqns]
            same = all(new is old for new, old in zip(equations, jaxpr.eqns, strict=True))
            self._done[id(jaxpr)] = (jaxpr, jaxpr if same else jaxpr.replace(eqns=equations))
        return self._done[id(jaxpr)][1]

    def _equation(self, equation: JaxprEqn) -> JaxprEqn:
        params = {name: self._parameter(value) for name, value in equation.params.items()}
        if any(params[name] is not value for name, value in equation.params.items()):
            equation = equation.replace(params=params)
        return equation.replace(primitive=choice_p) if _is_cheap_cond(equation) else equation

    def _parameter(self, value: Any) -> Any:
        if isinstance(value, ClosedJaxpr):
            return self.closed(value)
        if isinstance(value, Jaxpr):
            return self._jaxpr(value)
        if type(value) is tuple:
            items = tuple(self._parameter(item) for item in value)
            return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
        return value


def _is_cheap_cond(equation: JaxprEqn) -> bool:
    if equation.primitive is not cond_p or equation.effects:
        return False
    one_platform = equation.params.get("branches_platforms") is None
    return one_platform and len(equation.params["branches"]) == 2 and _cost_of(equation) <= CHEAP


def _cost(jaxpr: Jaxpr) -> float:
    """Return what it costs to compute all of a jaxpr; infinity where it does more than simple arithmetic."""
    return sum(map(_cost_of, jaxpr.eqns))


def _cost_of(equation: JaxprEqn) -> float:
    name = equation.primitive.name
    if name in _CALLS:
        return _sizes(equation.outvars) + sum(map(_cost, jaxprs_in_params(equation.params)))
    counted = equation.invars if name.startswith("reduce_") else equation.outvars
    return _WEIGHTS.get(name, float("inf")) * _sizes(counted)


def _sizes(variables: Sequence[Any]) -> float:
    """Return how many elements these variables have; infinity where one is not an array of numbers."""
    types = [variable.aval for variable in variables]
    plain = all(isinstance(getattr(aval, "dtype", None), np.dtype) for aval in types)
    return sum(aval.size for aval in types) if plain else float("inf")


def _choose(index: Any, *operands: Any, branches: Any, **_: Any) -> list[Any]:
    """Return the results of the arm that `index` names, of two that are both computed."""
    first, second = (_results(arm, operands) for arm in branches)
    chosen = lax.gt(index, np.zeros((), index.dtype))
    return [lax.select(jnp.broadcast_to(chosen, b.shape), b, a) for a, b in zip(first, second, strict=True)]


def _results(arm: ClosedJaxpr, operands: Sequence[Any]) -> list[Any]:
    """Return the results of an arm as arrays: what is a literal in it comes out as a Python number."""
    found = zip(jaxpr_as_fun(arm)(*operands), arm.out_avals, strict=True)
    return [result if hasattr(result, "shape") else np.asarray(result, aval.dtype) for result, aval in found]


choice_p = Primitive("janus_choice")
choice_p.multiple_results = True
choice_p.def_abstract_eval(lambda *_, branches, **__: branches[0].out_avals)
ad.primitive_jvps[choice_p] = ad.primitive_jvps[cond_p]
mlir.register_lowering(choice_p, mlir.lower_fun(_choose, multiple_results=True))
