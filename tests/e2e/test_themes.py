"""Every theme carries the customer's story: the same steps by role and name, and every page fit for everybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from asyncpg import connect
from playwright.async_api import Page, expect

from regulars.kernel import ids
from regulars.kernel.db.base import new_id
from regulars.kernel.keys import digest
from regulars.testing.browser import DESKTOP, PHONE, People, Theme, barriers, wear
from regulars.testing.world import World, make_tenant
from tests.e2e.steps import NUMBER, House, click

pytestmark = pytest.mark.e2e
API = "/api/v1/store/loyalty"
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "stamps": {"target": 4, "reward_text": "free tea", "welcome_stamps": 1, "max_per_sale": 3},
    "antifraud": {"cooldown_minutes": 0, "max_daily_stamps": 50},
}
THEMES = {"plain": "classic", "night": "noir", "packaged": "fixture", "bakery": "boulangerie"}
"""Slug → the theme that the tenant wears."""
WEAR = "UPDATE core.tenant SET theme = $2 WHERE slug = $1"
AS_SANDBOX = """
    UPDATE core.tenant SET slug = 'boulangerie--before' WHERE slug = 'boulangerie--test';
    UPDATE core.tenant SET slug = 'boulangerie--test', live_tenant_id =
        (SELECT id FROM core.tenant WHERE slug = 'boulangerie') WHERE slug = 'bakery'
