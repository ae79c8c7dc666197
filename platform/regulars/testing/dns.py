"""A little name server for tests: answers over UDP what the test has written down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

from dns import rcode, rdatatype
from dns.flags import AA
from dns.message import Message, QueryMessage, from_wire, make_response
from dns.name import Name, from_text
from dns.rrset import from_text as make_records


@dataclass
class NameServer:
    """A name server.

    Attributes:
        address: `host:port`, for `REGULARS_DNS_SERVER`.
        records: (name, kind) → values; the text of a TXT record in quotes.
        broken: whether it answers every question with a failure.
        asked: (name, kind) of every question.
    """

    address: str = ""
    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    broken: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)

    def answer(self, question: Message) -> Message:
        """The answer to a question."""
        response = make_response(question)
        response.flags |= AA
        wanted = question.question[0]
        kind = rdatatype.to_text(wanted.rdtype)
        self.asked.append((wanted.name.to_text(omit_final_dot=True), kind))
        if self.broken:
            response.set_rcode(rcode.SERVFAIL)
            return response
        name: Name = wanted.name
        while (key := self._key(name, "CNAME")) in self.records:
            response.answer.append(make_records(name, 60, "IN", "CNAME", f"{self.records[key][0]}."))
            name = from_text(self.records[key][0])
        values = self.records.get(self._key(name, kind), [])
        if values:
            response.answer.append(make_records(name, 60, "IN", kind, *values))
        elif not any(known == self._key(name, kind)[0] for known, _ in self.records):
            response.set_rcode(rcode.NXDOMAIN)
        return response

    def _key(self, name: Name, kind: str) -> tuple[str, str]:
        return (name.to_text(omit_final_dot=True).lower(), kind)


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        question = from_wire(data)
        assert self._transport is not None
        assert isinstance(question, QueryMessage)
        self._transport.sendto(self._server.answer(question).to_wire(), addr)


@asynccontextmanager
async def name_server() -> AsyncIterator[NameServer]:
    """Run a name server until the block ends."""
    server = NameServer()
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Protocol(server), local_addr=("127.0.0.1", 0)
    )
    server.address = "127.0.0.1:{}".format(transport.get_extra_info("sockname")[1])
    try:
        yield server
    finally:
        transport.close()
