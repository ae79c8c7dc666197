"""Export of members as CSV: streamed, safe to open in a spreadsheet, with letters that arrive."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from regulars.contracts.context import Context
from regulars.contracts.providers import UnitProvider, UnitWords
from regulars.domain.audit import service as audit
from regulars.domain.cards.numbers import format_number
from regulars.domain.members import repository
from regulars.domain.members.gauges import Gauge
from regulars.domain.members.service import parameters_of
from regulars.domain.members.views import MemberFilter, member_of
from regulars.domain.staff.permissions import require
from regulars.kernel.db.database import Database, TenantSession
from regulars.kernel.i18n import gettext as _

BATCH = 500
BYTE_ORDER_MARK = "\ufeff"
MEDIA_TYPE = "text/csv; charset=utf-8"
_FORMULA_START = re.compile(r"(^|[;\t\r\n])(?=[=+@\t\r-])")
"""Also after a semicolon: where it divides cells (in Lithuanian, French and German), a comma divides none."""
_FIRST = UUID(int=0)


async def begin_export(session: TenantSession, ctx: Context, wanted: MemberFilter) -> None:
    """Check the right to export and write the audit line; `export_rows` follows outside of this unit of work.

    Raises:
        Forbidden: without `members.export`.
    """
    require(ctx, "members.export")
    await audit.record(
        session, ctx, "member.exported", "member", None, {"only": wanted.only, "sought": bool(wanted.query)}
    )


async def export_rows(
    database: Database, ctx: Context, wanted: MemberFilter, gauges: Sequence[Gauge]
) -> AsyncIterator[Sequence[str]]:
    """The heading, then one row for each card (or member without one), as long as anybody reads.

    Each batch is read in a transaction of its own, in the order of keys: a slow reader holds no connection, and nobody
    is missed or told twice while others enrol.

    Args:
        database: the engines.
        ctx: who exports; needs `members.export`.
        wanted: search and filter; the order is that of enrolment.
        gauges: of the tenant's programs.

    Yields:
        Cells of a row, not yet made safe (`csv_bytes` does).
    """
    require(ctx, "members.export")
    units = {gauge.unit: gauge.provider for gauge in sorted(gauges, key=lambda gauge: gauge.unit)}
    zone = ZoneInfo(ctx.tenant.timezone)
    yield _heading(units)
    after = _FIRST
    while True:
        async with database.tenant(ctx.tenant.id, read_only=True) as session:
            parameters = {**parameters_of(session, wanted, gauges), "after": after, "size": BATCH}
            rows = await session.rows(repository.EXPORT, parameters)
        for row in rows:
            for cells in _rows_of(row, gauges, units, zone):
                yield cells
        if len(rows) < BATCH:
            return
        after = rows[-1].id


async def csv_bytes(rows: AsyncIterator[Sequence[str]]) -> AsyncIterator[bytes]:
    """Rows as CSV in UTF-8 with a byte order mark, so that spreadsheets read ė, š and é as they are.

    Args:
        rows: cells of each row; one that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write(BYTE_ORDER_MARK)
    async for row in rows:
        writer.writerow([safe_cell(cell) for cell in row])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()


def safe_cell(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula, not even a part of it, whatever divides the cells there."""
    return _FORMULA_START.sub(r"\1'", cell)


def _heading(units: Mapping[str, UnitProvider]) -> list[str]:
    fixed = [_("Name"), _("E-mail"), _("Phone"), _("Card number"), _("Card status")]
    balances = [provider.title() if isinstance(provider, UnitWords) else unit for unit, provider in units.items()]
    return [*fixed, *balances, _("Member since"), _("Last visit"), _("Marketing consent")]


def _rows_of(row: Row[Any], gauges: Sequence[Gauge], units: Collection[str], zone: ZoneInfo) -> list[list[str]]:
    member = member_of(row, gauges)
    person = [member.name, member.email, member.phone]
    visits = [_day(member.enrolled_at, zone), _day(member.last_activity_at, zone)]
    marketing = _("yes") if row.marketing else _("no")
    states = {"active": _("Active"), "blocked": _("Blocked"), "closed": _("Closed")}
    cards = [
        [format_number(card.number), states[card.status], *(str(card.balances.get(unit, 0)) for unit in units)]
        for card in member.cards
    ]
    return [[*person, *card, *visits, marketing] for card in cards or [[""] * (2 + len(units))]]


def _day(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).date().isoformat()
