"""Jobs for the tests of the machinery, importable by the test process and by its worker processes alike.

Their effect is a row in the audit log, which is append-only: what was done twice is seen.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, text

from regulars.domain.audit.models import AuditLog
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import Session
from regulars.kernel.jobs import JobWork, job

MARK = insert(AuditLog)
HOLD = asyncio.Event()


async def mark(session: Session, tenant_id: object, action: str, **details: Any) -> None:
    """Leave a trace."""
    empty = dict.fromkeys(("actor_name", "subject_kind", "ip", "device", "request_id"), "")
    row = {"tenant_id": tenant_id, "id": new_id(), "actor_kind": "system", "action": action, "outcome": "done"}
    await session.execute(MARK, {**empty, **row, "details": details})


@job("mark")
async def mark_job(work: JobWork, payload: Mapping[str, Any]) -> None:
    await mark(work.session, work.session.tenant_id, "mark", n=payload.get("n"))


@job("fail", max_attempts=3)
async def fail_job(work: JobWork, payload: Mapping[str, Any]) -> None:
    await mark(work.session, work.session.tenant_id, "fail", n=payload.get("n"))
    raise ValueError("no way: rk_live_secretsecret")


@job("fail_once")
async def fail_once_job(work: JobWork, payload: Mapping[str, Any]) -> None:
    await mark(work.session, work.session.tenant_id, "fail_once", n=payload.get("n"))
    if work.attempt == 1 and payload.get("n") == 1:
        raise ValueError("not yet")


@job("enrolled")
async def enrolled_job(work: JobWork, payload: Mapping[str, Any]) -> None:
    assert work.event is not None
    await mark(work.session, work.session.tenant_id, "enrolled", card=payload["card_id"], seq=work.event.seq)


@job("held", timeout=30)
async def held_job(work: JobWork, payload: Mapping[str, Any]) -> None:
    await mark(work.session, work.session.tenant_id, "held", attempt=work.attempt)
    if payload.get("hold", True):
        await HOLD.wait()


@job("stubborn", timeout=0.05)
async def stubborn_job(work: JobWork, payload: Mapping[str, Any]) -> None:
    await mark(work.session, work.session.tenant_id, "stubborn", attempt=work.attempt)
    while not HOLD.is_set():
        try:
            await HOLD.wait()
        except asyncio.CancelledError:
            continue


@job("slow", timeout=0.05)
async def slow_job(work: JobWork, payload: Mapping[str, Any]) -> None:
    await mark(work.session, work.session.tenant_id, "slow", attempt=work.attempt)
    await HOLD.wait()


@job("two_steps", external=True)
async def two_steps_job(work: JobWork, payload: Mapping[str, Any]) -> None:
    async with work.step() as session:
        await mark(session, session.tenant_id, "first", attempt=work.attempt)
    if payload.get("hold"):
        await HOLD.wait()
    async with work.step() as session:
        await mark(session, session.tenant_id, "second", attempt=work.attempt)


@job("second_version", versions=(2, 3))
async def second_version_job(work: JobWork, payload: Mapping[str, Any]) -> None:
    await mark(work.session, work.session.tenant_id, "second_version", version=work.version)


@job("sleepy", timeout=120)
async def sleepy_job(work: JobWork, payload: Mapping[str, Any]) -> None:
    await mark(work.session, work.session.tenant_id, "sleepy", n=payload.get("n"), pid=os.getpid())
    await work.session.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": payload["seconds"]})
