"""Referrals on a real database: by a link, through the first purchase, to both cards."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest

from regulars.domain.awards.service import Awards
from regulars.sdk import NotFound, Purchase, Referral
from regulars.testing.jobs import hurry
from regulars_referrals.rules import code_of

INVITATIONS = "SELECT status, reason, limited FROM plg_referrals.invitation ORDER BY created_at, id"
BALANCE = "SELECT balance FROM core.account WHERE card_id = $1 AND unit = 'stamps'"
BROUGHT = "SELECT friend_card_id FROM plg_referrals.invitation WHERE card_id = $1 ORDER BY created_at, id"
GIVEN = "SELECT card_id, amount, counts_for_limits FROM core.ledger_entry WHERE rule = 'referral' ORDER BY amount"


@pytest.fixture
async def till(make_till, cafe, clock):
    await clock.set(datetime(2026, 3, 10, 9, tzinfo=UTC))
    await cafe.set_settings("antifraud", cooldown_minutes=0, max_daily_stamps=100)
    await cafe.set_settings("stamps", milestones=[], welcome_stamps=0)
    await cafe.set_settings("referrals", unit="stamps", referrer_reward=5, friend_reward=2, most=1, same_place_hours=0)
    return make_till(cafe)


@pytest.fixture
def settle(database, run_jobs):
    """All that follows, the waiting time included."""

    async def run():
        await run_jobs()
        await hurry(database)
        return await run_jobs()

    return run


async def bring(till, email, code):
    enrolled = await till.enrol(email, referral=code)
    return await till.world.card_of(enrolled.card_id)


async def test_both_are_rewarded_after_the_friends_first_purchase_once(till, cafe, sql, run_jobs, settle, healthy):
    friend = await bring(till, "lea@example.com", code_of(cafe.card.id))
    await run_jobs()
    assert [tuple(row) for row in await sql.fetch(INVITATIONS)] == [("waiting", "", False)]
    assert (await till.sale(1, card=friend)).status == 200
    await run_jobs()
    assert [row["status"] for row in await sql.fetch(INVITATIONS)] == ["bought"]
    assert await sql.fetch(GIVEN) == []
    await settle()
    assert [tuple(row) for row in await sql.fetch(GIVEN)] == [(friend.id, 2, False), (cafe.card.id, 5, False)]
    await till.sale(1, card=friend)
    await settle()
    assert len(await sql.fetch(GIVEN)) == 2
    assert [row["status"] for row in await sql.fetch(INVITATIONS)] == ["rewarded"]
    await healthy()


async def test_a_purchase_that_is_taken_back_gives_nothing_and_the_next_one_counts(till, cafe, sql, run_jobs, settle):
    friend = await bring(till, "lea@example.com", code_of(cafe.card.id))
    await till.sale(1, card=friend)
    await run_jobs()
    assert (await till.undo(card=friend)).status == 200
    await settle()
    assert await sql.fetch(GIVEN) == []
    assert [row["status"] for row in await sql.fetch(INVITATIONS)] == ["waiting"]
    await till.sale(1, card=friend)
    await settle()
    assert len(await sql.fetch(GIVEN)) == 2


async def test_a_purchase_that_is_refunded_later_takes_both_rewards_back(
    till, cafe, sql, database, ledger, run_jobs, settle, events, healthy
):
    """What is left of it decides; the next purchase counts anew, and the limit of the member is free again."""
    await cafe.set_settings(
        "referrals",
        unit="stamps",
        referrer_reward=5,
        friend_reward=2,
        most=1,
        same_place_hours=0,
        min_amount_minor=1000,
    )
    friend = await bring(till, "lea@example.com", code_of(cafe.card.id))
    await till.sale(card=friend, purchase=Purchase(1, 1500, "EUR"))
    await settle()
    sale = await sql.fetchval("SELECT id FROM core.sale WHERE card_id = $1", friend.id)
    assert (await till.refund(sale, amount_minor=500)).status == 200
    await run_jobs()
    assert [row["status"] for row in await sql.fetch(INVITATIONS)] == ["rewarded"]
    assert (await sql.fetchval(BALANCE, cafe.card.id), await sql.fetchval(BALANCE, friend.id)) == (5, 3)
    assert (await till.refund(sale, amount_minor=1)).status == 200
    await run_jobs()
    assert [tuple(row) for row in await sql.fetch(INVITATIONS)] == [("waiting", "", False)]
    assert await sql.fetchval(BALANCE, cafe.card.id) == 0
    assert sum(one.name == "award.taken_back" for one in await events()) == 2
    taken = "SELECT count(*) FROM core.audit_log WHERE action = 'award.take_back'"
    assert await sql.fetchval(taken) == 2
    await till.sale(card=friend, purchase=Purchase(1, 1000, "EUR"))
    await settle()
    assert [row["status"] for row in await sql.fetch(INVITATIONS)] == ["rewarded"]
    assert await sql.fetchval(BALANCE, cafe.card.id) == 5
    assert len(await sql.fetch(GIVEN)) == 6, "two given, two taken back, two given"
    await healthy()


async def test_the_member_has_a_limit_and_the_friend_is_welcome_all_the_same(till, cafe, sql, settle):
    for name in ("lea", "noe"):
        friend = await bring(till, f"{name}@example.com", code_of(cafe.card.id))
        await till.sale(1, card=friend)
    await settle()
    assert sorted(row["amount"] for row in await sql.fetch(GIVEN)) == [2, 2, 5]
    assert sorted(row["limited"] for row in await sql.fetch(INVITATIONS)) == [False, True]


async def test_oneself_and_strange_codes(till, cafe, pizza, sql, run_jobs, settle):
    name, _at, domain = cafe.card.email.partition("@")
    again = await bring(till, f"{name}+2@{domain}", code_of(cafe.card.id))
    await bring(till, "one@example.com", code_of(pizza.card.id))
    await bring(till, "two@example.com", "nonsense")
    await till.sale(1, card=again)
    await settle()
    assert [tuple(row) for row in await sql.fetch(INVITATIONS)] == [("refused", "oneself", False)]
    assert await sql.fetch(GIVEN) == []


async def test_two_rewards_of_one_member_at_once_keep_the_limit(till, cafe, sql, database, run_jobs, settle):
    for name in ("lea", "noe", "mia"):
        friend = await bring(till, f"{name}@example.com", code_of(cafe.card.id))
        await till.sale(1, card=friend)
    await run_jobs()
    await hurry(database)
    await asyncio.gather(run_jobs(), run_jobs())
    await settle()
    assert sorted(row["amount"] for row in await sql.fetch(GIVEN)) == [2, 2, 2, 5]


async def test_by_the_link_on_the_members_page(till, cafe, visit, web, sql, run_jobs):
    member = await visit(cafe, "member")
    page = (await member.get("/p/referrals/")).text
    code = code_of(cafe.card.id)
    assert f"/join?ref={code}" in page
    assert "For you: 5 stamps" in page
    visitor = web.at(cafe.host)
    form = (await visitor.get(f"/join?ref={code}")).text
    assert f'name="ref" value="{code}"' in form
    sent = {"email": "lea@example.com", "terms": "1", "ref": code, "key": "k"}
    assert (await visitor.submit("/join", sent)).status_code in (200, 303)
    await run_jobs()
    assert [row["status"] for row in await sql.fetch(INVITATIONS)] == ["waiting"]
    sent = {"email": "max@example.com", "terms": True, "ref": code}
    assert (await web.at(cafe.host).post("/api/v1/storefront/loyalty/enroll", json=sent)).status_code == 201
    await run_jobs()
    assert [row["reason"] for row in await sql.fetch(INVITATIONS)] == ["", ""]
    manager = await visit(cafe, "manager")
    listed = (await manager.get("/manage/p/referrals/")).text
    assert "lea@example.com" in listed
    assert cafe.card.email in listed
    assert "lea@example.com" not in (await manager.get("/manage/p/referrals/?status=refused")).text


async def test_an_award_is_given_once_however_often_it_is_asked_for(till, cafe, pizza, database, ledger, sql, healthy):
    awards, occasion = Awards(ledger), Referral("referrer", UUID(int=7))
    for _twice in range(2):
        async with database.tenant(cafe.tenant.id) as session:
            assert await awards.award(session, cafe.context("job"), cafe.card.id, occasion, "referral:7") is None
    assert [tuple(row) for row in await sql.fetch(GIVEN)] == [(cafe.card.id, 5, False)]
    with pytest.raises(NotFound):
        async with database.tenant(cafe.tenant.id) as session:
            await awards.award(session, cafe.context("job"), pizza.card.id, occasion, "referral:8")
    await healthy()


async def test_a_merge_neither_keeps_a_reward_nor_renews_a_limit(till, cafe, sql, settle, healthy):
    friend = await bring(till, "lea@example.com", code_of(cafe.card.id))
    twin = await cafe.add_card("lea2@example.com")
    await till.merge(friend, twin)
    await till.sale(1, card=friend)
    await settle()
    assert [tuple(row) for row in await sql.fetch(GIVEN)] == [(twin.id, 2, False), (cafe.card.id, 5, False)]
    other = await cafe.add_card("mia2@example.com")
    await till.merge(cafe.card, other)
    third = await bring(till, "tom@example.com", code_of(other.id))
    await till.sale(1, card=third)
    await settle()
    assert [tuple(row) for row in await sql.fetch(INVITATIONS)] == [("rewarded", "", False), ("rewarded", "", True)]
    await till.refund(await sql.fetchval("SELECT id FROM core.sale WHERE card_id = $1", twin.id))
    await settle()
    assert [row["status"] for row in await sql.fetch(INVITATIONS)] == ["waiting", "rewarded"]
    assert [await sql.fetchval(BALANCE, card.id) for card in (other, twin)] == [0, 0]
    await healthy()


async def test_who_is_merged_brings_friends_and_is_brought_once_and_never_by_oneself(
    till, cafe, sql, settle, run_jobs, visit, healthy
):
    """Links and first purchases of a card that leads to another are the person's, until the merge is undone."""
    other = await cafe.add_card("mia@home.example")
    theirs = await bring(till, "lea@example.com", code_of(other.id))
    own = await bring(till, "mia@work.example", code_of(cafe.card.id))
    for name in ("mia@old.example", "mia@new.example"):
        await bring(till, name, code_of(theirs.id))
    await run_jobs()
    old, new = [await cafe.card_of(row["friend_card_id"]) for row in await sql.fetch(BROUGHT, theirs.id)]
    merges = [await till.merge(one, cafe.card) for one in (other, own, new)]
    await till.merge(old, cafe.card)
    await till.sale(1)
    await till.sale(1, card=theirs)
    await settle()
    statuses = dict(await sql.fetch("SELECT friend_card_id, status FROM plg_referrals.invitation"))
    assert statuses == {theirs.id: "rewarded", own.id: "waiting", old.id: "rewarded", new.id: "waiting"}
    given = [(row["card_id"], row["amount"]) for row in await sql.fetch(GIVEN)]
    assert sorted(given) == sorted([(theirs.id, 2), (cafe.card.id, 5), (cafe.card.id, 2), (theirs.id, 5)])
    listed = (await (await visit(cafe, "manager")).get("/manage/p/referrals/")).text
    assert listed.count("The same person") == 1
    for merged in reversed(merges):
        assert (await till.unmerge(merged)).status == 201
    for card in (own, new):
        await till.sale(1, card=card)
    await settle()
    assert [row["status"] for row in await sql.fetch(INVITATIONS)] == ["rewarded"] * 4
    await healthy()
