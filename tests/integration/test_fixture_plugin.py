"""One of everything that a plugin can bring: it has its effect where the plugin is on, and none where it is off."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
import sys
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, get_args

import httpx
import pytest
from asyncpg import Connection, connect
from test_wheel import ROOT, build

from regulars.app import create_app
from regulars.contracts import events as host_events
from regulars.contracts.events import AwardTakenBack, Event, RedemptionMoved, SaleRefunded, UnitsExpiring
from regulars.contracts.hookspecs import HookSpecs
from regulars.contracts.manifest import Area, Plugin, ProviderKind
from regulars.contracts.slots import Slot
from regulars.domain.households import service as households
from regulars.domain.jobs import make_job_registry
from regulars.domain.ledger.commands import Claim
from regulars.domain.ledger.process import make_ledger
from regulars.domain.merges.service import MergeCommand, Merges, of_member
from regulars.kernel import ids
from regulars.kernel.config import Config, load_config
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import Database
from regulars.kernel.hook_tokens import HookTokens
from regulars.kernel.jobs.clockwork import Clockwork
from regulars.kernel.migrate import upgrade
from regulars.kernel.migrate.targets import all_targets
from regulars.kernel.plugins.discovery import discover
from regulars.kernel.plugins.loader import load_plugins
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.settings import describe_form
from regulars.kernel.settings.forms import FieldKind
from regulars.testing.aftermath import make_run_jobs
from regulars.testing.conformance import Conformance
from regulars.testing.contexts import NOON
from regulars.testing.environment import environment
from regulars.testing.jobs import hurry
from regulars.testing.plugin import Servers
from regulars.testing.principals import sign_in
from regulars.testing.till import Till
from regulars.testing.web import Browser, WebServer, serving
from regulars.testing.world import HOST_FEATURES, PLUGINS, World, make_tenant

NAME = "sampler"
STORE = "/api/v1/store/loyalty"
SWITCH = (
    "INSERT INTO core.tenant_plugin (tenant_id, plugin, switched_on) VALUES ($1, 'sampler', $2) "
    "ON CONFLICT (tenant_id, plugin) DO UPDATE SET switched_on = excluded.switched_on"
)
ANNOUNCE = "INSERT INTO core.outbox_event (tenant_id, id, name, version, payload) VALUES ($1, $2, $3, $4, $5::jsonb)"
GERMAN_TOO = """UPDATE core.tenant SET locales = '["en", "de"]' WHERE id = $1"""
TEAM = (("Anna", "staff", "3690"), ("Ben", "manager", "2580"), ("Max", "staff", "1111"))
OFFER: dict[str, Any] = {
    "offering": "samples",
    "features": (*PLUGINS, NAME, "sampler.extra", *HOST_FEATURES, "api_access"),
    "limits": {"shops": None, "programs": None, "sampler.samples": 7},
    "staff": TEAM,
}
HOST_EVENTS = sorted(name for name, kind in host_events.EVENT_TYPES.items() if kind.__module__ == host_events.__name__)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PluginRegistry]:
    """The bundled plugins and the fixture, a real distribution that is installed into a folder of its own."""
    site, wheels = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("wheels")
    with zipfile.ZipFile(build(ROOT / "tests" / "fixture_plugin", wheels)) as wheel:
        wheel.extractall(site)
    sys.path.insert(0, str(site))
    importlib.invalidate_caches()
    try:
        bundled = [found.name for found in discover() if found.ours]
        yield load_plugins(allowed=[*bundled, NAME])
    finally:
        sys.path.remove(str(site))


@pytest.fixture(scope="module")
def template(servers: Servers, registry: PluginRegistry) -> str:
    async def make() -> None:
        await upgrade((await servers.postgres.create_database("sampler")).migrator, all_targets(registry))

    asyncio.run(make())
    return "sampler"


@pytest.fixture
def make_world(config: Config, registry: PluginRegistry) -> Callable[..., Awaitable[World]]:
    async def make(slug: str, **options: Any) -> World:
        return await make_tenant(config, slug, **{**OFFER, "plugins": registry.names, **options})

    return make


class TestConformance(Conformance):
    plugin = NAME


@dataclass
class Shop:
    """A tenant where everything has happened that can have an effect.

    Attributes:
        told: what the API has answered.
    """

    world: World
    sql: Connection
    key: Browser
    manager: Browser
    staff: Browser
    member: Browser
    told: dict[str, httpx.Response] = dataclasses.field(default_factory=dict)

    async def one(self, query: str) -> Any:
        """The first value of a query with the tenant as its parameter."""
        return await self.sql.fetchval(query, self.world.tenant.id)


async def open_shop(scene: Scene, slug: str, *, on: bool) -> Shop:
    world = await make_tenant(scene.config, slug, **OFFER, plugins=scene.registry.names)
    await world.set_settings("antifraud", cooldown_minutes=0, max_daily_stamps=1000)
    await scene.sql.execute(SWITCH, world.tenant.id, on)
    await scene.sql.execute(GERMAN_TOO, world.tenant.id)
    if not on:
        world.tenant = dataclasses.replace(world.tenant, enabled=world.tenant.enabled - {NAME})
    visitors = {}
    for role in ("manager", "staff", "member"):
        cookie, token = await sign_in(scene.database, scene.registry, world, role)
        visitors[role] = scene.web.at(world.host)
        visitors[role].client.cookies.set(cookie, token)
    key = scene.web.at(world.host, authorization=f"Bearer {world.api_key}")
    shop = Shop(world, scene.sql, key, **visitors)
    await live(scene, shop, on=on)
    return shop


async def live(scene: Scene, shop: Shop, *, on: bool) -> None:
    """Enrol, sell, undo, redeem, undo, lock a PIN: everything that is announced."""
    till = Till(shop.world, scene.database, make_ledger(scene.config, scene.registry))
    await till.enrol("new@example.com")
    assert (await till.sale(1)).status == 200
    assert (await till.undo()).status == 200
    assert (await till.sale(10 if not on else 5)).status == 200
    assert (await till.sale(5)).status == 200
    assert (await till.redeem()).status == 200
    assert (await till.undo()).status == 200
    for _ in range(5):
        await till.sale(staff=shop.world.staff[2], pin="0000")
    for event in told_elsewhere(shop.world):
        row = (shop.world.tenant.id, new_id(), event.name, event.version, event.model_dump_json())
        await scene.sql.execute(ANNOUNCE, *row)
    paths = {"six": ("stamp", {"quantity": 6}), "earn": ("sample", {}), "redeem": ("sample/redeem", {})}
    paths["gold"] = ("sample/redeem", {"reward": "sampler.badge/gold"})
    for name, (path, more) in paths.items():
        body, headers = shop.world.till_body(**more), {"Idempotency-Key": f"{name}-{shop.world.host}"}
        shop.told[name] = await shop.key.post(f"{STORE}/{path}", json=body, headers=headers)
    await merge_and_undo(scene, shop, till)
    await share_and_leave(scene, shop)


async def merge_and_undo(scene: Scene, shop: Shop, till: Till) -> None:
    """Two cards become one, and two again."""
    twin, merging = await shop.world.add_card("twin@example.com"), Merges(till.ledger)
    ctx, tenant_id = shop.world.context(), shop.world.tenant.id
    command = MergeCommand(Claim("staff:test", "merge", b""), twin.member_id, shop.world.card.member_id, "a test")
    async with scene.database.tenant(tenant_id) as session:
        await merging.merge(session, ctx, command)
    async with scene.database.tenant(tenant_id) as session:
        (merge,) = await of_member(session, ctx, shop.world.card.member_id)
        await merging.unmerge(session, ctx, Claim("staff:test", "unmerge", b""), merge.id)


async def share_and_leave(scene: Scene, shop: Shop) -> None:
    """Two cards become a household, and one of them leaves it."""
    await shop.world.allow_households(2)
    friend, ctx, tenant_id = await shop.world.add_card("friend@example.com"), shop.world.context(), shop.world.tenant.id
    async with scene.database.tenant(tenant_id) as session:
        household_id = await households.add(session, ctx, shop.world.card.id, friend.id)
        await households.leave(session, ctx, household_id, friend.id)


def told_elsewhere(world: World) -> list[Event]:
    """What takes another day or another person; tests of refunds, redemptions and expiry cause them for real."""
    return [
        SaleRefunded(refund_id=new_id(), sale_id=new_id(), card_id=world.card.id, is_whole=True),
        RedemptionMoved(redemption_id=new_id(), card_id=world.card.id, status="captured", fulfilment="none"),
        AwardTakenBack(card_id=world.card.id, key="birthday"),
        UnitsExpiring(card_id=world.card.id, unit="stamps", amount=1, expires_at=NOON),
    ]


@dataclass
class Scene:
    config: Config
    registry: PluginRegistry
    database: Database
    sql: Connection
    web: WebServer
    shops: dict[bool, Shop]


@pytest.fixture(scope="module")
async def scene(
    servers: Servers, registry: PluginRegistry, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Scene]:
    urls = await servers.postgres.create_database("sampler_scene", template)
    variables = environment(urls, servers.redis.url, tmp_path_factory.mktemp("data"), sorted(registry.names))
    config = load_config(variables)
    database, sql = Database(config), await connect(urls.migrator.replace("+asyncpg", ""))
    async with serving(create_app(config, registry=registry)) as web:
        made = Scene(config, registry, database, sql, web, {})
        made.shops = {True: await open_shop(made, "cafe", on=True), False: await open_shop(made, "pizza", on=False)}
        await Clockwork(database, make_job_registry(registry)).run()
        await hurry(database)
        await make_run_jobs(config, registry, database)()
        yield made
    await sql.close()
    await database.close()


async def shows(visitor: Browser, path: str, mark: str) -> bool:
    answer = await visitor.get(path)
    return answer.status_code == 200 and f'data-sampler="{mark}"' in answer.text


def noted(text: str) -> Callable[[Shop], Awaitable[bool]]:
    async def seen(shop: Shop) -> bool:
        query = "SELECT count(*) FROM plg_sampler.note WHERE tenant_id = $1 AND text = $2"
        return await shop.sql.fetchval(query, shop.world.tenant.id, text) > 0

    return seen


async def merges(shop: Shop) -> bool:
    query = "SELECT text FROM plg_sampler.note WHERE tenant_id = $1 AND text LIKE '%merged: %' ORDER BY id"
    found = [row[0] for row in await shop.sql.fetch(query, shop.world.tenant.id)]
    return found == ["merged: 4 and 0", "unmerged: 4 and 0"]


async def refuses(shop: Shop) -> bool:
    return shop.told["six"].json().get("code") == "sampler.too_many"


async def refuses_gold(shop: Shop) -> bool:
    return shop.told["gold"].json().get("code") == "sampler.no_gold"


async def steps_in(shop: Shop) -> bool:
    query = "SELECT min(explanation->'steps'->0->>'message') FROM core.ledger_entry WHERE tenant_id = $1"
    return await shop.one(query) == "The sampler has looked at it."


async def caps(shop: Shop) -> bool:
    query = "SELECT min(explanation->'steps'->1->>'message') FROM core.ledger_entry WHERE tenant_id = $1"
    return await shop.one(query) == "Ten samples are enough."


async def gives(shop: Shop) -> bool:
    return await shop.one("SELECT sum(amount) FROM core.ledger_entry WHERE tenant_id = $1 AND unit = 'samples'") == 20


async def knows(shop: Shop) -> bool:
    query = "SELECT max((explanation->>'taken_before')::int) FROM core.ledger_entry WHERE tenant_id = $1"
    return await shop.one(query) == 3


async def asks_by_its_settings(shop: Shop) -> bool:
    query = "SELECT DISTINCT (explanation->>'most')::int FROM core.ledger_entry WHERE tenant_id = $1 AND kind = 'earn'"
    found = await shop.sql.fetch(f"{query} AND unit = 'samples'", shop.world.tenant.id)
    return [row[0] for row in found] == [5]


async def groups(shop: Shop) -> bool:
    query = "SELECT explanation->>'segments' FROM core.ledger_entry WHERE tenant_id = $1 AND kind = 'earn'"
    found = await shop.sql.fetch(f"{query} AND unit = 'samples' ORDER BY created_at", shop.world.tenant.id)
    return [row[0] for row in found] == ["[]", '["fan"]', '["fan"]', '["fan"]']


async def writes(shop: Shop) -> bool:
    return await shop.one("SELECT count(*) FROM plg_sampler.sample WHERE tenant_id = $1 AND state = 'taken'") == 3


async def takes_back(shop: Shop) -> bool:
    return await shop.one("SELECT count(*) FROM plg_sampler.sample WHERE tenant_id = $1 AND state = 'given_back'") == 1


async def announces(shop: Shop) -> bool:
    query = "SELECT count(*) FROM core.outbox_event WHERE tenant_id = $1 AND name = 'sampler.taken'"
    return await shop.one(query) == 4


async def earns_by_its_path(shop: Shop) -> bool:
    answer = shop.told["earn"]
    return answer.status_code == 200 and answer.json() == {"samples": 22}


async def redeems(shop: Shop) -> bool:
    query = "SELECT max(reward_kind) FROM core.redemption WHERE tenant_id = $1 AND unit = 'samples'"
    return shop.told["redeem"].status_code == 200 and await shop.one(query) == "sampler.badge"


async def previews(shop: Shop) -> bool:
    answer = await shop.manager.submit("/manage/program/preview", {})
    return 'data-sampler="manage.program_preview"' in answer.text


async def leaf_of(shop: Shop) -> str:
    answer = await shop.member.get("/card/wallet/album")
    return answer.text if answer.status_code == 200 else ""


async def fills_passes(shop: Shop) -> bool:
    return "sampler.count=" in await leaf_of(shop)


async def keeps_passes(shop: Shop) -> bool:
    return bool(await leaf_of(shop))


async def hears_others(shop: Shop) -> bool:
    """At the address of its tenant, on the host of the platform."""
    config, tenant = shop.world.config, shop.world.tenant
    path = f"/hooks/{NAME}/{HookTokens(config.encryption_key).of(NAME, tenant.id)}/echo/hello"
    answer = await shop.key._server.at(config.base_domain).post(path, content=b"{}")
    return answer.text == f"hello {tenant.slug}"


async def is_in_the_menu(shop: Shop) -> bool:
    return "/manage/p/sampler/" in (await shop.manager.get("/manage")).text


async def is_forbidden_to_staff(shop: Shop) -> bool:
    return (await shop.staff.get("/manage/p/sampler/")).status_code == 403


async def has_settings(shop: Shop) -> bool:
    return 'name="sampler.label"' in (await shop.manager.get("/manage/program")).text


async def has_a_static_file(shop: Shop) -> bool:
    from regulars.web.services import EXTENSION

    path = shop.key._server.app.extensions[EXTENSION].assets.plugin_url(NAME, "dot.svg")
    return (await shop.member.get(path)).status_code == 200


async def speaks_german(shop: Shop) -> bool:
    answer = await shop.member.get("/p/sampler/?lang=de")
    return "Proben" in answer.text


async def mails(shop: Shop) -> bool:
    query = "SELECT count(*) FROM core.mail WHERE tenant_id = $1 AND template = 'sampler/mail'"
    return await shop.one(query) == 4


def answers(path: str) -> Callable[[Shop], Awaitable[bool]]:
    async def counts(shop: Shop) -> bool:
        answer = await shop.key.get(path)
        return answer.status_code == 200 and answer.json()["samples"] > 0

    return counts


def page(role: str, path: str, mark: str) -> Callable[[Shop], Awaitable[bool]]:
    return lambda shop: shows(getattr(shop, role), path, mark)


async def at_the_till(shop: Shop) -> bool:
    return await shows(shop.staff, f"/terminal/cards/{ids.show(ids.CARD, shop.world.card.id)}", "terminal.card")


EFFECTS: dict[str, Callable[[Shop], Awaitable[bool]]] = {
    "hook check_earn": refuses,
    "hook earn": gives,
    "hook adjust_earn": steps_in,
    "hook cap_earn": caps,
    "hook check_redemption": refuses_gold,
    "hook redemption_posted": noted("redemption"),
    "hook sale_posted": writes,
    "hook reversal_posted": takes_back,
    "hook member_merged": merges,
    "fact": knows,
    "fact of settings": asks_by_its_settings,
    "event sampler.taken": announces,
    "slot portal.card": page("member", "/card", "portal.card"),
    "slot terminal.card": at_the_till,
    "slot manage.program_preview": previews,
    "provider unit": earns_by_its_path,
    "provider reward": redeems,
    "provider segment": groups,
    "area portal": page("member", "/p/sampler/", "portal"),
    "area terminal": page("staff", "/terminal/p/sampler/", "terminal"),
    "area manage": page("manager", "/manage/p/sampler/", "manage"),
    "area store_api": answers(f"{STORE}/sampler/count"),
    "area storefront_api": answers("/api/v1/storefront/loyalty/sampler/count"),
    "area hooks": hears_others,
    "hook wallet_fields": fills_passes,
    "provider wallet": keeps_passes,
    "menu": is_in_the_menu,
    "permission": is_forbidden_to_staff,
    "feature": page("manager", "/manage/p/sampler/", "extra"),
    "limit": page("manager", "/manage/p/sampler/", "limit"),
    "settings": has_settings,
    "static file": has_a_static_file,
    "language": speaks_german,
    "mail": mails,
    "job by the clock": noted("clock"),
    "subscription sampler.taken": noted("sampler.taken"),
    **{f"subscription {name}": noted(name) for name in HOST_EVENTS},
}
"""What → whether it can be seen in a shop."""


@pytest.mark.parametrize("what", EFFECTS)
async def test_it_is_there_where_it_is_on_and_gone_where_it_is_off(scene: Scene, what: str) -> None:
    seen = {on: await EFFECTS[what](shop) for on, shop in scene.shops.items()}
    assert seen == {True: True, False: False}


async def test_switched_off_it_is_gone_at_once_and_back_as_it_was(scene: Scene) -> None:
    """What a request shows; rows stay."""
    shop = scene.shops[True]
    shown = [what for what in EFFECTS if what.startswith(("slot", "area", "menu", "permission", "feature", "settings"))]
    for on in (False, True):
        await scene.sql.execute(SWITCH, shop.world.tenant.id, on)
        async with asyncio.timeout(5):
            while await is_in_the_menu(shop) != on:
                await asyncio.sleep(0.01)
        assert {what: await EFFECTS[what](shop) for what in shown} == dict.fromkeys(shown, on)
    assert await writes(shop)


def test_it_is_complete(registry: PluginRegistry) -> None:
    """Whatever exists is implemented by the fixture, and has an effect that is looked at."""
    plugin = registry.plugin(NAME)
    hooks = [name for name in vars(HookSpecs) if not name.startswith("_")]
    kinds = sorted(get_args(ProviderKind))
    assert [hook for hook in hooks if not hasattr(plugin.hooks, hook)] == []
    assert {ref.slot for ref in plugin.manifest.slots} == set(Slot)
    assert sorted(ref.kind for ref in plugin.manifest.providers) == kinds
    assert {ref.area for ref in plugin.manifest.blueprints} == set(get_args(Area))
    events = {one.event for one in plugin.manifest.subscriptions}
    assert events == {*HOST_EVENTS, "sampler.taken"}
    assert plugin.settings_model is not None
    assert {field.kind for field in describe_form(plugin.settings_model()).fields()} == set(get_args(FieldKind))
    unused = [one.name for one in dataclasses.fields(Plugin) if not getattr(plugin.manifest, one.name)]
    assert unused == []
    assert None not in (plugin.templates, plugin.static, plugin.locale, plugin.migrations)
    named = [f"hook {hook}" for hook in hooks] + [f"slot {slot.value}" for slot in Slot]
    named += [f"provider {kind}" for kind in kinds] + [f"area {area}" for area in get_args(Area)]
    named += [f"subscription {name}" for name in HOST_EVENTS]
    assert [name for name in named if name not in EFFECTS] == []
