"""The hourly cleanup deletes what is old, of every tenant, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from asyncpg import Connection

from regulars.domain.upkeep.repository import KEEP, delete_old
from regulars.kernel.db.database import Database
from regulars.testing.world import World

OLD, YOUNG = KEEP + timedelta(minutes=1), KEEP - timedelta(minutes=1)
JOB = """INSERT INTO core.job (tenant_id, id, name, payload, status)
         SELECT $1, (lpad(to_hex((extract(epoch FROM now() - $2::interval) * 1000)::bigint), 12, '0')
                     || '7000800000000000000' || $4)::uuid, 'core.x', '{}', $3"""
IDEMPOTENCY = """INSERT INTO core.idempotency (tenant_id, principal, key, request_hash, status, body, created_at)
                 VALUES ($1, 'p', $2::interval::text, '', 200, '', core.now() - $2::interval)"""
SESSION = """INSERT INTO core.session (tenant_id, id, token_hash, member_id, expires_at)
             VALUES ($1, gen_random_uuid(), $3, $4, now() + $2::interval)"""


async def fill(sql: Connection, world: World) -> None:
    tenant = world.tenant.id
    for number, status in enumerate(("done", "queued", "running", "dead")):
        for age in (OLD, YOUNG):
            await sql.execute(JOB, tenant, age, status, str(number))
    for age in (OLD, YOUNG):
        await sql.execute(IDEMPOTENCY, tenant, age)
    for left in (timedelta(minutes=-1), timedelta(minutes=1)):
        await sql.execute(SESSION, tenant, left, str(left).encode(), world.card.member_id)


async def left(sql: Connection, tenant_id: UUID) -> dict[str, int]:
    tables = ("job", "idempotency", "session")
    counts = {table: f"SELECT count(*) FROM core.{table} WHERE tenant_id = $1" for table in tables}
    return {table: await sql.fetchval(query, tenant_id) for table, query in counts.items()}


async def test_what_is_old_goes(database: Database, cafe: World, pizza: World, sql: Connection) -> None:
    for world in (cafe, pizza):
        await fill(sql, world)
    slot = "INSERT INTO core.cron_slot (name, scheduled_at) VALUES ('core.x', now() - $1::interval)"
    for age in (OLD, YOUNG):
        await sql.execute(slot, age)
    async with database.platform("test") as session:
        deleted = await delete_old(session)
    others = {"staff_link": 0, "sign_up": 0, "operator_session": 0}
    assert deleted == {"job": 2, "idempotency": 2, "session": 2, "cron_slot": 1, **others}
    for world in (cafe, pizza):
        assert await left(sql, world.tenant.id) == {"job": 7, "idempotency": 1, "session": 1}
    async with database.platform("test") as session:
        assert set((await delete_old(session)).values()) == {0}
