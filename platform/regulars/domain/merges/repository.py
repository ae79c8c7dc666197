"""Queries of merges."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import aliased

from regulars.domain.cards.models import Card
from regulars.domain.ledger.extra_statements import json_object
from regulars.domain.ledger.models import Account, LedgerEntry, LedgerLot, LedgerLotUse
from regulars.domain.members.models import Member
from regulars.domain.merges.models import CardMerge, MemberMerge
from regulars.domain.programs.models import Program

_TENANT = bindparam("tenant", type_=Uuid)
_MERGE = bindparam("merge", type_=Uuid)
_TARGET = bindparam("target", type_=Uuid)

PERSON = select(Member.id, Member.name, Member.email, Member.status, Member.merged_into).where(
    Member.tenant_id == _TENANT, Member.id == bindparam("member", type_=Uuid)
)
_BALANCES = (
    select(func.jsonb_object_agg(Account.unit, Account.balance))
    .where(Account.tenant_id == Card.tenant_id, Account.card_id == Card.id)
    .correlate(Card)
    .scalar_subquery()
)
CARDS = (
    select(
        Card.id,
        Card.number,
        Card.status,
        Card.program_id,
        Program.name.label("program"),
        func.coalesce(_BALANCES, func.jsonb_build_object()).label("balances"),
        Card.household_id.is_not(None).label("shares"),
    )
    .join(Program, and_(Program.tenant_id == Card.tenant_id, Program.id == Card.program_id))
    .where(Card.tenant_id == _TENANT, Card.member_id == bindparam("member", type_=Uuid), Card.merged_into.is_(None))
    .order_by(Card.program_id)
)
"""A member's own cards: not those that lead elsewhere."""
ADD = insert(MemberMerge)
_face = aliased(Card, name="face")
KEEP_LEADS = insert(CardMerge).from_select(
    ["tenant_id", "merge_id", "card_id", "target_id", "led_to"],
    select(
        _face.tenant_id, cast(_MERGE, Uuid), _face.id, cast(bindparam("to", type_=Uuid), Uuid), _face.merged_into
    ).where(
        _face.tenant_id == _TENANT,
        or_(_face.id == bindparam("card", type_=Uuid), _face.merged_into == bindparam("card", type_=Uuid)),
    ),
)
"""The card itself and all that lead to it lead to the other one from now on."""
LEAD = (
    update(Card)
    .where(Card.tenant_id == _TENANT, Card.id == CardMerge.card_id)
    .where(CardMerge.tenant_id == _TENANT, CardMerge.merge_id == _MERGE)
    .values(merged_into=CardMerge.target_id)
)
LEAD_BACK = (
    update(Card)
    .where(Card.tenant_id == _TENANT, Card.id == CardMerge.card_id)
    .where(CardMerge.tenant_id == _TENANT, CardMerge.merge_id == _MERGE)
    .values(merged_into=CardMerge.led_to)
)
_other = aliased(Card, name="other")
MARK_TARGETS = (
    update(Card)
    .where(
        Card.tenant_id == _TENANT,
        Card.id.in_(select(CardMerge.target_id).where(CardMerge.tenant_id == _TENANT, CardMerge.merge_id == _MERGE)),
    )
    .values(has_merged=exists().where(_other.tenant_id == Card.tenant_id, _other.merged_into == Card.id))
)
_root = aliased(Card, name="root")
FOLLOW_CARDS = (
    update(Member)
    .where(
        Member.tenant_id == _TENANT,
        Member.id.in_(
            select(Card.member_id)
            .join(CardMerge, and_(CardMerge.tenant_id == Card.tenant_id, CardMerge.card_id == Card.id))
            .where(Card.tenant_id == _TENANT, CardMerge.merge_id == _MERGE)
        ),
    )
    .values(
        merged_into=select(_root.member_id)
        .join(_face, and_(_face.tenant_id == _root.tenant_id, _face.merged_into == _root.id))
        .where(_face.tenant_id == Member.tenant_id, _face.member_id == Member.id)
        .limit(1)
        .correlate(Member)
        .scalar_subquery()
    )
)
"""A member is merged into whoever has the card to which the own one leads."""
GET = select(MemberMerge).where(MemberMerge.tenant_id == _TENANT, MemberMerge.id == _MERGE)
LOCK = (
    select(MemberMerge.undone_at)
    .where(MemberMerge.tenant_id == _TENANT, MemberMerge.id == _MERGE)
    .with_for_update(key_share=True)
)
PAIRS = select(CardMerge.card_id, CardMerge.target_id).where(
    CardMerge.tenant_id == _TENANT, CardMerge.merge_id == _MERGE, CardMerge.led_to.is_(None)
)
UNDO = (
    update(MemberMerge)
    .where(MemberMerge.tenant_id == _TENANT, MemberMerge.id == _MERGE, MemberMerge.undone_at.is_(None))
    .values(undone_at=func.core.now(), undone_by=bindparam("by", type_=Text))
)


