"""Keeping passes true: what a card shows is compared with what phones have heard, and they are told of the last state.

Nothing piles up while a wallet's service is down: a pass that nobody could be told of is stale, one job waits to tell
of all stale ones, and whatever changes meanwhile is told once.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from regulars.contracts.context import Context
from regulars.contracts.wallets import Delivery, WalletPass, WalletProvider, WalletUnavailable
from regulars.domain.ledger.engine import Ledger
from regulars.domain.wallets import repository
from regulars.domain.wallets.desk import Desk, Wallets
from regulars.domain.wallets.faces import Faces
from regulars.domain.wallets.passes import WalletPasses
from regulars.kernel.config import Config
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import gettext as _
from regulars.kernel.jobs import JobWork, enqueue
from regulars.kernel.observability.metrics import PLUGIN_FAULTS, WALLET_FAILURES, WALLET_PUSHES
from regulars.kernel.ratelimit import Pace
from regulars.kernel.settings import SettingsStore

log = structlog.get_logger(__name__)

DRAIN = "core.drain_wallet"
BATCH = 100
"""Passes that a provider gets at once."""
REBUILT = 25
"""Passes that are made anew in one transaction; their rows are locked meanwhile."""
DELIVERY_SECONDS = 25.0
_CLAIM_SECONDS = 90
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 900.0
_FIRST = UUID(int=0)


class WalletKeeper:
    """What the jobs of wallets do.

    Args:
        wallets: which there are.
        passes: of the tenant.

    Attributes:
        wallets: which there are.
    """

    def __init__(self, wallets: Wallets, passes: WalletPasses) -> None:
        self.wallets = wallets
        self._passes = passes

    async def refresh(self, work: JobWork, wallet: str, card_id: UUID) -> None:
        """Bring the passes that show something of a card up to date; the whole of a wallet's job for card events.

        Args:
            work: of an external job.
            wallet: whose passes.
            card_id: the card that may have changed.
        """
        tenant = work.context.tenant
        where = {"tenant": tenant.id, "of_wallet": wallet, "card": card_id}
        async with work.step() as session:
            rows = await session.rows(repository.CONCERNED_FOR_UPDATE, where)
            await self._passes.renew(session, tenant, wallet, rows)
        if rows:
            await self._tell(work, wallet, [row.id for row in rows])

    async def refresh_all(self, work: JobWork, card_id: UUID) -> None:
        """The same in every wallet of the tenant."""
        for wallet in self.wallets.of(work.context.tenant):
            await self.refresh(work, wallet, card_id)

    async def tell_again(self, work: JobWork, wallet: str, serial: str) -> None:
        """Tell phones of a pass once more, though it has not changed: somebody could not be told the last time.

        Args:
            work: of an external job.
            wallet: whose pass.
            serial: of the pass; nothing happens where the tenant has no such one.
        """
        where = {"tenant": work.context.tenant.id, "of_wallet": wallet, "of_serial": serial}
        async with work.step() as session:
            rows = await session.rows(repository.SEND_AGAIN, where)
        if rows:
            await self._tell(work, wallet, [row.id for row in rows])

    async def drain(self, work: JobWork, wallet: str) -> None:
        """Tell phones of all stale passes, oldest change first."""
        await self._tell(work, wallet, None)

    async def sync(self, work: JobWork) -> None:
        """Look at every pass of every wallet of the tenant, and tell of what is stale; says how far it is."""
        for wallet in self.wallets.of(work.context.tenant):
            where = {"tenant": work.context.tenant.id, "of_wallet": wallet}
            async with work.step() as session:
                total = await session.scalar(repository.COUNT, where)
            after, done = _FIRST, 0
            while done < total:
                async with work.step() as session:
                    rows = await session.rows(repository.NEXT_FOR_UPDATE, {**where, "after": after, "size": REBUILT})
                    await self._passes.renew(session, work.context.tenant, wallet, rows)
                    done += len(rows)
                    await work.report(session, done, max(total, done))
                if not rows:
                    break
                after = rows[-1].id
            if total:
                await self._tell(work, wallet, None)

    async def _tell(self, work: JobWork, wallet: str, chosen: Sequence[UUID] | None) -> None:
        """Tell phones until nothing is stale, or the service has had enough.

        Args:
            work: of an external job.
            wallet: whose passes.
            chosen: these passes only; all when left out.
        """
        found = self.wallets.of(work.context.tenant).get(wallet)
        if found is None:
            return
        plugin, provider = found
        while True:
            async with work.step() as session:
                desk = await self.wallets.desk(session, work.context, plugin, work.step)
            if not (await provider.readiness(desk)).is_ready:
                return
            async with work.step() as session:
                passes = await self._claim(session, work, wallet, chosen)
            if not passes or not await self._deliver(work, plugin, provider, desk, passes):
                return

    async def _claim(
        self, session: TenantSession, work: JobWork, wallet: str, chosen: Sequence[UUID] | None
    ) -> Sequence[WalletPass]:
        """Take stale passes for this job. What another job has is left to it: it looks again when it has told."""
        where = {"tenant": session.tenant_id, "of_wallet": wallet}
        if await session.scalar(repository.IS_CLOSED, where) is not None:
            return ()
        claim = {**where, "claimant": work.id, "seconds": _CLAIM_SECONDS, "size": BATCH}
        if chosen is None:
            rows = await session.rows(repository.CLAIM_OLDEST, claim)
        else:
            rows = await session.rows(repository.CLAIM, {**claim, "ids": list(chosen)})
        return await self._passes.claimed(session, work.context.tenant, rows)

    async def _deliver(
        self, work: JobWork, plugin: str, provider: WalletProvider, desk: Desk, passes: Sequence[WalletPass]
    ) -> bool:
        """Tell phones of some passes and write down what came of it; whether the service may be asked for more."""
        wallet = provider.wallet
        failure: WalletUnavailable | None = None
        delivered: Sequence[Delivery] = ()
        try:
            async with asyncio.timeout(DELIVERY_SECONDS):
                delivered = await provider.deliver(desk, passes)
            if {one.id for one in passes} - {one.pass_id for one in delivered}:
                raise ValueError("the provider did not say what came of every pass")
        except WalletUnavailable as error:
            failure, delivered = error, error.delivered
        except TimeoutError:
            failure = WalletUnavailable(_("The wallet's service did not answer in time."))
        except Exception as error:  # a plugin's fault closes the line like an outage: selling goes on, nothing piles up
            log.error("wallet_failed", plugin=plugin, wallet=wallet, exc_info=error)
            PLUGIN_FAULTS.labels(plugin, "wallet").inc()
            failure = WalletUnavailable(_("The wallet's plugin failed; see the log."))
        async with work.step() as session:
            await self._note(session, work, wallet, passes, delivered)
            if failure is not None:
                await self._close(session, wallet, failure)
            else:
                await session.execute(repository.OPEN_LINE, {"tenant": session.tenant_id, "of_wallet": wallet})
        return failure is None

    @staticmethod
    async def _note(
        session: TenantSession,
        work: JobWork,
        wallet: str,
        passes: Sequence[WalletPass],
        delivered: Sequence[Delivery],
    ) -> None:
        """Give back what was claimed: told, faulty, or stale as before."""
        outcomes = {one.pass_id: one for one in delivered}
        for one in passes:
            held = {"tenant": session.tenant_id, "of_pass": one.id, "held_by": work.id}
            outcome = outcomes.get(one.id)
            if outcome is None:
                await session.execute(repository.LET_GO, held)
            else:
                told = {"told_version": one.version, "new_fault": outcome.fault}
                await session.execute(repository.SETTLE, {**held, **told})
        faults = sum(bool(one.fault) for one in outcomes.values())
        session.count_later(lambda: WALLET_PUSHES.labels(wallet).inc(len(outcomes) - faults))
        session.count_later(lambda: WALLET_FAILURES.labels(wallet).inc(len(passes) - len(outcomes) + faults))

    @staticmethod
    async def _close(session: TenantSession, wallet: str, failure: WalletUnavailable) -> None:
        """Leave the service alone for a while, longer each time; one job comes back to it."""
        where = {"tenant": session.tenant_id, "of_wallet": wallet}
        failures = await session.scalar(repository.FAILURES, where) or 0
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(failures, 10)) * random.uniform(0.8, 1.2)  # noqa: S311 (spread)
        if failure.retry_after is not None:
            pause = max(pause, failure.retry_after)
        row = await session.one_or_none(
            repository.CLOSE_LINE, {**where, "new_fault": failure.reason, "pause": min(pause, 4 * _LONGEST_PAUSE)}
        )
        if row is not None:
            at = row.closed_until + timedelta(milliseconds=1)
            await enqueue(session, DRAIN, {"wallet": wallet}, dedup_key=f"{wallet} {at.isoformat()}", run_at=at)


async def send_again(session: TenantSession, ctx: Context, wallet: str) -> None:
    """Count all passes of a wallet as stale, also those that were faulty."""
    await session.execute(repository.SEND_ALL_AGAIN, {"tenant": ctx.tenant.id, "of_wallet": wallet})


def make_keeper(settings: SettingsStore, ledger: Ledger, config: Config, pace: Pace) -> WalletKeeper:
    """The keeper of a process."""
    return WalletKeeper(Wallets(ledger.registry, settings, config, pace), WalletPasses(Faces(ledger, config)))
