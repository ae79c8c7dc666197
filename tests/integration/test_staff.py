"""Staff on a real database: people, PINs, log-in, sessions."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from regulars.contracts.context import Principal
from regulars.contracts.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthenticated
from regulars.domain.staff import pins, sessions
from regulars.domain.staff import service as staff
from regulars.domain.staff.login import LoggedIn, LogInRefused, log_in
from regulars.domain.staff.service import StaffDraft
from regulars.kernel.db.database import Credentials, Database
from regulars.testing.principals import acting
from regulars.testing.wire import counting

PEPPER = b"p" * 40
PASSWORD = "correct horse battery"
PIN_ROW = "SELECT pin_hash, pin_failures, pin_locked_until FROM core.staff WHERE id = $1"
LOG_IN_ROW = "SELECT login_failures, login_locked_until FROM core.staff WHERE id = $1"
AUDIT = "SELECT action, outcome, subject_id, actor_name, details FROM core.audit_log WHERE tenant_id = $1 ORDER BY id"


@pytest.fixture
async def shop_floor(make_world):
    """A tenant with an owner, a manager and two others; Anna's e-mail is anna@staff.example."""
    return await make_world(
        "cafe",
        staff=(
            ("Olga", "owner", "1470"),
            ("Max", "manager", "2580"),
            ("Anna", "staff", "4711"),
            ("zoë", "staff", "3690"),
        ),
    )


def person(world, name):
    return next(one for one in world.staff if one.name == name)


async def with_password(database, world, name, password=PASSWORD):
    ctx = acting(world, "owner")
    async with database.tenant(world.tenant.id) as session:
        await staff.set_password(session, ctx, person(world, name).id, password)
    return person(world, name)


def visitor(world):
    return world.context("terminal", principal=Principal())


# People


async def test_the_list_has_owners_first_and_knows_last_use_and_lock(database, shop_floor, pizza, sql, clock):
    anna, max_ = person(shop_floor, "Anna"), person(shop_floor, "Max")
    now = await clock.now()
    await sql.execute("UPDATE core.staff SET pin_used_at = $2 WHERE id = $1", anna.id, now)
    await sql.execute(
        "UPDATE core.staff SET pin_failures = 5, pin_locked_until = $2 WHERE id = $1",
        max_.id,
        now + timedelta(minutes=30),
    )
    async with database.tenant(shop_floor.tenant.id) as session:
        found = await staff.list_staff(session, acting(shop_floor, "manager"))
        tiles = await staff.on_duty(session, acting(shop_floor, "staff"))
    assert [(one.name, one.role, one.has_pin, one.has_password) for one in found] == [
        ("Olga", "owner", True, False),
        ("Max", "manager", True, False),
        ("Anna", "staff", True, False),
        ("zoë", "staff", True, False),
    ]
    assert [one.pin_used_at for one in found] == [None, None, now, None]
    assert [one.pin_locked_until for one in found] == [None, now + timedelta(minutes=30), None, None]
    assert [one.name for one in tiles] == ["Anna", "Max", "Olga", "zoë"]
    await clock.advance(minutes=30)
    async with database.tenant(shop_floor.tenant.id) as session:
        assert (await staff.get(session, acting(shop_floor, "manager"), max_.id)).pin_locked_until is None


async def test_somebody_is_added_changed_and_dismissed(database, shop_floor, sql):
    ctx = acting(shop_floor, "owner")
    async with database.tenant(shop_floor.tenant.id) as session:
        new = await staff.add(session, ctx, StaffDraft(" Tom\tMuster ", "staff", "Tom@Cafe.example "))
        assert (new.name, new.role, new.email, new.has_pin) == ("Tom Muster", "staff", "tom@cafe.example", False)
        changed = await staff.change(session, ctx, new.id, StaffDraft("Tom", "manager"))
        assert (changed.name, changed.role, changed.email) == ("Tom", "manager", None)
        await staff.dismiss(session, ctx, new.id)
        assert new.id not in [one.id for one in await staff.list_staff(session, ctx)]
        assert (await staff.get(session, ctx, new.id)).status == "inactive"
        with pytest.raises(NotFound):
            await staff.set_pin(session, ctx, new.id, "2581", PEPPER)
    actions = [(row["action"], row["subject_id"]) for row in await sql.fetch(AUDIT, shop_floor.tenant.id)]
    assert actions == [("staff.added", new.id), ("staff.changed", new.id), ("staff.dismissed", new.id)]


