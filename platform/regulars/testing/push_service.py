"""Apple's push service as far as passes need it: HTTP/2, client certificates, topics, and answers on demand."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded

from regulars.cli.dev_certs import Authority

Reply = tuple[int, Mapping[str, Any], Mapping[str, str]]
_OK: Reply = (200, {}, {})


class PushServer:
    """What was pushed, and what is to be answered.

    Attributes:
        address: of the service.
        authority_path: file with the certificate that its callers trust.
        pushed: tokens, in the order of coming.
        heard: the same, for whoever waits for the next one; empty for no more.
        answers: token → (status, body, headers); 200 for all others.
        lines: how many connections there were.
        is_down: whether connections are closed instead of answered.
        open: the connections that there are.
    """

    def __init__(self, authority_path: str) -> None:
        self.address = ""
        self.authority_path = authority_path
        self.pushed: list[str] = []
        self.heard: asyncio.Queue[str] = asyncio.Queue()
        self.answers: dict[str, Reply] = {}
        self.lines = 0
        self.is_down = False
        self.open: set[asyncio.Transport] = set()

    def answer(self, certificate: Any, headers: Mapping[str, str], body: bytes) -> Reply:
        """What is said to one request: a topic that is not the certificate's is refused, and so is a body with news."""
        topics = [value for part in certificate["subject"] for name, value in part if name == "userId"]
        if headers[":method"] != "POST" or body != b"{}" or headers["apns-push-type"] != "background":
            return 400, {"reason": "BadRequest"}, {}
        if topics != [headers["apns-topic"]]:
            return 400, {"reason": "BadTopic"}, {}
        token = headers[":path"].removeprefix("/3/device/")
        self.pushed.append(token)
        self.heard.put_nowait(token)
        return self.answers.get(token, _OK)


class _Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: PushServer) -> None:
        self._server = server
        self._requests: dict[int, tuple[Mapping[str, str], bytearray]] = {}
        self._http = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.lines += 1
        self._server.open.add(transport)
        self._http.initiate_connection()
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        if self._server.is_down:
            self._transport.close()
            return
        for event in self._http.receive_data(data):
            if isinstance(event, RequestReceived):
                headers = {str(name): str(value) for name, value in event.headers}
                self._requests[event.stream_id] = (headers, bytearray())
            elif isinstance(event, DataReceived):
                self._requests[event.stream_id][1].extend(event.data)
                self._http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, StreamEnded):
                self._answer(event.stream_id)
        self._send()

    def _answer(self, stream: int) -> None:
        headers, body = self._requests.pop(stream)
        status, said, more = self._server.answer(self._transport.get_extra_info("peercert"), headers, bytes(body))
        sent = json.dumps(said).encode() if said else b""
        self._http.send_headers(stream, [(":status", str(status)), *more.items()], end_stream=not sent)
        if sent:
            self._http.send_data(stream, sent, end_stream=True)

    def _send(self) -> None:
        self._transport.write(self._http.data_to_send())


@asynccontextmanager
async def push_server(authority: Authority, folder: Path) -> AsyncIterator[PushServer]:
    """A running one.

    Args:
        authority: whose certificates it lets in.
        folder: for its own certificate.
    """
    own, root = authority.server_certificate("localhost"), folder / "push-root.pem"
    (folder / "push.pem").write_bytes(own.certificate_pem + own.key_pem)
    root.write_bytes(authority.root.certificate_pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(root))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(folder / "push.pem")
    context.set_alpn_protocols(["h2"])
    state = PushServer(str(root))
    server = await asyncio.get_running_loop().create_server(lambda: _Line(state), "127.0.0.1", 0, ssl=context)
    state.address = f"https://localhost:{server.sockets[0].getsockname()[1]}"
    yield state
    server.close()
    for transport in tuple(state.open):
        transport.abort()
    await server.wait_closed()
