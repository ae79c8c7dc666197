"""Queries of tenants, hosts, offerings, overrides and switches: single rows, read and written by the services."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, Boolean, Text, Uuid, bindparam, case, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from regulars.domain.shops.models import Shop
from regulars.domain.tenants.models import (
    KillSwitch,
    Offering,
    Platform,
    Tenant,
    TenantHost,
    TenantOverride,
    TenantPlugin,
)
from regulars.kernel.db.database import Database

RESOLVE_HOST = select(func.core.resolve_host(bindparam("host", type_=Text), type_=JSONB))
_ID: BindParameter[UUID] = bindparam("tenant_id", type_=Uuid)

_A_HOST = (
    select(TenantHost.host)
    .where(TenantHost.tenant_id == _ID)
    .order_by(TenantHost.is_primary.desc())
    .limit(1)
    .scalar_subquery()
)
RESOLVE_TENANT = select(func.core.resolve_host(_A_HOST, type_=JSONB))
"""As `core.resolve_host`, for whoever may see the hosts of a tenant: the platform."""

ADD_PLATFORM = upsert(Platform).on_conflict_do_nothing().returning(Platform.base_domain)
INSERT_TENANT = upsert(Tenant).on_conflict_do_nothing().returning(Tenant.id)
"""Nothing when the slug is taken, also when another transaction takes it at the same time."""
INSERT_HOST = insert(TenantHost)
INSERT_SHOP = insert(Shop)

TENANT = select(Tenant.__table__).where(Tenant.id == _ID)
TENANT_BY_SLUG = select(Tenant.__table__).where(Tenant.slug == bindparam("slug"))
SANDBOX = select(Tenant.id).where(Tenant.live_tenant_id == _ID).limit(1)
FAMILY_FOR_UPDATE = (
    select(Tenant.id, Tenant.slug, Tenant.status, Tenant.offering, Tenant.live_tenant_id)
    .where(or_(Tenant.id == _ID, Tenant.live_tenant_id == _ID))
    .order_by(case((Tenant.id == _ID, 0), else_=1))
    .with_for_update()
)
"""A tenant and, when it is a live one, its sandbox; the tenant itself first."""

HOST = select(TenantHost.tenant_id, TenantHost.is_primary).where(TenantHost.host == bindparam("host"))
HOSTS = (
    select(TenantHost.host, TenantHost.is_primary)
    .where(TenantHost.tenant_id == _ID)
    .order_by(TenantHost.is_primary.desc(), TenantHost.host)
)
SET_PRIMARY_HOST = (
    update(TenantHost)
    .where(
        TenantHost.tenant_id == bindparam("of_tenant"),
        TenantHost.is_primary != (TenantHost.host == bindparam("primary_host")),
    )
    .values(is_primary=TenantHost.host == bindparam("primary_host"))
)

OFFERINGS = select(Offering.__table__).order_by(Offering.rank, Offering.code)
OFFERING_FOR_UPDATE = select(Offering.__table__).where(Offering.code == bindparam("code")).with_for_update()
INSERT_OFFERING = insert(Offering)
UPDATE_OFFERING = (
    update(Offering)
    .where(Offering.code == bindparam("of_code"))
    .values(
        title=bindparam("title"), rank=bindparam("rank"), features=bindparam("features"), limits=bindparam("limits")
    )
)

OVERRIDES = select(TenantOverride.__table__).where(TenantOverride.tenant_id == _ID).order_by(TenantOverride.name)
_OVERRIDE = upsert(TenantOverride)
SET_OVERRIDE = _OVERRIDE.on_conflict_do_update(
    index_elements=["tenant_id", "name"],
    set_={name: _OVERRIDE.excluded[name] for name in ("kind", "value", "reason", "expires_at")}
    | {"created_at": func.core.now()},
)
OVERRIDE_KIND = select(TenantOverride.kind).where(
    TenantOverride.tenant_id == _ID, TenantOverride.name == bindparam("name")
)
DELETE_OVERRIDE = delete(TenantOverride).where(
    TenantOverride.tenant_id == _ID, TenantOverride.name == bindparam("name"), TenantOverride.kind == bindparam("kind")
)

KILL_SWITCHES = (
    select(KillSwitch.__table__)
    .where(or_(KillSwitch.tenant_id.is_(None), KillSwitch.tenant_id == _ID))
    .order_by(KillSwitch.plugin, KillSwitch.created_at)
)
KILL_SWITCHES_FOR_ALL = select(KillSwitch.__table__).where(KillSwitch.tenant_id.is_(None)).order_by(KillSwitch.plugin)
INSERT_KILL_SWITCH = insert(KillSwitch)
_KILLED = KillSwitch.plugin == bindparam("plugin")
IS_KILLED = select(KillSwitch.id).where(_KILLED, KillSwitch.tenant_id == _ID).limit(1)
IS_KILLED_FOR_ALL = select(KillSwitch.id).where(_KILLED, KillSwitch.tenant_id.is_(None)).limit(1)
DELETE_KILL_SWITCH = delete(KillSwitch).where(_KILLED, KillSwitch.tenant_id == _ID).returning(KillSwitch.id)
DELETE_KILL_SWITCH_FOR_ALL = delete(KillSwitch).where(_KILLED, KillSwitch.tenant_id.is_(None)).returning(KillSwitch.id)

SWITCHES = (
    select(TenantPlugin.plugin, TenantPlugin.switched_on)
    .where(TenantPlugin.tenant_id == _ID)
    .order_by(TenantPlugin.plugin)
)
_SWITCH = upsert(TenantPlugin)
SET_SWITCH = _SWITCH.on_conflict_do_update(
    index_elements=["tenant_id", "plugin"], set_={"switched_on": _SWITCH.excluded.switched_on}
)


PROVE_ADDRESS = select(func.core.prove_address(type_=Boolean()))


def update_tenant(values: dict[str, Any]) -> Any:
    """Change columns of one tenant; `tenant_id` is a parameter.

    Args:
        values: column → new value.
    """
    return update(Tenant).where(Tenant.id == _ID).values(**values)


async def fetch_snapshot(database: Database, host: str) -> dict[str, Any] | None:
    """What the database knows of the tenant that answers on a host.

    Args:
        database: asked as the app role, without a tenant.
        host: normalised host name, without port.

    Returns:
        The object that `core.resolve_host` builds, `None` for an unknown host.
    """
    async with database.app_connection() as connection:
        found: dict[str, Any] | None = (await connection.execute(RESOLVE_HOST, {"host": host})).scalar()
    return found


async def fetch_snapshot_by_id(database: Database, tenant_id: UUID) -> dict[str, Any] | None:
    """What the database knows of a tenant, for jobs: they know the tenant and not its host.

    Args:
        database: asked as the platform role.
        tenant_id: the tenant.

    Returns:
        As `fetch_snapshot`, `None` for an unknown tenant.
    """
    async with database.platform("snapshot of a job's tenant") as session:
        found: dict[str, Any] | None = await session.scalar(RESOLVE_TENANT, {"tenant_id": tenant_id})
        return found
