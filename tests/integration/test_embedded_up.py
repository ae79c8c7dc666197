"""`regulars up`: faults before the start are one sentence; what runs is watched over and stopped in order."""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from regulars.cli.supervise import Command, Watched
from regulars.kernel.embedded import EmbeddedError, EmbeddedPostgres
from regulars.kernel.embedded.folder import FolderLock
from regulars.kernel.embedded.ports import free_port
from regulars.kernel.embedded.roles import prepare_server
from regulars.kernel.embedded.secrets import Secrets, load_secrets

ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith(("REGULARS_", "LOYALTY_"))} | {
    "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)
}


def command(*arguments: str | Path | int) -> list[str]:
    return [sys.executable, "-m", "regulars.cli", *map(str, arguments)]


def fails(*arguments: str | Path | int, **environ: str) -> str:
    """Run `regulars up`, which must fail at once, and give what it says."""
    done = subprocess.run(
        command("up", *arguments), env=ENVIRON | environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    return done.stderr


def wait_until(true: Callable[[], bool], what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.01)


def test_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert fails("--port", port, "--data", tmp_path) == (
            f"Error: Port {port} is in use: stop what uses it, or choose another (--port, or PORT=… with make).\n"
        )


def test_unwritable_folder() -> None:
    said = fails("--data", "/proc/regulars")
    assert said.startswith("Error: The data folder /proc/regulars cannot be written (")
    assert said.endswith("): name another one, or change its owner.\n")


def test_folder_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "thesis.odt").touch()
    assert fails("--data", tmp_path) == (
        f"Error: {tmp_path} is not empty and holds no data of Regulars: name a new or empty folder.\n"
    )
    assert list(tmp_path.iterdir()) == [tmp_path / "thesis.odt"]


def test_folder_in_use(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path / "up.lock", "")
    lock.acquire()
    said = fails("--data", tmp_path)
    lock.release()
    assert said == (
        f"Error: The data folder {tmp_path} is in use by process {os.getpid()}: stop that one first, or name another "
        "data folder.\n"
    )


def test_base_that_is_an_address(tmp_path: Path) -> None:
    assert fails("--data", tmp_path, "--base", "192.168.1.5") == (
        "Error: 192.168.1.5 is an address and cannot have sub-domains: use 192.168.1.5.sslip.io instead.\n"
    )


@pytest.mark.parametrize(
    ("held", "arguments", "words"),
    [
        ({"demo": True, "base": "localhost"}, (), "holds the demo: add --demo"),
        ({"demo": False, "base": "localhost"}, ("--demo",), "holds an installation without demo: leave out --demo"),
        ({"demo": False, "base": "shop.test"}, (), "was made for the base domain shop.test: start it with that one"),
    ],
)
def test_folder_made_otherwise(tmp_path: Path, held: dict[str, object], arguments: Sequence[str], words: str) -> None:
    (tmp_path / "installation.json").write_text(json.dumps(held | {"complete": True}))
    assert words in fails("--data", tmp_path, *arguments)
    assert (tmp_path / "postgres").exists() is False


def test_fault_of_an_option_is_a_sentence_and_nothing_stays_behind(tmp_path: Path) -> None:
    said = fails("--data", tmp_path, "--port", free_port(), REGULARS_LOG_LEVEL="loud")
    assert said == "Error: REGULARS_LOG_LEVEL is 'loud': input should be 'debug', 'info', 'warning' or 'error'.\n"
    running = [process.cwd() for process in psutil.process_iter() if process.name() in {"postgres", "redis-server"}]
    assert [folder for folder in running if folder.startswith(str(tmp_path))] == []


