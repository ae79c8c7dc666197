"""Passes are what their cards are, and phones hear of it: in order, once, whatever the wallet's service does."""

from __future__ import annotations

import asyncio
import csv
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import album
import pytest
from album import WALLET, Album
from asyncpg import Connection

from regulars.contracts.wallets import WalletPass
from regulars.domain.cards import service as cards
from regulars.domain.ledger.process import make_ledger
from regulars.domain.programs import changes
from regulars.domain.tenants.self_service import set_branding
from regulars.domain.wallets.alarms import alarm_of
from regulars.domain.wallets.faces import Faces
from regulars.domain.wallets.passes import WalletPasses
from regulars.kernel import ids
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.kernel.hook_tokens import HookTokens
from regulars.kernel.jobs import enqueue
from regulars.kernel.plugins.discovery import discover
from regulars.kernel.plugins.loader import make_registry
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.jobs import hurry
from regulars.testing.principals import acting
from regulars.testing.till import Till
from regulars.testing.web import WebServer
from regulars.testing.world import HOST_FEATURES, PLUGINS, World

ROW = "SELECT * FROM core.wallet_pass WHERE tenant_id = $1 ORDER BY created_at"
LINE = "SELECT * FROM core.wallet_line WHERE tenant_id = $1"
QUEUED = "SELECT count(*) FROM core.job WHERE status = 'queued' AND name = 'core.drain_wallet'"
REOPEN = "UPDATE core.wallet_line SET closed_until = now()"
TILE = r'wallet=album&amp;show=(\w+)"[^>]*>.*?tile-value[^>]*>\s*(\d+)'
DONE = """SELECT action FROM core.audit_log WHERE tenant_id = $1 AND action LIKE 'wallet.%' ORDER BY created_at"""
NOW = datetime.now(UTC).replace(microsecond=0)
MakeWorld = Callable[..., Awaitable[World]]


@pytest.fixture(scope="session")
def registry() -> PluginRegistry:
    """The bundled plugins and the album, which has no tables: the database is as for the others."""
    return make_registry([*(found for found in discover() if found.ours), album.plugin])


@pytest.fixture(scope="session")
def probed_registry(registry: PluginRegistry) -> PluginRegistry:
    """What the web has here."""
    return registry


@pytest.fixture
def make_world(config: Config, registry: PluginRegistry, make_world: MakeWorld) -> MakeWorld:
    album.reset()

    async def make(slug: str, **options: Any) -> World:
        features = (*PLUGINS, album.NAME, *HOST_FEATURES, "api_access")
        fast = {"antifraud": {"cooldown_minutes": 0}}
        given = {"features": features, "plugins": registry.names, "offering": "wallets", "settings": fast}
        return await make_world(slug, **{**given, **options})

    return make


@pytest.fixture
def passes(config: Config, registry: PluginRegistry) -> WalletPasses:
    return WalletPasses(Faces(make_ledger(config, registry), config))


@pytest.fixture
def issue(database: Database, passes: WalletPasses) -> Callable[..., Awaitable[WalletPass]]:
    async def make(world: World, card: Any = None) -> WalletPass:
        async with database.tenant(world.tenant.id) as session:
            return await passes.issue(session, world.context(), WALLET, (card or world.card).id)

    return make


def shown(one: WalletPass, key: str) -> str:
    return next(field.value for field in one.card.face.fields if field.key == key)


async def test_a_pass_is_made_once_and_is_the_tenants_own(
    issue: Any, passes: WalletPasses, database: Database, cafe: World, pizza: World
) -> None:
    one = await issue(cafe)
    assert await issue(cafe) == one
    assert len(one.serial) == 32
    assert (one.card.merchant, one.card.state) == (cafe.tenant.name, "active")
    assert shown(one, "card.number") == one.card.number
    for world, found in ((cafe, one), (pizza, None)):
        async with database.tenant(world.tenant.id, read_only=True) as session:
            assert await passes.by_serial(session, world.context(), WALLET, one.serial) == found
            since = await passes.since(session, WALLET, [one.serial], 0)
            assert since == ([(one.serial, one.version)] if found else [])


async def test_a_sale_tells_the_phone_once(
    issue: Any, make_till: Callable[[World], Till], run_jobs: Any, cafe: World, pizza: World
) -> None:
    one, other = await issue(cafe), await issue(pizza)
    assert (await make_till(cafe).sale(3)).status == 200
    await run_jobs()
    assert [(told.serial, shown(told, "stamps.count")) for told in Album.told] == [(one.serial, "3/10")]
    assert Album.told[0].version > one.version
    await run_jobs()
    assert Album.calls == 1
    assert (await issue(pizza)).version == other.version