async def test_an_address_is_used_once_and_free_again_after_dismissal(database, shop_floor):
    ctx, draft = acting(shop_floor, "owner"), StaffDraft("Ann", "staff", "anna@staff.example")
    async with database.tenant(shop_floor.tenant.id) as session:
        with pytest.raises(Conflict):
            await staff.add(session, ctx, draft)
        await staff.dismiss(session, ctx, person(shop_floor, "Anna").id)
        assert (await staff.add(session, ctx, draft)).email == "anna@staff.example"


async def test_two_at_once_cannot_both_have_an_address(database, shop_floor):
    async def add(name):
        async with database.tenant(shop_floor.tenant.id) as session:
            await staff.add(session, acting(shop_floor, "owner"), StaffDraft(name, "staff", "new@cafe.example"))

    results = await asyncio.gather(add("One"), add("Two"), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "NoneType"]


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (StaffDraft("", "staff"), "name"),
        (StaffDraft("x" * 81, "staff"), "name"),
        (StaffDraft("Tom", "emperor"), "role"),
        (StaffDraft("Tom", "staff", "no address"), "email"),
    ],
)
async def test_drafts_have_a_form(database, shop_floor, draft, field):
    async with database.tenant(shop_floor.tenant.id) as session:
        with pytest.raises(InvalidInput) as caught:
            await staff.add(session, acting(shop_floor, "owner"), draft)
    assert list(caught.value.fields) == [field]


async def test_managers_have_no_power_over_owners(database, shop_floor):
    ctx, olga = acting(shop_floor, "manager"), person(shop_floor, "Olga")
    async with database.tenant(shop_floor.tenant.id) as session:
        for attempt in (
            staff.add(session, ctx, StaffDraft("Me", "owner")),
            staff.change(session, ctx, person(shop_floor, "Anna").id, StaffDraft("Anna", "owner")),
            staff.change(session, ctx, olga.id, StaffDraft("Olga", "staff")),
            staff.dismiss(session, ctx, olga.id),
            staff.renew_pin(session, ctx, olga.id, PEPPER),
            staff.set_password(session, ctx, olga.id, PASSWORD),
        ):
            with pytest.raises(Forbidden):
                await attempt
        await staff.dismiss(session, ctx, person(shop_floor, "Anna").id)


async def test_the_last_owner_stays(database, shop_floor):
    ctx, olga = acting(shop_floor, "owner"), person(shop_floor, "Olga")
    async with database.tenant(shop_floor.tenant.id) as session:
        with pytest.raises(Conflict):
            await staff.dismiss(session, ctx, olga.id)
        with pytest.raises(Conflict):
            await staff.change(session, ctx, olga.id, StaffDraft("Olga", "manager"))
        await staff.add(session, ctx, StaffDraft("Second", "owner"))
        await staff.change(session, ctx, olga.id, StaffDraft("Olga", "manager"))


async def test_two_owners_cannot_dismiss_each_other_at_once(database, make_world):
    world = await make_world("cafe", staff=(("Olga", "owner", "1470"), ("Otto", "owner", "2580")))

    async def dismiss(name):
        async with database.tenant(world.tenant.id) as session:
            await staff.dismiss(session, acting(world, "owner"), person(world, name).id)

    results = await asyncio.gather(dismiss("Olga"), dismiss("Otto"), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "NoneType"]


async def test_another_tenants_staff_do_not_exist(database, shop_floor, pizza, sql):
    ctx, stranger = acting(shop_floor, "owner"), pizza.anna
    before = await sql.fetchrow(PIN_ROW, stranger.id)
    async with database.tenant(shop_floor.tenant.id) as session:
        for attempt in (
            staff.get(session, ctx, stranger.id),
            staff.change(session, ctx, stranger.id, StaffDraft("Mine", "staff")),
            staff.dismiss(session, ctx, stranger.id),
            staff.set_pin(session, ctx, stranger.id, "2581", PEPPER),
            staff.unlock_pin(session, ctx, stranger.id),
            staff.set_password(session, ctx, stranger.id, PASSWORD),
        ):
            with pytest.raises(NotFound):
                await attempt
    assert await sql.fetchrow(PIN_ROW, stranger.id) == before


