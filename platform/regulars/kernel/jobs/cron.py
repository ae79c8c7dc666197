"""Declaring what the platform itself does by the clock."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from regulars.contracts.errors import ConfigurationError
from regulars.contracts.manifest import NAME_PATTERN
from regulars.kernel.db.database import PlatformSession
from regulars.kernel.jobs.schedule import Schedule


@dataclass(frozen=True, slots=True)
class CronTick:
    """One slot of a cron.

    Attributes:
        session: its one transaction, in sight of all tenants; commits together with the slot's row.
        scheduled_at: the slot.
    """

    session: PlatformSession
    scheduled_at: datetime


CronHandler = Callable[[CronTick], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class CronDefinition:
    """What `@cron` makes of a function; calling it calls the function.

    Attributes:
        name: without prefix; the registry names it `core.<name>`.
    """

    name: str
    schedule: Schedule
    handler: CronHandler

    async def __call__(self, tick: CronTick) -> None:
        """Run the handler."""
        await self.handler(tick)


def cron(name: str, schedule: Schedule) -> Callable[[CronHandler], CronDefinition]:
    """Declare a task of the platform: `async def handler(tick: CronTick) -> None`; for the host only.

    Its effects are in the tick's transaction, together with the row of the slot: once, however many workers run. A slot
    that passed while no worker ran is made up for once. A task that fails leaves its error in the slot's row and has
    its next chance in the next slot. Plugins use `@job(schedule=…)`, which makes one job per tenant.

    Args:
        name: lower case, without prefix.
        schedule: when.

    Raises:
        ConfigurationError: the declaration makes no sense.
    """

    def define(handler: CronHandler) -> CronDefinition:
        if not NAME_PATTERN.match(name):
            raise ConfigurationError(f"the cron name {name!r} does not match {NAME_PATTERN.pattern}")
        if not inspect.iscoroutinefunction(handler):
            raise ConfigurationError(f"the handler of the cron {name!r} must be an async function")
        return CronDefinition(name, schedule, handler)

    return define
