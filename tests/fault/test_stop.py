"""SIGTERM under load: whoever got a connection gets a complete answer, also who is slow."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.installation import Installation, installation
from regulars.testing.world import World, make_tenant

pytestmark = pytest.mark.fault
DRAIN_SECONDS = 1.0
FREE = {"stamps": {"target": 50}, "antifraud": {"cooldown_minutes": 0, "max_daily_stamps": 1000}}
SHORT, KEPT, SELLING = 12, 6, 4
DEADLINE = 60.0


@pytest.fixture
async def running(registry: PluginRegistry) -> AsyncIterator[Installation]:
    variables = {"REGULARS_DRAIN_SECONDS": str(DRAIN_SECONDS)}
    async with installation(registry, workers=2, admin=True, variables=variables) as started:
        yield started


class Load:
    """Visitors who come until nobody is there any more.

    Attributes:
        outcomes: how often what happened; every key but `answered` and `refused` is a request that failed.
    """

    def __init__(self, running: Installation, world: World) -> None:
        self.outcomes: Counter[str] = Counter()
        self._port = running.ports[0]
        self._world = world

    async def visit(self, request: bytes, *, keeps: bool) -> None:
        """Come again and again, on a new connection each time or on one that is kept."""
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except ConnectionRefusedError:
                self.outcomes["refused"] += 1
                return
            try:
                while await self._ask(reader, writer, request) and keeps:
                    pass
            except (OSError, asyncio.IncompleteReadError) as error:
                self.outcomes[f"{type(error).__name__} keeps={keeps}"] += 1
            finally:
                writer.close()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bool:
        """Ask once; tells whether the connection stays open."""
        writer.write(request.replace(b"KEY", uuid4().hex.encode()))
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        await reader.readexactly(length)
        status = head.split(" ")[1]
        self.outcomes["answered" if status == "200" else status] += 1
        return "connection: close" not in head

    def look_up(self, *, keeps: bool) -> bytes:
        """A small request."""
        closing = "" if keeps else "Connection: close\r\n"
        return f"GET /healthz HTTP/1.1\r\nHost: {self._world.host}\r\n{closing}\r\n".encode()

    def sale(self, number: int) -> bytes:
        """A sale on one of the cards."""
        card, staff = self._world.cards[number], self._world.staff[number]
        body = json.dumps({"card": card.number, "staff": f"staff_{staff.id.hex}", "pin": staff.pin})
        return (
            f"POST /api/v1/store/loyalty/stamp HTTP/1.1\r\nHost: {self._world.host}\r\n"
            f"Authorization: Bearer {self._world.api_key}\r\nIdempotency-Key: KEY\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


async def test_no_request_that_was_let_in_fails(running: Installation) -> None:
    staff = [(f"Staff {n}", "staff", f"{2580 + n}") for n in range(SELLING + 1)]
    world = await make_tenant(running.config, "cafe", settings=FREE, staff=staff)
    for number in range(SELLING + 1):
        await world.add_card(f"m{number}@example.com")
    load = Load(running, world)
    visitors = [load.visit(load.look_up(keeps=False), keeps=False) for _ in range(SHORT)]
    visitors += [load.visit(load.look_up(keeps=True), keeps=True) for _ in range(KEPT)]
    visitors += [load.visit(load.sale(number), keeps=True) for number in range(SELLING)]
    coming = [asyncio.create_task(visitor) for visitor in visitors]
    while load.outcomes["answered"] < 200:
        await asyncio.sleep(0.05)

    reader, writer = await asyncio.open_connection("127.0.0.1", running.ports[0])
    request = load.sale(SELLING).replace(b"KEY", uuid4().hex.encode())
    writer.write(request[:-10])  # the rest comes when nobody new gets in any more
    await writer.drain()

    answered = load.outcomes["answered"]
    process = running.web[0].popen
    assert process is not None
    process.send_signal(signal.SIGTERM)
    begin = time.monotonic()
    await told_to_go(running)
    while load.outcomes["refused"] < len(coming):
        assert time.monotonic() - begin < DEADLINE
        await asyncio.sleep(0.05)
    await asyncio.gather(*coming)
    writer.write(request[-10:])
    answer = await reader.read()
    writer.close()
    assert load.outcomes.keys() == {"answered", "refused"}, load.outcomes
    assert load.outcomes["answered"] > answered + SHORT  # served on while it was not ready any more
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b'"success":true' in answer
    assert await asyncio.to_thread(process.wait, DEADLINE) == 0


async def told_to_go(running: Installation) -> None:
    """The load balancer hears it, here and on the admin port, while others are served."""
    async with httpx.AsyncClient(headers={"Host": "localhost"}) as client:
        answer = await client.get(f"{running.address()}/readyz")
        while answer.status_code == 200:
            answer = await client.get(f"{running.address()}/readyz")
        assert (answer.status_code, answer.json()) == (503, {"status": "stopping"})
        assert answer.headers["Connection"] == "close"
        assert (await client.get(f"{running.address()}/healthz")).status_code == 200
