"""Figures on a real database, made by real sales."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect

from regulars.contracts.errors import Forbidden
from regulars.domain.programs import service as programs
from regulars.domain.stats import repository
from regulars.domain.stats import service as stats
from regulars.domain.stats.service import ActivityDay, FeedItem, ProgramStats, Tiles
from regulars.testing.counting import counted
from regulars.testing.principals import acting

ZONE = "Europe/Luxembourg"
MARCH_10 = datetime(2027, 3, 10, 11, tzinfo=UTC)
HISTORY = (
    """INSERT INTO core.ledger_entry (tenant_id, id, card_id, unit, seq, kind, amount, balance_after, lifetime_after,
         occasion, plugin, rule, counts_for_limits, source, device, created_at)
       SELECT $1, gen_random_uuid(), $2, 'stamps', n, 'earn', 1, n, n, 'purchase', 'stamps', 'visit', true, 'api', '',
         core.now() - n * interval '1 hour' FROM generate_series(1, 5000) n""",
    """INSERT INTO core.redemption (tenant_id, id, card_id, reward_kind, reward_key, title, unit, cost, currency,
         status, source, device, created_at)
       SELECT $1, gen_random_uuid(), $2, 'stamps.full_card', '', 'Coffee', 'stamps', 10, 'EUR', 'captured', 'api', '',
         core.now() - n * interval '1 hour' FROM generate_series(1, 5000) n""",
    """INSERT INTO core.member (tenant_id, id, email, name, enrolled_at)
       SELECT $1, gen_random_uuid(), n || '@example.com', $2::uuid::text, core.now() - n * interval '1 hour'
       FROM generate_series(1, 5000) n""",
)
TARGET_2 = {"target": 2, "reward_text": "Free coffee", "reward_value_minor": 450}


@pytest.fixture
async def story(cafe, make_till, clock, sql):
    """A month of a small shop: 1 February enrolment of Mia, two full cards, one undone stamp, one new member."""
    await cafe.set_settings("stamps", **TARGET_2)
    await clock.set(datetime(2027, 2, 1, 9, tzinfo=UTC))
    await sql.execute("UPDATE core.member SET enrolled_at = core.now(), last_activity_at = core.now()")
    till = make_till(cafe)
    await clock.set(datetime(2027, 2, 8, 22, 30, tzinfo=UTC))
    assert (await till.sale(2)).status == 200
    await clock.set(datetime(2027, 2, 8, 23, 30, tzinfo=UTC))
    assert (await till.redeem()).status == 200
    await clock.set(datetime(2027, 3, 9, 11, tzinfo=UTC))
    assert (await till.sale(2)).status == 200
    await clock.advance(minutes=20)
    assert (await till.redeem()).status == 200
    await clock.set(MARCH_10)
    assert (await till.sale(1)).status == 200
    assert (await till.undo()).status == 200
    await till.enrol("john.doe@example.com", name="John Doe")
    return cafe


async def figures(database, world, **changes):
    async with database.tenant(world.tenant.id) as session:
        return await stats.dashboard(session, acting(world, "manager", **changes), ZONE)


async def test_the_tiles(database, story, pizza, clock):
    assert (await figures(database, story)).tiles == Tiles(
        members_total=2,
        members_active=2,
        redeemed_this_month=1,
        saved_this_month={"EUR": 450},
        saved_total={"EUR": 900},
    )
    await clock.advance(days=30, minutes=1)
    later = (await figures(database, story)).tiles
    assert (later.members_total, later.members_active, later.redeemed_this_month) == (2, 0, 0)
    assert (later.saved_this_month, later.saved_total) == ({}, {"EUR": 900})
    assert (await figures(database, pizza)).tiles == Tiles(1, 0, 0, {}, {})


async def test_thirty_days_in_the_zone_of_the_program(database, story):
    days = (await figures(database, story)).activity
    assert [one.day for one in days] == [date(2027, 2, 9) + timedelta(days=n) for n in range(30)]
    busy = {one.day: one for one in days if one != ActivityDay(one.day, {}, 0, 0)}
    assert busy == {
        date(2027, 2, 9): ActivityDay(date(2027, 2, 9), {}, redeemed=1, enrolled=0),
        date(2027, 3, 9): ActivityDay(date(2027, 3, 9), {"stamps": 2}, redeemed=1, enrolled=0),
        date(2027, 3, 10): ActivityDay(date(2027, 3, 10), {"stamps": 1}, redeemed=0, enrolled=1),
    }
    async with database.tenant(story.tenant.id) as session:
        in_vilnius = await stats.activity(session, acting(story, "manager"), "Europe/Vilnius", days=31)
    assert in_vilnius[0].day == date(2027, 2, 8)
    assert in_vilnius[0] == ActivityDay(date(2027, 2, 8), {}, 0, 0)
    assert in_vilnius[1] == ActivityDay(date(2027, 2, 9), {"stamps": 2}, redeemed=1, enrolled=0)


async def test_the_feed_names_people_shortly(database, story):
    feed = (await figures(database, story)).feed
    told = [(one.kind, one.who, one.unit, one.amount, one.balance_after, one.title) for one in feed]
    assert told == [
        ("joined", "John D.", None, None, None, None),
        ("undone", "Mia L.", "stamps", -1, 0, None),
        ("earned", "Mia L.", "stamps", 1, 1, None),
        ("redeemed", "Mia L.", "stamps", -2, 0, "Free coffee"),
        ("earned", "Mia L.", "stamps", 2, 2, None),
        ("redeemed", "Mia L.", "stamps", -2, 0, "Free coffee"),
        ("earned", "Mia L.", "stamps", 2, 2, None),
        ("joined", "Mia L.", None, None, None, None),
    ]
    assert feed[2].at == MARCH_10 or feed[2].at - MARCH_10 < timedelta(minutes=1)
    assert feed[0].member_id != feed[1].member_id == story.card.member_id
    async with database.tenant(story.tenant.id) as session:
        last = await stats.feed(session, acting(story, "manager"), limit=3)
    assert last == feed[:3]
    assert isinstance(last[0], FeedItem)


async def test_an_undone_redemption_saves_nothing(database, story, make_till, clock):
    await clock.advance(minutes=20)
    till = make_till(story)
    assert (await till.sale(2)).status == 200
    assert (await till.redeem()).status == 200
    assert (await figures(database, story)).tiles.redeemed_this_month == 2
    assert (await till.undo()).status == 200
    tiles = (await figures(database, story)).tiles
    assert (tiles.redeemed_this_month, tiles.saved_this_month) == (1, {"EUR": 450})


async def test_statistics_of_a_program(database, story, pizza):
    async with database.tenant(story.tenant.id) as session:
        found = (await programs.list_programs(session)).default
        with counted(session) as sent:
            assert await stats.program_stats(session, acting(story, "manager"), found.info) == ProgramStats(
                cards_total=2,
                cards_active=2,
                issued_total={"stamps": 5},
                issued_this_month={"stamps": 3},
                redeemed_total=2,
                redeemed_this_month=1,
                saved_this_month_minor=450,
                saved_total_minor=900,
            )
        assert len(sent) == 1
        foreign = replace(found.info, id=pizza.program_id)
        nothing = await stats.program_stats(session, acting(story, "manager"), foreign)
    assert nothing == ProgramStats(0, 0, {}, {}, 0, 0, 0, 0)


async def test_the_dashboard_costs_the_same_for_a_busy_and_an_empty_shop(database, story, pizza):
    costs = []
    for world in (story, pizza):
        async with database.tenant(world.tenant.id) as session:
            with counted(session) as sent:
                await stats.dashboard(session, acting(world, "manager"), ZONE)
            costs.append(len(sent))
    assert costs == [3, 3]


async def test_staff_see_no_figures(database, cafe):
    async with database.tenant(cafe.tenant.id) as session:
        with pytest.raises(Forbidden):
            await stats.dashboard(session, acting(cafe, "staff"), ZONE)
        with pytest.raises(Forbidden):
            await stats.feed(session, acting(cafe, "staff"))


@pytest.mark.parametrize(
    ("statement", "indexes"),
    [
        (repository.FEED, {"ix_ledger_entry_created", "ix_member_enrolled"}),
        (repository.ACTIVITY, {"ix_ledger_entry_created", "ix_redemption_created", "ix_member_enrolled"}),
    ],
)
async def test_ranges_are_found_by_index(database, cafe, sql, statement, indexes):
    for history in HISTORY:
        await sql.execute(history, cafe.tenant.id, cafe.card.id)
    await sql.execute("ANALYZE core.ledger_entry, core.redemption, core.member")
    asked = statement.params(tenant=cafe.tenant.id, zone=ZONE, days=30, size=10)
    plain = asked.compile(dialect=asyncpg_dialect(), compile_kwargs={"literal_binds": True})
    async with database.tenant(cafe.tenant.id) as session:
        driver = (await session._connection.get_raw_connection()).driver_connection  # no session takes an EXPLAIN
        lines = "\n".join(row[0] for row in await driver.fetch(f"EXPLAIN {plain}"))
    assert {index for index in indexes if index in lines} == indexes
