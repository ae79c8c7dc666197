"""What a check says: how it is, one sentence what is wrong, one what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """How bad it is. Only `FAILED` makes the command end with 1."""

    OK = "ok"
    SKIPPED = "skipped"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor.

    Attributes:
        level: how bad it is.
        sentence: what is so.
        remedy: what to do about it; empty when there is nothing to do.
    """

    level: Level
    sentence: str
    remedy: str = ""


def ok(sentence: str) -> Finding:
    """All is well."""
    return Finding(Level.OK, sentence)


def skipped(sentence: str) -> Finding:
    """Not looked at, and why."""
    return Finding(Level.SKIPPED, sentence)


def warning(sentence: str, remedy: str) -> Finding:
    """Not as it should be; it works all the same, for now."""
    return Finding(Level.WARNING, sentence, remedy)


def failed(sentence: str, remedy: str) -> Finding:
    """Broken, or dangerous."""
    return Finding(Level.FAILED, sentence, remedy)


def reason_of(error: Exception) -> str:
    """What an error says, to be put into a sentence."""
    return (str(error) or type(error).__name__).rstrip(". ")
