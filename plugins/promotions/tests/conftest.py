"""Merchants with promotions, and a till that sends amounts."""

from itertools import count

import pytest

from regulars.domain.sales.service import SaleCommand, Sales
from regulars.sdk import Purchase
from regulars.testing.world import HOST_FEATURES, make_tenant
from regulars.web.races import until_settled

FEATURES = ("stamps", "promotions", "promotions.advanced", *HOST_FEATURES, "api_access")
TEAM = (("Anna", "staff", "4711"), ("Ben", "manager", "2580"), ("Olga", "owner", "4821"))
_numbers = count(1)


@pytest.fixture
def make_world(config, registry):
    """A factory of merchants whose plan has stamps and promotions."""
    plan = {"offering": "promoting", "features": FEATURES, "plugins": registry.names, "staff": TEAM}

    async def make(slug, **options):
        return await make_tenant(config, slug, **{**plan, **options})

    return make


@pytest.fixture
def open_shop(make_world):
    """A factory of merchants with the given promotions on a stamp card."""

    async def make(slug, *promotions, **settings):
        world = await make_world(slug)
        rows = [{"title": f"P{number}", "key": f"p{number}", **row} for number, row in enumerate(promotions, 1)]
        await world.set_settings("promotions", promotions=rows, **settings)
        await world.set_settings("stamps", max_per_sale=100, milestones=[])
        return world

    return make


@pytest.fixture
def sell(make_till):
    """Record a sale in a unit of work of its own; whoever lost a race is asked again, as on the web."""

    async def record(world, purchase=None, *, card=None, **values):
        till = make_till(world)
        attempt = till.attempt(card, None, None, f"sale-{next(_numbers)}", body=str(purchase))
        command = SaleCommand(attempt, "stamps", purchase or Purchase(**values))

        async def once():
            async with till.database.tenant(world.tenant.id) as session:
                return await Sales(till.ledger).record(session, world.context(), command)

        return await until_settled(once)

    return record