async def test_whoever_has_no_pass_costs_no_call(make_till: Any, run_jobs: Any, cafe: World, sql: Connection) -> None:
    await make_till(cafe).sale()
    outcomes = await run_jobs()
    assert ("album.refresh", "done") in outcomes
    assert Album.calls == 0
    assert await sql.fetch(ROW, cafe.tenant.id) == []


async def test_a_service_that_is_down_piles_nothing_up_and_is_told_in_order(
    issue: Any, make_till: Any, run_jobs: Any, cafe: World, pizza: World, sql: Connection, database: Database
) -> None:
    """D6: selling goes on, one job waits, and at last every phone hears of the last state, oldest change first."""
    friend = await cafe.add_card("friend@example.com")
    mine, theirs = await issue(cafe), await issue(cafe, friend)
    neighbour = await issue(pizza)
    Album.state = "down"
    till = make_till(cafe)
    for card in (cafe.card, friend, cafe.card, cafe.card):
        assert (await till.sale(card=card)).status == 200
        await run_jobs()
    assert Album.calls == 1
    line = (await sql.fetch(LINE, cafe.tenant.id))[0]
    assert (line["failures"], line["fault"]) == (1, "closed")
    assert (line["closed_until"] - line["failed_at"]).total_seconds() >= 6.9
    assert await sql.fetchval(QUEUED) == 1
    rows = await sql.fetch(ROW, cafe.tenant.id)
    assert [row["delivered_version"] < row["version"] for row in rows] == [True, True]
    Album.state = "good"
    assert (await make_till(pizza).sale()).status == 200
    await run_jobs()
    assert [told.serial for told in Album.told] == [neighbour.serial]
    Album.told.clear()
    await sql.execute(REOPEN)
    await hurry(database)
    await run_jobs()
    assert [(told.serial, shown(told, "stamps.count")) for told in Album.told] == [
        (theirs.serial, "1/10"),
        (mine.serial, "3/10"),
    ]
    assert await sql.fetchval(QUEUED) == 0
    line = (await sql.fetch(LINE, cafe.tenant.id))[0]
    assert (line["failures"], line["fault"], line["closed_until"]) == (0, "", None)


async def test_what_changes_while_phones_are_told_is_told_once_more(
    issue: Any, make_till: Any, run_jobs: Any, cafe: World
) -> None:
    """J6: k changes during one delivery make one more, and the last state comes last."""
    await issue(cafe)
    Album.gate, Album.called = asyncio.Event(), asyncio.Event()
    till = make_till(cafe)
    await till.sale()
    slow = asyncio.create_task(run_jobs())
    await Album.called.wait()
    for _ in range(3):
        await till.sale()
    await run_jobs()
    assert Album.calls == 1
    Album.gate.set()
    await slow
    assert [shown(told, "stamps.count") for told in Album.told] == ["1/10", "4/10"]


@pytest.mark.parametrize("state", ["faulty", "broken"])
async def test_a_pass_or_a_plugin_at_fault_is_noted(
    issue: Any, make_till: Any, run_jobs: Any, cafe: World, sql: Connection, state: Any
) -> None:
    await issue(cafe)
    Album.state = state
    assert (await make_till(cafe).sale()).status == 200
    assert ("album.refresh", "done") in await run_jobs()
    row, line = (await sql.fetch(ROW, cafe.tenant.id))[0], (await sql.fetch(LINE, cafe.tenant.id))[0]
    is_stale = row["delivered_version"] < row["version"]
    assert (row["fault"], row["failures"], is_stale) == ("no glue" if state == "faulty" else "", 1, state == "broken")
    assert line["failures"] == (1 if state == "broken" else 0)


async def test_a_blocked_card_is_void_in_the_phone(issue: Any, run_jobs: Any, database: Database, cafe: World) -> None:
    one = await issue(cafe)
    async with database.tenant(cafe.tenant.id) as session:
        await cards.set_status(session, cafe.context(), cafe.card.id, "blocked")
    await run_jobs()
    assert [(told.serial, told.card.state) for told in Album.told] == [(one.serial, "void")]


async def test_a_merged_card_shows_the_one_that_stays_and_parts_again(
    issue: Any, make_till: Any, run_jobs: Any, cafe: World
) -> None:
    twin = await cafe.add_card("twin@example.com")
    till = make_till(cafe)
    await till.sale(card=twin)
    leading = await issue(cafe, twin)
    await till.merge(twin, cafe.card)
    await till.sale()
    await run_jobs()
    assert (Album.told[-1].serial, shown(Album.told[-1], "stamps.count")) == (leading.serial, "2/10")
    assert Album.told[-1].card.number == (await issue(cafe)).card.number


