"""Queries of what is due: by tenant for the clock, by card for the jobs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    SQLColumnExpression,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    exists,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from regulars.domain.cards.models import Card
from regulars.domain.ledger.last_use_queries import last_use
from regulars.domain.ledger.models import Account, LedgerLot, LedgerPending
from regulars.domain.programs.models import Program, ProgramPause
from regulars.domain.tenants.models import Tenant
from regulars.kernel.db.expressions import NOW
from regulars.kernel.jobs.models import OutboxEvent

_TENANT, _PROGRAM = bindparam("tenant", type_=Uuid), bindparam("program", type_=Uuid)
_AFTER, _SIZE = bindparam("after", type_=Uuid), bindparam("size", type_=BigInteger)
_OPEN_LOT = LedgerLot.amount_left > literal_column("0")
_DUE = (LedgerPending.status == literal_column("'open'"), LedgerPending.due_at <= NOW)
_OF_PROGRAM = and_(Card.tenant_id == LedgerLot.tenant_id, Card.id == LedgerLot.card_id, Card.program_id == _PROGRAM)
_EXPIRED = (
    LedgerLot.tenant_id == _TENANT,
    _OPEN_LOT,
    LedgerLot.expires_at <= bindparam("until", type_=DateTime(timezone=True)),
)


def _rests(tenant_id: SQLColumnExpression[UUID], program_id: SQLColumnExpression[UUID]) -> ColumnElement[bool]:
    """Whether a program is paused, or its pause is over but not all dates are moved on yet."""
    return exists().where(
        ProgramPause.tenant_id == tenant_id, ProgramPause.program_id == program_id, ProgramPause.finished_at.is_(None)
    )


_ITS_CARD = and_(Card.tenant_id == LedgerPending.tenant_id, Card.id == LedgerPending.card_id)
_IS_AWAKE = ~_rests(Card.tenant_id, Card.program_id)
CLOCK = select(NOW)
PROGRAMS = (
    select(Program.tenant_id, Program.id, Program.timezone)
    .join(Tenant, Tenant.id == Program.tenant_id)
    .where(Program.status == "active", Tenant.status == "active", ~_rests(Program.tenant_id, Program.id))
)
TENANTS_DUE = select(LedgerPending.tenant_id).join(Card, _ITS_CARD).where(*_DUE, _IS_AWAKE).distinct()
PENDING_CARDS = (
    select(LedgerPending.card_id)
    .join(Card, _ITS_CARD)
    .where(LedgerPending.tenant_id == _TENANT, *_DUE, _IS_AWAKE, LedgerPending.card_id > _AFTER)
    .distinct()
    .order_by(LedgerPending.card_id)
    .limit(_SIZE)
)
PENDING_TOTAL = (
    select(func.count(LedgerPending.card_id.distinct()))
    .join(Card, _ITS_CARD)
    .where(LedgerPending.tenant_id == _TENANT, *_DUE, _IS_AWAKE)
)
EXPIRED_CARDS = (
    select(LedgerLot.card_id)
    .join(Card, _OF_PROGRAM)
    .where(*_EXPIRED, LedgerLot.card_id > _AFTER)
    .distinct()
    .order_by(LedgerLot.card_id)
    .limit(_SIZE)
)
EXPIRED_TOTAL = select(func.count(LedgerLot.card_id.distinct())).join(Card, _OF_PROGRAM).where(*_EXPIRED)
_UNIT, _ZONE = bindparam("unit", type_=Text), bindparam("zone", type_=Text)
_UNTIL, _LAST = bindparam("until", type_=DateTime(timezone=True)), bindparam("last", type_=DateTime(timezone=True))


def _local(moment: SQLColumnExpression[Any]) -> ColumnElement[Any]:
    return func.timezone(_ZONE, moment)


def _announcement(word: str, card_id: SQLColumnExpression[UUID], day: ColumnElement[Any]) -> ColumnElement[UUID]:
    """The id of the event that a card's units of a day expire: the same however often it is asked for."""
    name = func.convert_to(func.concat_ws(" ", word, card_id, _UNIT, day), "UTF8")
    return cast(func.encode(func.substring(func.sha256(name), 1, 16), "hex"), Uuid)


