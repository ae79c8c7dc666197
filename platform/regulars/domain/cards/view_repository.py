"""Queries of the card view: which of a member's cards there are, and whether one has changed."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Text, Uuid, and_, bindparam, cast, func, select
from sqlalchemy.orm import aliased

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
_fellow, _theirs = aliased(Card, name="fellow"), aliased(Account, name="theirs")
_SHARES_WITH = (
    _fellow.tenant_id == Card.tenant_id,
    _fellow.household_id == Card.household_id,
    _fellow.id != Card.id,
    _fellow.status == "active",
    Program.household_size > 0,
    bindparam("shares", type_=Boolean),
)
_FELLOWS = select(func.count()).select_from(_fellow).where(*_SHARES_WITH).correlate(Card, Program).scalar_subquery()
_THEIR_ENTRIES = (
    select(cast(func.coalesce(func.sum(_theirs.seq), 0), BigInteger))
    .select_from(_fellow)
    .join(_theirs, and_(_theirs.tenant_id == _fellow.tenant_id, _theirs.card_id == _fellow.id))
    .where(*_SHARES_WITH)
    .correlate(Card, Program)
    .scalar_subquery()
)
VERSION = (
    select(func.concat_ws("-", _ENTRIES + _THEIR_ENTRIES, _FELLOWS, Card.status, Program.status, type_=Text))
    .select_from(Card)
    .join(Program, (Program.tenant_id == Card.tenant_id) & (Program.id == Card.program_id))
    .outerjoin(Account, and_(Account.tenant_id == Card.tenant_id, Account.card_id == Card.id))
    .where(
        Card.tenant_id == bindparam("tenant", type_=Uuid),
        Card.id == bindparam("card", type_=Uuid),
        Card.member_id == bindparam("member", type_=Uuid),
    )
    .group_by(Card.tenant_id, Card.id, Program.tenant_id, Program.id)
)
"""`12-0-active-active`: another one after every entry of the card or of one that shares with it, and whenever card or
program are closed or opened; no row when the member has no such card."""
