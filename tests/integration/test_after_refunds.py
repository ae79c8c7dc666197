"""After a refund: budgets, stock, tiers and parts of points are as if it had never been, in whatever order it goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from asyncpg import Connection
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from regulars.contracts.ledger import Purchase
from regulars.domain.ledger.commands import Answer
from regulars.domain.programs.cache import ProgramCache
from regulars.domain.programs.plugin_rules import PluginRules
from regulars.domain.redemptions.service import RedeemCommand, Redemptions
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.settings import SettingsStore
from regulars.testing.offerings import offering_options
from regulars.testing.plugin import OFFERING
from regulars.testing.till import Till
from regulars.testing.world import TestCard, World, make_tenant

ANSWERS = Callable[[], Awaitable[list[tuple[str, str]]]]
MECHANICS = ("points", "tiers", "rewards", "promotions")
MUG = {"key": "mug", "title": "Mug", "cost": 100, "stock": 1000}
LADDER = [{"title": "Basic"}, {"title": "Silver", "threshold": 100, "multiplier": 200}]
ONCE = {"title": "Once", "key": "once", "kind": "bonus_points", "units": 50, "max_uses_per_member": 1}
TENTH = {"title": "Tenth", "key": "tenth", "kind": "discount_percent", "percent": 10, "budget_minor": 10**6}
SALE = "SELECT id FROM core.sale WHERE card_id = $1 ORDER BY id DESC LIMIT 1"
REDEMPTION = "SELECT id FROM core.redemption WHERE card_id = $1 ORDER BY id DESC LIMIT 1"
BALANCE = "SELECT coalesce(sum(balance), 0)::int FROM core.account WHERE card_id = $1"
PARTS = "SELECT coalesce(sum(parts), 0)::bigint FROM plg_points.carry WHERE card_id = $1"
USED = "SELECT promotion, what, used::int FROM plg_promotions.usage WHERE tenant_id = $1 AND scope = '' ORDER BY 1, 2"
OUT = "SELECT taken::int FROM plg_rewards.stock WHERE tenant_id = $1"
TIER = "SELECT tier FROM plg_tiers.member_tier WHERE card_id = $1"


@dataclass
class Shop:
    """A merchant with all mechanics, and one card's sales and rewards."""

    till: Till
    sql: Connection
    card: TestCard
    sales: dict[UUID, int] = field(default_factory=dict)
    mugs: list[UUID] = field(default_factory=list)

    @property
    def world(self) -> World:
        return self.till.world

    async def buy(self, amount: int) -> UUID:
        answer = await self.till.sale(unit="points", purchase=Purchase(1, amount, "EUR"), card=self.card)
        assert answer.status == 200, answer.body
        found: UUID = await self.sql.fetchval(SALE, self.card.id)
        self.sales[found] = amount
        return found

    async def refund(self, sale: UUID, part: int | None = None, *mugs: UUID) -> Answer:
        answer = await self.till.refund(sale, amount_minor=part, redemptions=mugs)
        assert answer.status == 200, answer.body
        self.sales[sale] -= part or self.sales[sale]
        if not self.sales[sale]:
            del self.sales[sale]
        self.mugs = [mug for mug in self.mugs if mug not in mugs]
        return answer

    async def redeem(self) -> None:
        attempt = self.till.attempt(self.card, None, None, None, body="mug")
        async with self.till.database.tenant(self.world.tenant.id) as session:
            command = RedeemCommand(attempt, "points", "rewards.catalogue/mug")
            answer = await Redemptions(self.till.ledger).redeem(session, self.world.context(), command)
        if answer.status == 200:
            self.mugs.append(await self.sql.fetchval(REDEMPTION, self.card.id))

    async def undo(self) -> None:
        if (await self.till.undo(card=self.card)).status == 200:
            gone = await self.sql.fetch("SELECT id FROM core.sale WHERE undone_at IS NOT NULL")
            self.sales = {sale: left for sale, left in self.sales.items() if sale not in {row["id"] for row in gone}}
            back = await self.sql.fetch("SELECT id FROM core.redemption WHERE undone_at IS NOT NULL")
            self.mugs = [mug for mug in self.mugs if mug not in {row["id"] for row in back}]


@pytest.fixture
def open_shop(
    config: Config, registry: PluginRegistry, make_till: Callable[[World], Till], sql: Connection
) -> Callable[..., Awaitable[Shop]]:
    """Makes a merchant with all mechanics."""
    offering = offering_options(OFFERING, MECHANICS, registry)

    async def make(slug: str, **tiers: Any) -> Shop:
        world = await make_tenant(config, slug, **{**offering, "kind": "points"})
        await world.set_settings("antifraud", cooldown_minutes=0, max_daily_stamps=1000)
        await world.set_settings("points", welcome_points=0, rate="1.00", refund_policy="debt", max_debt=10**6)
        await world.set_settings("tiers", **{"basis": "spend", "ladder": LADDER, **tiers})
        await world.set_settings("promotions", promotions=[ONCE, TENTH])
        await world.set_settings("rewards", rewards=[MUG])
        return Shop(make_till(world), sql, world.card)

    return make


@pytest.fixture
def wrong(config: Config, registry: PluginRegistry, database: Database) -> Callable[[World], Awaitable[Any]]:
    """Cards whose tier is not what the ledger gives."""
    from regulars_tiers.review import wrong_tiers

    rules = PluginRules(ProgramCache(), SettingsStore(registry, config.setting_default, config.encryption_key))

    async def find(world: World) -> Any:
        async with database.tenant(world.tenant.id) as session:
            (one,) = await rules.of(session, world.tenant, "tiers")
            return await wrong_tiers(session, one.program, one.settings)

    return find


