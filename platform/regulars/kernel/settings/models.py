"""Tables of plugin settings: what holds now, and every version that ever held."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import CORE_NOW, Base, TenantTable


class PluginSettings(TenantTable, Base):
    """Settings of a plugin for a tenant or, when the manifest says so, for one program.

    `scope_id` is the program's id or the tenant's; `version` is that of the settings model; `number` that of its newest
    row in `settings_version`; secrets are encrypted apart and never read back into forms.
    """

    __tablename__ = "plugin_settings"
    __table_args__ = ({"schema": "core"},)
    plugin: Mapped[str] = mapped_column(primary_key=True)
    scope_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    number: Mapped[int] = mapped_column(server_default=text("1"))
    values: Mapped[dict[str, Any]]
    secrets: Mapped[bytes | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)


class SettingsVersion(TenantTable, Base):
    """One save of a plugin's settings, numbered from 1 within its scope; never changed.

    `values` are all fields that are no secrets, those that nobody has set included; `version` is that of the model.
    """

    __tablename__ = "settings_version"
    __table_args__ = ({"schema": "core"},)
    plugin: Mapped[str] = mapped_column(primary_key=True)
    scope_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    values: Mapped[dict[str, Any]]
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str]
    note: Mapped[str]
    effective_from: Mapped[datetime] = mapped_column(server_default=CORE_NOW)