def _lots() -> Any:
    paid = (
        select(func.coalesce(func.sum(LedgerLotUse.amount), literal(0, BigInteger)).cast(BigInteger))
        .where(
            LedgerLotUse.tenant_id == _TENANT,
            LedgerLotUse.lot_id == LedgerLot.id,
            LedgerLotUse.entry_id == LedgerLot.entry_id,
        )
        .correlate(LedgerLot)
        .scalar_subquery()
    )
    fields = {name: getattr(LedgerLot, name) for name in ("id", "entry_id", "unit", "expires_at", "created_at")}
    return (
        select(func.jsonb_agg(json_object(**fields, amount_left=LedgerLot.amount_left, paid=paid)))
        .where(LedgerLot.tenant_id == _TENANT, LedgerLot.entry_id == LedgerEntry.id)
        .correlate(LedgerEntry)
        .scalar_subquery()
    )


def _uses() -> Any:
    use = json_object(
        lot_id=LedgerLotUse.lot_id,
        amount=LedgerLotUse.amount,
        amount_left=LedgerLot.amount_left,
        expires_at=LedgerLot.expires_at,
        created_at=LedgerLot.created_at,
        is_elsewhere=False,
    )
    return (
        select(func.jsonb_agg(use))
        .join(LedgerLot, and_(LedgerLot.tenant_id == _TENANT, LedgerLot.id == LedgerLotUse.lot_id))
        .where(LedgerLotUse.tenant_id == _TENANT, LedgerLotUse.entry_id == LedgerEntry.id)
        .correlate(LedgerEntry)
        .scalar_subquery()
    )


_back, _original = aliased(LedgerEntry), aliased(LedgerEntry)
_TAKEN_BACK = (
    select(func.coalesce(-func.sum(_back.amount), literal(0, BigInteger)).cast(BigInteger))
    .join(_original, and_(_original.tenant_id == _TENANT, _original.id == _back.reverses_id))
    .where(
        _back.tenant_id == _TENANT,
        _back.card_id == LedgerEntry.card_id,
        _back.unit == LedgerEntry.unit,
        _back.seq > LedgerEntry.seq,
        _original.kind == "earn",
        _original.card_id.in_(
            select(CardMerge.card_id).where(
                CardMerge.tenant_id == _TENANT,
                CardMerge.merge_id == _MERGE,
                CardMerge.target_id == LedgerEntry.card_id,
            )
        ),
    )
    .correlate(LedgerEntry)
    .scalar_subquery()
)
BROUGHT = (
    select(
        LedgerEntry.unit,
        LedgerEntry.plugin,
        LedgerEntry.amount,
        cast(LedgerEntry.explanation["lifetime"].astext, BigInteger).label("lifetime"),
        _TAKEN_BACK.label("taken_back"),
        _lots().label("lots"),
        _uses().label("uses"),
    )
    .where(
        LedgerEntry.tenant_id == _TENANT,
        LedgerEntry.card_id == _TARGET,
        LedgerEntry.occasion == "merge",
        LedgerEntry.explanation["merge"].astext == bindparam("merge_text", type_=Text),
        LedgerEntry.reverses_id.is_(None),
    )
    .order_by(LedgerEntry.unit)
)
"""What a merge has brought to a card, unit by unit, and what has become of it."""
_source = aliased(Member)
_NUMBERS = (
    select(func.array_agg(Card.number, type_=ARRAY(Text)))
    .where(Card.tenant_id == MemberMerge.tenant_id, Card.member_id == MemberMerge.source_id)
    .correlate(MemberMerge)
    .scalar_subquery()
)
OF_MEMBER = (
    select(
        MemberMerge.id,
        MemberMerge.source_id,
        MemberMerge.target_id,
        _source.name,
        _source.email,
        _source.status,
        _NUMBERS.label("numbers"),
        MemberMerge.reason,
        MemberMerge.merged_by,
        MemberMerge.created_at,
        MemberMerge.undone_by,
        MemberMerge.undone_at,
    )
    .join(_source, and_(_source.tenant_id == MemberMerge.tenant_id, _source.id == MemberMerge.source_id))
    .where(MemberMerge.tenant_id == _TENANT, MemberMerge.target_id == bindparam("member", type_=Uuid))
    .order_by(MemberMerge.created_at.desc(), MemberMerge.id.desc())
)