@contextlib.contextmanager
def up(data: Path, port: int, log: Path, **environ: str) -> Iterator["subprocess.Popen[bytes]"]:
    words = command("up", "--data", data, "--port", port)
    with log.open("wb") as output:
        process = subprocess.Popen(words, env=ENVIRON | environ, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: b"Ready." in log.read_bytes() or process.poll() is not None, "it is ready", 100)
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def family(process: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def child(process: "subprocess.Popen[bytes]", *words: str) -> psutil.Process:
    """Find the direct child whose command line ends with `words`, or whose program is called so."""
    found = psutil.Process(process.pid).children()
    return next(entry for entry in found if entry.cmdline()[-len(words) :] == list(words) or entry.name() in words)


@pytest.mark.fault
def test_whole_life(tmp_path: Path) -> None:
    """First start, killed children, Ctrl-C, second start, SIGKILL."""
    data, port = tmp_path / "data", free_port()
    with up(data, port, tmp_path / "first", REGULARS_THEMES_DIR="themes") as process:
        assert answers(port) is True
        stored = json.loads((data / "environment.json").read_text("utf-8"))
        assert stored["REGULARS_THEMES_DIR"] == str(Path.cwd() / "themes"), "the commands run elsewhere"
        assert stat.S_IMODE((data / "environment.json").stat().st_mode) == 0o600
        for words in (["web"], ["worker"], ["redis-server", "valkey-server"], ["postgres"]):
            killed = child(process, *words)
            killed.kill()
            wait_until(lambda killed=killed, words=words: child_is_new(process, killed, words), f"{words[0]} is back")
        wait_until(lambda: answers(port), "it answers again")
        everyone = family(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert [member for member in everyone if member.is_running()] == []
    assert (tmp_path / "first").read_text().endswith("Stopping …\nStopped.\n")

    made = made_at(data)
    with up(data, port, tmp_path / "second") as process:
        assert answers(port) is True
        assert made_at(data) == made, "the database was made anew"
        everyone = family(process)
        process.kill()
        wait_until(lambda: not any(lives(member) for member in everyone), "nobody is left")


def made_at(data: Path) -> int:
    """When the database was made: nanoseconds."""
    return (data / "postgres" / "PG_VERSION").stat().st_mtime_ns


def child_is_new(process: "subprocess.Popen[bytes]", killed: psutil.Process, words: Sequence[str]) -> bool:
    try:
        return child(process, *words).pid != killed.pid
    except (StopIteration, psutil.NoSuchProcess, psutil.ZombieProcess):
        return False


def lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_restarts_wait_longer_each_time() -> None:
    said: list[str] = []
    starts: list[float] = []
    watched = Watched("Thing", lambda: starts.append(now), lambda: False, said.append)
    now = 0.0
    watched.start(now)
    for tenth in range(100):
        now = tenth / 10
        watched.check(now)
    assert starts == [0.0, 0.5, 1.6, 3.7, 7.8]
    assert said == [f"Thing ended; next start in {pause} s" for pause in ("0.5", "1", "2", "4", "8")]


def test_a_start_that_fails_is_tried_again() -> None:
    said: list[str] = []

    def start() -> None:
        if now > 0:
            raise EmbeddedError("no room")

    watched = Watched("Thing", start, lambda: False, said.append)
    now = 0.0
    watched.start(now)
    for now in (0.1, 0.6, 1.0, 1.6):
        watched.check(now)
    assert said == [
        "Thing ended; next start in 0.5 s",
        "Thing does not start (no room); next start in 1 s",
        "Thing does not start (no room); next start in 2 s",
    ]


def test_command_runs_logs_and_stops(tmp_path: Path) -> None:
    version = Command(["--version"], ENVIRON, tmp_path, tmp_path / "log" / "version.log")
    version.start()
    assert version.wait() == 0
    assert version.log.read_text().startswith("regulars, version ")
    assert version.running is False


async def test_roles_in_a_server_of_the_operator(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path) as server:
        with pytest.raises(EmbeddedError, match="has a role regulars_migrator with another password"):
            await prepare_server(server.urls.superuser, Secrets())
        same = await prepare_server(server.urls.superuser, load_secrets(tmp_path))
        assert (same.app, same.migrator) == (server.urls.app, server.urls.migrator)
        await server._execute(["DROP DATABASE regulars"])
        await server._execute(["DROP ROLE regulars_app", "DROP ROLE regulars_platform", "DROP ROLE regulars_migrator"])
        await server._execute(['CREATE DATABASE "Shop"'])
        await server._execute(["CREATE ROLE visitor LOGIN PASSWORD 'v'"])
        secrets = Secrets()
        with pytest.raises(EmbeddedError, match="may not prepare the database"):
            await prepare_server(f"postgres://visitor:v@127.0.0.1:{server.port}/Shop", secrets)
        address = server.urls_of("Shop").superuser
        first = await prepare_server(address, secrets)
        assert await prepare_server(address, secrets) == first
        assert first.app == f"postgresql+asyncpg://regulars_app:{secrets.app_password}@127.0.0.1:{server.port}/Shop"
        with pytest.raises(EmbeddedError, match=r"does not let us in \(.*\): correct --database-url\."):
            await prepare_server(address.replace("postgres:", "postgres:x", 1), secrets)
