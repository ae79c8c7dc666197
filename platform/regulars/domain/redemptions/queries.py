"""Queries of rewards handed out, for the list behind the dashboard's figures."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, ColumnElement, Text, Uuid, and_, bindparam, func, not_, or_, select

from regulars.domain.cards.models import Card
from regulars.domain.members.models import Member
from regulars.domain.redemptions.models import Redemption
from regulars.domain.shops.models import Shop
from regulars.domain.staff.models import Staff
from regulars.kernel.db.expressions import NOW

_ZONE = bindparam("zone", type_=Text)
_MONTH_START: ColumnElement[Any] = func.timezone(_ZONE, func.date_trunc("month", func.timezone(_ZONE, NOW)))
_WANTED = (
    Redemption.tenant_id == bindparam("tenant", type_=Uuid),
    Redemption.status == "captured",
    or_(not_(bindparam("this_month", type_=Boolean)), Redemption.created_at >= _MONTH_START),
)

PAGE = (
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
    .join(Card, and_(Card.tenant_id == Redemption.tenant_id, Card.id == Redemption.card_id))
    .join(Member, and_(Member.tenant_id == Card.tenant_id, Member.id == Card.member_id))
    .outerjoin(Shop, and_(Shop.tenant_id == Redemption.tenant_id, Shop.id == Redemption.shop_id))
    .outerjoin(Staff, and_(Staff.tenant_id == Redemption.tenant_id, Staff.id == Redemption.staff_id))
    .where(*_WANTED)
    .order_by(Redemption.created_at.desc(), Redemption.id.desc())
    .limit(bindparam("size"))
    .offset(bindparam("offset"))
)
TOTAL = select(func.count()).select_from(Redemption).where(*_WANTED)
