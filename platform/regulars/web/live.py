"""Sockets of open pages: each hears that something it shows has changed, and fetches its part again.

The door is the page's own (session, permission, feature). It is asked when a socket is opened and again while it lasts,
so that it ends soon after a log-out, a dismissal or a suspension.

A message is one word, and the page answers each with `ok` before it is told the next: `on` (changes are heard of: look
once), `off` (they are not: ask by yourself), `changed`, and `ping` when nothing else was said for a while. After `bye`
(come again) and `stop` (do not) the page closes the socket; one that does not is cut off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from time import perf_counter
from typing import Any

import structlog
from quart import Response

from regulars.contracts.context import Context
from regulars.contracts.errors import Forbidden, NotFound, RegularsError, Unauthenticated, Unavailable
from regulars.kernel.db.database import TenantSession
from regulars.kernel.live import Client, Full, Pace
from regulars.web.areas import area_of
from regulars.web.pipeline import admit
from regulars.web.principals import context_of, cookie_credentials, principal_of
from regulars.web.request import RegularsSocket, current_socket
from regulars.web.services import Services, services

log = structlog.get_logger(__name__)

ANSWER = "ok"
FAREWELLS = ("bye", "stop")

Topics = Callable[[TenantSession, Context, Mapping[str, str]], Awaitable[Iterable[str]]]
SocketView = Callable[[], Awaitable[Response | None]]


def live_socket(*, permission: str | None = None, feature: str | None = None) -> Callable[[Topics], SocketView]:
    """Make the socket of a page, for whoever signs in in its area.

    Args:
        permission: what the visitor must be allowed to do.
        feature: a feature without which the page does not exist.

    Returns:
        A decorator of `async (session, ctx, query) -> topics`; the result is a Quart view. It raises what the page
        raises when the visitor may not see what the query names.
    """

    def decorate(topics: Topics) -> SocketView:
        @wraps(topics)
        async def run() -> Response | None:
            return await _serve(Door(current_socket(), services(), permission, feature, topics))

        return run

    return decorate


@dataclass(frozen=True, slots=True)
class Door:
    """Who may open a socket, and what they hear."""

    socket: RegularsSocket
    services: Services
    permission: str | None
    feature: str | None
    topics: Topics

    async def ask(self) -> tuple[Context, frozenset[str]]:
        """Who the visitor is now, and what there is to hear.

        Raises:
            NotFound, TenantUnavailable, Unauthenticated, Forbidden: the visitor may not hear it, or no longer.
            Unavailable: the database cannot be asked.
        """
        socket, parts = self.socket, self.services
        tenant = await parts.snapshots.resolve(socket.visit.peer.host)
        if tenant is None or (self.feature is not None and not tenant.has(self.feature)):
            raise NotFound
        admit(socket.path, tenant, parts.plugins)
        area = area_of("tenant", socket.path)
        credentials = cookie_credentials(socket, area, parts)
        if credentials is None:
            raise Unauthenticated
        async with parts.database.tenant(tenant.id, credentials, read_only=True) as session:
            who = principal_of(session.principal, parts.plugins)
            if who.kind != area.audience:
                raise Unauthenticated
            if self.permission is not None and not who.may(self.permission):
                raise Forbidden
            ctx = context_of(socket, tenant, who, area)
            return ctx, frozenset(await self.topics(session, ctx, socket.args))


async def _serve(door: Door) -> Response | None:
    ctx, topics = await door.ask()
    hub, pace, address = door.services.hub, door.services.hub.pace, door.socket.visit.peer.network
    assert ctx.principal.session_id is not None
    try:
        client = hub.join(ctx.tenant.id, topics, address=address, session=ctx.principal.session_id)
    except Full:
        return Response(status=Unavailable.status)  # not logged as a fault: the page asks by itself
    begun, talk = perf_counter(), Talk(door.socket, client, pace)
    try:
        await door.socket.accept()
        await _first(talk.speak(), talk.listen(), _watch(door, client, pace))
    finally:
        hub.leave(client)
        log.info("socket_ended", path=door.socket.path, seconds=round(perf_counter() - begun, 1))
    return None


class Talk:
    """What is said on one socket.

    Args:
        socket: accepted.
        client: what there is to tell.
        pace: how long things take.
    """

    def __init__(self, socket: RegularsSocket, client: Client, pace: Pace) -> None:
        self._socket = socket
        self._client = client
        self._pace = pace
        self._answered = asyncio.Event()
        self._answered.set()

    async def speak(self) -> None:
        """Tell the page everything, until it was told the last word or does not answer."""
        word = ""
        while word not in FAREWELLS:
            word = await self._next()
            self._answered.clear()
            try:
                async with asyncio.timeout(self._pace.answer):
                    await self._socket.send(word)
                    await self._answered.wait()
            except TimeoutError:
                return
            if word == "changed":
                await asyncio.sleep(self._pace.gap)

    async def listen(self) -> None:
        """Read whatever the page sends, at once, so that nothing piles up; until it is anything but an answer."""
        while await self._socket.receive() == ANSWER and not self._answered.is_set():
            self._answered.set()

    async def _next(self) -> str:
        try:
            async with asyncio.timeout(self._pace.ping):
                return await self._client.next()
        except TimeoutError:
            return "ping"


async def _watch(door: Door, client: Client, pace: Pace) -> None:
    """Ask the door again and again, until the page may not hear any longer what it hears."""
    while True:
        await asyncio.sleep(pace.check)
        try:
            _, topics = await door.ask()
        except Unavailable:
            client.dismiss("bye")
        except RegularsError:
            client.dismiss("stop")
        else:
            if topics != client.topics:
                client.dismiss("bye")


async def _first(*watches: Coroutine[Any, Any, None]) -> None:
    """Wait for whichever ends first; the others end with it."""
    tasks = [asyncio.create_task(watch) for watch in watches]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
