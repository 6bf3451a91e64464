"""How a call ended, in values that can be compared."""

from __future__ import annotations

import asyncio
import copy
import inspect
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back or was raised, with the lines and columns of every frame in `file`."""

    result: object
    error: str
    frames: tuple[object, ...]


def outcome_of(function: Callable[..., Any], args: tuple[Any, ...], file: str) -> Outcome:
    """Call `function` with copies of `args`, exhaust what it returns, and say how that ended."""
    try:
        result = exhaust(function(*copy.deepcopy(args)))
    except Exception as error:
        return Outcome(None, chain_of(error), frames_of(error, file))
    return Outcome(comparable(result), "", ())


def exhaust(result: Any) -> Any:
    if inspect.isgenerator(result):
        return list(result)
    if inspect.isasyncgen(result):
        return asyncio.run(collect(result))
    return asyncio.run(result) if inspect.iscoroutine(result) else result


async def collect(source: Any) -> list[Any]:
    return [item async for item in source]


def comparable(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value), [comparable(item) for item in value]
    if isinstance(value, (int, float, str, set, dict, type, type(None))):
        return value
    return type(value), getattr(value, "__qualname__", None)


def chain_of(error: BaseException | None) -> str:
    if error is None:
        return ""
    return f"{error!r} <- {chain_of(error.__cause__)} <- {chain_of(error.__context__)}"


def frames_of(error: BaseException | None, file: str) -> tuple[object, ...]:
    if error is None:
        return ()
    frames = traceback.extract_tb(error.__traceback__)
    own = [(f.name, f.lineno, f.end_lineno, f.colno, f.end_colno) for f in frames if f.filename == file]
    return (*own, *frames_of(error.__context__, file))