"""
"""A theme of a single tenant is worn by its sandbox too."""
OF_TESTS = "UPDATE core.api_key SET key_hash = $2 WHERE id = $1"


@dataclass(frozen=True)
class Shop:
    """A tenant with a theme, and a till that stamps through the API."""

    house: House
    world: World

    def at(self, path: str) -> str:
        """An address."""
        return self.house.at(self.world.host, path)

    async def do(self, path: str, number: str, **body: object) -> None:
        """Stamp, redeem or undo with the PIN of somebody at the till."""
        anna, headers = self.world.anna, {"Host": self.world.host, "Authorization": f"Bearer {self.world.api_key}"}
        person = {"card": number, "staff": ids.show(ids.STAFF, anna.id), "pin": anna.pin, **body}
        key = {"Idempotency-Key": new_id().hex}
        async with httpx.AsyncClient(base_url=self.house.running.address(), headers=headers | key) as till:
            answer = await till.post(f"{API}/{path}", json=person)
        assert answer.status_code == 200, answer.text


@pytest.fixture(params=THEMES, ids=lambda slug: THEMES[slug])
async def shop(request: pytest.FixtureRequest, house: House) -> Shop:
    """A merchant that wears one of the themes."""
    slug, config = request.param, house.running.config
    world = await make_tenant(config, slug, settings=SETTINGS)
    connection = await connect(config.database_url_migrator.replace("+asyncpg", ""))
    try:
        await connection.execute(WEAR, slug, THEMES[slug])
        if slug == "bakery":
            await connection.execute(AS_SANDBOX)
            world = replace(world, api_key=world.api_key.replace("_live_", "_test_"))
            await connection.execute(OF_TESTS, world.api_key_id, digest(world.api_key))
    finally:
        await connection.close()
    return Shop(house, world)


@dataclass
class Inspector:
    """Looks at pages on a phone and a desk, light and dark."""

    axe: str
    faults: list[str]

    async def look(self, page: Page, name: str) -> None:
        """Note what is wider than the window and what keeps people out."""
        for device, schemes in ((DESKTOP, ("light",)), (PHONE, ("dark", "light"))):
            await page.set_viewport_size({"width": device.width, "height": device.height})
            worn: tuple[Theme, ...] = schemes  # type: ignore[assignment]
            for scheme, wider in (await wear(page, *worn)).items():
                if wider > 0:
                    self.faults.append(f"{name}, {device.width} {scheme}: {wider} px wider than the window")
            for scheme in worn:
                await wear(page, scheme)
                self.faults += [f"{name}, {device.width} {scheme}: {one}" for one in await barriers(page, self.axe)]


async def test_the_customers_story(shop: Shop, people: People, axe: str) -> None:
    phone, inspector = await people.someone(PHONE), Inspector(axe, [])
    await phone.goto(shop.at("/"))
    await expect(phone.get_by_role("heading", level=1)).to_be_visible()
    await inspector.look(phone, "start")
    await click(phone, "Get my card", role="link")
    await phone.get_by_label("E-mail").fill("mia")
    await click(phone, "Get my card")
    await expect(phone.get_by_text("Please accept the terms")).to_be_visible()
    await inspector.look(phone, "the form with faults")
    await phone.get_by_label("E-mail").fill("austeja@example.com")
    await phone.get_by_label("Name (optional)").fill("Austėja Žukauskaitė")
    await phone.get_by_role("checkbox", name="I accept the terms").check()
    await click(phone, "Get my card")
    await expect(phone.get_by_text("Welcome! This is your card.")).to_be_visible()
    await expect(phone.get_by_role("img", name="1 / 4 stamps")).to_be_visible()
    await expect(phone.get_by_text("3 more stamps until your free tea!")).to_be_visible()
    await expect(phone.get_by_text("Austėja Žukauskaitė")).to_be_visible()
    found = NUMBER.search(await phone.get_by_role("main").inner_text())
    assert found
    number = found[0]
    await click(phone, "Show the code large")
    dialog = phone.get_by_role("dialog", name="Card code")
    await expect(dialog).to_be_visible()
    await dialog.get_by_role("button", name="Close").click()

    await shop.do("stamp", number, quantity=1)
    await shop.do("sales/undo", number)
    await shop.do("stamp", number, quantity=3)
    await phone.reload()
    await expect(phone.get_by_role("img", name="4 / 4 stamps")).to_be_visible()
    await expect(phone.get_by_text("Ready", exact=True)).to_be_visible()
    await inspector.look(phone, "the full card")
    await shop.do("stamp/redeem", number)
    await phone.reload()
    await expect(phone.get_by_role("img", name="0 / 4 stamps")).to_be_visible()
    await inspector.look(phone, "the empty card")

    await phone.get_by_role("navigation", name="Main").get_by_role("link", name="History").click()
    await expect(phone.get_by_role("heading", name="History", level=1)).to_be_visible()
    moves = phone.get_by_role("main").get_by_role("listitem")
    await expect(moves).to_have_count(5)
    assert [(await moves.nth(place).inner_text())[:2] for place in range(5)] == ["−4", "+3", "−1", "+1", "+1"]
    await expect(moves.nth(3)).to_contain_text("taken back")
    await moves.last.get_by_text("Why?").click()
    await expect(moves.last.get_by_text("rule “welcome”")).to_be_visible()
    await inspector.look(phone, "history")

    await phone.get_by_role("navigation", name="Main").get_by_role("link", name="Account").click()
    await expect(phone.get_by_text("austeja@example.com").first).to_be_visible()
    await inspector.look(phone, "account")
    for link in ("Terms", "Privacy"):
        await phone.get_by_role("contentinfo").get_by_role("link", name=link).click()
        await expect(phone.get_by_role("heading", level=1)).to_be_visible()
    await inspector.look(phone, "privacy")
    await phone.goto(shop.at("/account"))
    await click(phone, "Sign out")
    await click(phone, "I have a card already", role="link")
    await phone.get_by_label("E-mail").fill("austeja@example.com")
    await click(phone, "Send me the link")
    await expect(phone.get_by_role("heading", name="Look into your mail")).to_be_visible()
    missing = await phone.goto(shop.at("/nowhere"))
    assert missing is not None
    assert missing.status == 404
    await expect(phone.get_by_role("link", name="Go to the start page")).to_be_visible()
    await inspector.look(phone, "nothing here")
    assert inspector.faults == []


async def test_the_story_needs_no_scripts(house: House, people: People) -> None:
    """The theme with a scheme of its own shows it to visitors without JavaScript too."""
    phone = await people.someone(PHONE, scripts=False)
    await phone.goto(house.of("pizza"))
    await expect(phone.locator("html")).to_have_attribute("data-theme", "dark")
    await click(phone, "Get my card", role="link")
    await expect(phone.get_by_role("heading", name="Get your card", level=1)).to_be_visible()
