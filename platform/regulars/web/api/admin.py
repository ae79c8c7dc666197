"""The platform's API for operators, on the console's host."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from quart import Blueprint

from regulars.contracts.errors import NotFound
from regulars.contracts.paging import PageRequest
from regulars.domain.tenants import console
from regulars.domain.tenants.console import ProgramFilter, ProgramLine
from regulars.kernel import ids
from regulars.web.api.models import Page, PlatformProgram, PlatformProgramList, PlatformStatsAnswer
from regulars.web.api.toolkit import AdminWork, Operation, api
from regulars.web.work import read_id

TAG = "Platform"


class ProgramQuery(Page):
    """Search and filter of all programs."""

    q: str = Field(default="", max_length=200, description="Part of a program's or merchant's name.")
    type: Literal["", "stamps", "points", "hybrid"] = ""
    status: Literal["", "setup", "active", "inactive"] = ""


def add_routes(blueprint: Blueprint) -> None:
    """Add the operator's routes."""
    blueprint.add_url_rule("/programs", "programs", list_programs, methods=["GET"])
    blueprint.add_url_rule("/programs/<program_id>", "program", get_program, methods=["GET"])
    blueprint.add_url_rule("/stats", "stats", get_stats, methods=["GET"])


@api(Operation(door="admin", query=ProgramQuery, answers={200: PlatformProgramList}, tag=TAG))
async def list_programs(work: AdminWork, query: ProgramQuery) -> PlatformProgramList:
    """Programs of all merchants, by merchant."""
    wanted = ProgramFilter(text=query.q, kind=query.type, status=query.status)
    paged = await console.list_programs(work.session, wanted, PageRequest(query.page, query.size))
    return PlatformProgramList(
        items=[_program(line) for line in paged.items],
        total=paged.total,
        page=query.page,
        size=query.size,
        pages=paged.pages,
    )


@api(Operation(door="admin", answers={200: PlatformProgram}, problems=(NotFound,), tag=TAG))
async def get_program(work: AdminWork, program_id: str) -> PlatformProgram:
    """One program of any merchant."""
    return _program(await console.get_program(work.session, read_id(ids.PROGRAM, program_id)))


@api(Operation(door="admin", answers={200: PlatformStatsAnswer}, tag=TAG))
async def get_stats(work: AdminWork) -> PlatformStatsAnswer:
    """Figures of the whole platform."""
    found = await console.platform_stats(work.session)
    return PlatformStatsAnswer(
        programs_total=found.programs_total,
        programs_active=found.programs_active,
        programs_by_type={share.kind: share.total for share in found.kinds},
        members_total=found.members,
        saved_total_minor=found.saved,
    )


def _program(line: ProgramLine) -> PlatformProgram:
    return PlatformProgram(
        id=ids.show(ids.PROGRAM, line.id),
        tenant=ids.show(ids.TENANT, line.tenant_id),
        merchant=line.tenant_name,
        name=line.name,
        type=line.kind,
        status=line.status,
        timezone=line.timezone,
        currency=line.currency,
        offering=line.offering,
        members=line.members,
        activity=line.activity,
        last_activity_at=line.last_activity_at,
        created_at=line.created_at,
    )
