"""A WebSocket as a browser opens it, for tests of live updates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Event,
    RejectConnection,
    Request,
    TextMessage,
)

from regulars.testing.proxy import Proxy
from regulars.testing.web import Browser

_READ = 65536


class Refused(Exception):
    """The server did not open the socket.

    Attributes:
        status: of its answer.
    """

    def __init__(self, status: int) -> None:
        super().__init__(f"answered {status}")
        self.status = status


class Socket:
    """An open socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._events: list[Event] = []

    async def open(self, request: Request) -> None:
        """Shake hands.

        Raises:
            Refused: the server does not want to.
        """
        self._writer.write(self._protocol.send(request))
        event = await self._event()
        if isinstance(event, RejectConnection):
            raise Refused(event.status_code)
        assert isinstance(event, AcceptConnection), event

    async def hear(self, *, answer: bool = True) -> str | None:
        """The next word, answered as the page does.

        Args:
            answer: whether to.

        Returns:
            The word, `None` when the server has ended the connection.
        """
        event = await self._event()
        if event is None or isinstance(event, CloseConnection):
            return None
        assert isinstance(event, TextMessage), event
        if answer:
            self.say("ok")
        return str(event.data)

    async def until_ended(self) -> str | None:
        """Hear on until the server ends the connection; the last word before that."""
        last = None
        while (word := await self.hear()) is not None:
            last = word
        return last

    def say(self, text: str) -> None:
        """Send a message."""
        self._writer.write(self._protocol.send(TextMessage(data=text)))

    async def _event(self) -> Event | None:
        while not self._events:
            data = await self._reader.read(_READ)
            if not data:
                return None
            self._protocol.receive_data(data)
            self._events = list(self._protocol.events())
        return self._events.pop(0)


@asynccontextmanager
async def opened(
    visitor: Browser, path: str, *, origin: str | None = "", proxy: Proxy | None = None
) -> AsyncIterator[Socket]:
    """Open a socket with a visitor's cookies.

    Args:
        visitor: whose.
        path: with query.
        origin: of the page that opens it; empty for one of the same host, `None` to say nothing.
        proxy: to go through over TLS, `None` to go to the application itself.

    Raises:
        Refused: the server does not open it.
    """
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.client.cookies.items())
    own = f"{'https' if proxy else 'http'}://{visitor.host}"
    said = {"Cookie": cookies, "Origin": own if origin == "" else origin}
    headers = [(name.encode(), value.encode()) for name, value in said.items() if value]
    if proxy is None:
        reader, writer = await asyncio.open_connection(visitor.client.base_url.host, visitor.client.base_url.port)
    else:
        server = visitor.host.partition(":")[0]
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", proxy.https_port, ssl=proxy.trust, server_hostname=server
        )
    try:
        socket = Socket(reader, writer)
        await socket.open(Request(host=visitor.host, target=path, extra_headers=headers))
        yield socket
    finally:
        writer.transport.abort()
