"""Consents of a member: given and withdrawn by the member alone, each change a line that stays."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.errors import Unauthenticated
from regulars.domain.audit import service as audit
from regulars.domain.members import consents_repository as repository
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import gettext as _

Purpose = Literal["marketing"]
TEXT_VERSION = "1"


async def is_granted(session: TenantSession, member_id: UUID, purpose: Purpose) -> bool:
    """Whether a member agrees now; who may ask is for the caller to check."""
    where = {"tenant": session.tenant_id, "member": member_id, "purpose": purpose}
    return bool(await session.scalar(repository.LATEST, where))


async def change(session: TenantSession, ctx: Context, purpose: Purpose, *, granted: bool) -> None:
    """Write down that the member who is signed in agrees, or does not any more; nothing when that is known.

    Raises:
        Unauthenticated: no member is signed in.
    """
    member_id = ctx.principal.id
    if ctx.principal.kind != "member" or member_id is None:
        raise Unauthenticated(_("Please sign in."))
    if await is_granted(session, member_id, purpose) == granted:
        return
    row = {
        "tenant_id": session.tenant_id,
        "id": new_id(),
        "member_id": member_id,
        "purpose": purpose,
        "granted": granted,
        "text_version": TEXT_VERSION,
        "ip": ctx.ip,
    }
    await session.execute(repository.ADD, row)
    action = "consent.given" if granted else "consent.withdrawn"
    await audit.record(session, ctx, action, "member", member_id, {"purpose": purpose})
