"""By the clock: what has waited is released, and at two in the night of each program what is over expires."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Executable

from regulars.contracts.events import UnitsExpiring
from regulars.contracts.manifest import Subscription
from regulars.domain.expiry import repository
from regulars.domain.expiry.clocks import NIGHT
from regulars.domain.expiry.service import FIRST, Expiry
from regulars.domain.messaging.office import PostOffice
from regulars.kernel.db.database import TenantSession
from regulars.kernel.jobs import CronTick, Daily, Every, JobWork, cron, job
from regulars.kernel.jobs.repository import add_all, row

EXPIRE, RELEASE = "core.expire_points", "core.release_pending"
BATCH = 20
"""Cards in one transaction; they are locked in the order of their ids."""
EVENTS = 500
TIMEOUT = 3600.0
SUBSCRIPTIONS = (Subscription(UnitsExpiring.name, "expiry_mail"),)
"""Which of these jobs run for which events."""


@cron("expiry", Every(minutes=15))
async def expiry(tick: CronTick) -> None:
    """Make a job for each program's last night, unless there is one."""
    now = await tick.session.scalar(repository.CLOCK)
    jobs = []
    for program in await tick.session.rows(repository.PROGRAMS):
        night = Daily(NIGHT, program.timezone).latest(now).isoformat()
        payload = {"program": str(program.id), "until": night}
        jobs.append(row(program.tenant_id, EXPIRE, payload, dedup_key=f"{program.id} {night}"))
    await add_all(tick.session, jobs)


@cron("release", Every(minutes=5))
async def release(tick: CronTick) -> None:
    """Make a job for each tenant that has something due."""
    slot = tick.scheduled_at.isoformat()
    due = (await tick.session.execute(repository.TENANTS_DUE)).scalars()
    await add_all(tick.session, [row(tenant_id, RELEASE, {}, dedup_key=slot) for tenant_id in due])


@job("expire_points", external=True, timeout=TIMEOUT)
async def expire_points(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Expire what is over in a program, then tell of what will be soon.

    Args:
        work: the job.
        payload: program, and the night that counts.
    """
    service, program, until = work.service(Expiry), UUID(payload["program"]), datetime.fromisoformat(payload["until"])
    async with work.step() as session:
        clocks = await service.clocks(session, work.context, program)

    async def expire(session: TenantSession, card_id: UUID) -> None:
        await service.expire(session, work.context, card_id, until, clocks)

    where = {"program": program, "until": until}
    await _card_by_card(work, repository.EXPIRED_CARDS, repository.EXPIRED_TOTAL, where, expire)
    for clock in clocks:
        if clock.idle is not None:
            rule = {"unit": clock.unit, "zone": clock.zone, "days": clock.idle.days, "since": clock.idle.since}
            await _card_by_card(work, repository.IDLE_CARDS, repository.IDLE_TOTAL, {**where, **rule}, expire)
    for clock in clocks:
        after: UUID | None = FIRST if clock.notice else None
        while after is not None:
            async with work.step() as session:
                after = await service.announce(session, program, clock, until, after, EVENTS)


@job("expiry_mail")
async def expiry_mail(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Write to a member what expires soon."""
    event = UnitsExpiring.model_validate(payload)
    await work.service(Expiry).remind(work.session, work.context, work.service(PostOffice), event)


@job("release_pending", external=True, timeout=TIMEOUT)
async def release_pending(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Release what has waited long enough."""
    service = work.service(Expiry)

    async def free(session: TenantSession, card_id: UUID) -> None:
        await service.release(session, work.context, card_id)

    await _card_by_card(work, repository.PENDING_CARDS, repository.PENDING_TOTAL, {}, free)


async def _card_by_card(
    work: JobWork,
    cards: Executable,
    total: Executable,
    where: Mapping[str, Any],
    act: Callable[[TenantSession, UUID], Awaitable[None]],
) -> None:
    """Do something to all cards that a query finds, some in each step, and show how far it is."""
    tenant = {"tenant": work.context.tenant.id}
    async with work.step() as session:
        number = await session.scalar(total, {**tenant, **where, "after": FIRST})
        await work.report(session, 0, number)
    after, done = FIRST, 0
    while True:
        async with work.step() as session:
            found = [
                one.card_id for one in await session.rows(cards, {**tenant, **where, "after": after, "size": BATCH})
            ]
            for card_id in found:
                await act(session, card_id)
            done += len(found)
            await work.report(session, done, number)
        if len(found) < BATCH:
            return
        after = found[-1]
