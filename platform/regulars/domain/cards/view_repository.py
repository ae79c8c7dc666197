"""Queries of the card view: which of a member's cards there are."""

from __future__ import annotations

from sqlalchemy import Uuid, bindparam, select

from regulars.domain.cards.models import Card
from regulars.domain.programs.models import Program

OF_MEMBER = (
    select(Card.id, Card.number, Card.program_id, Program.name.label("program"))
    .join(Program, (Program.tenant_id == Card.tenant_id) & (Program.id == Card.program_id))
    .where(
        Card.tenant_id == bindparam("tenant", type_=Uuid),
        Card.member_id == bindparam("member", type_=Uuid),
        Card.status != "closed",
    )
    .order_by(Card.created_at, Card.id)
)
