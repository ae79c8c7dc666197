"""The real application behind the real web server, in the test's own event loop; every API answer is checked."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

import httpx
from granian.constants import Interfaces
from granian.server.embed import Server
from quart import Quart

from regulars.testing.openapi import ApiContract, contract_of

_START_SECONDS = 30.0
_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody: there is no TLS here, and reading the certificates of the world for each visitor takes long."""


class WebServer:
    """A running application.

    Args:
        app: the application.
        port: on which it listens.
    """

    def __init__(self, app: Quart, port: int) -> None:
        self.app = app
        self.port = port
        self._clients: list[httpx.AsyncClient] = []
        self._readers: dict[str, httpx.AsyncClient] = {}

    def at(self, host: str, **headers: str) -> Browser:
        """Somebody who visits a host; keeps cookies of its own.

        Args:
            host: host name, as the visitor's browser would send it.
            headers: sent with every request, underscores for hyphens.
        """
        client = self._client({"Host": host, **{name.replace("_", "-"): value for name, value in headers.items()}})
        self._clients.append(client)
        return Browser(self, client, host)

    async def contract(self, host: str) -> ApiContract:
        """What a host's OpenAPI document promises now; read anew each time it may have changed."""
        if host not in self._readers:
            self._readers[host] = self._client({"Host": host, "Accept-Encoding": "identity"})
            self._clients.append(self._readers[host])
        response = await self._readers[host].get("/api/openapi.json")
        return contract_of(response.text)

    def _client(self, headers: Mapping[str, str]) -> httpx.AsyncClient:
        address = f"http://127.0.0.1:{self.port}"
        return httpx.AsyncClient(base_url=address, headers=headers, timeout=60, trust_env=False, verify=_NOBODY)

    async def close(self) -> None:
        """Close the connections of all visitors."""
        for client in self._clients:
            await client.aclose()


class Browser:
    """A visitor of one host. Answers below `/api` are held against the host's OpenAPI document."""

    def __init__(self, server: WebServer, client: httpx.AsyncClient, host: str) -> None:
        self._server = server
        self.client = client
        self.host = host

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request.

        Args:
            method: HTTP method.
            path: with query.
            options: as for `httpx.AsyncClient.request`.

        Raises:
            AssertionError: an answer of the API is not what the document promises.
        """
        response = await self.client.request(method, path, **options)
        if response.request.url.path.startswith("/api/v1/"):
            await self.check(response)
        return response

    async def check(self, response: httpx.Response) -> None:
        """Hold an answer against the document of this visitor's host."""
        (await self._server.contract(self.host)).check(response)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        """GET."""
        return await self.send("GET", path, **options)

    async def post(self, path: str, **options: Any) -> httpx.Response:
        """POST."""
        return await self.send("POST", path, **options)

    async def submit(self, path: str, values: Mapping[str, str]) -> httpx.Response:
        """Send a form as a browser does, from a page of the same host."""
        return await self.send("POST", path, data=dict(values), headers={"Sec-Fetch-Site": "same-origin"})

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()


@asynccontextmanager
async def serving(app: Quart) -> AsyncIterator[WebServer]:
    """Run an application behind Granian until the block ends.

    Args:
        app: made by `create_app`.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(app, address="127.0.0.1", port=port, interface=Interfaces.ASGI, log_enabled=False)
    running = asyncio.create_task(server.serve())
    visitors = WebServer(app, port)
    try:
        await _until_alive(port, running)
        yield visitors
    finally:
        await visitors.close()
        server.stop()  # type: ignore[no-untyped-call]
        await running


async def _until_alive(port: int, running: asyncio.Task[None]) -> None:
    async with asyncio.timeout(_START_SECONDS):
        while True:
            if running.done():
                running.result()
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                await writer.wait_closed()
                return
