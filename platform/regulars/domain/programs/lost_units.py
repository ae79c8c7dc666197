"""A unit that a program had and is to have no longer: not while somebody still has some of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from regulars.contracts.context import TenantSnapshot
from regulars.contracts.errors import InvalidInput
from regulars.contracts.providers import UnitWords
from regulars.domain.programs import repository
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import ngettext
from regulars.kernel.plugins.units import ProgramUnit
from regulars.kernel.settings import SettingsStore


async def try_settings(
    session: TenantSession,
    tenant: TenantSnapshot,
    settings: SettingsStore,
    plugin: str,
    program_id: UUID,
    values: Mapping[str, Any],
) -> BaseModel:
    """What saving some settings of a program would store; they must not take a unit away which is still on cards.

    Args:
        session: the transaction.
        tenant: whose.
        settings: where they would be saved.
        plugin: whose settings.
        program_id: of which program.
        values: field → value, as for `SettingsStore.save`.

    Raises:
        InvalidInput: a value is not acceptable, or a unit that would be gone is still in use, and on how many cards.
    """
    before = await settings.get(session, tenant, plugin, program_id)
    after = await settings.try_out(session, tenant, plugin, program_id, values)
    had, kept = (list(settings.units.of_program({plugin: one}, {plugin})) for one in (before, after))
    names = {one.unit for one in kept}
    for lost in (one for one in had if one.unit not in names):
        where = {"tenant": session.tenant_id, "program": program_id, "unit": lost.unit}
        holders = await session.scalar(repository.HOLDERS, where)
        if holders:
            raise _still_in_use(lost, holders)
    return after


def _still_in_use(lost: ProgramUnit, holders: int) -> InvalidInput:
    return InvalidInput(
        ngettext(
            "“%(unit)s” cannot be removed: %(num)s customer still has some of it. Close it instead.",
            "“%(unit)s” cannot be removed: %(num)s customers still have some of it. Close it instead.",
            holders,
            unit=lost.provider.title() if isinstance(lost.provider, UnitWords) else lost.unit,
        )
    )
