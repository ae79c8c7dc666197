"""What the plugin reads and writes in a sale, and the sums of its page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    ScalarSelect,
    SQLColumnExpression,
    Uuid,
    and_,
    bindparam,
    exists,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased

from regulars.sdk import Fact, WriteStatement
from regulars.sdk.db import (
    SALE_STANDS,
    Account,
    Card,
    LedgerEntry,
    LedgerPending,
    Sale,
    Shop,
    TenantSession,
    insert_rows,
    update_rows,
)
from regulars_points.models import Carry, RuleUse, SaleCarry
from regulars_points.settings import UNIT

_TENANT = bindparam("tenant_id", type_=Uuid(), required=True)
_CARD = bindparam("card_id", type_=Uuid(), required=True)
_DAY = bindparam("day_start", type_=DateTime(timezone=True), required=True)
_Reversal = aliased(LedgerEntry)


def _sum(column: SQLColumnExpression[int]) -> ColumnElement[int]:
    return func.coalesce(func.sum(column), 0).cast(BigInteger)


_TAKEN_BACK = (
    select(_sum(_Reversal.amount))
    .where(_Reversal.tenant_id == LedgerEntry.tenant_id, _Reversal.reverses_id == LedgerEntry.id)
    .correlate(LedgerEntry)
    .scalar_subquery()
)
_EARNED_TODAY = (
    select(_sum(LedgerEntry.amount + _TAKEN_BACK))
    .where(
        LedgerEntry.tenant_id == _TENANT,
        LedgerEntry.card_id == _CARD,
        LedgerEntry.unit == UNIT,
        LedgerEntry.kind == "earn",
        LedgerEntry.occasion == "purchase",
        LedgerEntry.counts_for_limits.is_(True),
        LedgerEntry.created_at >= _DAY,
    )
    .scalar_subquery()
)


def _waiting(*more: ColumnElement[bool]) -> ScalarSelect[int]:
    """Points that are earned and not on the account yet."""
    mine = (LedgerPending.tenant_id == _TENANT, LedgerPending.card_id == _CARD, LedgerPending.unit == UNIT)
    return select(_sum(LedgerPending.amount)).where(*mine, LedgerPending.status == "open", *more).scalar_subquery()


_CARRY = select(Carry.parts).where(Carry.tenant_id == _TENANT, Carry.card_id == _CARD).scalar_subquery()
_OF_SALE = select(SaleCarry.parts).where(
    SaleCarry.tenant_id == _TENANT, SaleCarry.sale_id == bindparam("sale_id", type_=Uuid(), required=True)
)
_BOUGHT = exists().where(Sale.tenant_id == _TENANT, Sale.card_id == _CARD, SALE_STANDS)
_LAST_USES = (
    select(RuleUse.rule, func.max(Sale.occurred_at).label("at"))
    .join(Sale, and_(Sale.tenant_id == RuleUse.tenant_id, Sale.id == RuleUse.sale_id))
    .where(Sale.tenant_id == _TENANT, Sale.card_id == _CARD, SALE_STANDS)
    .group_by(RuleUse.rule)
    .subquery()
)
FACTS = (
    Fact("carry", select(func.coalesce(_CARRY, 0).cast(BigInteger)).scalar_subquery()),
    Fact("today", select(_EARNED_TODAY + _waiting(LedgerPending.created_at >= _DAY)).scalar_subquery()),
    Fact("waiting", select(_waiting()).scalar_subquery()),
    Fact("is_first", select(~_BOUGHT).scalar_subquery()),
    Fact("of_sale", _OF_SALE.scalar_subquery()),
    Fact("used", select(func.jsonb_object_agg(_LAST_USES.c.rule, _LAST_USES.c.at, type_=JSONB)).scalar_subquery()),
)
_NEW_CARRY = insert_rows(Carry, "parts", bind="points_carried")
WRITES = (
    WriteStatement(
        "carried",
        _NEW_CARRY.on_conflict_do_update(
            index_elements=["tenant_id", "card_id"], set_={"parts": Carry.parts + _NEW_CARRY.excluded.parts}
        ),
    ),
    WriteStatement("used", insert_rows(RuleUse, "sale_id", "rule", bind="points_used")),
    WriteStatement("of_sale", insert_rows(SaleCarry, "sale_id", "parts", bind="points_of_sale")),
    WriteStatement(
        "left_of_sale", update_rows(SaleCarry, "parts", match=("sale_id",), bind="points_left_of_sale", of_card=False)
    ),
)


async def points_out(session: TenantSession) -> Mapping[UUID, int]:
    """Points on the cards of each program.

    Args:
        session: of the tenant.
    """
    statement = (
        select(Card.program_id, _sum(Account.balance).label("points"))
        .join(Account, and_(Account.tenant_id == Card.tenant_id, Account.card_id == Card.id))
        .where(Card.tenant_id == session.tenant_id, Account.unit == UNIT)
        .group_by(Card.program_id)
    )
    return {row.program_id: row.points for row in await session.rows(statement)}


Rows = Callable[[Any], Awaitable[Sequence[Any]]]


async def shop_names(tenant_id: UUID, read: Rows) -> Mapping[str, str]:
    """The tenant's shops, closed ones too, by the ids that conditions name.

    Args:
        tenant_id: whose.
        read: runs a query in the tenant's session.
    """
    rows = await read(select(Shop.id, Shop.name).where(Shop.tenant_id == tenant_id))
    return {f"shop_{row.id.hex}": row.name for row in rows}
