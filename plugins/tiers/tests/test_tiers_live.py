"""Tiers on a real database: sales, undoing, nights, years, pages, two merchants."""

from datetime import UTC, date, datetime

import pytest

from regulars.domain.programs.cache import ProgramCache
from regulars.domain.programs.plugin_rules import PluginRules
from regulars.kernel.settings import SettingsStore
from regulars.testing.till import content
from regulars_tiers.review import Wrong, review_batch, wrong_tiers

STANDING = "SELECT tier, keep_until, told_at FROM plg_tiers.member_tier WHERE card_id = $1"
HISTORY = "SELECT before, tier, reason FROM plg_tiers.tier_change WHERE card_id = $1 ORDER BY at"
LADDER = [
    {"title": "Bronze"},
    {"title": "Silver", "threshold": 4, "multiplier": 200},
    {"title": "Gold", "threshold": 12, "multiplier": 300, "free_delivery": True},
]
PATH = "/manage/p/tiers/"


@pytest.fixture
async def till(make_till, cafe, clock):
    await clock.set(datetime(2026, 3, 10, 9, tzinfo=UTC))
    await cafe.set_settings("antifraud", cooldown_minutes=0, max_daily_stamps=100)
    await cafe.set_settings("stamps", milestones=[], welcome_stamps=0)
    await cafe.set_settings("tiers", unit="stamps", period="days", days=30, grace_days=10, notice_days=5, ladder=LADDER)
    return make_till(cafe)


@pytest.fixture
def program_of(config, registry, database):
    """A program with its settings, and a transaction."""
    rules = PluginRules(ProgramCache(), SettingsStore(registry, config.setting_default, config.encryption_key))

    async def run(world, work):
        async with database.tenant(world.tenant.id) as session:
            (one,) = await rules.of(session, world.tenant, "tiers")
            return await work(session, one.program, one.settings)

    return run


@pytest.fixture
def night(program_of):
    return lambda world: program_of(world, lambda *found: review_batch(*found, None))


@pytest.fixture
def wrong(program_of):
    return lambda world: program_of(world, wrong_tiers)


async def test_a_sale_reaches_a_tier_and_the_next_one_is_multiplied(till, cafe, sql, run_jobs, mails, wrong, healthy):
    assert content(await till.sale(4))["stamp_count"] == 4
    assert [tuple(row) for row in await sql.fetch(HISTORY, cafe.card.id)] == [("", "silver", "reached")]
    assert content(await till.sale(4))["stamp_count"] == 12
    assert (await sql.fetchval(STANDING, cafe.card.id)) == "gold"
    await run_jobs()
    assert sorted(letter.subject for letter in await mails()) == ["You have reached Gold!"]
    assert await wrong(cafe) == []
    await healthy()


async def test_undoing_takes_the_tier_back(till, cafe, sql, run_jobs, mails, events, wrong, healthy):
    await till.sale(3)
    await till.sale(1)
    assert await sql.fetchval(STANDING, cafe.card.id) == "silver"
    assert (await till.undo()).status == 200
    assert [fault.right for fault in await wrong(cafe)] == ["bronze"]
    await run_jobs()
    assert await sql.fetchval(STANDING, cafe.card.id) == "bronze"
    assert [tuple(row)[1:] for row in await sql.fetch(HISTORY, cafe.card.id)] == [
        ("bronze", "reached"), ("silver", "reached"), ("bronze", "taken_back"),
    ]  # fmt: skip
    assert await mails() == []
    assert [one.name for one in await events() if one.name.startswith("tiers.")] == [
        "tiers.tier_reached", "tiers.tier_reached", "tiers.tier_lost",
    ]  # fmt: skip
    assert await wrong(cafe) == []
    await healthy()


async def test_what_a_refunded_sale_had_brought_goes_in_grace_too_and_the_rest_stays(
    till, cafe, pizza, sql, clock, night, run_jobs, wrong, make_till, healthy
):
    await pizza.set_settings("tiers", unit="stamps", ladder=LADDER)
    await make_till(pizza).sale(5)
    await till.sale(5)
    bought = await sql.fetchval("SELECT id FROM core.sale WHERE card_id = $1", cafe.card.id)
    await clock.advance(days=31)
    await night(cafe)
    await till.sale(1)
    other = await sql.fetchval("SELECT id FROM core.sale WHERE card_id = $1 ORDER BY id DESC LIMIT 1", cafe.card.id)
    assert (await till.refund(other)).status == 200
    await run_jobs()
    assert (await sql.fetchrow(STANDING, cafe.card.id))["tier"] == "silver", "kept in grace"
    assert (await till.refund(bought, quantity=1)).status == 200
    await run_jobs()
    assert (await sql.fetchrow(STANDING, cafe.card.id))["tier"] == "silver", "four would have been enough"
    assert (await till.refund(bought, quantity=1)).status == 200
    await run_jobs()
    assert tuple(await sql.fetchrow(STANDING, cafe.card.id)) == ("bronze", None, None)
    assert await sql.fetchval(STANDING, pizza.card.id) == "silver"
    assert await wrong(cafe) == []
    await healthy()


