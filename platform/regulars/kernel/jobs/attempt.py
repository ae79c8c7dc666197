"""One try of one job: the handler under its time-out, the lease kept alive beside it, everything fenced at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from regulars.contracts.context import Context, Principal, TenantSnapshot
from regulars.contracts.errors import Unavailable
from regulars.kernel.db.database import Database, TenantSession
from regulars.kernel.i18n import use_locale
from regulars.kernel.jobs import repository
from regulars.kernel.jobs.definitions import JobDefinition
from regulars.kernel.jobs.ports import Timing
from regulars.kernel.jobs.work import ClaimedJob, JobWork, Services

log = structlog.get_logger(__name__)


class LeaseLostError(Exception):
    """Another worker has the job; what this one did for it is not kept."""


class AbandonedError(Exception):
    """The handler went on after its time-out and ignored the cancellation; what it writes later is not kept."""


class Attempt:
    """Runs a claimed job's handler once.

    Args:
        database: for the job's tenant sessions and the heartbeat.
        claimed: the job.
        definition: what to run.
        tenant: the job's tenant as it is now.
        services: what handlers may ask for.
        timing: lease and grace.
    """

    def __init__(
        self,
        database: Database,
        claimed: ClaimedJob,
        definition: JobDefinition,
        tenant: TenantSnapshot,
        services: Services,
        timing: Timing,
    ) -> None:
        self._database = database
        self._claimed = claimed
        self._definition = definition
        self._services = services
        self._timing = timing
        self._lease = timedelta(seconds=timing.lease)
        self._context = Context(
            tenant=tenant,
            principal=Principal(kind="system", name=claimed.name),
            locale=tenant.default_locale,
            source="job",
            request_id=str(claimed.id),
        )
        self._lost = False
        self._ending = False

    async def run(self) -> None:
        """Run the handler and mark the job done.

        Raises:
            LeaseLostError: another worker has the job.
            TimeoutError: the handler took too long and was cancelled.
            AbandonedError: it took too long and did not end when it was cancelled.
            Exception: whatever the handler raised; nothing of its transaction is kept.
        """
        work = asyncio.create_task(self._in_steps() if self._definition.external else self._in_one_transaction())
        beat = asyncio.create_task(self._keep_lease(work))
        try:
            await asyncio.wait({work}, timeout=self._definition.timeout)
            late = not work.done()
            if late:
                await self._end(work)
            if late and work.cancelled():
                raise TimeoutError(f"took longer than {self._definition.timeout:g} s")
            work.result()
        except asyncio.CancelledError:
            if self._lost:
                raise LeaseLostError from None
            await self._end(work)
            _collect(work)
            raise
        finally:
            beat.cancel()
            (fault,) = await asyncio.gather(beat, return_exceptions=True)
            if isinstance(fault, Exception):
                log.error("heartbeat_failed", exc_info=fault)

    async def _in_one_transaction(self) -> None:
        claimed = self._claimed
        async with self._database.tenant(claimed.tenant_id) as session:
            await self._handle(session)
            await self._finish(session)

    async def _in_steps(self) -> None:
        claimed = self._claimed
        await self._handle(None)
        async with self._database.tenant(claimed.tenant_id) as session:
            await self._finish(session)

    async def _handle(self, session: TenantSession | None) -> None:
        context = self._context
        work = JobWork(context, self._claimed, session=session, open_step=self._step, services=self._services)
        tenant, locale = context.tenant, context.locale
        with use_locale(locale, tenant.timezone, tenant.wording.get(locale, {})):
            await self._definition(work, self._claimed.payload)

    @asynccontextmanager
    async def _step(self) -> AsyncIterator[TenantSession]:
        claimed = self._claimed
        async with self._database.tenant(claimed.tenant_id) as session:
            yield session
            if not await repository.renew(session, claimed.tenant_id, claimed.id, claimed.token, self._lease):
                raise LeaseLostError

    async def _finish(self, session: TenantSession) -> None:
        """The fence: with an outdated token no row matches, and the exception takes the whole transaction back."""
        claimed = self._claimed
        self._ending = True
        if not await repository.finish(session, claimed.tenant_id, claimed.id, claimed.token):
            raise LeaseLostError

    async def _keep_lease(self, work: asyncio.Task[None]) -> None:
        claimed = self._claimed
        while True:
            await asyncio.sleep(self._timing.heartbeat)
            try:
                async with self._database.platform("lease of a job") as session:
                    kept = await repository.renew(session, claimed.tenant_id, claimed.id, claimed.token, self._lease)
            except Unavailable:
                continue  # the lease runs out by itself, and the fence holds
            if not kept and not self._ending:
                self._lost = True
                work.cancel()
                return

    async def _end(self, work: asyncio.Task[None]) -> None:
        """Cancel the handler and wait for its end; one that does not end is left alone, behind the fence.

        Raises:
            AbandonedError: it did not end.
        """
        work.cancel()
        await asyncio.wait({work}, timeout=self._timing.cancel_grace)
        if not work.done():
            log.error("job_abandoned", after=self._definition.timeout)
            _abandoned.add(work)
            work.add_done_callback(_forget)
            raise AbandonedError(f"ignored the end of its time of {self._definition.timeout:g} s")


_abandoned: set[asyncio.Task[None]] = set()


def _forget(work: asyncio.Task[None]) -> None:
    _abandoned.discard(work)
    _collect(work)


def _collect(work: asyncio.Task[None]) -> None:
    """Take the exception of a task whose outcome no longer matters, so that nobody misses it."""
    if not work.cancelled():
        work.exception()
