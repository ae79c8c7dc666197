"""SQL of joining by a form and of getting a lost card back."""

from __future__ import annotations

from sqlalchemy import Text, Uuid, and_, bindparam, insert, select

from regulars.domain.cards.models import Card
from regulars.domain.ledger.models import Idempotency
from regulars.domain.members.models import Member
from regulars.domain.programs.models import Program
from regulars.kernel.db.expressions import NOW

_TENANT_ID = bindparam("tenant", type_=Uuid)

STORED = select(Idempotency.body).where(
    Idempotency.tenant_id == _TENANT_ID,
    Idempotency.principal == bindparam("principal", type_=Text),
    Idempotency.key == bindparam("key", type_=Text),
)
STORE = insert(Idempotency).values(created_at=NOW)
MEMBER_BY_EMAIL = select(Member.id).where(
    Member.tenant_id == _TENANT_ID, Member.email == bindparam("email", type_=Text)
)
CARD_BY_EMAIL = (
    select(Card.id, Card.number, Card.member_id, Program.name.label("program"))
    .join(Member, and_(Member.tenant_id == Card.tenant_id, Member.id == Card.member_id))
    .join(Program, and_(Program.tenant_id == Card.tenant_id, Program.id == Card.program_id))
    .where(
        Card.tenant_id == _TENANT_ID,
        Member.email == bindparam("email", type_=Text),
        Member.status == "active",
        Card.status != "closed",
    )
    .order_by(Card.created_at, Card.id)
    .limit(1)
)
"""The card that an address gets its link for: the first one, from which a member reaches all others."""
