"""The catalogue on a real database: the last one, codes, limits, and two tenants."""

import asyncio
from datetime import UTC, datetime

import pytest

from regulars.contracts.errors import NotFound, Raced
from regulars.domain.ledger.commands import CardRef
from regulars.domain.redemptions.service import MoveCommand, RedeemCommand, Redemptions
from regulars.domain.redemptions.several import SeveralRewards
from regulars.kernel import ids
from regulars.sdk import InvalidInput
from regulars.testing.till import content
from regulars_rewards.queries import add_codes, figures

MORNING = datetime(2026, 3, 10, 8, tzinfo=UTC)
TAKEN = "SELECT taken FROM plg_rewards.stock"


def mug(**more):
    return {"key": "mug", "title": "Mug", "unit": "stamps", "cost": 1, **more}


@pytest.fixture
async def till(make_till, cafe, clock):
    await clock.set(MORNING)
    await cafe.set_settings("antifraud", cooldown_minutes=0, max_daily_stamps=1000)
    return make_till(cafe)


@pytest.fixture
def redeem(till, database, cafe):
    """Redeem in a unit of work of its own, decided again when others were faster, as requests are."""

    async def run(key="mug", number=None, **more):
        attempt = till.attempt(None, None, None, None, body=f"redeem {key}")
        if number is not None:
            attempt = type(attempt)(
                attempt.claim, CardRef.parse(number), attempt.staff_id, attempt.pin, attempt.shop_id
            )
        command = RedeemCommand(attempt, None, f"rewards.catalogue/{key}", wants_redemption=True, **more)
        for _try in range(3):
            try:
                async with database.tenant(cafe.tenant.id) as session:
                    return await Redemptions(till.ledger).redeem(session, cafe.context("api"), command)
            except Raced:
                continue
        raise AssertionError("raced three times")

    return run


async def cards_with_stamps(till, count):
    cards = []
    for number in range(count):
        enrolled = await till.enrol(f"guest{number}@example.com")
        cards.append(enrolled.number)
    return cards


def code_of(answer):
    return content(answer)["code"].rpartition("/")[2] if answer.status >= 400 else "done"


async def test_of_many_who_want_the_last_one_exactly_one_gets_it(till, cafe, redeem, sql, healthy):
    await cafe.set_settings("rewards", rewards=[mug(stock=1)])
    numbers = await cards_with_stamps(till, 24)
    answers = await asyncio.gather(*(redeem(number=number, is_online=True) for number in numbers))
    assert sorted(code_of(answer) for answer in answers) == ["done"] + ["rewards.sold_out"] * 23
    assert await sql.fetchval(TAKEN) == 1
    assert await sql.fetchval("SELECT count(*) FROM core.redemption") == 1
    await healthy()


async def test_everybody_gets_another_code_and_it_is_handed_out_at_once(till, cafe, redeem, database, sql, healthy):
    await cafe.set_settings("rewards", rewards=[mug(handing="code")])
    codes = [f"CINEMA-{number}" for number in range(6)]
    async with database.tenant(cafe.tenant.id) as session:
        assert await add_codes(session, cafe.program_id, "mug", codes) == 6
        assert await add_codes(session, cafe.program_id, "mug", [*codes, "CINEMA-9"][:6]) == 0
    numbers = await cards_with_stamps(till, 8)
    answers = await asyncio.gather(*(redeem(number=number, is_online=True, hold=True) for number in numbers))
    done = [content(answer) for answer in answers if answer.status == 201]
    assert sorted(one["code"] for one in done) == codes
    assert {one["status"] for one in done} == {"captured"}
    assert [code_of(answer) for answer in answers if answer.status != 201] == ["rewards.sold_out"] * 2
    async with database.tenant(cafe.tenant.id) as session:
        known = (await figures(session, cafe.program_id))["mug"]
    assert (known.taken, known.codes_free, known.codes_taken) == (6, 0, 6)
    await healthy()


