"""Beginning a program: what customers collect, and what it is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel, Field

from regulars.contracts.errors import InvalidInput, LimitReached, NotFound
from regulars.contracts.pages import PageContext
from regulars.domain.programs import service
from regulars.domain.programs.service import KINDS, ProgramDraft
from regulars.kernel.i18n import gettext as _
from regulars.web.again import TryAgain, faults_of
from regulars.web.manage.blueprint import blueprint, manage_page, renew
from regulars.web.manage.program import program_url
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


async def _new_page(work: Work, values: Mapping[str, str], errors: Mapping[str, str]) -> ProgramNewPage:
    texts = {
        "stamps": ("stamp", _("Buy ten, get one: a stamp for every visit.")),
        "points": ("coins", _("Points for every euro, rewards to choose from.")),
        "hybrid": ("layers", _("Stamps and points on one card.")),
    }
    kinds = [kind for kind in KINDS if all(part in work.services.catalogue.features for part in _parts(kind))]
    chosen = values.get("kind") or next((kind for kind in kinds if _is_included(work, kind)), "")
    programs = await service.list_programs(work.session)
    if not any(_is_included(work, kind) for kind in kinds):
        raise NotFound(_("No kind of program is switched on for you. Write to us and we see to it."))
    return ProgramNewPage(
        kinds=[
            {
                "value": kind,
                "label": _(KINDS[kind]),
                "icon": texts[kind][0],
                "text": texts[kind][1] if _is_included(work, kind) else _("Not in your offering."),
                "disabled": not _is_included(work, kind),
            }
            for kind in kinds
        ],
        is_first=not programs.items,
        values={**values, "kind": chosen},
        errors=errors,
    )


def _parts(kind: str) -> Sequence[str]:
    """Features without which a kind of program makes no sense."""
    return ("hybrid", "stamps", "points") if kind == "hybrid" else (kind,)


def _is_included(work: Work, kind: str) -> bool:
    return all(work.ctx.tenant.has(part) for part in _parts(kind))
