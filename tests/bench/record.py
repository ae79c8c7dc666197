"""One sale as the application sends it: its round trips on the wire, its statements and their parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import event

from regulars.app import create_app
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.web import serving
from regulars.testing.wire import counting
from regulars.web.services import EXTENSION, Services
from tests.bench.sales import STORE, body_of
from tests.bench.seed import Card, Merchant

CARDS = 4
"""A recording takes so many cards: all but the last one warm the application up."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A statement with its parameters, as the driver got them."""

    sql: str
    arguments: Sequence[Any]


@dataclass
class Recording:
    """A sale of the application.

    Attributes:
        round_trips: counted on the wire, BEGIN and COMMIT among them.
        statements: what was sent, in order.
        card, staff_id, key: of this sale.
    """

    card: Card
    staff_id: UUID
    key: str
    round_trips: int = 0
    statements: list[Sent] = field(default_factory=list)


async def record(config: Config, registry: PluginRegistry, merchant: Merchant, cards: Sequence[Card]) -> Recording:
    """Record a sale of a warm application over one connection.

    Args:
        config: of the installation.
        registry: its plugins.
        merchant: whose sale.
        cards: `CARDS` of them.
    """
    *warming, last = cards
    recording = Recording(last, merchant.world.staff[0].id, "bench-recorded")
    async with counting(config.database_url_app) as wire:
        app = create_app(config.model_copy(update={"database_url_app": wire.url, "pool_size": 1}), registry=registry)
        services = app.extensions[EXTENSION]
        assert isinstance(services, Services)
        with _listening(services.database) as heard:
            async with serving(app) as server:
                for number, card in enumerate(warming):
                    await _sell(server.port, merchant, card, f"bench-warm-{number}")
                heard.clear()
                wire.reset()
                await _sell(server.port, merchant, last, recording.key)
                recording.round_trips = wire.round_trips
                # SQLAlchemy tells of the first statement before the driver begins the transaction for it
                recording.statements.extend(sorted(heard, key=lambda one: not one.sql.startswith("BEGIN")))
    return recording


async def _sell(port: int, merchant: Merchant, card: Card, key: str) -> None:
    world = merchant.world
    body = {**body_of(merchant, 0, card), **merchant.purchase}
    headers = {"Host": world.host, "Authorization": f"Bearer {world.api_key}", "Idempotency-Key": key}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        answer = await client.post(f"{STORE}/{merchant.path}", json=body, headers=headers)
    assert answer.status_code == 200, answer.text


@contextmanager
def _listening(database: Database) -> Iterator[list[Sent]]:
    """Hear what every connection of the app role sends: SQLAlchemy's statements, and those of the driver itself."""
    heard: list[Sent] = []
    engine = database._app.engine.sync_engine

    def note(_connection: Any, _cursor: Any, sql: str, arguments: Sequence[Any], *_rest: Any) -> None:
        heard.append(Sent(sql, tuple(arguments)))

    def note_driver(query: Any) -> None:
        heard.append(Sent(query.query, tuple(query.args)))

    def opened(connection: Any, _record: Any) -> None:
        connection.driver_connection.add_query_logger(note_driver)

    listeners = (("before_cursor_execute", note), ("connect", opened))
    for name, listener in listeners:
        event.listen(engine, name, listener)
    try:
        yield heard
    finally:
        for name, listener in listeners:
            event.remove(engine, name, listener)
