"""Queries of wallets."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Executable,
    Float,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import aliased

from regulars.domain.cards.models import Card
from regulars.domain.households.models import HouseholdMember
from regulars.domain.members.models import Member
from regulars.domain.programs.models import Program
from regulars.domain.shops.models import Shop
from regulars.domain.wallets.models import VERSION, PassRow, WalletLine

_TENANT_ID, _CARD = bindparam("tenant", type_=Uuid), bindparam("card", type_=Uuid)
_WALLET, _SERIAL = bindparam("of_wallet", type_=Text), bindparam("of_serial", type_=Text)
_IDS = bindparam("ids", type_=ARRAY(Uuid))
_SIZE = bindparam("size", type_=BigInteger)
_CLAIMANT = bindparam("claimant", type_=Uuid)
_SECONDS = bindparam("seconds", type_=BigInteger)
_NOW = func.now(type_=DateTime(timezone=True))
_MINE = and_(PassRow.tenant_id == _TENANT_ID, PassRow.wallet == _WALLET)
_STALE = PassRow.delivered_version < PassRow.version
_FREE = or_(PassRow.claimed_until.is_(None), PassRow.claimed_until <= _NOW, PassRow.claimed_by == _CLAIMANT)
_PASS = select(
    PassRow.id, PassRow.card_id, PassRow.serial, PassRow.digest, PassRow.version, PassRow.changed_at, PassRow.copies
)

BY_SERIAL = _PASS.where(_MINE, PassRow.serial == _SERIAL)
BY_CARD = _PASS.where(_MINE, PassRow.card_id == _CARD)
SINCE = (
    select(PassRow.serial, PassRow.version)
    .where(
        _MINE,
        PassRow.serial == func.any(bindparam("serials", type_=ARRAY(Text))),
        PassRow.version > bindparam("since", type_=BigInteger),
    )
    .order_by(PassRow.version)
)
ADD = upsert(PassRow).on_conflict_do_nothing(index_elements=["tenant_id", "card_id", "wallet"]).returning(PassRow.id)

_meant, _named, _other = (aliased(Card, name=name) for name in ("meant", "named", "other"))
_HOUSEHOLDS = (
    select(HouseholdMember.household_id)
    .where(HouseholdMember.tenant_id == _TENANT_ID, HouseholdMember.card_id == _meant.id)
    .correlate(_meant)
)
_CONCERNED = (
    select(_other.id)
    .select_from(_named)
    .join(_meant, and_(_meant.tenant_id == _named.tenant_id, _meant.id == func.coalesce(_named.merged_into, _named.id)))
    .join(
        _other,
        and_(_other.tenant_id == _named.tenant_id, or_(_other.id == _meant.id, _other.household_id.in_(_HOUSEHOLDS))),
    )
    .where(_named.tenant_id == _TENANT_ID, _named.id == _CARD)
    .cte("concerned")
)
_CARDS = union_all(
    select(_CARD),
    select(_CONCERNED.c.id),
    select(Card.id).where(Card.tenant_id == _TENANT_ID, Card.merged_into.in_(select(_CONCERNED.c.id))),
)
CONCERNED_FOR_UPDATE = (
    _PASS.where(_MINE, PassRow.card_id == func.any(func.array(_CARDS.scalar_subquery())))
    .order_by(PassRow.id)
    .with_for_update(of=PassRow)
)
"""The passes that show something of a card: its own, those of cards that lead to it, those of its households."""
ANY = select(PassRow.id).where(PassRow.tenant_id == _TENANT_ID).limit(1)
COUNT = select(func.count()).select_from(PassRow).where(_MINE)
NEXT_FOR_UPDATE = (
    _PASS.where(_MINE, PassRow.id > bindparam("after", type_=Uuid)).order_by(PassRow.id).limit(_SIZE).with_for_update()
)

NEXT_VERSION = select(VERSION.next_value())
CHANGE = (
    update(PassRow)
    .where(PassRow.tenant_id == _TENANT_ID, PassRow.id == bindparam("of_pass", type_=Uuid))
    .values(
        digest=bindparam("new_digest"),
        version=bindparam("new_version", type_=BigInteger),
        changed_at=func.core.now(),
        fault="",
    )
)

_CHOSEN = select(PassRow.id).where(_MINE, _STALE, _FREE).order_by(PassRow.version).limit(_SIZE)


def _claim(chosen: Select[UUID]) -> Executable:
    """Take passes that nobody else is telling phones of; what somebody else is taking just now is passed over."""
    return (
        update(PassRow)
        .where(PassRow.tenant_id == _TENANT_ID, PassRow.id.in_(chosen.with_for_update(skip_locked=True)))
        .values(claimed_by=_CLAIMANT, claimed_until=_NOW + func.make_interval(0, 0, 0, 0, 0, 0, _SECONDS))
        .returning(PassRow.id, PassRow.card_id, PassRow.serial, PassRow.version, PassRow.changed_at)
    )


CLAIM_OLDEST = _claim(_CHOSEN)
CLAIM = _claim(_CHOSEN.where(PassRow.id == func.any(_IDS)))
_HELD = and_(
    PassRow.tenant_id == _TENANT_ID,
    PassRow.id == bindparam("of_pass", type_=Uuid),
    PassRow.claimed_by == bindparam("held_by", type_=Uuid),
)
_FAULT = bindparam("new_fault", type_=Text)
SETTLE = (
    update(PassRow)
    .where(_HELD)
    .values(
        delivered_version=func.greatest(PassRow.delivered_version, bindparam("told_version", type_=BigInteger)),
        delivered_at=case((_FAULT == "", func.core.now()), else_=PassRow.delivered_at),
        failures=case((_FAULT == "", 0), else_=PassRow.failures + 1),
        fault=_FAULT,
        failed_at=case((_FAULT == "", PassRow.failed_at), else_=func.core.now()),
        claimed_by=None,
        claimed_until=None,
    )
)
LET_GO = update(PassRow).where(_HELD).values(failures=PassRow.failures + 1, claimed_by=None, claimed_until=None)
SEND_ALL_AGAIN = update(PassRow).where(_MINE).values(delivered_version=0, fault="")
SEND_AGAIN = update(PassRow).where(_MINE, PassRow.serial == _SERIAL).values(delivered_version=0).returning(PassRow.id)
INSTALLED = (
    update(PassRow)
    .where(_MINE, PassRow.serial == _SERIAL)
    .values(
        copies=bindparam("on_phones", type_=BigInteger),
        installed_at=case(
            (and_(PassRow.copies == 0, bindparam("on_phones", type_=BigInteger) > 0), func.core.now()),
            else_=PassRow.installed_at,
        ),
        removed_at=case(
            (bindparam("on_phones", type_=BigInteger) > 0, None),
            (PassRow.copies > 0, func.core.now()),
            else_=PassRow.removed_at,
        ),
    )
)

_LINE = and_(WalletLine.tenant_id == _TENANT_ID, WalletLine.wallet == _WALLET)
IS_CLOSED = select(WalletLine.wallet).where(_LINE, WalletLine.closed_until > _NOW)
OPEN_LINE = (
    upsert(WalletLine)
    .values(tenant_id=_TENANT_ID, wallet=_WALLET, pushed_at=func.core.now())
    .on_conflict_do_update(
        index_elements=["tenant_id", "wallet"],
        set_={"failures": 0, "fault": "", "closed_until": None, "pushed_at": func.core.now()},
    )
)
_PAUSE = func.make_interval(0, 0, 0, 0, 0, 0, bindparam("pause", type_=Float))
CLOSE_LINE = (
    upsert(WalletLine)
    .values(
        tenant_id=_TENANT_ID,
        wallet=_WALLET,
        failures=1,
        fault=_FAULT,
        failed_at=func.core.now(),
        closed_until=_NOW + _PAUSE,
    )
    .on_conflict_do_update(
        index_elements=["tenant_id", "wallet"],
        set_={
            "failures": WalletLine.failures + 1,
            "fault": _FAULT,
            "failed_at": func.core.now(),
            "closed_until": _NOW + _PAUSE,
        },
        where=func.coalesce(WalletLine.closed_until <= _NOW, True),
    )
    .returning(WalletLine.failures, WalletLine.closed_until)
)
"""No row when somebody else has closed it in the meantime."""
FAILURES = select(WalletLine.failures).where(_LINE)

WHOSE = (
    select(Card.number, Card.token, Card.program_id, Program.name.label("program"), Member.status)
    .join(Program, and_(Program.tenant_id == Card.tenant_id, Program.id == Card.program_id))
    .join(Member, and_(Member.tenant_id == Card.tenant_id, Member.id == Card.member_id))
    .where(Card.tenant_id == _TENANT_ID, Card.id == _CARD)
)
SHOPS = (
    select(Shop.name, Shop.address)
    .where(Shop.tenant_id == _TENANT_ID, Shop.status == "active")
    .order_by(Shop.name, Shop.id)
    .limit(_SIZE)
)
