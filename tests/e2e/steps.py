"""What people do on the pages, told as they would tell it. Everything is found by its role and its name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.async_api import Page, expect

from regulars.testing.clock import Clock
from regulars.testing.installation import Installation
from regulars.testing.merchants import OPERATOR, PASSWORD, Merchant

NUMBER = re.compile(r"\d{4}-\d{4}-\d{4}")


@dataclass(frozen=True)
class House:
    """The installation.

    Attributes:
        merchants: slug → merchant.
    """

    running: Installation
    merchants: dict[str, Merchant]

    @property
    def clock(self) -> Clock:
        """Moves the time of all rules."""
        return Clock(self.running.config.database_url_migrator)

    @property
    def console(self) -> str:
        """Address of the operator's console."""
        return self.at(self.running.config.console_host)

    def at(self, host: str, path: str = "") -> str:
        """An address as people type it."""
        return f"http://{host}:{self.running.ports[0]}{path}"

    def of(self, slug: str, path: str = "/") -> str:
        """An address of a merchant."""
        return self.at(self.merchants[slug].host, path)


async def click(page: Page, name: str, *, role: str = "button") -> None:
    """Press what is called exactly so."""
    await page.get_by_role(role, name=name, exact=True).click()  # type: ignore[arg-type]


async def sign_in(page: Page, email: str) -> None:
    """Fill the log-in form that is open."""
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password").fill(PASSWORD)
    await click(page, "Sign in")
    await expect(page.get_by_role("button", name="Sign in", exact=True)).to_have_count(0)


async def operator_at(page: Page, house: House, path: str = "/") -> None:
    """The operator opens a page of the console."""
    await page.goto(house.console + path)
    await sign_in(page, OPERATOR)


async def owner_at(page: Page, house: House, slug: str) -> None:
    """The owner opens the dashboard."""
    await page.goto(house.of(slug, "/manage"))
    await sign_in(page, house.merchants[slug].owner.email)
    await expect(page.get_by_role("heading", name="Dashboard", level=1)).to_be_visible()


async def begin_sign_up(page: Page, house: House, email: str, name: str) -> None:
    """A stranger fills the first form of the sign-up in; three fields, since the browser suggests the country."""
    await page.goto(house.at("localhost", "/sign-up"))
    await page.get_by_label("Your e-mail").fill(email)
    await page.get_by_label("Name of your business").fill(name)
    await page.get_by_role("checkbox", name="I accept the terms").check()
    await click(page, "Go on")
    await expect(page.get_by_role("heading", name="Your address")).to_be_visible()


async def enrol(page: Page, house: House, slug: str, email: str, name: str) -> str:
    """A customer gets a card, as from the sign at the counter.

    Returns:
        Its number, `4821-7493-2841`.
    """
    await page.goto(house.of(slug, "/join"))
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Name (optional)").fill(name)
    await page.get_by_role("checkbox", name="I accept the terms").check()
    await click(page, "Get my card")
    await expect(page).to_have_url(house.of(slug, "/card"))
    return await card_number(page)


async def card_number(page: Page) -> str:
    """The number on the card that is shown."""
    found = NUMBER.search(await page.get_by_role("main").inner_text())
    assert found
    return found[0]


async def find(page: Page, house: House, slug: str, text: str) -> None:
    """Staff look a card up."""
    await page.goto(house.of(slug, "/terminal"))
    await page.get_by_role("textbox", name="Scan or type a card").fill(text)
    await click(page, "Look up")


async def type_pin(page: Page, pin: str) -> None:
    """Four digits on the number pad, and ✓."""
    await page.bring_to_front()
    for digit in pin:
        await page.get_by_role("button", name=digit, exact=True).tap()
    await page.get_by_role("button", name="Confirm").tap()


async def confirm_as(page: Page, person: str, pin: str) -> None:
    """Choose the own name, then type the PIN."""
    await page.bring_to_front()
    await page.locator("label").filter(has=page.get_by_role("radio", name=person)).tap()
    await type_pin(page, pin)


async def add_stamp(page: Page, person: str, pin: str) -> None:
    """ADD STAMP at the open card, with the PIN from a keyboard."""
    await page.get_by_role("button", name="Add stamp").tap()
    await page.locator("label").filter(has=page.get_by_role("radio", name=person)).tap()
    await expect(page.get_by_role("button", name="Confirm")).to_be_visible()
    await page.keyboard.type(pin)
    await page.keyboard.press("Enter")
