"""Many at the same moment, in full number: nobody gets more than there is, and everybody gets an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from asyncpg import Connection

from regulars.contracts.ledger import Purchase
from regulars.domain.ledger.commands import Answer
from regulars.domain.ledger.engine import Ledger
from regulars.domain.redemptions.service import RedeemCommand, Redemptions
from regulars.domain.sales.service import SaleCommand, Sales
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database, TenantSession
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.till import Till, content
from regulars.testing.web import Browser
from regulars.testing.world import HOST_FEATURES, TestCard, World, make_tenant
from regulars.web.races import until_settled

FEATURES = ("stamps", "rewards", "promotions", *HOST_FEATURES, "api_access")
AT_ONCE = 32
"""Requests at work at the same time; the others wait, as they would for a connection."""
CARDS, SALES, BUDGET = 200, 5_000, 1_000
USED = "SELECT what, used FROM plg_promotions.usage WHERE scope = '' ORDER BY what"
GIVEN = "SELECT sum(amount) FROM core.ledger_entry WHERE plugin = 'promotions'"
Work = Callable[[TenantSession], Awaitable[Answer]]


class Crowd:
    """A merchant with many cards, and a limit of what is done at once."""

    def __init__(self, world: World, database: Database, ledger: Ledger) -> None:
        self.world, self.database = world, database
        self.till = Till(world, database, ledger)
        self._free = asyncio.Semaphore(AT_ONCE)

    async def cards(self, number: int) -> list[TestCard]:
        """Members who have just joined, each with a welcome stamp."""
        enrolled = await asyncio.gather(*(self._join(f"guest{n}@example.com") for n in range(number)))
        return [TestCard(one.card_id, one.card_id, one.number, "", "") for one in enrolled]

    async def _join(self, email: str) -> Any:
        async with self._free:
            return await self.till.enrol(email)

    async def do(self, work: Work) -> Answer:
        """A unit of work, decided anew when others were faster, as on the web."""

        async def once() -> Answer:
            async with self.database.tenant(self.world.tenant.id) as session:
                return await work(session)

        async with self._free:
            return await until_settled(once)

    async def redeem(self, card: TestCard) -> Answer:
        attempt = self.till.attempt(card, None, None, None, body="mug")
        command = RedeemCommand(attempt, None, "rewards.catalogue/mug", is_online=True, wants_redemption=True)
        context = self.world.context()
        return await self.do(lambda session: Redemptions(self.till.ledger).redeem(session, context, command))

    async def buy(self, card: TestCard, number: int) -> Answer:
        staff = self.world.staff[number % len(self.world.staff)]
        command = SaleCommand(self.till.attempt(card, staff, None, None, body="sale"), "stamps", Purchase())
        context = self.world.context()
        return await self.do(lambda session: Sales(self.till.ledger).record(session, context, command))


async def open_crowd(config: Config, registry: PluginRegistry, database: Database, ledger: Ledger) -> Crowd:
    """A stamp program with one mug and a promotion that can be had a thousand times."""
    mug = {"key": "mug", "title": "Mug", "unit": "stamps", "cost": 1, "stock": 1}
    bonus = {"key": "bonus", "title": "Bonus", "kind": "bonus_points", "units": 3, "max_uses": BUDGET}
    chosen = {"stamps": {"milestones": []}, "rewards": {"rewards": [mug]}, "promotions": {"promotions": [bonus]}}
    staff = [(f"Clerk{number}", "staff", "4711") for number in range(AT_ONCE)]
    world = await make_tenant(config, "cafe", features=FEATURES, plugins=registry.names, settings=chosen, staff=staff)
    return Crowd(world, database, ledger)


async def test_the_last_reward_and_a_budget_in_full_number(
    config: Config,
    registry: PluginRegistry,
    database: Database,
    ledger: Ledger,
    sql: Connection,
    healthy: Callable[[], Awaitable[None]],
) -> None:
    """200 want the last mug, and one gets it; 5,000 sales want of a budget of 1,000, and it is used to the last."""
    crowd = await open_crowd(config, registry, database, ledger)
    cards = await crowd.cards(CARDS)
    told = [content(answer) for answer in await asyncio.gather(*(crowd.redeem(card) for card in cards))]
    codes = sorted(one.get("code") or one["status"] for one in told)
    assert codes == ["captured"] + ["rewards.sold_out"] * (CARDS - 1)
    answers = await asyncio.gather(*(crowd.buy(cards[number % CARDS], number) for number in range(SALES)))
    assert {answer.status for answer in answers} == {200}
    assert [tuple(row) for row in await sql.fetch(USED)] == [("units", 3 * BUDGET), ("uses", BUDGET)]
    assert await sql.fetchval(GIVEN) == 3 * BUDGET
    await healthy()


async def test_fifty_requests_on_one_card_are_all_answered(
    cafe: World, till: Callable[[World], Browser], sql: Connection, healthy: Callable[[], Awaitable[None]]
) -> None:
    await cafe.set_settings("antifraud", cooldown_minutes=0, max_daily_stamps=1000)
    await cafe.set_settings("stamps", milestones=[], target=50)
    browser = till(cafe)

    async def sell(number: int) -> httpx.Response:
        headers = {"Idempotency-Key": f"at-once-{number}"}
        return await browser.post("/api/v1/store/loyalty/stamp", json=cafe.till_body(), headers=headers)

    answers = [await sell(0), *await asyncio.gather(*map(sell, range(1, 51)))]
    assert [answer.status_code for answer in answers] == [200] * 51
    assert sorted(answer.json()["stamp_count"] for answer in answers) == list(range(1, 52))
    assert await sql.fetchval("SELECT balance FROM core.account WHERE card_id = $1", cafe.card.id) == 51
    await healthy()
