"""The demo's history: made by the commands that `make demo` runs, clean, and equal to what the oracle says."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from datetime import datetime, timedelta

import pytest
from asyncpg import Connection, Record, connect

from regulars.kernel.migrate import upgrade
from regulars.kernel.migrate.targets import all_targets
from regulars.kernel.paths import bundled
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.environment import environment
from regulars.testing.oracle import StampOracle
from regulars.testing.plugin import Servers

pytestmark = pytest.mark.fault
CARDS = """
    SELECT c.id, c.created_at, c.tenant_id, p.timezone, s.values AS stamps, a.values AS antifraud
    FROM core.card c JOIN core.program p ON p.tenant_id = c.tenant_id AND p.id = c.program_id
    LEFT JOIN core.plugin_settings s ON s.tenant_id = c.tenant_id AND s.scope_id = p.id AND s.plugin = 'stamps'
    LEFT JOIN core.plugin_settings a ON a.tenant_id = c.tenant_id AND a.scope_id = p.id AND a.plugin = 'antifraud'
    WHERE p.kind <> 'points'
    ORDER BY c.number"""
ACTIONS = """
    SELECT 'sale' AS kind, created_at AS at, quantity, staff_id FROM core.sale WHERE card_id = $1
    UNION ALL SELECT 'redemption', created_at, 0, staff_id FROM core.redemption WHERE card_id = $1 AND unit = 'stamps'
    UNION ALL SELECT 'undo', undone_at, 0, staff_id FROM core.sale WHERE card_id = $1 AND undone_at IS NOT NULL
    UNION ALL SELECT 'undo', undone_at, 0, staff_id FROM core.redemption
      WHERE card_id = $1 AND unit = 'stamps' AND undone_at IS NOT NULL
    ORDER BY at, kind"""
ENTRIES = (
    "SELECT kind, amount, balance_after, lifetime_after FROM core.ledger_entry "
    "WHERE card_id = $1 AND unit = 'stamps' ORDER BY seq"
)
REDEMPTIONS = (
    "SELECT DISTINCT r.status, r.fulfilment FROM core.redemption r JOIN core.tenant t ON t.id = r.tenant_id "
    "WHERE t.slug = $1"
)


TIERS = "SELECT DISTINCT m.tier FROM plg_tiers.member_tier m JOIN core.tenant t ON t.id = m.tenant_id WHERE t.slug = $1"


@pytest.fixture(scope="module")
async def demo(servers: Servers, registry: PluginRegistry, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An installation whose database the demo's commands have filled."""
    urls = await servers.postgres.create_database("demo")
    await upgrade(urls.migrator, all_targets(registry))
    variables = environment(urls, servers.redis.url, tmp_path_factory.mktemp("demo"))
    variables = {**os.environ, **variables, "REGULARS_ENV": "demo"}
    for arguments in (("tenant", "apply", str(bundled("tenants"))), ("demo-data",)):
        run(variables, *arguments)
    return variables


def run(variables: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "regulars.cli", *arguments]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
async def rows(demo: dict[str, str]):
    connection = await connect(demo["REGULARS_DATABASE_URL_MIGRATOR"].replace("+asyncpg", ""))
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=str, decoder=__import__("json").loads)
    yield connection
    await connection.close()


async def test_it_is_worth_looking_at(rows: Connection) -> None:
    counts = await rows.fetch(
        """SELECT t.slug, (SELECT count(*) FROM core.member m WHERE m.tenant_id = t.id) AS members,
                  (SELECT count(*) FROM core.sale s WHERE s.tenant_id = t.id) AS sales,
                  (SELECT count(*) FROM core.redemption r WHERE r.tenant_id = t.id) AS rewards,
                  (SELECT count(*) FROM core.audit_log a WHERE a.tenant_id = t.id AND outcome = 'refused') AS refused,
                  (SELECT count(*) FROM core.sale s WHERE s.tenant_id = t.id AND undone_at IS NOT NULL) AS undone
           FROM core.tenant t WHERE t.live_tenant_id IS NULL ORDER BY t.slug"""
    )
    assert [row["slug"] for row in counts] == ["boulangerie", "cafe", "pizza"]
    for row in counts:
        assert row["members"] >= 250
        assert row["sales"] >= 2500
        assert min(row["rewards"], row["refused"], row["undone"]) > 0


