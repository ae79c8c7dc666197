"""The merchant's page of milestones, over HTTP: who may see it, what it shows, and that it goes with the plugin."""

import re

import pytest

from regulars.app import create_app
from regulars.domain.staff.sessions import Holder, open_session
from regulars.testing.principals import acting
from regulars.testing.web import serving

PATH = "/manage/p/stamps/"
ADD = """
INSERT INTO plg_stamps.milestone (tenant_id, card_id, threshold, bonus, reached_at)
VALUES ($1, $2, $3, 2, '2026-03-10T12:00:00Z'::timestamptz + make_interval(mins => $4))
"""
SWITCH_OFF = "INSERT INTO core.tenant_plugin (tenant_id, plugin, switched_on) VALUES ($1, 'stamps', false)"
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW")


@pytest.fixture
async def server(config, registry):
    async with serving(create_app(config, registry=registry)) as running:
        yield running


@pytest.fixture
def visit(server, database, registry):
    """Somebody with a session, at a tenant's host."""

    async def make(world, role):
        person = next(person for person in world.staff if person.role == role)
        async with database.tenant(world.tenant.id) as session:
            opened = await open_session(session, acting(world, role, registry), Holder("staff", person.id))
        browser = server.at(world.host)
        browser.client.cookies.set("rg_staff", opened.token)
        return browser

    return make


@pytest.fixture
async def cafe(make_world):
    staff = (("Olga", "owner", "4821"), ("Max", "manager", "4822"), ("Anna", "staff", "4823"))
    return await make_world("cafe", staff=staff)


def plain(html):
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


async def test_managers_see_their_own_milestones(visit, cafe, pizza, sql):
    await sql.execute(ADD, cafe.tenant.id, cafe.card.id, 50, 0)
    await sql.execute(ADD, cafe.tenant.id, cafe.card.id, 100, 5)
    await sql.execute(ADD, pizza.tenant.id, pizza.card.id, 77, 0)
    manager = await visit(cafe, "manager")
    response = await manager.get(PATH)
    assert response.status_code == 200
    text = plain(response.text)
    rows = re.findall(r"Milestone\">|class=\"num\">(\d+)</td>", response.text)
    assert [row for row in rows if row] == ["100", "2", "50", "2"]
    assert cafe.card.email in text
    assert pizza.card.email not in text
    assert "Stamp milestones" in text


async def test_an_empty_list_says_so(visit, cafe):
    owner = await visit(cafe, "owner")
    assert "No milestones yet" in plain((await owner.get(PATH)).text)


async def test_the_list_has_pages(visit, cafe, sql):
    for number in range(25):
        await sql.execute(ADD, cafe.tenant.id, cafe.card.id, number + 2, number)
    owner = await visit(cafe, "owner")
    second = await owner.get(f"{PATH}?page=2")
    assert re.findall(r'data-label="Milestone" class="num">(\d+)<', second.text) == ["6", "5", "4", "3", "2"]


async def test_staff_may_not_see_it_and_strangers_sign_in_first(visit, cafe, server):
    staff = await visit(cafe, "staff")
    assert (await staff.get(PATH)).status_code == 403
    stranger = await server.at(cafe.host).get(PATH)
    assert stranger.status_code == 303
    assert stranger.headers["location"].startswith("/manage/log-in")


async def test_a_session_of_another_tenant_is_worth_nothing(visit, cafe, pizza, server):
    owner = await visit(cafe, "owner")
    elsewhere = server.at(pizza.host)
    elsewhere.client.cookies.set("rg_staff", owner.client.cookies["rg_staff"])
    assert (await elsewhere.get(PATH)).status_code == 303


async def test_without_the_plugin_every_method_is_unknown(visit, cafe, sql):
    owner = await visit(cafe, "owner")
    await sql.execute(SWITCH_OFF, cafe.tenant.id)
    headers = {"Sec-Fetch-Site": "same-origin"}
    codes = {method: (await owner.send(method, PATH, headers=headers)).status_code for method in METHODS}
    assert codes == dict.fromkeys(METHODS, 404)
