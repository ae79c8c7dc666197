"""From the first page to a shop of one's own: four clicks after the first one, three fields and a tick."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from regulars.testing.browser import PHONE, People
from tests.e2e.steps import House, begin_sign_up, click

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("scripts", [True, False])
async def test_a_stranger_opens_a_shop(house: House, people: People, *, scripts: bool) -> None:
    slug = "cafe-siauliu" if scripts else "cafe-siauliu-gb"
    phone = await people.someone(PHONE, scripts=scripts)
    await phone.goto(house.at("localhost", "/"))
    await phone.get_by_role("main").get_by_role("link", name="Open your shop").click()
    await begin_sign_up(phone, house, f"{slug}@example.com", "Café Šiaulių")
    await expect(phone.get_by_label("Address", exact=True)).to_have_value(slug)
    if scripts:
        await phone.get_by_label("Address", exact=True).fill("adm1n")
        await expect(phone.get_by_text("looks like another one")).to_be_visible()
        await phone.get_by_label("Address", exact=True).fill(slug)
        await expect(phone.get_by_text(f"“{slug}” is free.")).to_be_visible()
    await click(phone, "Go on")
    await click(phone, "Open my shop")
    await expect(phone.get_by_role("heading", name="Your shop is open")).to_be_visible()
    await click(phone, "Go to my dashboard")
    await expect(phone).to_have_url(house.at(f"{slug}.localhost", "/manage"))
    await expect(phone.get_by_role("heading", name="First steps")).to_be_visible()
    await phone.goto(house.at(f"{slug}.localhost", "/"))
    await expect(phone.get_by_role("heading", name="Café Šiaulių").first).to_be_visible()
