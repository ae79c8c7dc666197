"""What a merchant changes of the own tenant, and the audit log that merchants read."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from regulars.contracts.context import Branding, Context, Principal
from regulars.contracts.errors import FeatureNotInOffering, Forbidden, InvalidInput, LimitReached
from regulars.contracts.paging import PageRequest
from regulars.domain.audit.actors import SYSTEM
from regulars.domain.audit.service import AuditFilter, list_lines, record
from regulars.domain.staff.permissions import PERMISSIONS
from regulars.domain.tenants import overrides, self_service
from regulars.domain.tenants.catalogue import Catalogue
from regulars.domain.tenants.features import FEATURE_NAMES
from regulars.domain.tenants.limits import require_room
from regulars.domain.tenants.offerings import OfferingInfo, put_offering
from regulars.domain.tenants.overrides import Override
from regulars.domain.tenants.repository import fetch_snapshot
from regulars.kernel.db.database import Database
from regulars.kernel.entitlements import SnapshotBuilder
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.world import World

OWNER = Principal("staff", UUID(int=5), "Olaf", "owner", frozenset(PERMISSIONS))


def owner(world: World) -> Context:
    return world.context(source="manage", principal=OWNER)


async def snapshot(database: Database, registry: PluginRegistry, world: World):
    raw = await fetch_snapshot(database, world.host)
    return SnapshotBuilder(registry, FEATURE_NAMES).build(raw).snapshot


async def test_branding_and_languages(database: Database, registry: PluginRegistry, cafe: World, pizza: World) -> None:
    sign = Branding("#7a3e1d", "coffee", "logo-1.png", "Round the corner")
    before = await snapshot(database, registry, cafe)
    async with database.tenant(cafe.tenant.id) as session:
        await self_service.set_branding(session, owner(cafe), "Café du Coin", sign)
        await self_service.set_languages(session, owner(cafe), ("en", "lt"), "lt")
    after = await snapshot(database, registry, cafe)
    assert (after.name, after.branding, after.locales, after.default_locale) == (
        "Café du Coin",
        sign,
        ("en", "lt"),
        "lt",
    )
    assert after.revision > before.revision
    assert (await snapshot(database, registry, pizza)).name == "Pizza"
    async with database.tenant(cafe.tenant.id) as session:
        with pytest.raises(InvalidInput) as caught:
            await self_service.set_branding(session, owner(cafe), "", Branding("blue", "coffee"))
        assert set(caught.value.fields) == {"name", "primary_color"}
        with pytest.raises(InvalidInput):
            await self_service.set_languages(session, owner(cafe), (), "en")
        with pytest.raises(Forbidden):
            await self_service.set_branding(session, cafe.context(), "Mine", sign)


async def test_switching_a_plugin_off_and_on(database: Database, registry: PluginRegistry, cafe: World) -> None:
    catalogue = Catalogue.of(registry)
    for on, enabled in ((False, {"rewards", "stamps"}), (True, {"rewards", "stamps", "antifraud"})):
        async with database.tenant(cafe.tenant.id) as session:
            ctx = replace(owner(cafe), tenant=await snapshot(database, registry, cafe))
            await self_service.switch_plugin(session, ctx, catalogue, "antifraud", on=on)
        assert (await snapshot(database, registry, cafe)).enabled == enabled


async def test_a_plugin_that_is_not_sold_stays_off(database: Database, registry: PluginRegistry, cafe: World) -> None:
    catalogue = Catalogue.of(registry)
    async with database.platform("test") as session:
        deny = Override("deny", "antifraud")
        await overrides.put_override(session, catalogue, SYSTEM, cafe.tenant.id, deny, reason="test")
    async with database.tenant(cafe.tenant.id) as session:
        with pytest.raises(FeatureNotInOffering):
            await self_service.switch_plugin(session, owner(cafe), catalogue, "antifraud", on=True)
        with pytest.raises(InvalidInput):
            await self_service.switch_plugin(session, owner(cafe), catalogue, "teleport", on=True)
        with pytest.raises(Forbidden):
            await self_service.switch_plugin(session, cafe.context(), catalogue, "stamps", on=False)


async def test_a_limit_names_itself_and_the_offering_with_more(database: Database, cafe: World) -> None:
    async with database.platform("test") as session:
        for rank, code, shops in ((1, "everything", 1), (2, "middle", 10), (3, "large", None)):
            await put_offering(
                session, SYSTEM, OfferingInfo(code, code.title(), rank, frozenset(), {"shops": shops}), reason="t"
            )
    async with database.tenant(cafe.tenant.id) as session:

        async def ask(allowed: int | None, used: int) -> dict[str, object]:
            ctx = replace(owner(cafe), tenant=replace(cafe.tenant, offering="everything", limits={"shops": allowed}))
            with pytest.raises(LimitReached) as caught:
                await require_room(session, ctx, "shops", used)
            return caught.value.extra

        await require_room(session, owner(cafe), "shops", 10**6)
        assert await ask(1, 1) == {
            "limit": "shops",
            "used": 1,
            "allowed": 1,
            "offering": "everything",
            "included_in": "middle",
        }
        assert (await ask(10, 12))["included_in"] == "large"


async def test_the_log_is_the_tenants_own_and_nobody_changes_it(database: Database, cafe: World, pizza: World) -> None:
    for world in (cafe, pizza):
        async with database.tenant(world.tenant.id) as session:
            await record(session, owner(world), "shop.added", "shop", world.shop_id, {"shop": world.shop_id})
            await record(session, world.context(), "sale.refused", "card", world.card.id, outcome="refused")
    async with database.tenant(cafe.tenant.id) as session:
        everything = await list_lines(session, owner(cafe), AuditFilter(), PageRequest())
        assert [(line.action, line.outcome, line.subject_id) for line in everything.items] == [
            ("sale.refused", "refused", cafe.card.id),
            ("shop.added", "done", cafe.shop_id),
        ]
        shop = everything.items[1]
        assert (shop.actor_kind, shop.actor_name, shop.ip, shop.device, shop.request_id, shop.details) == (
            "staff",
            "Olaf",
            "192.0.2.1",
            "test",
            "req-test",
            {"shop": str(cafe.shop_id)},
        )
        for wanted, actions in (
            (AuditFilter(action="shop."), ["shop.added"]),
            (AuditFilter(actor="TIL"), ["sale.refused"]),
            (AuditFilter(action="member."), []),
        ):
            page = await list_lines(session, owner(cafe), wanted, PageRequest())
            assert ([line.action for line in page.items], page.total) == (actions, len(actions))
        second = await list_lines(session, owner(cafe), AuditFilter(), PageRequest(2, 1))
        assert ([line.action for line in second.items], second.total) == (["shop.added"], 2)
        with pytest.raises(Forbidden):
            await list_lines(session, cafe.context(), AuditFilter(), PageRequest())
    for statement in ("UPDATE core.audit_log SET action = 'x'", "DELETE FROM core.audit_log"):
        with pytest.raises(DBAPIError):
            async with database.platform("test") as session:
                await session.execute(text(statement))
