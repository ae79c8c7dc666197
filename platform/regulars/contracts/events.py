"""Events of the host: facts that are announced after commit, through the transactional outbox.

Delivered at least once, in order per card and subscriber; subscribers are idempotent. A payload is versioned JSON and
holds identifiers, not personal data.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

EVENT_TYPES: dict[str, type[Event]] = {}


class Event(BaseModel):
    """Base of the host's event payloads; a subclass names itself and its version."""

    model_config = ConfigDict(frozen=True)
    name: ClassVar[str]
    version: ClassVar[int] = 1

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        EVENT_TYPES[cls.name] = cls


class MemberEnrolled(Event):
    """A person became a member and got a card; `referral` is the code of the link by which they came, if any."""

    name = "member.enrolled"
    member_id: UUID
    card_id: UUID
    program_id: UUID
    referral: str = ""


class MemberMerged(Event):
    """Two members turned out to be one person: the other one's card leads to this one; comes for each pair of cards."""

    name = "member.merged"
    merge_id: UUID
    member_id: UUID
    card_id: UUID
    other_member_id: UUID
    other_card_id: UUID


class MemberUnmerged(Event):
    """They were two people after all: the other one's card is a card of its own again."""

    name = "member.unmerged"
    merge_id: UUID
    member_id: UUID
    card_id: UUID
    other_member_id: UUID
    other_card_id: UUID


class HouseholdJoined(Event):
    """A card came into a household: its members share from now on what is on their cards."""

    name = "household.joined"
    household_id: UUID
    card_id: UUID
    member_id: UUID


class HouseholdLeft(Event):
    """A card left its household; what is on the card went with it."""

    name = "household.left"
    household_id: UUID
    card_id: UUID
    member_id: UUID


class EntryPosted(Event):
    """One ledger entry was written; `seq` orders the entries of an account."""

    name = "ledger.entry_posted"
    entry_id: UUID
    card_id: UUID
    unit: str
    seq: int
    kind: str
    amount: int
    balance_after: int


class SaleRecorded(Event):
    """A sale was recorded on a card."""

    name = "sale.recorded"
    sale_id: UUID
    card_id: UUID
    shop_id: UUID | None
    staff_id: UUID | None
    occurred_at: datetime


class SaleUndone(Event):
    """A sale was taken back by whoever recorded it."""

    name = "sale.undone"
    sale_id: UUID
    card_id: UUID


class SaleRefunded(Event):
    """A customer got money back for a sale, or for a part of it; entries say what was taken back.

    `is_whole` tells whether nothing of the sale is left.
    """

    name = "sale.refunded"
    refund_id: UUID
    sale_id: UUID
    card_id: UUID
    is_whole: bool


class AwardTakenBack(Event):
    """What a card had been given without a sale was taken back, as far as it could be; `key` is the award's."""

    name = "award.taken_back"
    card_id: UUID
    key: str


class RewardRedeemed(Event):
    """A reward was handed over."""

    name = "reward.redeemed"
    redemption_id: UUID
    card_id: UUID
    reward_kind: str
    cost: int
    unit: str


class RedemptionUndone(Event):
    """A redemption was taken back; the units are on the card again."""

    name = "redemption.undone"
    redemption_id: UUID
    card_id: UUID


class RedemptionMoved(Event):
    """A redemption came to be in another state: handed out, sent, delivered, given back, not used in time."""

    name = "redemption.moved"
    redemption_id: UUID
    card_id: UUID
    status: str
    fulfilment: str


class UnitsExpiring(Event):
    """Units of a card expire soon, if they are not spent before; comes once for each card, unit and day."""

    name = "units.expiring"
    card_id: UUID
    unit: str
    amount: int
    expires_at: datetime


class PinLocked(Event):
    """A staff PIN was locked after too many failures."""

    name = "staff.pin_locked"
    staff_id: UUID
    locked_until: datetime
