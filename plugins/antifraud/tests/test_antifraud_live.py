"""The limits on a real database: what the facts count, and what they do not."""

from datetime import UTC, datetime

import pytest

from regulars.testing.till import content

EVENING = datetime(2026, 3, 10, 22, 30, tzinfo=UTC)  # 23:30 in Luxembourg
MIDNIGHT = "2026-03-11T00:00:00+01:00"


@pytest.fixture
async def till(make_till, cafe, clock):
    await clock.set(datetime(2026, 3, 10, 8, tzinfo=UTC))
    return make_till(cafe)


def problem(answer):
    return answer.status, content(answer).get("type", "").rpartition("/")[2]


REFUSED = (409, "antifraud.cooldown")
FULL = (409, "antifraud.daily_limit")
DONE = (200, "")


async def test_the_cooldown_slides(till, clock):
    assert problem(await till.sale()) == DONE
    await clock.advance(minutes=14)
    assert problem(await till.sale()) == REFUSED
    await clock.advance(minutes=1)
    assert problem(await till.sale()) == DONE
    assert problem(await till.sale()) == REFUSED


async def test_a_refused_sale_does_not_renew_the_cooldown(till, clock):
    await till.sale()
    for _ in range(3):
        await clock.advance(minutes=4)
        assert problem(await till.sale()) == REFUSED
    await clock.advance(minutes=3)
    assert problem(await till.sale()) == DONE


async def test_an_undone_sale_counts_for_neither_limit(till, cafe):
    await cafe.set_settings("antifraud", max_daily_stamps=1)
    assert problem(await till.sale()) == DONE
    assert (await till.undo()).status == 200
    assert problem(await till.sale()) == DONE


async def test_what_is_left_of_a_refunded_sale_counts_for_both_limits(till, cafe, clock, sql):
    await cafe.set_settings("antifraud", max_daily_stamps=5, cooldown_minutes=10)
    await cafe.set_settings("stamps", milestones=[], welcome_stamps=0)
    assert problem(await till.sale(5)) == DONE
    sale = await sql.fetchval("SELECT id FROM core.sale")
    assert (await till.refund(sale, quantity=1)).status == 200
    assert problem(await till.sale()) == REFUSED
    await clock.advance(minutes=10)
    assert problem(await till.sale(2)) == FULL
    assert problem(await till.sale()) == DONE
    await clock.advance(minutes=10)
    assert problem(await till.sale()) == FULL
    assert (await till.refund(sale)).status == 200
    assert problem(await till.sale(4)) == DONE


async def test_welcome_and_milestones_count_for_neither_limit(till, cafe):
    await cafe.set_settings("antifraud", max_daily_stamps=2, cooldown_minutes=0)
    await cafe.set_settings("stamps", welcome_stamps=3, milestones=[{"at": 4, "bonus": 5}])
    enrolled = await till.enrol("ona@example.com")
    card = await cafe.card_of(enrolled.card_id)
    answer = await till.sale(card=card)
    assert (problem(answer), content(answer)["stamp_count"]) == (DONE, 9)
    assert problem(await till.sale(card=card)) == DONE
    assert problem(await till.sale(card=card)) == FULL


async def test_the_day_ends_at_midnight_of_the_programs_zone(till, cafe, clock):
    await cafe.set_settings("antifraud", max_daily_stamps=3, cooldown_minutes=0)
    await clock.set(EVENING)
    assert content(await till.sale(3))["next_stamp_available"] is not None
    answer = await till.sale()
    assert problem(answer) == FULL
    await clock.set(datetime.fromisoformat(MIDNIGHT))
    assert problem(await till.sale(3)) == DONE
    assert problem(await till.sale()) == FULL


async def test_limits_are_of_one_card(till, cafe):
    other = await cafe.add_card("tom@example.com")
    assert problem(await till.sale()) == DONE
    assert problem(await till.sale(card=other)) == DONE
    assert problem(await till.sale()) == REFUSED


async def test_redeeming_is_not_limited(till, cafe, clock):
    await cafe.set_settings("stamps", target=2)
    assert problem(await till.sale(2)) == DONE
    assert (await till.redeem()).status == 200
    assert problem(await till.sale()) == REFUSED
