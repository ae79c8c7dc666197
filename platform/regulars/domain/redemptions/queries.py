"""Queries of redemptions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, ColumnElement, Text, Uuid, and_, bindparam, func, not_, or_, select

from regulars.domain.cards.models import Card
from regulars.domain.members.models import Member
from regulars.domain.programs.pauses_repository import is_frozen
from regulars.domain.redemptions.models import Redemption
from regulars.domain.shops.models import Shop
from regulars.domain.staff.models import Staff
from regulars.kernel.db.expressions import NOW
from regulars.kernel.db.listing import Listing

_ZONE = bindparam("zone", type_=Text)
_MONTH_START: ColumnElement[Any] = func.timezone(_ZONE, func.date_trunc("month", func.timezone(_ZONE, NOW)))


def _has(column: Any) -> ColumnElement[bool]:
    """Whether a text has what is sought somewhere, whatever the case."""
    return func.strpos(func.lower(column), func.lower(bindparam("sought", type_=Text))) > 0


GIVEN = Listing(
    select(
        Redemption.id,
        Redemption.title,
        Redemption.unit,
        Redemption.cost,
        Redemption.value_minor,
        Redemption.currency,
        Redemption.created_at,
        Member.id.label("member_id"),
        Member.name,
        Member.email,
        func.coalesce(Shop.name, "").label("shop"),
        func.coalesce(Staff.name, "").label("staff"),
    )
    .select_from(Redemption)
    .join(Card, and_(Card.tenant_id == Redemption.tenant_id, Card.id == Redemption.card_id))
    .join(Member, and_(Member.tenant_id == Card.tenant_id, Member.id == Card.member_id))
    .outerjoin(Shop, and_(Shop.tenant_id == Redemption.tenant_id, Shop.id == Redemption.shop_id))
    .outerjoin(Staff, and_(Staff.tenant_id == Redemption.tenant_id, Staff.id == Redemption.staff_id))
    .where(
        Redemption.tenant_id == bindparam("tenant", type_=Uuid),
        Redemption.status == "captured",
        or_(not_(bindparam("this_month", type_=Boolean)), Redemption.created_at >= _MONTH_START),
        or_(
            bindparam("sought", type_=Text) == "", *(_has(one) for one in (Redemption.title, Member.name, Member.email))
        ),
    ),
    Redemption.created_at,
    Redemption.id,
)
"""Rewards that somebody got and that were not taken back."""
DUE = (
    select(Redemption.id, Redemption.card_id)
    .join(Card, and_(Card.tenant_id == Redemption.tenant_id, Card.id == Redemption.card_id))
    .where(
        Redemption.tenant_id == bindparam("tenant", type_=Uuid),
        Redemption.status == "held",
        Redemption.expires_at <= NOW,
        ~is_frozen(Redemption.tenant_id, Card.program_id),
    )
    .order_by(Redemption.expires_at)
    .limit(bindparam("size"))
)
"""Holds whose time is over, where time runs."""


_FOUND = (
    Redemption.tenant_id == bindparam("tenant", type_=Uuid),
    or_(bindparam("status", type_=Text) == "", Redemption.status == bindparam("status", type_=Text)),
    or_(bindparam("fulfilment", type_=Text) == "", Redemption.fulfilment == bindparam("fulfilment", type_=Text)),
    or_(
        bindparam("card", type_=Uuid).is_(None),
        Redemption.card_id == bindparam("card", type_=Uuid),
        Card.merged_into == bindparam("card", type_=Uuid),
    ),
    or_(
        bindparam("member", type_=Uuid).is_(None),
        Card.member_id == bindparam("member", type_=Uuid),
        Member.merged_into == bindparam("member", type_=Uuid),
    ),
    or_(
        bindparam("sought", type_=Text) == "",
        func.upper(Redemption.code) == func.upper(bindparam("sought", type_=Text)),
        _has(Redemption.title),
        _has(Member.name),
        _has(Member.email),
    ),
)
_COLUMNS = (
    Redemption.id,
    Redemption.card_id,
    Redemption.reward_kind,
    Redemption.reward_key,
    Redemption.title,
    Redemption.unit,
    Redemption.cost,
    Redemption.value_minor,
    Redemption.currency,
    Redemption.status,
    Redemption.fulfilment,
    Redemption.code,
    Redemption.ship_to,
    Redemption.created_at,
    Redemption.expires_at,
    Redemption.captured_at,
    Card.number,
    Member.id.label("member_id"),
    Member.name,
    Member.email,
)


_REDEMPTIONS = (
    select(*_COLUMNS)
    .select_from(Redemption)
    .join(Card, and_(Card.tenant_id == Redemption.tenant_id, Card.id == Redemption.card_id))
    .join(Member, and_(Member.tenant_id == Card.tenant_id, Member.id == Card.member_id))
)
LIST = Listing(_REDEMPTIONS.where(*_FOUND), Redemption.created_at, Redemption.id)
ONE = _REDEMPTIONS.where(
    Redemption.tenant_id == bindparam("tenant", type_=Uuid), Redemption.id == bindparam("redemption", type_=Uuid)
)
BY_CODE = (
    select(Redemption.card_id)
    .where(
        Redemption.tenant_id == bindparam("tenant", type_=Uuid),
        Redemption.code == bindparam("code", type_=Text),
        Redemption.code != "",
        Redemption.status == "held",
    )
    .limit(1)
)
