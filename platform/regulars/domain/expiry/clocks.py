"""How the units of a program expire: what their providers say beside the dates of the lots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from regulars.contracts.context import Context
from regulars.contracts.providers import UnitExpiry
from regulars.domain.ledger.engine import Ledger
from regulars.kernel.db.database import TenantSession

NIGHT = time(2)
"""When a program's day is over: lots live to the end of the day in its zone."""


@dataclass(frozen=True, slots=True)
class Idleness:
    """Units of a card that is not used expire.

    Attributes:
        days: without a movement.
        since: when that began to hold; what was before does not count.
    """

    days: int
    since: datetime | None

    def ends(self, last_use: datetime, zone: str) -> datetime:
        """Midnight after the last day on which the card can be used, in the program's zone.

        Args:
            last_use: of the card.
            zone: name of the time zone.
        """
        begin = max(last_use, self.since or last_use).astimezone(ZoneInfo(zone))
        return datetime.combine(begin.date() + timedelta(days=self.days + 1), time.min, ZoneInfo(zone))


@dataclass(frozen=True, slots=True)
class UnitClock:
    """How one unit of a program expires.

    Attributes:
        zone: of the program.
        idle: `None` where cards may rest as long as they like.
        notice: how long before its units expire a member is told; nothing for never.
    """

    unit: str
    zone: str
    idle: Idleness | None
    notice: timedelta


async def unit_clocks(
    session: TenantSession, ctx: Context, ledger: Ledger, program_id: UUID, notice: timedelta
) -> Sequence[UnitClock]:
    """The clocks of all units that a program gives.

    Args:
        session: the transaction.
        ctx: the tenant.
        ledger: knows providers and rules.
        program_id: the program.
        notice: for units whose provider does not say.
    """
    rules = await ledger.rules.rules(session, ctx.tenant, program_id)
    found = []
    for one in ledger.registry.unit_providers.of_program(rules.settings, ctx.tenant.enabled - rules.idle):
        provider, idle, told = one.provider, None, notice
        if isinstance(provider, UnitExpiry):
            told, days = timedelta(days=provider.reminder_days(one.settings)), provider.idle_days(one.settings)
            if days is not None:
                holds = _same(provider, days)
                since = await ledger.rules.hold_since(session, ctx.tenant, program_id, one.plugin, holds)
                idle = Idleness(days, since)
        found.append(UnitClock(one.unit, rules.program.timezone, idle, told))
    return found


def last_day(expires_at: datetime, zone: str) -> date:
    """The last day on which units can be used: they expire in the night after it."""
    night = timedelta(hours=NIGHT.hour)
    return (expires_at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) - night).date()


def _same(provider: UnitExpiry, days: int) -> Callable[[BaseModel], bool]:
    return lambda settings: provider.idle_days(settings) == days
