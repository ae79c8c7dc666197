"""The shop's program and its figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from quart import Blueprint

from regulars.contracts.errors import Conflict, FeatureNotInOffering, InvalidInput, LimitReached, NotFound
from regulars.domain.audit import service as audit
from regulars.domain.programs import changes, pauses
from regulars.domain.programs import service as programs
from regulars.domain.programs.lost_units import try_settings
from regulars.domain.programs.room import require_room_for
from regulars.domain.programs.service import Program, ProgramDraft
from regulars.domain.stats import service as stats
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.web.api.models import NewProgram, ProgramAnswer, ProgramChange, StatsAnswer
from regulars.web.api.toolkit import ApiWork, Operation, api

TAG = "Program"


def add_routes(blueprint: Blueprint) -> None:
    """Add the routes of the program and the figures."""
    blueprint.add_url_rule("/program", "program", get_program, methods=["GET"])
    blueprint.add_url_rule("/program", "create_program", create_program, methods=["POST"])
    blueprint.add_url_rule("/program", "change_program", change_program, methods=["PATCH"])
    blueprint.add_url_rule("/stats", "stats", get_stats, methods=["GET"])


@api(
    Operation(
        door="store",
        permission="programs.view",
        answers={200: ProgramAnswer},
        problems=(NotFound,),
        tag=TAG,
    )
)
async def get_program(work: ApiWork) -> ProgramAnswer:
    """The shop's program: the oldest active one, else the oldest."""
    found = await work.services.programs.programs(work.session, work.ctx.tenant)
    return await _answer(work, found.default)


@api(
    Operation(
        door="store",
        permission="programs.manage",
        body=NewProgram,
        answers={201: ProgramAnswer},
        problems=(LimitReached, FeatureNotInOffering, Conflict),
        tag=TAG,
    )
)
async def create_program(work: ApiWork, body: NewProgram) -> ProgramAnswer:
    """Begin a program; it stays in set-up until `is_active` is set."""
    tenant = work.ctx.tenant
    draft = ProgramDraft(
        name=body.name,
        timezone=body.timezone or tenant.timezone,
        currency=body.currency or tenant.currency,
        require_pin=body.require_pin,
    )
    return await _answer(work, await programs.create(work.session, work.ctx, body.type, draft))


@api(
    Operation(
        door="store",
        permission="programs.manage",
        body=ProgramChange,
        answers={200: ProgramAnswer},
        problems=(NotFound, LimitReached, Conflict),
        tag=TAG,
    )
)
async def change_program(work: ApiWork, body: ProgramChange) -> ProgramAnswer:
    """Change the shop's program, open or close it, and set what its plugins go by."""
    program = (await programs.list_programs(work.session)).default
    given = body.model_dump(include={"name", "timezone", "currency", "require_pin"}, exclude_none=True)
    program = await programs.patch(work.session, work.ctx, program.id, given)
    if body.is_active is not None:
        program = await programs.set_status(
            work.session, work.ctx, program.id, "active" if body.is_active else "inactive"
        )
    if body.is_paused is not None:
        program = await _pause(work, program, body)
    await _save_settings(work, program, body.settings or {})
    return await _answer(work, program)


@api(
    Operation(
        door="store",
        permission="dashboard.view",
        feature="stats",
        answers={200: StatsAnswer},
        problems=(NotFound,),
        tag=TAG,
    )
)
async def get_stats(work: ApiWork) -> StatsAnswer:
    """Figures of the shop and of its program."""
    program = (await work.services.programs.programs(work.session, work.ctx.tenant)).default
    tiles = await stats.tiles(work.session, work.ctx, program.timezone)
    own = await stats.program_stats(work.session, work.ctx, program.info)
    return StatsAnswer(
        members_total=tiles.members_total,
        members_active=tiles.members_active,
        redeemed_this_month=own.redeemed_this_month,
        redeemed_total=own.redeemed_total,
        saved_this_month_minor=own.saved_this_month_minor,
        saved_total_minor=own.saved_total_minor,
        currency=program.currency,
        cards_total=own.cards_total,
        cards_active=own.cards_active,
        issued_this_month=own.issued_this_month,
        issued_total=own.issued_total,
    )


async def _pause(work: ApiWork, program: Program, body: ProgramChange) -> Program:
    """Pause, or go on; nothing when it is so already."""
    if body.is_paused and program.status != "paused":
        until = body.paused_until
        await pauses.begin(work.session, work.ctx, program.id, until=until, redeems=True, tells_members=False, note="")
        return replace(program, status="paused")
    if not body.is_paused and program.status == "paused":
        await pauses.end(work.session, work.ctx, program.id)
        return replace(program, status="active")
    return program


@contextmanager
def settings_of(work: ApiWork, plugin: str) -> Iterator[None]:
    """Whatever is wrong with a plugin's settings is said by the names of the request's fields.

    Raises:
        InvalidInput: the plugin is not here or has no settings, or one of them is wrong.
    """
    known = plugin in work.ctx.tenant.enabled and work.services.plugins.plugin(plugin).settings_model is not None
    if not known:
        sentence = _("There are no settings of “%(plugin)s” here.", plugin=plugin)
        raise InvalidInput(sentence, fields={f"settings.{plugin}": sentence})
    try:
        yield
    except InvalidInput as error:
        fields = {f"settings.{plugin}.{name}": text for name, text in error.fields.items()}
        raise InvalidInput(error.detail, fields=fields) from None


async def _save_settings(work: ApiWork, program: Program, settings: Mapping[str, Mapping[str, Any]]) -> None:
    saved: dict[str, dict[str, Any]] = {}
    for plugin, values in settings.items():
        with settings_of(work, plugin):
            parts = work.services
            await try_settings(work.session, work.ctx.tenant, parts.settings, plugin, program.id, values)
            await require_room_for(work.session, work.ctx, parts.plugins, parts.settings, plugin, program.id, values)
            model = await work.services.settings.save(work.session, work.ctx, plugin, program.id, values)
        saved[plugin] = model.model_dump(mode="json", include=set(values))  # secrets are masked
        details = {"plugin": plugin, "fields": sorted(values)}
        await audit.record(work.session, work.ctx, "settings.changed", "program", program.id, details)
    if saved:
        await changes.record(work.session, work.ctx, work.services.plugins, program.id, saved)


async def _answer(work: ApiWork, program: Program) -> ProgramAnswer:
    settings = await work.services.settings.get_all(work.session, work.ctx.tenant, program.id)
    return ProgramAnswer(
        id=ids.show(ids.PROGRAM, program.id),
        merchant=work.ctx.tenant.name,
        name=program.name,
        type=program.kind,
        status=program.status,
        is_active=program.status == "active",
        timezone=program.timezone,
        currency=program.currency,
        require_pin=program.require_pin,
        settings={plugin: model.model_dump(mode="json") for plugin, model in settings.items()},
        created_at=program.created_at,
    )
