"""Tenants and switches hold: nobody sees another's rows, nobody opens a page that is not theirs, off means off."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import uuid4

from asyncpg import Connection
from sqlalchemy import text

from regulars.domain.staff.permissions import permissions_of
from regulars.kernel.db.database import Database
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.till import Till
from regulars.testing.web import WebServer
from regulars.testing.world import World
from regulars.web.api.toolkit import Operation, operation_of
from regulars.web.areas import PLUGIN_AREAS, STORE_API, plugin_blueprint
from regulars.web.toolkit import PageDoor, door_of

TEAM = (("Olga", "owner", "4711"), ("Ben", "manager", "2580"), ("Anna", "staff", "3690"))
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW")
SWITCH_OFF = "INSERT INTO core.tenant_plugin (tenant_id, plugin, switched_on) VALUES ($1, $2, false)"
OWN_SITE = {"Sec-Fetch-Site": "same-origin"}
MakeWorld = Callable[..., Awaitable[World]]
Visit = Callable[..., Awaitable[Any]]
STAFF_AREAS = {"manage", "terminal"}
ARGUMENT = re.compile(r"<(?:([^<>]*):)?\w+>")


@dataclass(frozen=True)
class Route:
    """An address of a plugin.

    Attributes:
        path: with made-up values for its arguments.
        has_arguments: whether there are any.
        door: who may come in; `None` where a view was made without the toolkit.
    """

    area: str
    method: str
    path: str
    has_arguments: bool
    door: PageDoor | Operation | None


def routes_of(web: WebServer, registry: PluginRegistry, plugin: str) -> Iterator[Route]:
    """The addresses of a plugin, units' paths included."""
    areas = {plugin_blueprint(plugin, PLUGIN_AREAS[ref.area]): ref.area for ref in _blueprints(registry, plugin)}
    paths = [f"{STORE_API}/{unit.path}" for unit in registry.plugin(plugin).units]
    for rule in web.app.url_map.iter_rules():
        area = areas.get(rule.endpoint.rpartition(".")[0])
        if area is None and not any(rule.rule == path or rule.rule.startswith(f"{path}/") for path in paths):
            continue
        view = web.app.view_functions[rule.endpoint]
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            door = door_of(view) or operation_of(view)
            yield Route(area or "store_api", method, _filled(rule.rule), bool(rule.arguments), door)


def _blueprints(registry: PluginRegistry, plugin: str) -> list[Any]:
    return [ref for name, ref in registry.blueprints if name == plugin]


def _filled(rule: str) -> str:
    """A rule's path with made-up values for its arguments."""
    return ARGUMENT.sub(lambda found: _value(found[1] or ""), rule)


def _value(converter: str) -> str:
    if converter.startswith("any"):
        return converter[4:-1].partition(",")[0].strip()
    return "1" if converter.startswith(("int", "float")) else str(uuid4())


class Isolation:
    """Tests over HTTP and of the database, with two tenants."""

    plugin: ClassVar[str]

    async def fill(self, till: Till) -> None:
        """Make rows of the plugin for a tenant; override it where a sale and an enrolment do not.

        Args:
            till: of the tenant.
        """
        await till.enrol(f"new@{till.world.tenant.slug}.example")
        await till.sale()

    async def test_views_say_who_may_open_them(self, web: WebServer, registry: PluginRegistry) -> None:
        """Every view is made by the toolkit; those of staff say so, and in `manage` name a permission that exists."""
        known = permissions_of("owner", registry.permissions)
        for route in routes_of(web, registry, self.plugin):
            assert route.door is not None, f"{route.path} is not made by `page` or `api`"
            if isinstance(route.door, PageDoor) and route.area in STAFF_AREAS:
                assert route.door.audience == "staff", route.path
                assert route.area != "manage" or route.door.permission in known, route.path

    async def test_roles_open_what_they_may(
        self, web: WebServer, registry: PluginRegistry, make_world: MakeWorld, visit: Visit
    ) -> None:
        """Whoever lacks the permission is refused; strangers are sent to the log-in; nothing breaks."""
        world = await make_world("cafe", staff=TEAM)
        pages = [
            r for r in routes_of(web, registry, self.plugin) if r.area in STAFF_AREAS and isinstance(r.door, PageDoor)
        ]
        stranger = web.at(world.host)
        for role in ("owner", "manager", "staff"):
            visitor, held = await visit(world, role), permissions_of(role, registry.permissions)
            for page in pages:
                assert isinstance(page.door, PageDoor)
                may = page.door.permission is None or page.door.permission in held
                status = (await visitor.send(page.method, page.path, headers=OWN_SITE)).status_code
                assert (status == 403) == (not may), f"{role}: {page.method} {page.path} → {status}"
                assert status < 500, f"{role}: {page.method} {page.path} → {status}"
        for page in pages:
            answer = await stranger.send(page.method, page.path, headers=OWN_SITE)
            assert answer.status_code == 303, f"stranger: {page.method} {page.path}"

    async def test_no_page_shows_another_tenants_people(
        self, web: WebServer, registry: PluginRegistry, make_world: MakeWorld, make_till: Any, visit: Visit
    ) -> None:
        """Both tenants are filled; no page of one names anybody of the other, and no session crosses over."""
        cafe, pizza = await make_world("cafe", staff=TEAM), await make_world("pizza", staff=TEAM)
        for world in (cafe, pizza):
            await self.fill(make_till(world))
        owner = await visit(cafe, "owner")
        elsewhere = web.at(pizza.host)
        elsewhere.client.cookies.update(owner.client.cookies)
        foreign = ("@pizza.example", pizza.card.number, str(pizza.card.id), str(pizza.card.member_id))
        for route in routes_of(web, registry, self.plugin):
            if route.method != "GET" or route.has_arguments:
                continue
            key = {"Authorization": f"Bearer {cafe.api_key}"} if route.area.endswith("_api") else {}
            answer = await owner.get(route.path, headers=key)
            assert [word for word in foreign if word in answer.text] == [], route.path
            if route.area in STAFF_AREAS:
                assert (await elsewhere.get(route.path)).status_code == 303, route.path

    async def test_a_session_sees_rows_of_its_own_tenant_only(
        self, registry: PluginRegistry, database: Database, cafe: World, pizza: World, make_till: Any
    ) -> None:
        """Even with SQL that asks for all of them."""
        for world in (cafe, pizza):
            await self.fill(make_till(world))
        for table in registry.plugin(self.plugin).tables:
            for world in (cafe, pizza):
                async with database.tenant(world.tenant.id) as session:
                    found = await session.rows(text(f"SELECT DISTINCT tenant_id FROM {table.fullname}"))  # noqa: S608
                assert {row.tenant_id for row in found} <= {world.tenant.id}, table.fullname

    async def test_off_means_off(
        self, web: WebServer, registry: PluginRegistry, make_world: MakeWorld, visit: Visit, sql: Connection
    ) -> None:
        """Where it is switched off, every address is unknown on every method, and so it is in the menu."""
        world = await make_world("cafe", staff=TEAM)
        await sql.execute(SWITCH_OFF, world.tenant.id, self.plugin)
        owner = await visit(world, "owner")
        for path in sorted({route.path for route in routes_of(web, registry, self.plugin)}):
            found = {
                method: (await owner.client.request(method, path, headers=OWN_SITE)).status_code for method in METHODS
            }
            assert found == dict.fromkeys(METHODS, 404), path
        assert f"/manage/p/{self.plugin}/" not in (await owner.get("/manage")).text
