"""Table of plugin settings."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import CORE_NOW, Base, TenantTable


class PluginSettings(TenantTable, Base):
    """Settings of a plugin for a tenant or, when the manifest says so, for one program.

    `scope_id` is the program's id or the tenant's; `version` is that of the settings model; secrets are encrypted apart
    and never read back into forms.
    """

    __tablename__ = "plugin_settings"
    __table_args__ = ({"schema": "core"},)
    plugin: Mapped[str] = mapped_column(primary_key=True)
    scope_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    values: Mapped[dict[str, Any]]
    secrets: Mapped[bytes | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)
