"""Merchants' own domains: wanted, proven, answering, lost. Every call needs the platform's session: hosts are its."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from secrets import token_urlsafe
from typing import Any, Literal, cast
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.errors import Conflict, NotFound
from regulars.domain.audit.actors import Actor
from regulars.domain.domains import repository
from regulars.domain.domains.naming import read_name
from regulars.domain.staff.permissions import require
from regulars.domain.tenants.families import Relative, lock_family, record_operation
from regulars.domain.tenants.limits import require_feature
from regulars.domain.tenants.repository import SET_PRIMARY_HOST
from regulars.kernel.db.database import PlatformSession, Session
from regulars.kernel.i18n import gettext as _

FEATURE = "custom_domain"
PERMISSION = "domains.manage"
MOST = 10
"""Names that one tenant may have here."""
REASON = "a merchant's own domain"
Status = Literal["waiting", "verified", "live", "lost"]
Problem = Literal["", "proof", "address", "silent", "taken", "offering"]


@dataclass(frozen=True, slots=True)
class Domain:
    """A name and how far it has come; the fields are those of `TenantDomain`."""

    host: str
    proof: str
    status: Status
    problem: Problem
    tries: int
    checked_at: datetime | None
    failing_since: datetime | None

    @property
    def answers(self) -> bool:
        """Whether the tenant answers on it."""
        return self.status in {"verified", "live"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tenant is without an own domain.

    Attributes:
        subdomain: its host below the platform's domain.
        moves: whether its other hosts send customers on to the main one.
    """

    subdomain: str
    moves: bool


async def list_domains(session: Session, tenant_id: UUID) -> Sequence[Domain]:
    """A tenant's own domains, oldest first.

    Args:
        session: the tenant's or the platform's.
        tenant_id: whose.
    """
    return [_domain(row._mapping) for row in await session.rows(repository.LIST, {"of_tenant": tenant_id})]


async def find_domain(session: Session, tenant_id: UUID, host: str) -> Domain | None:
    """One of a tenant's own domains."""
    row = await session.one_or_none(repository.ONE, {"of_tenant": tenant_id, "of_host": host})
    return _domain(row._mapping) if row is not None else None


async def place_of(session: Session, tenant_id: UUID) -> Place:
    """Where a tenant is without an own domain; arguments as for `list_domains`."""
    row = await session.one_or_none(repository.PLACE, {"of_tenant": tenant_id})
    assert row is not None
    return Place(row.subdomain, row.moves)


async def add(session: PlatformSession, ctx: Context, text: str, ours: Iterable[str]) -> Domain:
    """Want a name. It answers when its records are there.

    Args:
        session: the platform's.
        ctx: needs `domains.manage`.
        text: the name as it was typed.
        ours: names that are the platform's, besides its base domains.

    Raises:
        Forbidden: without the permission.
        FeatureNotInOffering: naming the offering that has it.
        InvalidInput: it is no name that a merchant can bring.
        Conflict: it is among the tenant's names already, or there are too many.
    """
    require(ctx, PERMISSION)
    await require_feature(session, ctx, FEATURE)
    host = read_name(text, {*ours, *(row.base_domain for row in await session.rows(repository.PLATFORMS))})
    family = await lock_family(session, ctx.tenant.id)
    known = await list_domains(session, ctx.tenant.id)
    if len(known) >= MOST:
        raise _conflict(_("You have %(most)s domains. Remove one that you do not need any more.", most=MOST))
    if host in {domain.host for domain in known} or await _answers(session, ctx.tenant.id, host):
        raise _conflict(_("This domain is in your list."))
    row = {"tenant_id": ctx.tenant.id, "host": host, "proof": token_urlsafe(24)}
    await session.execute(repository.ADD, row)
    await record_operation(session, Actor.of(ctx), family[:1], "domain.added", REASON, {"host": host})
    added = await find_domain(session, ctx.tenant.id, host)
    assert added is not None
    return added


