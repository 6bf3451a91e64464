"""A log of every place that a plain run of a function reads, found by tracing its opcodes.

A shadow of the value stack holds what globals, cells, locals, attributes and items are known to have pushed; all
else is unknown, and so is everything after a jump. So the log may miss a read of something that was computed, but it
names no wrong place.
"""

from __future__ import annotations

import builtins
import dis
import functools
import gc
import itertools
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.harness.outcomes import Arguments, Painter, attempt, fresh, is_user_file
from tests.harness.places import (
    AttributePlace,
    CellPlace,
    ContentPlace,
    FunctionPlace,
    GlobalPlace,
    ItemPlace,
    Place,
)


class Unknown:
    """A value on the stack that the log cannot know."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN = Unknown()


@dataclass(eq=False)
class FrameLog:
    """The shadow of one frame's stack."""

    function: types.FunctionType | None
    instructions: dict[int, dis.Instruction]
    following: dict[int, int]
    stack: list[Any] = field(default_factory=list)
    expected: int | None = None

    def pop(self) -> Any:
        """Take the top of the shadow stack, unknown below its known part."""
        return self.stack.pop() if self.stack else UNKNOWN

    def push(self, *values: Any) -> None:
        """Put values on the shadow stack."""
        self.stack.extend(values)


@dataclass(eq=False)
class ReadLog:
    """The places read so far, each once, in the order of first reading."""

    lasting: dict[int, Any]
    existing: set[int]
    places: dict[tuple[Any, ...], Place] = field(default_factory=dict)
    frames: dict[types.FrameType, FrameLog] = field(default_factory=dict)
    alive: list[Any] = field(default_factory=list)

    def add(self, place: Place) -> None:
        """Note that `place` was read."""
        self.alive.append(place)
        self.places.setdefault(place.key, place)

    def trace(self, frame: types.FrameType, event: str, argument: Any) -> Any:
        """Trace the opcodes of user frames, nothing else."""
        if event == "call":
            if not is_user_file(frame.f_code.co_filename):
                return None
            frame.f_trace_opcodes = True
            frame.f_trace_lines = False
            self.enter(frame)
        elif event == "opcode":
            self.opcode(frame)
        elif event == "return":
            self.frames.pop(frame, None)
        return self.trace

    def enter(self, frame: types.FrameType) -> None:
        """Begin the log of a frame, and note the function that it belongs to."""
        function = function_of(frame, self.existing)
        instructions = list(dis.get_instructions(frame.f_code))
        offsets = [instruction.offset for instruction in instructions]
        following = dict(itertools.pairwise(offsets))
        self.frames[frame] = FrameLog(function, {entry.offset: entry for entry in instructions}, following)
        if function is not None:
            self.alive.append(function)
            for name in ("__code__", "__defaults__", "__kwdefaults__"):
                self.add(FunctionPlace(function, name))

    def opcode(self, frame: types.FrameType) -> None:
        """Follow one instruction on the shadow stack, and note what it reads."""
        log = self.frames.get(frame)
        if log is None:
            return
        if frame.f_lasti != log.expected:
            log.stack.clear()
        instruction = log.instructions[frame.f_lasti]
        log.expected = log.following.get(frame.f_lasti)
        step(self, log, frame, instruction)

    def lasts(self, value: Any) -> bool:
        """Say whether `value` can be reached from the functions and globals, so that it outlives the call."""
        return id(value) in self.lasting


def step(log: ReadLog, shadow: FrameLog, frame: types.FrameType, instruction: dis.Instruction) -> None:
    """Do to the shadow stack what `instruction` does to the real one."""
    name, argument = instruction.opname, instruction.argval
    match name:
        case "CACHE" | "RESUME" | "EXTENDED_ARG" | "NOP" | "PRECALL" | "COPY_FREE_VARS" | "MAKE_CELL" | "KW_NAMES":
            pass
        case "LOAD_CONST":
            shadow.push(argument)
        case "PUSH_NULL":
            shadow.push(UNKNOWN)
        case "LOAD_FAST" | "LOAD_FAST_CHECK" | "LOAD_FAST_BORROW":
            shadow.push(frame.f_locals.get(argument, UNKNOWN))
        case "LOAD_FAST_LOAD_FAST":
            shadow.push(*(frame.f_locals.get(part, UNKNOWN) for part in argument))
        case "LOAD_GLOBAL":
            load_global(log, shadow, frame, instruction)
        case "LOAD_NAME":
            found = read_name(log, frame, argument)
            shadow.push(frame.f_locals.get(argument, found))
        case "LOAD_DEREF" | "LOAD_CLASSDEREF":
            shadow.push(read_cell(log, shadow, frame, argument))
        case "LOAD_FROM_DICT_OR_DEREF":
            shadow.pop()
            shadow.push(read_cell(log, shadow, frame, argument))
        case "LOAD_ATTR" | "LOAD_METHOD":
            load_attribute(log, shadow, instruction)
        case "BINARY_SUBSCR":
            index, container = shadow.pop(), shadow.pop()
            shadow.push(read_item(log, container, index))
        case "GET_ITER" | "UNPACK_SEQUENCE" | "CONTAINS_OP":
            note_content(log, shadow.stack[-1] if shadow.stack else UNKNOWN)
            follow_others(shadow, instruction)
        case "POP_TOP" | "STORE_FAST" | "STORE_DEREF":
            shadow.pop()
        case "COPY":
            depth = instruction.arg or 1
            shadow.push(shadow.stack[-depth] if len(shadow.stack) >= depth else UNKNOWN)
        case "SWAP":
            swap(shadow, instruction.arg or 1)
        case _:
            if name.startswith("CALL"):
                note_arguments(log, shadow, instruction.arg or 0)
            follow_others(shadow, instruction)


