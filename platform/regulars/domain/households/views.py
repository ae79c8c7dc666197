"""Households for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Sharer:
    """A card in a household, and whose it is.

    Attributes:
        number: 12 digits.
        balances: unit → what is on this card; a blocked one shares nothing.
        earned: unit → what it has earned this month, in the program's zone.
    """

    card_id: UUID
    number: str
    status: str
    member_id: UUID
    name: str
    email: str
    joined_at: datetime
    balances: Mapping[str, int]
    earned: Mapping[str, int]

    @property
    def shown(self) -> str:
        """The name, or the address where there is no name."""
        return self.name or self.email


@dataclass(frozen=True, slots=True)
class Invitation:
    """A code with which somebody can join."""

    id: UUID
    code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class HouseholdView:
    """A household with all who are in it, the longest first.

    Attributes:
        program: its name.
        head_id: the card of whoever asks others in.
        most: how many there may be.
        invitations: that are open.
    """

    id: UUID
    program_id: UUID
    program: str
    head_id: UUID
    most: int
    created_at: datetime
    ended_at: datetime | None
    sharers: Sequence[Sharer]
    invitations: Sequence[Invitation]

    @property
    def head(self) -> Sharer | None:
        """Whoever asks others in; nobody once all have left."""
        return self.sharer(self.head_id)

    @property
    def balances(self) -> Mapping[str, int]:
        """Unit → what all have together."""
        together: Counter[str] = Counter()
        for one in self.sharers:
            if one.status == "active":
                together.update(one.balances)
        return together

    def sharer(self, card_id: UUID) -> Sharer | None:
        """The card of that id, `None` when it is not in this household."""
        return next((one for one in self.sharers if one.card_id == card_id), None)


@dataclass(frozen=True, slots=True)
class HouseholdRow:
    """A household in a list.

    Attributes:
        number, member_id, name, email: of the head.
        size: how many are in it.
        balances: unit → what they have together.
    """

    id: UUID
    created_at: datetime
    program: str
    number: str
    member_id: UUID
    name: str
    email: str
    size: int
    balances: Mapping[str, int]

    @property
    def shown(self) -> str:
        """The head's name, or the address where there is no name."""
        return self.name or self.email
