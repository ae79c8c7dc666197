"""The first steps of a new merchant: what is done is read off the data, so that nothing is ticked off twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from regulars.contracts.context import Branding, Context
from regulars.domain.audit.service import record
from regulars.domain.staff.permissions import require
from regulars.domain.stats import first_steps_repository as repository
from regulars.kernel.db.database import TenantSession

GOING_WELL = 10
"""With so many members nobody needs first steps any more."""
Mark = Literal["sheet", "hidden"]


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """What of it is done.

    Attributes:
        hidden: somebody wished not to see them any more.
        has_program: one is open to members.
        has_looks: a logo or a colour was chosen.
        has_pin: somebody on the staff has a PIN.
        has_sheet: somebody said that the code is on the counter.
        has_member, has_sale: there is one.
        is_going_well: there are many members.
    """

    hidden: bool
    has_program: bool
    has_looks: bool
    has_pin: bool
    has_sheet: bool
    has_member: bool
    has_sale: bool
    is_going_well: bool


async def read(session: TenantSession, ctx: Context) -> FirstSteps:
    """How far a merchant is.

    Raises:
        Forbidden: without `programs.manage`.
    """
    require(ctx, "programs.manage")
    row = await session.one_or_none(repository.READ, {"tenant": session.tenant_id, "many": GOING_WELL})
    assert row is not None
    branding, plain = ctx.tenant.branding, Branding()
    return FirstSteps(
        hidden=bool(row.marks.get("hidden")),
        has_program=row.has_program,
        has_looks=bool(branding.logo or branding.theme_values) or branding.primary_color != plain.primary_color,
        has_pin=row.has_pin,
        has_sheet=bool(row.marks.get("sheet")),
        has_member=row.members > 0,
        has_sale=row.has_sale,
        is_going_well=row.members >= GOING_WELL,
    )


async def mark(session: TenantSession, ctx: Context, what: Mark, *, on: bool) -> None:
    """Keep what no data tell: that the code is on the counter, or that the steps are not to be shown.

    Raises:
        Forbidden: without `programs.manage`.
    """
    require(ctx, "programs.manage")
    await session.execute(repository.MARK, {"tenant": session.tenant_id, "marks": {what: on}})
    await record(session, ctx, "tenant.first_steps", "tenant", session.tenant_id, {what: on})
