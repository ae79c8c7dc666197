"""Are the servers and processes around us well: Redis, the mail server, the worker?"""

from __future__ import annotations

from regulars.cli.doctor import queries
from regulars.cli.doctor.findings import Finding, failed, ok, reason_of, skipped, warning
from regulars.cli.doctor.patient import Patient
from regulars.domain.messaging.smtp import MailDeferred, MailServer, greet
from regulars.kernel.redis import RedisDown, facts
from regulars.worker import APPLICATION_NAME

_OLDEST_REDIS = 6
_LATE_SECONDS = 300
_SAMPLE = 1000


async def redis(patient: Patient) -> Finding:
    """Reachable, new enough, and keeping what it is given."""
    try:
        found = await facts(patient.config.redis_url)
    except RedisDown as error:
        return failed(
            f"Redis does not answer: {reason_of(error)}.",
            "Is it running, and is REGULARS_REDIS_URL right? Until then jobs wait and nobody can log in.",
        )
    if int(found.version.partition(".")[0]) < _OLDEST_REDIS:
        return failed(f"Redis {found.version} runs, {_OLDEST_REDIS} or newer is needed.", "Upgrade the server.")
    if found.eviction != "noeviction":
        return warning(
            f"Redis throws keys away when it is full ({found.eviction}): limits and jobs are forgotten then.",
            "Set maxmemory-policy to noeviction.",
        )
    return ok(f"Redis {found.version} answers.")


async def mail(patient: Patient) -> Finding:
    """Whether the mail server lets us in; nothing is sent."""
    mail_server = MailServer.of(patient.config)
    if mail_server is None:
        return skipped("No mail server is set: mails are kept in the console's mailbox.")
    try:
        await greet(mail_server)
    except MailDeferred as error:
        return failed(
            f"The mail server {mail_server.host}:{mail_server.port} does not take mails from us: {reason_of(error)}.",
            "Look at REGULARS_SMTP_HOST, _PORT, _USER, _PASSWORD and _STARTTLS.",
        )
    return ok(f"The mail server {mail_server.host}:{mail_server.port} lets us in.")


async def worker(patient: Patient) -> Finding:
    """Whether a worker lives, and whether what waits is worked off."""
    async with patient.connection("platform") as connection:
        row = await connection.fetchrow(queries.BACKLOG)
        living = await connection.fetchval(queries.WORKERS, APPLICATION_NAME)
    if not living:
        return failed("No worker is connected: mails and everything else that happens later wait.", _START)
    late = max(row["late"], row["event_late"])
    if late > _LATE_SECONDS:
        return failed(f"The oldest job has been waiting for {late / 60:.0f} minutes.", _BUSY)
    if row["dead"]:
        return warning(
            f"{row['dead']} jobs were given up.",
            "The console's page for jobs says why, and tries them again when the reason is gone.",
        )
    return ok("A worker is connected and nothing waits for long.")


_START = "Start `regulars worker`."
_BUSY = "Look for worker_part_failed in the worker's log, or start more workers."


async def ledger(patient: Patient) -> Finding:
    """Some balances against their entries; `--ledger` looks at every rule and every row."""
    async with patient.connection("migrator") as connection:
        accounts = float(await connection.fetchval(queries.ACCOUNTS))
        share = min(100.0, 100.0 * _SAMPLE / max(accounts, 1.0))
        rows = await connection.fetch(queries.SAMPLE, share, _SAMPLE)
    wrong = sum(not row["agrees"] for row in rows)
    if wrong:
        return failed(
            f"{wrong} of {len(rows)} balances are not the sum of their entries.",
            "Run `regulars doctor --ledger`, and ask for help before anything is put right by hand.",
        )
    return ok(f"{len(rows)} balances looked at; each is the sum of its entries.")
