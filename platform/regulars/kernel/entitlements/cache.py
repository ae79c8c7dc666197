"""Snapshots in the process's memory: a warm request resolves its tenant with no query.

Kept only while the listener hears of changes. A snapshot that was being read when a change was announced is given to
those who asked before, and not kept.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from regulars.contracts.context import TenantSnapshot
from regulars.kernel.entitlements.snapshot import SnapshotBuilder
from regulars.kernel.observability.metrics import TENANT_CACHE, TENANT_CACHE_ENTRIES

KEEP_SECONDS = 60.0
KEEP_UNKNOWN_SECONDS = 10.0
MAX_HOSTS = 4096
MAX_UNKNOWN = 1024
_HIT, _MISS = TENANT_CACHE.labels("hit"), TENANT_CACHE.labels("miss")
EVERYBODY = "*"
"""Payload of `tenant_changed` when a change concerns all tenants."""

Raw = Mapping[str, Any]
_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class CacheState:
    """For health checks and tests.

    Attributes:
        keeps: whether snapshots are kept now.
        known, unknown: entries.
    """

    keeps: bool
    known: int
    unknown: int


class SnapshotCache:
    """The snapshots of one process.

    Args:
        by_host: reads the raw row of a host name, `None` for an unknown one.
        by_id: reads the raw row of a tenant, `None` for an unknown one (jobs).
        builder: makes snapshots.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        by_host: Callable[[str], Awaitable[Raw | None]],
        by_id: Callable[[UUID], Awaitable[Raw | None]],
        builder: SnapshotBuilder,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._builder = builder
        self._hosts = _Side(by_host, self._build, clock)
        self._tenants = _Side(by_id, self._build, clock)

    async def resolve(self, host: str) -> TenantSnapshot | None:
        """The tenant that answers on a host.

        Args:
            host: lower case, without port and trailing dot, IDNA.

        Returns:
            Its snapshot, `None` for an unknown host. A warm call asks no query; cold calls for one host share one.
        """
        return await self._hosts.get(host)

    async def by_id(self, tenant_id: UUID) -> TenantSnapshot | None:
        """The tenant of that id, as `resolve`."""
        return await self._tenants.get(tenant_id)

    def drop(self, tenant_id: UUID) -> None:
        """Forget a tenant, and all that was unknown: it may have got a new host name."""
        for side in (self._hosts, self._tenants):
            side.drop(tenant_id)

    def clear(self) -> None:
        """Forget everything."""
        for side in (self._hosts, self._tenants):
            side.clear()

    def changed(self, payload: str) -> None:
        """Take note of a notification: the id of a tenant or `*`."""
        try:
            tenant_id = UUID(payload)
        except ValueError:
            self.clear()
        else:
            self.drop(tenant_id)

    def keep(self, keeps: bool) -> None:
        """Begin or end keeping snapshots; either way the cache is empty afterwards."""
        for side in (self._hosts, self._tenants):
            side.keeps = keeps
        self.clear()

    @property
    def state(self) -> CacheState:
        """What is kept now."""
        sides = (self._hosts, self._tenants)
        return CacheState(
            keeps=self._hosts.keeps,
            known=sum(len(side.known) for side in sides),
            unknown=sum(len(side.unknown) for side in sides),
        )

    def measure(self) -> None:
        """Write down how much is kept, and how many look-ups it has answered since the last time."""
        for side in (self._hosts, self._tenants):
            _HIT.inc(side.hits)
            _MISS.inc(side.misses)
            side.hits = side.misses = 0
        TENANT_CACHE_ENTRIES.set(self.state.known + self.state.unknown)

    def _build(self, raw: Raw) -> tuple[TenantSnapshot, float]:
        built = self._builder.build(raw)
        return built.snapshot, KEEP_SECONDS if built.seconds is None else min(KEEP_SECONDS, built.seconds)


class _Side(Generic[_Key]):
    """One way to ask: by host or by id."""

    def __init__(
        self,
        fetch: Callable[[_Key], Awaitable[Raw | None]],
        build: Callable[[Raw], tuple[TenantSnapshot, float]],
        clock: Callable[[], float],
    ) -> None:
        self.keeps = False
        self.hits = 0
        self.misses = 0
        self.known: OrderedDict[_Key, tuple[float, TenantSnapshot]] = OrderedDict()
        self.unknown: OrderedDict[_Key, float] = OrderedDict()
        self._fetch = fetch
        self._build = build
        self._clock = clock
        self._running: dict[_Key, asyncio.Task[TenantSnapshot | None]] = {}
        self._changes = 0

    async def get(self, key: _Key) -> TenantSnapshot | None:
        now = self._clock()
        kept = self.known.get(key)
        if kept is not None and now < kept[0]:
            self.known.move_to_end(key)
            self.hits += 1
            return kept[1]
        if now < self.unknown.get(key, now):
            self.unknown.move_to_end(key)
            self.hits += 1
            return None
        self.misses += 1
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(self._read(key))
            self._running[key] = task
            task.add_done_callback(lambda done: self._finished(key, done))
        return await asyncio.shield(task)

    def drop(self, tenant_id: UUID) -> None:
        self._forget_running()
        self.unknown.clear()
        for key in [key for key, (_, snapshot) in self.known.items() if snapshot.id == tenant_id]:
            del self.known[key]

    def clear(self) -> None:
        self._forget_running()
        self.known.clear()
        self.unknown.clear()

    def _forget_running(self) -> None:
        """What is being read now may be old: nobody else joins it, and it is not kept."""
        self._changes += 1
        self._running.clear()

    async def _read(self, key: _Key) -> TenantSnapshot | None:
        changes = self._changes
        raw = await self._fetch(key)
        now = self._clock()
        snapshot, seconds = self._build(raw) if raw is not None else (None, KEEP_UNKNOWN_SECONDS)
        if self.keeps and changes == self._changes:
            if snapshot is None:
                _put(self.unknown, key, now + seconds, MAX_UNKNOWN)
            else:
                _put(self.known, key, (now + seconds, snapshot), MAX_HOSTS)
        return snapshot

    def _finished(self, key: _Key, task: asyncio.Task[TenantSnapshot | None]) -> None:
        if self._running.get(key) is task:
            del self._running[key]
        if not task.cancelled():
            task.exception()  # whoever waits gets it; when nobody waits any more it is not worth a warning


_Value = TypeVar("_Value")


def _put(entries: OrderedDict[_Key, _Value], key: _Key, value: _Value, limit: int) -> None:
    entries[key] = value
    entries.move_to_end(key)
    while len(entries) > limit:
        entries.popitem(last=False)
