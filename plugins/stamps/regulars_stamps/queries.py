"""What the plugin reads and writes: a fact and two write statements of the sale, and queries of jobs and pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Uuid, and_, bindparam, func, select

from regulars.sdk import Fact, WriteStatement
from regulars.sdk.db import Card, Member, TenantSession, delete_rows, insert_rows, update_rows
from regulars.sdk.paging import Paged, PageRequest
from regulars_stamps.models import Carry, Milestone, SaleCarry

_TENANT = bindparam("tenant_id", type_=Uuid(), required=True)
_CARD = bindparam("card_id", type_=Uuid(), required=True)
_SALE = bindparam("sale_id", type_=Uuid(), required=True)
_REACHED = select(Milestone.threshold).where(Milestone.tenant_id == _TENANT, Milestone.card_id == _CARD)
_CARRY = select(Carry.minor).where(Carry.tenant_id == _TENANT, Carry.card_id == _CARD).scalar_subquery()
_OF_SALE = select(SaleCarry.minor).where(SaleCarry.tenant_id == _TENANT, SaleCarry.sale_id == _SALE).scalar_subquery()
FACTS = (
    Fact("milestones", select(func.array(_REACHED.scalar_subquery())).scalar_subquery()),
    Fact("carry", select(func.coalesce(_CARRY, 0).cast(BigInteger)).scalar_subquery()),
    Fact("of_sale", _OF_SALE),
)
_NEW_CARRY = insert_rows(Carry, "minor", bind="stamps_carried")
WRITES = (
    WriteStatement(
        "carried",
        _NEW_CARRY.on_conflict_do_update(
            index_elements=["tenant_id", "card_id"], set_={"minor": Carry.minor + _NEW_CARRY.excluded.minor}
        ),
    ),
    WriteStatement("of_sale", insert_rows(SaleCarry, "sale_id", "minor", bind="stamps_of_sale")),
    WriteStatement("left_of_sale", update_rows(SaleCarry, "minor", match=("sale_id",), bind="stamps_left_of_sale")),
    WriteStatement("reached", insert_rows(Milestone, "threshold", "bonus", "reached_at", bind="stamps_reached")),
    WriteStatement("undone", delete_rows(Milestone, match=("threshold",), bind="stamps_undone")),
)


async def is_reached(session: TenantSession, card_id: UUID, threshold: int) -> bool:
    """Whether a card has reached a milestone and the sale was not undone since."""
    statement = select(Milestone.threshold).where(
        Milestone.tenant_id == session.tenant_id, Milestone.card_id == card_id, Milestone.threshold == threshold
    )
    return await session.scalar(statement) is not None


@dataclass(frozen=True, slots=True)
class ReachedMilestone:
    """A milestone in the merchant's list; name and e-mail are empty or meaningless once the member is erased."""

    threshold: int
    bonus: int
    reached_at: datetime
    number: str
    name: str
    email: str
    is_erased: bool


_LIST = (
    select(
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
    .order_by(Milestone.reached_at.desc(), Milestone.card_id, Milestone.threshold.desc())
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
