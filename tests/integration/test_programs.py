"""Programs on a real database, and their cache."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from regulars.contracts.errors import Conflict, FeatureNotInOffering, Forbidden, InvalidInput, LimitReached, NotFound
from regulars.domain.programs import service as programs
from regulars.domain.programs.cache import ProgramCache
from regulars.domain.programs.service import ProgramDraft, ReadyCards
from regulars.testing.counting import counted
from regulars.testing.principals import acting

DRAFT = ProgramDraft("Lunch club", "Europe/Vilnius", "EUR")
AUDIT = "SELECT action, details FROM core.audit_log WHERE tenant_id = $1 AND subject_kind = 'program' ORDER BY id"
REVISION = "SELECT revision FROM core.tenant WHERE id = $1"


async def test_a_program_is_created_changed_opened_and_closed(database, cafe, pizza, sql):
    ctx = acting(cafe, "owner")
    async with database.tenant(cafe.tenant.id) as session:
        made = await programs.create(session, ctx, "stamps", DRAFT)
        assert (made.name, made.kind, made.status, made.require_pin) == ("Lunch club", "stamps", "setup", True)
        same = await programs.update(session, ctx, made.id, DRAFT)
        assert same == made
        changed = await programs.update(session, ctx, made.id, replace(DRAFT, currency="gbp", require_pin=False))
        assert changed == replace(made, currency="GBP", require_pin=False)
        await programs.set_status(session, ctx, made.id, "active")
        closed = await programs.set_status(session, ctx, made.id, "inactive")
        assert (await programs.list_programs(session)).get(made.id) == closed == replace(changed, status="inactive")
    rows = await sql.fetch(AUDIT, cafe.tenant.id)
    assert [row["action"] for row in rows] == [
        "program.created", "program.changed", "program.status_changed", "program.status_changed",
    ]  # fmt: skip
    async with database.tenant(pizza.tenant.id) as session:
        assert [program.name for program in (await programs.list_programs(session)).items] == ["Card"]


async def test_the_default_is_the_oldest_active_one(database, cafe):
    ctx = acting(cafe, "owner")
    async with database.tenant(cafe.tenant.id) as session:
        second = await programs.create(session, ctx, "stamps", DRAFT)
        assert (await programs.list_programs(session)).default.id == cafe.program_id
        await programs.set_status(session, ctx, cafe.program_id, "inactive")
        assert (await programs.list_programs(session)).default.id == cafe.program_id
        await programs.set_status(session, ctx, second.id, "active")
        assert (await programs.list_programs(session)).default.id == second.id


async def test_another_tenants_program_does_not_exist(database, cafe, pizza):
    ctx = acting(cafe, "owner")
    async with database.tenant(cafe.tenant.id) as session:
        for attempt in (
            programs.update(session, ctx, pizza.program_id, DRAFT),
            programs.set_status(session, ctx, pizza.program_id, "inactive"),
        ):
            with pytest.raises(NotFound):
                await attempt
        with pytest.raises(NotFound):
            (await programs.list_programs(session)).get(pizza.program_id)
        assert await programs.ready_cards(session, ctx, pizza.program_id, "stamps", 1, 1) == ReadyCards(0, 0, 0)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
        ({"currency": "XYZ1"}, "currency"),
    ],
)
async def test_drafts_have_a_form(database, cafe, changes, field):
    async with database.tenant(cafe.tenant.id) as session:
        with pytest.raises(InvalidInput) as caught:
            await programs.create(session, acting(cafe, "owner"), "stamps", replace(DRAFT, **changes))
    assert list(caught.value.fields) == [field]


async def test_kinds_are_features(database, make_world):
    await make_world("big", offering="plus", features=("stamps", "points", "hybrid"), limits={"programs": 5})
    small = await make_world("small", offering="basic", features=("stamps",), limits={"programs": 1})
    ctx = acting(small, "owner")
    async with database.tenant(small.tenant.id) as session:
        with pytest.raises(InvalidInput):
            await programs.create(session, ctx, "lottery", DRAFT)
        with pytest.raises(FeatureNotInOffering) as missing:
            await programs.create(session, ctx, "hybrid", DRAFT)
        assert missing.value.extra["included_in"] == "plus"
        with pytest.raises(LimitReached) as full:
            await programs.create(session, ctx, "stamps", DRAFT)
        assert full.value.extra["included_in"] == "plus"
        await programs.set_status(session, ctx, small.program_id, "inactive")
        await programs.create(session, ctx, "stamps", DRAFT)
        with pytest.raises(LimitReached):
            await programs.set_status(session, ctx, small.program_id, "active")


async def test_a_kind_needs_its_plugins(database, make_world):
    wide = await make_world("wide", offering="wide", features=("stamps", "points", "hybrid"))
    wide.tenant = replace(wide.tenant, enabled=wide.tenant.enabled - {"points"})
    async with database.tenant(wide.tenant.id) as session:
        for kind in ("points", "hybrid"):
            with pytest.raises(Conflict):
                await programs.create(session, acting(wide, "owner"), kind, DRAFT)
        assert (await programs.create(session, acting(wide, "owner"), "stamps", DRAFT)).kind == "stamps"


async def test_staff_may_look_but_not_change(database, cafe):
    async with database.tenant(cafe.tenant.id) as session:
        with pytest.raises(Forbidden):
            await programs.set_status(session, acting(cafe, "staff"), cafe.program_id, "inactive")


async def test_what_a_new_target_does_to_cards_in_use(database, cafe, sql):
    for number, balance in enumerate((0, 7, 8, 9, 10, 12)):
        card = await cafe.add_card(f"m{number}@cafe.example")
        await sql.execute(
            "INSERT INTO core.account VALUES ($1, $2, 'stamps', $3, $3, 1, now())", cafe.tenant.id, card.id, balance
        )
    blocked = await cafe.add_card("blocked@cafe.example")
    await sql.execute("UPDATE core.card SET status = 'blocked' WHERE id = $1", blocked.id)
    async with database.tenant(cafe.tenant.id) as session:
        found = await programs.ready_cards(session, acting(cafe, "owner"), cafe.program_id, "stamps", 10, 8)
    assert found == ReadyCards(in_use=7, before=2, after=4)
    assert found.become_ready == 2


async def test_a_warm_look_up_asks_nothing(database, cafe, pizza):
    cache = ProgramCache()
    async with database.tenant(cafe.tenant.id) as session:
        with counted(session) as sent:
            first = await cache.programs(session, cafe.tenant)
            assert len(sent) == 1
            assert await cache.programs(session, cafe.tenant) is first
        assert len(sent) == 1
    assert [program.id for program in first.items] == [cafe.program_id]
    async with database.tenant(pizza.tenant.id) as session:
        assert [program.id for program in (await cache.programs(session, pizza.tenant)).items] == [pizza.program_id]


async def test_a_change_is_seen_with_the_next_revision(database, cafe, sql):
    cache, ctx = ProgramCache(), acting(cafe, "owner")
    async with database.tenant(cafe.tenant.id) as session:
        await cache.programs(session, cafe.tenant)
        await programs.set_status(session, ctx, cafe.program_id, "inactive")
    later = replace(cafe.tenant, revision=await sql.fetchval(REVISION, cafe.tenant.id))
    assert later.revision > cafe.tenant.revision
    async with database.tenant(cafe.tenant.id) as session:
        assert (await cache.programs(session, later)).default.status == "inactive"


async def test_what_is_taken_back_was_never_kept(database, cafe):
    cache = ProgramCache()

    async def create_and_fail():
        async with database.tenant(cafe.tenant.id) as session:
            await programs.create(session, acting(cafe, "owner"), "stamps", DRAFT)
            assert len((await cache.programs(session, cafe.tenant)).items) == 2
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await create_and_fail()
    async with database.tenant(cafe.tenant.id) as session:
        assert len((await cache.programs(session, cafe.tenant)).items) == 1


async def test_the_cache_is_bounded(database, cafe, pizza):
    cache = ProgramCache(max_tenants=1)
    for world in (cafe, pizza, cafe):
        async with database.tenant(world.tenant.id) as session:
            with counted(session) as sent:
                await cache.programs(session, world.tenant)
            assert len(sent) == 1


async def test_a_tenant_without_programs(database, cafe, sql):
    empty = replace(cafe.tenant, id=uuid4())
    async with database.tenant(empty.id) as session:
        with pytest.raises(NotFound):
            (await ProgramCache().programs(session, empty)).default  # noqa: B018
