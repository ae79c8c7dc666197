"""Corrections for people: whose they are, which ones wait for another person, and up to where one may do it alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.paging import Paged, PageRequest
from regulars.domain.adjustments import repository
from regulars.domain.adjustments.service import Adjusted
from regulars.domain.members.finding import sought
from regulars.domain.staff.permissions import require
from regulars.kernel.db.database import TenantSession

Status = Literal["", "waiting", "done", "refused"]
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
        status: only those; empty for all.
    """
    require(ctx, "members.adjust")
    where = {"tenant": session.tenant_id, "status": status, **sought(query)}
    rows = await session.rows(repository.LIST, {**where, "size": page.size, "skip": page.offset})
    found = [
        CorrectionRow(
            Adjusted(**{name: getattr(row, name) for name in _NAMES}), row.member_id, row.name, row.email, row.number
        )
        for row in rows
    ]
    return Paged(found, await session.scalar(repository.COUNT, where), page)


async def limits(session: TenantSession, ctx: Context) -> Mapping[UUID, int | None]:
    """Program → units that one person may correct alone, `None` for any number."""
    require(ctx, "members.adjust", "programs.manage")
    return {row.id: row.adjust_limit for row in await session.rows(repository.LIMITS, {"tenant": session.tenant_id})}
