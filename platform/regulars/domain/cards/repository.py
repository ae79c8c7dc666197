"""Queries of cards. Each hit comes whole, with its member and its balances, so that a list costs one query."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased

from regulars.domain.cards.models import Card
from regulars.domain.ledger.models import Account, LedgerEntry
from regulars.domain.members.models import Member

_TENANT_ID = bindparam("tenant", type_=Uuid)
_TENANT = Card.tenant_id == _TENANT_ID
_TOKEN, _NUMBER = bindparam("token", type_=Text), bindparam("number", type_=Text)
_SHORT = bindparam("short", type_=Text)
_EMAIL, _PHONE = bindparam("email", type_=Text), bindparam("phone", type_=Text)
_PATTERNS = cast(bindparam("patterns", type_=ARRAY(Text)), ARRAY(Text))
_LIMIT = bindparam("size", type_=BigInteger)
_RECENT_ENTRIES = 500
"""How many entries are looked through for the cards that were used last."""

_BALANCES = (
    select(func.coalesce(func.jsonb_object_agg(Account.unit, Account.balance), cast({}, JSONB)))
    .where(Account.tenant_id == Card.tenant_id, Account.card_id == Card.id)
    .correlate(Card)
    .scalar_subquery()
)
_HIT = (
    select(
        Card.id,
        Card.number,
        Card.token,
        Card.status,
        Card.program_id,
        Card.created_at,
        Card.has_merged,
        Card.household_id,
        Card.member_id,
        Member.name,
        Member.email,
        Member.phone,
        Member.birthday,
        Member.enrolled_at,
        Member.last_activity_at,
        _BALANCES.label("balances"),
    )
    .join(Member, and_(Member.tenant_id == Card.tenant_id, Member.id == Card.member_id))
    .where(_TENANT, Member.status != "erased")
)
_NAMED = aliased(Card, name="named")


def _stands_for(which: ColumnElement[bool]) -> ColumnElement[bool]:
    """The card that is meant by one that is named: itself, or the one to which it leads since a merge."""
    return Card.id.in_(
        select(func.coalesce(_NAMED.merged_into, _NAMED.id)).where(_NAMED.tenant_id == _TENANT_ID, which)
    )


GET = _HIT.where(_stands_for(_NAMED.id == bindparam("card", type_=Uuid)))
BY_TOKEN = _HIT.where(_stands_for(_NAMED.token == _TOKEN))
BY_NUMBER = _HIT.where(_stands_for(_NAMED.number == _NUMBER))
BY_SHORT = (
    _HIT.where(_stands_for(_NAMED.number.between(func.concat(_SHORT, "0000"), func.concat(_SHORT, "9999"))))
    .order_by(Card.number)
    .limit(_LIMIT)
)
_MAILED = select(Member.id).where(Member.tenant_id == _TENANT_ID, Member.email == _EMAIL).correlate(None)
BY_EMAIL = _HIT.where(_stands_for(_NAMED.member_id.in_(_MAILED))).order_by(Card.created_at, Card.id).limit(_LIMIT)
_EXACT = func.coalesce(Member.phone == _PHONE, False)
SEARCH = (
    _HIT.where(Member.merged_into.is_(None), or_(_EXACT, Member.search.like(func.all(_PATTERNS))))
    .order_by(_EXACT.desc(), Member.last_activity_at.desc(), Card.id)
    .limit(_LIMIT)
)
_ENTRIES = (
    select(LedgerEntry.card_id, LedgerEntry.created_at)
    .where(
        LedgerEntry.tenant_id == _TENANT_ID,
        or_(
            LedgerEntry.shop_id == bindparam("shop", type_=Uuid),
            LedgerEntry.staff_id == bindparam("staff", type_=Uuid),
        ),
    )
    .order_by(LedgerEntry.created_at.desc())
    .limit(_RECENT_ENTRIES)
    .subquery()
)
_USED = (
    select(_ENTRIES.c.card_id, func.max(_ENTRIES.c.created_at, type_=DateTime(timezone=True)).label("used_at"))
    .group_by(_ENTRIES.c.card_id)
    .subquery()
)
RECENT = (
    _HIT.join(_USED, _USED.c.card_id == Card.id)
    .where(Card.merged_into.is_(None))
    .order_by(_USED.c.used_at.desc(), Card.id)
    .limit(_LIMIT)
)
LOCK = select(Card.status).where(_TENANT, Card.id == bindparam("card", type_=Uuid)).with_for_update(key_share=True)
SET_STATUS = (
    update(Card)
    .where(_TENANT, Card.id == bindparam("card", type_=Uuid))
    .values(status=bindparam("new_status", type_=Text))
)
