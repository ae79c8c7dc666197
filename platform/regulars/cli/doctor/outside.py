"""Do visitors find us, and do browsers trust what they find? Is there room on the disk?"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
import stat
from pathlib import Path

from regulars.cli.doctor import queries
from regulars.cli.doctor.findings import Finding, Level, failed, ok, reason_of, skipped, warning
from regulars.cli.doctor.patient import Patient

_DAY = 86_400
_TLS_SECONDS = 4.0
_MOST_HOSTS = 50
_PROBE = "regulars-doctor"


async def names(patient: Patient) -> Finding:
    """Whether the base domain and every name below it lead somewhere."""
    base = patient.config.base_domain
    if base == "localhost":
        return skipped("The base domain is localhost: no DNS is needed.")
    lost = [name for name in (base, f"{_PROBE}.{base}", patient.config.console_host) if not await _resolves(name)]
    if lost:
        return failed(
            f"The DNS knows nothing of {', '.join(lost)}.",
            f"Add records for {base}, *.{base} and {patient.config.console_host} that lead to the proxy.",
        )
    return ok(f"{base}, the names below it and the console's lead somewhere.")


async def _resolves(name: str) -> bool:
    try:
        return bool(await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError):
        return False


async def certificates(patient: Patient) -> Finding:
    """What visitors' browsers would say: trust, name and end of each certificate."""
    config = patient.config
    if config.scheme != "https":
        return skipped("REGULARS_SCHEME is http: there are no certificates.")
    async with patient.connection("platform") as connection:
        tenants = [row["host"] for row in await connection.fetch(queries.HOSTS, _MOST_HOSTS)]
    hosts = list(dict.fromkeys([config.base_domain, config.console_host, *tenants]))
    found = await asyncio.gather(*(_certificate(patient, host) for host in hosts))
    worst = max(found, key=lambda one: _GRAVITY.index(one.level))
    if worst.level is Level.OK:
        return ok(f"The certificates of {len(hosts)} hosts are trusted and last for more than 30 days.")
    bad = [one.sentence for one in found if one.level is worst.level]
    more = f" (and {len(bad) - 3} more)" if len(bad) > 3 else ""
    return Finding(worst.level, " ".join(bad[:3]) + more, worst.remedy)


_GRAVITY = (Level.OK, Level.SKIPPED, Level.WARNING, Level.FAILED)


async def _certificate(patient: Patient, host: str) -> Finding:
    port = patient.config.public_port
    try:
        async with asyncio.timeout(_TLS_SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context())
    except ssl.SSLCertVerificationError as error:
        reason = error.verify_message.rstrip(".")
        return failed(f"Browsers refuse the certificate of {host}: {reason}.", _LOOK_AT_PROXY)
    except (OSError, TimeoutError) as error:
        return failed(
            f"{host} cannot be reached on port {port}: {reason_of(error)}.", "Is the proxy running and the port open?"
        )
    certificate = writer.get_extra_info("peercert")
    writer.transport.abort()
    days = (ssl.cert_time_to_seconds(certificate["notAfter"]) - patient.now()) / _DAY
    if days < 1:
        return failed(f"The certificate of {host} ends within a day.", _LOOK_AT_PROXY)
    if days < 30:
        return warning(f"The certificate of {host} ends in {days:.0f} days.", _LOOK_AT_PROXY)
    return ok(host)


_LOOK_AT_PROXY = "Look at the proxy's log: it should have got a new one by itself."


async def disk(patient: Patient) -> Finding:
    """The data folder: there, ours alone, writable, and with room."""
    folder = patient.config.data_dir
    if not await asyncio.to_thread(folder.is_dir):
        return failed(f"The data folder {folder} is missing.", "Make it, or correct REGULARS_DATA_DIR.")
    if not os.access(folder, os.W_OK | os.X_OK):
        return failed(f"The data folder {folder} cannot be written to.", "Give it to the user who runs Regulars.")
    free = (await asyncio.to_thread(shutil.disk_usage, folder)).free
    if free < patient.least_free:
        return warning(f"Only {free / 2**20:.0f} MiB are free on the disk of {folder}.", "Make room.")
    if await asyncio.to_thread(_is_open_to_all, folder):
        return warning(f"Everybody on this machine can read {folder}.", f"Run `chmod o-rwx {folder}`.")
    return ok(f"The data folder has {free / 2**30:.0f} GiB free.")


def _is_open_to_all(folder: Path) -> bool:
    return bool(folder.stat().st_mode & stat.S_IRWXO)


_EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared, not bound


async def admin(patient: Patient) -> Finding:
    """Who can reach the admin port, which asks nobody who they are."""
    config = patient.config
    if not config.admin_port:
        return skipped("REGULARS_ADMIN_PORT is not set: there are no metrics.")
    if config.admin_bind in _EVERYWHERE:
        return warning(
            f"The admin port {config.admin_port} is open to every network of this machine.",
            "Set REGULARS_ADMIN_BIND to an address that only your monitoring reaches.",
        )
    return ok(f"Metrics are told on {config.admin_bind}, port {config.admin_port}.")
