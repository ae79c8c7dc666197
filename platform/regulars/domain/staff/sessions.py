"""Sessions of staff and members: rows on the server, a random token with the browser.

The token is stored hashed; its cookie is the web layer's job. Times are the server's own (`now()`), not the shifted
clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.errors import NotFound, Unauthenticated
from regulars.domain.audit import service as audit
from regulars.domain.shops import service as shops
from regulars.domain.staff import repository
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import gettext as _
from regulars.kernel.keys import digest, new_token

HolderKind = Literal["staff", "member"]
LIFETIMES: dict[HolderKind, timedelta] = {"staff": timedelta(hours=12), "member": timedelta(days=90)}
MAX_DEVICE = 200


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose session it is."""

    kind: HolderKind
    id: UUID


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session.

    Attributes:
        token: goes into the cookie and nowhere else.
        expires_at: when the cookie should end too.
    """

    id: UUID
    token: str
    expires_at: datetime


async def open_session(session: TenantSession, ctx: Context, holder: Holder) -> OpenedSession:
    """Open a session with a new token; a session that the request came with ends, so no token survives a log-in.

    Args:
        session: the transaction.
        ctx: for address, device, and the session that is replaced.
        holder: who signed in.
    """
    if ctx.principal.session_id is not None:
        await _close(session, ctx.principal.session_id)
    await session.execute(repository.CLOSE_EXPIRED, _of(session, holder))
    session_id, token = new_id(), new_token()
    expires_at = await session.scalar(
        repository.OPEN_SESSION,
        {
            **_of(session, holder),
            "session": session_id,
            "hash": digest(token),
            "shop": ctx.principal.shop_id if holder.kind == "staff" else None,
            "lifetime": LIFETIMES[holder.kind],
            "from_ip": ctx.ip,
            "from_device": ctx.device[:MAX_DEVICE],
        },
    )
    return OpenedSession(session_id, token, expires_at)


async def close(session: TenantSession, ctx: Context) -> None:
    """Sign the principal out: the session of this request ends. Nothing happens without one."""
    if ctx.principal.session_id is None:
        return
    await _close(session, ctx.principal.session_id)
    await audit.record(session, ctx, "session.closed", ctx.principal.kind, ctx.principal.id)


async def close_all(session: TenantSession, holder: Holder) -> None:
    """End every session of a person."""
    await session.execute(repository.CLOSE_SESSIONS, _of(session, holder))


async def close_others(session: TenantSession, ctx: Context, holder: Holder) -> None:
    """End every session of a person except the one of this request."""
    await session.execute(
        repository.CLOSE_OTHER_SESSIONS, {**_of(session, holder), "session": ctx.principal.session_id}
    )


async def choose_shop(session: TenantSession, ctx: Context, shop_id: UUID) -> None:
    """Say in which shop this browser stands; what it records from now on is recorded there.

    Raises:
        Unauthenticated: the request has no session.
        NotFound: the tenant has no such shop, or it is closed.
    """
    if ctx.principal.session_id is None:
        raise Unauthenticated(_("Please sign in."))
    shop = await shops.get(session, shop_id)
    if shop.status != "active":
        raise NotFound(_("This shop is closed."))
    parameters = {"tenant": session.tenant_id, "session": ctx.principal.session_id, "shop": shop_id}
    await session.execute(repository.SET_SHOP, parameters)
    await audit.record(session, ctx, "session.shop_chosen", "shop", shop_id)


async def _close(session: TenantSession, session_id: UUID) -> None:
    await session.execute(repository.CLOSE_SESSION, {"tenant": session.tenant_id, "session": session_id})


def _of(session: TenantSession, holder: Holder) -> dict[str, UUID | None]:
    return {
        "tenant": session.tenant_id,
        "staff": holder.id if holder.kind == "staff" else None,
        "member": holder.id if holder.kind == "member" else None,
    }
