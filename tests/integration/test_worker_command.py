"""`regulars worker`, as an operator runs it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest
from asyncpg import Connection

from regulars.contracts.events import MemberEnrolled
from regulars.kernel.db.database import Database
from regulars.kernel.embedded import Urls
from regulars.kernel.events import publish
from regulars.testing.environment import environment
from regulars.testing.plugin import Servers
from regulars.testing.world import World


@pytest.fixture
def environ(database_urls: Urls, servers: Servers, tmp_path: Path) -> dict[str, str]:
    return {**os.environ, **environment(database_urls, servers.redis.url, tmp_path)}


async def start(environ: dict[str, str], *arguments: str) -> Process:
    command = [sys.executable, "-m", "regulars.cli", *arguments]
    return await asyncio.create_subprocess_exec(*command, env=environ, stdout=PIPE, stderr=PIPE)


async def test_the_worker_command_sends_the_mails_that_events_bring_about(
    database: Database, cafe: World, sql: Connection, environ: dict[str, str]
) -> None:
    async with database.tenant(cafe.tenant.id) as session:
        card = cafe.card
        event = MemberEnrolled(member_id=card.member_id, card_id=card.id, program_id=cafe.program_id)
        await publish(session, event, order_key=card.id)
    worker = await start(environ, "worker")
    end = time.monotonic() + 60
    kept = "SELECT template, recipient FROM core.mail WHERE status = 'kept'"
    while not (rows := await sql.fetch(kept)):
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    assert [tuple(row) for row in rows] == [("mails/welcome", card.email)]
    worker.send_signal(signal.SIGTERM)
    out, error = await worker.communicate()
    assert worker.returncode == 0, error.decode()
    assert card.email not in (out + error).decode(), "no personal data in the log"
