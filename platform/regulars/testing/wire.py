"""A proxy in front of PostgreSQL that counts round trips on the wire, and can hold or cut what passes.

A round trip is a message after which the client waits: a simple query, or the Sync that ends an extended one
(PostgreSQL's frontend/backend protocol, message formats `Q` and `S`).
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

SSL_REQUEST = 80877103
WAITING = {b"Q", b"S"}
LISTENER = b"application_name\0regulars-listener\0"
"""In the start-up message of the connection that hears of tenants' changes."""


@dataclass
class Wire:
    """What passed through the proxy.

    Attributes:
        round_trips: so far, of all connections but the listening ones.
        listener_trips: those of the connections that listen for tenants' changes, which are no part of any request.
        url: address of the proxied database, for `REGULARS_DATABASE_URL_…`.
    """

    url: str = ""
    round_trips: int = 0
    listener_trips: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def reset(self) -> None:
        """Begin counting anew."""
        self.round_trips = self.listener_trips = 0

    def cut(self) -> None:
        """Cut every connection, as a network fault does."""
        for writer in self._writers:
            writer.transport.abort()


@asynccontextmanager
async def counting(url: str) -> AsyncIterator[Wire]:
    """Put a proxy in front of a database.

    Args:
        url: address of the database, as SQLAlchemy writes it.
    """
    parts = urlsplit(url)
    wire = Wire()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection(parts.hostname, parts.port)
        wire._writers |= {writer, upstream_writer}
        tasks.update(
            (
                asyncio.create_task(_frontend(wire, reader, upstream_writer)),
                asyncio.create_task(_backend(upstream_reader, writer)),
            )
        )

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    credentials = parts.netloc.rpartition("@")[0]
    wire.url = urlunsplit(parts._replace(netloc=f"{credentials}@127.0.0.1:{port}"))
    try:
        yield wire
    finally:
        server.close()
        wire.cut()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def _frontend(wire: Wire, reader: asyncio.StreamReader, upstream: asyncio.StreamWriter) -> None:
    try:
        is_listener = LISTENER in await _startup(reader, upstream)
        while True:
            head = await reader.readexactly(5)
            body = await reader.readexactly(struct.unpack("!I", head[1:])[0] - 4)
            if head[:1] in WAITING:
                wire.round_trips += not is_listener
                wire.listener_trips += is_listener
            upstream.write(head + body)
            await upstream.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        upstream.transport.abort()


async def _startup(reader: asyncio.StreamReader, upstream: asyncio.StreamWriter) -> bytes:
    """Pass on what precedes the messages; gives the start-up message's parameters."""
    while True:
        head = await reader.readexactly(8)
        length, code = struct.unpack("!II", head)
        body = await reader.readexactly(length - 8)
        upstream.write(head + body)
        await upstream.drain()
        if code != SSL_REQUEST:
            return body


async def _backend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    writer.transport.abort()