async def remove(session: PlatformSession, ctx: Context, host: str) -> None:
    """Give a name up; the tenant answers on it no more, and whoever proves it may have it.

    Raises:
        Forbidden: without the permission.
        NotFound: it is none of the tenant's.
    """
    require(ctx, PERMISSION)
    family = await lock_family(session, ctx.tenant.id)
    key = {"of_tenant": ctx.tenant.id, "of_host": host}
    if await session.scalar(repository.DELETE, key) is None:
        raise NotFound(_("There is no such domain."))
    await take_out(session, ctx.tenant.id, host)
    await record_operation(session, Actor.of(ctx), family[:1], "domain.removed", REASON, {"host": host})


async def prefer(session: PlatformSession, ctx: Context, host: str) -> None:
    """Make one of the tenant's hosts the main one: links are built with it. The others send visitors on to it.

    Raises:
        Forbidden: without the permission.
        FeatureNotInOffering: for an own domain.
        NotFound: the tenant does not answer on it.
    """
    require(ctx, PERMISSION)
    family = await lock_family(session, ctx.tenant.id)
    if not await _answers(session, ctx.tenant.id, host):
        raise NotFound(_("There is no such domain."))
    if host != (await place_of(session, ctx.tenant.id)).subdomain:
        await require_feature(session, ctx, FEATURE)
    await session.execute(SET_PRIMARY_HOST, {"of_tenant": ctx.tenant.id, "primary_host": host})
    await session.execute(repository.SET_MOVES, {"of_tenant": ctx.tenant.id, "new_moves": True})
    await record_operation(session, Actor.of(ctx), family[:1], "domain.preferred", REASON, {"host": host})


async def set_moves(session: PlatformSession, ctx: Context, moves: bool) -> None:
    """Say whether the other hosts send visitors on to the main one.

    Raises:
        Forbidden: without the permission.
    """
    require(ctx, PERMISSION)
    family = await lock_family(session, ctx.tenant.id)
    await session.execute(repository.SET_MOVES, {"of_tenant": ctx.tenant.id, "new_moves": moves})
    await record_operation(session, Actor.of(ctx), family[:1], "domain.moves_set", REASON, {"moves": moves})


async def take_out(session: PlatformSession, tenant_id: UUID, host: str) -> None:
    """Let a tenant answer on a host no more; when it was the main one, the sub-domain is, and nobody is sent on.

    Args:
        session: the platform's.
        tenant_id: the tenant, locked.
        host: its own or another's: another's stays untouched.
    """
    was_main = await session.scalar(repository.RELEASE, {"of_tenant": tenant_id, "of_host": host})
    if was_main:
        place = await place_of(session, tenant_id)
        await session.execute(SET_PRIMARY_HOST, {"of_tenant": tenant_id, "primary_host": place.subdomain})
        await session.execute(repository.SET_MOVES, {"of_tenant": tenant_id, "new_moves": False})


async def note(
    session: PlatformSession, actor: Actor, family: Sequence[Relative], action: str, host: str, problem: str = ""
) -> None:
    """Write into both logs what became of a name."""
    details = {"host": host, "problem": problem} if problem else {"host": host}
    await record_operation(session, actor, family[:1], action, REASON, details)


async def _answers(session: PlatformSession, tenant_id: UUID, host: str) -> bool:
    row = await session.one_or_none(repository.OWNER, {"of_host": host})
    return row is not None and row.tenant_id == tenant_id


def _domain(row: Any) -> Domain:
    return Domain(
        host=row["host"],
        proof=row["proof"],
        status=cast("Status", row["status"]),
        problem=cast("Problem", row["problem"]),
        tries=row["tries"],
        checked_at=row["checked_at"],
        failing_since=row["failing_since"],
    )


def _conflict(sentence: str) -> Conflict:
    return Conflict(sentence, extra={"fields": {"host": sentence}})