async def test_a_household_hears_of_each_others_stamps(
    issue: Any, make_till: Any, run_jobs: Any, database: Database, cafe: World
) -> None:
    from regulars.domain.households import service as households

    await cafe.allow_households(2)
    friend = await cafe.add_card("friend@example.com")
    one = await issue(cafe)
    async with database.tenant(cafe.tenant.id) as session:
        household = await households.add(session, cafe.context(), cafe.card.id, friend.id)
    await make_till(cafe).sale(2, card=friend)
    await run_jobs()
    assert (Album.told[-1].serial, shown(Album.told[-1], "stamps.count")) == (one.serial, "2/10")
    async with database.tenant(cafe.tenant.id) as session:
        await households.leave(session, cafe.context(), household, friend.id)
    await run_jobs()
    assert shown(Album.told[-1], "stamps.count") == "0/10"


async def test_versions_become_visible_in_their_order(
    issue: Any, passes: WalletPasses, database: Database, cafe: World
) -> None:
    """Whoever has seen a version has seen all before it: a later one waits for the one that is being written."""
    friend = await cafe.add_card("friend@example.com")
    first = await issue(cafe)
    tenant = cafe.tenant.id
    async with database.tenant(tenant) as slow:
        early = await passes.issue(slow, cafe.context(), WALLET, friend.id)
        third = await cafe.add_card("third@example.com")
        late = asyncio.create_task(issue(cafe, third))
        done, _ = await asyncio.wait({late}, timeout=0.2)
        assert done == set()
    assert first.version < early.version < (await late).version


async def test_sync_finds_what_no_event_told(
    issue: Any, run_jobs: Any, database: Database, cafe: World, sql: Connection
) -> None:
    from regulars.domain.wallets.soon import sync_soon

    await issue(cafe)
    await sql.execute("UPDATE core.tenant SET name = 'Café Neu' WHERE id = $1", cafe.tenant.id)
    for _ in range(2):
        async with database.tenant(cafe.tenant.id) as session:
            await sync_soon(session)
        await run_jobs()
    assert [told.card.merchant for told in Album.told] == ["Café Neu"]


async def test_a_new_look_and_new_rules_reach_phones_at_once(
    issue: Any, run_jobs: Any, database: Database, registry: PluginRegistry, cafe: World, pizza: World, sql: Connection
) -> None:
    await issue(cafe)
    queued = "SELECT count(*) FROM core.job WHERE tenant_id = $1 AND name = 'core.sync_wallet_passes'"
    for world in (cafe, pizza):
        owner, look = acting(world, "owner"), replace(world.tenant.branding, primary_color="#0f766e")
        async with database.tenant(world.tenant.id) as session:
            await set_branding(session, owner, "Neu", look)
            await changes.record(session, owner, registry, world.program_id, {"stamps": {"target": 12}})
    assert await sql.fetchval(queued, pizza.tenant.id) == 0, "nobody there has a pass"
    await run_jobs()
    assert [(told.card.merchant, told.card.look.background) for told in Album.told] == [("Neu", "#0f766e")]


async def test_phones_are_counted(issue: Any, passes: WalletPasses, database: Database, cafe: World, sql: Any) -> None:
    one = await issue(cafe)
    seen = []
    for copies in (2, 1, 0, 0):
        async with database.tenant(cafe.tenant.id) as session:
            await passes.installed(session, WALLET, one.serial, copies)
        row = (await sql.fetch(ROW, cafe.tenant.id))[0]
        seen.append((row["copies"], row["installed_at"] is not None, row["removed_at"] is not None))
    assert seen == [(2, True, False), (1, True, False), (0, True, True), (0, True, True)]


async def test_the_customer_gets_the_pass(web: WebServer, visit: Any, cafe: World, pizza: World) -> None:
    member = await visit(cafe, "member")
    answer = await member.get("/card/wallet/album")
    assert (answer.status_code, answer.headers["Location"][:22]) == (303, "https://album.example/")
    assert (await member.get("/card/wallet/other")).status_code == 404
    foreign = ids.show(ids.CARD, pizza.card.id)
    assert (await member.get(f"/card/wallet/album?card={foreign}")).status_code == 404
    assert (await web.at(cafe.host).get("/card/wallet/album")).status_code == 303
    assert "album.example" not in (await web.at(cafe.host).get("/card/wallet/album")).headers["Location"]


async def test_the_address_for_others_is_bare_where_nothing_is(
    web: WebServer, config: Config, cafe: World, pizza: World, sql: Connection
) -> None:
    """Unknown token, another plugin's, a suspended tenant: the same, whatever the method, without cookie or body."""
    tokens = HookTokens(config.encryption_key)
    token = tokens.of(NAME := album.NAME, cafe.tenant.id)
    assert (len(token), tokens.read(NAME, token), tokens.read("stamps", token)) == (43, cafe.tenant.id, None)
    assert tokens.read(NAME, tokens.of(NAME, pizza.tenant.id)) == pizza.tenant.id
    bare = web.at(config.base_domain)
    wrong = [f"/hooks/{NAME}/{token[:-1]}x/a", f"/hooks/stamps/{token}/a", "/hooks/a", f"/hooks/{NAME}/{token}"]
    found = set()
    for path in wrong:
        for method in ("GET", "POST", "DELETE", "BREW"):
            answer = await bare.client.request(method, path, headers={"Origin": "https://elsewhere.example"})
            found.add((answer.status_code, answer.content, "set-cookie" in answer.headers))
    assert found == {(404, b"", False)}


