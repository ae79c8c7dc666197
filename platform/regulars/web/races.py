"""Requests that lost a race are tried again from the start, in a new transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from regulars.contracts.errors import Raced

TRIES = 6
_Result = TypeVar("_Result")


async def until_settled(work: Callable[[], Awaitable[_Result]]) -> _Result:
    """Do a unit of work; when others took the last of something in the meantime, decide it anew.

    Args:
        work: opens its own transaction and can be done again.

    Raises:
        Raced: others were faster each time; nothing is written.
    """
    for _ in range(TRIES - 1):
        try:
            return await work()
        except Raced:
            continue
    return await work()
