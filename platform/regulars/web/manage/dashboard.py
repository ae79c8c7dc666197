"""The dashboard: four figures, the last 30 days, what happened last, and the first steps of a new merchant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel
from quart import Response

from regulars.contracts.errors import Forbidden, NotFound
from regulars.contracts.pages import PageContext
from regulars.domain.ledger.history import words_of
from regulars.domain.programs.service import Program, Programs
from regulars.domain.redemptions.lists import given_rewards
from regulars.domain.staff import service as staff
from regulars.domain.stats import service as stats
from regulars.domain.stats.service import ActivityDay, FeedItem, Tiles
from regulars.kernel import ids
from regulars.kernel.i18n import format_money, format_number
from regulars.kernel.i18n import gettext as _
from regulars.kernel.i18n.formats import format_ago
from regulars.kernel.templating.chrome import Link
from regulars.web.lists import ListQuery, Pager, beyond_url, make_pager, url_of
from regulars.web.manage.blueprint import blueprint, manage_page
from regulars.web.manage.navigation import HOME, TERMINAL, first_page
from regulars.web.results import Redirect, Result
from regulars.web.when import moment_words, short_day
from regulars.web.work import Work

REWARDS = f"{HOME}/rewards"
FEED = f"{HOME}/feed"
FEED_SIZE = 9


@dataclass(frozen=True, slots=True)
class Step:
    """One of the first steps.

    Attributes:
        done: whether it is.
        url: where it is done.
    """

    title: str
    text: str
    done: bool
    url: str
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPart(PageContext):
    """What happened last; a part of the dashboard that renews itself.

    Attributes:
        items: mappings as the component `feed` takes them.
        url: where the next one is fetched; it names the last item that is shown.
    """

    template: ClassVar[str] = "manage/feed.html"
    items: Sequence[Mapping[str, object]]
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardPage(PageContext):
    """The dashboard.

    Attributes:
        program: the one whose days and months count, `None` while there is none.
        tiles: the figures.
        saved: worth of all rewards, in words, one for each currency.
        saved_this_month: the same for this month.
        active_share: of members who were here in the last 30 days, 0 to 1.
        new_members: in the last 30 days.
        series: headings of the chart's columns, the first one is the day.
        days: a label and the numbers of the series for each day, the oldest first.
        member_curve, visitor_curve, redeemed_curve, saved_curve: for the small curves in the tiles.
        feed: what happened last.
        actions: quick actions at the terminal.
        steps: the first steps, empty when all are done.
        may_set_up: whether the reader may change the program.
    """

    template: ClassVar[str] = "manage/dashboard.html"
    program: Program | None
    tiles: Tiles
    saved: Sequence[str]
    saved_this_month: Sequence[str]
    active_share: float
    new_members: int
    series: Sequence[str]
    days: Sequence[Sequence[str | int]]
    member_curve: Sequence[int]
    visitor_curve: Sequence[int]
    redeemed_curve: Sequence[int]
    saved_curve: Sequence[int]
    feed: FeedPart
    actions: Sequence[Link]
    steps: Sequence[Step]
    may_set_up: bool


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
    """

    template: ClassVar[str] = "manage/rewards.html"
    rows: Sequence[RewardRow]
    pager: Pager
    filters: Sequence[Link]


class FeedQuery(BaseModel):
    """What the page has already.

    Attributes:
        since: moment of the latest item shown, empty for none.
    """

    since: str = ""


class RewardsQuery(ListQuery):
    """The list's address."""

    show: Literal["month", "all"] = "month"


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
    program = _default(programs)
    zone = program.timezone if program else work.ctx.tenant.timezone
    data = await stats.dashboard(work.session, work.ctx, zone)
    currency = program.currency if program else work.ctx.tenant.currency
    curves = await stats.curves(work.session, work.ctx, zone, currency)
    tiles = data.tiles
    return DashboardPage(
        program=program,
        tiles=tiles,
        saved=_amounts(tiles.saved_total, work),
        saved_this_month=_amounts(tiles.saved_this_month, work),
        active_share=tiles.members_active / tiles.members_total if tiles.members_total else 0.0,
        new_members=sum(day.enrolled for day in data.activity),
        series=_series(work, data.activity),
        days=_days(work, data.activity),
        member_curve=_member_curve(tiles.members_total, data.activity),
        visitor_curve=curves.visitors,
        redeemed_curve=[day.redeemed for day in data.activity],
        saved_curve=curves.saved,
        feed=_feed(work, data.feed[:FEED_SIZE]),
        actions=_actions(work) if program is not None and program.status == "active" else [],
        steps=await _steps(work, program, tiles),
        may_set_up=who.may("programs.manage"),
    )


@blueprint.get("/feed")
@manage_page("dashboard.view", feature="stats")
async def feed(work: Work) -> Result:
    """The feed again, or nothing when nothing has happened since; only as a part of the dashboard."""
    if work.request.headers.get("HX-Request") != "true":
        return Redirect(HOME)
    items = await stats.feed(work.session, work.ctx, FEED_SIZE)
    if items and items[0].at.isoformat() == work.query(FeedQuery).since:
        return Response(status=204)
    return _feed(work, items)


