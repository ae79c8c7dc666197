"""`regulars doctor`: for each check the real thing is broken, and the sentence is read."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from aiosmtpd.controller import Controller
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from regulars.cli import main
from regulars.cli.doctor import database, outside, services, software
from regulars.cli.doctor.examination import ALONE, WITH_DATABASE, WITH_TABLES, examine
from regulars.cli.doctor.findings import Finding, Level, failed, ok, skipped, warning
from regulars.cli.doctor.patient import Patient
from regulars.kernel.config import load_config
from regulars.kernel.db.base import new_id
from regulars.kernel.embedded import Urls
from regulars.kernel.plugins.faults import Fault
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.environment import environment
from regulars.testing.plugin import Servers
from regulars.testing.world import make_tenant

JOB = """
INSERT INTO core.job (tenant_id, id, name, payload, status, run_at)
VALUES ($1, $2, 'core.x', '{}', $3, now() - interval '10 minutes')"""
ACCOUNT = """
INSERT INTO core.account (tenant_id, card_id, unit, balance, lifetime, seq, last_at)
VALUES ($1, $2, 'stamps', 3, 3, 1, now())"""
REFUSED = "Browsers refuse the certificate of localhost"
UPGRADE = "Run `regulars db upgrade`."


@pytest.fixture(scope="module")
async def urls(servers: Servers, template: str) -> AsyncIterator[Urls]:
    """One database for all: every test puts right again what it has broken."""
    name = f"doctor_{new_id().hex}"
    yield await servers.postgres.create_database(name, template)
    await servers.postgres.drop_database(name)


@pytest.fixture(scope="module")
def variables(urls: Urls, servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("data")
    folder.chmod(0o700)
    secrets = {"REGULARS_SECRET_KEY": "0123456789abcdef" * 3, "REGULARS_PIN_PEPPER": "fedcba9876543210" * 3}
    return {**environment(urls, servers.redis.url, folder), **secrets}


@pytest.fixture
def patient(variables: dict[str, str], registry: PluginRegistry) -> Patient:
    return Patient(load_config(variables), registry)


@pytest.fixture
async def superuser(urls: Urls) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(urls.superuser.replace("+asyncpg", ""))
    yield connection
    await connection.close()


def changed(patient: Patient, **fields: object) -> Patient:
    return replace(patient, config=patient.config.model_copy(update=fields))


@asynccontextmanager
async def broken(connection: asyncpg.Connection, break_it: str, mend_it: str) -> AsyncIterator[None]:
    await connection.execute(break_it)
    try:
        yield
    finally:
        await connection.execute(mend_it)


def text_of(finding: Finding) -> tuple[Level, str, str]:
    return finding.level, finding.sentence, finding.remedy


async def test_a_healthy_installation(patient: Patient) -> None:
    findings = await examine(patient)
    assert list(findings) == [*ALONE, *WITH_DATABASE, *WITH_TABLES]
    bad = {name: found.sentence for name, found in findings.items() if found.level not in {Level.OK, Level.SKIPPED}}
    assert bad == {
        "server": "fsync and full_page_writes is off: a power cut can ruin the database.",  # of test servers
        "worker": "No worker is connected: mails and everything else that happens later wait.",
    }
    assert findings["isolation"] == ok("Every table keeps tenants apart.")
    assert findings["roles"] == ok("The three roles are bound by policies and have their rights.")
    assert findings["migrations"].sentence.startswith("host 00")
    assert findings["certificates"] == skipped("REGULARS_SCHEME is http: there are no certificates.")


def test_the_command(variables: dict[str, str]) -> None:
    told = CliRunner().invoke(main, ["doctor"], env=variables)
    assert told.exit_code == 1
    lines = told.stdout.splitlines()
    assert lines[-1] == f"2 failed, 0 warnings, {len(lines) - 3 - 2 - 4} ok."
    assert "failed   worker         No worker is connected: mails and everything else that happens later wait." in lines
    assert "                        → Start `regulars worker`." in lines
    as_json = json.loads(CliRunner().invoke(main, ["doctor", "--json"], env=variables).stdout)
    assert as_json["worker"] == {
        "level": "failed",
        "sentence": "No worker is connected: mails and everything else that happens later wait.",
        "remedy": "Start `regulars worker`.",
    }
    assert not [secret for name, secret in variables.items() if "KEY" in name and secret in told.output]


async def test_nothing_hangs_and_one_fault_is_told_once(patient: Patient) -> None:
    with silent_server() as port:
        dead = {
            field: getattr(patient.config, field).replace(f":{urlsplit(patient.url('app')).port}/", f":{port}/")
            for field in ("database_url_app", "database_url_platform", "database_url_migrator")
        }
        async with asyncio.timeout(60):
            findings = await examine(changed(patient, **dead, redis_url=f"redis://:hunter2@127.0.0.1:{port}/0"))
    assert text_of(findings["database"]) == (
        Level.FAILED,
        "The database does not let the app role in: TimeoutError.",
        "Is it running, and are user and password in REGULARS_DATABASE_URL_APP right?",
    )
    assert {findings[name].sentence for name in WITH_DATABASE} == {"Not looked at: The database does not answer."}
    assert findings["redis"].level is Level.FAILED
    assert "hunter2" not in str(findings)


@contextmanager
def silent_server() -> Iterator[int]:
    """Takes connections and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(50)
        yield listening.getsockname()[1]