def _untold(event_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    return ~exists().where(OutboxEvent.tenant_id == _TENANT, OutboxEvent.id == event_id)


_NIGHT: ColumnElement[Any] = literal_column("interval '2 hours'")
_LAST_DAY = cast(_local(LedgerLot.expires_at) - _NIGHT, Date)
_LOTS = (
    select(
        LedgerLot.card_id,
        cast(func.sum(LedgerLot.amount_left), BigInteger).label("amount"),
        func.min(LedgerLot.expires_at).label("expires_at"),
        _announcement("expiring", LedgerLot.card_id, _LAST_DAY).label("id"),
    )
    .join(Card, _OF_PROGRAM)
    .where(
        LedgerLot.tenant_id == _TENANT,
        LedgerLot.unit == _UNIT,
        _OPEN_LOT,
        LedgerLot.expires_at > _UNTIL,
        LedgerLot.expires_at <= _LAST,
        LedgerLot.card_id >= _AFTER,
    )
    .group_by(LedgerLot.card_id, _LAST_DAY)
    .subquery("lots")
)
EXPIRING = select(_LOTS).where(_untold(_LOTS.c.id)).order_by(_LOTS.c.card_id, _LOTS.c.expires_at).limit(_SIZE)
"""What is left of lots that expire soon and was not announced yet, by card and last day."""
_SINCE = func.greatest(
    last_use(Account.tenant_id, Account.card_id, Account), bindparam("since", type_=DateTime(timezone=True))
)
_DAYS = cast(bindparam("days", type_=Integer), Integer)
_ENDS = func.timezone(
    _ZONE,
    func.date_trunc("day", _local(_SINCE)) + func.make_interval(0, 0, 0, _DAYS + 1),
    type_=DateTime(timezone=True),
)
_ACCOUNTS = (
    select(Account.card_id, Account.balance.label("amount"), _ENDS.label("expires_at"))
    .join(Card, and_(Card.tenant_id == Account.tenant_id, Card.id == Account.card_id, Card.program_id == _PROGRAM))
    .where(
        Account.tenant_id == _TENANT,
        Account.unit == _UNIT,
        Account.balance > literal_column("0"),
        Account.card_id > _AFTER,
    )
    .subquery("accounts")
)
IDLE_CARDS = (
    select(_ACCOUNTS.c.card_id).where(_ACCOUNTS.c.expires_at <= _UNTIL).order_by(_ACCOUNTS.c.card_id).limit(_SIZE)
)
IDLE_TOTAL = select(func.count()).select_from(_ACCOUNTS).where(_ACCOUNTS.c.expires_at <= _UNTIL)
_IDLE_ID = _announcement("idle", _ACCOUNTS.c.card_id, cast(_local(_ACCOUNTS.c.expires_at) - _NIGHT, Date))
EXPIRING_IDLE = (
    select(_ACCOUNTS, _IDLE_ID.label("id"))
    .where(_ACCOUNTS.c.expires_at > _UNTIL, _ACCOUNTS.c.expires_at <= _LAST, _untold(_IDLE_ID))
    .order_by(_ACCOUNTS.c.card_id)
    .limit(_SIZE)
)
"""What expires soon because its card is not used, and was not announced yet."""
ANNOUNCE = insert(OutboxEvent).values(created_at=NOW).on_conflict_do_nothing(index_elements=["tenant_id", "id"])
HOLDER = (
    select(Card.member_id, Program.timezone)
    .join(Program, and_(Program.tenant_id == Card.tenant_id, Program.id == Card.program_id))
    .where(Card.tenant_id == _TENANT, Card.id == bindparam("card", type_=Uuid))
)
