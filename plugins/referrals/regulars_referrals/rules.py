"""Who may bring whom, as functions."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

_LENGTH = 26
DOTLESS = frozenset({"gmail.com", "googlemail.com"})
"""Providers where dots in the name make no difference."""


@dataclass(frozen=True, slots=True)
class Person:
    """A member as far as telling two apart needs.

    Attributes:
        ip: from where the card was made, empty when nobody knows.
    """

    member_id: UUID
    email: str
    phone: str
    ip: str
    enrolled_at: datetime


def code_of(card_id: UUID) -> str:
    """The code in a card's link: its id in letters and digits that survive being typed."""
    return base64.b32encode(card_id.bytes).decode().rstrip("=").lower()


def card_of(code: str) -> UUID | None:
    """The card of a code, `None` for anything else."""
    text = code.strip().upper()
    if len(text) != _LENGTH:
        return None
    try:
        raw = base64.b32decode(text + "======")
    except ValueError:
        return None
    return UUID(bytes=raw)


def canonical(email: str) -> str:
    """An address without what its owner can vary: case, `+…`, and dots where the provider ignores them."""
    name, _at, domain = email.strip().lower().rpartition("@")
    name = name.partition("+")[0]
    if domain in DOTLESS:
        name, domain = name.replace(".", ""), "gmail.com"
    return f"{name}@{domain}"


def fault(friend: Person, line: Iterable[Person], same_place: timedelta) -> str:
    """Why an invitation is refused, empty when it is not.

    Args:
        friend: who has got the card.
        line: the member who invited, then who had invited that member, and so on.
        same_place: how far apart two cards of one connection must have been made; zero if that is no matter.

    Returns:
        `oneself`, `ring`, `same_place`, or nothing.
    """
    for step, person in enumerate(line):
        if is_same(friend, person):
            return "ring" if step else "oneself"
        apart = friend.enrolled_at - person.enrolled_at
        if not step and same_place and friend.ip and friend.ip == person.ip and apart < same_place:
            return "same_place"
    return ""


def is_same(one: Person, other: Person) -> bool:
    """Whether two members are one person, as far as can be told."""
    if one.member_id == other.member_id or canonical(one.email) == canonical(other.email):
        return True
    return bool(one.phone) and one.phone == other.phone
