"""Log lines: one per event, tied to tenant and request, without secrets."""

import asyncio
import io
import json
import logging
import time
from collections.abc import Iterator
from uuid import UUID

import pytest
import structlog

from regulars.kernel.observability import configure_logging, log_context, redact_text
from regulars.kernel.observability.watchdog import Watchdog

TENANT = UUID("01890000-0000-7000-8000-000000000001")


@pytest.fixture(autouse=True)
def fresh_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, told = list(root.handlers), root.level, structlog.get_config()
    yield
    structlog.configure(**told)
    root.handlers[:], root.level = handlers, level


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_lines_carry_tenant_and_request() -> None:
    stream = io.StringIO()
    configure_logging("info", json_lines=True, stream=stream)
    with log_context(tenant_id=TENANT, request_id="r1"):
        structlog.get_logger("regulars.test").info("sale_recorded", amount=3)
    structlog.get_logger("regulars.test").debug("below_the_level")
    (line,) = lines(stream)
    assert line.pop("timestamp")
    assert line == {
        "event": "sale_recorded",
        "amount": 3,
        "level": "info",
        "logger": "regulars.test",
        "tenant": str(TENANT),
        "request": "r1",
    }


def test_secrets_are_masked_by_name_and_by_look() -> None:
    stream = io.StringIO()
    configure_logging("info", json_lines=True, stream=stream)
    structlog.get_logger().info(
        "start",
        password="hunter2",
        staff_pin="4821",
        mapping="kept",
        headers={"Authorization": "Bearer abcdefghijkl", "X-API-Key": "kept-by-name-only"},
        items=[{"api_key": "rk_live_secretsecret"}],
        url="postgresql://app:hunter2@db/x",
        text="key rk_test_abcdef1234 was used",
        order_key="card-1",
    )
    (line,) = lines(stream)
    assert "hunter2" not in json.dumps(line)
    assert line["password"] == line["staff_pin"] == "********"
    assert line["mapping"] == "kept"
    assert line["headers"] == {"Authorization": "********", "X-API-Key": "kept-by-name-only"}
    assert line["items"] == [{"api_key": "********"}]
    assert line["url"] == "postgresql://app:********@db/x"
    assert line["text"] == "key rk_test_******** was used"
    assert line["order_key"] == "card-1"


@pytest.mark.parametrize("json_lines", [True, False])
def test_an_exception_is_redacted_too(json_lines: bool) -> None:
    stream = io.StringIO()
    configure_logging("info", json_lines=json_lines, stream=stream)
    try:
        raise ValueError("cannot reach redis://:hunter2@127.0.0.1:6379/0")
    except ValueError:
        structlog.get_logger().exception("failed")
    assert "hunter2" not in stream.getvalue()
    assert "redis://:********@127.0.0.1:6379/0" in stream.getvalue()


def test_libraries_take_the_same_way() -> None:
    stream = io.StringIO()
    configure_logging("warning", json_lines=True, stream=stream)
    with log_context(tenant_id=TENANT):
        logging.getLogger("somebody.else").warning("got %s", "Bearer abcdefghijkl")
    (line,) = lines(stream)
    assert line["event"] == "got Bearer ********"
    assert line["tenant"] == str(TENANT)


def test_a_value_cannot_forge_a_line_or_flood_the_log() -> None:
    stream = io.StringIO()
    configure_logging("info", json_lines=False, stream=stream)
    structlog.get_logger().info("seen\nforged \x9b31m", name="a\r\n2026 [info] forged\x1b[31m", big="x" * 1_000_000)
    (line,) = stream.getvalue().splitlines()
    assert line.isprintable()
    assert "forged" in line
    assert len(line) < 5_000


def test_redact_text_cuts() -> None:
    assert redact_text("abcdef", 3) == "abc… (3 more)"
    assert redact_text("token=abc&x=1 pin: 4821") == "token=********&x=1 pin: ********"


async def test_a_stuck_event_loop_is_named_by_its_stack() -> None:
    watchdog = Watchdog(lambda: "web", blocked=0.1)
    watchdog.start()
    await asyncio.sleep(0)
    with structlog.testing.capture_logs() as lines:
        stuck_plugin(lines)
    await watchdog.stop()
    (line,) = lines
    assert (line["event"], line["log_level"]) == ("event_loop_blocked", "error")
    assert "in stuck_plugin" in line["stack"]


def stuck_plugin(lines: list[object]) -> None:
    """Holds the event loop until somebody notices."""
    end = time.monotonic() + 60
    while not lines:
        assert time.monotonic() < end
        time.sleep(0.01)
