"""Queries of figures. Each answers a whole block of the dashboard, so that the number of queries never grows.

Days and months are those of the zone in the parameter `zone`. Ranges are compared with the bare time columns and begin
with plain expressions, whose value the planner knows, so that their indexes serve.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Integer,
    ScalarSelect,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB

from regulars.domain.cards.models import Card
from regulars.domain.ledger.models import Account, LedgerEntry
from regulars.domain.members.models import Member
from regulars.domain.members.repository import ACTIVE_SINCE
from regulars.domain.redemptions.models import Redemption
from regulars.kernel.db.expressions import NOW

_TENANT_ID = bindparam("tenant", type_=Uuid)
_ZONE = bindparam("zone", type_=Text)
_LOCAL_NOW = func.timezone(_ZONE, NOW)
_MONTH_START: ColumnElement[Any] = func.timezone(_ZONE, func.date_trunc("month", _LOCAL_NOW))
_TODAY = cast(_LOCAL_NOW, Date)
_DAYS_BEFORE = func.make_interval(0, 0, 0, bindparam("days", type_=Integer) - 1)
_FIRST_DAY: ColumnElement[Any] = func.timezone(_ZONE, func.date_trunc("day", _LOCAL_NOW) - _DAYS_BEFORE)
_MEMBERS = (Member.tenant_id == _TENANT_ID, Member.status != "erased", Member.merged_into.is_(None))
_CAPTURED = (Redemption.tenant_id == _TENANT_ID, Redemption.status == "captured")
_ISSUED = or_(LedgerEntry.kind == "earn", and_(LedgerEntry.kind == "reverse", LedgerEntry.amount < 0))
"""Units given, less those taken back."""


def _count(table: Any, *where: ColumnElement[bool]) -> ScalarSelect[Any]:
    return select(func.count()).select_from(table).where(*where).scalar_subquery()


def _object(rows: Any) -> ScalarSelect[Any]:
    """Rows (key, number) as one JSON object."""
    pairs = rows.subquery()
    key, number = pairs.c
    return select(func.coalesce(func.jsonb_object_agg(key, number), cast({}, JSONB))).scalar_subquery()


def _saved(*where: ColumnElement[bool]) -> ScalarSelect[Any]:
    """Currency → worth of the rewards handed out, in minor units."""
    worth = cast(func.sum(Redemption.value_minor), BigInteger)
    given = (*_CAPTURED, Redemption.value_minor.is_not(None), *where)
    return _object(select(Redemption.currency, worth).where(*given).group_by(Redemption.currency))


_THIS_MONTH = Redemption.created_at >= _MONTH_START
TILES = select(
    _count(Member, *_MEMBERS).label("members_total"),
    _count(Member, *_MEMBERS, Member.last_activity_at >= ACTIVE_SINCE).label("members_active"),
    _count(Redemption, *_CAPTURED, _THIS_MONTH).label("redeemed_this_month"),
    _saved(_THIS_MONTH).label("saved_this_month"),
    _saved().label("saved_total"),
)


def _day(moment: Any) -> ColumnElement[Any]:
    return cast(func.timezone(_ZONE, moment), Date).label("day")


def _series(name: str, day: ColumnElement[Any], unit: Any, number: ColumnElement[Any]) -> Select[Any]:
    return select(literal(name).label("series"), day, unit.label("unit"), cast(number, BigInteger).label("number"))


_NO_UNIT = cast(null(), Text)
_ENTRY_DAY, _REDEMPTION_DAY, _MEMBER_DAY = (
    _day(LedgerEntry.created_at),
    _day(Redemption.created_at),
    _day(Member.enrolled_at),
)
ACTIVITY = union_all(
    _series("today", _TODAY.label("day"), _NO_UNIT, literal(0)),
    _series("issued", _ENTRY_DAY, LedgerEntry.unit, func.sum(LedgerEntry.amount))
    .where(LedgerEntry.tenant_id == _TENANT_ID, LedgerEntry.created_at >= _FIRST_DAY, _ISSUED)
    .group_by(_ENTRY_DAY, LedgerEntry.unit),
    _series("redeemed", _REDEMPTION_DAY, _NO_UNIT, func.count())
    .where(*_CAPTURED, Redemption.created_at >= _FIRST_DAY)
    .group_by(_REDEMPTION_DAY),
    _series("enrolled", _MEMBER_DAY, _NO_UNIT, func.count())
    .where(*_MEMBERS, Member.enrolled_at >= _FIRST_DAY)
    .group_by(_MEMBER_DAY),
)
"""Rows (series, day, unit, number) for days with any; the row `today` says which day it is."""
_IN_CURRENCY = Redemption.currency == bindparam("currency", type_=Text)
CURVES = union_all(
    _series("today", _TODAY.label("day"), _NO_UNIT, literal(0)),
    _series("visitors", _ENTRY_DAY, _NO_UNIT, func.count(LedgerEntry.card_id.distinct()))
    .where(
        LedgerEntry.tenant_id == _TENANT_ID,
        LedgerEntry.created_at >= _FIRST_DAY,
        LedgerEntry.kind.in_(("earn", "redeem")),
        LedgerEntry.occasion != "enrolment",
    )
    .group_by(_ENTRY_DAY),
    _series("saved", _REDEMPTION_DAY, _NO_UNIT, func.coalesce(func.sum(Redemption.value_minor), 0))
    .where(*_CAPTURED, Redemption.created_at >= _FIRST_DAY, _IN_CURRENCY)
    .group_by(_REDEMPTION_DAY),
)
"""Rows as those of `ACTIVITY`, for the small curves beside the figures."""

_SIZE = bindparam("size", type_=Integer)
_ENTRIES = (
    select(
        LedgerEntry.kind.label("kind"),
        LedgerEntry.created_at.label("at"),
        LedgerEntry.id.label("id"),
        LedgerEntry.card_id.label("card_id"),
        LedgerEntry.unit.label("unit"),
        LedgerEntry.amount.label("amount"),
        LedgerEntry.balance_after.label("balance_after"),
        LedgerEntry.redemption_id.label("redemption_id"),
    )
    .where(
        LedgerEntry.tenant_id == _TENANT_ID,
        LedgerEntry.kind.in_(("earn", "redeem", "reverse")),
        LedgerEntry.occasion != "enrolment",
    )
    .order_by(LedgerEntry.created_at.desc(), LedgerEntry.id.desc())
    .limit(_SIZE)
    .subquery()
)
_MOVEMENTS = (
    select(
        _ENTRIES.c.kind,
        _ENTRIES.c.at,
        _ENTRIES.c.id,
        Member.id.label("member_id"),
        Member.name,
        Member.email,
        _ENTRIES.c.unit,
        _ENTRIES.c.amount,
        _ENTRIES.c.balance_after,
        Redemption.title,
    )
    .join(Card, and_(Card.tenant_id == _TENANT_ID, Card.id == _ENTRIES.c.card_id))
    .join(Member, and_(Member.tenant_id == _TENANT_ID, Member.id == Card.member_id))
    .outerjoin(Redemption, and_(Redemption.tenant_id == _TENANT_ID, Redemption.id == _ENTRIES.c.redemption_id))
)
_JOINED = (
    select(
        literal("joined").label("kind"),
        Member.enrolled_at.label("at"),
        Member.id.label("id"),
        Member.id.label("member_id"),
        Member.name,
        Member.email,
        _NO_UNIT.label("unit"),
        cast(null(), BigInteger).label("amount"),
        cast(null(), BigInteger).label("balance_after"),
        cast(null(), Text).label("title"),
    )
    .where(*_MEMBERS)
    .order_by(Member.enrolled_at.desc(), Member.id.desc())
    .limit(_SIZE)
    .subquery()
)
_BOTH = union_all(_MOVEMENTS, select(_JOINED)).subquery()
FEED = select(_BOTH).order_by(_BOTH.c.at.desc(), _BOTH.c.id.desc()).limit(_SIZE)

_OF_PROGRAM = (Card.tenant_id == _TENANT_ID, Card.program_id == bindparam("program", type_=Uuid))
_ENTRY_OF_CARD = and_(LedgerEntry.tenant_id == Card.tenant_id, LedgerEntry.card_id == Card.id)
_REDEMPTION_OF_CARD = and_(Redemption.tenant_id == Card.tenant_id, Redemption.card_id == Card.id)
_ACCOUNT_OF_CARD = and_(Account.tenant_id == Card.tenant_id, Account.card_id == Card.id)
_PROGRAM_CAPTURED = (*_OF_PROGRAM, _REDEMPTION_OF_CARD, Redemption.status == "captured")
_MEMBER_OF_CARD = and_(Member.tenant_id == Card.tenant_id, Member.id == Card.member_id)


def _sum_of_worth(*where: ColumnElement[bool]) -> ScalarSelect[Any]:
    total = cast(func.coalesce(func.sum(Redemption.value_minor), 0), BigInteger)
    in_currency = Redemption.currency == bindparam("currency", type_=Text)
    return select(total).where(*_PROGRAM_CAPTURED, in_currency, *where).scalar_subquery()


PROGRAM = select(
    _count(Card, *_OF_PROGRAM, Card.status != "closed", Card.merged_into.is_(None)).label("cards_total"),
    select(func.count())
    .where(
        *_OF_PROGRAM,
        _MEMBER_OF_CARD,
        Card.status == "active",
        Card.merged_into.is_(None),
        Member.last_activity_at >= ACTIVE_SINCE,
    )
    .scalar_subquery()
    .label("cards_active"),
    _object(
        select(Account.unit, cast(func.sum(Account.lifetime), BigInteger))
        .where(*_OF_PROGRAM, _ACCOUNT_OF_CARD)
        .group_by(Account.unit)
    ).label("issued_total"),
    _object(
        select(LedgerEntry.unit, cast(func.sum(LedgerEntry.amount), BigInteger))
        .where(*_OF_PROGRAM, _ENTRY_OF_CARD, LedgerEntry.created_at >= _MONTH_START, _ISSUED)
        .group_by(LedgerEntry.unit)
    ).label("issued_this_month"),
    select(func.count()).where(*_PROGRAM_CAPTURED).scalar_subquery().label("redeemed_total"),
    select(func.count()).where(*_PROGRAM_CAPTURED, _THIS_MONTH).scalar_subquery().label("redeemed_this_month"),
    _sum_of_worth(_THIS_MONTH).label("saved_this_month_minor"),
    _sum_of_worth().label("saved_total_minor"),
)
