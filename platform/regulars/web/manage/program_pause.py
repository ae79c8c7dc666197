"""Pausing a program, and letting it go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import ClassVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from regulars.contracts.errors import Conflict, InvalidInput
from regulars.contracts.pages import PageContext
from regulars.domain.programs import pauses, service
from regulars.domain.programs.pauses import Pause
from regulars.domain.programs.service import Program
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.web.again import TryAgain, faults_of
from regulars.web.lists import url_of
from regulars.web.manage.blueprint import blueprint, manage_page, renew
from regulars.web.manage.program import PATH, ProgramQuery, program_url
from regulars.web.results import Redirect, Result
from regulars.web.work import Work, read_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramPausePage(PageContext):
    """Asks how long a program pauses, and says what that means.

    Attributes:
        url: of the form.
        back_url: of the program's settings.
        values: field → what is shown.
        errors: field → sentence.
    """

    template: ClassVar[str] = "manage/program_pause.html"
    url: str
    back_url: str
    values: Mapping[str, str] = field(default_factory=lambda: {"redeems": "1"})
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramResumePage(PageContext):
    """Asks before a program goes on."""

    template: ClassVar[str] = "manage/program_resume.html"
    url: str
    back_url: str
    pause: Pause
    timezone: str


class PauseForm(BaseModel):
    """What is typed of a pause."""

    date: str = Field(default="", max_length=20)
    time: str = Field(default="", max_length=20)
    redeems: str = Field(default="", max_length=5)
    tells: str = Field(default="", max_length=5)
    note: str = Field(default="", max_length=2000)


@blueprint.get("/program/pause")
@manage_page("programs.manage")
async def pause_form(work: Work) -> Result:
    """The form."""
    program = await _program(work)
    return ProgramPausePage(url=pause_url(program), back_url=program_url(program))


@blueprint.post("/program/pause")
@manage_page("programs.manage")
async def pause_program(work: Work) -> Result:
    """Let it pause."""
    program, form = await _program(work), await work.form(PauseForm)
    try:
        wanted = form.require()
        await pauses.begin(
            work.session,
            work.ctx,
            program.id,
            until=_until(wanted, program.timezone),
            redeems=bool(wanted.redeems),
            tells_members=bool(wanted.tells),
            note=wanted.note,
        )
    except (InvalidInput, Conflict) as error:
        values = {**form.values, **{name: form.values.get(name, "") for name in ("redeems", "tells")}}
        page = ProgramPausePage(
            url=pause_url(program), back_url=program_url(program), values=values, errors=faults_of(error)
        )
        raise TryAgain(work, page) from error
    renew(work)
    work.flash(_("%(name)s is paused.", name=program.name))
    return Redirect(program_url(program))


@blueprint.get("/program/resume")
@manage_page("programs.manage")
async def resume_form(work: Work) -> Result:
    """Say what it means, and ask."""
    program = await _program(work)
    pause = await pauses.current(work.session, program.id)
    if pause is None:
        return Redirect(program_url(program))
    return ProgramResumePage(
        url=resume_url(program), back_url=program_url(program), pause=pause, timezone=program.timezone
    )


@blueprint.post("/program/resume")
@manage_page("programs.manage")
async def resume_program(work: Work) -> Result:
    """Let it go on."""
    program = await _program(work)
    try:
        await pauses.end(work.session, work.ctx, program.id)
    except Conflict as error:
        work.flash(error.detail, "error")
        return Redirect(program_url(program))
    renew(work)
    work.flash(_("%(name)s goes on. All dates move on by the length of the pause.", name=program.name))
    return Redirect(program_url(program))


def pause_url(program: Program) -> str:
    """Where a program is paused."""
    return _url("pause", program)


def resume_url(program: Program) -> str:
    """Where a program goes on."""
    return _url("resume", program)


def _url(what: str, program: Program) -> str:
    return url_of(f"{PATH}/{what}", {"program": ids.show(ids.PROGRAM, program.id)})


async def _program(work: Work) -> Program:
    programs, text = await service.list_programs(work.session), work.query(ProgramQuery).program
    return programs.get(read_id(ids.PROGRAM, text)) if text else programs.default


def _until(form: PauseForm, timezone: str) -> datetime | None:
    if not form.date.strip():
        return None
    try:
        day, hour = date.fromisoformat(form.date.strip()), time.fromisoformat(form.time.strip() or "00:00")
    except ValueError:
        raise InvalidInput(fields={"until": _("Write the day like 2026-03-31 and the time like 08:00.")}) from None
    return datetime.combine(day, hour, ZoneInfo(timezone))
