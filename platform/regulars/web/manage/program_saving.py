"""Saving the form of a program: at once, or its rules at a later moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from regulars.contracts.errors import Conflict, InvalidInput, LimitReached, RegularsError
from regulars.domain.audit import service as audit
from regulars.domain.programs import changes, service
from regulars.domain.programs.lost_units import try_settings
from regulars.domain.programs.room import require_room_for
from regulars.domain.programs.service import Program
from regulars.domain.tenants.self_service import set_branding
from regulars.kernel.i18n import gettext as _
from regulars.web.again import FORM, faults_of
from regulars.web.manage.program_form import BRAND, CHANGE, HOST, VERSION, ReadForm, Sent, plugin_settings
from regulars.web.work import Work

Errors = dict[str, str]


async def save_all(work: Work, program: Program, read: ReadForm, sent: Sent) -> Errors:
    """Store everything, or plan what waits for its day; returns what is wrong, and then nothing may be kept."""
    session, ctx, errors = work.session, work.ctx, dict[str, str]()
    try:
        await service.update(session, ctx, program.id, read.draft)
        await _set_open(work, program, is_open=read.is_open)
    except (Conflict, InvalidInput, LimitReached) as error:
        errors |= renamed(error, HOST)
    if ctx.principal.may("branding.manage") and (read.name, read.branding) != (ctx.tenant.name, ctx.tenant.branding):
        try:
            await set_branding(session, ctx, read.name, read.branding)
        except InvalidInput as error:
            errors |= renamed(error, BRAND)
    changed = await _changed(work, program, read)
    try:
        moment = _moment(sent, read.draft.timezone)
        changes.checked_note(sent.get(f"{CHANGE}note", ""))
    except InvalidInput as error:
        return errors | renamed(error, CHANGE)
    save = (
        _save_rules(work, program, read, sent, changed)
        if moment is None
        else _plan(work, program, sent, changed, moment)
    )
    return errors | await save


def renamed(error: RegularsError, prefix: str) -> dict[str, str]:
    """The faults of an error by the names of the form's fields."""
    return {f"{prefix}{name}" if name != FORM else FORM: text for name, text in faults_of(error).items()}


async def _changed(work: Work, program: Program, read: ReadForm) -> dict[str, dict[str, Any]]:
    """Plugin → field → new value as JSON, of what is not as it is stored; secrets are masked."""
    before, found = await plugin_settings(work, program.info), dict[str, dict[str, Any]]()
    for plugin, settings in read.settings.items():
        names = {name for name, value in settings if getattr(before[plugin], name) != value}
        if names:
            found[plugin] = settings.model_dump(mode="json", include=names)
    return found


async def _save_rules(
    work: Work, program: Program, read: ReadForm, sent: Sent, changed: Mapping[str, dict[str, Any]]
) -> Errors:
    session, ctx, errors, note = work.session, work.ctx, dict[str, str](), sent.get(f"{CHANGE}note", "").strip()
    for plugin, values in changed.items():
        try:
            version = sent.get(f"{VERSION}{plugin}")
            given = read.plugins[plugin].values
            await try_settings(session, ctx.tenant, work.services.settings, plugin, program.id, given)
            parts = work.services
            await require_room_for(session, ctx, parts.plugins, parts.settings, plugin, program.id, given)
            await work.services.settings.save(session, ctx, plugin, program.id, given, version, note=note)
        except (InvalidInput, Conflict, LimitReached) as error:
            errors |= renamed(error, f"{plugin}.")
        details = {"plugin": plugin, "fields": sorted(values)}
        await audit.record(session, ctx, "settings.changed", "program", program.id, details)
    if changed and not errors:
        await changes.record(session, ctx, work.services.plugins, program.id, changed, note)
    return errors


async def _plan(
    work: Work, program: Program, sent: Sent, changed: Mapping[str, dict[str, Any]], moment: datetime
) -> Errors:
    days, tells = sent.get(f"{CHANGE}days", "").strip(), bool(sent.get(f"{CHANGE}tells"))
    try:
        if not changed:
            raise InvalidInput(fields={"date": _("No rule is changed. Change one, or leave the day empty.")})
        if tells and not (days.isascii() and days.isdecimal() and len(days) <= 3):
            raise InvalidInput(fields={"days": _("Choose a number of days up to %(count)s.", count=changes.MAX_DAYS)})
        await changes.plan(
            work.session,
            work.ctx,
            work.services.plugins,
            work.services.settings,
            program.id,
            changed,
            note=sent.get(f"{CHANGE}note", ""),
            effective_from=moment,
            announce_days=int(days) if tells else None,
        )
    except (InvalidInput, Conflict, LimitReached) as error:
        return renamed(error, CHANGE)
    return {}


def _moment(sent: Sent, timezone: str) -> datetime | None:
    """When the rules are to change, `None` for now."""
    day, hour = sent.get(f"{CHANGE}date", "").strip(), sent.get(f"{CHANGE}time", "").strip()
    if not day:
        return None
    try:
        return datetime.combine(date.fromisoformat(day), time.fromisoformat(hour or "00:00"), ZoneInfo(timezone))
    except ValueError:
        raise InvalidInput(fields={"date": _("Write the day like 2026-03-31 and the time like 08:00.")}) from None


async def _set_open(work: Work, program: Program, *, is_open: bool) -> None:
    if is_open and program.status != "paused":
        await service.set_status(work.session, work.ctx, program.id, "active")
    elif not is_open and program.status in {"active", "paused"}:
        await service.set_status(work.session, work.ctx, program.id, "inactive")