PHONES = {
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148": False,
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)": True,
}


async def test_buttons_are_there_where_a_wallet_is_ready(web: WebServer, visit: Any, cafe: World) -> None:
    """On a computer a code leads to the phone; where the wallet is not ready, nothing speaks of it."""
    member = await visit(cafe, "member")
    for device, has_code in PHONES.items():
        text = (await member.get("/card", headers={"User-Agent": device})).text
        assert text.count("/card/wallet/album?card=card_") == 1
        assert "Add to Paper Album" in text
        assert ("Take it to your phone" in text) == has_code
    Album.state = "missing"
    assert "album" not in (await member.get("/card")).text.casefold()
    assert (await member.get("/card/wallet/album")).status_code == 404
    assert (await web.at(cafe.host).get("/")).status_code == 200


async def test_the_merchant_sees_how_passes_do_and_sends_them_again(
    issue: Any,
    make_till: Any,
    run_jobs: Any,
    passes: WalletPasses,
    database: Database,
    visit: Any,
    sql: Connection,
    cafe: World,
    pizza: World,
) -> None:
    one, _neighbour = await issue(cafe), await issue(pizza)
    async with database.tenant(cafe.tenant.id) as session:
        await passes.installed(session, WALLET, one.serial, 1)
    Album.state = "faulty"
    await make_till(cafe).sale()
    await run_jobs()
    manager = await visit(cafe, "manager")
    page = (await manager.get("/manage/wallets")).text
    figures = re.findall(TILE, page, re.DOTALL)
    assert figures == [("installed", "1"), ("removed", "0"), ("stale", "0"), ("faulty", "1")]
    listed = (await manager.get("/manage/wallets/passes?wallet=album&show=faulty")).text
    assert (listed.count("no glue"), listed.count('<td class="primary">')) == (1, 1)
    assert "No pass fits" in (await manager.get("/manage/wallets/passes?show=stale&wallet=album")).text
    file = await manager.submit("/manage/wallets/passes/export", {"show": "faulty"})
    assert [row[4] for row in csv.reader(file.text.splitlines()[1:])] == ["Faulty"]
    Album.state = "good"
    Album.told.clear()
    assert (await manager.submit("/manage/wallets/resync", {"wallet": WALLET})).status_code == 303
    assert "All passes are being looked at" in (await manager.get("/manage/wallets")).text
    await run_jobs()
    assert [told.serial for told in Album.told] == [one.serial]
    assert (await sql.fetch(ROW, cafe.tenant.id))[0]["fault"] == ""
    assert (await manager.submit("/manage/wallets/resync", {"wallet": "other"})).status_code == 404
    done = await sql.fetch(DONE, cafe.tenant.id)
    assert [row["action"] for row in done] == ["wallet.pass_made", "wallet.exported", "wallet.sent_again"]
    staff = await visit(cafe, "staff")
    assert (await staff.get("/manage/wallets")).status_code == 403


async def test_owners_hear_in_time_that_their_certificate_ends(
    database: Database, run_jobs: Any, mails: Any, make_world: MakeWorld
) -> None:
    """Once at thirty, seven and one day, whoever looks and however often."""
    cafe = await make_world("cafe", staff=(("Olga", "owner", "4711"), ("Ben", "manager", "2580")))
    counts = []
    for days in (40, 29, 29, 8, 6, 1, 0.5, -1):
        Album.ends = NOW + timedelta(days=days)
        async with database.tenant(cafe.tenant.id) as session:
            await enqueue(session, "core.watch_certificates", {})
        await run_jobs()
        counts.append(len([one for one in await mails() if one.template == "mails/wallet"]))
    assert counts == [0, 1, 1, 2, 3, 4, 5, 5]
    assert {one.subject for one in await mails() if one.template == "mails/wallet"} == {
        "Your certificate for Paper Album ends soon"
    }


@pytest.mark.parametrize(
    ("days", "alarm"), [(31, None), (30, 30), (8, 30), (7, 7), (1.5, 7), (1, 1), (0.1, 1), (0, None)]
)
def test_alarms_are_thirty_seven_and_one_day_before(days: float, alarm: int | None) -> None:
    assert alarm_of(NOW + timedelta(days=days), NOW) == alarm