async def test_staff_see_tiles_only(database, shop_floor):
    async with database.tenant(shop_floor.tenant.id) as session:
        with pytest.raises(Forbidden):
            await staff.list_staff(session, acting(shop_floor, "staff"))


# PINs


async def test_a_generated_pin_is_told_once_and_stored_as_a_hash(database, shop_floor, sql):
    anna = person(shop_floor, "Anna")
    async with database.tenant(shop_floor.tenant.id) as session:
        pin = await staff.renew_pin(session, acting(shop_floor, "manager"), anna.id, PEPPER)
    row = await sql.fetchrow(PIN_ROW, anna.id)
    assert row["pin_hash"] == pins.pin_hash(PEPPER, shop_floor.tenant.id, anna.id, pin)
    audit = await sql.fetch(AUDIT, shop_floor.tenant.id)
    assert [(line["action"], line["details"]) for line in audit] == [("staff.pin_set", "{}")]


@pytest.mark.parametrize("pin", ["123", "12345", "12a4", "1234", "0000", ""])
async def test_pins_that_cannot_be_used(database, shop_floor, pin):
    async with database.tenant(shop_floor.tenant.id) as session:
        with pytest.raises(InvalidInput) as caught:
            await staff.set_pin(session, acting(shop_floor, "owner"), person(shop_floor, "Anna").id, pin, PEPPER)
    assert list(caught.value.fields) == ["pin"]


async def test_a_manager_unlocks_a_pin(database, shop_floor, sql, clock):
    anna, until = person(shop_floor, "Anna"), await clock.now() + timedelta(minutes=30)
    await sql.execute("UPDATE core.staff SET pin_failures = 5, pin_locked_until = $1", until)
    before = await sql.fetchrow(PIN_ROW, anna.id)
    async with database.tenant(shop_floor.tenant.id) as session:
        await staff.unlock_pin(session, acting(shop_floor, "manager"), anna.id)
    assert tuple(await sql.fetchrow(PIN_ROW, anna.id)) == (before["pin_hash"], 0, None)
    assert (await sql.fetchrow(PIN_ROW, person(shop_floor, "Max").id))["pin_failures"] == 5


# Log-in and sessions


async def test_log_in_opens_a_session_that_the_next_request_is_known_by(database, shop_floor, sql):
    anna = await with_password(database, shop_floor, "Anna")
    outcome = await log_in(database, visitor(shop_floor), " Anna@Staff.example", PASSWORD)
    assert isinstance(outcome, LoggedIn)
    assert (outcome.staff_id, outcome.name, outcome.role) == (anna.id, "Anna", "staff")
    hashed = sha256(outcome.session.token.encode()).digest()
    async with database.tenant(shop_floor.tenant.id, Credentials(session_hash=hashed)) as session:
        who = session.principal
    assert (who.kind, who.id, who.role, who.session_id) == ("staff", anna.id, "staff", outcome.session.id)
    row = await sql.fetchrow("SELECT * FROM core.session")
    assert row["expires_at"] - row["created_at"] == timedelta(hours=12)
    assert row["token_hash"] == hashed
    last = (await sql.fetch(AUDIT, shop_floor.tenant.id))[-1]
    assert (last["action"], last["outcome"], last["actor_name"]) == ("staff.log_in", "done", "Anna")


async def test_a_session_is_worth_nothing_at_another_tenant(database, shop_floor, pizza):
    await with_password(database, shop_floor, "Anna")
    outcome = await log_in(database, visitor(shop_floor), "anna@staff.example", PASSWORD)
    hashed = sha256(outcome.session.token.encode()).digest()
    async with database.tenant(pizza.tenant.id, Credentials(session_hash=hashed)) as session:
        assert session.principal.kind is None
    assert isinstance(await log_in(database, visitor(pizza), "anna@staff.example", PASSWORD), LogInRefused)


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("anna@staff.example", "wrong password"),
        ("anna@staff.example", ""),
        ("anna@staff.example", "x" * 10_000),
        ("nobody@staff.example", PASSWORD),
        ("max@staff.example", PASSWORD),
        ("no address", PASSWORD),
        ("", ""),
    ],
)
async def test_every_failure_sounds_the_same(database, shop_floor, sql, email, password):
    await with_password(database, shop_floor, "Anna")
    assert await log_in(database, visitor(shop_floor), email, password) == LogInRefused()
    assert await sql.fetchval("SELECT count(*) FROM core.session") == 0
    last = (await sql.fetch(AUDIT, shop_floor.tenant.id))[-1]
    assert (last["action"], last["outcome"]) == ("staff.log_in", "refused")


