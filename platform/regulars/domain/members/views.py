"""Members as lists and pages see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row

from regulars.contracts.providers import Progress
from regulars.domain.members.gauges import Gauge
from regulars.domain.members.repository import Sort

Only = Literal["all", "active", "ready"]


@dataclass(frozen=True, slots=True)
class MemberFilter:
    """Which members are wanted.

    Attributes:
        query: parts of name, address or phone, or the start of a card number.
        only: everybody; who was here in the last 30 days; who has a reward ready.
    """

    query: str = ""
    only: Only = "all"
    sort: Sort = "last_visit"


@dataclass(frozen=True, slots=True)
class MemberCard:
    """A member's card.

    Attributes:
        number: 12 digits.
        balances: unit → balance.
        progress: unit → how far, for the units that are enabled in its program.
    """

    id: UUID
    number: str
    status: str
    program_id: UUID
    balances: Mapping[str, int]
    progress: Mapping[str, Progress]


@dataclass(frozen=True, slots=True)
class Member:
    """A customer with all cards.

    Attributes:
        locale: the language they have chosen, `None` for none yet.
        last_activity_at: the last visit.
    """

    id: UUID
    name: str
    email: str
    phone: str
    locale: str | None
    birthday: date | None
    status: str
    enrolled_at: datetime
    last_activity_at: datetime
    cards: Sequence[MemberCard]


@dataclass(frozen=True, slots=True)
class LatestConsent:
    """The latest word on one purpose."""

    purpose: str
    granted: bool
    text_version: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MemberDetail:
    """Everything about a customer but the history of the cards."""

    member: Member
    consents: Sequence[LatestConsent]

    def agreed_to(self, purpose: str) -> bool:
        """Whether the latest word on a purpose is yes."""
        return any(consent.granted for consent in self.consents if consent.purpose == purpose)


def member_of(row: Row[Any], gauges: Sequence[Gauge]) -> Member:
    """A row of the repository's member columns as a view.

    Args:
        row: the row; further columns are left out.
        gauges: of the tenant's programs.
    """
    values = {name: getattr(row, name) for name in Member.__dataclass_fields__ if name != "cards"}
    return Member(**values, cards=tuple(_card(card, gauges) for card in row.cards))


def _card(card: Mapping[str, Any], gauges: Sequence[Gauge]) -> MemberCard:
    program_id, balances = UUID(card["program_id"]), card["balances"]
    return MemberCard(
        id=UUID(card["id"]),
        number=card["number"],
        status=card["status"],
        program_id=program_id,
        balances=balances,
        progress={gauge.unit: gauge.read(balances) for gauge in gauges if gauge.program_id == program_id},
    )
