"""Queries of pauses."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    SQLColumnExpression,
    Uuid,
    and_,
    bindparam,
    exists,
    func,
    insert,
    select,
    update,
)

from regulars.domain.cards.models import Card
from regulars.domain.ledger.models import LedgerLot, LedgerPending
from regulars.domain.programs.models import ProgramPause
from regulars.domain.redemptions.models import Redemption
from regulars.kernel.db.base import CORE_NOW

_TENANT = ProgramPause.tenant_id == bindparam("tenant", type_=Uuid)
_PROGRAM = ProgramPause.program_id == bindparam("program", type_=Uuid)
_THIS = ProgramPause.id == bindparam("pause", type_=Uuid)
_COLUMNS = (
    ProgramPause.id,
    ProgramPause.program_id,
    ProgramPause.started_at,
    ProgramPause.until,
    ProgramPause.redeems,
    ProgramPause.tells_members,
    ProgramPause.note,
    ProgramPause.ended_at,
    ProgramPause.shifted_to,
    ProgramPause.finished_at,
)

NOW = select(CORE_NOW)
INSERT = insert(ProgramPause)
OPEN = select(*_COLUMNS).where(_TENANT, _PROGRAM, ProgramPause.finished_at.is_(None))
ONE = select(*_COLUMNS).where(_TENANT, _THIS)
LOCK = ONE.with_for_update()
OF = select(ProgramPause.program_id).where(_TENANT, _THIS)
END = (
    update(ProgramPause)
    .where(_TENANT, _THIS, ProgramPause.ended_at.is_(None))
    .values(ended_at=func.greatest(ProgramPause.started_at, CORE_NOW))
)
"""A machine's clock can be set back, but no pause ends before it began."""
SHIFTED = update(ProgramPause).where(_TENANT, _THIS).values(shifted_to=bindparam("card", type_=Uuid))
FINISH = update(ProgramPause).where(_TENANT, _THIS).values(finished_at=CORE_NOW)
DUE = (
    select(ProgramPause.tenant_id, ProgramPause.id)
    .where(ProgramPause.ended_at.is_(None), ProgramPause.until <= CORE_NOW)
    .limit(bindparam("most", type_=BigInteger))
)


def is_frozen(tenant_id: SQLColumnExpression[Any], program_id: SQLColumnExpression[Any]) -> ColumnElement[bool]:
    """Whether the dates of a program's cards stand still: it pauses, or the dates are still being moved on."""
    return exists().where(
        ProgramPause.tenant_id == tenant_id,
        ProgramPause.program_id == program_id,
        ProgramPause.finished_at.is_(None),
    )


_BEGAN, _ENDED = bindparam("began", type_=DateTime(timezone=True)), bindparam("ended", type_=DateTime(timezone=True))
_FIRST, _LAST = bindparam("first", type_=Uuid), bindparam("last", type_=Uuid)
_OF_TENANT = bindparam("of_tenant", type_=Uuid)
CARDS = (
    select(Card.id)
    .where(
        Card.tenant_id == _OF_TENANT,
        Card.program_id == bindparam("of_program", type_=Uuid),
        Card.id > bindparam("after", type_=Uuid),
    )
    .order_by(Card.id)
    .limit(bindparam("size", type_=BigInteger))
)
_SHIFTED_CARDS = select(Card.id).where(
    Card.tenant_id == _OF_TENANT, Card.program_id == bindparam("of_program", type_=Uuid), Card.id.between(_FIRST, _LAST)
)
SHIFT_LOTS = (
    update(LedgerLot)
    .where(
        LedgerLot.tenant_id == _OF_TENANT,
        LedgerLot.card_id.in_(_SHIFTED_CARDS),
        LedgerLot.amount_left > 0,
        LedgerLot.expires_at > _BEGAN,
        LedgerLot.created_at < _ENDED,
    )
    .values(expires_at=LedgerLot.expires_at + (_ENDED - func.greatest(_BEGAN, LedgerLot.created_at)))
)
"""What had run out before the pause began stays so; what came in the pause is moved by what was left of it."""
SHIFT_HOLDS = (
    update(Redemption)
    .where(
        Redemption.tenant_id == _OF_TENANT,
        Redemption.card_id.in_(_SHIFTED_CARDS),
        Redemption.status == "held",
        Redemption.expires_at > _BEGAN,
        Redemption.created_at < _ENDED,
    )
    .values(expires_at=Redemption.expires_at + (_ENDED - func.greatest(_BEGAN, Redemption.created_at)))
)
_LATER = _ENDED - func.greatest(_BEGAN, LedgerPending.created_at)
SHIFT_PENDING = (
    update(LedgerPending)
    .where(
        LedgerPending.tenant_id == _OF_TENANT,
        LedgerPending.card_id.in_(_SHIFTED_CARDS),
        and_(LedgerPending.status == "open", LedgerPending.created_at < _ENDED),
    )
    .values(due_at=LedgerPending.due_at + _LATER, expires_at=LedgerPending.expires_at + _LATER)
)
