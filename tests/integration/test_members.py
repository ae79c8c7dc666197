"""Members on a real database: lists, detail, change, export."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta

import pytest

from regulars.contracts.context import Principal
from regulars.contracts.errors import Forbidden, InvalidInput, NotFound
from regulars.contracts.paging import PageRequest
from regulars.domain.ledger.rulebook import RuleBook
from regulars.domain.members import export
from regulars.domain.members import service as members
from regulars.domain.members.gauges import gauges_of
from regulars.domain.members.normalise import search_text
from regulars.domain.members.service import MemberChange
from regulars.domain.members.views import MemberFilter
from regulars.domain.programs.cache import ProgramCache
from regulars.kernel.db.base import new_id
from regulars.kernel.settings import SettingsStore
from regulars.testing.counting import counted
from regulars.testing.principals import acting

ALL = MemberFilter()
PAGE = PageRequest()
CONSENT = """
    INSERT INTO core.consent (tenant_id, id, member_id, purpose, granted, text_version) VALUES ($1, $2, $3, $4, $5, '1')
"""
AUDIT = "SELECT action, details FROM core.audit_log WHERE subject_kind = 'member' ORDER BY id"


@pytest.fixture
def gauges(database, registry, config):
    """Reads the gauges of a world."""
    cache = ProgramCache()
    rules = RuleBook(cache, SettingsStore(registry, config.setting_default, config.encryption_key))

    async def read(world):
        async with database.tenant(world.tenant.id) as session:
            programs = await cache.programs(session, world.tenant)
            return await gauges_of(session, world.context(), registry, rules, programs)

    return read


async def add(world, sql, name, email, *, stamps=None, days_ago=0, phone=""):
    """A member as enrolment and sales leave one."""
    card = await world.add_card(email, name=name)
    await sql.execute(
        "UPDATE core.member SET search = $2, phone = $3, last_activity_at = core.now() - $4::interval WHERE id = $1",
        card.member_id, search_text(name, email, phone), phone, timedelta(days=days_ago),
    )  # fmt: skip
    if stamps is not None:
        await sql.execute(
            "INSERT INTO core.account VALUES ($1, $2, 'stamps', $3, $3, 1, now())", world.tenant.id, card.id, stamps
        )
    return card


@pytest.fixture
async def people(cafe, sql):
    """Mia of the world (never here again), and four others."""
    await sql.execute("UPDATE core.member SET last_activity_at = core.now() - interval '90 days'")
    return [
        await add(cafe, sql, "Agnė Šimkutė", "agne@example.lt", stamps=10, phone="+37061234567"),
        await add(cafe, sql, "zoe", "zoe@example.com", stamps=9, days_ago=1),
        await add(cafe, sql, "Max Muster", "max@example.com", stamps=23, days_ago=31),
        await add(cafe, sql, "", "nameless@example.com", days_ago=29),
    ]


async def listed(database, world, gauges, wanted=ALL, page=PAGE):
    async with database.tenant(world.tenant.id) as session:
        found = await members.list_members(session, acting(world, "manager"), wanted, page, await gauges(world))
        assert (
            await members.count_members(session, acting(world, "manager"), wanted, await gauges(world)) == found.total
        )
    return found


async def emails(database, world, gauges, **wanted):
    return [one.email for one in (await listed(database, world, gauges, MemberFilter(**wanted))).items]


async def test_the_list_shows_card_balance_progress_and_last_visit(database, cafe, people, gauges, clock):
    now = await clock.now()
    found = await listed(database, cafe, gauges)
    assert (found.total, found.first, found.last) == (5, 1, 5)
    first, second = found.items[:2]
    assert (first.name, first.email, first.phone) == ("Agnė Šimkutė", "agne@example.lt", "+37061234567")
    assert now - first.last_activity_at < timedelta(minutes=1)
    assert [(card.number, card.status, card.balances) for card in first.cards] == [
        (people[0].number, "active", {"stamps": 10})
    ]
    assert (first.cards[0].progress["stamps"].label, first.cards[0].progress["stamps"].ready) == (
        "10 / 10 stamps",
        True,
    )
    assert (second.cards[0].progress["stamps"].count, second.cards[0].progress["stamps"].close) == (9, True)
    assert found.items[-1].cards[0].progress["stamps"].count == 0


async def test_orders(database, cafe, people, gauges):
    agne, zoe, max_, nameless = (card.email for card in people)
    mia = cafe.cards[0].email
    assert await emails(database, cafe, gauges, sort="last_visit") == [agne, zoe, nameless, max_, mia]
    assert await emails(database, cafe, gauges, sort="name") == [agne, max_, mia, zoe, nameless]
    assert await emails(database, cafe, gauges, sort="enrolled") == [nameless, max_, zoe, agne, mia]


async def test_filters(database, cafe, people, gauges, sql):
    agne, zoe, max_, nameless = (card.email for card in people)
    assert await emails(database, cafe, gauges, only="active") == [agne, zoe, nameless]
    assert await emails(database, cafe, gauges, only="ready") == [agne, max_]
    assert await emails(database, cafe, gauges, only="ready", query="muster") == [max_]
    await cafe.set_settings("stamps", target=9)
    assert await emails(database, cafe, gauges, only="ready") == [agne, zoe, max_]
    await sql.execute("UPDATE core.card SET status = 'blocked' WHERE id = $1", people[0].id)
    assert await emails(database, cafe, gauges, only="ready") == [zoe, max_]


async def test_search(database, cafe, people, gauges):
    agne = people[0]
    for query in (
        "agne",
        "ŠIM",
        "simk agn",
        "@example.lt",
        "612 345 67",
        agne.number,
        agne.number[:8],
        agne.number[:5],
    ):
        assert await emails(database, cafe, gauges, query=query) == [agne.email], query
    for query in ("%", "_", "nobody", "agne muster", "00000000"):
        assert await emails(database, cafe, gauges, query=query) == [], query


async def test_pages(database, cafe, people, gauges):
    seen = []
    for number in (1, 2, 3):
        page = await listed(database, cafe, gauges, page=PageRequest(number, 2))
        assert (page.total, page.pages) == (5, 3)
        seen += [one.email for one in page.items]
    assert len(set(seen)) == 5
    beyond = await listed(database, cafe, gauges, page=PageRequest(9, 2))
    assert (beyond.items, beyond.total, beyond.first, beyond.last) == ([], 5, 0, 0)


async def test_the_list_costs_the_same_however_many_rows(database, cafe, gauges, sql):
    known, costs = await gauges(cafe), []
    for rows in (1, 3):
        if rows == 3:
            await add(cafe, sql, "One", "one@example.com", stamps=3)
            await add(cafe, sql, "Two", "two@example.com", stamps=4)
        async with database.tenant(cafe.tenant.id) as session:
            with counted(session) as sent:
                found = await members.list_members(session, acting(cafe, "manager"), ALL, PAGE, known)
        assert len(found.items) == rows
        costs.append(len(sent))
    assert costs == [2, 2]


async def test_gauges_are_read_without_a_query_when_warm_and_only_for_enabled_plugins(
    database, cafe, registry, config, make_world
):
    cache = ProgramCache()
    rules = RuleBook(cache, SettingsStore(registry, config.setting_default, config.encryption_key))
    async with database.tenant(cafe.tenant.id) as session:
        programs = await cache.programs(session, cafe.tenant)
        first = await gauges_of(session, cafe.context(), registry, rules, programs)
        with counted(session) as sent:
            assert await gauges_of(session, cafe.context(), registry, rules, programs) == first
        assert sent == []
    assert [(gauge.unit, gauge.program_id, gauge.ready_at) for gauge in first] == [("stamps", cafe.program_id, 10)]
    bare = await make_world("bare", offering="nothing", features=())
    async with database.tenant(bare.tenant.id) as session:
        programs = await cache.programs(session, bare.tenant)
        assert await gauges_of(session, bare.context(), registry, rules, programs) == []


async def test_detail_with_the_latest_word_on_each_purpose(database, cafe, people, gauges, sql):
    agne = people[0]
    for purpose, granted in (("terms", True), ("marketing", True), ("marketing", False)):
        await sql.execute(CONSENT, cafe.tenant.id, new_id(), agne.member_id, purpose, granted)
    await sql.execute("UPDATE core.member SET birthday = '1990-02-28' WHERE id = $1", agne.member_id)
    async with database.tenant(cafe.tenant.id) as session:
        found = await members.get(session, acting(cafe, "manager"), agne.member_id, await gauges(cafe))
        own = cafe.context(principal=Principal("member", agne.member_id, "Agnė", "member"))
        assert await members.get_own(session, own, await gauges(cafe)) == found
    assert (found.member.name, found.member.birthday) == ("Agnė Šimkutė", date(1990, 2, 28))
    assert [(one.purpose, one.granted) for one in found.consents] == [("marketing", False), ("terms", True)]
    assert (found.agreed_to("terms"), found.agreed_to("marketing"), found.agreed_to("profiling")) == (
        True,
        False,
        False,
    )
    assert found.member.cards[0].progress["stamps"].ready


async def test_a_member_is_changed_and_found_under_the_new_name(database, cafe, people, gauges, sql):
    agne = people[0]
    async with database.tenant(cafe.tenant.id) as session:
        change = MemberChange(" Agnė\nPetraitė ", "621 123 456", None)
        await members.update(session, acting(cafe, "manager"), agne.member_id, change)
        await members.update(session, acting(cafe, "manager"), agne.member_id, change)
    row = await sql.fetchrow("SELECT name, phone, search FROM core.member WHERE id = $1", agne.member_id)
    assert tuple(row) == ("Agnė Petraitė", "+352621123456", "agne petraite agne@example.lt +352621123456")
    assert await emails(database, cafe, gauges, query="petraite") == [agne.email]
    assert await emails(database, cafe, gauges, query="simkute") == []
    assert [tuple(line) for line in await sql.fetch(AUDIT)] == [("member.changed", '{"fields": ["name", "phone"]}')]


async def test_members_change_themselves_and_nobody_else(database, cafe, people):
    own = cafe.context(principal=Principal("member", people[0].member_id, "Agnė", "member"))
    async with database.tenant(cafe.tenant.id) as session:
        await members.update(session, own, people[0].member_id, MemberChange("Agnė", "", "en"))
        with pytest.raises(Forbidden):
            await members.update(session, own, people[1].member_id, MemberChange("Mine", "", "en"))
        with pytest.raises(Forbidden):
            await members.get(session, own, people[1].member_id, [])
        with pytest.raises(NotFound):
            await members.get_own(session, acting(cafe, "owner"), [])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (MemberChange("x" * 101, "", "en"), "name"),
        (MemberChange("", "call me", "en"), "phone"),
        (MemberChange("", "", "tlh"), "locale"),
    ],
)
async def test_changes_have_a_form(database, cafe, change, field):
    async with database.tenant(cafe.tenant.id) as session:
        with pytest.raises(InvalidInput) as caught:
            await members.update(session, acting(cafe, "manager"), cafe.card.member_id, change)
    assert list(caught.value.fields) == [field]


async def test_another_tenants_members_do_not_exist(database, cafe, pizza, people, gauges):
    stranger = pizza.card.member_id
    async with database.tenant(cafe.tenant.id) as session:
        with pytest.raises(NotFound):
            await members.get(session, acting(cafe, "owner"), stranger, await gauges(cafe))
        with pytest.raises(NotFound):
            await members.update(session, acting(cafe, "owner"), stranger, MemberChange("Mine", "", "en"))
    assert await emails(database, pizza, gauges) == [pizza.card.email]
    assert await emails(database, pizza, gauges, query="agne") == []


async def test_erased_members_are_gone(database, cafe, people, gauges, sql):
    await sql.execute("UPDATE core.member SET status = 'erased' WHERE id = $1", people[0].member_id)
    assert people[0].email not in await emails(database, cafe, gauges)
    async with database.tenant(cafe.tenant.id) as session:
        with pytest.raises(NotFound):
            await members.get(session, acting(cafe, "owner"), people[0].member_id, [])


# Export


async def exported(database, world, gauges, **wanted):
    ctx = acting(world, "manager")
    rows = export.export_rows(database, ctx, MemberFilter(**wanted), await gauges(world))
    return b"".join([chunk async for chunk in export.csv_bytes(rows)])


async def test_the_export_opens_with_the_right_letters(database, cafe, people, gauges, sql, clock):
    await sql.execute(CONSENT, cafe.tenant.id, new_id(), people[0].member_id, "marketing", True)
    today = (await clock.now()).astimezone().date()
    content = await exported(database, cafe, gauges, only="ready")
    assert content.startswith(b"\xef\xbb\xbf")
    heading, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    assert heading[:6] == ["Name", "E-mail", "Phone", "Card number", "Card status", "Stamps"]
    assert heading[6:] == ["Member since", "Last visit", "Marketing consent"]
    assert [row[:6] for row in rows] == [
        ["Agnė Šimkutė", "agne@example.lt", "'+37061234567", shown(people[0].number), "Active", "10"],
        ["Max Muster", "max@example.com", "", shown(people[2].number), "Active", "23"],
    ]
    assert [row[8] for row in rows] == ["yes", "no"]
    assert abs(date.fromisoformat(rows[0][7]) - today) <= timedelta(days=1)


def shown(number):
    return f"{number[:4]}-{number[4:8]}-{number[8:]}"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)"])
async def test_no_name_is_a_formula(database, cafe, gauges, sql, name):
    await add(cafe, sql, name, "evil@example.com")
    content = await exported(database, cafe, gauges, query="evil")
    assert list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))[1][0] == f"'{name}"


CELLS = (
    ("\t=1", "'\t'=1"),
    ("\r=1", "'\r'=1"),
    ("a=1", "a=1"),
    ("", ""),
    ("Mia;=1+1;", "Mia;'=1+1;"),  # a comma divides no cells where a semicolon does
    ("Mia\n@SUM(A1)", "Mia\n'@SUM(A1)"),
    ("Tea; - and cake", "Tea; - and cake"),
)


@pytest.mark.parametrize(("cell", "safe"), CELLS)
def test_safe_cells(cell, safe):
    assert export.safe_cell(cell) == safe


async def test_the_export_reads_batch_by_batch_and_misses_nobody(database, cafe, pizza, gauges, sql, monkeypatch):
    monkeypatch.setattr(export, "BATCH", 2)
    for number in range(4):
        await add(cafe, sql, "", f"m{number}@example.com")
    bare = new_id()
    await sql.execute(
        "INSERT INTO core.member (tenant_id, id, email) VALUES ($1, $2, 'no-card@example.com')", cafe.tenant.id, bare
    )
    rows = list(csv.reader(io.StringIO((await exported(database, cafe, gauges)).decode("utf-8-sig"))))[1:]
    four = [f"m{number}@example.com" for number in range(4)]
    assert [row[1] for row in rows] == ["mia@cafe.example", *four, "no-card@example.com"]
    assert {len(row) for row in rows} == {9}


async def test_exporting_is_a_right_and_leaves_a_trace(database, cafe, sql):
    async with database.tenant(cafe.tenant.id) as session:
        with pytest.raises(Forbidden):
            await export.begin_export(session, acting(cafe, "staff"), ALL)
        await export.begin_export(session, acting(cafe, "manager"), MemberFilter("agne", "active"))
    with pytest.raises(Forbidden):
        await anext(export.export_rows(database, acting(cafe, "staff"), ALL, []))
    assert [tuple(line) for line in await sql.fetch(AUDIT)] == [
        ("member.exported", '{"only": "active", "sought": true}')
    ]
