"""Is the database there, safe, and the one that this code needs?"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from uuid import uuid4

import asyncpg

from regulars.cli.doctor import queries
from regulars.cli.doctor.findings import Finding, failed, ok, reason_of, warning
from regulars.cli.doctor.patient import ROLES, Patient
from regulars.kernel.db.catalogue import broken_rules
from regulars.kernel.db.clock import MAY_SHIFT
from regulars.kernel.db.rls import APP, PLATFORM
from regulars.kernel.migrate.runner import current
from regulars.kernel.migrate.targets import all_targets

LEAST_VERSIONS = {15: 150014, 16: 160010, 17: 170006}
"""First minor versions without CVE-2025-8713: statistics that told of rows which policies hide."""
_OLDEST = 15
_HEAR_SECONDS = 2.0
_UPGRADE = "Run `regulars db upgrade`."


async def reachable(patient: Patient) -> Finding:
    """A connection as each of the three roles, all in one database."""
    places = set()
    for role in ROLES:
        try:
            async with patient.connection(role) as connection:
                row = await connection.fetchrow(queries.WHO)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            return failed(
                f"The database does not let the {role} role in: {reason_of(error)}.",
                f"Is it running, and are user and password in REGULARS_DATABASE_URL_{role.upper()} right?",
            )
        places.add((row["database"], row["server"]))
    if len(places) > 1:
        return failed(
            "The three REGULARS_DATABASE_URL_… variables do not lead to one database.",
            "Let all of them name the same server and the same database.",
        )
    return ok("The database answers to all three roles.")


async def server(patient: Patient) -> Finding:
    """Version and settings that decide whether an answered sale survives a power cut."""
    async with patient.connection("app") as connection:
        return judge_server(dict(await connection.fetch(queries.SERVER)))


def judge_server(found: Mapping[str, str]) -> Finding:
    """Judge a server.

    Args:
        found: its settings by name, of those that matter.
    """
    number = int(found["server_version_num"])
    version = found["server_version"]
    if number // 10_000 < _OLDEST:
        return failed(f"PostgreSQL {version} runs, {_OLDEST} or newer is needed.", "Upgrade the server.")
    off = [name for name in ("fsync", "full_page_writes") if found[name] == "off"]
    if off:
        return failed(
            f"{' and '.join(off)} is off: a power cut can ruin the database.", f"Set {' and '.join(off)} to on."
        )
    if number < LEAST_VERSIONS.get(number // 10_000, 0):
        return warning(
            f"PostgreSQL {version} lets statistics tell of rows that policies hide (CVE-2025-8713).",
            "Install its newest minor version.",
        )
    if found["synchronous_commit"] == "off":
        return warning(
            "synchronous_commit is off: a power cut loses the last sales although tills were told of them.",
            "Set it to on, for the server, the database and the role.",
        )
    return ok(f"PostgreSQL {version}, and what is committed stays.")


async def notifications(patient: Patient) -> Finding:
    """Whether changes are heard of: poolers in transaction mode let no notification through."""
    channel, heard = f"doctor_{uuid4().hex}", asyncio.Event()
    async with patient.connection("app") as listening, patient.connection("app") as speaking:
        await listening.add_listener(channel, lambda *_: heard.set())
        await speaking.execute(f"NOTIFY {channel}")
        with suppress(TimeoutError):
            await asyncio.wait_for(heard.wait(), _HEAR_SECONDS)
    if heard.is_set():
        return ok("Notifications of the database are heard.")
    return failed(
        "Notifications of the database are not heard: the app role seems to come through a pooler in transaction mode.",
        "Let REGULARS_DATABASE_URL_APP lead to the server itself, or to a pooler in session mode.",
    )


async def roles(patient: Patient) -> Finding:
    """Roles that policies bind, and that have the rights they need."""
    wrong = []
    for role in ROLES:
        async with patient.connection(role) as connection:
            row = await connection.fetchrow(queries.WHO)
        name = row["name"]
        if role != "migrator" and name != {"app": APP, "platform": PLATFORM}[role]:
            wrong.append(f"the {role} role must be called {({'app': APP, 'platform': PLATFORM})[role]}, not {name}")
        powers = {"superuser": "rolsuper", "above policies": "rolbypassrls", "able to make roles": "rolcreaterole"}
        wrong += [f"{name} is {power}" for power, column in powers.items() if row[column]]
        if role != "migrator" and row["owns"]:
            wrong.append(f"{name} owns tables")
    if wrong:
        return failed(
            f"{_capital('; '.join(wrong))}: tenants are not kept apart.",
            "Make the roles as docs/operators.md says: NOSUPERUSER NOBYPASSRLS NOCREATEROLE, only the migrator owns.",
        )
    schemas = [target.schema for target in all_targets(patient.plugins)]
    async with patient.connection("migrator") as connection:
        lacking = [row[0] for row in await connection.fetch(queries.RIGHTS, [APP, PLATFORM], schemas)]
    if lacking:
        return failed(f"{_capital('; '.join(lacking))}.", f"{_UPGRADE} It grants the rights again.")
    return ok("The three roles are bound by policies and have their rights.")


async def isolation(patient: Patient) -> Finding:
    """What the catalogue says about every table of host and plugins."""
    async with patient.connection("migrator") as connection:
        broken = await broken_rules(connection.fetch)
    if not broken:
        return ok("Every table keeps tenants apart.")
    told = "; ".join(f"{rule}: not so for {', '.join(names[:5])}" for rule, names in broken.items())
    return failed(
        f"{_capital(told)}.",
        "A plugin's migration or a change by hand did this: stop serving until it is put right.",
    )


async def migrations(patient: Patient) -> Finding:
    """Whether tables and code fit, and whether a plugin has left tables behind."""
    states = await current(patient.config.database_url_migrator, all_targets(patient.plugins))
    ahead = [one for one in states if not one.is_known]
    if ahead:
        return failed(
            "; ".join(f"{one.target.name} is at {one.current}, unknown to this version" for one in ahead) + ".",
            "Start the newer version that has upgraded the database.",
        )
    behind = [one for one in states if not one.is_current]
    if behind:
        told = "; ".join(f"{one.target.name} is at {one.current or 'nothing'}, needs {one.head}" for one in behind)
        return failed(f"{told}.", _UPGRADE)
    known = {one.target.schema for one in states}
    async with patient.connection("migrator") as connection:
        orphans = [row[0] for row in await connection.fetch(queries.PLUGIN_SCHEMAS) if row[0] not in known]
    if orphans:
        return warning(
            f"Nobody knows the schema {', '.join(orphans)}: its plugin is not loaded.",
            "Install the plugin again, or drop the schema when its data is not wanted any more.",
        )
    return ok(", ".join(f"{one.target.name} {one.current}" for one in states) + ": the newest.")


async def clock(patient: Patient) -> Finding:
    """This machine's clock against the database's, and the rules' clock against that."""
    async with patient.connection("migrator") as connection:
        before = patient.now()
        there = float(await connection.fetchval(queries.NOW))
        apart = abs(there - (before + patient.now()) / 2)
        shift = await connection.fetchval(queries.SHIFT)
    if shift and patient.config.env not in MAY_SHIFT:
        return failed(
            f"The database's clock is shifted by {shift}, so cooldowns and limits go wrong.",
            "Use another database, or set REGULARS_ENV=demo if this is a demo.",
        )
    if apart > 30:
        return failed(f"The clocks of this machine and of the database are {apart:.0f} s apart.", _SET_CLOCK)
    if apart > 2:
        return warning(f"The clocks of this machine and of the database are {apart:.1f} s apart.", _SET_CLOCK)
    return ok("The clocks agree.")


_SET_CLOCK = "Let both machines get their time from the network (chrony, systemd-timesyncd)."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
