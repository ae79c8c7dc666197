"""Which names the proxy may get certificates for: those that somebody here answers to, and no others.

Caddy asks before it gets a certificate on demand (`on_demand_tls { ask … }`): without this anybody could make it get
one for any name that leads here, until the certificate authority refuses to give any.
"""

from __future__ import annotations

import asyncio

from quart import Response

from regulars.web.hosts import HOST_KINDS, is_within, kind_of, normalise_host
from regulars.web.request import RegularsApp, current_request
from regulars.web.services import Services, services

PATH = "/_tls/ask"
_AT_ONCE = 4
"""Look-ups at the same time in a process: whoever floods it with names leaves connections for everybody else."""


def register_ask(app: RegularsApp) -> None:
    """Add the route: on every host, since the proxy asks by the server's address; for trusted proxies only."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def ask() -> Response:
        request, parts = current_request(), services()
        if not is_within(request.visit.peer.ip, parts.config.trusted_proxies):
            return Response(status=404)
        async with gate:
            allowed = await may_have_certificate(parts, request.args.get("domain", ""))
        return Response(status=200 if allowed else 404)

    for kind in HOST_KINDS:
        app.add_url_rule(PATH, "tls_ask", ask, subdomain=kind)


async def may_have_certificate(parts: Services, name: str) -> bool:
    """Whether this installation answers to a host name.

    Args:
        parts: for the configuration and the look-up, which remembers unknown names too.
        name: as the visitor's TLS client sent it.
    """
    host, config = normalise_host(name), parts.config
    if not host or host != name.lower():
        return False
    if host in {config.base_domain, config.console_host}:
        return True
    return kind_of(host, config) == "tenant" and await parts.snapshots.resolve(host) is not None
