"""Every page of every audience: nothing scrolls sideways, nothing is missing, nobody is kept out."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import pytest
from playwright.async_api import Page
from werkzeug.routing import Map

from regulars.app import create_app
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.browser import People, barriers, has_visible_focus, sideways, wear
from tests.e2e.steps import House, enrol, operator_at, owner_at, sign_in
from tests.e2e.walk import Look, Walk

pytestmark = pytest.mark.e2e
SLUG = "pizza"
MEMBERS = 22
VISITS = ((6, 6, 5, 4, 1), (5, 3))
"""For each day the stamps of the first members; the first card is full then."""
API = "/api/v1/store/loyalty"
HEIGHT = 800
SIGHTS = ((1440, "light", "dark"), (1024, "dark", "light"), (390, "dark", "light"))
"""Widths, the theme in which the rules for everybody are checked there, and the other one."""


@pytest.fixture(scope="module")
async def busy(house: House) -> House:
    """A merchant with members, stamps and a full card."""
    merchant = house.merchants[SLUG]
    headers = {"Host": merchant.host, "Authorization": f"Bearer {merchant.api_key}"}
    async with httpx.AsyncClient(base_url=house.running.address(), headers=headers) as till:
        numbers = []
        for number in range(MEMBERS):
            person = {"email": f"member{number}@example.com", "name": f"Member Number {number}", "terms": True}
            answer = await till.post(f"{API}/cards/enroll", json=person)
            assert answer.status_code == 201, answer.text
            numbers.append(answer.json()["number"])
        for day, visits in enumerate(VISITS):
            for number, quantity in zip(numbers, visits, strict=False):
                sale = {
                    "card": number,
                    "quantity": quantity,
                    "staff": merchant.staff[0].id,
                    "pin": merchant.staff[0].pin,
                }
                answer = await till.post(f"{API}/stamp", json=sale, headers={"Idempotency-Key": f"{day}-{number}"})
                assert answer.status_code == 200, answer.text
            await house.clock.advance(days=1)
    return house


@pytest.fixture(scope="module")
def routes(house: House, registry: PluginRegistry) -> Map:
    """All addresses that the application knows."""
    return create_app(house.running.config, registry=registry).url_map


@pytest.fixture
def look(axe: str) -> Look:
    """What is looked at on each page."""

    async def look_at(page: Page, name: str) -> Sequence[str]:
        await page.keyboard.press("Tab")
        faults = [] if await has_visible_focus(page) else ["the keyboard's focus cannot be seen"]
        for width, first, then in SIGHTS:
            await page.set_viewport_size({"width": width, "height": HEIGHT})
            for theme in (then, first):
                await wear(page, theme)
                wider = await sideways(page)
                if wider > 0:
                    faults.append(f"{width} {theme}: {wider} px wider than the window")
            if width != 1024:
                faults += [f"{width} {first}: {fault}" for fault in await barriers(page, axe)]
        await page.set_viewport_size({"width": 1440, "height": HEIGHT})
        return faults

    return look_at


async def test_the_platforms_own_pages(busy: House, people: People, routes: Map, look: Look) -> None:
    walk = Walk(routes, "bare", look)
    await walk.go(await people.someone(), [busy.at("localhost", "/")])
    walk.judge("site")


async def test_the_customers_pages(busy: House, people: People, routes: Map, look: Look) -> None:
    walk = Walk(routes, "tenant", look)
    stranger, member = await people.someone(), await people.someone()
    await walk.go(stranger, [busy.of(SLUG)])
    await enrol(member, busy, SLUG, "walker@example.com", "Walker")
    await walk.go(member, [busy.of(SLUG, "/card")])
    walk.judge("portal")


async def test_the_merchants_pages(busy: House, people: People, routes: Map, look: Look) -> None:
    walk = Walk(routes, "tenant", look)
    owner = await people.someone()
    await walk.go(owner, [busy.of(SLUG, "/manage/log-in")])
    await owner_at(owner, busy, SLUG)
    await walk.go(owner, [busy.of(SLUG, "/manage")])
    walk.judge("manage")


async def test_the_tills_pages(busy: House, people: People, routes: Map, look: Look) -> None:
    walk = Walk(routes, "tenant", look)
    till = await people.someone()
    await till.goto(busy.of(SLUG, "/terminal"))
    await sign_in(till, busy.merchants[SLUG].staff[-1].email)
    await walk.go(till, [busy.of(SLUG, "/terminal")])
    walk.judge("terminal")


async def test_the_operators_pages(busy: House, people: People, routes: Map, look: Look) -> None:
    walk = Walk(routes, "console", look)
    operator = await people.someone()
    await walk.go(operator, [busy.console + "/log-in"])
    await operator_at(operator, busy)
    await walk.go(operator, [busy.console + "/"])
    walk.judge("console")