async def test_limits_count_what_stands_and_a_release_gives_stock_and_stamps_back(
    till, cafe, redeem, database, sql, healthy
):
    await cafe.set_settings("rewards", rewards=[mug(stock=1, most_per_member=1, handing="code", hold_hours=1)])
    await till.sale(3)
    held = content(await redeem(hold=True))
    assert (held["status"], len(held["code"])) == ("held", 8)
    assert code_of(await redeem()) == "rewards.sold_out"
    attempt = till.attempt(None, None, None, None, body="release")

    command = MoveCommand(attempt, ids.read(ids.REDEMPTION, held["id"]), "release")
    async with database.tenant(cafe.tenant.id) as session:
        answer = await Redemptions(till.ledger).move(session, cafe.context("api"), command)
    assert content(answer)["status"] == "released"
    assert await sql.fetchval(TAKEN) == 0
    assert content(await redeem())["status"] == "captured"
    assert code_of(await redeem()) == "rewards.sold_out"
    await healthy()


async def test_what_is_sent_needs_an_address_and_goes_its_way(till, cafe, redeem, database, sql, healthy):
    await cafe.set_settings("rewards", rewards=[mug(handing="shipping")])
    await till.sale(2)
    with pytest.raises(InvalidInput):
        await redeem()
    ordered = content(await redeem(ship_to="Anna Schmit\n1, rue Haute\nLuxembourg"))
    assert (ordered["status"], ordered["fulfilment"]) == ("held", "ordered")

    seen = []
    for move in ("ship", "deliver"):
        attempt = till.attempt(None, None, None, None, body=move)
        async with database.tenant(cafe.tenant.id) as session:
            command = MoveCommand(attempt, ids.read(ids.REDEMPTION, ordered["id"]), move)
            answer = content(await Redemptions(till.ledger).move(session, cafe.context("api"), command))
        seen.append((answer["status"], answer["fulfilment"]))
    assert seen == [("captured", "shipped"), ("captured", "delivered")]
    assert await sql.fetchval("SELECT ship_to FROM core.redemption") == ""
    await healthy()


async def test_a_catalogue_is_the_tenants_own(till, cafe, pizza, redeem, database):
    await pizza.set_settings("rewards", rewards=[mug(key="slice")])
    await till.sale(2)
    with pytest.raises(NotFound):
        await redeem("slice")
    async with database.tenant(pizza.tenant.id) as session:
        await add_codes(session, pizza.program_id, "slice", ["P-1"])
    async with database.tenant(cafe.tenant.id) as session:
        assert await figures(session, pizza.program_id) == {}


async def test_several_rewards_are_had_together_or_not_at_all(till, cafe, database, sql, healthy):
    await cafe.set_settings("rewards", rewards=[mug(stock=2), mug(key="tea", title="Tea", most_per_member=1)])
    await till.sale(4)

    async def several(*keys, key=None, pin=None):
        attempt = till.attempt(None, None, pin, key, body=str(keys))
        commands = [RedeemCommand(attempt, None, f"rewards.catalogue/{one}", wants_redemption=True) for one in keys]
        async with database.tenant(cafe.tenant.id) as session:
            return await SeveralRewards(till.ledger).redeem(session, cafe.context("api"), commands)

    async def kept():
        return [await sql.fetchval(f"SELECT count(*) FROM core.{name}") for name in ("redemption", "redemption_step")]

    for keys, refused in (
        (("mug", "tea", "tea"), "rewards.had_already"),
        (("mug", "mug", "mug"), "rewards.sold_out"),
        (("tea", "mug", "mug", "mug", "mug"), "rewards.sold_out"),
    ):
        assert code_of(await several(*keys)) == refused
    assert code_of(await several("mug", "mug", pin="0000")) == "pin.wrong"
    with pytest.raises(NotFound):
        await several("mug", "hat")
    assert (await kept(), await sql.fetchval(TAKEN)) == ([0, 0], None)
    assert await sql.fetchval("SELECT count(*) FROM core.outbox_event WHERE name = 'reward.redeemed'") == 0
    first, again = await several("mug", "tea", "mug", key="k"), await several("mug", "tea", "mug", key="k")
    assert (first.status, first.body, again.replayed) == (201, again.body, True)
    assert [one["title"] for one in content(first)["redemptions"]] == ["Mug", "Tea", "Mug"]
    assert content(first)["balances"] == {"stamps": 1}
    assert (await kept(), await sql.fetchval(f"{TAKEN} WHERE reward_key = 'mug'")) == ([3, 3], 2)
    assert code_of(await several("mug", key="m")) == "rewards.sold_out"
    await healthy()
