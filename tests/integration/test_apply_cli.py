"""The commands `tenant`, `db`, `operator`, `plugin` as an operator types them."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from asyncpg import Connection
from click.testing import CliRunner, Result

from regulars.cli import main
from regulars.kernel.embedded import Urls
from regulars.kernel.paths import bundled
from regulars.testing.plugin import Servers, environment

NEWEST = max(path.name for path in bundled("migrations").glob("versions/[0-9]*.py"))[:4]


class Shell:
    def __init__(self, variables: dict[str, str]) -> None:
        self.variables = variables

    def __call__(self, *words: str, typed: str | None = None, **extra: str) -> Result:
        return CliRunner().invoke(main, words, input=typed, env={**self.variables, **extra})


@pytest.fixture
def shell(database_urls: Urls, servers: Servers, tmp_path: Path) -> Shell:
    return Shell(environment(database_urls, servers.redis.url, tmp_path))


def test_tenant_apply(shell: Shell) -> None:
    folder = str(bundled("tenants"))
    dry = shell("tenant", "apply", folder, "--dry-run")
    assert (dry.exit_code, dry.stdout.splitlines()[-1]) == (0, "25 to add, 0 to change; nothing was done (--dry-run).")
    done = shell("tenant", "apply", folder)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "25 to add, 0 to change; done.")
    assert done.stdout.splitlines()[:-1] == dry.stdout.splitlines()[:-1]
    again = shell("tenant", "apply", folder)
    assert (again.exit_code, again.stdout) == (0, "Nothing to change.\n")
    rebased = shell("tenant", "rebase", REGULARS_BASE_DOMAIN="shop.example")
    assert (rebased.exit_code, rebased.stdout.splitlines()) == (
        0,
        [
            "+ boulangerie.shop.example",
            "+ cafe.shop.example",
            "+ pizza.shop.example",
            "3 tenants answer below shop.example now.",
        ],
    )
    assert shell("tenant", "rebase", REGULARS_BASE_DOMAIN="shop.example").stdout == "Nothing to change.\n"


def test_tenant_apply_finds_the_tenants_own_themes(shell: Shell, tmp_path: Path) -> None:
    """In production no folder of tenants is known by itself; the one that is applied is."""
    folder, production = str(bundled("tenants")), {"REGULARS_ENV": "production", "REGULARS_SCHEME": "https"}
    unnamed = shell("tenant", "apply", folder, "--dry-run", **production)
    assert unnamed.exit_code == 0, unnamed.stderr
    assert unnamed.stderr == f"boulangerie: its own theme is not shown until REGULARS_TENANTS_DIR names {folder}.\n"
    named = shell("tenant", "apply", folder, "--dry-run", REGULARS_TENANTS_DIR=folder, **production)
    assert (named.exit_code, named.stderr) == (0, "")
    other = shell("tenant", "apply", folder, "--dry-run", REGULARS_TENANTS_DIR=str(tmp_path), **production)
    assert "boulangerie/tenant.toml: theme: there is no theme “boulangerie” for this tenant" in other.stderr


def test_tenant_apply_with_faults(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    (folder / "cafe").mkdir(parents=True)
    (folder / "cafe" / "tenant.toml").write_text("name = ", "utf-8")
    found = shell("tenant", "apply", str(folder))
    assert found.exit_code == 1
    assert found.stderr.startswith(f"Error: {folder}/cafe/tenant.toml: this is not TOML: ")
    assert shell("tenant", "apply", str(tmp_path / "nowhere")).exit_code == 1


GONE = (
    "CREATE SCHEMA plg_gone",
    "CREATE TABLE plg_gone.visit (tenant_id uuid, number int, PRIMARY KEY (tenant_id, number))",
    "INSERT INTO plg_gone.visit SELECT gen_random_uuid(), number FROM generate_series(1, 3) number",
    """INSERT INTO core.plugin_settings (tenant_id, plugin, scope_id, version, values)
    SELECT gen_random_uuid(), plugin, gen_random_uuid(), 1, '{}' FROM unnest(ARRAY['gone', 'stays']) plugin""",
)
SHOWN = [
    "The schema plg_gone goes, with these rows:",
    "  visit: 3",
    "Stored settings go: 1. Entries of the ledger stay.",
]
LEFT = "SELECT to_regclass('plg_gone.visit') IS NOT NULL, ARRAY(SELECT plugin FROM core.plugin_settings ORDER BY 1)"
PURGED = (
    "SELECT actor_kind, subject, details->'tables'->>'visit' FROM core.platform_audit WHERE action = 'plugin.purged'"
)


async def test_plugin_purge(shell: Shell, sql: Connection) -> None:
    for statement in GONE:
        await sql.execute(statement)

    async def purge(*words: str) -> Result:
        return await asyncio.to_thread(shell, "plugin", "purge", *words)

    shown = await purge("gone")
    assert (shown.exit_code, shown.stdout.splitlines()) == (0, [*SHOWN, "Nothing was deleted: add --confirm to do so."])
    await sql.execute("INSERT INTO core.offering VALUES ('basic', 'Basic', 1, '[\"gone.extra\"]', '{}')")
    refused = await purge("gone", "--confirm")
    told = "It is in use: the offering basic. Nothing was deleted; end that first, or add --even-if-used."
    assert (refused.exit_code, refused.stderr) == (1, f"Error: {told}\n")
    await sql.execute("CREATE TABLE other (t uuid, n int, FOREIGN KEY (t, n) REFERENCES plg_gone.visit)")
    tied = await purge("gone", "--confirm", "--even-if-used")
    assert tied.stderr == "Error: other refer to its tables: purge the plugin that they are of first.\n"
    await sql.execute("DROP TABLE other")
    assert tuple(await sql.fetchrow(LEFT)) == (True, ["gone", "stays"])
    done = await purge("gone", "--confirm", "--even-if-used")
    assert (done.exit_code, done.stdout.splitlines()) == (0, [*SHOWN, "It is deleted."])
    assert tuple(await sql.fetchrow(LEFT)) == (False, ["stays"])
    assert [tuple(row) for row in await sql.fetch(PURGED)] == [("system", "gone", "3")]
    again = await purge("gone", "--confirm")
    assert (again.exit_code, again.stderr) == (1, "Error: Nothing is stored of a plugin 'gone'.\n")
    loaded = await purge("stamps", "--confirm")
    assert "It is in use: this installation, which loads it" in loaded.stderr


def test_db(shell: Shell) -> None:
    assert shell("db", "status").stdout.splitlines()[0].startswith(f"host: {NEWEST} (current)")
    upgraded = shell("db", "upgrade")
    assert (upgraded.exit_code, upgraded.stdout.splitlines()[0]) == (0, f"host: at {NEWEST}")
    checked = shell("db", "check")
    assert (checked.exit_code, checked.stdout.splitlines()[0]) == (0, "host: no difference")


def test_db_from_nothing(shell: Shell, servers: Servers) -> None:
    urls = asyncio.run(servers.postgres.create_database("empty_for_upgrade"))
    try:
        new = Shell({**shell.variables, **_addresses(urls)})
        status = new("db", "status")
        assert (status.exit_code, status.stdout.splitlines()[0]) == (
            1,
            f"host: nothing yet (behind, the newest is {NEWEST}: run `regulars db upgrade`)",
        )
        upgraded = new("db", "upgrade")
        assert (upgraded.exit_code, upgraded.stdout.splitlines()[0]) == (0, f"host: new → {NEWEST}")
        assert new("db", "status").exit_code == 0
    finally:
        asyncio.run(servers.postgres.drop_database("empty_for_upgrade"))


def test_a_database_that_is_away(shell: Shell) -> None:
    away = "postgresql+asyncpg://{}:x@127.0.0.1:9/regulars"
    names = {"APP": "app", "PLATFORM": "platform", "MIGRATOR": "migrator"}
    gone = Shell(
        {**shell.variables, **{f"REGULARS_DATABASE_URL_{key}": away.format(user) for key, user in names.items()}}
    )
    for words in (("db", "status"), ("tenant", "rebase"), ("operator", "add", "a@b.example", "A", "--password-stdin")):
        found = gone(*words, typed="a long password\n")
        assert (found.exit_code, found.exception.__class__) == (1, SystemExit), found.output
        assert "is" in found.stderr
        assert "running" in found.stderr


def test_operators(shell: Shell) -> None:
    typed = shell("operator", "add", "olga@platform.example", "Olga", typed="a long password\na long password\n")
    assert typed.exit_code == 0, typed.output
    assert typed.stdout.splitlines()[-1] == "olga@platform.example may log in at http://console.localhost:8000/"
    piped = shell("operator", "add", "otto@platform.example", "Otto", "--password-stdin", typed="another password\n")
    assert piped.exit_code == 0
    twice = shell("operator", "add", "otto@platform.example", "Otto", "--password-stdin", typed="another password\n")
    assert (twice.exit_code, twice.stderr) == (1, "Error: There is an operator with this e-mail address already.\n")
    short = shell("operator", "add", "ossi@platform.example", "Ossi", "--password-stdin", typed="short\n")
    assert (short.exit_code, short.stderr) == (1, "Error: A password has at least 10 characters.\n")
    new = shell("operator", "password", "otto@platform.example", "--password-stdin", typed="a third password\n")
    assert (new.exit_code, new.stdout) == (0, "otto@platform.example has a new password\n")


def test_plugins(shell: Shell) -> None:
    everything = shell("plugin", "list")
    assert everything.exit_code == 0
    lines = everything.stdout.splitlines()
    assert {"antifraud", "points", "stamps", "tiers", "referrals"} <= {line.split()[0] for line in lines[::2]}
    assert all(re.fullmatch(r"    regulars-[\w-]+, /.+, sha256:[0-9a-f]{12}", line) for line in lines[1::2]), lines
    some = shell("plugin", "list", REGULARS_PLUGINS="stamps", REGULARS_PLUGIN_BLOCKLIST="antifraud")
    assert some.stdout.splitlines()[2].endswith("blocked by REGULARS_PLUGIN_BLOCKLIST")
    missing = shell("plugin", "list", REGULARS_PLUGINS="stamps,teleport")
    assert (missing.exit_code, "teleport" in missing.stderr) == (1, True)


def _addresses(urls: Urls) -> dict[str, str]:
    return {
        "REGULARS_DATABASE_URL_APP": urls.app,
        "REGULARS_DATABASE_URL_PLATFORM": urls.platform,
        "REGULARS_DATABASE_URL_MIGRATOR": urls.migrator,
    }
