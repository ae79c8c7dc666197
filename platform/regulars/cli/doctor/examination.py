"""Carries out all checks at the same time; none may hang, and what one says holds no secret."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from regulars.cli.doctor import database, outside, services, software
from regulars.cli.doctor.findings import Finding, Level, failed, reason_of, skipped
from regulars.cli.doctor.patient import Patient
from regulars.kernel.observability import redact_text

log = structlog.get_logger(__name__)

Check = Callable[[Patient], Awaitable[Finding]]

ALONE: Mapping[str, Check] = {
    "packages": software.packages,
    "plugins": software.plugins,
    "secrets": software.secrets,
    "proxies": software.proxies,
    "disk": outside.disk,
    "admin port": outside.admin,
    "names": outside.names,
    "redis": services.redis,
    "mail": services.mail,
    "database": database.reachable,
}
"""Checks that need nothing else."""
WITH_DATABASE: Mapping[str, Check] = {
    "server": database.server,
    "notifications": database.notifications,
    "roles": database.roles,
    "migrations": database.migrations,
    "clock": database.clock,
}
WITH_TABLES: Mapping[str, Check] = {
    "isolation": database.isolation,
    "worker": services.worker,
    "ledger": services.ledger,
    "certificates": outside.certificates,
}
"""Checks that read our tables."""
_DEADLINE = 15.0


async def examine(patient: Patient) -> dict[str, Finding]:
    """Carry out every check.

    Args:
        patient: what is examined.

    Returns:
        Name of the check → what it says, in the order above.
    """
    found = await _all(ALONE, patient)
    stages = ((WITH_DATABASE, "database", "The database does not answer."), (WITH_TABLES, "migrations", _NO_TABLES))
    for checks, needed, reason in stages:
        if found[needed].level in {Level.FAILED, Level.SKIPPED}:
            found |= {name: skipped(f"Not looked at: {reason}") for name in checks}
        else:
            found |= await _all(checks, patient)
    return found


_NO_TABLES = "the tables are not what this version needs."


async def _all(checks: Mapping[str, Check], patient: Patient) -> dict[str, Finding]:
    findings = await asyncio.gather(*(_one(check, patient) for check in checks.values()))
    return dict(zip(checks, findings, strict=True))


async def _one(check: Check, patient: Patient) -> Finding:
    try:
        async with asyncio.timeout(_DEADLINE):
            found = await check(patient)
    except TimeoutError:
        return failed(f"This could not be checked within {_DEADLINE:.0f} s.", _LOOK)
    except Exception as error:  # one check's fault must not hide what the others find
        log.debug("check_failed", exc_info=error)
        return failed(f"This could not be checked: {redact_text(reason_of(error))}.", _LOOK)
    return Finding(found.level, redact_text(found.sentence), found.remedy)


_LOOK = "Try again; if it stays so, the log or the server in question says more."
