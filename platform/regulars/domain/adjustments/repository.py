"""Queries of corrections."""

from __future__ import annotations

from sqlalchemy import BigInteger, Text, Uuid, and_, bindparam, or_, select, update

from regulars.domain.adjustments.models import Adjustment
from regulars.domain.cards.models import Card
from regulars.domain.members.finding import OF_MEMBER, SOUGHT
from regulars.domain.members.models import Member
from regulars.domain.programs.models import Program
from regulars.kernel.db.listing import Listing

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
OWN = Listing(select(*_COLUMNS).where(*_WANTED), Adjustment.created_at, Adjustment.id)
"""Corrections without whose they are."""
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
