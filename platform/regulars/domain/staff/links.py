"""Links that let one person of the staff in, once: from the sign-up to the own host, and by mail to a new password.

The token is random and stored hashed, belongs to one tenant and one person, and ends with its use or its time. Looking
at it changes nothing, since mail scanners follow links too; only a form uses it up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal
from uuid import UUID

from regulars.contracts.context import Context, Principal
from regulars.domain.audit import service as audit
from regulars.domain.members.normalise import email_of
from regulars.domain.staff import link_repository as repository
from regulars.domain.staff import sessions
from regulars.domain.staff.service import set_password
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.keys import digest, new_token

LinkKind = Literal["enter", "password"]
ENTER_LIFETIME = timedelta(minutes=2)
RESET_LIFETIME = timedelta(hours=1)
PROOF_LIFETIME = timedelta(days=7)
"""Of the link in the mail to a new owner, who may be on holiday from mails for a while."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a link lets in.

    Attributes:
        email: empty for somebody without one.
        has_password: whether one is stored already.
    """

    staff_id: UUID
    name: str
    role: str
    email: str
    has_password: bool


@dataclass(frozen=True, slots=True)
class Addressee:
    """Somebody of the staff with a mail address."""

    staff_id: UUID
    name: str
    email: str


async def issue(session: TenantSession, staff_id: UUID, kind: LinkKind, lifetime: timedelta) -> tuple[UUID, str]:
    """Make a link.

    Args:
        session: the transaction.
        staff_id: whom it lets in.
        kind: what it is for.
        lifetime: how long it is good, by the server's clock.

    Returns:
        Its id, and the token that goes into the address and nowhere else.
    """
    link_id, token = new_id(), new_token()
    row = {
        "tenant": session.tenant_id,
        "link": link_id,
        "staff": staff_id,
        "link_kind": kind,
        "hash": digest(token),
        "lifetime": lifetime,
    }
    await session.execute(repository.INSERT, row)
    return link_id, token


async def look(session: TenantSession, kind: LinkKind, token: str) -> Bearer | None:
    """Whom a link would let in; nothing is used up. `None` when it is unknown, used, too old, or its person left."""
    row = await session.one_or_none(repository.LOOK, _key(session, kind, token))
    return Bearer(**row._mapping) if row is not None else None


async def enter(session: TenantSession, ctx: Context, token: str) -> sessions.OpenedSession | None:
    """Sign the new owner in; the link is used up.

    Returns:
        The session, `None` for a link that is worth nothing (any more).
    """
    bearer = await _use(session, "enter", token)
    return await _open(session, ctx, bearer, "enter") if bearer is not None else None


async def renew_password(session: TenantSession, ctx: Context, token: str, password: str) -> Bearer | None:
    """Set the password of whoever got the link by mail, end all their sessions, and use up all their links.

    Args:
        session: the transaction; it rolls back when the password is refused, so that the link stays good.
        ctx: for the traces.
        token: as it came in.
        password: as typed.

    Returns:
        Whose it was; `None` for a link that is worth nothing (any more).

    Raises:
        InvalidInput: the password is too short or too long, under the field `password`.
    """
    bearer = await _use(session, "password", token)
    if bearer is None:
        return None
    await set_password(session, _acting(ctx, bearer), bearer.staff_id, password)
    await session.execute(repository.USE_ALL, {"tenant": session.tenant_id, "staff": bearer.staff_id})
    return bearer


async def sign_in(session: TenantSession, ctx: Context, bearer: Bearer) -> sessions.OpenedSession:
    """Open a session for somebody whose link was just used."""
    return await _open(session, ctx, bearer, "password_link")


async def addressee(session: TenantSession, email: str) -> Addressee | None:
    """Who signs in with an address, `None` when nobody does.

    Args:
        session: the transaction.
        email: as typed.
    """
    row = await session.one_or_none(repository.ADDRESSEE, {"tenant": session.tenant_id, "email": email_of(email) or ""})
    return Addressee(**row._mapping) if row is not None else None


async def _use(session: TenantSession, kind: LinkKind, token: str) -> Bearer | None:
    """Use a link up; of several at once one succeeds."""
    staff_id = await session.scalar(repository.USE, _key(session, kind, token))
    if staff_id is None:
        return None
    row = await session.one_or_none(repository.BEARER, {"tenant": session.tenant_id, "staff": staff_id})
    return Bearer(**row._mapping) if row is not None else None


async def _open(session: TenantSession, ctx: Context, bearer: Bearer, door: str) -> sessions.OpenedSession:
    opened = await sessions.open_session(session, ctx, sessions.Holder("staff", bearer.staff_id))
    await audit.record(session, _acting(ctx, bearer), "staff.log_in", "staff", bearer.staff_id, {"by": door})
    return opened


def _acting(ctx: Context, bearer: Bearer) -> Context:
    who = Principal(kind="staff", id=bearer.staff_id, name=bearer.name, role=bearer.role)
    return replace(ctx, principal=who)


def _key(session: TenantSession, kind: LinkKind, token: str) -> dict[str, object]:
    return {"tenant": session.tenant_id, "link_kind": kind, "hash": digest(token)}