async def test_a_tier_ends_with_grace_and_notice_and_nobody_elses(
    till, cafe, pizza, sql, clock, night, run_jobs, mails, make_till
):
    await pizza.set_settings("tiers", unit="stamps", ladder=LADDER)
    await make_till(pizza).sale(5)
    await till.sale(5)
    await clock.advance(days=30)
    await night(cafe)
    assert tuple(await sql.fetchrow(STANDING, cafe.card.id)) == ("silver", None, None)
    await clock.advance(days=1)
    await night(cafe)
    assert (await sql.fetchrow(STANDING, cafe.card.id))["keep_until"].date() == date(2026, 4, 20)
    await clock.advance(days=5)
    await night(cafe)
    await night(cafe)
    await run_jobs()
    assert [letter.subject for letter in await mails() if letter.tenant_id == cafe.tenant.id][1:] == [
        "Your Silver until Apr 20, 2026"
    ]
    await clock.advance(days=5)
    for _twice in range(2):
        await night(cafe)
    assert tuple(await sql.fetchrow(STANDING, cafe.card.id)) == ("bronze", None, None)
    assert [tuple(row) for row in await sql.fetch(HISTORY, cafe.card.id)][-1] == ("silver", "bronze", "ended")
    assert await sql.fetchval(STANDING, pizza.card.id) == "silver"


async def test_coming_within_the_grace_keeps_the_tier(till, cafe, sql, clock, night):
    await till.sale(5)
    await clock.advance(days=31)
    await night(cafe)
    await till.sale(2)
    assert tuple(await sql.fetchrow(STANDING, cafe.card.id)) == ("silver", None, None)


async def test_a_calendar_year_holds_to_the_end_of_the_next_in_the_programs_zone(till, cafe, sql, clock, night, wrong):
    await cafe.set_settings("tiers", unit="stamps", period="year", grace_days=0, notice_days=0, ladder=LADDER)
    await clock.set(datetime(2026, 12, 31, 22, 59, tzinfo=UTC))
    await till.sale(5)
    await clock.set(datetime(2027, 12, 31, 22, 59, tzinfo=UTC))
    await night(cafe)
    assert tuple(await sql.fetchrow(STANDING, cafe.card.id)) == ("silver", None, None)
    await clock.set(datetime(2027, 12, 31, 23, 1, tzinfo=UTC))
    await night(cafe)
    await night(cafe)
    assert await sql.fetchval(STANDING, cafe.card.id) == "bronze"
    assert await wrong(cafe) == []


@pytest.mark.parametrize("basis", ["visits", "balance"])
async def test_visits_and_balance(till, cafe, sql, night, basis):
    await cafe.set_settings("stamps", milestones=[], target=4)
    await cafe.set_settings(
        "tiers", unit="stamps", basis=basis, ladder=[{"title": "B"}, {"title": "S", "threshold": 2}]
    )
    await till.sale(1)
    assert await sql.fetchval(STANDING, cafe.card.id) == "b"
    await till.sale(4)
    assert await sql.fetchval(STANDING, cafe.card.id) == "s"
    assert (await till.redeem()).status == 200
    assert tuple(await sql.fetchrow(STANDING, cafe.card.id)) == ("s", None, None)
    await night(cafe)
    assert ((await sql.fetchrow(STANDING, cafe.card.id))["keep_until"] is None) == (basis == "visits")


async def test_the_check_names_a_tier_that_the_ledger_does_not_give(till, cafe, sql, wrong):
    await till.sale(5)
    await sql.execute("UPDATE plg_tiers.member_tier SET tier = 'gold' WHERE card_id = $1", cafe.card.id)
    assert await wrong(cafe) == [Wrong(cafe.card.id, "gold", "silver")]


async def test_the_nightly_review_runs_at_four_of_the_program(till, cafe, sql, clock, database, registry, run_jobs):
    from regulars.domain.jobs import make_job_registry
    from regulars.kernel.jobs.clockwork import Clockwork
    from regulars.testing.jobs import hurry

    await till.sale(5)
    await sql.execute("UPDATE plg_tiers.member_tier SET tier = '' WHERE card_id = $1", cafe.card.id)
    await sql.execute("UPDATE core.program SET timezone = $1", _zone_where_it_is_four())
    await Clockwork(database, make_job_registry(registry)).run()
    await hurry(database)
    outcomes = await run_jobs()
    assert ("tiers.review", "done") in outcomes
    assert await sql.fetchval(STANDING, cafe.card.id) == "silver"


def _zone_where_it_is_four():
    hours = (4 - datetime.now(UTC).hour + 12) % 24 - 12
    return f"Etc/GMT{-hours:+}" if hours else "Etc/GMT"


