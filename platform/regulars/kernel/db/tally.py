"""How much of a request's time went to the database: counted where statements run, read by whoever began it."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """What one request, or whatever began it, has asked of the database.

    Attributes:
        statements: how many.
        seconds: how long they took, waiting for locks included.
    """

    statements: int = 0
    seconds: float = 0.0


_current: ContextVar[Tally] = ContextVar("tally")


def begin_tally() -> Tally:
    """Count from now on in this context and in what it starts."""
    tally = Tally()
    _current.set(tally)
    return tally


def count(seconds: float) -> None:
    """Count a statement.

    Args:
        seconds: how long it took.
    """
    tally = _current.get(None)
    if tally is not None:
        tally.statements += 1
        tally.seconds += seconds
