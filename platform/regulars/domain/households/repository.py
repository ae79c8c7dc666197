"""Queries of households."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased

from regulars.domain.cards.models import Card
from regulars.domain.households.models import Household, HouseholdInvitation, HouseholdMember
from regulars.domain.ledger.models import Account, LedgerEntry
from regulars.domain.ledger.read_statements import CardBy, named
from regulars.domain.members.finding import OF_MEMBER, SOUGHT
from regulars.domain.members.models import Member
from regulars.domain.programs.models import Program
from regulars.kernel.db.listing import Listing

NOW: ColumnElement[Any] = func.core.now(type_=DateTime(timezone=True))
_TENANT = bindparam("tenant", type_=Uuid)
_HOUSEHOLD = bindparam("household", type_=Uuid)
_CARD = bindparam("card", type_=Uuid)


@lru_cache
def lock_around(by: CardBy) -> Select[Any]:
    """Lock all cards of the household of a card, in the order of their ids; none when it is in none.

    Args:
        by: how the card is named.
    """
    tenant = bindparam("tenant_id", type_=Uuid)
    meant = aliased(Card, name="meant")
    stands_for = select(func.coalesce(Card.merged_into, Card.id)).where(Card.tenant_id == tenant, named(by))
    around = select(meant.household_id).where(meant.tenant_id == tenant, meant.id.in_(stands_for))
    locked = aliased(Card, name="locked")
    return (
        select(locked.id)
        .where(locked.tenant_id == tenant, locked.household_id.in_(around))
        .order_by(locked.id)
        .with_for_update(key_share=True, of=locked)
    )


LOCK_WITH = (
    select(Card.id, Card.household_id)
    .where(Card.tenant_id == _TENANT, or_(Card.household_id == _HOUSEHOLD, Card.id == _CARD))
    .order_by(Card.id)
    .with_for_update(key_share=True)
)
"""The cards of a household, and one that joins it, in the order in which everybody locks them."""
CARD = (
    select(
        Card.id,
        Card.member_id,
        Card.program_id,
        Card.status,
        Card.merged_into,
        Card.household_id,
        Program.household_size,
        Program.timezone,
    )
    .join(Program, and_(Program.tenant_id == Card.tenant_id, Program.id == Card.program_id))
    .where(Card.tenant_id == _TENANT, Card.id == _CARD)
)
GET = (
    select(Household.id, Household.program_id, Household.head_id, Household.created_at, Household.ended_at)
    .add_columns(Program.household_size, Program.timezone, Program.name.label("program"))
    .join(Program, and_(Program.tenant_id == Household.tenant_id, Program.id == Household.program_id))
    .where(Household.tenant_id == _TENANT, Household.id == _HOUSEHOLD)
)
FOUND = insert(Household)
JOIN = insert(HouseholdMember)
SET_HOUSEHOLD = (
    update(Card)
    .where(Card.tenant_id == _TENANT, Card.id == _CARD)
    .values(household_id=bindparam("new_household", type_=Uuid))
)
LEAVE = (
    update(HouseholdMember)
    .where(
        HouseholdMember.tenant_id == _TENANT,
        HouseholdMember.household_id == _HOUSEHOLD,
        HouseholdMember.card_id == _CARD,
        HouseholdMember.left_at.is_(None),
    )
    .values(left_at=NOW)
)
SET_HEAD = update(Household).where(Household.tenant_id == _TENANT, Household.id == _HOUSEHOLD).values(head_id=_CARD)
END = update(Household).where(Household.tenant_id == _TENANT, Household.id == _HOUSEHOLD).values(ended_at=NOW)

_BALANCES = (
    select(func.coalesce(func.jsonb_object_agg(Account.unit, Account.balance), cast({}, JSONB)))
    .where(Account.tenant_id == Card.tenant_id, Account.card_id == Card.id)
    .correlate(Card)
    .scalar_subquery()
)
_SINCE = bindparam("since", type_=DateTime(timezone=True))
_BY_UNIT = (
    select(LedgerEntry.unit, cast(func.sum(LedgerEntry.amount), BigInteger).label("amount"))
    .where(
        LedgerEntry.tenant_id == Card.tenant_id,
        LedgerEntry.card_id == Card.id,
        LedgerEntry.created_at >= _SINCE,
        or_(LedgerEntry.kind == "earn", and_(LedgerEntry.kind == "reverse", LedgerEntry.amount < 0)),
    )
    .group_by(LedgerEntry.unit)
    .correlate(Card)
    .subquery("by_unit")
)
_EARNED = select(
    func.coalesce(func.jsonb_object_agg(_BY_UNIT.c.unit, _BY_UNIT.c.amount), cast({}, JSONB))
).scalar_subquery()
MEMBERS = (
    select(
        Card.id.label("card_id"),
        Card.number,
        Card.status,
        Card.member_id,
        Member.name,
        Member.email,
        HouseholdMember.joined_at,
        _BALANCES.label("balances"),
        _EARNED.label("earned"),
    )
    .select_from(HouseholdMember)
    .join(Card, and_(Card.tenant_id == HouseholdMember.tenant_id, Card.id == HouseholdMember.card_id))
    .join(Member, and_(Member.tenant_id == Card.tenant_id, Member.id == Card.member_id))
    .where(
        HouseholdMember.tenant_id == _TENANT,
        HouseholdMember.household_id == _HOUSEHOLD,
        HouseholdMember.left_at.is_(None),
    )
    .order_by(HouseholdMember.joined_at, HouseholdMember.id)
)
MONTH = select(
    func.timezone(
        bindparam("zone", type_=Text),
        func.date_trunc("month", func.timezone(bindparam("zone", type_=Text), NOW)),
        type_=DateTime(timezone=True),
    )
)

_OPEN = (HouseholdInvitation.status == "open", HouseholdInvitation.expires_at > NOW)
INVITE = insert(HouseholdInvitation)
INVITATIONS = (
    select(HouseholdInvitation.id, HouseholdInvitation.code, HouseholdInvitation.expires_at)
    .where(HouseholdInvitation.tenant_id == _TENANT, HouseholdInvitation.household_id == _HOUSEHOLD, *_OPEN)
    .order_by(HouseholdInvitation.created_at, HouseholdInvitation.id)
)
INVITATION = select(HouseholdInvitation.id, HouseholdInvitation.household_id, HouseholdInvitation.code).where(
    HouseholdInvitation.tenant_id == _TENANT, HouseholdInvitation.code == bindparam("code", type_=Text), *_OPEN
)
_SETTLED: ColumnElement[str] = bindparam("settled", type_=Text)
SETTLE = (
    update(HouseholdInvitation)
    .where(
        HouseholdInvitation.tenant_id == _TENANT,
        HouseholdInvitation.household_id == _HOUSEHOLD,
        or_(_SETTLED == "", HouseholdInvitation.code == _SETTLED),
        HouseholdInvitation.status == "open",
    )
    .values(status=bindparam("new_status", type_=Text))
    .returning(HouseholdInvitation.id)
)

_head, _head_member = aliased(Card, name="head"), aliased(Member, name="head_member")
_FOUND_IN = (
    select(literal(1))
    .select_from(Card)
    .join(Member, and_(Member.tenant_id == Card.tenant_id, Member.id == Card.member_id))
    .where(Card.tenant_id == Household.tenant_id, Card.household_id == Household.id, OF_MEMBER)
    .correlate(Household)
    .exists()
)
_LISTED: tuple[ColumnElement[bool], ...] = (
    Household.tenant_id == _TENANT,
    Household.ended_at.is_(None),
    or_(SOUGHT == "", _FOUND_IN),
)
_SIZE = (
    select(func.count())
    .select_from(Card)
    .where(Card.tenant_id == Household.tenant_id, Card.household_id == Household.id)
    .correlate(Household)
    .scalar_subquery()
)
_sums = (
    select(Account.unit, cast(func.sum(Account.balance), BigInteger).label("amount"))
    .join(Card, and_(Card.tenant_id == Account.tenant_id, Card.id == Account.card_id))
    .where(Account.tenant_id == Household.tenant_id, Card.household_id == Household.id, Card.status == "active")
    .group_by(Account.unit)
    .correlate(Household)
    .subquery("sums")
)
_TOGETHER = select(
    func.coalesce(func.jsonb_object_agg(_sums.c.unit, _sums.c.amount), cast({}, JSONB))
).scalar_subquery()
LIST = Listing(
    select(
        Household.id,
        Household.created_at,
        Program.name.label("program"),
        _head.number,
        _head_member.id.label("member_id"),
        _head_member.name,
        _head_member.email,
        _SIZE.label("size"),
        _TOGETHER.label("balances"),
    )
    .join(Program, and_(Program.tenant_id == Household.tenant_id, Program.id == Household.program_id))
    .join(_head, and_(_head.tenant_id == Household.tenant_id, _head.id == Household.head_id))
    .join(_head_member, and_(_head_member.tenant_id == _head.tenant_id, _head_member.id == _head.member_id))
    .where(*_LISTED),
    Household.created_at,
    Household.id,
)
HEAD = (
    select(func.coalesce(func.nullif(Member.name, ""), Member.email))
    .join(Card, and_(Card.tenant_id == Member.tenant_id, Card.member_id == Member.id))
    .join(Household, and_(Household.tenant_id == Card.tenant_id, Household.head_id == Card.id))
    .where(Household.tenant_id == _TENANT, Household.id == _HOUSEHOLD)
)
SIZE_OF = select(Program.household_size).where(
    Program.tenant_id == _TENANT, Program.id == bindparam("program", type_=Uuid)
)
SET_SIZE = (
    update(Program)
    .where(Program.tenant_id == _TENANT, Program.id == bindparam("program", type_=Uuid))
    .values(household_size=bindparam("new_size", type_=BigInteger))
)
CLOCK = select(NOW)
OF_CARD = select(Card.household_id).where(Card.tenant_id == _TENANT, Card.id == _CARD)
