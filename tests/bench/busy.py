"""The merchant with every plugin and 50 active rules: sales, rewards, one card at many tills, a back-test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Any

from asyncpg import Connection

from regulars.domain.jobs import make_job_registry
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.process import make_ledger
from regulars.domain.trials import service as trials
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.kernel.jobs.runner import JobRunner
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.jobs import FreshSnapshots
from regulars.testing.principals import acting
from regulars.testing.world import HOST_FEATURES, World
from tests.bench.sales import body_of, get, post, sale
from tests.bench.seed import STAFF, Card, Merchant, make_world

PLUGINS = ("stamps", "points", "tiers", "rewards", "promotions", "antifraud")
PATH, PURCHASE = "points", {"amount": "25.00", "channel": "store"}
AT_ONCE = 50
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_JOB = "SELECT id FROM core.job WHERE tenant_id = $1 AND name = 'core.back_test'"


def _rules() -> list[dict[str, Any]]:
    """Twenty-five, some of which hold today."""
    return [
        {"title": f"Rule {number}", "type": "fixed", "value": 1 + number, "min_amount_minor": 150 * number + 1}
        | {"days": _DAYS[number % 7]}
        for number in range(25)
    ]


def _promotions() -> list[dict[str, Any]]:
    """Twenty-five, of which two give something to every sale: one row for each that all tills count in."""
    common = {"kind": "bonus_points", "unit": "points"}
    rows = [
        {**common, "key": f"p{number}", "title": f"Promotion {number}", "units": 1 + number, "channel": "online"}
        for number in range(23)
    ]
    off = {"kind": "discount_percent", "percent": 10, "key": "tenth", "title": "A tenth off"}
    return [*rows, {**common, "key": "hour", "title": "Happy hour", "units": 5}, off]


async def make_busy(config: Config, registry: PluginRegistry) -> World:
    """Make the merchant, without cards.

    Args:
        config: of the installation.
        registry: the plugins.
    """
    mug = {"key": "mug", "title": "Mug", "unit": "stamps", "cost": 1}
    chosen = {
        "points": {"rules": _rules()},
        "promotions": {"promotions": _promotions()},
        "rewards": {"rewards": [mug]},
        "antifraud": {"cooldown_minutes": 0, "max_daily_stamps": 1_000},
        "stamps": {"milestones": []},
    }
    features = (*PLUGINS, "promotions.advanced", *HOST_FEATURES, "api_access")
    options: dict[str, Any] = {"offering": "busy", "kind": "hybrid", "settings": chosen, "plugins": registry.names}
    return await make_world(config, "busy", features=features, **options)


def redeems(merchant: Merchant, cards: Sequence[Card], connections: int) -> list[Iterator[bytes]]:
    """For each connection rewards to redeem; each card has three stamps, and a mug costs one."""
    wanted = {"reward": "rewards.catalogue/mug", "channel": "store"}
    return [
        (
            post(merchant, "redemptions", {**body_of(merchant, number % STAFF, card), **wanted})
            for card in cards[number::connections]
            for _ in range(3)
        )
        for number in range(connections)
    ]


def balances(merchant: Merchant) -> list[bytes]:
    """Members who ask what is on their card."""
    path = "/api/v1/storefront/loyalty/card"
    return [get(merchant.world.host, path, f"Cookie: rg_member={token}") for token in merchant.members]


def one_card(merchant: Merchant, card: Card) -> list[Iterator[bytes]]:
    """Fifty tills that all record a sale of one card, four times."""
    return [iter([sale(merchant, number % STAFF, card) for _ in range(4)]) for number in range(AT_ONCE)]


async def back_test(config: Config, registry: PluginRegistry, merchant: Merchant, connection: Connection) -> float:
    """Try other rules on the merchant's sales, and say how many a second are judged.

    Raises:
        RuntimeError: it did not come to an end.
    """
    database, world = Database(config), merchant.world
    ctx = acting(world, "manager")
    try:
        async with database.tenant(world.tenant.id) as session:
            key = await trials.begin(session, ctx, world.program_id, {"points": {"rate": "20"}}, 90)
        runner = JobRunner(
            database,
            make_job_registry(registry),
            FreshSnapshots(database, registry),
            services={Ledger: make_ledger(config, registry)},
        )
        begun = perf_counter()
        await runner.run(world.tenant.id, await connection.fetchval(_JOB, world.tenant.id))
        seconds = perf_counter() - begun
        async with database.tenant(world.tenant.id, read_only=True) as session:
            found = await trials.get(session, ctx, key)
    finally:
        await database.close()
    if found.status != "done" or found.result is None:
        raise RuntimeError(f"the back-test is {found.status}")
    return float(found.result["sales"]) / seconds
