"""Figures of a tenant: the dashboard's tiles, its activity of the last days, its feed, and a program's statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row

from regulars.contracts.context import Context, ProgramInfo
from regulars.domain.members.normalise import short_name
from regulars.domain.staff.permissions import require
from regulars.domain.stats import repository
from regulars.kernel.db.database import TenantSession

DAYS = 30
FEED_SIZE = 12
FeedKind = Literal["earned", "redeemed", "undone", "joined"]
_FEED_KINDS: Mapping[str, FeedKind] = {
    "earn": "earned",
    "redeem": "redeemed",
    "reverse": "undone",
    "joined": "joined",
}


@dataclass(frozen=True, slots=True)
class Tiles:
    """The figures on top of the dashboard.

    Attributes:
        members_active: who was here in the last 30 days.
        saved_this_month, saved_total: currency → worth of the rewards handed out, in minor units.
    """

    members_total: int
    members_active: int
    redeemed_this_month: int
    saved_this_month: Mapping[str, int]
    saved_total: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ActivityDay:
    """What happened on one day of the program's zone.

    Attributes:
        issued: unit → units given, less those taken back; a unit without any is missing.
        redeemed: rewards handed out.
        enrolled: new members.
    """

    day: date
    issued: Mapping[str, int]
    redeemed: int
    enrolled: int


@dataclass(frozen=True, slots=True)
class Curves:
    """The last days in small, one number a day, the oldest first.

    Attributes:
        visitors: cards that something was recorded on.
        saved: worth of the rewards handed out, in minor units of one currency.
    """

    visitors: Sequence[int]
    saved: Sequence[int]


@dataclass(frozen=True, slots=True)
class FeedItem:
    """Something that happened, for the feed: "John D. earned stamp #8".

    Attributes:
        who: a name that others may see.
        unit, amount, balance_after: of the movement, `None` for `joined`.
        title: of the reward, for `redeemed` and the undoing of it.
    """

    kind: FeedKind
    at: datetime
    member_id: UUID
    who: str
    unit: str | None
    amount: int | None
    balance_after: int | None
    title: str | None


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Everything on the dashboard; `activity` has one entry for each of the last days, the oldest first."""

    tiles: Tiles
    activity: Sequence[ActivityDay]
    feed: Sequence[FeedItem]


@dataclass(frozen=True, slots=True)
class ProgramStats:
    """Statistics of one program.

    Attributes:
        cards_active: cards whose member was here in the last 30 days.
        issued_total, issued_this_month: unit → units given, less those taken back.
        saved_this_month_minor, saved_total_minor: worth of the rewards, minor units of the program's currency.
    """

    cards_total: int
    cards_active: int
    issued_total: Mapping[str, int]
    issued_this_month: Mapping[str, int]
    redeemed_total: int
    redeemed_this_month: int
    saved_this_month_minor: int
    saved_total_minor: int


async def dashboard(session: TenantSession, ctx: Context, timezone: str) -> Dashboard:
    """Everything on the dashboard, in three queries.

    Args:
        session: the transaction.
        ctx: who asks; needs `dashboard.view`.
        timezone: IANA name of the zone whose days and months count, the program's.
    """
    return Dashboard(
        tiles=await tiles(session, ctx, timezone),
        activity=await activity(session, ctx, timezone),
        feed=await feed(session, ctx),
    )


async def tiles(session: TenantSession, ctx: Context, timezone: str) -> Tiles:
    """The four figures; arguments as for `dashboard`."""
    require(ctx, "dashboard.view")
    row = await session.one_or_none(repository.TILES, {"tenant": session.tenant_id, "zone": timezone})
    assert row is not None
    return Tiles(**row._mapping)


async def activity(session: TenantSession, ctx: Context, timezone: str, days: int = DAYS) -> Sequence[ActivityDay]:
    """The last days, today included, the oldest first; days without anything are there too.

    Args:
        session: the transaction.
        ctx: who asks; needs `dashboard.view`.
        timezone: IANA name of the zone whose days count.
        days: how many.
    """
    require(ctx, "dashboard.view")
    parameters = {"tenant": session.tenant_id, "zone": timezone, "days": days}
    rows = await session.rows(repository.ACTIVITY, parameters)
    today = next(row.day for row in rows if row.series == "today")
    found: dict[date, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(row.day, []).append(row)
    first = today - timedelta(days=days - 1)
    return [_activity_day(day, found.get(day, ())) for day in (first + timedelta(days=n) for n in range(days))]


async def curves(session: TenantSession, ctx: Context, timezone: str, currency: str, days: int = DAYS) -> Curves:
    """Curves of the last days, today included.

    Args:
        session: the transaction.
        ctx: who asks; needs `dashboard.view`.
        timezone: IANA name of the zone whose days count.
        currency: ISO code; rewards in other ones are left out.
        days: how many.
    """
    require(ctx, "dashboard.view")
    parameters = {"tenant": session.tenant_id, "zone": timezone, "currency": currency, "days": days}
    rows = await session.rows(repository.CURVES, parameters)
    today = next(row.day for row in rows if row.series == "today")
    known = {(row.series, row.day): row.number for row in rows}
    all_days = [today - timedelta(days=back) for back in range(days - 1, -1, -1)]
    return Curves(
        visitors=[known.get(("visitors", day), 0) for day in all_days],
        saved=[known.get(("saved", day), 0) for day in all_days],
    )


async def feed(session: TenantSession, ctx: Context, limit: int = FEED_SIZE) -> Sequence[FeedItem]:
    """What happened last, the latest first.

    Args:
        session: the transaction.
        ctx: who asks; needs `dashboard.view`.
        limit: most items.
    """
    require(ctx, "dashboard.view")
    rows = await session.rows(repository.FEED, {"tenant": session.tenant_id, "size": limit})
    return [_feed_item(row) for row in rows]


async def program_stats(session: TenantSession, ctx: Context, program: ProgramInfo) -> ProgramStats:
    """Statistics of a program, in one query.

    Args:
        session: the transaction.
        ctx: who asks; needs `dashboard.view`.
        program: whose; months are those of its zone.
    """
    require(ctx, "dashboard.view")
    row = await session.one_or_none(
        repository.PROGRAM,
        {
            "tenant": session.tenant_id,
            "program": program.id,
            "zone": program.timezone,
            "currency": program.currency,
        },
    )
    assert row is not None
    return ProgramStats(**row._mapping)


def _activity_day(day: date, rows: Sequence[Row[Any]]) -> ActivityDay:
    def number(series: str) -> int:
        return next((row.number for row in rows if row.series == series), 0)

    issued = {row.unit: row.number for row in rows if row.series == "issued"}
    return ActivityDay(day, issued, redeemed=number("redeemed"), enrolled=number("enrolled"))


def _feed_item(row: Row[Any]) -> FeedItem:
    return FeedItem(
        kind=_FEED_KINDS[row.kind],
        at=row.at,
        member_id=row.member_id,
        who=short_name(row.name, row.email),
        unit=row.unit,
        amount=row.amount,
        balance_after=row.balance_after,
        title=row.title,
    )
