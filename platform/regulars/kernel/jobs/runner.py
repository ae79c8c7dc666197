"""Running one job from claim to end: what may run, what becomes of a failure, giving everything back at the stop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import Enum
from time import perf_counter
from uuid import UUID, uuid4

import structlog

from regulars.contracts.context import TenantSnapshot
from regulars.contracts.errors import Unavailable
from regulars.kernel.db.database import Database
from regulars.kernel.jobs import repository
from regulars.kernel.jobs.attempt import Attempt, LeaseLostError
from regulars.kernel.jobs.backoff import retry_delay
from regulars.kernel.jobs.faults import fault_note
from regulars.kernel.jobs.ports import Snapshots, Timing
from regulars.kernel.jobs.registry import JobRegistry, RegisteredJob
from regulars.kernel.jobs.work import ClaimedJob, Services, split_payload
from regulars.kernel.observability import log_context
from regulars.kernel.observability.metrics import JOB_SECONDS

log = structlog.get_logger(__name__)

SUSPENDED_WAIT = timedelta(minutes=5)
_NOTHING = timedelta(0)


class Outcome(Enum):
    """How it went."""

    SKIPPED = "not due, or somebody else's"
    DONE = "done"
    GATED = "not run: the plugin is off or the tenant closed"
    WAITING = "put off: the tenant is suspended"
    RETRY = "failed, will be tried again"
    DEAD = "dead"
    LOST = "another worker has it"
    GIVEN_BACK = "interrupted and given back"


class _Gate(Enum):
    OPEN = ""
    WAIT = "the tenant is suspended"
    CLOSED = "gated: the tenant is closed"
    OFF = "gated: the plugin is off"


class JobRunner:
    """Runs jobs in this process, a bounded number at once.

    Args:
        database: sessions.
        registry: what can run.
        snapshots: asked when a job runs, not when it was made.
        services: what handlers may ask for, by type.
        timing: lease and grace.
        at_once: jobs at the same time; each may hold one connection.
        after_each: called after each job that was run; others may have become due by it.
        blame: called when a plugin's job is dead, with tenant, plugin and what it was.
    """

    def __init__(
        self,
        database: Database,
        registry: JobRegistry,
        snapshots: Snapshots,
        *,
        services: Services | None = None,
        timing: Timing | None = None,
        at_once: int = 8,
        after_each: Callable[[], None] = lambda: None,
        blame: Callable[[UUID, str, str], Awaitable[None]] | None = None,
    ) -> None:
        self._database = database
        self._registry = registry
        self._snapshots = snapshots
        self._services = services or {}
        self._timing = timing or Timing()
        self._room = asyncio.Semaphore(at_once)
        self._running: set[asyncio.Task[Outcome]] = set()
        self._after_each = after_each
        self._blame = blame
        self._stopped = False

    async def run(self, tenant_id: UUID, job_id: UUID) -> Outcome:
        """Run a job, if it may be claimed. Goes on when the caller is cancelled; only `stop` ends it.

        Raises:
            Unavailable: the database cannot be reached; the job stays, its lease runs out.
        """
        task = asyncio.create_task(self._run(tenant_id, job_id))
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    async def stop(self) -> None:
        """Take no more jobs, wait for the running ones, then cancel them and give their leases back."""
        self._stopped = True
        if self._running:
            await asyncio.wait(self._running, timeout=self._timing.stop_grace)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Outcome]) -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is None and task.result() is not Outcome.SKIPPED:
            self._after_each()

    async def _run(self, tenant_id: UUID, job_id: UUID) -> Outcome:
        async with self._room:
            claimed = None if self._stopped else await self._claim(tenant_id, job_id)
            if claimed is None:
                return Outcome.SKIPPED
            begin = perf_counter()
            with log_context(tenant_id=tenant_id, request_id=str(job_id), job=claimed.name, attempt=claimed.attempt):
                try:
                    outcome = await self._perform(claimed)
                except asyncio.CancelledError:
                    outcome = await self._put_back(claimed, _NOTHING, "", Outcome.GIVEN_BACK, counted=False)
                known = claimed.name if self._registry.find(claimed.name) else "unknown"
                JOB_SECONDS.labels(known, outcome.name.lower()).observe(perf_counter() - begin)
                log.info("job_ended", outcome=outcome.name.lower())
                return outcome

    async def _claim(self, tenant_id: UUID, job_id: UUID) -> ClaimedJob | None:
        token = uuid4()
        lease = timedelta(seconds=self._timing.lease)
        async with self._database.platform("claim of a job") as session:
            row = await repository.claim(session, tenant_id, job_id, token, lease)
        if row is None:
            return None
        payload, event = split_payload(row.payload)
        return ClaimedJob(
            tenant_id, job_id, row.name, row.version, payload, event, token, row.attempts, row.max_attempts
        )

    async def _perform(self, claimed: ClaimedJob) -> Outcome:
        job = self._registry.find(claimed.name)
        most = job.definition.max_attempts if job else claimed.max_attempts
        if claimed.attempt > most:
            return await self._bury(claimed, "given up: its workers died while they ran it")
        if job is None:
            return await self._retry(claimed, most, "this worker knows no job of that name")
        if claimed.version > max(job.definition.versions):
            return await self._retry(claimed, most, f"this worker is too old for version {claimed.version}")
        if claimed.version not in job.definition.versions:
            return await self._bury(claimed, f"version {claimed.version} is no longer understood")
        return await self._attempt(claimed, job, most)

    async def _attempt(self, claimed: ClaimedJob, job: RegisteredJob, most: int) -> Outcome:
        try:
            tenant = await self._snapshots.by_id(claimed.tenant_id)
            gate = _gate(job, tenant)
            if gate is _Gate.WAIT:
                return await self._put_back(claimed, SUSPENDED_WAIT, gate.value, Outcome.WAITING, counted=False)
            if gate is not _Gate.OPEN or tenant is None:
                return await self._drop(claimed, gate.value)
            definition = job.definition
            await Attempt(self._database, claimed, definition, tenant, self._services, self._timing).run()
        except LeaseLostError:
            log.warning("job_lease_lost")
            return Outcome.LOST
        except Exception as error:  # a job may fail in any way: recorded and tried again
            note = fault_note(error)
            log.warning("job_failed", reason=note, exc_info=None if isinstance(error, Unavailable) else error)
            return await self._retry(claimed, most, note)
        return Outcome.DONE

    async def _retry(self, claimed: ClaimedJob, most: int, note: str) -> Outcome:
        if claimed.attempt >= most:
            return await self._bury(claimed, note)
        return await self._put_back(claimed, retry_delay(claimed.attempt), note, Outcome.RETRY, counted=True)

    async def _put_back(
        self, claimed: ClaimedJob, delay: timedelta, note: str, outcome: Outcome, *, counted: bool
    ) -> Outcome:
        async with self._database.platform("return of a job") as session:
            kept = await repository.give_back(
                session, claimed.tenant_id, claimed.id, claimed.token, delay=delay, note=note, counted=counted
            )
        return outcome if kept else Outcome.LOST

    async def _bury(self, claimed: ClaimedJob, note: str) -> Outcome:
        log.error("job_dead", reason=note)
        async with self._database.platform("end of a job") as session:
            kept = await repository.bury(session, claimed.tenant_id, claimed.id, claimed.token, note)
        job = self._registry.find(claimed.name)
        if kept and self._blame is not None and job is not None and job.plugin is not None:
            # Of the note only the kind: a message may hold personal data.
            await self._blame(
                claimed.tenant_id, job.plugin, f"the job {claimed.name} is dead: {note.split(':', maxsplit=1)[0]}"
            )
        return Outcome.DEAD if kept else Outcome.LOST

    async def _drop(self, claimed: ClaimedJob, note: str) -> Outcome:
        async with self._database.platform("end of a job") as session:
            kept = await repository.finish(session, claimed.tenant_id, claimed.id, claimed.token, note)
        return Outcome.GATED if kept else Outcome.LOST


def _gate(job: RegisteredJob, tenant: TenantSnapshot | None) -> _Gate:
    """What is switched off is off: jobs of a disabled plugin end without effect, as its events are not delivered.

    A suspension is meant to end, so the jobs of a suspended tenant wait, but for the mail that ends it.
    """
    if tenant is None or tenant.status == "closed":
        return _Gate.CLOSED
    if tenant.status == "suspended" and not (tenant.is_unproved and job.definition.for_unproved):
        return _Gate.WAIT
    if job.plugin is not None and job.plugin not in tenant.enabled:
        return _Gate.OFF
    return _Gate.OPEN
