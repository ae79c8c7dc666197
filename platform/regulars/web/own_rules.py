"""What a plugin's own pages need to change its settings: save them for a program, keep a photo, show it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from regulars.contracts.context import ProgramInfo
from regulars.domain.audit import service as audit
from regulars.domain.programs.room import require_room_for
from regulars.domain.tenants.logos import store_photo
from regulars.domain.wallets.soon import sync_soon
from regulars.web.assets import tenant_asset_url
from regulars.web.work import Work


async def save_rules(work: Work, plugin: str, program: ProgramInfo, values: Mapping[str, Any]) -> BaseModel:
    """Change a plugin's settings of a program; they are in force at once, and the audit log keeps what was changed.

    Args:
        work: of a page whose reader may do this.
        plugin: whose settings.
        program: which program's.
        values: field → value; fields that are left out stay as they are.

    Returns:
        The new settings.

    Raises:
        InvalidInput: a value is not acceptable; its fields are named from the model's top, `rewards.2.title`.
        LimitReached: a list would be longer than the offering allows.
    """
    parts = work.services
    await require_room_for(work.session, work.ctx, parts.plugins, parts.settings, plugin, program.id, values)
    return await _save(work, plugin, "program", program.id, values)


async def save_settings(work: Work, plugin: str, values: Mapping[str, Any]) -> BaseModel:
    """Change the settings of a plugin that has one set for the whole tenant; else as `save_rules`.

    Args:
        work, plugin: as there.
        values: field → value; an empty secret stays, `None` forgets it.
    """
    return await _save(work, plugin, "tenant", work.ctx.tenant.id, values)


async def _save(work: Work, plugin: str, subject: str, scope_id: UUID, values: Mapping[str, Any]) -> BaseModel:
    settings = await work.services.settings.save(work.session, work.ctx, plugin, scope_id, values)
    details = {"plugin": plugin, "fields": sorted(values)}
    await audit.record(work.session, work.ctx, "settings.changed", subject, scope_id, details)
    await sync_soon(work.session)

    async def forget() -> None:
        work.services.snapshots.drop(work.ctx.tenant.id)

    work.later(forget)
    return settings


async def keep_photo(work: Work, field: str) -> str:
    """Keep a photo that was sent with a form: encoded anew, without metadata, named by its content.

    Args:
        work: of the page.
        field: name of the form's file field.

    Returns:
        Its name for the settings; empty when none was sent.

    Raises:
        InvalidInput: it is no image, or too large.
    """
    upload = (await work.request.files).get(field)
    if upload is None or not upload.filename:
        return ""
    content = upload.read()
    return await asyncio.to_thread(store_photo, work.services.config.data_dir, work.ctx.tenant.id, content)


def photo_url(work: Work, name: str) -> str:
    """Address of a photo that was kept, empty for none."""
    return tenant_asset_url(work.ctx.tenant, name) if name else ""
