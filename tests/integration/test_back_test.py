"""Rules tried on past sales: exact sums, nobody else's sales, cancelling; nothing is written but the result."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from asyncpg import Connection
from pages_under_test import actions_of, as_role, open_shop, person
from visitors import led_to, read

from regulars.contracts.errors import Conflict, NotFound
from regulars.domain.jobs import make_job_registry
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.process import make_ledger
from regulars.domain.trials import jobs as trial_jobs
from regulars.domain.trials import service as trials
from regulars.domain.trials.service import BackTest
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.clock import Clock
from regulars.testing.jobs import FreshSnapshots, run_pending
from regulars.testing.principals import acting
from regulars.testing.till import Till
from regulars.testing.web import WebServer
from regulars.testing.world import World

SETTINGS = {"stamps": {"target": 10, "reward_value_minor": 300}, "antifraud": {"cooldown_minutes": 0}}
MORE = {"stamps": {"milestones": [{"at": 4, "bonus": 2}], "reward_value_minor": 500}}
BEGINNING = datetime(2027, 1, 1, tzinfo=UTC)
LEDGER = "SELECT count(*), sum(amount) FROM core.ledger_entry"


class Desk:
    """A merchant's desk with a worker behind it."""

    def __init__(self, config: Config, database: Database, registry: PluginRegistry) -> None:
        self.database = database
        self.ledger = make_ledger(config, registry)
        self.registry = registry

    async def begin(self, world: World, changes: Mapping[str, Any], days: int = 90) -> UUID:
        async with self.database.tenant(world.tenant.id) as session:
            return await trials.begin(session, acting(world, "manager"), world.program_id, changes, days)

    async def get(self, world: World, key: UUID) -> BackTest:
        async with self.database.tenant(world.tenant.id, read_only=True) as session:
            return await trials.get(session, acting(world, "manager"), key)

    async def work(self) -> None:
        snapshots = FreshSnapshots(self.database, self.registry)
        jobs = make_job_registry(self.registry)
        await run_pending(self.database, jobs, snapshots, services={Ledger: self.ledger})

    async def result(self, world: World, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        key = await self.begin(world, changes)
        await self.work()
        found = await self.get(world, key)
        assert found.status == "done", found
        assert found.result is not None
        return found.result


@pytest.fixture
def desk(config: Config, database: Database, registry: PluginRegistry) -> Desk:
    return Desk(config, database, registry)


@pytest.fixture
async def history(
    make_world: Callable[..., Awaitable[World]], make_till: Callable[[World], Till], clock: Clock
) -> tuple[World, World]:
    """Four sales on two cards, one that was taken back, and a neighbour's."""
    cafe, pizza = await make_world("cafe", settings=SETTINGS), await make_world("pizza", settings=SETTINGS)
    other, till = await cafe.add_card("tom@cafe.example", name="Tom"), make_till(cafe)
    for day, hour, quantity, card in ((38, 12, 2, 0), (67, 11, 3, 0), (67, 12, 1, 0), (68, 9, 1, 1)):
        await clock.set(BEGINNING + timedelta(days=day, hours=hour))
        assert (await till.sale(quantity, card=(cafe.card, other)[card])).status == 200
    assert (await till.sale(2, card=other)).status == 200
    assert (await till.undo(card=other)).status == 200
    assert (await make_till(pizza).sale(5)).status == 200
    return cafe, pizza


async def test_exact_sums(desk: Desk, history: tuple[World, World], sql: Connection) -> None:
    cafe, before = history[0], await sql.fetchrow(LEDGER)
    result = await desk.result(cafe, MORE)
    mia = str(cafe.card.id)
    assert result == {
        "sales": 4,
        "refused": 0,
        "unjudged": 0,
        "cards": 2,
        "units": {
            "stamps": {"old": 7, "new": 9, "gain": 1, "lose": 0, "gainers": [[mia, 6, 8]], "losers": []},
        },
        "months": [["2027-02", 1, {"stamps": [2, 2]}], ["2027-03", 3, {"stamps": [5, 7]}]],
        "worth": {"stamps": [[300, 10], [500, 10]]},
    }
    assert await sql.fetchrow(LEDGER) == before
    async with desk.database.tenant(cafe.tenant.id) as session:
        (mover,) = await trials.movers(session, result["units"]["stamps"]["gainers"])
    assert (mover.name, mover.number, mover.old, mover.new) == ("Mia Ledoux", cafe.card.number, 6, 8)


@pytest.mark.parametrize(
    ("changes", "new", "refused"),
    [
        ({}, 7, 0),
        ({"stamps": {"max_per_sale": 2}}, 4, 1),
        ({"antifraud": {"cooldown_minutes": 120}}, 6, 1),
    ],
)
async def test_the_same_rules_give_the_same_and_checks_are_asked(
    desk: Desk,
    history: tuple[World, World],
    monkeypatch: pytest.MonkeyPatch,
    changes: Mapping[str, Any],
    new: int,
    refused: int,
) -> None:
    monkeypatch.setattr(trial_jobs, "PAGE", 1)
    result = await desk.result(history[0], changes)
    stamps = result["units"]["stamps"]
    assert (stamps["old"], stamps["new"], result["refused"], result["sales"]) == (7, new, refused, 4)


async def test_the_days_count(desk: Desk, history: tuple[World, World]) -> None:
    key = await desk.begin(history[0], {}, days=7)
    await desk.work()
    found = await desk.get(history[0], key)
    assert (found.total, found.seen, found.result and found.result["sales"]) == (3, 3, 3)


async def test_one_at_a_time_cancelled_and_given_up(desk: Desk, history: tuple[World, World], sql: Connection) -> None:
    cafe, pizza = history
    key = await desk.begin(cafe, {})
    with pytest.raises(Conflict):
        await desk.begin(cafe, {})
    neighbour = await desk.begin(pizza, {})
    with pytest.raises(NotFound):
        await desk.get(cafe, neighbour)
    async with desk.database.tenant(cafe.tenant.id) as session:
        await trials.cancel(session, acting(cafe, "manager"), key)
    await desk.work()
    assert ((await desk.get(cafe, key)).status, (await desk.get(pizza, neighbour)).status) == ("cancelled", "done")
    stuck = await desk.begin(cafe, {})
    await sql.execute("UPDATE core.back_test SET moved_at = now() - interval '16 minutes' WHERE id = $1", stuck)
    await desk.begin(cafe, {})
    assert (await desk.get(cafe, stuck)).status == "failed"


async def test_settings_that_do_not_fit_any_more(desk: Desk, history: tuple[World, World]) -> None:
    key = await desk.begin(history[0], {"stamps": {"target": 1}})
    await desk.work()
    assert (await desk.get(history[0], key)).status == "failed"


async def test_from_the_unsaved_form_to_the_result(
    web: WebServer,
    desk: Desk,
    make_world: Callable[..., Awaitable[World]],
    make_till: Callable[[World], Till],
    sql: Connection,
) -> None:
    cafe = await open_shop(make_world, "cafe", settings=SETTINGS)
    assert (await make_till(cafe).sale(4, staff=person(cafe, "staff"))).status == 200
    visitor = await as_role(web, sql, cafe, "manager")
    form = read(await visitor.get("/manage/program")).fields
    form |= {"_program.timezone": "Europe/Luxembourg", "_program.currency": "EUR", "stamps.reward_value_minor": "5.00"}
    form |= {"stamps.milestones.0.at": "4", "stamps.milestones.0.bonus": "2", "_back.days": "30"}
    begin = "/manage/program/back-tests"
    assert (
        "From 1 to 1098 days are possible." in read(await visitor.submit(begin, {**form, "_back.days": "0"}), 422).text
    )
    address = led_to(await visitor.submit(begin, form))
    assert "0 of 0 sales" in read(await visitor.get(address)).text
    assert "is running" in read(await visitor.submit(begin, form), 422).text
    await desk.work()
    page = read(await visitor.get(address))
    for words in ("4 stamps", "6 stamps", "€1.20", "€3.00", "+€1.80", "Mia Ledoux", "It is an estimate", "Stamp cards"):
        assert words in page.text, words
    assert "hx-trigger" not in page.html.partition('id="back-test"')[2]
    csv = (await visitor.get(f"{address}/export")).text.splitlines()
    assert [line.split(",", 1)[1] for line in csv[1:]] == ["1,stamps,4,6,120,300,EUR"]
    assert "Done" in read(await visitor.get("/manage/program/test")).text
    second = led_to(await visitor.submit(begin, {"_back.days": "30"}))
    assert led_to(await visitor.submit(f"{second}/cancel", {})) == second
    assert "This test was cancelled." in read(await visitor.get(second)).text
    actions = await actions_of(sql, cafe)
    assert actions[-3:] == ["rules.back_tested", "rules.back_tested", "rules.back_test_cancelled"]
