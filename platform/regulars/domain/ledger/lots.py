"""What a posting works on: lots with something left, what was taken from them, entries that can be reversed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from regulars.contracts.ledger import PostedEntry

FAR_FUTURE = "9999"


@dataclass(frozen=True, slots=True)
class OpenLot:
    """A lot with something left, as read under the lock."""

    id: UUID
    entry_id: UUID
    unit: str
    amount_left: int
    expires_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LotUse:
    """What an entry took from a lot.

    Attributes:
        created_at: of a lot that `is_elsewhere`: on a card that was merged into this one.
    """

    lot_id: UUID
    amount: int
    amount_left: int
    expires_at: datetime | None = None
    created_at: datetime | None = None
    is_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Portion:
    """Units on their way into a lot, or from one card's lots to another's: they keep their dates."""

    amount: int
    expires_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Posted:
    """An entry that can be reversed, with its lot (earning) or what it took from lots (redeeming).

    Attributes:
        is_reversed: it was taken back before, perhaps in part.
        redemption_id: the redemption that it paid for.
    """

    entry: PostedEntry
    counts_for_limits: bool
    lot: OpenLot | None
    uses: Sequence[LotUse]
    is_reversed: bool = False
    redemption_id: UUID | None = None


class NotEnoughError(Exception):
    """The lots of a unit do not hold what should be taken: callers check the balance first."""


class AlreadySpentError(Exception):
    """What should be taken back has been spent in the meantime."""


def expiry_order(expires_at: datetime | None) -> str:
    """By which lots are sorted: what never expires comes last."""
    return expires_at.isoformat() if expires_at else FAR_FUTURE


def first_out(lot: OpenLot) -> tuple[str, datetime, UUID]:
    """The order in which lots are spent: oldest expiry first, then oldest."""
    return (expiry_order(lot.expires_at), lot.created_at, lot.id)


def open_lot(value: Mapping[str, Any]) -> OpenLot:
    """A lot from its JSON form."""
    return OpenLot(
        id=UUID(value["id"]),
        entry_id=UUID(value["entry_id"]),
        unit=value["unit"],
        amount_left=value["amount_left"],
        expires_at=read_time(value["expires_at"]),
        created_at=datetime.fromisoformat(value["created_at"]),
    )


def posted(value: Mapping[str, Any]) -> Posted:
    """An entry with its lots from its JSON form."""
    entry = PostedEntry(
        id=UUID(value["id"]),
        unit=value["unit"],
        kind=value["kind"],
        amount=value["amount"],
        balance_after=value["balance_after"],
        lifetime_after=value["lifetime_after"],
        rule=value["rule"],
        plugin=value["plugin"],
        explanation=value["explanation"],
        at=datetime.fromisoformat(value["created_at"]),
    )
    return Posted(
        entry=entry,
        counts_for_limits=value["counts_for_limits"],
        lot=open_lot(value["lot"]) if value["lot"] else None,
        uses=lot_uses(value["uses"]),
        is_reversed=value["reversed"] != 0,
        redemption_id=read_uuid(value["redemption_id"]),
    )


def lot_uses(values: Sequence[Mapping[str, Any]] | None) -> list[LotUse]:
    """What an entry took from lots, from its JSON form."""
    return [
        LotUse(
            lot_id=UUID(use["lot_id"]),
            amount=use["amount"],
            amount_left=use["amount_left"],
            expires_at=read_time(use["expires_at"]),
            created_at=read_time(use["created_at"]),
            is_elsewhere=use["is_elsewhere"],
        )
        for use in values or ()
    ]


def read_time(text: str | None) -> datetime | None:
    """A moment from its JSON form."""
    return datetime.fromisoformat(text) if text else None


def read_uuid(text: str | None) -> UUID | None:
    """A key from its JSON form."""
    return UUID(text) if text else None