def load_global(log: ReadLog, shadow: FrameLog, frame: types.FrameType, instruction: dis.Instruction) -> None:
    """Push a global's value, and the NULL that some calls want before or after it."""
    value = read_name(log, frame, instruction.argval)
    with_null = bool((instruction.arg or 0) & 1)
    if not with_null:
        shadow.push(value)
    elif sys.version_info >= (3, 13):
        shadow.push(value, UNKNOWN)
    else:
        shadow.push(UNKNOWN, value)


def read_name(log: ReadLog, frame: types.FrameType, name: str) -> Any:
    """Note a read of a global or builtin and return its value."""
    log.add(GlobalPlace(frame.f_globals, name))
    value = frame.f_globals.get(name, getattr(builtins, name, UNKNOWN))
    if isinstance(value, functools.partial):
        log.add(ContentPlace(value.keywords))
    return value


def read_cell(log: ReadLog, shadow: FrameLog, frame: types.FrameType, name: str) -> Any:
    """Note a read of a cell that outlives the frame, and return its content."""
    function = shadow.function
    if function is not None and name in function.__code__.co_freevars:
        cell = (function.__closure__ or ())[function.__code__.co_freevars.index(name)]
        log.add(CellPlace(cell, name))
    return frame.f_locals.get(name, UNKNOWN)


def load_attribute(log: ReadLog, shadow: FrameLog, instruction: dis.Instruction) -> None:
    """Push an attribute's value where a plain dictionary holds it."""
    owner = shadow.pop()
    value = read_attribute(log, owner, instruction.argval)
    is_method = instruction.opname == "LOAD_METHOD" or (sys.version_info >= (3, 12) and (instruction.arg or 0) & 1)
    if not is_method:
        shadow.push(value)
    elif sys.version_info >= (3, 13):
        shadow.push(value, UNKNOWN)
    else:
        shadow.push(UNKNOWN, value)


def read_attribute(log: ReadLog, owner: Any, name: str) -> Any:
    """Note a read of an attribute and return its value, if the owner lasts and a dictionary holds it."""
    if owner is UNKNOWN:
        return UNKNOWN
    for holder in holders(owner):
        if name in holder.__dict__ and (isinstance(holder, types.ModuleType) or is_users(holder, log)):
            log.add(AttributePlace(holder, name))
            found = holder.__dict__[name]
            return found if holder is owner else UNKNOWN
    return UNKNOWN


def is_users(holder: Any, log: ReadLog) -> bool:
    """Say whether an object or class is the user's and outlives the call."""
    kind = holder if isinstance(holder, type) else type(holder)
    module = sys.modules.get(kind.__module__)
    is_mutable = not kind.__flags__ & (1 << 8)
    return (
        is_mutable
        and is_user_file(getattr(module, "__file__", None) or "")
        and (isinstance(holder, type) or log.lasts(holder))
    )


def holders(owner: Any) -> list[Any]:
    """Return the objects whose dictionaries an attribute of `owner` is looked up in."""
    own = [owner] if hasattr(owner, "__dict__") and not isinstance(owner, type) else []
    classes = (owner if isinstance(owner, type) else type(owner)).__mro__
    return own if isinstance(owner, types.ModuleType) else [*own, *classes]


