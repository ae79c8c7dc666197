"""Queries of the card view: which of a member's cards there are, and whether one has changed."""

from __future__ import annotations

from sqlalchemy import BigInteger, Text, Uuid, and_, bindparam, cast, func, select

from regulars.domain.cards.models import Card
from regulars.domain.ledger.models import Account
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
_ENTRIES = cast(func.coalesce(func.sum(Account.seq), 0), BigInteger)
VERSION = (
    select(func.concat_ws("-", _ENTRIES, Card.status, Program.status, type_=Text))
    .select_from(Card)
    .join(Program, (Program.tenant_id == Card.tenant_id) & (Program.id == Card.program_id))
    .outerjoin(Account, and_(Account.tenant_id == Card.tenant_id, Account.card_id == Card.id))
    .where(
        Card.tenant_id == bindparam("tenant", type_=Uuid),
        Card.id == bindparam("card", type_=Uuid),
        Card.member_id == bindparam("member", type_=Uuid),
    )
    .group_by(Card.id, Card.status, Program.status)
)
"""`12-active-active`: another one after every entry and whenever card or program are closed or opened; no row when the
member has no such card."""
