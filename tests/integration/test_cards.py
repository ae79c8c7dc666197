"""Cards on a real database: finding, blocking."""

from __future__ import annotations

from datetime import timedelta

import pytest

from regulars.contracts.errors import Conflict, Forbidden, NotFound, Unauthenticated
from regulars.domain.cards import numbers
from regulars.domain.cards import service as cards
from regulars.domain.members.normalise import search_text
from regulars.testing.counting import counted
from regulars.testing.principals import acting

AUDIT = "SELECT action, subject_id FROM core.audit_log WHERE subject_kind = 'card' ORDER BY id"


async def member(world, sql, name, email, phone=""):
    """A member as enrolment stores one."""
    card = await world.add_card(email, name=name)
    await sql.execute(
        "UPDATE core.member SET phone = $2, search = $3 WHERE id = $1",
        card.member_id, phone, search_text(name, email, phone),
    )  # fmt: skip
    return card


@pytest.fixture
async def agne(cafe, sql):
    return await member(cafe, sql, "Agnė Šimkutė", "agne@example.lt", "+37061234567")


@pytest.fixture
async def john(cafe, sql):
    return await member(cafe, sql, "John Doe", "john.doe@example.com", "+352621123456")


async def found(database, world, query, **options):
    async with database.tenant(world.tenant.id) as session:
        return [hit.id for hit in await cards.find(session, acting(world, "staff"), query, **options)]


async def test_whatever_is_typed_or_scanned_finds_the_card(database, cafe, agne, john, pizza):
    shown = numbers.format_number(agne.number)
    for query in (
        agne.number,
        shown,
        shown.replace("-", " "),
        shown[:9],
        agne.number[:8],
        agne.token,
        f"https://cafe.example/c/{agne.token}",
        "agne@example.lt",
        "AGNE@Example.LT ",
        "+370 612 34567",
        "00370 612-34567",
        "61234567",
        "Agnė",
        "agne",
        "simk",
        "Šimkutė Agnė",
        "@example.lt",
    ):
        assert await found(database, cafe, query) == [agne.id], query
        assert await found(database, pizza, query) == [], query
    assert await found(database, cafe, "621 123 456") == [john.id]


@pytest.mark.parametrize(
    "query", ["", " ", "a", "%", "__", "no such person", "4821-7493-2848", "https://x.example/c/x", "\x00\ud800"]
)
async def test_what_nobody_has_finds_nothing(database, cafe, agne, query):
    assert await found(database, cafe, query) == []


async def test_an_address_is_exact_and_parts_of_names_give_the_latest_visitors_first(database, cafe, sql, clock):
    first = await member(cafe, sql, "Max Muster", "max@example.com")
    second = await member(cafe, sql, "Maxima", "maxima@example.com")
    third = await member(cafe, sql, "max@example.com Fan", "fan@example.com")
    now = await clock.now()
    for hours, card in ((3, second), (2, first), (1, third)):
        visit = now - timedelta(hours=hours)
        await sql.execute("UPDATE core.member SET last_activity_at = $2 WHERE id = $1", card.member_id, visit)
    assert await found(database, cafe, "max@example.com") == [first.id]
    assert await found(database, cafe, "@example.com max") == [third.id, first.id, second.id]
    assert await found(database, cafe, "max") == [third.id, first.id, second.id]
    assert await found(database, cafe, "max", limit=2) == [third.id, first.id]


async def test_short_numbers_list_all_who_share_them(database, cafe, sql):
    one, other = await cafe.add_card("one@example.com"), await cafe.add_card("two@example.com")
    for card, payload in ((one, "48217493284"), (other, "48217493000")):
        await sql.execute(
            "UPDATE core.card SET number = $2 WHERE id = $1", card.id, payload + numbers.check_digit(payload)
        )
    assert sorted(await found(database, cafe, "4821-7493")) == sorted([one.id, other.id])


