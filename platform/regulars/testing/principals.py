"""Contexts of people in roles, with the permissions that the roles really hold."""

from __future__ import annotations

from uuid import UUID

from regulars.contracts.context import Context, Principal
from regulars.domain.staff.permissions import permissions_of
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.world import World


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
