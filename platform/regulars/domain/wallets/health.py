"""How the passes of a tenant do: what phones have, what they have not heard, and what is wrong with whom."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.paging import Paged, PageRequest
from regulars.domain.audit import service as audit
from regulars.domain.members.finding import sought
from regulars.domain.staff.permissions import require
from regulars.domain.wallets import health_repository as repository
from regulars.domain.wallets.keeper import send_again
from regulars.domain.wallets.soon import sync_soon
from regulars.kernel.db.database import Database, TenantSession

Show = Literal["all", "installed", "removed", "stale", "faulty"]


@dataclass(frozen=True, slots=True)
class WalletHealth:
    """How the passes of one wallet do.

    Attributes:
        passes: cards that have one, also where it was never put into a phone.
        installed, removed: of these, on phones now; on none any more.
        stale: whose phones have not heard of the last change.
        faulty: of which phones cannot be told until something is changed.
        failures: how often in a row the service has failed.
        fault: why it did the last time.
        pushed_at, failed_at: when it last went well, and did not.
        is_closed: it is left alone just now.
    """

    passes: int = 0
    installed: int = 0
    removed: int = 0
    stale: int = 0
    faulty: int = 0
    failures: int = 0
    fault: str = ""
    pushed_at: datetime | None = None
    failed_at: datetime | None = None
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class Sync:
    """The last time that all passes were looked at.

    Attributes:
        is_running: it is not over yet.
        done, total: passes; `total` is `None` before they are counted.
        ended_at: when it was over.
    """

    is_running: bool
    done: int
    total: int | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class PassLine:
    """A pass in the list."""

    id: UUID
    created_at: datetime
    wallet: str
    copies: int
    installed_at: datetime | None
    removed_at: datetime | None
    delivered_at: datetime | None
    fault: str
    is_stale: bool
    number: str
    member_id: UUID
    name: str
    email: str


async def health(session: TenantSession, ctx: Context) -> Mapping[str, WalletHealth]:
    """Wallet → how its passes do; wallets without any are missing. Needs `members.view`."""
    require(ctx, "members.view")
    where = {"tenant": session.tenant_id}
    found = {row.wallet: {**row._mapping} for row in await session.rows(repository.COUNTS, where)}
    for row in await session.rows(repository.LINES, where):
        found[row.wallet] = {**found.get(row.wallet, {}), **row._mapping}
    return {
        wallet: WalletHealth(
            **{name: value for name, value in values.items() if name != "wallet" and value is not None}
        )
        for wallet, values in found.items()
    }


async def last_sync(session: TenantSession, ctx: Context) -> Sync | None:
    """The last look at all passes, `None` when there was none lately. Needs `members.view`."""
    require(ctx, "members.view")
    row = await session.one_or_none(repository.LAST_SYNC, {"tenant": session.tenant_id})
    if row is None:
        return None
    return Sync(row.status in {"queued", "running"}, row.progress or 0, row.progress_total, row.finished_at)


async def list_passes(
    session: TenantSession, ctx: Context, page: PageRequest, *, wallet: str = "", show: Show = "all", query: str = ""
) -> Paged[PassLine]:
    """Passes, the latest first.

    Args:
        session: the transaction.
        ctx: who asks; needs `members.view`.
        page: which part of them.
        wallet: of this one only; empty for all.
        show: in this state only.
        query: a part of somebody's name or address, or the start of a card's number.
    """
    require(ctx, "members.view")
    where = {"tenant": session.tenant_id, "of_wallet": wallet, "show": show, **sought(query)}
    return await repository.LIST.page(session, where, page, lambda row: PassLine(**row._mapping))


async def all_passes(
    database: Database, ctx: Context, *, wallet: str = "", show: Show = "all", query: str = ""
) -> AsyncIterator[PassLine]:
    """All of the list for a file; arguments as above, needs `members.export`."""
    require(ctx, "members.export")
    opened = partial(database.tenant, ctx.tenant.id, read_only=True)
    where = {"tenant": ctx.tenant.id, "of_wallet": wallet, "show": show, **sought(query)}
    async for row in repository.LIST.rows(opened, where):
        yield PassLine(**row._mapping)


async def resync(session: TenantSession, ctx: Context, wallet: str) -> None:
    """Look at all passes anew and tell every phone of a wallet, also of those that were faulty.

    Args:
        session: the transaction.
        ctx: who asks; needs `members.manage`.
        wallet: whose passes.
    """
    require(ctx, "members.manage")
    await send_again(session, ctx, wallet)
    await sync_soon(session)
    await audit.record(session, ctx, "wallet.sent_again", "tenant", ctx.tenant.id, {"wallet": wallet})
