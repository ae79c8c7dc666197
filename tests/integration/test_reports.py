"""Errors are reported in Sentry's protocol, to a real HTTP server here; no secret and nobody's name goes with them."""

from __future__ import annotations

import gzip
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
import structlog
from cryptography.fernet import Fernet

from regulars import __version__
from regulars.contracts.errors import PluginFault
from regulars.kernel.config import load_config
from regulars.kernel.observability import configure_logging, log_context
from regulars.kernel.observability.reports import end_reports, report_errors

TENANT = UUID("01890000-0000-7000-8000-000000000001")
CANARIES = ("hunter2", "anna@example.com", "4821 9917 0023", "rk_live_secretsecret", "canary-local", "+370 612 34567")


class Inbox(ThreadingHTTPServer):
    """Keeps the events of all envelopes that arrive."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def dsn(self) -> str:
        return f"http://key@127.0.0.1:{self.server_address[1]}/1"


class _Handler(BaseHTTPRequestHandler):
    server: Inbox

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        lines = (gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body).splitlines()
        items = zip(lines[1::2], lines[2::2], strict=True)
        self.server.events += [json.loads(event) for head, event in items if json.loads(head)["type"] == "event"]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with Inbox() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def fresh_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, told = list(root.handlers), root.level, structlog.get_config()
    configure_logging("info", json_lines=True, stream=io.StringIO())
    yield
    end_reports()
    structlog.configure(**told)
    root.handlers[:], root.level = handlers, level


def variables(folder: Path, **more: str) -> dict[str, str]:
    urls = {
        f"REGULARS_DATABASE_URL_{role}": f"postgresql://{role.lower()}:hunter2@127.0.0.1:1/none"
        for role in ("APP", "PLATFORM", "MIGRATOR")
    }
    secrets = {"REGULARS_SECRET_KEY": "s" * 40, "REGULARS_PIN_PEPPER": "p" * 40}
    return {
        **urls,
        **secrets,
        "REGULARS_ENV": "test",
        "REGULARS_DATA_DIR": str(folder),
        "REGULARS_REDIS_URL": "redis://127.0.0.1:1/0",
        "REGULARS_ENCRYPTION_KEY": Fernet.generate_key().decode(),
        **more,
    }


def fail(kept: str) -> None:
    assert kept.startswith("canary")
    try:
        raise KeyError("anna@example.com, card 4821 9917 0023, +370 612 34567")
    except KeyError as error:
        raise PluginFault("visits", "redis://:hunter2@127.0.0.1 refused rk_live_secretsecret") from error


def test_an_error_is_reported_without_secrets(inbox: Inbox, fresh_logging: None, tmp_path: Path) -> None:
    log = structlog.get_logger("regulars.test")
    report_errors(load_config(variables(tmp_path)))  # off unless a service is named
    log.error("before_it_is_on")
    report_errors(load_config(variables(tmp_path, REGULARS_SENTRY_DSN=inbox.dsn)))
    try:
        fail("lacol-yranac"[::-1])  # not in the source, which is sent
    except PluginFault as error:
        with log_context(tenant_id=TENANT, request_id="r1"):
            log.error("request_failed", route="/cards/<card>", email="anna@example.com", pin="4821", exc_info=error)
    log.warning("not_worth_it")
    logging.getLogger("somebody.else").error("anna@example.com was here")
    end_reports()
    log.error("after_it_was_on")
    first, second = inbox.events
    assert first["tags"] == {"tenant": str(TENANT), "request": "r1", "plugin": "visits", "route": "/cards/<card>"}
    assert (first["release"], first["environment"]) == (f"regulars@{__version__}", "test")
    assert [one["type"] for one in first["exception"]["values"]] == ["KeyError", "PluginFault"]
    assert first["exception"]["values"][1]["stacktrace"]["frames"][-1]["function"] == "fail"
    assert (first["message"], second["message"]) == ("request_failed", "******** was here")
    assert [canary for canary in CANARIES if canary in json.dumps(inbox.events)] == []


def test_an_exception_that_ends_a_command_is_reported(inbox: Inbox, tmp_path: Path) -> None:
    code = "from regulars.cli.common import read_config; read_config(); raise RuntimeError('anna@example.com')"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **variables(tmp_path, REGULARS_SENTRY_DSN=inbox.dsn)},
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 1
    (event,) = inbox.events
    assert event["exception"]["values"][0]["type"] == "RuntimeError"
    assert event["exception"]["values"][0]["value"] == "********"
