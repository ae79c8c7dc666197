"""The facts that the limits need, asked in the sale's one facts statement."""

from __future__ import annotations

from sqlalchemy import BigInteger, ColumnElement, DateTime, Uuid, bindparam, func, or_, select
from sqlalchemy.orm import aliased

from regulars.sdk import Fact
from regulars.sdk.db import LedgerEntry, LedgerPending

LIMITED_UNIT = "stamps"
"""The daily limit is one of stamps, on the card that has most; other units have sizes of their own."""

_Reversal = aliased(LedgerEntry)
_TAKEN_BACK = (
    select(func.coalesce(func.sum(_Reversal.amount), 0).cast(BigInteger))
    .where(_Reversal.tenant_id == LedgerEntry.tenant_id, _Reversal.reverses_id == LedgerEntry.id)
    .correlate(LedgerEntry)
    .scalar_subquery()
)
_LEFT = LedgerEntry.amount + _TAKEN_BACK
"""What of an entry stands: a refund of one stamp of five leaves four."""


def _counting() -> tuple[ColumnElement[bool], ...]:
    """Entries of the card that a till gave and that were not wholly taken back."""
    return (
        LedgerEntry.tenant_id == bindparam("tenant_id", type_=Uuid(), required=True),
        LedgerEntry.card_id == bindparam("card_id", type_=Uuid(), required=True),
        LedgerEntry.kind == "earn",
        LedgerEntry.counts_for_limits.is_(True),
        _LEFT > 0,
    )


_LAST_ENTRY_AT = (
    select(LedgerEntry.created_at)
    .where(*_counting(), LedgerEntry.occasion != "release")
    .order_by(LedgerEntry.created_at.desc())
    .limit(1)
    .scalar_subquery()
)
_LAST_WAITING_SINCE = (
    select(func.max(LedgerPending.created_at))
    .where(
        LedgerPending.tenant_id == bindparam("tenant_id", type_=Uuid(), required=True),
        LedgerPending.card_id == bindparam("card_id", type_=Uuid(), required=True),
        LedgerPending.status == "open",
        LedgerPending.counts_for_limits.is_(True),
    )
    .scalar_subquery()
)
LAST_EARNED_AT = select(
    func.greatest(_LAST_ENTRY_AT, _LAST_WAITING_SINCE, type_=DateTime(timezone=True))
).scalar_subquery()
"""What waits was earned when it was sold, not when it is released."""
_OF_EACH = (
    select(func.sum(_LEFT).label("stamps"))
    .where(
        *_counting(),
        or_(LedgerEntry.unit == LIMITED_UNIT, LedgerEntry.unit.like(f"{LIMITED_UNIT}.%")),
        LedgerEntry.created_at >= bindparam("day_start", type_=DateTime(timezone=True), required=True),
    )
    .group_by(LedgerEntry.unit)
    .subquery()
)
EARNED_TODAY = select(func.coalesce(func.max(_OF_EACH.c.stamps), 0).cast(BigInteger)).scalar_subquery()
FACTS = (Fact("last_earned_at", LAST_EARNED_AT), Fact("earned_today", EARNED_TODAY))