async def test_five_wrong_passwords_lock_for_fifteen_minutes(database, shop_floor, sql, clock):
    anna = await with_password(database, shop_floor, "Anna")
    at = visitor(shop_floor)
    for failures in range(1, 6):
        await log_in(database, at, "anna@staff.example", "wrong password")
        row = await sql.fetchrow(LOG_IN_ROW, anna.id)
        assert row["login_failures"] == failures
        assert (row["login_locked_until"] is not None) == (failures == 5)
    until = row["login_locked_until"]
    assert isinstance(await log_in(database, at, "anna@staff.example", PASSWORD), LogInRefused)
    assert tuple(await sql.fetchrow(LOG_IN_ROW, anna.id)) == (5, until)
    await clock.advance(minutes=15)
    await log_in(database, at, "anna@staff.example", "wrong password")
    assert tuple(await sql.fetchrow(LOG_IN_ROW, anna.id)) == (1, None)
    assert isinstance(await log_in(database, at, "anna@staff.example", PASSWORD), LoggedIn)
    assert tuple(await sql.fetchrow(LOG_IN_ROW, anna.id)) == (0, None)


async def test_parallel_wrong_passwords_count_one_by_one(database, shop_floor, sql):
    anna = await with_password(database, shop_floor, "Anna")
    tries = (log_in(database, visitor(shop_floor), "anna@staff.example", f"wrong {n}") for n in range(12))
    assert set(await asyncio.gather(*tries)) == {LogInRefused()}
    row = await sql.fetchrow(LOG_IN_ROW, anna.id)
    assert row["login_failures"] == 5
    assert row["login_locked_until"] is not None


async def test_a_new_log_in_has_a_new_token_and_ends_the_old_session(database, shop_floor, sql):
    await with_password(database, shop_floor, "Anna")
    first = await log_in(database, visitor(shop_floor), "anna@staff.example", PASSWORD)
    again = acting(shop_floor, "staff", session_id=first.session.id)
    second = await log_in(database, again, "anna@staff.example", PASSWORD)
    assert second.session.token != first.session.token
    assert [row["id"] for row in await sql.fetch("SELECT id FROM core.session")] == [second.session.id]


async def test_signing_out_ends_this_session_only(database, shop_floor, sql):
    await with_password(database, shop_floor, "Anna")
    first = await log_in(database, visitor(shop_floor), "anna@staff.example", PASSWORD)
    second = await log_in(database, visitor(shop_floor), "anna@staff.example", PASSWORD)
    async with database.tenant(shop_floor.tenant.id) as session:
        await sessions.close(session, acting(shop_floor, "staff", session_id=first.session.id))
        await sessions.close(session, visitor(shop_floor))
    assert [row["id"] for row in await sql.fetch("SELECT id FROM core.session")] == [second.session.id]


async def test_dismissal_ends_all_sessions_at_once(database, shop_floor):
    anna = await with_password(database, shop_floor, "Anna")
    await with_password(database, shop_floor, "Max")
    opened = {
        name: await log_in(database, visitor(shop_floor), f"{name}@staff.example", PASSWORD) for name in ("anna", "max")
    }
    async with database.tenant(shop_floor.tenant.id) as session:
        await staff.dismiss(session, acting(shop_floor, "owner"), anna.id)
    kinds = {}
    for name, outcome in opened.items():
        hashed = sha256(outcome.session.token.encode()).digest()
        async with database.tenant(shop_floor.tenant.id, Credentials(session_hash=hashed)) as session:
            kinds[name] = session.principal.kind
    assert kinds == {"anna": None, "max": "staff"}
    assert isinstance(await log_in(database, visitor(shop_floor), "anna@staff.example", PASSWORD), LogInRefused)


