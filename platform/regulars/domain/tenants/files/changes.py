"""What applying a folder will do, as lines for people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from regulars.kernel.db.database import Session

Kind = Literal["add", "change"]
_SIGNS: Mapping[Kind, str] = {"add": "+", "change": "~"}
_SESSION = TypeVar("_SESSION", bound=Session)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between files and database.

    Attributes:
        subject: what it is about: `cafe`, `cafe: shop “Main street”`, `offering plus`.
        details: for `change`, what is different.
    """

    kind: Kind
    subject: str
    details: str = ""

    def __str__(self) -> str:
        return f"{_SIGNS[self.kind]} {self.subject}" + (f": {self.details}" if self.details else "")


@dataclass(frozen=True, slots=True)
class Step(Generic[_SESSION]):
    """A change and what makes it."""

    change: Change
    make: Callable[[_SESSION], Awaitable[object]]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Which values are different, in words: `name: “Old” → “New”`.

    Args:
        before: of the database.
        after: of the files; only its names count.
    """
    return ", ".join(
        f"{name}: {_shown(before.get(name))} → {_shown(value)}"
        for name, value in after.items()
        if before.get(name) != value
    )


def set_difference(before: Iterable[str], after: Iterable[str]) -> str:
    """What came and what went, in words: `+tiers -webhooks`."""
    old, new = set(before), set(after)
    return " ".join([*(f"+{name}" for name in sorted(new - old)), *(f"-{name}" for name in sorted(old - new))])


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f"“{value}”"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_shown(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_shown(one) for one in value) + "]"
    return "unlimited" if value is None else str(value)
