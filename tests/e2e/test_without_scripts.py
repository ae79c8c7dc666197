"""Where JavaScript is off, too old or did not arrive, a customer still gets a card and a stamp."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from regulars.testing.browser import PHONE, TABLET, People
from tests.e2e.steps import House, click, enrol, find, sign_in

pytestmark = pytest.mark.e2e
SLUG = "cafe"


async def test_a_card_and_a_stamp(house: House, people: People) -> None:
    phone, till = await people.someone(PHONE, scripts=False), await people.someone(TABLET, scripts=False)
    number = await enrol(phone, house, SLUG, "plain@example.com", "Plain Person")
    await expect(phone.get_by_role("img", name="1 / 10 stamps")).to_be_visible()

    colleague = house.merchants[SLUG].staff[-1]
    await till.goto(house.of(SLUG, "/terminal"))
    await sign_in(till, colleague.email)
    await find(till, house, SLUG, number)
    await expect(till.get_by_role("heading", name="Plain Person")).to_be_visible()
    await till.get_by_label("How many").get_by_role("spinbutton").fill("2")
    await click(till, "Add stamp")
    await till.get_by_role("radio", name=colleague.name).check()
    await till.get_by_label("PIN", exact=True).fill(colleague.pin)
    await till.get_by_text("Confirm", exact=True).click()
    await expect(till.get_by_role("heading", name="2 stamps added!")).to_be_visible()

    await phone.reload()
    await expect(phone.get_by_role("img", name="3 / 10 stamps")).to_be_visible()
    await till.get_by_role("link", name="Undo").click()
    await till.get_by_label("PIN", exact=True).fill(colleague.pin)
    await till.get_by_text("Confirm", exact=True).click()
    await expect(till.get_by_role("heading", name="Taken back")).to_be_visible()
    await phone.reload()
    await expect(phone.get_by_role("img", name="1 / 10 stamps")).to_be_visible()
