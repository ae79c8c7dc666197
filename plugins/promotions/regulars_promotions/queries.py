"""All SQL of the plugin: facts and write statements of a sale, and what pages and the API list."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from regulars.sdk import Fact, WriteStatement
from regulars.sdk.db import (
    CORE_NOW,
    SALE_STANDS,
    Card,
    Member,
    Sale,
    Shop,
    TenantSession,
    count_rows,
    insert_rows,
    update_rows,
)
from regulars.sdk.paging import Listing, Paged, PageRequest
from regulars_promotions.models import Participation, Usage
from regulars_promotions.used import EVERYBODY, Used

_TENANT = bindparam("tenant_id", type_=Uuid(), required=True)
_CARD = bindparam("card_id", type_=Uuid(), required=True)
_MEMBER = bindparam("member_id", type_=Uuid(), required=True)
_PROGRAM = bindparam("program_id", type_=Uuid(), required=True)
_SALE = bindparam("sale_id", type_=Uuid(), required=True)
_ALL: ColumnElement[str] = literal_column("''")


def _pairs(names: Sequence[str]) -> list[Any]:
    """Names and columns in turn; the names are literals, so that they are no parameters."""
    pairs: list[Any] = []
    for name in names:
        pairs += [literal_column(f"'{name}'"), getattr(Participation, name)]
    return pairs


_USAGE = select(func.jsonb_agg(func.jsonb_build_array(Usage.scope, Usage.promotion, Usage.what, Usage.used))).where(
    Usage.tenant_id == _TENANT,
    Usage.program_id == _PROGRAM,
    or_(Usage.scope == _ALL, Usage.scope == cast(_MEMBER, Text)),
)
_BOUGHT = select(exists().where(Sale.tenant_id == _TENANT, Sale.card_id == _CARD, SALE_STANDS))
_KNOWN = ("promotion", "unit", "item", "units", "cost_minor", "units_returned", "cost_returned_minor")
_PARTICIPATIONS = select(func.jsonb_agg(func.jsonb_build_object(*_pairs(_KNOWN)))).where(
    Participation.tenant_id == _TENANT, Participation.sale_id == _SALE, Participation.returned_at.is_(None)
)
FACTS = (
    Fact("usage", _USAGE.scalar_subquery()),
    Fact("bought_before", _BOUGHT.scalar_subquery()),
    Fact("participations", _PARTICIPATIONS.scalar_subquery()),
)
_COUNTER = ("program_id", "scope", "promotion", "what")
_COLUMNS = (
    "sale_id",
    "promotion",
    "program_id",
    "shop_id",
    "title",
    "unit",
    "units",
    "discount_minor",
    "item",
    "cost_minor",
    "currency",
    "used_at",
    "units_returned",
    "cost_returned_minor",
    "returned_at",
)
WRITES = (
    WriteStatement(
        "counted",
        count_rows(Usage, "used", match=_COUNTER, most="most", bind="promotions_counted"),
        adds=("used",),
    ),
    WriteStatement("took_part", insert_rows(Participation, *_COLUMNS, bind="promotions_took_part")),
    WriteStatement(
        "returned",
        update_rows(
            Participation,
            "units_returned",
            "cost_returned_minor",
            "returned_at",
            match=("sale_id", "promotion"),
            bind="promotions_returned",
            of_card=False,
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Part:
    """A participation in the merchant's list; name and e-mail are empty once the member is erased.

    Attributes:
        returned: all of it was taken back.
    """

    promotion: str
    title: str
    unit: str
    units: int
    discount_minor: int
    item: str
    cost_minor: int
    currency: str
    used_at: datetime
    returned: bool
    number: str
    name: str
    email: str
    is_erased: bool
    shop: str
    sale_id: UUID


_LIST: Any = (
    select(
        Participation.promotion,
        Participation.title,
        Participation.unit,
        (Participation.units - Participation.units_returned).label("units"),
        Participation.discount_minor,
        Participation.item,
        (Participation.cost_minor - Participation.cost_returned_minor).label("cost_minor"),
        Participation.currency,
        Participation.used_at,
        Participation.returned_at.is_not(None).label("returned"),
        Card.number,
        Member.name,
        Member.email,
        (Member.status == "erased").label("is_erased"),
        func.coalesce(Shop.name, "").label("shop"),
        Participation.sale_id,
    )
    .join(Card, and_(Card.tenant_id == Participation.tenant_id, Card.id == Participation.card_id))
    .join(Member, and_(Member.tenant_id == Card.tenant_id, Member.id == Card.member_id))
    .outerjoin(Shop, and_(Shop.tenant_id == Participation.tenant_id, Shop.id == Participation.shop_id))
)


@dataclass(frozen=True, slots=True)
class Sought:
    """Which participations are wanted.

    Attributes:
        text: part of a name, an e-mail address or a card number.
        promotion: key of one promotion, empty for all.
    """

    text: str = ""
    promotion: str = ""


async def participations(session: TenantSession, sought: Sought, wanted: PageRequest) -> Paged[Part]:
    """Who took part in promotions, newest first.

    Args:
        session: of the tenant.
        sought: search and filter.
        wanted: which page of the list.
    """
    return await _listing(session, sought).page(session, {}, wanted, lambda row: Part(**row._mapping))


async def all_participations(session: TenantSession, sought: Sought) -> AsyncIterator[Part]:
    """All of them for a file; arguments as above."""
    async for row in _listing(session, sought).rows(lambda: nullcontext(session), {}):
        yield Part(**row._mapping)


def _listing(session: TenantSession, sought: Sought) -> Listing:
    order = (Participation.used_at, Participation.sale_id, Participation.promotion)
    return Listing(_sought(_LIST, session, sought), *order)


def _sought(statement: Any, session: TenantSession, sought: Sought) -> Any:
    statement = statement.where(Participation.tenant_id == session.tenant_id)
    if sought.promotion:
        statement = statement.where(Participation.promotion == sought.promotion)
    if text := sought.text.strip().lower():
        digits = "".join(letter for letter in text if letter.isdecimal())
        by_number = [Card.number.startswith(digits)] if len(digits) >= 4 else []
        statement = statement.where(or_(Member.search.contains(text, autoescape=True), *by_number))
    return statement


def usage_statement(tenant_id: UUID, program_id: UUID, member_id: UUID | None = None) -> Select[str, str, str, int]:
    """Counters of a program's promotions.

    Args:
        tenant_id: whose.
        program_id: which program.
        member_id: whose own counters too.
    """
    scopes = [EVERYBODY] if member_id is None else [EVERYBODY, str(member_id)]
    return select(Usage.scope, Usage.promotion, Usage.what, Usage.used).where(
        Usage.tenant_id == tenant_id, Usage.program_id == program_id, Usage.scope.in_(scopes)
    )


async def used_of(session: TenantSession, program_id: UUID) -> Used:
    """What all members have used of a program's promotions."""
    rows = await session.rows(usage_statement(session.tenant_id, program_id))
    return used_in(rows)


def used_in(rows: Sequence[Any]) -> Used:
    """Counters from rows of `usage_statement`."""
    return Used([(row.scope, row.promotion, row.what, row.used) for row in rows])


NOW = select(CORE_NOW)
"""The clock by which rules go."""


async def now(session: TenantSession) -> datetime:
    """The moment by the clock by which rules go."""
    found: datetime = await session.scalar(NOW)
    return found
