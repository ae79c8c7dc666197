"""API keys of a tenant: shown once, scoped, revocable, and only where the offering has them."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from regulars.contracts.context import Context, Principal
from regulars.contracts.errors import FeatureNotInOffering, Forbidden, InvalidInput, NotFound
from regulars.contracts.paging import PageRequest
from regulars.domain.apikeys import service as apikeys
from regulars.domain.apikeys.service import NewKey
from regulars.domain.audit.actors import SYSTEM
from regulars.domain.audit.service import AuditFilter, list_lines
from regulars.domain.staff.permissions import PERMISSIONS
from regulars.domain.tenants.offerings import OfferingInfo, put_offering
from regulars.kernel.db.database import Credentials, Database
from regulars.kernel.keys import digest
from regulars.testing.world import World

OWNER = Principal("staff", UUID(int=5), "Olaf", "owner", frozenset(PERMISSIONS))
TILL = NewKey("Till 1", frozenset({"sales.record", "members.enrol"}))


def owner(world: World) -> Context:
    return world.context(source="manage", principal=OWNER)


async def test_a_key_is_shown_once_and_works_until_revoked(database: Database, cafe: World, pizza: World) -> None:
    async with database.tenant(cafe.tenant.id) as session:
        created = await apikeys.create(session, owner(cafe), TILL)
    assert created.key.startswith("rk_live_")
    credentials = Credentials(key_hash=digest(created.key))
    async with database.tenant(cafe.tenant.id, credentials) as session:
        who = session.principal
        assert (who.kind, who.id, who.name, who.permissions) == (
            "api_key",
            created.id,
            "Till 1",
            ["members.enrol", "sales.record"],
        )
        listed = (await apikeys.list_keys(session, owner(cafe)))[0]
        assert (listed.prefix, listed.revoked_at) == (created.key[:14], None)
        assert created.key not in str(listed)
    async with database.tenant(pizza.tenant.id, credentials) as session:
        assert session.principal.kind is None
        with pytest.raises(NotFound):
            await apikeys.revoke(session, owner(pizza), created.id)
    async with database.tenant(cafe.tenant.id) as session:
        await apikeys.revoke(session, owner(cafe), created.id)
        with pytest.raises(NotFound):
            await apikeys.revoke(session, owner(cafe), created.id)
    async with database.tenant(cafe.tenant.id, credentials) as session:
        assert session.principal.kind is None
        lines = (await list_lines(session, owner(cafe), AuditFilter(action="apikey."), PageRequest())).items
    assert [(line.action, line.actor_name, line.subject_id) for line in lines] == [
        ("apikey.revoked", "Olaf", created.id),
        ("apikey.created", "Olaf", created.id),
    ]
    assert created.key not in str(lines)


async def test_a_sandbox_has_test_keys(database: Database, cafe: World) -> None:
    sandbox = replace(cafe.tenant, live_tenant_id=UUID(int=1))
    async with database.tenant(cafe.tenant.id) as session:
        created = await apikeys.create(session, replace(owner(cafe), tenant=sandbox), TILL)
    assert created.key.startswith("rk_test_")


async def test_the_refusal_names_the_offering_that_has_keys(database: Database, cafe: World) -> None:
    async with database.platform("test") as session:
        for rank, code in ((2, "silver"), (3, "gold")):
            offering = OfferingInfo(code, code.title(), rank, frozenset({"api_access"}), {})
            await put_offering(session, SYSTEM, offering, reason="test")
        basic = OfferingInfo("everything", "Basic", 1, frozenset(), {})
        await put_offering(session, SYSTEM, basic, reason="test")
    without = replace(cafe.tenant, features=frozenset({"stamps"}))
    async with database.tenant(cafe.tenant.id) as session:
        with pytest.raises(FeatureNotInOffering) as caught:
            await apikeys.create(session, replace(owner(cafe), tenant=without), TILL)
    assert caught.value.extra == {"feature": "api_access", "offering": "everything", "included_in": "silver"}
    assert caught.value.detail == "Your offering does not include this; it is part of Silver."


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (NewKey("", TILL.permissions), "name"),
        (NewKey("x" * 81, TILL.permissions), "name"),
        (NewKey("x", frozenset()), "permissions"),
        (NewKey("x", frozenset({"apikeys.manage"})), "permissions"),
        (NewKey("x", frozenset({"fly"})), "permissions"),
        (NewKey("x", TILL.permissions, UUID(int=4)), "shop_id"),
    ],
)
async def test_keys_that_are_refused(database: Database, cafe: World, new: NewKey, field: str) -> None:
    async with database.tenant(cafe.tenant.id) as session:
        with pytest.raises(InvalidInput) as caught:
            await apikeys.create(session, owner(cafe), new)
    assert set(caught.value.fields) == {field}


async def test_a_foreign_shop_is_no_shop(database: Database, cafe: World, pizza: World) -> None:
    async with database.tenant(cafe.tenant.id) as session:
        with pytest.raises(InvalidInput):
            await apikeys.create(session, owner(cafe), replace(TILL, shop_id=pizza.shop_id))
        bound = await apikeys.create(session, owner(cafe), replace(TILL, shop_id=cafe.shop_id))
    async with database.tenant(cafe.tenant.id, Credentials(key_hash=digest(bound.key))) as session:
        assert session.principal.shop_id == cafe.shop_id


async def test_only_who_may_manage_keys(database: Database, cafe: World) -> None:
    async with database.tenant(cafe.tenant.id) as session:
        for call in (
            apikeys.create(session, cafe.context(), TILL),
            apikeys.list_keys(session, cafe.context()),
            apikeys.revoke(session, cafe.context(), cafe.api_key_id),
        ):
            with pytest.raises(Forbidden):
                await call
