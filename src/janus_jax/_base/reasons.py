"""Why a function stays in Python: fixed ids, one sentence and one hint each."""

from __future__ import annotations

from dataclasses import dataclass, field

from janus_jax._base.sites import Site


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a reason's id stands for, whatever the program."""

    sentence: str
    hint: str


MEANINGS: dict[str, Meaning] = {
    "no-source": Meaning(
        "The source of the function cannot be read.",
        "Define it in a file (or a notebook cell), not through exec or in C.",
    ),
    "source-differs": Meaning(
        "The source on disk is not the code that runs.",
        "Reload the module after editing it; import hooks that change code cannot be followed.",
    ),
    "unsupported-statement": Meaning(
        "This statement is not compiled yet.",
        "Move it out of the speculated function, or leave the function in Python.",
    ),
    "unsupported-expression": Meaning(
        "This expression is not compiled yet.",
        "Move it out of the speculated function, or write it with arrays and numbers.",
    ),
    "heap-write": Meaning(
        "An object from before the call is changed in place, or a name outside of the function is bound.",
        "Bind a new value to a local name instead, `items = [*items, x]` or `a = a.at[i].set(x)`, and return it.",
    ),
    "object-attribute": Meaning(
        "An attribute is read, or an object made, in a way that only its class knows.",
        "Classes with their own `__new__` or `__getattribute__` are not followed; pass what is needed.",
    ),
    "opaque-call": Meaning(
        "The called function is not known to be free of effects, and has no Python source to convert.",
        "Move the call out of the speculated function; in place of a callable object, pass a function.",
    ),
    "effect": Meaning(
        "The call has an effect outside the program.",
        "Move it out of the speculated function.",
    ),
    "frame-access": Meaning(
        "The call looks at the running Python program itself.",
        "Move it out of the speculated function.",
    ),
    "hidden-state": Meaning(
        "The call depends on, or changes, state that is not an argument: a clock, a random stream, a file, a thread.",
        "Draw the value before the call and pass it in; for random numbers use jax.random.",
    ),
    "callback": Meaning(
        "A Python function is handed to a library function that may keep it or call it at any time.",
        "jax.grad, jit, vmap, checkpoint, tree.map, lax's loops and branches and Python's builtins may take functions.",
    ),
    "generator": Meaning(
        "A generator or coroutine would have to run bit by bit, as the values in the program decide.",
        "Use it up at once, as in `list(...)` or `sum(...)`; speculate the function that does the work for one item.",
    ),
    "numpy-array": Meaning(
        "NumPy computes this on the host; only jax.numpy operations are compiled.",
        "Use jax.numpy, or convert the array with jnp.asarray first.",
    ),
    "identity": Meaning(
        "The identity or hash of a value that exists only in the compiled program is asked for.",
        "Compare values instead of identities.",
    ),
    "concrete-value": Meaning(
        "A value is needed while the program is being built that only its run knows.",
        "Pass it as a plain Python argument, or compute it outside; in place of a boolean mask, use jnp.where.",
    ),
    "branch-types-differ": Meaning(
        "The two sides of a branch leave values of different type, shape or dtype in one name.",
        "Give both sides the same type, shape and dtype.",
    ),
    "loop-types-differ": Meaning(
        "A value changes its type, shape or dtype from one iteration of a loop to the next.",
        "Start the loop with a value of the type that the loop computes.",
    ),
    "truth-of-array": Meaning(
        "The truth value of an array with more than one element is asked for.",
        "Use jnp.any or jnp.all.",
    ),
    "recursion": Meaning(
        "The function calls itself too deeply to be converted.",
        "Write the recursion as a loop.",
    ),
    "number-math": Meaning(
        "This operation on a Python number cannot be computed on the device with Python's exact result.",
        "Compute it outside the function, or use a jax.numpy array.",
    ),
    "unbound-name": Meaning(
        "A name may be read before it is bound.",
        "Bind the name on every path before it is read.",
    ),
    "deep-argument": Meaning(
        "An argument contains itself, or containers in each other more than 100 deep.",
        "Pass arrays, or containers that are less deep.",
    ),
    "unsupported-result": Meaning(
        "The function returns an object that cannot be built from a program's outputs.",
        "Return arrays, numbers, strings, None, and tuples, lists and dicts of them.",
    ),
    "shared-result": Meaning(
        "Two lists or dicts of the result may be one and the same object, as a branch or loop decides.",
        "Return a copy of one of them: list(x) or dict(x).",
    ),
    "raises": Meaning(
        "Plain Python raises an exception here.",
        "Nothing to do if the exception is meant; it is Python's own.",
    ),
    "staging-error": Meaning(
        "Building the program raised an exception that plain Python may not raise.",
        "Look at the exception in the details; often a value is needed on the host.",
    ),
    "outer-trace": Meaning(
        "The function was called inside another JAX transformation, which sees the plain function.",
        "Nothing to do: the outer jit, vmap or scan compiles it.",
    ),
    "unstable-value": Meaning(
        "What the program is specialised to, a value, shape or type, changes at almost every call.",
        "Pass a value as a number or an array, pad arrays to a few shapes, or leave the function in Python.",
    ),
    "guard-trips": Meaning(
        "The same assumption failed again and again.",
        "Look at the line that is named: a branch or loop may vary too much; a number too large wants to be an array.",
    ),
    "conversion-limit": Meaning(
        "The conversion changed its mind too often.",
        "Simplify the control flow, or report the function.",
    ),
    "run-error": Meaning(
        "The compiled program could not run to its end.",
        "The details say why; for want of memory, look at the shapes.",
    ),
    "debug-config": Meaning(
        "A JAX debugging option is on under which every operation must run on its own.",
        "Switch jax_debug_nans, jax_debug_infs, jax_debug_key_reuse or jax_disable_jit off.",
    ),
    "disabled": Meaning(
        "Speculation is switched off.",
        "Leave the `with janus_jax.disabled()` block, or unset JANUS_JAX_DISABLE.",
    ),
    "forked": Meaning(
        "The process was forked after JAX had started: XLA compiles nothing in it, and would wait for ever.",
        "Fork before the first use of JAX, start processes by `spawn`, or have the programs compiled before.",
    ),
    "internal": Meaning(
        "janus_jax itself failed; the call ran as plain Python.",
        "Please report it, with the details.",
    ),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one function, at one place, runs as plain Python."""

    id: str
    where: Site | None
    detail: str = ""
    root: Site | None = field(default=None, compare=False)  # the call in the function itself that led there

    @property
    def sentence(self) -> str:
        """What happened, in one sentence."""
        return MEANINGS[self.id].sentence

    @property
    def hint(self) -> str:
        """What the user can do about it."""
        return MEANINGS[self.id].hint

    def __str__(self) -> str:
        text = self.where.text if self.where else ""
        where = f"{self.where}{f', in `{text}`' if text else ''}: " if self.where else ""
        detail = f" ({self.detail})" if self.detail else ""
        return f"[{self.id}] {where}{self.sentence}{detail}"


class Unstageable(BaseException):
    """Raised while staging where conversion has to end; never reaches the user.

    It derives from `BaseException` so that no `except Exception` of a library swallows it.
    """

    def __init__(self, reason_id: str, detail: str = "", where: Site | None = None) -> None:
        super().__init__(reason_id, detail, where)
        assert reason_id in MEANINGS, reason_id
        self.reason_id = reason_id
        self.detail = detail
        self.where = where
        self.root: Site | None = None

    @property
    def reason(self) -> Reason:
        """The reason to record."""
        return Reason(self.reason_id, self.where, self.detail, self.root)