async def test_each_page_of_the_engine_has_something_to_show(rows: Connection) -> None:
    """Points with tiers, rewards in all states, refunds, friends, a planned change; a hybrid card with promotions."""
    kinds = await rows.fetch("SELECT t.slug, p.kind FROM core.program p JOIN core.tenant t ON t.id = p.tenant_id")
    assert {row["slug"]: row["kind"] for row in kinds if "--" not in row["slug"]} == {
        "boulangerie": "points",
        "cafe": "stamps",
        "pizza": "hybrid",
    }
    states = {tuple(row) for row in await rows.fetch(REDEMPTIONS, "boulangerie")}
    assert states >= {
        ("held", ""),
        ("captured", ""),
        ("released", ""),
        ("expired", ""),
        ("held", "ordered"),
        ("captured", "shipped"),
        ("captured", "delivered"),
    }
    tiers = await rows.fetch(TIERS, "boulangerie")
    assert {row["tier"] for row in tiers} == {"bird", "regular", "friend"}
    whole = await rows.fetch("SELECT (result->>'is_whole')::boolean AS is_whole, count(*) FROM core.refund GROUP BY 1")
    assert {row["is_whole"]: row["count"] for row in whole} == {True: 3, False: 3}
    used = await rows.fetch("SELECT DISTINCT promotion FROM plg_promotions.participation")
    assert {row["promotion"] for row in used} == {"happy_hour", "double_sunday", "tiramisu", "lunch"}
    over = "SELECT count(*) FROM plg_promotions.usage WHERE used > most"
    assert await rows.fetchval(over) == 0
    assert await rows.fetchval("SELECT count(*) FROM core.program_change WHERE status = 'planned'") == 1
    named = "SELECT count(*) FROM core.outbox_event WHERE name = 'member.enrolled' AND payload->>'referral' <> ''"
    assert await rows.fetchval(named) == 2


async def test_the_same_files_again_change_nothing(demo: dict[str, str]) -> None:
    assert run(demo, "tenant", "apply", str(bundled("tenants"))).splitlines()[-1] == "Nothing to change."


async def test_the_ledger_is_clean(demo: dict[str, str]) -> None:
    assert run(demo, "doctor", "--ledger").startswith("The ledger is clean")


async def test_the_clock_goes_by_real_time_again(rows: Connection) -> None:
    assert await rows.fetchval("SELECT array_agg(shift) FROM core.clock") == [timedelta()]


async def test_sampled_cards_are_what_the_oracle_says(rows: Connection) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    for card in random.Random(seed).sample(await rows.fetch(CARDS), 60):
        oracle = await recompute(rows, card)
        assert [(e.kind, e.amount, e.balance, e.lifetime) for e in oracle.entries] == [
            tuple(row) for row in await rows.fetch(ENTRIES, card["id"])
        ]


async def recompute(rows: Connection, card: Record) -> StampOracle:
    stamps, antifraud = card["stamps"] or {}, card["antifraud"] or {}
    oracle = StampOracle(
        target=stamps.get("target", 10),
        welcome=stamps.get("welcome_stamps", 1),
        max_per_sale=stamps.get("max_per_sale", 10),
        milestones=[(m["at"], m["bonus"]) for m in stamps.get("milestones", [{"at": 50, "bonus": 1}])],
        cooldown=timedelta(minutes=antifraud.get("cooldown_minutes", 15)),
        max_daily=antifraud.get("max_daily_stamps", 5),
        timezone=card["timezone"],
    )
    oracle.enrol(card["created_at"])
    for action in await rows.fetch(ACTIONS, card["id"]):
        at, staff = action["at"], str(action["staff_id"])
        assert isinstance(at, datetime)
        if action["kind"] == "sale":
            assert oracle.sale(at, action["quantity"], staff) == "ok"
        elif action["kind"] == "redemption":
            assert oracle.redeem(at, staff) == "ok"
        else:
            assert oracle.undo(at, staff) == "ok"
    return oracle


async def test_no_card_was_stamped_too_often(rows: Connection) -> None:
    """P3 on the whole history: no two sales of a card within the cooldown, never more than the day's limit."""
    standing = """SELECT s.card_id, s.created_at, s.quantity, p.timezone FROM core.sale s
                  JOIN core.card c ON c.tenant_id = s.tenant_id AND c.id = s.card_id
                  JOIN core.program p ON p.tenant_id = c.tenant_id AND p.id = c.program_id
                  WHERE s.undone_at IS NULL AND p.kind <> 'points'"""
    close = f"""SELECT count(*) FROM (SELECT created_at - lag(created_at) OVER (
                PARTITION BY card_id ORDER BY created_at) AS gap FROM ({standing}) s) g
                WHERE gap < interval '15 minutes'"""
    many = f"""SELECT count(*) FROM (SELECT sum(quantity) AS total FROM ({standing}) s
               GROUP BY card_id, date_trunc('day', created_at AT TIME ZONE timezone)) d WHERE total > 5"""
    assert (await rows.fetchval(close), await rows.fetchval(many)) == (0, 0)
