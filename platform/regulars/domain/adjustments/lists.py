"""Corrections for people: whose they are, which ones wait for another person, and up to where one may do it alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row

from regulars.contracts.context import Context
from regulars.contracts.paging import Paged, PageRequest
from regulars.domain.adjustments import repository
from regulars.domain.adjustments.service import Adjusted
from regulars.domain.members.finding import sought
from regulars.domain.staff.permissions import require
from regulars.kernel.db.database import Database, TenantSession

Status = Literal["", "waiting", "done", "refused", "flagged"]
_NAMES = tuple(one.name for one in fields(Adjusted))


@dataclass(frozen=True, slots=True)
class CorrectionRow:
    """A correction with whose it is.

    Attributes:
        name, email: of the member.
        number: of the card.
    """

    correction: Adjusted
    member_id: UUID
    name: str
    email: str
    number: str


async def list_corrections(
    session: TenantSession, ctx: Context, page: PageRequest, *, query: str = "", status: Status = ""
) -> Paged[CorrectionRow]:
    """Corrections, the latest first.

    Args:
        session: the transaction.
        ctx: who asks; needs `members.adjust`.
        page: which part of them.
        query: a part of the member's name or address, or the start of the card's number.
        status: only those, or those that are `flagged`; empty for all.
    """
    require(ctx, "members.adjust")
    return await repository.LIST.page(session, _where(session.tenant_id, query, status), page, _row)


async def all_corrections(
    database: Database, ctx: Context, *, query: str = "", status: Status = ""
) -> AsyncIterator[CorrectionRow]:
    """All corrections for a file, the latest first; arguments as above."""
    require(ctx, "members.adjust")
    where, opened = _where(ctx.tenant.id, query, status), partial(database.tenant, ctx.tenant.id, read_only=True)
    async for row in repository.LIST.rows(opened, where):
        yield _row(row)


async def limits(session: TenantSession, ctx: Context) -> Mapping[UUID, int | None]:
    """Program → units that one person may correct alone, `None` for any number."""
    require(ctx, "members.adjust", "programs.manage")
    return {row.id: row.adjust_limit for row in await session.rows(repository.LIMITS, {"tenant": session.tenant_id})}


def _where(tenant_id: UUID, query: str, status: Status) -> Mapping[str, Any]:
    return {"tenant": tenant_id, "status": status, **sought(query)}


def _row(row: Row[Any]) -> CorrectionRow:
    correction = Adjusted(**{name: getattr(row, name) for name in _NAMES})
    return CorrectionRow(correction, row.member_id, row.name, row.email, row.number)
