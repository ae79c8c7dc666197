"""Rules of programs from the caches of programs and settings: a warm transaction asks no query for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from regulars.contracts.context import TenantSnapshot
from regulars.domain.ledger.fellows import HOUSEHOLDS
from regulars.domain.ledger.rules import Rules
from regulars.domain.programs.cache import ProgramCache
from regulars.domain.programs.service import plugins_outside
from regulars.kernel.db.database import TenantSession
from regulars.kernel.settings import SettingsStore


class RuleBook:
    """The `RuleSource` of a running installation.

    Args:
        programs: the process's programs.
        settings: the process's plugin settings.
    """

    def __init__(self, programs: ProgramCache, settings: SettingsStore) -> None:
        self._programs = programs
        self._settings = settings

    async def rules(self, session: TenantSession, tenant: TenantSnapshot, program_id: UUID) -> Rules:
        """The rules of a program at the tenant's revision.

        Raises:
            NotFound: the tenant has no such program.
        """
        program = (await self._programs.programs(session, tenant)).get(program_id)
        edition = await self._settings.edition(session, tenant, program_id)
        return Rules(
            program=program.info,
            require_pin=program.require_pin,
            settings=edition.models,
            versions=edition.numbers,
            idle=plugins_outside(program.kind),
            has_households=program.household_size > 0 and tenant.has(HOUSEHOLDS),
            claim_days=program.claim_days,
        )

    async def hold_since(
        self,
        session: TenantSession,
        tenant: TenantSnapshot,
        program_id: UUID,
        plugin: str,
        holds: Callable[[BaseModel], bool],
    ) -> datetime | None:
        """Since when something has been so, by the versions that are kept."""
        return await self._settings.holds_since(session, tenant, plugin, program_id, holds)
