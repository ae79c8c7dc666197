"""Households on a real database: what is on several cards is spent together, and nothing is spent twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from asyncpg import Connection
from coin_bank import Bank
from test_merges import merge
from test_transfers import move

from regulars.contracts.context import Context, Principal
from regulars.contracts.errors import Conflict, FeatureNotInOffering, InvalidInput, NotFound, RegularsError
from regulars.contracts.paging import PageRequest
from regulars.domain.cards.view import CardViews, version_of
from regulars.domain.households import lists, service
from regulars.domain.households.views import HouseholdView, Invitation
from regulars.domain.redemptions.service import MoveCommand, Redemptions
from regulars.testing.clock import Clock
from regulars.testing.till import content
from regulars.testing.world import TestCard, World

OpenBank = Callable[..., Awaitable[Bank]]
Healthy = Callable[[], Awaitable[None]]
SHARED = "SELECT amount::int FROM core.ledger_entry WHERE card_id = $1 AND occasion = 'household' ORDER BY seq"
ACTIONS = "SELECT action FROM core.audit_log WHERE tenant_id = $1 AND action LIKE 'household.%' ORDER BY created_at, id"
EVENTS = "SELECT name FROM core.outbox_event WHERE tenant_id = $1 AND name LIKE 'household.%' ORDER BY seq"


def as_member(world: World, card: TestCard) -> Context:
    """Somebody who is signed in with their own card."""
    return replace(world.context("portal"), principal=Principal("member", card.member_id, "", "member"))


async def share(bank: Bank, *cards: TestCard) -> Any:
    """Put cards into one household and say its id."""
    head, household_id = bank.world.card, None
    for card in cards:
        async with bank.database.tenant(bank.world.tenant.id) as session:
            household_id = await service.add(session, bank.world.context(), head.id, card.id)
    return household_id


async def look(bank: Bank, card: TestCard) -> HouseholdView:
    async with bank.database.tenant(bank.world.tenant.id) as session:
        found = await lists.of_card(session, bank.world.context(), card.id)
    assert found is not None
    return found


async def leave(bank: Bank, household_id: Any, card: TestCard, ctx: Context | None = None) -> None:
    async with bank.database.tenant(bank.world.tenant.id) as session:
        await service.leave(session, ctx or bank.world.context(), household_id, card.id)


@pytest.fixture
def open_home(open_bank: OpenBank) -> OpenBank:
    """A tenant with households and three cards."""

    async def open_it(slug: str, **settings: Any) -> Bank:
        bank = await open_bank(slug, **settings)
        await bank.world.allow_households(3)
        for name in ("ben", "cleo"):
            await bank.world.add_card(f"{name}@{slug}.example", name=name.title())
        return bank

    return open_it


async def test_what_is_missing_comes_from_who_has_what_ends_first(
    open_home: OpenBank, clock: Clock, sql: Connection, healthy: Healthy
) -> None:
    cafe = await open_home("cafe", lives_days=30)
    mia, ben, cleo = cafe.world.cards
    for amount, card in ((300, ben), (500, cleo), (300, ben), (400, mia)):
        await cafe.sale(amount, card=card)
        await clock.advance(days=1)
    assert (await cafe.try_mug()).status == 409  # each for themselves
    await share(cafe, ben, cleo)
    await cafe.mug()  # 100: 40 of her own, 30 and 30 of the two that end first
    assert [await cafe.balance(card) for card in (mia, ben, cleo)] == [0, 30, 20]
    assert [[row[0] for row in await sql.fetch(SHARED, card.id)] for card in (mia, ben, cleo)] == [[60], [-30], [-30]]
    refused = await cafe.try_mug(card=cleo)
    assert (refused.status, content(refused)["code"]) == (409, "reward.not_ready")
    assert "50" in content(refused)["detail"]
    await healthy()


async def test_everybody_at_once_spends_nothing_twice(open_home: OpenBank, healthy: Healthy) -> None:
    cafe = await open_home("cafe")
    await share(cafe, *cafe.world.cards[1:])
    for card in cafe.world.cards:
        await cafe.sale(1000, card=card)
    work: list[Any] = [cafe.sale(500, card=card) for card in cafe.world.cards * 2]
    work += [cafe.try_mug(card=card) for card in cafe.world.cards * 3]
    answers = await asyncio.gather(*work)
    redeemed = sum(answer.status == 200 for answer in answers[6:])
    assert {answer.status for answer in answers[6:]} <= {200, 409}
    assert redeemed >= 3
    assert sum([await cafe.balance(card) for card in cafe.world.cards]) == 600 - 100 * redeemed
    while (await cafe.try_mug(card=cafe.world.cards[redeemed % 3])).status == 200:
        redeemed += 1
    assert redeemed == 6
    await healthy()


async def test_what_is_given_back_stays_with_who_had_redeemed(open_home: OpenBank, healthy: Healthy) -> None:
    cafe = await open_home("cafe")
    mia, ben, cleo = cafe.world.cards
    household_id = await share(cafe, ben, cleo)
    await cafe.sale(1200, card=ben)
    sale_id = await cafe.sale(300, card=cleo)
    redemption_id = await cafe.mug()
    assert [await cafe.balance(card) for card in (mia, ben, cleo)] == [0, 20, 30]
    attempt = cafe._till.attempt(mia, None, None, None, body="undo")
    async with cafe.database.tenant(cafe.world.tenant.id) as session:
        command = MoveCommand(attempt, redemption_id, "undo")
        await Redemptions(cafe.ledger).move(session, cafe.world.context(), command)
    assert [await cafe.balance(card) for card in (mia, ben, cleo)] == [100, 20, 30]
    await leave(cafe, household_id, cleo)
    await cafe.refunded(sale_id)
    assert [await cafe.balance(card) for card in (mia, ben, cleo)] == [100, 20, 0]
    await healthy()


async def test_a_debt_counts_for_all(open_home: OpenBank, healthy: Healthy) -> None:
    cafe = await open_home("cafe", debt=500)
    mia, ben, _cleo = cafe.world.cards
    await share(cafe, ben)
    sale_id = await cafe.sale(1000, card=ben)
    await cafe.mug(card=mia)
    await cafe.refund(sale_id)
    await cafe.sale(1900, card=mia)
    assert (await cafe.balance(mia), await cafe.balance(ben)) == (190, -100)
    assert content(await cafe.try_mug(card=mia))["code"] == "reward.not_ready"
    await cafe.sale(100, card=mia)
    await cafe.mug(card=ben)  # 200 come over: 100 pay the debt
    assert (await cafe.balance(mia), await cafe.balance(ben)) == (0, 0)
    await healthy()


async def test_a_blocked_card_shares_nothing_and_a_switch_ends_it(open_home: OpenBank, healthy: Healthy) -> None:
    cafe = await open_home("cafe")
    mia, ben, _cleo = cafe.world.cards
    await share(cafe, ben)
    await cafe.sale(1000, card=ben)

    async def shown() -> tuple[int, str]:
        async with cafe.database.tenant(cafe.world.tenant.id) as session:
            view = await CardViews(cafe.ledger).view(session, cafe.world.context(), mia.id)
            assert view.version == await version_of(session, cafe.world.context(), mia.member_id, mia.id)
        return view.shared["coins"].balance if view.shared else 0, view.household

    assert await shown() == (100, "Mia Ledoux")
    await cafe.sql.execute("UPDATE core.card SET status = 'blocked' WHERE id = $1", ben.id)
    assert (await shown())[0] == 0
    await cafe.sql.execute("UPDATE core.card SET status = 'active' WHERE id = $1", ben.id)
    await cafe.world.allow_households(0)
    assert await shown() == (0, "")
    assert (await cafe.try_mug()).status == 409
    await cafe.world.allow_households()
    await cafe.mug()
    await healthy()


async def test_asking_joining_and_leaving(open_home: OpenBank, clock: Clock, sql: Connection, healthy: Healthy) -> None:
    cafe, pizza = await open_home("cafe"), await open_home("pizza")
    mia, ben, cleo = cafe.world.cards
    tenant = cafe.world.tenant.id

    async def invite(card: TestCard) -> Invitation:
        async with cafe.database.tenant(tenant) as session:
            return await service.invite(session, as_member(cafe.world, card), card.id)

    async def accept(card: TestCard, code: str) -> Any:
        async with cafe.database.tenant(tenant) as session:
            return await service.accept(session, as_member(cafe.world, card), card.id, code)

    async def withdraw(code: str) -> None:
        async with cafe.database.tenant(tenant) as session:
            await service.withdraw(session, as_member(cafe.world, mia), mia.id, code)

    first, second = await invite(mia), await invite(mia)
    with pytest.raises(Conflict, match="no room"):
        await invite(mia)
    await withdraw(second.code)
    household_id = await accept(ben, f" {first.code[:4].lower()}-{first.code[4:]} ")
    for card, code in ((cleo, first.code), (cleo, second.code), (cleo, "")):
        with pytest.raises(NotFound, match="Ask for a new one"):
            await accept(card, code)
    with pytest.raises(Conflict, match="Only Mia Ledoux"):
        await invite(ben)
    third = await invite(mia)
    with pytest.raises(Conflict, match="already"):
        await accept(ben, third.code)
    await clock.advance(days=service.INVITATION_DAYS, minutes=1)
    with pytest.raises(NotFound):
        await accept(cleo, third.code)
    await accept(cleo, (await invite(mia)).code)
    with pytest.raises(RegularsError, match="take somebody out"):
        await leave(cafe, household_id, cleo, as_member(cafe.world, ben))
    async with pizza.database.tenant(pizza.world.tenant.id) as session:
        with pytest.raises(NotFound):
            await lists.get(session, pizza.world.context(), household_id)
        assert (await lists.list_households(session, pizza.world.context(), PageRequest(1, 5))).items == []
        with pytest.raises(NotFound):
            await service.add(session, pizza.world.context(), pizza.world.card.id, ben.id)
    await leave(cafe, household_id, mia, as_member(cafe.world, mia))
    rest = await look(cafe, cleo)
    assert ([one.card_id for one in rest.sharers], rest.head_id) == ([ben.id, cleo.id], ben.id)
    for card in (cleo, ben):
        await leave(cafe, household_id, card, as_member(cafe.world, ben))
    assert (await share(cafe, ben)) != household_id
    joined, left = "household.joined", "household.left"
    assert [row[0] for row in await sql.fetch(EVENTS, tenant)] == [joined] * 3 + [left] * 3 + [joined] * 2
    assert [row[0] for row in await sql.fetch(ACTIONS, tenant)] == [
        *(joined, "household.invited", "household.invited", "household.invitation_withdrawn", joined),
        *("household.invited", "household.invited", joined, left, left, left, joined, joined),
    ]
    await healthy()


async def test_who_cannot_share(open_home: OpenBank, healthy: Healthy) -> None:
    cafe = await open_home("cafe")
    mia, ben, cleo = cafe.world.cards
    fourth = await cafe.world.add_card("dan@cafe.example")
    await cafe.sale(1000)
    await share(cafe, ben, cleo)
    with pytest.raises(Conflict, match="no room"):
        await share(cafe, fourth)
    with pytest.raises(InvalidInput, match="different"):
        await share(cafe, mia)
    with pytest.raises(Conflict, match="has to leave it first"):
        await merge(cafe, ben, fourth)
    assert content(await move(cafe, mia, ben, 10))["code"] == "transfer.one_household"
    async with cafe.database.tenant(cafe.world.tenant.id) as session:
        for size in (1, 21, -1):
            with pytest.raises(InvalidInput, match="from 2 to 20"):
                await service.set_size(session, cafe.world.context(), cafe.world.program_id, size)
        poor = replace(cafe.world.tenant, features=frozenset({"cards"}))
        with pytest.raises(FeatureNotInOffering):
            await service.invite(session, replace(cafe.world.context(), tenant=poor), mia.id)
    await healthy()


async def test_two_codes_for_the_last_place(open_home: OpenBank, healthy: Healthy) -> None:
    cafe = await open_home("cafe")
    await cafe.world.allow_households(2)
    mia, ben, cleo = cafe.world.cards
    async with cafe.database.tenant(cafe.world.tenant.id) as session:
        code = (await service.invite(session, as_member(cafe.world, mia), mia.id)).code

    async def accept(card: TestCard) -> bool:
        try:
            async with cafe.database.tenant(cafe.world.tenant.id) as session:
                await service.accept(session, as_member(cafe.world, card), card.id, code)
        except (Conflict, NotFound):
            return False
        return True

    assert sorted(await asyncio.gather(accept(ben), accept(cleo))) == [False, True]
    assert len((await look(cafe, mia)).sharers) == 2
    await healthy()


async def test_the_list_and_who_earned_what(open_home: OpenBank, clock: Clock) -> None:
    cafe = await open_home("cafe")
    mia, ben, cleo = cafe.world.cards
    await cafe.sale(1000, card=ben)
    await clock.advance(days=40)
    await share(cafe, ben)
    await cafe.sale(500, card=ben)
    await cafe.refunded(await cafe.sale(300))
    seen = await look(cafe, mia)
    assert [dict(one.earned) for one in seen.sharers] == [{"coins": 0}, {"coins": 50}]
    assert dict(seen.balances) == {"coins": 150}
    async with cafe.database.tenant(cafe.world.tenant.id) as session:
        for query, found in (("", 1), ("ben@cafe", 1), (ben.number[:6], 1), (cleo.number, 0)):
            page = await lists.list_households(session, cafe.world.context(), PageRequest(1, 5), query=query)
            assert [(row.shown, row.size, dict(row.balances)) for row in page.items] == [
                ("Mia Ledoux", 2, {"coins": 150})
            ] * found
            assert page.total == found
