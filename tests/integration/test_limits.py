"""Limits cannot be gone around: they follow the person through merges and back, and see what still waits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asyncpg import Connection

from regulars.contracts.ledger import Birthday, Purchase
from regulars.domain.awards.service import Awards, EventCommand
from regulars.domain.expiry.service import Expiry
from regulars.domain.ledger.commands import Answer
from regulars.kernel.config import Config
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.clock import Clock
from regulars.testing.till import Till, content
from regulars.testing.world import HOST_FEATURES, TestCard, World, make_tenant

Healthy = Callable[[], Awaitable[None]]
PLUGINS = ("points", "stamps", "antifraud", "promotions")
BONUS = {"key": "b", "title": "B", "kind": "bonus_points", "unit": "points", "units": 7, "max_uses_per_member": 1}
SETTINGS: dict[str, dict[str, Any]] = {
    "points": {"birthday_points": 50, "events": [{"name": "review", "title": "Review", "points": 20, "most": 1}]},
    "stamps": {"milestones": [], "max_per_sale": 10},
    "antifraud": {"cooldown_minutes": 15, "max_daily_stamps": 3},
    "promotions": {"promotions": [BONUS]},
}
POINTS = "SELECT coalesce(sum(amount), 0)::int FROM core.ledger_entry WHERE card_id = $1 AND rule = $2"


@pytest.fixture
async def cafe(config: Config, registry: PluginRegistry) -> World:
    features = (*PLUGINS, *HOST_FEATURES, "api_access")
    return await make_tenant(
        config, "cafe", features=features, plugins=registry.names, settings=SETTINGS, kind="hybrid"
    )


@pytest.fixture
async def till(make_till: Callable[[World], Till], cafe: World, clock: Clock) -> Till:
    await clock.set(datetime(2026, 3, 10, 8, tzinfo=UTC))  # no midnight comes between
    return make_till(cafe)


def said(answer: Answer) -> str:
    return content(answer)["code"] if answer.refused else "done"


async def buy(till: Till, card: TestCard | None = None, quantity: int = 1) -> str:
    purchase = Purchase(quantity, 1000, "EUR")
    return said(await till.sale(card=card, unit="points", purchase=purchase))


async def report(till: Till, card: TestCard, reference: str) -> str:
    attempt = till.attempt(card, None, None, None, body=reference)
    async with till.database.tenant(till.world.tenant.id) as session:
        command = EventCommand(attempt, "review", reference)
        return said(await Awards(till.ledger).report(session, till.world.context(), command))


async def congratulate(till: Till, card: TestCard) -> None:
    async with till.database.tenant(till.world.tenant.id) as session:
        await Awards(till.ledger).award(session, till.world.context("job"), card.id, Birthday(2026), "2026")


async def test_they_follow_the_person_through_a_merge_and_back(
    till: Till, cafe: World, clock: Clock, sql: Connection, healthy: Healthy
) -> None:
    mia, twin = cafe.card, await cafe.add_card("mia2@cafe.example")
    assert [await buy(till, twin, 2), await report(till, twin, "r1")] == ["done", "done"]
    await congratulate(till, twin)
    merged = await till.merge(twin, mia)
    assert await buy(till) == "antifraud.cooldown", "of the other card"
    await clock.advance(minutes=15)
    assert await buy(till, quantity=2) == "antifraud.daily_limit", "two of three were the other card's"
    assert [await report(till, card, "r1") for card in (mia, twin)] == ["event.already_counted"] * 2
    assert await report(till, mia, "r2") == "event.nothing", "once for each person"
    for card in (mia, twin):
        await congratulate(till, card)
    assert await buy(till) == "done"
    given = [await sql.fetchval(POINTS, mia.id, rule) for rule in ("event", "birthday", "promotion_b")]
    assert given == [0, 0, 0], "the person had all of it before"
    await till.unmerge(merged)
    await clock.advance(minutes=15)
    assert [await buy(till, card) for card in (twin, twin)] == ["done", "antifraud.cooldown"]
    assert await report(till, twin, "r3") == "event.nothing"
    await congratulate(till, twin)
    given = [await sql.fetchval(POINTS, twin.id, rule) for rule in ("event", "birthday", "promotion_b")]
    assert given == [20, 50, 7], "and has not got it again by being merged and back"
    await healthy()


async def test_what_waits_counts_from_its_sale_and_not_from_its_release(till: Till, cafe: World, clock: Clock) -> None:
    await cafe.set_settings("points", pending_days=1)
    await cafe.set_settings("promotions", promotions=[])
    await cafe.set_settings("antifraud", cooldown_minutes=15, max_daily_stamps=1000)
    await cafe.set_settings("stamps", per="amount", step_minor=100_000, milestones=[])
    assert [await buy(till), await buy(till)] == ["done", "antifraud.cooldown"]
    await clock.advance(days=1, minutes=1)
    async with till.database.tenant(cafe.tenant.id) as session:
        released = Expiry(till.ledger, timedelta(days=1)).release(session, cafe.context("job"), cafe.card.id)
        assert await released == 1
    assert await buy(till) == "done"