def read_item(log: ReadLog, container: Any, index: Any) -> Any:
    """Note a read of an item and return it, if the container lasts."""
    if index is UNKNOWN or type(container) not in (list, dict, tuple):
        note_content(log, container)
        return UNKNOWN
    if log.lasts(container) and type(container) is not tuple:
        log.add(ItemPlace(container, index))
        log.add(ContentPlace(container))
    try:
        return container[index]
    except (LookupError, TypeError):
        return UNKNOWN


def note_content(log: ReadLog, container: Any) -> None:
    """Note that the whole of a lasting container is read."""
    if type(container) in (list, dict, np.ndarray) and log.lasts(container):
        log.add(ContentPlace(container))


def note_arguments(log: ReadLog, shadow: FrameLog, count: int) -> None:
    """Note that containers handed to a call are read."""
    for value in shadow.stack[-count:] if count else []:
        note_content(log, value)


def swap(shadow: FrameLog, depth: int) -> None:
    """Exchange the top of the stack with the entry at `depth`."""
    stack = shadow.stack
    if len(stack) < depth:
        stack[:0] = [UNKNOWN] * (depth - len(stack))
    stack[-1], stack[-depth] = stack[-depth], stack[-1]


def follow_others(shadow: FrameLog, instruction: dis.Instruction) -> None:
    """Change the depth of the stack as any other instruction does; what it pushes is unknown."""
    argument = instruction.arg if instruction.opcode >= dis.HAVE_ARGUMENT else None
    try:
        effect = dis.stack_effect(instruction.opcode, argument, jump=False)
    except ValueError:
        shadow.stack.clear()
        return
    unknown = effect + 1 if effect > 0 else 1
    kept = len(shadow.stack) + effect - unknown
    shadow.stack[max(kept, 0) :] = [UNKNOWN] * unknown


def function_of(frame: types.FrameType, existing: set[int]) -> types.FunctionType | None:
    """Return the function whose code `frame` runs, if there is just one that was there before the run."""
    holders_of_code = [
        holder
        for holder in gc.get_referrers(frame.f_code)
        if isinstance(holder, types.FunctionType) and holder.__globals__ is frame.f_globals and id(holder) in existing
    ]
    return holders_of_code[0] if len(holders_of_code) == 1 else None


def lasting_objects(function: types.FunctionType) -> dict[int, Any]:
    """Return what can be reached from the globals, closure and defaults of `function` and of the functions there."""
    found: dict[int, Any] = {}
    todo: list[Any] = [function]
    while todo:
        value = todo.pop()
        if id(value) in found or isinstance(value, types.ModuleType | str | int | float | None):
            continue
        found[id(value)] = value
        todo.extend(parts_of(value))
    return found


def parts_of(value: Any) -> list[Any]:
    """Return what a lasting object holds."""
    if isinstance(value, types.FunctionType) and is_user_file(value.__code__.co_filename):
        cells = [cell.cell_contents for cell in value.__closure__ or () if cell_is_full(cell)]
        names = names_in(value.__code__)
        read = [value.__globals__[name] for name in names if name in value.__globals__]
        return [*cells, *read, *(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
    if isinstance(value, functools.partial):
        return [value.func, *value.args, *value.keywords.values()]
    if isinstance(value, types.MethodType):
        return [value.__func__, value.__self__]
    if type(value) in (list, tuple):
        return list(value)
    if type(value) is dict:
        return list(value.values())
    module = sys.modules.get(type(value).__module__)
    if is_user_file(getattr(module, "__file__", None) or ""):
        return list(getattr(value, "__dict__", {}).values())
    return []


def names_in(code: types.CodeType) -> set[str]:
    """Return the names that a code object and those inside it mention."""
    inner = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return set(code.co_names).union(*(names_in(constant) for constant in inner))


def cell_is_full(cell: types.CellType) -> bool:
    """Say whether a cell has content."""
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


def plain_function(fun: Callable[..., Any]) -> types.FunctionType:
    """Return the Python function behind a method, a partial or a callable object."""
    while not isinstance(fun, types.FunctionType):
        fun = getattr(fun, "func", None) or getattr(fun, "__func__", None) or type(fun).__call__
    return fun


def reads(fun: Callable[..., Any], arguments: Arguments) -> list[Place]:
    """Return the places that a plain run of `fun` reads, in the order of first reading."""
    existing = {id(entry) for entry in gc.get_objects() if isinstance(entry, types.FunctionType)}
    log = ReadLog(lasting_objects(plain_function(fun)), existing)
    before = sys.gettrace()
    for _ in range(2):  # Python 3.12 begins to trace opcodes one frame late
        positional, keywords = fresh(arguments)
        sys.settrace(log.trace)
        try:
            attempt(fun, positional, keywords, Painter())
        finally:
            sys.settrace(before)
    return list(log.places.values())
