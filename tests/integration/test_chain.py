"""L10: entries are chained; whatever is changed behind the product's back is found, and where."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from asyncpg import Connection
from coin_bank import Bank
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from regulars.domain.ledger.chain import lengthen
from regulars.domain.ledger.invariants import breaches
from regulars.kernel.config import Config
from regulars.kernel.embedded import Urls

OpenBank = Callable[..., Awaitable[Bank]]
DISGUISED = "SET session_replication_role = replica"


async def chain(bank: Bank, size: int = 1000) -> int:
    async with bank.database.tenant(bank.world.tenant.id) as session:
        return await lengthen(session, size)


async def broken(config: Config) -> list[str]:
    engine = create_async_engine(config.database_url_migrator, poolclass=NullPool)
    async with engine.connect() as connection:
        return [place for one in await breaches(connection) if one.invariant.name == "L10" for place in one.places]


@pytest.mark.parametrize("change", ["reason = 'x'", "explanation = '{\"a\": 1}'", "staff_id = NULL", "rule = 'other'"])
async def test_a_changed_entry_is_found(
    open_bank: OpenBank, config: Config, database_urls: Urls, sql: Connection, change: str
) -> None:
    cafe, pizza = await open_bank("cafe"), await open_bank("pizza")
    for amount in (1000, 2000, 3000):
        await cafe.sale(amount)
    await pizza.sale(500)
    assert [await chain(cafe, 2), await chain(cafe, 2), await chain(cafe, 2), await chain(pizza)] == [2, 1, 0, 1]
    assert await broken(config) == []
    await cafe.sale(700)
    assert (await broken(config), await chain(cafe), await broken(config)) == ([], 1, [])
    victim = await sql.fetchval("SELECT id FROM core.ledger_entry WHERE amount = 200")
    await as_superuser(database_urls, f"UPDATE core.ledger_entry SET {change} WHERE id = '{victim}'")
    assert await broken(config) == [str(victim)]


async def test_a_link_that_is_taken_out_or_changed_is_found(
    open_bank: OpenBank, config: Config, database_urls: Urls
) -> None:
    cafe = await open_bank("cafe")
    for amount in (1000, 2000, 3000):
        await cafe.sale(amount)
    await chain(cafe)
    await as_superuser(database_urls, "UPDATE core.ledger_chain SET hash = sha256(hash) WHERE seq = 1")
    assert len(await broken(config)) == 2, "the link itself and the one that stands on it"
    await as_superuser(database_urls, "DELETE FROM core.ledger_chain WHERE seq = 1")
    assert len(await broken(config)) == 1


async def as_superuser(urls: Urls, statement: str) -> None:
    from asyncpg import connect

    connection = await connect(urls.superuser.replace("+asyncpg", ""))
    await connection.execute(DISGUISED)
    await connection.execute(statement)
    await connection.close()
