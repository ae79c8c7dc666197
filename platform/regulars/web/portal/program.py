"""What a program promises to somebody who has no card yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regulars.contracts.context import AccountState, ProgramInfo
from regulars.contracts.errors import NotFound
from regulars.contracts.providers import Progress
from regulars.domain.programs.service import plugins_outside
from regulars.web.work import Work


@dataclass(frozen=True, slots=True)
class Promise:
    """A program as strangers see it.

    Attributes:
        program: the one that a new card is for.
        progress: where a new card stands in each unit: "10 more stamps until your free coffee!".
    """

    program: ProgramInfo
    progress: Sequence[Progress]


async def promise_of(work: Work) -> Promise | None:
    """The promise of the program that a new member joins, `None` when there is none to join."""
    tenant, registry = work.ctx.tenant, work.services.plugins
    if not tenant.has("enrolment"):
        return None
    programs = await work.services.programs.programs(work.session, tenant)
    try:
        program = programs.default
    except NotFound:
        return None
    if program.status != "active":
        return None
    settings = await work.services.settings.get_all(work.session, tenant, program.id)
    enabled = tenant.enabled - plugins_outside(program.kind)
    progress = [
        one.provider.progress(AccountState(one.unit), one.settings)
        for one in registry.unit_providers.of_program(settings, enabled)
    ]
    return Promise(program.info, progress)
