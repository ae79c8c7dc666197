"""The ceiling: the application's own statements, sent by pgbench as the app's role on the same database.

A recorded sale is the template. For each further sale its card, staff member, key and all ids that it made are
replaced, in the parameters alone; the statements stay as they were sent. The parameters wait in a table of their own,
from which a client reads those of a few sales at once: that costs it one round trip in fifty.
"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from asyncpg import connect

from regulars.kernel.config import Config
from regulars.kernel.db.base import new_id
from regulars.kernel.embedded.binaries import postgres_programs
from tests.bench.record import CARDS, Recording
from tests.bench.seed import Card, Merchant

CLIENTS = 8
TOGETHER = 6
"""Sales whose parameters are read at once, and that one run of the script makes."""
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_PLACE = re.compile(r"\$(\d+)")
_RATE = re.compile(r"tps = ([\d.]+) \(without initial connection time\)")
_FAILED = re.compile(r"number of failed transactions: (\d+)")
_LOCK_NUMBERS = 2**32
"""Whole numbers beyond are those of advisory locks: each sale has its own."""


async def measure(config: Config, recording: Recording, merchant: Merchant, rounds: int, folder: Path) -> float:
    """Run the recorded sale on many cards with eight clients.

    Args:
        config: of the installation.
        recording: a sale of this merchant.
        merchant: whose reserved cards are used, in the state that the recorded sale's card had.
        rounds: how often each client runs the script of `TOGETHER` sales.
        folder: for the script.

    Returns:
        Sales per second.

    Raises:
        RuntimeError: pgbench failed.
    """
    amount = CLIENTS * rounds * TOGETHER
    cards = merchant.reserved[CARDS:][:amount]
    if len(cards) < amount:
        raise RuntimeError(f"{amount} cards of one kind are needed, there are {len(cards)}")
    await _store(config, list(_parameters(recording, merchant, cards)))
    script = folder / "sale.sql"
    script.write_text(_script(recording), "utf-8")
    return _pgbench(config, script, rounds) * TOGETHER


def _texts(recording: Recording) -> Iterator[str | None]:
    """The parameters of all statements in order, as text."""
    for statement in recording.statements:
        yield from map(_text, statement.arguments)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _parameters(recording: Recording, merchant: Merchant, cards: Sequence[Card]) -> Iterator[list[str]]:
    """For each card the parameters that are not null, those of the recorded sale with other names in them."""
    template = [text for text in _texts(recording) if text is not None]
    world, staff = merchant.world, merchant.world.staff
    kept = {str(value): str(value) for value in (world.tenant.id, world.shop_id, world.program_id, world.api_key_id)}
    for number, card in enumerate(cards):
        person = staff[number * CLIENTS // len(cards)]
        names = {
            str(recording.card.id): str(card.id),
            str(recording.card.member_id): str(card.member_id),
            str(recording.staff_id): str(person.id),
            **kept,
        }
        words = {recording.card.number: card.number, recording.key: f"pgbench-{number}"}
        yield [_renamed(text, names, words) for text in template]


def _renamed(text: str, names: dict[str, str], words: Mapping[str, str]) -> str:
    if text.lstrip("-").isdigit() and abs(int(text)) > _LOCK_NUMBERS and text not in words:
        return str(secrets.randbits(63))
    for old, new in words.items():
        text = text.replace(old, new)
    return _UUID.sub(lambda found: names.setdefault(found[0], str(new_id())), text)


async def _store(config: Config, rows: Sequence[Sequence[str]]) -> None:
    columns = [f"p{number}" for number in range(len(rows[0]))]
    listed, given = ", ".join(columns), ", ".join(f"${number + 2}::text[]" for number in range(len(columns)))
    connection = await connect(config.database_url_migrator.replace("+asyncpg", ""))
    try:
        await connection.execute(
            f"DROP SCHEMA IF EXISTS bench CASCADE; CREATE SCHEMA bench; GRANT USAGE ON SCHEMA bench TO PUBLIC;"
            f"CREATE TABLE bench.sale (n int PRIMARY KEY, {', '.join(f'{column} text' for column in columns)});"
            "GRANT SELECT ON bench.sale TO PUBLIC"
        )
        await connection.execute(
            f"INSERT INTO bench.sale (n, {listed}) SELECT * FROM unnest($1::int[], {given})",
            list(range(len(rows))),
            *(list(column) for column in zip(*rows, strict=True)),
        )
        await connection.execute("VACUUM ANALYZE bench.sale")
    finally:
        await connection.close()


def _script(recording: Recording) -> str:
    """pgbench's script: read the parameters of a few sales, then make them one after the other."""
    present = [text is not None for text in _texts(recording)]
    width = sum(present)
    read = ", ".join(
        f"max(p{column}) FILTER (WHERE k = {sale}) AS s{sale}_{column}"
        for sale in range(TOGETHER)
        for column in range(width)
    )
    sales = f"SELECT *, n - :first AS k FROM bench.sale WHERE n >= :first AND n < :first + {TOGETHER}"
    lines = [
        f"\\set first :client_id * :each + :done * {TOGETHER}",
        f"SELECT {read} FROM ({sales}) AS together \\gset",
        "\\set done :done + 1",
    ]
    for sale in range(TOGETHER):
        lines += _statements(recording, sale)
    return "\n".join(lines) + "\n"


def _statements(recording: Recording, sale: int) -> Iterator[str]:
    column = 0
    for statement in recording.statements:
        places = []
        for argument in statement.arguments:
            places.append("NULL" if argument is None else f":s{sale}_{column}")
            column += argument is not None
        sql = " ".join(statement.sql.rstrip("; \n").split())
        yield _PLACE.sub(lambda found, places=places: places[int(found[1]) - 1], sql) + ";"


def _pgbench(config: Config, script: Path, rounds: int) -> float:
    address = urlsplit(config.database_url_app)
    command = [
        str(postgres_programs(None) / "pgbench"),
        *("--no-vacuum", "--protocol=prepared", f"--client={CLIENTS}", "--jobs=2", f"--transactions={rounds}"),
        *("--define=done=0", f"--define=each={rounds * TOGETHER}", f"--file={script}"),
        *(f"--host={address.hostname}", f"--port={address.port}", f"--username={address.username}"),
        address.path.lstrip("/"),
    ]
    environment = {**os.environ, "PGPASSWORD": address.password or ""}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    found, failed = _RATE.search(ended.stdout), _FAILED.search(ended.stdout)
    if ended.returncode or found is None or failed is None or int(failed[1]):
        raise RuntimeError(f"pgbench failed:\n{ended.stdout[-2000:]}\n{ended.stderr[-2000:]}")
    return float(found[1])
