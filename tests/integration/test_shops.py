"""Shops on a real database."""

from __future__ import annotations

import asyncio

import pytest

from regulars.contracts.errors import Forbidden, InvalidInput, LimitReached, NotFound
from regulars.domain.shops import service as shops
from regulars.testing.principals import acting

AUDIT = "SELECT action, details FROM core.audit_log WHERE tenant_id = $1 AND subject_kind = 'shop' ORDER BY id"


async def names(database, world):
    async with database.tenant(world.tenant.id) as session:
        return [(shop.name, shop.status) for shop in await shops.list_shops(session)]


async def test_a_shop_is_opened_renamed_closed_and_opened_again(database, cafe, pizza, sql):
    ctx = acting(cafe, "owner")
    async with database.tenant(cafe.tenant.id) as session:
        shop = await shops.add(session, ctx, "  Old\ttown ", "1, Grand-Rue")
        changed = await shops.change(session, ctx, shop.id, "Old town", "2, Grand-Rue")
    assert (changed.name, changed.address, changed.status) == ("Old town", "2, Grand-Rue", "active")
    async with database.tenant(cafe.tenant.id) as session:
        await shops.set_status(session, ctx, shop.id, "inactive")
        await shops.set_status(session, ctx, shop.id, "inactive")
    assert await names(database, cafe) == [("Main street", "active"), ("Old town", "inactive")]
    async with database.tenant(cafe.tenant.id) as session:
        await shops.set_status(session, ctx, shop.id, "active")
    assert await names(database, cafe) == [("Main street", "active"), ("Old town", "active")]
    assert await names(database, pizza) == [("Main street", "active")]
    actions = [row["action"] for row in await sql.fetch(AUDIT, cafe.tenant.id)]
    assert actions == ["shop.added", "shop.changed", "shop.closed", "shop.opened"]


async def test_another_tenants_shop_does_not_exist(database, cafe, pizza):
    async with database.tenant(cafe.tenant.id) as session:
        for attempt in (
            shops.get(session, pizza.shop_id),
            shops.change(session, acting(cafe, "owner"), pizza.shop_id, "Mine", ""),
            shops.set_status(session, acting(cafe, "owner"), pizza.shop_id, "inactive"),
        ):
            with pytest.raises(NotFound):
                await attempt
    assert await names(database, pizza) == [("Main street", "active")]


@pytest.fixture
async def small(make_world):
    """A tenant that may have two shops; another offering has more."""
    await make_world("big", offering="plus", limits={"shops": 10, "programs": 10})
    return await make_world("small", offering="basic", limits={"shops": 2, "programs": 1})


async def test_the_limit_names_the_offering_that_has_more(database, small):
    ctx = acting(small, "owner")
    async with database.tenant(small.tenant.id) as session:
        second = await shops.add(session, ctx, "Second")
        with pytest.raises(LimitReached) as caught:
            await shops.add(session, ctx, "Third")
        assert caught.value.extra == {
            "limit": "shops", "used": 2, "allowed": 2, "offering": "basic", "included_in": "plus",
        }  # fmt: skip
        await shops.set_status(session, ctx, second.id, "inactive")
        await shops.add(session, ctx, "Third")
        with pytest.raises(LimitReached):
            await shops.set_status(session, ctx, second.id, "active")


async def test_two_at_once_cannot_both_take_the_last_place(database, small):
    async def add(name):
        async with database.tenant(small.tenant.id) as session:
            await shops.add(session, acting(small, "owner"), name)

    results = await asyncio.gather(*(add(f"Shop {n}") for n in range(4)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["LimitReached"] * 3 + ["NoneType"]
    assert len(await names(database, small)) == 2


@pytest.mark.parametrize(
    ("name", "address", "field"), [(" ", "", "name"), ("x" * 81, "", "name"), ("x", "y" * 201, "address")]
)
async def test_names_have_a_form(database, cafe, name, address, field):
    async with database.tenant(cafe.tenant.id) as session:
        with pytest.raises(InvalidInput) as caught:
            await shops.add(session, acting(cafe, "owner"), name, address)
    assert list(caught.value.fields) == [field]


async def test_staff_may_not(database, cafe):
    async with database.tenant(cafe.tenant.id) as session:
        with pytest.raises(Forbidden):
            await shops.add(session, acting(cafe, "staff"), "Mine")
