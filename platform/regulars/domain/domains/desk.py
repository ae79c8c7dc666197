"""The desk for merchants' own domains: asks the world how a name stands, without a transaction, and settles it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from uuid import UUID

import structlog

from regulars.contracts.context import TenantSnapshot
from regulars.domain.domains import service
from regulars.domain.domains.naming import PROOF_PREFIX, proof_name
from regulars.domain.domains.service import FEATURE, Domain
from regulars.domain.domains.settling import Found, settle
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.kernel.dns import Dns, DnsSilent

log = structlog.get_logger(__name__)

HANDSHAKE_SECONDS = 20.0
"""The proxy may have to get the certificate first."""


class DomainDesk:
    """Checks names; pages and jobs share it.

    Args:
        config: what names must point to, scheme and port of visitors, whom to ask.
        database: for the platform's session.
        trust: makes the context that certificates are checked with; by default that of the system.
    """

    def __init__(
        self, config: Config, database: Database, trust: Callable[[], ssl.SSLContext] = ssl.create_default_context
    ) -> None:
        self.target = config.domain_target
        self._config = config
        self._database = database
        self._dns = Dns(config.dns_server)
        self._trust = trust

    def ours(self) -> frozenset[str]:
        """The platform's own names: nobody brings one of them or one below."""
        return frozenset({self._config.base_domain, self._config.console_host, self.target})

    async def target_addresses(self) -> frozenset[str]:
        """Where names must lead to, for a record of the kind A; none when nobody can tell."""
        try:
            return await self._dns.addresses(self.target)
        except DnsSilent:
            return frozenset()

    async def check(self, tenant: TenantSnapshot, host: str, *, certificate: bool = True) -> Domain | None:
        """Look at a name's records, and at its certificate once it answers.

        Args:
            tenant: whose.
            host: one of its own domains.
            certificate: whether there is time to look at the certificate.

        Returns:
            How it stands now, `None` when it is none of the tenant's.
        """
        async with self._database.platform(service.REASON, read_only=True) as session:
            before = await service.find_domain(session, tenant.id, host)
        if before is None:
            return None
        found = await self._look(tenant, before)
        after = await self._settle(tenant.id, host, found)
        is_well = after is not None and after.status == "verified" and not after.problem
        if certificate and is_well and await self._has_certificate(host):
            after = await self._settle(tenant.id, host, Found("", certificate=True))
        return after

    async def _settle(self, tenant_id: UUID, host: str, found: Found) -> Domain | None:
        async with self._database.platform(service.REASON) as session:
            after = await settle(session, tenant_id, host, found)
        log.info("domain_checked", host=host, problem=found.problem, status=after.status if after else "removed")
        return after

    async def _look(self, tenant: TenantSnapshot, domain: Domain) -> Found:
        if not tenant.has(FEATURE):
            return Found("offering")
        try:
            if f"{PROOF_PREFIX}{domain.proof}" not in await self._dns.texts(proof_name(domain.host)):
                return Found("proof")
            addresses, ours = await self._dns.addresses(domain.host), await self._dns.addresses(self.target)
        except DnsSilent as error:
            log.info("dns_silent", error=str(error))
            return Found("silent")
        if not addresses or not addresses <= ours:
            return Found("address")
        return Found("", certificate=self._config.scheme == "http" or domain.status == "live")

    async def _has_certificate(self, host: str) -> bool:
        """Whether our own proxy shows a valid certificate for a name; the name's own records are not followed."""
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                _, writer = await asyncio.open_connection(
                    self.target, self._config.public_port, ssl=self._trust(), server_hostname=host
                )
        except (OSError, TimeoutError) as error:  # a failed handshake is an OSError too
            log.info("certificate_not_seen", host=host, error=f"{type(error).__name__}: {error}")
            return False
        writer.close()
        return True
