"""A transaction belongs to one tenant: none set is an error, a planted leak is caught, pools never mix tenants."""

from __future__ import annotations

import asyncio
import random
from uuid import UUID

import pytest
from asyncpg import Connection
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

import regulars.domain.models  # noqa: F401 -- all tables are in the metadata
from regulars.contracts.errors import ConfigurationError
from regulars.domain.members.models import Member
from regulars.kernel.config import Config
from regulars.kernel.db.base import metadata
from regulars.kernel.db.database import Database
from regulars.kernel.db.guard import ForbiddenStatement
from regulars.kernel.db.prepared import Prepared
from regulars.testing.world import World

EMAILS = select(Member.email)
TENANT_TABLES = [
    table
    for table in metadata.tables.values()
    if table.schema == "core" and "tenant_id" in table.c and table.info.get("scope") != "platform"
]


@pytest.mark.parametrize("table", TENANT_TABLES, ids=lambda table: table.name)
async def test_without_a_tenant_every_table_is_an_error(database: Database, cafe: World, table: object) -> None:
    """T4, on a connection that never had a tenant and on one whose tenant ended with its transaction."""
    for _ in range(2):
        with pytest.raises(DBAPIError) as refused:
            async with database.app_connection() as connection:
                await connection.execute(select(table))  # type: ignore[call-overload]
        assert getattr(refused.value.orig, "sqlstate", None) in {"42704", "22P02"}
        async with database.tenant(cafe.tenant.id) as session:
            await session.rows(select(table))  # type: ignore[call-overload]


async def test_a_session_needs_a_tenant(database: Database) -> None:
    with pytest.raises(ConfigurationError):
        async with database.tenant(None):  # type: ignore[arg-type]
            pass


@pytest.mark.parametrize("sql", ["COMMIT", "SELECT set_config('app.tenant_id', '', true)"])
async def test_a_prepared_statement_works_on_rows_only(database: Database, cafe: World, sql: str) -> None:
    async with database.tenant(cafe.tenant.id) as session:
        with pytest.raises(ForbiddenStatement):
            await session.run(Prepared(sql, (), frozenset(), {}), {})
        assert await session.rows(EMAILS) == [(cafe.card.email,)]


async def test_a_planted_leak_is_caught(database: Database, config: Config, cafe: World, pizza: World) -> None:
    """What a session-level setting would do to the next borrower of the connection: it is refused, not served."""
    one = Database(config.model_copy(update={"pool_size": 1}))
    async with one.app_connection() as connection:
        driver = (await connection.get_raw_connection()).driver_connection  # past the guard, which refuses such a thing
        assert driver is not None
        await driver.execute(f"SET app.tenant_id = '{pizza.tenant.id}'")
    with pytest.raises(DBAPIError) as refused:
        async with one.tenant(cafe.tenant.id):
            pass
    assert getattr(refused.value.orig, "sqlstate", None) == "RG001"
    await one.close()


async def test_a_tenant_sees_only_its_own_rows(database: Database, cafe: World, pizza: World) -> None:
    async with database.tenant(cafe.tenant.id) as session:
        assert [row.email for row in await session.rows(EMAILS)] == ["mia@cafe.example"]
    async with database.tenant(pizza.tenant.id) as session:
        assert [row.email for row in await session.rows(EMAILS)] == ["mia@pizza.example"]


async def test_a_row_cannot_be_written_for_another_tenant(database: Database, cafe: World, pizza: World) -> None:
    move = text("UPDATE core.member SET tenant_id = :tenant WHERE id = :id")
    with pytest.raises(DBAPIError) as refused:
        async with database.tenant(cafe.tenant.id) as session:
            await session.execute(move, {"tenant": pizza.tenant.id, "id": cafe.card.member_id})
    assert getattr(refused.value.orig, "sqlstate", None) == "42501"


async def test_a_row_cannot_point_to_another_tenants(database: Database, cafe: World, pizza: World) -> None:
    """L8: foreign keys bypass policies, so they carry the tenant."""
    point = text(
        "INSERT INTO core.consent (tenant_id, id, member_id, purpose, granted, text_version) "
        "VALUES (:tenant, :id, :member, 'terms', true, '1')"
    )
    values = {"tenant": cafe.tenant.id, "id": cafe.card.id, "member": pizza.card.member_id}
    with pytest.raises(DBAPIError) as refused:
        async with database.tenant(cafe.tenant.id) as session:
            await session.execute(point, values)
    assert getattr(refused.value.orig, "sqlstate", None) == "23503"


async def test_interleaved_tenants_on_a_pool_of_one(config: Config, cafe: World, pizza: World, sql: Connection) -> None:
    """T6: 10,000 rounds with cancels, exceptions and rollbacks; nobody ever sees the other's rows."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    one = Database(config.model_copy(update={"pool_size": 1}))
    expected = {cafe.tenant.id: "mia@cafe.example", pizza.tenant.id: "mia@pizza.example"}

    async def visit(tenant_id: UUID, fate: str) -> str | None:
        async with one.tenant(tenant_id) as session:
            emails = [row.email for row in await session.rows(EMAILS)]
            assert emails == [expected[tenant_id]]
            if fate == "raise":
                raise LookupError
            if fate == "break":
                await session.execute(text("SELECT 1/0"))
            if fate == "cancel":
                await session.execute(text("SELECT pg_sleep(5)"))
        return emails[0]

    for _ in range(1000):
        visits = []
        for tenant_id in dice.choices(list(expected), k=10):
            fate = dice.choices(["stay", "raise", "break", "cancel"], [90, 5, 4, 1])[0]
            task = asyncio.create_task(visit(tenant_id, fate))
            if fate == "cancel":
                asyncio.get_running_loop().call_later(dice.random() / 50, task.cancel)
            visits.append((tenant_id, fate, task))
        results = await asyncio.gather(*(task for _, _, task in visits), return_exceptions=True)
        for (tenant_id, fate, _), result in zip(visits, results, strict=True):
            if fate == "stay":
                assert result == expected[tenant_id]
            else:
                assert isinstance(result, LookupError | DBAPIError | asyncio.CancelledError)
    assert (
        await sql.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'regulars_app'"
        )
        == 1
    )
    await one.close()
