"""Who did what to what, when and from where: every change of state writes a line that nobody can change."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.paging import Paged, PageRequest
from regulars.domain.audit import repository
from regulars.domain.audit.actors import Actor
from regulars.domain.staff.permissions import require
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import Database, PlatformSession, Session, TenantSession
from regulars.kernel.db.prepared import to_json

Outcome = Literal["done", "refused"]


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which lines are wanted.

    Attributes:
        action: start of an action's name, e.g. `tenant.`; empty for all.
        actor: part of the actor's name, in any case; empty for all.
    """

    action: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One line of a tenant's log."""

    id: UUID
    actor_kind: str
    actor_id: UUID | None
    actor_name: str
    action: str
    outcome: str
    subject_kind: str
    subject_id: UUID | None
    details: Mapping[str, Any]
    ip: str
    device: str
    request_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PlatformLine:
    """One line of the platform's log."""

    id: UUID
    actor_kind: str
    actor_id: UUID | None
    actor_name: str
    action: str
    reason: str
    subject: str
    details: Mapping[str, Any]
    ip: str
    device: str
    request_id: str
    created_at: datetime


async def record(
    session: TenantSession,
    ctx: Context,
    action: str,
    subject_kind: str,
    subject_id: UUID | None,
    details: Mapping[str, Any] | None = None,
    outcome: Outcome = "done",
) -> None:
    """Write a line into the log of the context's tenant.

    Args:
        session: the transaction of the change itself, so that both happen or neither does.
        ctx: who acts, and from where.
        action: stable name, `<subject>.<what happened>`.
        subject_kind: what was acted on, e.g. `shop`.
        subject_id: its id, if it has one.
        details: values that JSON can hold (ids and times too); no secrets, no personal data.
        outcome: whether it was done or refused.
    """
    await _write(session, Actor.of(ctx), session.tenant_id, action, subject_kind, subject_id, details, outcome)


async def record_for_tenant(
    session: PlatformSession,
    actor: Actor,
    tenant_id: UUID,
    action: str,
    subject_kind: str,
    subject_id: UUID | None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write what an operator or the platform did to a tenant into the tenant's own log.

    Args:
        session: the transaction of the change itself.
        actor: who acts.
        tenant_id: whose log.
        action: as for `record`.
        subject_kind: as for `record`.
        subject_id: as for `record`.
        details: as for `record`.
    """
    await _write(session, actor, tenant_id, action, subject_kind, subject_id, details, "done")


async def record_platform(
    session: PlatformSession,
    actor: Actor,
    action: str,
    reason: str,
    subject: str,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write a line into the platform's log.

    Args:
        session: the transaction of the change itself.
        actor: who acts.
        action: as for `record`.
        reason: why, in the operator's words.
        subject: what was acted on, readable: a tenant's slug, an offering's code.
        details: as for `record`.
    """
    await session.execute(
        repository.INSERT_PLATFORM,
        {
            "id": new_id(),
            **_who(actor),
            "action": action,
            "reason": reason,
            "subject": subject,
            "details": _plain(details),
        },
    )


async def list_lines(session: TenantSession, ctx: Context, wanted: AuditFilter, page: PageRequest) -> Paged[AuditLine]:
    """The tenant's log, newest first.

    Raises:
        Forbidden: without the permission `audit.view`.
    """
    require(ctx, "audit.view")
    return await _tenant_page(session, session.tenant_id, wanted, page)


async def all_lines(database: Database, ctx: Context, wanted: AuditFilter) -> AsyncIterator[AuditLine]:
    """All of the tenant's log for a file, newest first.

    Raises:
        Forbidden: without the permission `audit.view`.
    """
    require(ctx, "audit.view")
    opened = partial(database.tenant, ctx.tenant.id, read_only=True)
    async for row in repository.LIST.rows(opened, _where(ctx.tenant.id, wanted)):
        yield AuditLine(**_without_tenant(row._mapping))


async def list_lines_of(
    session: PlatformSession, tenant_id: UUID, wanted: AuditFilter, page: PageRequest
) -> Paged[AuditLine]:
    """A tenant's log as the operator sees it, newest first."""
    return await _tenant_page(session, tenant_id, wanted, page)


async def list_platform(session: PlatformSession, wanted: AuditFilter, page: PageRequest) -> Paged[PlatformLine]:
    """The platform's log, newest first."""
    where = {"action": wanted.action, "text": wanted.actor}
    return await repository.LIST_PLATFORM.page(session, where, page, lambda row: PlatformLine(**row._mapping))


async def _tenant_page(session: Session, tenant_id: UUID, wanted: AuditFilter, page: PageRequest) -> Paged[AuditLine]:
    where = _where(tenant_id, wanted)
    return await repository.LIST.page(session, where, page, lambda row: AuditLine(**_without_tenant(row._mapping)))


def _where(tenant_id: UUID, wanted: AuditFilter) -> Mapping[str, Any]:
    return {"tenant": tenant_id, "action": wanted.action, "text": wanted.actor}


async def _write(
    session: Session,
    actor: Actor,
    tenant_id: UUID,
    action: str,
    subject_kind: str,
    subject_id: UUID | None,
    details: Mapping[str, Any] | None,
    outcome: Outcome,
) -> None:
    await session.execute(
        repository.INSERT,
        {
            "tenant_id": tenant_id,
            "id": new_id(),
            **_who(actor),
            "action": action,
            "outcome": outcome,
            "subject_kind": subject_kind,
            "subject_id": subject_id,
            "details": _plain(details),
        },
    )


def _who(actor: Actor) -> dict[str, Any]:
    return {
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "actor_name": actor.name,
        "ip": actor.ip,
        "device": actor.device,
        "request_id": actor.request_id,
    }


def _plain(details: Mapping[str, Any] | None) -> dict[str, Any]:
    """Ids and times as text."""
    plain: dict[str, Any] = json.loads(to_json(dict(details or {})))
    return plain


def _without_tenant(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items() if name != "tenant_id"}
