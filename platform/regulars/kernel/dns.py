"""Questions to the domain name system, asked without holding up anything else."""

from __future__ import annotations

from typing import Any

from dns.asyncresolver import Resolver
from dns.exception import DNSException
from dns.name import from_text
from dns.nameserver import Do53Nameserver
from dns.resolver import NXDOMAIN, NoAnswer

SECONDS = 5.0
"""For one question, whatever servers are tried."""


class DnsSilent(Exception):
    """Nobody could tell: a time-out or a server's failure, which says nothing about the name."""


class Dns:
    """Asks a name server.

    Args:
        server: its address, `host` or `host:port`; the system's own when empty.
    """

    def __init__(self, server: str = "") -> None:
        self._server = server

    async def texts(self, name: str) -> frozenset[str]:
        """The TXT records of a name, each joined from its parts; none when there is no such name.

        Raises:
            DnsSilent: nobody could tell.
        """
        return frozenset(b"".join(record.strings).decode("utf-8", "replace") for record in await self._ask(name, "TXT"))

    async def addresses(self, name: str) -> frozenset[str]:
        """The addresses that a name leads to, by way of other names too; none when there is no such name.

        Raises:
            DnsSilent: nobody could tell.
        """
        found = [*await self._ask(name, "A"), *await self._ask(name, "AAAA")]
        return frozenset(record.address for record in found)

    async def _ask(self, name: str, kind: str) -> list[Any]:
        try:
            answer = await self._resolver().resolve(from_text(name), kind, search=False)
        except (NXDOMAIN, NoAnswer):
            return []
        except DNSException as error:
            raise DnsSilent(f"{name} {kind}: {type(error).__name__}") from error
        return list(answer)

    def _resolver(self) -> Resolver:
        """A new one each time: nothing is remembered, since people wait for what has just changed."""
        resolver = Resolver(configure=not self._server)
        resolver.lifetime = SECONDS
        if self._server:
            host, _, port = self._server.rpartition(":") if self._server.count(":") == 1 else (self._server, "", "53")
            resolver.nameservers = [Do53Nameserver(host, int(port))]
        return resolver