async def test_packages(patient: Patient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = tmp_path / "pluggy-0.1.dist-info"
    older.mkdir()
    (older / "METADATA").write_text("Metadata-Version: 2.1\nName: pluggy\nVersion: 0.1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert await software.packages(patient) == failed(
        "pluggy 0.1 is installed, >=1.7 is needed.", "Install Regulars again: `pip install --upgrade regulars`."
    )


async def test_plugins(patient: Patient) -> None:
    faulty = replace(patient.plugins, quarantined=(Fault("visits", "it has no manifest"),))
    found = await software.plugins(replace(patient, plugins=faulty))
    assert (found.level, found.sentence) == (Level.WARNING, "Left out: plugin visits: it has no manifest.")


async def test_secrets(patient: Patient) -> None:
    weak = changed(patient, secret_key="s" * 40, env="production")
    assert text_of(await software.secrets(weak)) == (
        Level.FAILED,
        "REGULARS_SECRET_KEY could be guessed: too few different characters.",
        "Make it with `openssl rand -base64 48`. docs/operators.md says what a change does.",
    )
    assert (await software.secrets(changed(weak, env="demo"))).level is Level.WARNING


async def test_proxies(patient: Patient, variables: dict[str, str]) -> None:
    wide = load_config({**variables, "REGULARS_TRUSTED_PROXIES": "0.0.0.0/0,10.0.0.0/8"})
    assert (await software.proxies(replace(patient, config=wide))).sentence == (
        "REGULARS_TRUSTED_PROXIES holds 0.0.0.0/0: anybody in there may claim any address and host."
    )
    nobody = await software.proxies(changed(patient, scheme="https"))
    assert (nobody.level, nobody.sentence) == (
        Level.WARNING,
        "No proxy is trusted: every visitor seems to come from the proxy, so limits hit all of them at once.",
    )


async def test_disk(patient: Patient, tmp_path: Path) -> None:
    missing = await outside.disk(changed(patient, data_dir=tmp_path / "nowhere"))
    assert missing == failed(
        f"The data folder {tmp_path / 'nowhere'} is missing.", "Make it, or correct REGULARS_DATA_DIR."
    )
    folder = patient.config.data_dir
    full = await outside.disk(replace(patient, least_free=2**60))
    assert (full.level, full.sentence.endswith(f" MiB are free on the disk of {folder}.")) == (Level.WARNING, True)
    folder.chmod(0o755)
    try:
        assert await outside.disk(patient) == warning(
            f"Everybody on this machine can read {folder}.", f"Run `chmod o-rwx {folder}`."
        )
    finally:
        folder.chmod(0o700)


async def test_admin_port(patient: Patient) -> None:
    found = await outside.admin(changed(patient, admin_port=9464, admin_bind="0.0.0.0"))
    assert found == warning(
        "The admin port 9464 is open to every network of this machine.",
        "Set REGULARS_ADMIN_BIND to an address that only your monitoring reaches.",
    )


async def test_names(patient: Patient) -> None:
    lost = changed(patient, base_domain="doctor.invalid", console_host="localhost")
    assert await outside.names(lost) == failed(
        "The DNS knows nothing of doctor.invalid, regulars-doctor.doctor.invalid.",
        "Add records for doctor.invalid, *.doctor.invalid and localhost that lead to the proxy.",
    )


async def test_redis(patient: Patient, servers: Servers) -> None:
    import redis.asyncio as client

    async with client.Redis.from_url(patient.config.redis_url) as connection:
        await connection.config_set("maxmemory-policy", "allkeys-lru")
        try:
            assert await services.redis(patient) == warning(
                "Redis throws keys away when it is full (allkeys-lru): limits and jobs are forgotten then.",
                "Set maxmemory-policy to noeviction.",
            )
        finally:
            await connection.config_set("maxmemory-policy", "noeviction")
    gone = await services.redis(changed(patient, redis_url="redis://127.0.0.1:1/0"))
    assert gone.level is Level.FAILED
    assert gone.sentence.startswith("Redis does not answer: Error 111 connecting to 127.0.0.1:1.")


async def test_mail(patient: Patient) -> None:
    with silent_server() as port:
        pass  # free again
    refusing = Controller(object(), hostname="127.0.0.1", port=port)
    refusing.start()
    try:
        here = changed(patient, smtp_host="127.0.0.1", smtp_port=port, smtp_starttls=False)
        assert await services.mail(here) == ok(f"The mail server 127.0.0.1:{port} lets us in.")
        assert await services.mail(changed(here, smtp_starttls=True)) == failed(
            f"The mail server 127.0.0.1:{port} does not take mails from us: "
            "SMTP STARTTLS extension not supported by server.",
            "Look at REGULARS_SMTP_HOST, _PORT, _USER, _PASSWORD and _STARTTLS.",
        )
        login = await services.mail(changed(here, smtp_user="shop", smtp_password="hunter2"))
        assert (login.level, "hunter2" in login.sentence) == (Level.FAILED, False)
    finally:
        refusing.stop()
    assert (await services.mail(here)).level is Level.FAILED


async def test_server_settings(patient: Patient, superuser: asyncpg.Connection) -> None:
    found = await database.server(patient)
    assert text_of(found) == (
        Level.FAILED,
        "fsync and full_page_writes is off: a power cut can ruin the database.",
        "Set fsync and full_page_writes to on.",
    )


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"server_version_num": "140020", "server_version": "14.20"}, "PostgreSQL 14.20 runs, 15 or newer is needed."),
        (
            {"server_version_num": "160009", "server_version": "16.9"},
            "PostgreSQL 16.9 lets statistics tell of rows that policies hide (CVE-2025-8713).",
        ),
        (
            {"synchronous_commit": "off"},
            "synchronous_commit is off: a power cut loses the last sales although tills were told of them.",
        ),
        ({}, "PostgreSQL 18.1, and what is committed stays."),
    ],
)
def test_server_judged(values: dict[str, str], sentence: str) -> None:
    usual = {"server_version_num": "180001", "server_version": "18.1", "fsync": "on", "full_page_writes": "on"}
    assert database.judge_server({**usual, "synchronous_commit": "on", **values}).sentence == sentence


