"""What the plugin reads and writes: facts and write statements of the sale, and queries of jobs and pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, SQLColumnExpression, Uuid, and_, bindparam, exists, func, literal_column, select
from sqlalchemy.dialects.postgresql import JSONB

from regulars.sdk import Fact, WriteStatement
from regulars.sdk.db import SALE_STANDS, Card, Member, Sale, TenantSession, delete_rows, insert_rows, update_rows
from regulars.sdk.paging import Paged, PageRequest
from regulars_stamps.models import Carry, Milestone, SaleCarry

_TENANT = bindparam("tenant_id", type_=Uuid(), required=True)
_CARD = bindparam("card_id", type_=Uuid(), required=True)
_SALE = bindparam("sale_id", type_=Uuid(), required=True)
_REACHED = (
    select(Milestone.unit, func.jsonb_agg(Milestone.threshold).label("thresholds"))
    .where(Milestone.tenant_id == _TENANT, Milestone.card_id == _CARD)
    .group_by(Milestone.unit)
    .subquery()
)
_BOUGHT = exists().where(Sale.tenant_id == _TENANT, Sale.card_id == _CARD, SALE_STANDS)


def _by_unit(unit: SQLColumnExpression[str], value: SQLColumnExpression[Any]) -> ColumnElement[Any]:
    """One JSON object, `{}` when there is nothing."""
    return func.coalesce(func.jsonb_object_agg(unit, value), literal_column("'{}'::jsonb"), type_=JSONB)


FACTS = (
    Fact("milestones", select(_by_unit(_REACHED.c.unit, _REACHED.c.thresholds)).scalar_subquery()),
    Fact(
        "carry",
        select(_by_unit(Carry.unit, Carry.minor))
        .where(Carry.tenant_id == _TENANT, Carry.card_id == _CARD)
        .scalar_subquery(),
    ),
    Fact(
        "of_sale",
        select(_by_unit(SaleCarry.unit, SaleCarry.minor))
        .where(SaleCarry.tenant_id == _TENANT, SaleCarry.sale_id == _SALE)
        .scalar_subquery(),
    ),
    Fact("is_first", select(~_BOUGHT).scalar_subquery()),
)
_NEW_CARRY = insert_rows(Carry, "unit", "minor", bind="stamps_carried")
WRITES = (
    WriteStatement(
        "carried",
        _NEW_CARRY.on_conflict_do_update(
            index_elements=["tenant_id", "card_id", "unit"], set_={"minor": Carry.minor + _NEW_CARRY.excluded.minor}
        ),
    ),
    WriteStatement("of_sale", insert_rows(SaleCarry, "sale_id", "unit", "minor", bind="stamps_of_sale")),
    WriteStatement(
        "left_of_sale",
        update_rows(SaleCarry, "minor", match=("sale_id", "unit"), bind="stamps_left_of_sale", of_card=False),
    ),
    WriteStatement(
        "reached", insert_rows(Milestone, "unit", "threshold", "bonus", "reached_at", bind="stamps_reached")
    ),
    WriteStatement("undone", delete_rows(Milestone, match=("unit", "threshold"), bind="stamps_undone")),
)


async def is_reached(session: TenantSession, card_id: UUID, unit: str, threshold: int) -> bool:
    """Whether a card has reached a milestone and the sale was not undone since."""
    statement = select(Milestone.threshold).where(
        Milestone.tenant_id == session.tenant_id,
        Milestone.card_id == card_id,
        Milestone.unit == unit,
        Milestone.threshold == threshold,
    )
    return await session.scalar(statement) is not None


@dataclass(frozen=True, slots=True)
class ReachedMilestone:
    """A milestone in the merchant's list; name and e-mail are empty or meaningless once the member is erased."""

    unit: str
    threshold: int
    bonus: int
    reached_at: datetime
    number: str
    name: str
    email: str
    is_erased: bool


_LIST = (
    select(
        Milestone.unit,
        Milestone.threshold,
        Milestone.bonus,
        Milestone.reached_at,
        Card.number,
        Member.name,
        Member.email,
        (Member.status == "erased").label("is_erased"),
    )
    .join(Card, and_(Card.tenant_id == Milestone.tenant_id, Card.id == Milestone.card_id))
    .join(Member, and_(Member.tenant_id == Card.tenant_id, Member.id == Card.member_id))
    .order_by(Milestone.reached_at.desc(), Milestone.card_id, Milestone.unit, Milestone.threshold.desc())
)


async def reached_milestones(session: TenantSession, wanted: PageRequest) -> Paged[ReachedMilestone]:
    """Milestones that the tenant's customers have reached, newest first.

    Args:
        session: of the tenant.
        wanted: which page of the list.
    """
    of_tenant = Milestone.tenant_id == session.tenant_id
    total = await session.scalar(select(func.count()).select_from(Milestone).where(of_tenant))
    rows = await session.rows(_LIST.where(of_tenant).limit(wanted.size).offset(wanted.offset))
    return Paged([ReachedMilestone(**row._mapping) for row in rows], total, wanted)
