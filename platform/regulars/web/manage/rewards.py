"""Rewards handed out: the list behind two of the dashboard's figures, and its export."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from quart import Response

from regulars.contracts.pages import PageContext
from regulars.domain.audit import service as audit
from regulars.domain.redemptions.lists import GivenReward, WantedRewards, all_given_rewards, given_rewards
from regulars.kernel.i18n import format_datetime, format_money
from regulars.kernel.i18n import gettext as _
from regulars.kernel.templating.chrome import Link
from regulars.web.exports import csv_response
from regulars.web.lists import ListQuery, Pager, beyond_url, make_pager, url_of
from regulars.web.manage.blueprint import blueprint, manage_page
from regulars.web.manage.navigation import HOME
from regulars.web.manage.news import default_program, member_url, zone_of
from regulars.web.results import Redirect, Result
from regulars.web.units import unit_amount
from regulars.web.when import moment_words
from regulars.web.work import Work

REWARDS = f"{HOME}/rewards"


class RewardsQuery(ListQuery):
    """Search and filter of the list."""

    show: Literal["month", "all"] = "month"

    def kept(self, **changes: str) -> Mapping[str, str]:
        """Search and filter for other addresses of the list."""
        return {"q": self.q, "show": "" if self.show == "month" else self.show, **changes}


@dataclass(frozen=True, slots=True)
class RewardRow:
    """A reward that was handed out, in words."""

    title: str
    who: str
    url: str
    cost: str
    value: str
    moment: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardsPage(PageContext):
    """Rewards handed out.

    Attributes:
        rows: the latest first.
        filters: this month, all.
        kept: filter, for the search box.
        may_export: whether the reader may take the list away.
    """

    template: ClassVar[str] = "manage/rewards.html"
    rows: Sequence[RewardRow]
    pager: Pager
    query: RewardsQuery
    filters: Sequence[Link]
    kept: Mapping[str, str]
    may_export: bool


@blueprint.get("/rewards")
@manage_page("dashboard.view", feature="stats")
async def rewards(work: Work) -> Result:
    """The list behind "redeemed" and "saved value"."""
    query = work.query(RewardsQuery)
    found = await given_rewards(work.session, work.ctx, query.request(), await _wanted(work, query))
    if beyond := beyond_url(found, REWARDS, query.kept()):
        return Redirect(beyond)
    return RewardsPage(
        rows=[_row(work, one) for one in found.items],
        pager=make_pager(found, REWARDS, query.kept()),
        query=query,
        filters=[
            Link(label=_("This month"), url=url_of(REWARDS, query.kept(show="")), active=query.show == "month"),
            Link(label=_("All"), url=url_of(REWARDS, query.kept(show="all")), active=query.show == "all"),
        ],
        kept={name: value for name, value in query.kept(q="").items() if value},
        may_export=work.ctx.principal.may("members.export"),
    )


@blueprint.post("/rewards/export")
@manage_page("members.export", feature="stats")
async def export_rewards(work: Work) -> Response:
    """The list as a file, with its search and filter; the audit log keeps who took it."""
    query = (await work.form(RewardsQuery)).data or RewardsQuery()
    details = {"sought": query.q, "only": query.show}
    await audit.record(work.session, work.ctx, "redemption.exported", "tenant", work.ctx.tenant.id, details)
    return csv_response(_rows(work, await _wanted(work, query)), f"{work.ctx.tenant.slug}-rewards.csv")


async def _rows(work: Work, wanted: WantedRewards) -> AsyncIterator[Sequence[str]]:
    yield (
        *(_("When"), _("Reward"), _("Customer"), _("E-mail"), _("Unit"), _("Cost")),
        *(_("Value"), _("Shop"), _("Staff")),
    )
    async for one in all_given_rewards(work.services.database, work.ctx, wanted):
        yield (
            *(format_datetime(one.created_at), one.title, one.name, one.email, one.unit, str(one.cost)),
            *(_value(one), one.shop, one.staff),
        )


async def _wanted(work: Work, query: RewardsQuery) -> WantedRewards:
    program = default_program(await work.services.programs.programs(work.session, work.ctx.tenant))
    return WantedRewards(zone_of(work, program), this_month=query.show == "month", sought=query.q)


def _row(work: Work, one: GivenReward) -> RewardRow:
    return RewardRow(
        title=one.title,
        who=one.name or one.email,
        url=member_url(one.member_id),
        cost=unit_amount(work, one.unit, one.cost),
        value=_value(one),
        moment=moment_words(one.created_at),
        place=" · ".join(part for part in (one.shop, one.staff) if part),
    )


def _value(one: GivenReward) -> str:
    return format_money(one.value_minor, one.currency) if one.value_minor is not None else ""
