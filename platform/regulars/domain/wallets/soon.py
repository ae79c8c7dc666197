"""Having passes looked at where no event says that a card has changed."""

from __future__ import annotations

from uuid import UUID

from regulars.domain.wallets import repository
from regulars.kernel.db.database import TenantSession
from regulars.kernel.jobs import enqueue

REFRESH, SYNC = "core.refresh_wallets", "core.sync_wallet_passes"


async def refresh_soon(session: TenantSession, card_id: UUID) -> None:
    """Have the passes of a card looked at after this transaction."""
    await enqueue(session, REFRESH, {"card": card_id})


async def sync_soon(session: TenantSession) -> None:
    """Have all passes of the tenant looked at after this transaction: what all of them show may have changed."""
    if await session.scalar(repository.ANY, {"tenant": session.tenant_id}) is not None:
        await enqueue(session, SYNC, {})
