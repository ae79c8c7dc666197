"""The open pages of one process: who hears what, how many there may be, and what waits to be sent to each.

What waits for a page is bounded by its nature: whether anything has changed, and whether changes are heard of at all.
A page that reads slowly is told once of ten thousand changes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Word = Literal["on", "off", "changed", "bye", "stop"]
Farewell = Literal["bye", "stop"]
Holder = tuple[str, object]


class Full(Exception):
    """There are as many open pages as there may be; this one asks by itself."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many open pages there may be in one process.

    Attributes:
        process: in all.
        tenant: of one tenant, so that a busy one leaves room for the others.
        address: from one network address, behind which a whole shop may be.
        session: of one signed-in browser: its tabs.
    """

    process: int
    tenant: int
    address: int
    session: int

    @classmethod
    def of(cls, process: int) -> Limits:
        """The usual shares of a process's limit."""
        return cls(process, tenant=max(1, process // 2), address=max(1, process // 10), session=8)


@dataclass(frozen=True, slots=True)
class Pace:
    """How a socket lives, in seconds.

    Attributes:
        ping: how long nothing is said; below the minute after which proxies cut silent connections.
        answer: how long a page may take to answer.
        gap: between two changes; what happens meanwhile is told once.
        check: how often the door is asked again; with its own delay, a visitor who may no longer hear is out within a
            minute.
    """

    ping: float = 25.0
    answer: float = 20.0
    gap: float = 1.0
    check: float = 45.0


class Client:
    """One open page.

    Attributes:
        tenant_id: whose page it is.
        topics: what it shows.
        holders: what it counts for: process, tenant, address, session.
    """

    def __init__(self, tenant_id: UUID, topics: frozenset[str], holders: tuple[Holder, ...], *, on: bool) -> None:
        self.tenant_id = tenant_id
        self.topics = topics
        self.holders = holders
        self._on = on
        self._told: bool | None = None
        self._changed = False
        self._farewell: Farewell | None = None
        self._news = asyncio.Event()
        self._news.set()

    async def next(self) -> Word:
        """Wait for the next thing to tell.

        Returns:
            `on` when changes are heard of (again): the page looks once, for what it may have missed; `off` when they
            are not; `changed` when something changed; at last `bye` (come again) or `stop` (do not).
        """
        while True:
            await self._news.wait()
            self._news.clear()
            if self._farewell is not None:
                return self._farewell
            changed, self._changed = self._changed, False
            if self._told is not self._on:
                self._told = self._on
                return "on" if self._on else "off"
            if changed:
                return "changed"

    def change(self) -> None:
        """Something that it shows has changed."""
        self._changed = True
        self._news.set()

    def turn(self, *, on: bool) -> None:
        """Changes are heard of, or no longer."""
        self._on = on
        self._news.set()

    def dismiss(self, farewell: Farewell) -> None:
        """Nothing more is told than this."""
        self._farewell = farewell
        self._news.set()


class Hub:
    """All open pages of this process.

    Args:
        limits: how many there may be.
        pace: how their sockets live.
    """

    def __init__(self, limits: Limits, pace: Pace | None = None) -> None:
        self.pace = pace or Pace()
        self._limits = limits
        self._counts: Counter[Holder] = Counter()
        self._clients: dict[tuple[UUID, str], set[Client]] = {}
        self._on = False
        self._closed = False

    @property
    def size(self) -> int:
        """How many pages are open."""
        return self._counts[_PROCESS]

    @property
    def is_on(self) -> bool:
        """Whether changes are heard of now."""
        return self._on

    def join(self, tenant_id: UUID, topics: Iterable[str], *, address: str, session: UUID) -> Client:
        """Let a page in.

        Args:
            tenant_id: whose page it is.
            topics: what it shows.
            address: network address of its visitor.
            session: of the visitor who is signed in.

        Raises:
            Full: there are too many already, or the process ends.
        """
        allowed = {
            _PROCESS: self._limits.process,
            ("tenant", tenant_id): self._limits.tenant,
            ("address", address): self._limits.address,
            ("session", session): self._limits.session,
        }
        if self._closed or any(self._counts[holder] >= most for holder, most in allowed.items()):
            raise Full
        client = Client(tenant_id, frozenset(topics), tuple(allowed), on=self._on)
        self._counts.update(client.holders)
        for topic in client.topics:
            self._clients.setdefault((tenant_id, topic), set()).add(client)
        return client

    def leave(self, client: Client) -> None:
        """Forget a page that was let in."""
        self._counts.subtract(client.holders)
        for holder in client.holders:
            if not self._counts[holder]:
                del self._counts[holder]
        for topic in client.topics:
            room = self._clients[client.tenant_id, topic]
            room.discard(client)
            if not room:
                del self._clients[client.tenant_id, topic]

    def hear(self, tenant_id: UUID, topics: Iterable[str]) -> None:
        """Tell a tenant's pages that show one of these topics."""
        for topic in topics:
            for client in self._clients.get((tenant_id, topic), ()):
                client.change()

    def turn(self, *, on: bool) -> None:
        """Tell all pages whether changes are heard of."""
        self._on = on
        for room in self._clients.values():
            for client in room:
                client.turn(on=on)

    def close(self) -> None:
        """Send everybody away; nobody else is let in."""
        self._closed = True
        for room in self._clients.values():
            for client in room:
                client.dismiss("bye")


_PROCESS: Holder = ("process", None)
