"""A plugin's settings, program by program: for jobs and pages, which are not about one card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from regulars.contracts.context import ProgramInfo, TenantSnapshot
from regulars.domain.programs.cache import ProgramCache
from regulars.kernel.db.database import TenantSession
from regulars.kernel.settings import SettingsStore


@dataclass(frozen=True, slots=True)
class ProgramRules:
    """What a plugin is to do in one program."""

    program: ProgramInfo
    settings: BaseModel


class PluginRules:
    """Reads them from the caches of programs and settings.

    Args:
        programs: the process's programs.
        settings: the process's plugin settings.
    """

    def __init__(self, programs: ProgramCache, settings: SettingsStore) -> None:
        self._programs = programs
        self._settings = settings

    async def of(self, session: TenantSession, tenant: TenantSnapshot, plugin: str) -> Sequence[ProgramRules]:
        """All programs of a tenant with a plugin's settings, in the order of the programs.

        Args:
            session: a transaction of this tenant.
            tenant: the snapshot of the request or job.
            plugin: a loaded plugin that has settings.

        Raises:
            KeyError: the plugin is not loaded or has no settings.
        """
        programs = await self._programs.programs(session, tenant)
        return [
            ProgramRules(one.info, await self._settings.get(session, tenant, plugin, one.id)) for one in programs.items
        ]
