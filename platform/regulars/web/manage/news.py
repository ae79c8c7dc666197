"""What moves on the dashboard: its four figures and what happened last, which follow the till by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel
from quart import Response

from regulars.contracts.context import Context
from regulars.contracts.errors import NotFound
from regulars.contracts.pages import PageContext
from regulars.domain.ledger.history import words_of
from regulars.domain.ledger.topics import ACTIVITY
from regulars.domain.programs.service import Program, Programs
from regulars.domain.stats import service as stats
from regulars.domain.stats.service import ActivityDay, Dashboard, FeedItem, Tiles
from regulars.kernel import ids
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import format_money, format_number
from regulars.kernel.i18n import gettext as _
from regulars.kernel.i18n.formats import format_ago
from regulars.web.lists import url_of
from regulars.web.live import live_socket
from regulars.web.manage.blueprint import blueprint, manage_page
from regulars.web.manage.navigation import HOME
from regulars.web.results import Redirect, Result
from regulars.web.units import unit_amount, unit_title
from regulars.web.work import Work

FEED = f"{HOME}/feed"
FEED_SIZE = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresPart(PageContext):
    """The four figures.

    Attributes:
        tiles: the figures.
        saved: worth of all rewards, in words, one for each currency.
        saved_this_month: the same for this month.
        active_share: of members who were here in the last 30 days, 0 to 1.
        new_members: in the last 30 days.
        member_curve, visitor_curve, redeemed_curve, saved_curve: for the small curves in the tiles.
    """

    template: ClassVar[str] = "manage/figures.html"
    tiles: Tiles
    saved: Sequence[str]
    saved_this_month: Sequence[str]
    active_share: float
    new_members: int
    member_curve: Sequence[int]
    visitor_curve: Sequence[int]
    redeemed_curve: Sequence[int]
    saved_curve: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPart(PageContext):
    """What happened last.

    Attributes:
        items: mappings as the component `feed` takes them.
        url: where news are fetched; it names the last item that is shown.
    """

    template: ClassVar[str] = "manage/feed.html"
    items: Sequence[Mapping[str, object]]
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsPart(PageContext):
    """Both, for a dashboard that is open already."""

    template: ClassVar[str] = "manage/news.html"
    feed: FeedPart
    figures: FiguresPart


class FeedQuery(BaseModel):
    """What the page has already.

    Attributes:
        since: moment of the latest item shown, empty for none.
    """

    since: str = ""


@blueprint.get("/feed")
@manage_page("dashboard.view", feature="stats")
async def feed(work: Work) -> Result:
    """Feed and figures again, or nothing when nothing has happened since; only as a part of the dashboard."""
    if work.request.headers.get("HX-Request") != "true":
        return Redirect(HOME)
    latest = await stats.feed(work.session, work.ctx, 1)
    if latest and latest[0].at.isoformat() == work.query(FeedQuery).since:
        return Response(status=204)
    program = default_program(await work.services.programs.programs(work.session, work.ctx.tenant))
    data = await stats.dashboard(work.session, work.ctx, zone_of(work, program))
    return NewsPart(feed=feed_part(work, data.feed), figures=await figures_part(work, program, data))


@blueprint.websocket("/socket")
@live_socket(permission="dashboard.view", feature="stats")
async def socket(session: TenantSession, ctx: Context, query: Mapping[str, str]) -> Iterable[str]:
    """Hear of everything that stands in the feed."""
    del session, ctx, query
    return [ACTIVITY]


def default_program(programs: Programs) -> Program | None:
    """The program whose days and months count, `None` while there is none."""
    try:
        return programs.default
    except NotFound:
        return None


def zone_of(work: Work, program: Program | None) -> str:
    """The zone whose days and months count."""
    return program.timezone if program else work.ctx.tenant.timezone


async def figures_part(work: Work, program: Program | None, data: Dashboard) -> FiguresPart:
    """The four figures.

    Args:
        work: the request.
        program: whose zone and currency count.
        data: what the database says of them.
    """
    currency = program.currency if program else work.ctx.tenant.currency
    curves = await stats.curves(work.session, work.ctx, zone_of(work, program), currency)
    tiles, days = data.tiles, data.activity
    return FiguresPart(
        tiles=tiles,
        saved=_amounts(tiles.saved_total, work),
        saved_this_month=_amounts(tiles.saved_this_month, work),
        active_share=tiles.members_active / tiles.members_total if tiles.members_total else 0.0,
        new_members=sum(day.enrolled for day in days),
        member_curve=_member_curve(tiles.members_total, days),
        visitor_curve=curves.visitors,
        redeemed_curve=[day.redeemed for day in days],
        saved_curve=curves.saved,
    )


def feed_part(work: Work, latest: Sequence[FeedItem]) -> FeedPart:
    """What happened last, in words."""
    items = latest[:FEED_SIZE]
    since = items[0].at.isoformat() if items else ""
    return FeedPart(items=[_feed_item(work, item) for item in items], url=url_of(FEED, {"since": since}))


def member_url(member_id: UUID) -> str:
    """Address of a member's page."""
    return f"{HOME}/members/{ids.show(ids.MEMBER, member_id)}"


def _amounts(saved: Mapping[str, int], work: Work) -> Sequence[str]:
    """Amounts of each currency; zero in the tenant's own when there is none."""
    found = saved or {work.ctx.tenant.currency: 0}
    return [format_money(minor, currency, compact=True) for currency, minor in sorted(found.items())]


def _member_curve(total: int, activity: Sequence[ActivityDay]) -> Sequence[int]:
    """How many members there were at the end of each day."""
    curve, count = [], total
    for day in reversed(activity):
        curve.append(count)
        count -= day.enrolled
    return curve[::-1]


def _feed_item(work: Work, item: FeedItem) -> Mapping[str, object]:
    unit, amount = item.unit or "", unit_amount(work, item.unit or "", abs(item.amount or 0))
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
        balance = f"{unit_title(work, unit)}: {format_number(item.balance_after)}"
    return {
        "icon": marks[item.kind][0],
        "tone": marks[item.kind][1],
        "text": texts[item.kind],
        "sub": " · ".join(part for part in (when, balance) if part),
        "url": member_url(item.member_id),
    }


def _reached(work: Work, item: FeedItem) -> str:
    """`stamp #8`: what was earned, with the count after it where it has one."""
    unit, number = item.unit or "", item.amount or 0
    words = words_of(work.services.plugins, unit)
    return words.reached(number, item.balance_after or 0) if words else format_number(number)
