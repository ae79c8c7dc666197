"""Random histories of two merchants through the real services, beside a plain oracle that shares no code with them.

Points with carry, tiers, promotions, two stamp cards and rewards at once; sales, split bills, refunds, undos, points
that wait, rewards put aside, expiry, corrections, transfers, merges and back, tiers by hand, pauses and other rules;
some of it at the same moment. After each history all rows agree with the oracle, every rule of the ledger holds, and
each sale's evaluation gives the same again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from asyncpg import Connection, connect
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from shop_history import NOON, History
from shop_machine import Machine

from regulars.domain.ledger.engine import Ledger
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.kernel.embedded import Urls
from regulars.kernel.plugins.registry import PluginRegistry

PARTS, HISTORIES, LONGEST = 2, 250, 9
"""Parts run side by side; each has so many histories of at most so many steps."""


@pytest.fixture
async def as_app(database_urls: Urls) -> Any:
    """A connection of the role that is bound to a tenant."""
    connection = await connect(database_urls.app.replace("+asyncpg", ""))
    yield connection
    await connection.close()


@pytest.fixture
async def machine(
    config: Config,
    registry: PluginRegistry,
    database: Database,
    ledger: Ledger,
    healthy: Callable[[], Awaitable[None]],
) -> AsyncIterator[Machine]:
    """The services; in the end all rules are asked of all tenants at once."""
    yield Machine(config, registry, database, ledger)
    await healthy()


@pytest.mark.parametrize("part", range(PARTS))
@settings(
    phases=(Phase.explicit, Phase.generate),
    max_examples=HISTORIES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(history=st.binary(min_size=3, max_size=3 * LONGEST))
@example(history=bytes.fromhex("f3f410ad42365d1bcd"))  # a split bill, a merge, an undo: of the card's own share
async def test_the_services_and_the_oracle_agree(
    part: int, history: bytes, machine: Machine, sql: Connection, as_app: Connection
) -> None:
    await sql.execute("UPDATE core.clock SET shift = $1 - now() WHERE backend = 0", NOON)
    one = History(machine, await machine.fresh(sql), sql)
    for what, who, size in _steps(history):
        await one.step(what, who, size)
    await one.check(as_app)


def _steps(history: bytes) -> Iterator[tuple[int, int, int]]:
    return ((history[at], history[at + 1], history[at + 2]) for at in range(0, len(history) - 2, 3))
