"""Queries of plugin settings and their versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Row, Uuid, bindparam, column, false, literal_column, select, table
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects.postgresql import insert

from regulars.kernel.db.base import CORE_NOW
from regulars.kernel.db.database import TenantSession
from regulars.kernel.settings.models import PluginSettings, SettingsVersion

_TENANT = table("tenant", column("id", Uuid()), column("revision", BigInteger()), schema="core")
_COLUMNS = (
    PluginSettings.plugin,
    PluginSettings.scope_id,
    PluginSettings.version,
    PluginSettings.number,
    PluginSettings.values,
    PluginSettings.secrets,
    PluginSettings.updated_at,
)
_ALL = (
    select(_TENANT.c.revision, *_COLUMNS)
    .select_from(_TENANT)
    .outerjoin(PluginSettings, PluginSettings.tenant_id == _TENANT.c.id)
    .where(_TENANT.c.id == bindparam("tenant_id", type_=Uuid))
)
_ONE = select(*_COLUMNS).where(
    PluginSettings.tenant_id == bindparam("tenant_id", type_=Uuid),
    PluginSettings.plugin == bindparam("plugin"),
    PluginSettings.scope_id == bindparam("scope_id", type_=Uuid),
)
_VERSION = select(SettingsVersion.version, SettingsVersion.values).where(
    SettingsVersion.tenant_id == bindparam("tenant_id", type_=Uuid),
    SettingsVersion.plugin == bindparam("plugin"),
    SettingsVersion.scope_id == bindparam("scope_id", type_=Uuid),
    SettingsVersion.number == bindparam("number", type_=BigInteger),
)
_VERSIONS = (
    select(SettingsVersion.version, SettingsVersion.values, SettingsVersion.effective_from)
    .where(
        SettingsVersion.tenant_id == bindparam("tenant_id", type_=Uuid),
        SettingsVersion.plugin == bindparam("plugin"),
        SettingsVersion.scope_id == bindparam("scope_id", type_=Uuid),
    )
    .order_by(SettingsVersion.number.desc())
)


@dataclass(frozen=True, slots=True)
class StoredSettings:
    """A row: what a tenant has set for one plugin and scope."""

    plugin: str
    scope_id: UUID
    version: int
    number: int
    values: dict[str, Any]
    secrets: bytes | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Expected:
    """What somebody has seen: a row of that time, or none."""

    updated_at: datetime | None


async def read_all(session: TenantSession) -> tuple[int, list[StoredSettings]]:
    """Everything that the session's tenant has set.

    Returns:
        The tenant's revision as this transaction sees it (0 for no such tenant), and the rows.
    """
    rows = await session.rows(_ALL, {"tenant_id": session.tenant_id})
    return (rows[0].revision if rows else 0), [_stored(row) for row in rows if row.plugin is not None]


async def read(session: TenantSession, plugin: str, scope_id: UUID) -> StoredSettings | None:
    """One row, `None` when the tenant has set nothing."""
    parameters = {"tenant_id": session.tenant_id, "plugin": plugin, "scope_id": scope_id}
    row = await session.one_or_none(_ONE, parameters)
    return _stored(row) if row is not None else None


async def write(
    session: TenantSession,
    plugin: str,
    scope_id: UUID,
    *,
    version: int,
    values: dict[str, Any],
    secrets: bytes | None,
    expected: Expected | None = None,
) -> int | None:
    """Insert or replace one row.

    Args:
        version: of the settings model.
        values: JSON values of the fields that are no secrets.
        secrets: encrypted.
        expected: what must be there, `None` to write in any case.

    Returns:
        The number of its version, `None` when it was not written.
    """
    row = {
        "tenant_id": session.tenant_id,
        "plugin": plugin,
        "scope_id": scope_id,
        "version": version,
        "values": values,
        "secrets": secrets,
    }
    statement = insert(PluginSettings).values(**row, updated_at=CORE_NOW)
    upsert = statement.on_conflict_do_update(
        index_elements=["tenant_id", "plugin", "scope_id"],
        set_={
            "number": PluginSettings.number + literal_column("1"),
            **{name: statement.excluded[name] for name in ("version", "values", "secrets", "updated_at")},
        },
        where=_condition(expected) if expected else None,
    ).returning(PluginSettings.number)
    return (await session.execute(upsert)).scalar_one_or_none()


async def keep_version(session: TenantSession, **version: Any) -> None:
    """Add a version under the number that `write` has just given; arguments are the columns of `SettingsVersion`."""
    await session.execute(plain_insert(SettingsVersion), {"tenant_id": session.tenant_id, **version})


async def read_version(session: TenantSession, plugin: str, scope_id: UUID, number: int) -> Row[Any] | None:
    """Model version and values of one version, `None` when there is none of that number."""
    parameters = {"tenant_id": session.tenant_id, "plugin": plugin, "scope_id": scope_id, "number": number}
    return await session.one_or_none(_VERSION, parameters)


async def read_versions(session: TenantSession, plugin: str, scope_id: UUID) -> Sequence[Row[Any]]:
    """Model version, values and beginning of all versions, newest first."""
    return await session.rows(_VERSIONS, {"tenant_id": session.tenant_id, "plugin": plugin, "scope_id": scope_id})


def _condition(expected: Expected) -> ColumnElement[bool]:
    return PluginSettings.updated_at == expected.updated_at if expected.updated_at else false()


def _stored(row: Row[Any]) -> StoredSettings:
    return StoredSettings(**{name: value for name, value in row._mapping.items() if name != "revision"})