async def test_a_hit_says_who_it_is_and_what_is_on_the_card(database, cafe, agne, sql):
    await sql.execute("INSERT INTO core.account VALUES ($1, $2, 'stamps', 8, 18, 3, now())", cafe.tenant.id, agne.id)
    await sql.execute("INSERT INTO core.account VALUES ($1, $2, 'visits', 2, 2, 2, now())", cafe.tenant.id, agne.id)
    async with database.tenant(cafe.tenant.id) as session:
        hit = (await cards.find(session, acting(cafe, "staff"), agne.number))[0]
        assert await cards.get(session, agne.id) == hit
        assert await cards.by_token(session, agne.token) == hit
    assert (hit.number, hit.status, hit.name, hit.email) == (agne.number, "active", "Agnė Šimkutė", "agne@example.lt")
    assert hit.balances == {"stamps": 8, "visits": 2}
    assert (hit.info.member_id, hit.info.program_id) == (agne.member_id, cafe.program_id)


async def test_finding_costs_the_same_however_many_are_found(database, cafe, agne, sql):
    sent_for = []
    for more in range(2):
        async with database.tenant(cafe.tenant.id) as session:
            with counted(session) as sent:
                hits = await cards.find(session, acting(cafe, "staff"), "example")
            assert len(hits) == 2 + 2 * more
            sent_for.append(len(sent))
        for number in range(2):
            await member(cafe, sql, "Example", f"m{more}{number}@example.com")
    assert sent_for == [1, 1]


async def test_whoever_may_not_look_up_is_refused(database, cafe):
    async with database.tenant(cafe.tenant.id) as session:
        with pytest.raises(Unauthenticated):
            await cards.find(session, cafe.context(principal=type(cafe.context().principal)()), "max")
        bare = cafe.context()
        without = type(bare.principal)("api_key", None, "Key", "key", frozenset({"sales.record"}))
        with pytest.raises(Forbidden):
            await cards.recent(session, cafe.context(principal=without))


async def test_recent_cards_are_those_of_the_shop_last_ones_first(database, cafe, agne, john, make_till, clock):
    till = make_till(cafe)
    for card in (john, agne, cafe.card, john):
        assert (await till.sale(card=card)).status == 200
        await clock.advance(minutes=16)
    async with database.tenant(cafe.tenant.id) as session:
        at_the_shop = await cards.recent(session, acting(cafe, "staff", shop_id=cafe.shop_id))
        by_anna = await cards.recent(session, acting(cafe, "staff", staff_id=cafe.anna.id), limit=2)
        by_nobody = await cards.recent(session, acting(cafe, "staff"))
    assert [hit.id for hit in at_the_shop] == [john.id, cafe.card.id, agne.id]
    assert [hit.id for hit in by_anna] == [john.id, cafe.card.id]
    assert by_nobody == []


async def test_a_card_is_blocked_and_unblocked(database, cafe, pizza, sql):
    ctx = acting(cafe, "manager")
    async with database.tenant(cafe.tenant.id) as session:
        await cards.set_status(session, ctx, cafe.card.id, "blocked")
        await cards.set_status(session, ctx, cafe.card.id, "blocked")
        assert (await cards.get(session, cafe.card.id)).status == "blocked"
        await cards.set_status(session, ctx, cafe.card.id, "active")
        assert (await cards.get(session, cafe.card.id)).status == "active"
        with pytest.raises(NotFound):
            await cards.set_status(session, ctx, pizza.card.id, "blocked")
        with pytest.raises(NotFound):
            await cards.get(session, pizza.card.id)
        with pytest.raises(NotFound):
            await cards.by_token(session, pizza.card.token)
        with pytest.raises(Forbidden):
            await cards.set_status(session, acting(cafe, "staff"), cafe.card.id, "blocked")
    assert [tuple(row) for row in await sql.fetch(AUDIT)] == [
        ("card.blocked", cafe.card.id), ("card.unblocked", cafe.card.id),
    ]  # fmt: skip


async def test_a_closed_card_stays_closed(database, cafe, sql):
    await sql.execute("UPDATE core.card SET status = 'closed' WHERE id = $1", cafe.card.id)
    async with database.tenant(cafe.tenant.id) as session:
        with pytest.raises(Conflict):
            await cards.set_status(session, acting(cafe, "owner"), cafe.card.id, "active")


async def test_erased_members_are_not_found(database, cafe, agne, sql):
    await sql.execute("UPDATE core.member SET status = 'erased' WHERE id = $1", agne.member_id)
    assert await found(database, cafe, agne.number) == []
    assert await found(database, cafe, "agne") == []
