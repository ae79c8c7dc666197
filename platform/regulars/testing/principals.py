"""Contexts of people in roles, with the permissions that the roles really hold."""

from __future__ import annotations

from uuid import UUID

from regulars.contracts.context import Context, Principal
from regulars.domain.staff.permissions import permissions_of
from regulars.domain.staff.sessions import Holder, open_session
from regulars.kernel.db.database import Database
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.world import World
from regulars.web.cookies import session_cookie


def acting(
    world: World,
    role: str,
    registry: PluginRegistry | None = None,
    *,
    staff_id: UUID | None = None,
    shop_id: UUID | None = None,
    session_id: UUID | None = None,
) -> Context:
    """A context of somebody who is signed in at a tenant.

    Args:
        world: the tenant.
        role: owner, manager or staff.
        registry: for the plugins' permissions.
        staff_id: whose row it is; none is needed for most rules.
        shop_id: the shop that the session is bound to.
        session_id: the session.
    """
    held = permissions_of(role, registry.permissions if registry else {})
    principal = Principal("staff", staff_id, f"The {role}", role, held, session_id, shop_id)
    return world.context("manage", principal=principal)


async def sign_in(database: Database, registry: PluginRegistry, world: World, role: str) -> tuple[str, str]:
    """Open a session for somebody, without going through the log-in.

    Args:
        database: the engines.
        registry: for the plugins' permissions.
        world: the tenant.
        role: member for the holder of the first card, else the first of the staff in that role.

    Returns:
        Name and value of the session's cookie.

    Raises:
        LookupError: the tenant was made without staff in that role.
    """
    if role == "member":
        holder = Holder("member", world.card.member_id)
    else:
        found = [person.id for person in world.staff if person.role == role]
        if not found:
            raise LookupError(f"{world.tenant.slug} has no {role}: name one in `staff=` of `make_world`")
        holder = Holder("staff", found[0])
    async with database.tenant(world.tenant.id) as session:
        opened = await open_session(session, acting(world, role, registry), holder)
    return session_cookie(holder.kind), opened.token
