"""From what a request brings to who acts."""

from __future__ import annotations

from typing import Any

from regulars.contracts.context import ANONYMOUS, Context, Principal, Source, TenantSnapshot
from regulars.domain.staff.permissions import permissions_of
from regulars.kernel.db.database import Credentials
from regulars.kernel.keys import digest
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.web.areas import Area
from regulars.web.cookies import read_cookie, session_cookie
from regulars.web.request import Asked, device_of
from regulars.web.services import Services

_SOURCES: dict[str, Source] = {
    "portal": "portal",
    "terminal": "terminal",
    "manage": "manage",
    "site": "portal",
    "console": "console",
}


def cookie_credentials(request: Asked, area: Area, services: Services) -> Credentials | None:
    """The session that a request brings for an area, `None` without one."""
    if area.audience is None:
        return None
    token = read_cookie(request, session_cookie(area.audience), services.config)
    return Credentials(session_hash=digest(token)) if token else None


def principal_of(row: Any, registry: PluginRegistry) -> Principal:
    """Who acts, from the row of `core.enter_tenant`.

    Args:
        row: with the columns kind, id, name, role, session_id, shop_id, permissions, locale.
        registry: for the permissions that plugins give to roles.
    """
    if row.kind is None:
        return ANONYMOUS
    is_key = row.kind == "api_key"
    granted = frozenset(row.permissions or ()) if is_key else permissions_of(row.role, registry.permissions)
    return Principal(
        kind=row.kind,
        id=row.id,
        name=row.name,
        role=row.role,
        permissions=granted,
        session_id=row.session_id,
        shop_id=row.shop_id,
        locale=row.locale or "",
    )


def context_of(request: Asked, tenant: TenantSnapshot, principal: Principal, area: Area) -> Context:
    """What services get first."""
    visit = request.visit
    visit.principal = principal
    return Context(
        tenant=tenant,
        principal=principal,
        locale=visit.locale,
        source=_SOURCES.get(area.name, "api"),
        ip=visit.peer.ip,
        device=device_of(request),
        request_id=visit.request_id,
    )
