"""Queries of what is due: by tenant for the clock, by card for the jobs."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    SQLColumnExpression,
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
from regulars.domain.ledger.models import LedgerLot, LedgerPending
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
EXPIRING = (
    select(
        LedgerLot.card_id,
        LedgerLot.unit,
        cast(func.sum(LedgerLot.amount_left), BigInteger).label("amount"),
        func.min(LedgerLot.expires_at).label("expires_at"),
    )
    .join(Card, _OF_PROGRAM)
    .where(
        LedgerLot.tenant_id == _TENANT,
        _OPEN_LOT,
        LedgerLot.expires_at > bindparam("first", type_=DateTime(timezone=True)),
        LedgerLot.expires_at <= bindparam("last", type_=DateTime(timezone=True)),
        LedgerLot.card_id >= _AFTER,
    )
    .group_by(LedgerLot.card_id, LedgerLot.unit)
    .order_by(LedgerLot.card_id, LedgerLot.unit)
    .limit(_SIZE)
)
ANNOUNCE = insert(OutboxEvent).values(created_at=NOW).on_conflict_do_nothing(index_elements=["tenant_id", "id"])