async def test_a_new_password_ends_the_other_sessions(database, shop_floor, sql):
    anna = await with_password(database, shop_floor, "Anna")
    first = await log_in(database, visitor(shop_floor), "anna@staff.example", PASSWORD)
    await log_in(database, visitor(shop_floor), "anna@staff.example", PASSWORD)
    own = acting(shop_floor, "staff", staff_id=anna.id, session_id=first.session.id)
    async with database.tenant(shop_floor.tenant.id) as session:
        await staff.set_password(session, own, anna.id, "another long one")
        with pytest.raises(Forbidden):
            await staff.set_password(session, own, person(shop_floor, "Max").id, "another long one")
    assert [row["id"] for row in await sql.fetch("SELECT id FROM core.session")] == [first.session.id]


@pytest.mark.parametrize("password", ["short", "x" * 257])
async def test_passwords_have_bounds(database, shop_floor, password):
    async with database.tenant(shop_floor.tenant.id) as session:
        with pytest.raises(InvalidInput) as caught:
            await staff.set_password(session, acting(shop_floor, "owner"), person(shop_floor, "Anna").id, password)
    assert list(caught.value.fields) == ["password"]


async def test_members_have_sessions_of_ninety_days(database, cafe, sql):
    holder = sessions.Holder("member", cafe.card.member_id)
    async with database.tenant(cafe.tenant.id) as session:
        opened = await sessions.open_session(session, visitor(cafe), holder)
    row = await sql.fetchrow("SELECT * FROM core.session")
    assert row["expires_at"] - row["created_at"] == timedelta(days=90)
    hashed = sha256(opened.token.encode()).digest()
    async with database.tenant(cafe.tenant.id, Credentials(session_hash=hashed)) as session:
        assert (session.principal.kind, session.principal.id) == ("member", cafe.card.member_id)
        await sessions.close_all(session, holder)
    assert await sql.fetchval("SELECT count(*) FROM core.session") == 0


async def test_expired_sessions_are_nothing_and_go_with_the_next_log_in(database, shop_floor, sql):
    await with_password(database, shop_floor, "Anna")
    first = await log_in(database, visitor(shop_floor), "anna@staff.example", PASSWORD)
    await sql.execute("UPDATE core.session SET expires_at = now()")
    hashed = sha256(first.session.token.encode()).digest()
    async with database.tenant(shop_floor.tenant.id, Credentials(session_hash=hashed)) as session:
        assert session.principal.kind is None
    second = await log_in(database, visitor(shop_floor), "anna@staff.example", PASSWORD)
    assert [row["id"] for row in await sql.fetch("SELECT id FROM core.session")] == [second.session.id]


async def test_a_browser_says_in_which_shop_it_stands(database, shop_floor, pizza, sql):
    await with_password(database, shop_floor, "Anna")
    opened = await log_in(database, visitor(shop_floor), "anna@staff.example", PASSWORD)
    ctx = acting(shop_floor, "staff", session_id=opened.session.id)
    async with database.tenant(shop_floor.tenant.id) as session:
        with pytest.raises(NotFound):
            await sessions.choose_shop(session, ctx, pizza.shop_id)
        with pytest.raises(Unauthenticated):
            await sessions.choose_shop(session, visitor(shop_floor), shop_floor.shop_id)
        await sessions.choose_shop(session, ctx, shop_floor.shop_id)
    hashed = sha256(opened.session.token.encode()).digest()
    async with database.tenant(shop_floor.tenant.id, Credentials(session_hash=hashed)) as session:
        assert session.principal.shop_id == shop_floor.shop_id
    bound = replace(ctx, principal=replace(ctx.principal, shop_id=shop_floor.shop_id))
    await log_in(database, bound, "anna@staff.example", PASSWORD)
    assert await sql.fetchval("SELECT shop_id FROM core.session") == shop_floor.shop_id


async def test_an_unknown_address_costs_the_round_trips_of_a_known_one(database, shop_floor, config):
    await with_password(database, shop_floor, "Anna")
    async with counting(config.database_url_app) as wire:
        watched = Database(config.model_copy(update={"database_url_app": wire.url}))
        costs = []
        for email in ("anna@staff.example", "nobody@staff.example", "max@staff.example") * 2:
            wire.reset()
            await log_in(watched, visitor(shop_floor), email, "wrong password")
            costs.append(wire.round_trips)
        await watched.close()
    assert len(set(costs[3:])) == 1
