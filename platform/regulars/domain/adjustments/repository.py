"""Queries of corrections."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Select, Text, Uuid, and_, bindparam, func, or_, select, update

from regulars.domain.adjustments.models import Adjustment
from regulars.domain.cards.models import Card
from regulars.domain.members.finding import OF_MEMBER, SOUGHT
from regulars.domain.members.models import Member
from regulars.domain.programs.models import Program

_TENANT = bindparam("tenant", type_=Uuid)
_COLUMNS = (
    Adjustment.id,
    Adjustment.card_id,
    Adjustment.unit,
    Adjustment.amount,
    Adjustment.reason,
    Adjustment.status,
    Adjustment.asked_by,
    Adjustment.asked_by_name,
    Adjustment.decided_by_name,
    Adjustment.entry_id,
    Adjustment.created_at,
    Adjustment.decided_at,
)
_WANTED = (
    Adjustment.tenant_id == _TENANT,
    or_(bindparam("status", type_=Text) == "", Adjustment.status == bindparam("status", type_=Text)),
)
ONE = select(*_COLUMNS).where(Adjustment.tenant_id == _TENANT, Adjustment.id == bindparam("id", type_=Uuid))
PAGE = (
    select(*_COLUMNS)
    .where(*_WANTED)
    .order_by(Adjustment.created_at.desc(), Adjustment.id.desc())
    .limit(bindparam("size", type_=BigInteger))
    .offset(bindparam("skip", type_=BigInteger))
)
TOTAL = select(func.count()).select_from(Adjustment).where(*_WANTED)
LIMIT = select(Program.adjust_limit).where(Program.tenant_id == _TENANT, Program.id == bindparam("program", type_=Uuid))
SET_LIMIT = (
    update(Program)
    .where(Program.tenant_id == _TENANT, Program.id == bindparam("program", type_=Uuid))
    .values(adjust_limit=bindparam("most", type_=BigInteger))
)
_FOUND = (*_WANTED, or_(SOUGHT == "", OF_MEMBER))


def _of_members(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(Adjustment)
        .join(Card, and_(Card.tenant_id == Adjustment.tenant_id, Card.id == Adjustment.card_id))
        .join(Member, and_(Member.tenant_id == Card.tenant_id, Member.id == Card.member_id))
    )


LIST = (
    _of_members(*_COLUMNS, Member.id.label("member_id"), Member.name, Member.email, Card.number)
    .where(*_FOUND)
    .order_by(Adjustment.created_at.desc(), Adjustment.id.desc())
    .limit(bindparam("size", type_=BigInteger))
    .offset(bindparam("skip", type_=BigInteger))
)
COUNT = _of_members(func.count()).where(*_FOUND)
LIMITS = select(Program.id, Program.adjust_limit).where(Program.tenant_id == _TENANT)
