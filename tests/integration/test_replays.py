"""L12: a stored evaluation gives the same again, with the settings, facts and balances of its moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from asyncpg import Connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regulars.contracts.context import TenantSnapshot
from regulars.domain.ledger.replays import Replayed, Replays
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.settings import SettingsStore
from regulars.testing.clock import Clock
from regulars.testing.till import Till
from regulars.testing.world import World

Replay = Callable[[TenantSnapshot], Awaitable[list[Replayed]]]
RULES = "SELECT rules->>'stamps' FROM core.sale_evaluation ORDER BY created_at"
FORGE = """UPDATE core.sale_evaluation
           SET result = '[{"plugin": "stamps", "unit": "stamps", "rule": "visit", "amount": 9}]'"""


@pytest.fixture
def replay(config: Config, registry: PluginRegistry, database: Database) -> Replay:
    replays = Replays(registry, SettingsStore(registry, config.setting_default, config.encryption_key))

    async def run(tenant: TenantSnapshot) -> list[Replayed]:
        async with database.tenant(tenant.id, read_only=True) as session:
            return list(await replays.replay_some(session, tenant))

    return run


STEPS = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from([3, 4, 5]), st.lists(st.integers(2, 9), unique=True, max_size=2)),
    min_size=1,
    max_size=5,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_sales_under_changing_rules_give_the_same_again(
    steps: list[tuple[int, int, list[int]]],
    make_till: Callable[[World], Till],
    cafe: World,
    pizza: World,
    clock: Clock,
    replay: Replay,
) -> None:
    till = make_till(cafe)
    for quantity, most, milestones in steps:
        bonuses = [{"at": at, "bonus": at} for at in sorted(milestones)]
        await cafe.set_settings("stamps", max_per_sale=most, milestones=bonuses)
        await clock.advance(minutes=600)
        await till.sale(quantity)
    found = await replay(cafe.tenant)
    assert {one.outcome for one in found} <= {"same"}
    assert all(one.again == one.stored for one in found)
    assert await replay(pizza.tenant) == []


async def test_a_sale_names_its_versions_and_a_forged_result_is_found(
    make_till: Callable[[World], Till],
    cafe: World,
    clock: Clock,
    sql: Connection,
    replay: Replay,
    run_jobs: Callable[..., Awaitable[list[tuple[str, str]]]],
) -> None:
    till = make_till(cafe)
    await till.sale(1)
    await cafe.set_settings("stamps", milestones=[{"at": 3, "bonus": 2}])
    await cafe.set_settings("stamps", milestones=[{"at": 3, "bonus": 5}])
    await clock.advance(minutes=60)
    await till.sale(2)
    assert [row[0] for row in await sql.fetch(RULES)] == ["0", "2"]
    assert [one.outcome for one in await replay(cafe.tenant)] == ["same", "same"]
    await sql.execute(FORGE)
    assert [one.outcome for one in await replay(cafe.tenant)] == ["different", "different"]
    await sql.execute("DELETE FROM core.settings_version")
    assert sorted(one.outcome for one in await replay(cafe.tenant)) == ["different", "unreadable"]


async def test_the_nightly_job_dies_of_a_difference(
    make_till: Callable[[World], Till],
    cafe: World,
    sql: Connection,
    run_jobs: Callable[..., Awaitable[list[tuple[str, str]]]],
) -> None:
    add = (
        "INSERT INTO core.job (tenant_id, id, name, payload, max_attempts) VALUES ($1, gen_random_uuid(), $2, '{}', 1)"
    )
    await make_till(cafe).sale(1)
    await sql.execute(add, cafe.tenant.id, "core.replay_sales")
    assert ("core.replay_sales", "done") in await run_jobs()
    await sql.execute(FORGE)
    await sql.execute(add, cafe.tenant.id, "core.replay_sales")
    assert ("core.replay_sales", "dead") in await run_jobs()
