"""What was changed in a program's rules, by whom, and what is planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from regulars.contracts.errors import InvalidInput
from regulars.contracts.pages import PageContext
from regulars.domain.programs import changes, service
from regulars.domain.programs.changes import Change, Version
from regulars.domain.programs.service import Program
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.kernel.settings import Difference, differences
from regulars.web.lists import ListQuery, Pager, beyond_url, make_pager, url_of
from regulars.web.manage.blueprint import blueprint, manage_page
from regulars.web.manage.program import program_url
from regulars.web.results import Redirect, Result
from regulars.web.work import Work, read_id

LIST = "/manage/program/changes"


@dataclass(frozen=True, slots=True)
class Step:
    """One line: a change that is planned, or a version.

    Attributes:
        title: of the plugins.
        at: in the program's zone.
        who: name of whoever made it.
        differences: what is not as before.
        is_first: nothing was saved before it.
        url: to take it back, empty where that is not possible.
        error: why it could not be applied.
        tells_at: when members are told, or were.
    """

    title: str
    at: datetime
    who: str
    note: str
    differences: Sequence[Difference]
    is_first: bool = False
    url: str = ""
    error: str = ""
    tells_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramChangesPage(PageContext):
    """What is planned, and every version of the rules.

    Attributes:
        url: of the program's settings.
        planned: the next one first.
        history: the latest first.
    """

    template: ClassVar[str] = "manage/program_changes.html"
    url: str
    program: Program
    planned: Sequence[Step]
    history: Sequence[Step]
    pager: Pager


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeWithdrawPage(PageContext):
    """Asks before a planned change is taken back."""

    template: ClassVar[str] = "manage/change_withdraw.html"
    step: Step
    list_url: str
    was_told: bool


class ChangesQuery(ListQuery):
    """Which program is meant; empty for the usual one."""

    program: str = ""


@blueprint.get("/program/changes")
@manage_page("programs.manage")
async def program_changes(work: Work) -> Result:
    """The page."""
    query = work.query(ChangesQuery)
    programs = await service.list_programs(work.session)
    program = programs.get(read_id(ids.PROGRAM, query.program)) if query.program else programs.default
    found = await changes.list_versions(work.session, work.ctx, program.id, query.request())
    kept = {"program": query.program}
    if beyond := beyond_url(found, LIST, kept):
        return Redirect(beyond)
    return ProgramChangesPage(
        url=program_url(program),
        program=program,
        planned=[await _planned(work, program, one) for one in await changes.list_planned(work.session, program.id)],
        history=[_past(work, program, one) for one in found.items],
        pager=make_pager(found, LIST, kept),
    )


@blueprint.get("/program/changes/<change>/withdraw")
@manage_page("programs.manage")
async def withdraw_change_form(work: Work, change: str) -> Result:
    """Ask first."""
    found = await changes.get_planned(work.session, read_id(ids.CHANGE, change))
    program = (await service.list_programs(work.session)).get(found.program_id)
    return ChangeWithdrawPage(
        step=await _planned(work, program, found),
        list_url=_list_url(program),
        was_told=found.announced_at is not None,
    )


@blueprint.post("/program/changes/<change>/withdraw")
@manage_page("programs.manage")
async def withdraw_change(work: Work, change: str) -> Result:
    """Take it back."""
    found = await changes.withdraw(work.session, work.ctx, read_id(ids.CHANGE, change))
    work.flash(_("The change was taken back. The rules stay as they are."))
    return Redirect(_list_url((await service.list_programs(work.session)).get(found.program_id)))


def _list_url(program: Program) -> str:
    return url_of(LIST, {"program": ids.show(ids.PROGRAM, program.id)})


async def _planned(work: Work, program: Program, change: Change) -> Step:
    """A planned change beside what holds now."""
    now = await work.services.settings.get_all(work.session, work.ctx.tenant, program.id)
    found: list[Difference] = []
    for plugin, values in change.values.items():
        try:
            after = await work.services.settings.try_out(work.session, work.ctx.tenant, plugin, program.id, values)
        except (InvalidInput, KeyError):  # it does not fit any more, which is said when its day has come
            continue
        found += differences(now[plugin], after, program.currency) if plugin in now else ()
    return Step(
        title=", ".join(title_of(work, plugin) for plugin in change.values),
        at=change.effective_from,
        who=change.actor_name,
        note=change.note,
        differences=found,
        url=f"{LIST}/{ids.show(ids.CHANGE, change.id)}/withdraw" if change.status == "planned" else "",
        error=change.error,
        tells_at=change.announced_at or change.announce_at,
    )


def _past(work: Work, program: Program, version: Version) -> Step:
    settings = work.services.settings
    after = settings.read_values(version.plugin, version.version, version.values)
    before = after and settings.defaults(version.plugin)
    if version.version_before is not None and version.values_before is not None:
        before = settings.read_values(version.plugin, version.version_before, version.values_before)
    return Step(
        title=title_of(work, version.plugin),
        at=version.effective_from,
        who=version.actor_name,
        note=version.note,
        differences=differences(before, after, program.currency) if before and after else (),
        is_first=version.version_before is None,
    )


def title_of(work: Work, plugin: str) -> str:
    """What a plugin is called; its name when it is not here any more."""
    registry = work.services.plugins
    return _(registry.plugin(plugin).manifest.title) if plugin in registry.names else plugin
