"""What is changed inside of a tenant: shops, programs with their settings, staff. Nothing is ever taken away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.errors import InvalidInput
from regulars.domain.audit.service import record
from regulars.domain.programs import service as programs
from regulars.domain.shops import service as shops
from regulars.domain.staff import service as staff
from regulars.domain.tenants.files.changes import Change, Step, differences
from regulars.domain.tenants.files.formats import ProgramFile, ShopFile, StaffFile
from regulars.domain.tenants.files.reading import DeclaredTenant
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import gettext as _
from regulars.kernel.settings import SettingsStore

InnerStep = Step[TenantSession]


async def inner_steps(
    session: TenantSession, ctx: Context, tenant: DeclaredTenant, settings: SettingsStore
) -> list[InnerStep]:
    """What must change in a tenant that exists; what its folder does not name stays.

    Args:
        session: the tenant's.
        ctx: principal `system`.
        tenant: the folder.
        settings: of the plugins.
    """
    known_shops = {shop.name: shop for shop in await shops.list_shops(session)}
    known_programs = {program.name: program for program in (await programs.list_programs(session)).items}
    known_staff = {person.email or person.name: person for person in await staff.list_staff(session, ctx)}
    steps: list[InnerStep] = []
    for shop in tenant.file.shops:
        steps += _shop_steps(tenant.slug, ctx, shop, known_shops.get(shop.name))
    for program in tenant.file.programs:
        before = known_programs.get(program.name)
        wanted = await _complete(session, ctx, settings, program, before)
        stored = await _stored_settings(session, ctx, settings, program, before)
        steps += _program_steps(tenant, ctx, settings, wanted, before, stored)
    for person in tenant.file.staff:
        steps += _staff_steps(tenant.slug, ctx, person, known_staff.get(person.email.lower() or person.name))
    return steps


def steps_of_new(tenant: DeclaredTenant) -> list[Change]:
    """What will be added in a tenant that does not exist yet."""
    file = tenant.file
    return [
        *(Change("add", _subject(tenant.slug, "shop", shop.name)) for shop in file.shops[1:]),
        *(Change("add", _subject(tenant.slug, "program", program.name)) for program in file.programs),
        *(Change("add", _subject(tenant.slug, "staff", person.name), person.role) for person in file.staff),
    ]


def _shop_steps(slug: str, ctx: Context, wanted: ShopFile, before: shops.Shop | None) -> Iterator[InnerStep]:
    subject = _subject(slug, "shop", wanted.name)
    if before is None:
        yield Step(Change("add", subject), partial(shops.add, ctx=ctx, name=wanted.name, address=wanted.address))
    elif words := differences({"address": before.address}, {"address": wanted.address}):
        make = partial(shops.change, ctx=ctx, shop_id=before.id, name=wanted.name, address=wanted.address)
        yield Step(Change("change", subject, words), make)


def _program_steps(
    tenant: DeclaredTenant,
    ctx: Context,
    settings: SettingsStore,
    wanted: ProgramFile,
    before: programs.Program | None,
    stored: Mapping[str, Mapping[str, Any]],
) -> Iterator[InnerStep]:
    subject = _subject(tenant.slug, "program", wanted.name)
    draft = programs.ProgramDraft(
        wanted.name, tenant.profile.timezone, tenant.profile.currency, require_pin=wanted.require_pin
    )
    if before is None:
        yield Step(Change("add", subject), partial(_add_program, ctx, settings, wanted, draft))
        return
    if before.kind != wanted.kind:
        sentence = _(
            "It is of the kind %(kind)s and cannot become another one; add a program instead.", kind=before.kind
        )
        raise InvalidInput(sentence, fields={f"programs, “{wanted.name}”, kind": sentence})
    now = {"require_pin": before.require_pin, "timezone": before.timezone, "currency": before.currency}
    if words := differences(now, {name: getattr(draft, name) for name in now}):
        yield Step(
            Change("change", subject, words), partial(programs.update, ctx=ctx, program_id=before.id, draft=draft)
        )
    if wanted.status not in {before.status, "setup"}:
        make = partial(programs.set_status, ctx=ctx, program_id=before.id, status=wanted.status)
        yield Step(Change("change", subject, differences({"status": before.status}, {"status": wanted.status})), make)
    for plugin, values in wanted.settings.items():
        if words := differences(stored[plugin], values):
            yield Step(
                Change("change", f"{subject}, {plugin}", words),
                partial(_save, ctx, settings, before.id, plugin, values),
            )


def _staff_steps(slug: str, ctx: Context, wanted: StaffFile, before: staff.StaffMember | None) -> Iterator[InnerStep]:
    subject = _subject(slug, "staff", wanted.name)
    draft = staff.StaffDraft(wanted.name, wanted.role, wanted.email)
    if before is None:
        yield Step(Change("add", subject, wanted.role), partial(staff.add, ctx=ctx, draft=draft))
    elif before.status == "active" and (
        words := differences({"name": before.name, "role": before.role}, {"name": wanted.name, "role": wanted.role})
    ):
        yield Step(Change("change", subject, words), partial(staff.change, ctx=ctx, staff_id=before.id, draft=draft))


async def _complete(
    session: TenantSession,
    ctx: Context,
    settings: SettingsStore,
    wanted: ProgramFile,
    before: programs.Program | None,
) -> ProgramFile:
    """The program with its settings as they would be stored: rows of a list with all their fields, to be compared."""
    if before is None:
        return wanted
    complete = {}
    for plugin, values in wanted.settings.items():
        model = await settings.try_out(session, ctx.tenant, plugin, before.id, values)
        stored = model.model_dump(mode="json")
        complete[plugin] = {name: stored[name] for name in values}
    return wanted.model_copy(update={"settings": complete})


async def _stored_settings(
    session: TenantSession,
    ctx: Context,
    settings: SettingsStore,
    wanted: ProgramFile,
    before: programs.Program | None,
) -> dict[str, dict[str, Any]]:
    if before is None:
        return {}
    models = {name: await settings.get(session, ctx.tenant, name, before.id) for name in wanted.settings}
    return {name: model.model_dump(mode="json") for name, model in models.items()}


async def _add_program(
    ctx: Context,
    settings: SettingsStore,
    wanted: ProgramFile,
    draft: programs.ProgramDraft,
    session: TenantSession,
) -> None:
    program = await programs.create(session, ctx, wanted.kind, draft)
    for plugin, values in wanted.settings.items():
        await _save(ctx, settings, program.id, plugin, values, session)
    if wanted.status != "setup":
        await programs.set_status(session, ctx, program.id, wanted.status)


async def _save(
    ctx: Context,
    settings: SettingsStore,
    program_id: UUID,
    plugin: str,
    values: Mapping[str, Any],
    session: TenantSession,
) -> None:
    await settings.save(session, ctx, plugin, program_id, values)
    details = {"plugin": plugin, "fields": sorted(values)}
    await record(session, ctx, "settings.changed", "program", program_id, details)


def _subject(slug: str, word: str, name: str) -> str:
    return f"{slug}: {word} “{name}”"
