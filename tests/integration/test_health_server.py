"""`regulars web`: the real server with its worker processes."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from regulars.kernel.embedded import Urls
from regulars.testing.plugin import Servers, environment

DEADLINE = 60.0


@pytest.fixture
def settings(database_urls: Urls, servers: Servers, tmp_path: Path) -> dict[str, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = environment(database_urls, servers.redis.url, tmp_path)
    return {**os.environ, **own, "REGULARS_PORT": str(port), "REGULARS_WEB_WORKERS": "2", "REGULARS_LOG_JSON": "true"}


@pytest.fixture
def server(settings: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (tmp_path / "web.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "regulars.cli", "web"],
            env=settings,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_for(settings, process)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the workers too
        process.wait()


def wait_for(settings: dict[str, str], process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        assert process.poll() is None, "the server has ended"
        if status(settings) == 200:
            return
        time.sleep(0.05)
    raise AssertionError("the server does not become ready")


def status(settings: dict[str, str]) -> int:
    try:
        return httpx.get(f"http://127.0.0.1:{settings['REGULARS_PORT']}/readyz", timeout=5).status_code
    except httpx.TransportError:
        return 0


def workers(process: subprocess.Popen[bytes]) -> set[int]:
    """Children that serve: neither dead ones nor Python's resource tracker."""
    found = set()
    for child in psutil.Process(process.pid).children():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if "resource_tracker" not in " ".join(child.cmdline()):
                found.add(child.pid)
    return found


def test_a_killed_worker_is_replaced_and_nobody_notices_for_long(
    server: subprocess.Popen[bytes], settings: dict[str, str]
) -> None:
    before = workers(server)
    assert len(before) == 2
    os.kill(min(before), signal.SIGKILL)
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end and not (len(workers(server)) == 2 and workers(server) != before):
        time.sleep(0.05)
    assert len(workers(server) - before) == 1
    wait_for(settings, server)


def test_it_stops_when_asked(server: subprocess.Popen[bytes], settings: dict[str, str], tmp_path: Path) -> None:
    children = workers(server)
    server.send_signal(signal.SIGTERM)
    assert server.wait(DEADLINE) == 0
    assert not [pid for pid in children if psutil.pid_exists(pid)]
    lines = (tmp_path / "web.log").read_text().splitlines()
    assert any('"path": "/readyz"' in line for line in lines)
    assert "Traceback" not in "\n".join(lines)


def test_a_faulty_plugin_stops_the_start_with_a_sentence(settings: dict[str, str]) -> None:
    started = subprocess.run(
        [sys.executable, "-m", "regulars.cli", "web"],
        env={**settings, "REGULARS_PLUGINS": "stamps,nobody"},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert started.returncode == 1
    assert "plugin nobody: it is listed in REGULARS_PLUGINS but not installed" in started.stderr
    assert "Traceback" not in started.stderr
