"""What plugins add to a page: called one after the other with a deadline; a fault leaves a gap in the page, no more.

A circuit breaker switches a plugin's contributions to one tenant's pages off after several faults in a row. Its state
lives in this process and is shown on the console.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar
from uuid import UUID

import structlog

from regulars.kernel.observability.metrics import PLUGIN_FAULTS, PLUGINS_OFF

log = structlog.get_logger(__name__)

FAULTS_UNTIL_OFF = 5
OFF_SECONDS = 300.0
DEADLINE_SECONDS = 0.5

_Result = TypeVar("_Result")


class Contribution(NamedTuple):
    """One plugin's part of a page: whose it is and how to get it."""

    plugin: str
    make: Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class BreakerState:
    """Faults in a row of one plugin on one tenant's pages.

    Attributes:
        faults: how many in a row.
        is_off: whether the contributions are left out now.
        last: the last fault, for people.
    """

    plugin: str
    tenant_id: UUID
    faults: int
    is_off: bool
    last: str


@dataclass(slots=True)
class _Circuit:
    faults: int = 0
    off_until: float = 0.0
    last: str = ""


class Breaker:
    """The circuit breakers of one process.

    Args:
        limit: faults in a row that switch a contribution off.
        pause: seconds for which it stays off; after them one call is tried, and one more fault switches it off again.
        clock: monotonic seconds.
    """

    def __init__(
        self, limit: int = FAULTS_UNTIL_OFF, pause: float = OFF_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = limit
        self._pause = pause
        self._clock = clock
        self._circuits: dict[tuple[str, UUID], _Circuit] = {}
        self._trips: list[BreakerState] = []

    def is_off(self, plugin: str, tenant_id: UUID) -> bool:
        """Whether the plugin's contributions to this tenant's pages are left out now."""
        circuit = self._circuits.get((plugin, tenant_id))
        return circuit is not None and self._clock() < circuit.off_until

    def succeeded(self, plugin: str, tenant_id: UUID) -> None:
        """Forget the faults in a row."""
        self._circuits.pop((plugin, tenant_id), None)

    def failed(self, plugin: str, tenant_id: UUID, fault: str) -> None:
        """Count a fault; the last one that is allowed switches off."""
        circuit = self._circuits.setdefault((plugin, tenant_id), _Circuit())
        circuit.faults += 1
        circuit.last = fault
        if circuit.faults >= self._limit:
            circuit.off_until = self._clock() + self._pause
            self._trips.append(BreakerState(plugin, tenant_id, circuit.faults, is_off=True, last=fault))

    def take_trips(self) -> list[BreakerState]:
        """What was switched off since this was last asked."""
        trips, self._trips = self._trips, []
        return trips

    def reset(self, plugin: str) -> None:
        """Switch a plugin on again everywhere."""
        for key in [key for key in self._circuits if key[0] == plugin]:
            del self._circuits[key]

    def measure(self, plugins: Iterable[str]) -> None:
        """Write down from how many tenants' pages each plugin is left out now.

        Args:
            plugins: names of all.
        """
        off = Counter(plugin for plugin, tenant_id in self._circuits if self.is_off(plugin, tenant_id))
        for plugin in plugins:
            PLUGINS_OFF.labels(plugin).set(off[plugin])

    def states(self) -> list[BreakerState]:
        """All plugins that had faults lately, by plugin and tenant."""
        return [
            BreakerState(plugin, tenant_id, circuit.faults, self.is_off(plugin, tenant_id), circuit.last)
            for (plugin, tenant_id), circuit in sorted(self._circuits.items())
        ]


class Presenter:
    """Calls contributions.

    Args:
        breaker: this process's circuit breakers.
        deadline: seconds that one contribution may take.
    """

    def __init__(self, breaker: Breaker, deadline: float = DEADLINE_SECONDS) -> None:
        self.breaker = breaker
        self._deadline = deadline

    async def present(
        self,
        contributions: Iterable[Contribution],
        tenant_id: UUID,
        kind: type[_Result],
        on_fault: Callable[[], Awaitable[None]] | None = None,
    ) -> list[tuple[str, _Result]]:
        """Call contributions one after the other.

        Args:
            contributions: of enabled plugins, in their order.
            tenant_id: whose page it is.
            kind: what a contribution must be an instance of; another thing is a fault.
            on_fault: run after each fault, to throw away what the contributions share (a session that was cancelled in
                a statement cannot be used again).

        Returns:
            `(plugin, result)` of all that came in time and without fault.
        """
        results = []
        for plugin, make in contributions:
            if self.breaker.is_off(plugin, tenant_id):
                continue
            try:
                async with asyncio.timeout(self._deadline):
                    result = await make()
                if not isinstance(result, kind):
                    raise TypeError(f"{kind.__name__} was expected, not {type(result).__name__}")
            except Exception as error:  # a contribution's fault is logged, counted and leaves a gap
                log.warning("contribution_failed", plugin=plugin, tenant_id=str(tenant_id), exc_info=error)
                PLUGIN_FAULTS.labels(plugin, "page").inc()
                self.breaker.failed(plugin, tenant_id, f"{type(error).__name__}: {error}")
                if on_fault is not None:
                    await on_fault()
            else:
                self.breaker.succeeded(plugin, tenant_id)
                results.append((plugin, result))
        return results