@blueprint.get("/rewards")
@manage_page("dashboard.view", feature="stats")
async def rewards(work: Work) -> Result:
    """The list behind "redeemed" and "saved value"."""
    query = work.query(RewardsQuery)
    programs = await work.services.programs.programs(work.session, work.ctx.tenant)
    program = _default(programs)
    found = await given_rewards(
        work.session,
        work.ctx,
        query.request(),
        this_month=query.show == "month",
        timezone=program.timezone if program else work.ctx.tenant.timezone,
    )
    kept = {"show": "" if query.show == "month" else query.show}
    if beyond := beyond_url(found, REWARDS, kept):
        return Redirect(beyond)
    rows = [
        RewardRow(
            title=one.title,
            who=one.name or one.email,
            url=_member_url(one.member_id),
            cost=_amount(work, one.unit, one.cost),
            value=format_money(one.value_minor, one.currency) if one.value_minor is not None else "",
            moment=moment_words(one.created_at),
            place=" · ".join(part for part in (one.shop, one.staff) if part),
        )
        for one in found.items
    ]
    return RewardsPage(
        rows=rows,
        pager=make_pager(found, REWARDS, kept),
        filters=[
            Link(label=_("This month"), url=REWARDS, active=query.show == "month"),
            Link(label=_("All"), url=url_of(REWARDS, {"show": "all"}), active=query.show == "all"),
        ],
    )


def _default(programs: Programs) -> Program | None:
    try:
        return programs.default
    except NotFound:
        return None


def _amounts(saved: Mapping[str, int], work: Work) -> Sequence[str]:
    """Amounts of each currency; zero in the tenant's own when there is none."""
    found = saved or {work.ctx.tenant.currency: 0}
    return [format_money(minor, currency, compact=True) for currency, minor in sorted(found.items())]


def _units(work: Work, activity: Sequence[ActivityDay]) -> Sequence[str]:
    """Units in loading order: those of enabled plugins, and others that were given in the time shown."""
    given = {unit for day in activity for unit in day.issued}
    providers = work.services.plugins.unit_providers.items()
    return [unit for unit, (plugin, _unit) in providers if plugin in work.ctx.tenant.enabled or unit in given]


def _series(work: Work, activity: Sequence[ActivityDay]) -> Sequence[str]:
    titles = (_title(work, unit) for unit in _units(work, activity))
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


def _member_curve(total: int, activity: Sequence[ActivityDay]) -> Sequence[int]:
    """How many members there were at the end of each day."""
    curve, count = [], total
    for day in reversed(activity):
        curve.append(count)
        count -= day.enrolled
    return curve[::-1]


def _feed(work: Work, items: Sequence[FeedItem]) -> FeedPart:
    since = items[0].at.isoformat() if items else ""
    return FeedPart(items=[_feed_item(work, item) for item in items], url=url_of(FEED, {"since": since}))


def _feed_item(work: Work, item: FeedItem) -> Mapping[str, object]:
    unit, amount = item.unit or "", _amount(work, item.unit or "", abs(item.amount or 0))
    texts = {
        "earned": _("%(who)s earned %(what)s", who=item.who, what=_reached(work, item)),
        "redeemed": _("%(who)s redeemed %(reward)s", who=item.who, reward=item.title or _("a reward")),
        "undone": _("%(amount)s of %(who)s taken back", who=item.who, amount=amount),
        "joined": _("%(who)s joined", who=item.who),
    }
    marks = {
        "earned": ("stamp", "success"),
        "redeemed": ("gift", "primary"),
        "undone": ("undo-2", "warning"),
        "joined": ("user-plus", "info"),
    }
    when = format_ago(item.at, now=max(item.at, datetime.now(item.at.tzinfo)))
    balance = ""
    if item.balance_after is not None and item.kind != "earned":  # "stamp #8" says it already
        balance = f"{_title(work, unit)}: {format_number(item.balance_after)}"
    return {
        "icon": marks[item.kind][0],
        "tone": marks[item.kind][1],
        "text": texts[item.kind],
        "sub": " · ".join(part for part in (when, balance) if part),
        "url": _member_url(item.member_id),
    }


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


async def _steps(work: Work, program: Program | None, tiles: Tiles) -> Sequence[Step]:
    """What a new merchant has still to do; nothing for readers who cannot do it."""
    if not work.ctx.principal.may("programs.manage"):
        return []
    people = await staff.on_duty(work.session, work.ctx)
    steps = [
        Step(
            _("Set up your program"),
            _("What customers collect, what they get for it, and how the card looks."),
            program is not None and program.status != "setup",
            f"{HOME}/program",
            _("Set up"),
        ),
        Step(
            _("Give your team PINs"),
            _("Every stamp then has a name behind it."),
            bool(people) or not work.ctx.tenant.has("staff_pins"),
            f"{HOME}/staff",
            _("Add people"),
        ),
        Step(
            _("Enrol the first customer"),
            _("At the terminal, with nothing but an e-mail address. Try it with your own."),
            tiles.members_total > 0,
            f"{TERMINAL}/enrol",
            _("Enrol"),
        ),
    ]
    return [] if all(step.done for step in steps) else steps


def _title(work: Work, unit: str) -> str:
    words = words_of(work.services.plugins, unit)
    return words.title() if words else unit.capitalize()


def _amount(work: Work, unit: str, number: int) -> str:
    words = words_of(work.services.plugins, unit)
    return words.amount(number) if words else format_number(number)


def _reached(work: Work, item: FeedItem) -> str:
    """`stamp #8`: what was earned, with the count after it where it has one."""
    unit, number = item.unit or "", item.amount or 0
    words = words_of(work.services.plugins, unit)
    return words.reached(number, item.balance_after or 0) if words else format_number(number)


def _member_url(member_id: UUID) -> str:
    return f"{HOME}/members/{ids.show(ids.MEMBER, member_id)}"