async def test_the_merchant_sees_the_ladder_and_moves_somebody(till, cafe, pizza, visit, sql):
    await till.sale(5)
    owner = await visit(cafe, "manager")
    page = await owner.get(PATH)
    assert page.status_code == 200
    assert "From 4 stamps" in page.text
    assert "×2 on every purchase" in page.text
    assert cafe.card.email in page.text
    assert cafe.card.email not in (await owner.get(f"{PATH}?tier=gold")).text
    assert cafe.card.email in (await owner.get(f"{PATH}?q=ledoux&tier=silver")).text
    answer = await owner.submit(f"{PATH}cards/card_{cafe.card.id.hex}/move", {"tier": "gold"})
    assert answer.status_code in (200, 303)
    assert await sql.fetchval(STANDING, cafe.card.id) == "gold"
    assert "By hand" in (await owner.get(f"{PATH}history")).text
    action = "SELECT details->>'tier' FROM core.audit_log WHERE action = 'member.tier_given'"
    assert await sql.fetchval(action) == "gold"
    await owner.submit(f"{PATH}cards/card_{cafe.card.id.hex}/move", {"tier": ""})
    assert await sql.fetchval(STANDING, cafe.card.id) == "silver"
    assert (await owner.get(f"{PATH}cards/card_{pizza.card.id.hex}")).status_code == 404
    assert (await owner.submit(f"{PATH}cards/card_{pizza.card.id.hex}/move", {"tier": "gold"})).status_code == 404


async def test_members_leave_as_a_file_and_the_api_tells_the_ladder(till, cafe, visit, make_world, web):
    await till.sale(5)
    key = web.at(cafe.host, authorization=f"Bearer {cafe.api_key}")
    told = (await key.get("/api/v1/store/loyalty/tiers/ladders")).json()["programs"][0]
    assert [(tier["key"], tier["min_points_required"], tier["members"]) for tier in told["tiers"]] == [
        ("bronze", 0, 0), ("silver", 4, 1), ("gold", 12, 0),
    ]  # fmt: skip
    manager = await visit(cafe, "manager")
    assert (await manager.get(f"{PATH}export")).status_code == 403


async def test_the_ladder_tells_how_many_of_a_tier_still_come(till, cafe, visit, clock):
    await till.sale(5)
    manager = await visit(cafe, "manager")
    assert "100% came within 90 days" in (await manager.get(PATH)).text
    await clock.advance(days=91)
    assert "0% came within 90 days" in (await (await visit(cafe, "manager")).get(PATH)).text


async def test_the_member_sees_the_tier_and_the_way(till, cafe, visit):
    await till.sale(5)
    member = await visit(cafe, "member")
    page = (await member.get("/card")).text
    assert 'data-tier="silver"' in page
    assert "7 stamps more to Gold" in page


async def test_the_owner_takes_the_list_away(make_world, make_till, visit):
    world = await make_world("bistro", staff=(("Olga", "owner", "4821"), ("Anna", "staff", "4711")))
    await world.set_settings("tiers", unit="stamps", ladder=[{"title": "=Bronze"}])
    assert (await make_till(world).sale(1, staff=world.staff[1])).status == 200
    answer = await (await visit(world, "owner")).get(f"{PATH}export")
    lines = answer.text.lstrip("\ufeff").splitlines()
    assert lines[0] == "Name,E-mail,Card number,Tier,Since,Kept until"
    assert lines[1].startswith(f"Mia Ledoux,{world.card.email},{world.card.number},'=Bronze,20")
    assert len(lines) == 2


async def test_two_cards_of_one_person_have_the_tier_of_both(till, cafe, sql, program_of, run_jobs, healthy):
    mia, twin = cafe.card, await cafe.add_card("twin@cafe.example")
    for card in (mia, twin):
        await till.sale(3, card=card)
    merged = await till.merge(twin, mia)
    assert [row["tier"] for row in await sql.fetch(STANDING, mia.id)] == ["silver"]
    assert await program_of(cafe, wrong_tiers) == []
    assert await program_of(cafe, lambda *one: review_batch(*one, None)) is None
    await till.sale(1, card=twin)
    assert await sql.fetchval("SELECT balance FROM core.account WHERE card_id = $1", mia.id) == 8, "doubled"
    await till.unmerge(merged)
    await run_jobs()
    assert [row["tier"] for row in await sql.fetch(STANDING, mia.id)] == ["silver"], "it has four by itself"
    assert [row["tier"] for row in await sql.fetch(STANDING, twin.id)] == ["bronze"]
    assert await program_of(cafe, wrong_tiers) == []
    await healthy()


async def test_what_was_refunded_while_merged_brings_no_tier_afterwards(till, cafe, sql, program_of, run_jobs):
    twin = await cafe.add_card("twin@cafe.example")
    await till.sale(5, card=twin)
    merged = await till.merge(twin, cafe.card)
    await till.refund(await sql.fetchval("SELECT id FROM core.sale"))
    await till.unmerge(merged)
    assert [row["tier"] for row in await sql.fetch(STANDING, twin.id)] == ["silver"], "as before the merge"
    await run_jobs()
    assert [row["tier"] for row in await sql.fetch(STANDING, twin.id)] == ["bronze"]
    assert await program_of(cafe, wrong_tiers) == []