async def test_wrong_database(patient: Patient, superuser: asyncpg.Connection) -> None:
    other = changed(
        patient, database_url_platform=patient.config.database_url_platform.rpartition("/")[0] + "/postgres"
    )
    assert (await database.reachable(other)).sentence == (
        "The three REGULARS_DATABASE_URL_… variables do not lead to one database."
    )
    wrong = changed(patient, database_url_app="postgresql+asyncpg://regulars_app:x@127.0.0.1:1/none")
    assert (await database.reachable(wrong)).level is Level.FAILED


async def test_notifications_through_a_pooler(patient: Patient) -> None:
    async with deaf_proxy(patient.url("app")) as url:
        assert await database.notifications(changed(patient, database_url_app=url)) == failed(
            "Notifications of the database are not heard: "
            "the app role seems to come through a pooler in transaction mode.",
            "Let REGULARS_DATABASE_URL_APP lead to the server itself, or to a pooler in session mode.",
        )
    assert await database.notifications(patient) == ok("Notifications of the database are heard.")


@asynccontextmanager
async def deaf_proxy(url: str) -> AsyncIterator[str]:
    """In front of a database: lets everything through but notifications (messages `A`), as such a pooler does."""
    parts = urlsplit(url)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to_there = await asyncio.open_connection(parts.hostname, parts.port)

        async def forth() -> None:
            while data := await reader.read(65536):
                to_there.write(data)
            to_there.close()

        forwarding = asyncio.create_task(forth())
        try:
            writer.write(await there.readexactly(1))  # the answer to the client's question for TLS
            while True:
                head = await there.readexactly(5)
                body = await there.readexactly(int.from_bytes(head[1:5], "big") - 4)
                if head[:1] != b"A":
                    writer.write(head + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            forwarding.cancel()
            to_there.close()
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield f"postgresql+asyncpg://{parts.username}:{parts.password}@127.0.0.1:{port}{parts.path}"


@pytest.mark.parametrize(
    ("break_it", "mend_it", "sentence"),
    [
        (
            "ALTER ROLE regulars_platform BYPASSRLS",
            "ALTER ROLE regulars_platform NOBYPASSRLS",
            "Regulars_platform is above policies: tenants are not kept apart.",
        ),
        (
            "ALTER ROLE regulars_app SUPERUSER",
            "ALTER ROLE regulars_app NOSUPERUSER",
            "Regulars_app is superuser: tenants are not kept apart.",
        ),
        (
            "ALTER TABLE core.shop OWNER TO regulars_app",
            "ALTER TABLE core.shop OWNER TO regulars_migrator",
            "Regulars_app owns tables: tenants are not kept apart.",
        ),
        (
            "REVOKE USAGE ON SCHEMA plg_stamps FROM regulars_app",
            "GRANT USAGE ON SCHEMA plg_stamps TO regulars_app",
            "Regulars_app may not use the schema plg_stamps.",
        ),
    ],
)
async def test_roles(
    patient: Patient, superuser: asyncpg.Connection, break_it: str, mend_it: str, sentence: str
) -> None:
    async with broken(superuser, break_it, mend_it):
        found = await database.roles(patient)
    assert (found.level, found.sentence) == (Level.FAILED, sentence)


async def test_isolation(patient: Patient, superuser: asyncpg.Connection) -> None:
    async with broken(superuser, "ALTER TABLE core.shop NO FORCE ROW LEVEL SECURITY", FORCE):
        assert await database.isolation(patient) == failed(
            "Every tenant table forces row-level security: not so for core.shop.",
            "A plugin's migration or a change by hand did this: stop serving until it is put right.",
        )
    lost = "ALTER TABLE core.shop DISABLE ROW LEVEL SECURITY"
    async with broken(superuser, lost, "ALTER TABLE core.shop ENABLE ROW LEVEL SECURITY"):
        assert (await database.isolation(patient)).level is Level.FAILED


FORCE = "ALTER TABLE core.shop FORCE ROW LEVEL SECURITY"


async def test_migrations(patient: Patient, superuser: asyncpg.Connection) -> None:
    newest = await superuser.fetchval("SELECT version_num FROM core.alembic_version")
    put = "UPDATE core.alembic_version SET version_num = '{}'"
    async with broken(superuser, put.format("0001"), put.format(newest)):
        assert await database.migrations(patient) == failed(f"host is at 0001, needs {newest}.", UPGRADE)
    async with broken(superuser, put.format("9999"), put.format(newest)):
        assert await database.migrations(patient) == failed(
            "host is at 9999, unknown to this version.", "Start the newer version that has upgraded the database."
        )
    async with broken(superuser, "CREATE SCHEMA plg_gone", "DROP SCHEMA plg_gone"):
        assert await database.migrations(patient) == warning(
            "Nobody knows the schema plg_gone: its plugin is not loaded.",
            "Install the plugin again, or drop the schema when its data is not wanted any more.",
        )


async def test_clock(patient: Patient, superuser: asyncpg.Connection) -> None:
    late = replace(patient, now=lambda: datetime.now(UTC).timestamp() - 3600)
    assert (await database.clock(late)).sentence == ("The clocks of this machine and of the database are 3600 s apart.")
    shift = "UPDATE core.clock SET shift = '{}' WHERE backend = 0"
    async with broken(superuser, shift.format("1 day"), shift.format("0")):
        assert await database.clock(changed(patient, env="production")) == failed(
            "The database's clock is shifted by 1 day, 0:00:00, so cooldowns and limits go wrong.",
            "Use another database, or set REGULARS_ENV=demo if this is a demo.",
        )


@pytest.mark.parametrize(
    ("days", "name", "level", "sentence"),
    [
        (90, "localhost", Level.OK, "The certificates of 1 hosts are trusted and last for more than 30 days."),
        (20, "localhost", Level.WARNING, "The certificate of localhost ends in 20 days."),
        (0.5, "localhost", Level.FAILED, "The certificate of localhost ends within a day."),
        (-1, "localhost", Level.FAILED, f"{REFUSED}: certificate has expired."),
        (
            90,
            "other.example",
            Level.FAILED,
            f"{REFUSED}: Hostname mismatch, certificate is not valid for 'localhost'.",
        ),
    ],
)
async def test_certificates(
    patient: Patient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    days: float,
    name: str,
    level: Level,
    sentence: str,
) -> None:
    path = certificate(tmp_path, name, days)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(path)
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0, ssl=serving)
    async with server:
        port = server.sockets[0].getsockname()[1]
        shown = changed(patient, scheme="https", public_port=port, console_host="localhost")
        found = await outside.certificates(shown)
    assert (found.level, found.sentence) == (level, sentence)
    gone = await outside.certificates(changed(shown, public_port=1))
    assert (gone.level, gone.sentence.startswith("localhost cannot be reached on port 1: ")) == (Level.FAILED, True)


