"""Jobs of wallets: after a change that no event tells of, after an outage, and once in an hour for what was missed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from regulars.contracts.events import MemberUnmerged
from regulars.contracts.manifest import Subscription
from regulars.domain.messaging.office import PostOffice
from regulars.domain.wallets.alarms import warn_owners
from regulars.domain.wallets.keeper import WalletKeeper
from regulars.kernel.jobs import Every, JobWork, job

TIMEOUT = 3600.0
SUBSCRIPTIONS = (Subscription(MemberUnmerged.name, "part_wallets"),)
"""Which of these jobs run for which events."""


@job("refresh_wallets", external=True)
async def refresh_wallets(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Bring the passes of a card up to date."""
    await work.service(WalletKeeper).refresh_all(work, UUID(payload["card"]))


@job("part_wallets", external=True)
async def part_wallets(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Let the passes of a card that led to another one show that card again."""
    await work.service(WalletKeeper).refresh_all(work, UUID(payload["other_card_id"]))


@job("drain_wallet", external=True, timeout=TIMEOUT)
async def drain_wallet(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Tell phones of what could not be told before."""
    await work.service(WalletKeeper).drain(work, payload["wallet"])


@job("sync_wallet_passes", external=True, timeout=TIMEOUT, schedule=Every(hours=1))
async def sync_wallet_passes(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Look at all passes: design, settings, tiers and time change what they show without an event."""
    del payload
    await work.service(WalletKeeper).sync(work)


@job("watch_certificates", external=True, schedule=Every(hours=24))
async def watch_certificates(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Tell owners in time that their certificate or key ends."""
    del payload
    keeper, office = work.service(WalletKeeper), work.service(PostOffice)
    async with work.step() as session:
        for one in await keeper.wallets.offered(session, work.context, work.step):
            await warn_owners(session, work.context.tenant, office, one, datetime.now(UTC))
