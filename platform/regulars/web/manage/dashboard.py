"""The dashboard: four figures, the last 30 days, what happened last, and the first steps of a new merchant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from regulars.contracts.errors import Forbidden
from regulars.contracts.pages import PageContext
from regulars.domain.ledger.history import words_of
from regulars.domain.programs.service import Program
from regulars.domain.stats import service as stats
from regulars.domain.stats.service import ActivityDay
from regulars.kernel.i18n import gettext as _
from regulars.kernel.templating.chrome import Link
from regulars.web.manage.blueprint import blueprint, manage_page
from regulars.web.manage.first_steps import Step, first_steps
from regulars.web.manage.navigation import TERMINAL, first_page
from regulars.web.manage.news import (
    FeedPart,
    FiguresPart,
    default_program,
    feed_part,
    figures_part,
    zone_of,
)
from regulars.web.results import Redirect, Result
from regulars.web.units import unit_title
from regulars.web.when import short_day
from regulars.web.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardPage(PageContext):
    """The dashboard.

    Attributes:
        program: the one whose days and months count, `None` while there is none.
        figures: the four figures.
        series: headings of the chart's columns, the first one is the day.
        days: a label and the numbers of the series for each day, the oldest first.
        feed: what happened last.
        actions: quick actions at the terminal.
        steps: the first steps, empty when all are done.
        may_set_up: whether the reader may change the program.
    """

    template: ClassVar[str] = "manage/dashboard.html"
    program: Program | None
    figures: FiguresPart
    series: Sequence[str]
    days: Sequence[Sequence[str | int]]
    feed: FeedPart
    actions: Sequence[Link]
    steps: Sequence[Step]
    may_set_up: bool


@blueprint.get("/")
@manage_page(None)
async def home(work: Work) -> Result:
    """The dashboard, or the first page that the reader may see."""
    who = work.ctx.principal
    if not who.may("dashboard.view") or not work.ctx.tenant.has("stats"):
        url = first_page(work)
        if url is None:
            raise Forbidden(_("Your role does not allow this. Ask an owner or manager of the shop."))
        return Redirect(url)
    programs = await work.services.programs.programs(work.session, work.ctx.tenant)
    program = default_program(programs)
    data = await stats.dashboard(work.session, work.ctx, zone_of(work, program))
    return DashboardPage(
        program=program,
        figures=await figures_part(work, program, data),
        series=_series(work, data.activity),
        days=_days(work, data.activity),
        feed=feed_part(work, data.feed),
        actions=_actions(work) if program is not None and program.status == "active" else [],
        steps=await first_steps(work),
        may_set_up=who.may("programs.manage"),
    )


def _units(work: Work, activity: Sequence[ActivityDay]) -> Sequence[str]:
    """Units in loading order: those of enabled plugins, and others that were given in the time shown."""
    given = {unit for day in activity for unit in day.issued}
    units = work.services.plugins.unit_providers
    declared = [unit for unit, (plugin, _unit) in units.items() if plugin in work.ctx.tenant.enabled or unit in given]
    return [*declared, *sorted(unit for unit in given.difference(declared) if unit in units)]


def _series(work: Work, activity: Sequence[ActivityDay]) -> Sequence[str]:
    titles = (unit_title(work, unit) for unit in _units(work, activity))
    issued = [_("%(unit)s issued", unit=title) for title in titles]
    return [_("Day"), *issued, _("Rewards redeemed"), _("New members")]


def _days(work: Work, activity: Sequence[ActivityDay]) -> Sequence[Sequence[str | int]]:
    units = _units(work, activity)
    return [
        [
            short_day(day.day),
            *(max(0, day.issued.get(unit, 0)) for unit in units),
            day.redeemed,
            day.enrolled,
        ]
        for day in activity
    ]


def _actions(work: Work) -> Sequence[Link]:
    who, tenant = work.ctx.principal, work.ctx.tenant
    if not who.may("terminal.use"):
        return []
    found = []
    if who.may("sales.record"):
        for unit, (plugin, _provider) in work.services.plugins.unit_providers.items():
            words = words_of(work.services.plugins, unit)
            if plugin in tenant.enabled and words is not None:
                found.append(Link(label=words.action(), url=TERMINAL, icon="stamp"))
    if who.may("sales.redeem"):
        found.append(Link(label=_("Redeem a reward"), url=TERMINAL, icon="gift"))
    if who.may("members.enrol") and tenant.has("enrolment"):
        found.append(Link(label=_("Enrol a customer"), url=f"{TERMINAL}/enrol", icon="user-plus"))
    return [*found, Link(label=_("Look up a card"), url=TERMINAL, icon="scan-search")]
