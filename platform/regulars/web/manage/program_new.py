"""Beginning a program: what customers collect, and what it is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel, Field

from regulars.contracts.errors import InvalidInput, LimitReached, NotFound
from regulars.contracts.pages import PageContext
from regulars.domain.programs import service
from regulars.domain.programs.service import ProgramDraft
from regulars.kernel.i18n import gettext as _
from regulars.web.again import TryAgain, faults_of
from regulars.web.manage.blueprint import blueprint, manage_page, renew
from regulars.web.manage.choices import kind_choices
from regulars.web.manage.program import chosen_program, program_url
from regulars.web.results import Redirect, Result
from regulars.web.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramNewPage(PageContext):
    """Begin a program.

    Attributes:
        kinds: as the component `choice_tiles` takes them.
        is_first: the tenant has none yet.
    """

    template: ClassVar[str] = "manage/program_new.html"
    kinds: Sequence[Mapping[str, object]]
    is_first: bool
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


class NewProgramForm(BaseModel):
    """What is chosen for a program."""

    kind: str = ""
    name: str = Field(default="", max_length=500)


class KindForm(BaseModel):
    """What is chosen instead."""

    kind: str = ""


@blueprint.get("/program/new")
@manage_page("programs.manage")
async def new_program_form(work: Work) -> Result:
    """Ask for kind and name."""
    return await _new_page(work, {"name": work.ctx.tenant.name}, {})


@blueprint.post("/program/new")
@manage_page("programs.manage")
async def create_program(work: Work) -> Result:
    """Begin a program; it stays in set-up until it is opened."""
    form = await work.form(NewProgramForm)
    try:
        wanted = form.require()
        draft = ProgramDraft(wanted.name, work.ctx.tenant.timezone, work.ctx.tenant.currency)
        program = await service.create(work.session, work.ctx, wanted.kind, draft)
    except (InvalidInput, LimitReached) as error:
        raise TryAgain(work, await _new_page(work, form.values, faults_of(error))) from error
    renew(work)
    work.flash(_("Your program is there. Look through its settings and open it."), "info")
    return Redirect(program_url(program))


@blueprint.post("/program/kind")
@manage_page("programs.manage")
async def change_kind(work: Work) -> Result:
    """Let a program that was never open give something else."""
    wanted = (await work.form(KindForm)).require()
    program = await service.set_kind(work.session, work.ctx, (await chosen_program(work)).id, wanted.kind)
    renew(work)
    work.flash(_("Your customers collect something else now. Look through the settings and open your program."), "info")
    return Redirect(program_url(program))


async def _new_page(work: Work, values: Mapping[str, str], errors: Mapping[str, str]) -> ProgramNewPage:
    kinds = kind_choices(work)
    chosen = values.get("kind") or next((str(kind["value"]) for kind in kinds if not kind["disabled"]), "")
    programs = await service.list_programs(work.session)
    if not chosen:
        raise NotFound(_("No kind of program is switched on for you. Write to us and we see to it."))
    return ProgramNewPage(
        kinds=kinds,
        is_first=not programs.items,
        values={**values, "kind": chosen},
        errors=errors,
    )
