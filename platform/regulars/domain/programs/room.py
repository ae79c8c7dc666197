"""Limits on how long lists of settings may be, over all programs of a tenant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from regulars.contracts.context import Context
from regulars.domain.programs.service import list_programs
from regulars.domain.tenants.limits import require_room
from regulars.kernel.db.database import TenantSession
from regulars.kernel.db.locks import lock
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.settings import SettingsStore


async def require_room_for(
    session: TenantSession,
    ctx: Context,
    registry: PluginRegistry,
    settings: SettingsStore,
    plugin: str,
    program_id: UUID,
    values: Mapping[str, Any],
) -> None:
    """Refuse settings that would make a limited list longer than the tenant's offering allows.

    What is there already stays, and may become shorter: an offering with less takes nothing away.

    Args:
        session: the transaction that saves them.
        ctx: whose limit.
        registry: with the limits.
        settings: with what is stored.
        plugin: whose settings.
        program_id: of which program.
        values: field → new value.

    Raises:
        LimitReached: naming the limit and the offering that has more.
        InvalidInput: a value is not acceptable.
    """
    for limit in registry.plugin(plugin).manifest.limits:
        if limit.counts not in values:
            continue
        await lock(session, f"{plugin}.{limit.name}")
        after = await settings.try_out(session, ctx.tenant, plugin, program_id, values)
        used = added = 0
        for program in (await list_programs(session)).items:
            before = await settings.try_out(session, ctx.tenant, plugin, program.id, {})
            used += len(getattr(before, limit.counts))
            if program.id == program_id:
                added = len(getattr(after, limit.counts)) - len(getattr(before, limit.counts))
        if added > 0:
            await require_room(session, ctx, f"{plugin}.{limit.name}", used + added - 1)