async def test_budget_and_use_come_back_in_proportion(
    open_shop: Callable[..., Awaitable[Shop]], sql: Connection, healthy: Callable[[], Awaitable[None]]
) -> None:
    cafe, pizza = await open_shop("cafe"), await open_shop("pizza")
    sale, _other = await cafe.buy(6000), await pizza.buy(6000)
    used = [("once", "units", 50), ("once", "uses", 1), ("tenth", "money", 600), ("tenth", "uses", 1)]
    assert [tuple(row) for row in await sql.fetch(USED, cafe.world.tenant.id)] == used
    await cafe.refund(sale, 2000)
    assert [row["used"] for row in await sql.fetch(USED, cafe.world.tenant.id)] == [50, 1, 400, 1]
    await cafe.redeem()
    await cafe.refund(sale, 1000, *cafe.mugs)
    assert [row["used"] for row in await sql.fetch(USED, cafe.world.tenant.id)] == [50, 1, 300, 1]
    await cafe.refund(sale)
    assert [row["used"] for row in await sql.fetch(USED, cafe.world.tenant.id)] == [0, 0, 0, 0]
    assert [tuple(row) for row in await sql.fetch(USED, pizza.world.tenant.id)] == used
    row = await sql.fetchrow(
        "SELECT refunded_minor, refunded_at IS NOT NULL AS gone FROM core.sale WHERE id = $1", sale
    )
    assert tuple(row) == (6000, True)
    await healthy()


async def test_two_rewards_of_one_kind_come_back_together(
    open_shop: Callable[..., Awaitable[Shop]], sql: Connection, healthy: Callable[[], Awaitable[None]]
) -> None:
    cafe = await open_shop("cafe")
    sale = await cafe.buy(25000)
    await cafe.redeem()
    await cafe.redeem()
    assert await sql.fetchval(OUT, cafe.world.tenant.id) == 2
    await cafe.refund(sale, None, *cafe.mugs)
    assert (await sql.fetchval(OUT, cafe.world.tenant.id), await sql.fetchval(BALANCE, cafe.card.id)) == (0, 0)
    await healthy()


async def test_sales_too_small_for_a_point_leave_no_parts_behind(
    open_shop: Callable[..., Awaitable[Shop]], sql: Connection
) -> None:
    cafe = await open_shop("cafe")
    for _again in range(3):
        await cafe.refund(await cafe.buy(50))
    assert await sql.fetchval(PARTS, cafe.card.id) == 0
    await cafe.buy(50)
    await cafe.undo()
    assert (await sql.fetchval(PARTS, cafe.card.id), cafe.sales) == (0, {}), "what gave nothing can be undone, too"


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "buy", "refund", "part", "part", "redeem", "redeem", "give back", "undo"]),
        st.integers(0, 11),
    ),
    min_size=4,
    max_size=12,
)
AMOUNTS = (49, 50, 99, 150, 1000, 3333, 5000, 9999, 10000, 10001, 12345, 30000)


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS, basis=st.sampled_from(["spend", "earned", "visits"]))
async def test_nobody_gains_by_buying_redeeming_and_giving_back_in_any_order(
    steps: list[tuple[str, int]],
    basis: str,
    open_shop: Callable[..., Awaitable[Shop]],
    shops: list[Shop],
    sql: Connection,
    run_jobs: ANSWERS,
    wrong: Callable[[World], Awaitable[Any]],
    healthy: Callable[[], Awaitable[None]],
) -> None:
    """However it went: the tier is what the ledger gives; and with all sales refunded only what is in hand is owed."""
    if not shops:
        shops.append(await open_shop("cafe"))
    world = shops[0].world
    await world.set_settings(
        "tiers", basis=basis, ladder=[LADDER[0], {**LADDER[1], "threshold": 2 if basis == "visits" else 100}]
    )
    shop = Shop(shops[0].till, sql, await world.add_card(f"m{len(shops)}@example.com"))
    shops.append(shop)
    for action, number in steps:
        if action == "buy":
            await shop.buy(AMOUNTS[number])
        elif action == "redeem":
            await shop.redeem()
        elif action == "undo":
            await shop.undo()
        elif shop.sales:
            sale = list(shop.sales)[number % len(shop.sales)]
            part = min(AMOUNTS[number], shop.sales[sale]) if action == "part" else None
            await shop.refund(sale, part, *(shop.mugs[-1:] if action == "give back" else ()))
    await run_jobs()
    assert shop.card.id not in {fault.card_id for fault in await wrong(world) if fault.stored}
    if basis != "earned":
        counted = sum(shop.sales.values()) // 100 if basis == "spend" else len(shop.sales)
        tier = "silver" if counted >= (2 if basis == "visits" else 100) else "basic"
        assert await sql.fetchval(TIER, shop.card.id) in ({tier} if steps and shop.sales else {tier, None})
    for sale in list(shop.sales):
        await shop.refund(sale)
    await run_jobs()
    assert await sql.fetchval(BALANCE, shop.card.id) == -100 * len(shop.mugs)
    assert await sql.fetchval(PARTS, shop.card.id) == 0
    assert {row["used"] for row in await sql.fetch(USED, world.tenant.id)} <= {0}
    assert (await sql.fetchval(OUT, world.tenant.id) or 0) == sum(len(one.mugs) for one in shops)
    assert await sql.fetchval(TIER, shop.card.id) in {"basic", None}
    await healthy()


@pytest.fixture
def shops() -> list[Shop]:
    """Those of one test: its histories share a merchant, each with a card of its own."""
    return []
