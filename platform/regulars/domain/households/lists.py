"""Looking at households: the one of a card, and all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.errors import NotFound
from regulars.contracts.paging import Paged, PageRequest
from regulars.domain.households import repository
from regulars.domain.households.views import HouseholdRow, HouseholdView, Invitation, Sharer
from regulars.domain.ledger.history import owner_in_sight
from regulars.domain.members.finding import sought
from regulars.domain.staff.permissions import require
from regulars.kernel.db.database import Database, TenantSession
from regulars.kernel.i18n import gettext as _


async def get(session: TenantSession, ctx: Context, household_id: UUID) -> HouseholdView:
    """One household.

    Args:
        session: the transaction.
        ctx: one of its members, or somebody who may see cards.
        household_id: which.

    Raises:
        Unauthenticated, Forbidden: nobody is signed in, or somebody who may not see cards.
        NotFound: there is no such household, or a member asks for somebody else's.
    """
    owner = owner_in_sight(ctx)
    found = await read(session, household_id)
    if owner is not None and all(one.member_id != owner for one in found.sharers):
        raise NotFound(_("We could not find this household."))
    return found


async def of_card(session: TenantSession, ctx: Context, card_id: UUID) -> HouseholdView | None:
    """The household of a card, `None` when it is in none; who may ask is as for `get`."""
    household_id = await session.scalar(repository.OF_CARD, {"tenant": session.tenant_id, "card": card_id})
    return None if household_id is None else await get(session, ctx, household_id)


async def read(session: TenantSession, household_id: UUID) -> HouseholdView:
    """One household; who may see it is for the caller to check.

    Raises:
        NotFound: there is no such household.
    """
    where = {"tenant": session.tenant_id, "household": household_id}
    row = await session.one_or_none(repository.GET, where)
    if row is None:
        raise NotFound(_("We could not find this household."))
    since = await session.scalar(repository.MONTH, {"zone": row.timezone})
    sharers = await session.rows(repository.MEMBERS, {**where, "since": since})
    invitations = await session.rows(repository.INVITATIONS, where)
    return HouseholdView(
        id=row.id,
        program_id=row.program_id,
        program=row.program,
        head_id=row.head_id,
        most=row.household_size,
        created_at=row.created_at,
        ended_at=row.ended_at,
        sharers=[Sharer(**one._mapping) for one in sharers],
        invitations=[Invitation(**one._mapping) for one in invitations],
    )


async def head_of(session: TenantSession, household_id: UUID) -> str:
    """The name of whoever asks others into a household, or the address where there is no name."""
    shown: str = await session.scalar(repository.HEAD, {"tenant": session.tenant_id, "household": household_id})
    return shown


async def list_households(
    session: TenantSession, ctx: Context, page: PageRequest, *, query: str = ""
) -> Paged[HouseholdRow]:
    """Households, the latest first.

    Args:
        session: the transaction.
        ctx: who asks; needs `members.view`.
        page: which part of them.
        query: a part of somebody's name or address, or the start of a card's number.
    """
    require(ctx, "members.view")
    where = {"tenant": session.tenant_id, **sought(query)}
    return await repository.LIST.page(session, where, page, lambda row: HouseholdRow(**row._mapping))


async def all_households(database: Database, ctx: Context, *, query: str = "") -> AsyncIterator[HouseholdRow]:
    """All households for a file, the latest first; arguments as above."""
    require(ctx, "members.view")
    opened = partial(database.tenant, ctx.tenant.id, read_only=True)
    async for row in repository.LIST.rows(opened, {"tenant": ctx.tenant.id, **sought(query)}):
        yield HouseholdRow(**row._mapping)