async def test_worker(patient: Patient, superuser: asyncpg.Connection, urls: Urls) -> None:
    assert await services.worker(patient) == failed(
        "No worker is connected: mails and everything else that happens later wait.", "Start `regulars worker`."
    )
    tenant = (await make_tenant(patient.config, "cafe")).tenant.id
    name = {"application_name": "regulars-worker"}
    working = await asyncpg.connect(patient.url("platform"), server_settings=name)
    try:
        assert await services.worker(patient) == ok("A worker is connected and nothing waits for long.")
        await superuser.execute(JOB, tenant, new_id(), "dead")
        assert (await services.worker(patient)).sentence == "1 jobs were given up."
        await superuser.execute(JOB, tenant, new_id(), "queued")
        assert await services.worker(patient) == failed(
            "The oldest job has been waiting for 10 minutes.",
            "Look for worker_part_failed in the worker's log, or start more workers.",
        )
    finally:
        await working.close()
        await superuser.execute("DELETE FROM core.job")


async def test_ledger(patient: Patient, superuser: asyncpg.Connection) -> None:
    world = await make_tenant(patient.config, "pizza")
    await superuser.execute(ACCOUNT, world.tenant.id, world.card.id)
    try:
        found = await services.ledger(patient)
    finally:
        await superuser.execute("DELETE FROM core.account")
    assert (found.level, found.sentence) == (Level.FAILED, "1 of 1 balances are not the sum of their entries.")


def certificate(folder: Path, name: str, days: float) -> Path:
    """A self-signed certificate with its key in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days, minutes=10))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path
