"""Queries of corrections."""

from __future__ import annotations

from sqlalchemy import BigInteger, DateTime, Text, Uuid, and_, bindparam, exists, func, or_, select, update

from regulars.domain.adjustments.models import Adjustment
from regulars.domain.cards.models import Card
from regulars.domain.members.finding import OF_MEMBER, SOUGHT
from regulars.domain.members.models import Member
from regulars.domain.programs.models import Program
from regulars.domain.staff.models import Staff
from regulars.kernel.db.listing import Listing

_TENANT, _STATUS = bindparam("tenant", type_=Uuid), bindparam("status", type_=Text)
_CARD, _WHO = bindparam("card", type_=Uuid), bindparam("who", type_=Uuid)
_COLUMNS = (
    Adjustment.id,
    Adjustment.card_id,
    Adjustment.unit,
    Adjustment.amount,
    Adjustment.reason,
    Adjustment.status,
    Adjustment.asked_by,
    Adjustment.asked_by_name,
    Adjustment.flags,
    Adjustment.decided_by_name,
    Adjustment.entry_id,
    Adjustment.created_at,
    Adjustment.decided_at,
)
_WANTED = (
    Adjustment.tenant_id == _TENANT,
    or_(
        _STATUS == "",
        Adjustment.status == _STATUS,
        and_(_STATUS == "flagged", func.jsonb_array_length(Adjustment.flags) > 0),
    ),
)
ONE = select(*_COLUMNS).where(Adjustment.tenant_id == _TENANT, Adjustment.id == bindparam("id", type_=Uuid))
OWN = Listing(select(*_COLUMNS).where(*_WANTED), Adjustment.created_at, Adjustment.id)
"""Corrections without whose they are."""
IS_OWN = select(
    exists()
    .where(Card.tenant_id == _TENANT, or_(Card.id == _CARD, Card.merged_into == _CARD))
    .where(Member.tenant_id == _TENANT, Member.id == Card.member_id)
    .where(Staff.tenant_id == _TENANT, Staff.id == _WHO, func.lower(Staff.email) == Member.email)
)
"""Whether a card, or one that leads to it, is that of somebody of the staff: both have the same address."""
GIVEN_SINCE = select(func.count()).where(
    Adjustment.tenant_id == _TENANT,
    Adjustment.asked_by == _WHO,
    Adjustment.amount > 0,
    Adjustment.created_at > bindparam("since", type_=DateTime(timezone=True)),
)
LIMIT = select(Program.adjust_limit).where(Program.tenant_id == _TENANT, Program.id == bindparam("program", type_=Uuid))
SET_LIMIT = (
    update(Program)
    .where(Program.tenant_id == _TENANT, Program.id == bindparam("program", type_=Uuid))
    .values(adjust_limit=bindparam("most", type_=BigInteger))
)
LIST = Listing(
    select(*_COLUMNS, Member.id.label("member_id"), Member.name, Member.email, Card.number)
    .select_from(Adjustment)
    .join(Card, and_(Card.tenant_id == Adjustment.tenant_id, Card.id == Adjustment.card_id))
    .join(Member, and_(Member.tenant_id == Card.tenant_id, Member.id == Card.member_id))
    .where(*_WANTED, or_(SOUGHT == "", OF_MEMBER)),
    Adjustment.created_at,
    Adjustment.id,
)
LIMITS = select(Program.id, Program.adjust_limit).where(Program.tenant_id == _TENANT)
