"""Pages that are open follow what happens on another process, with Redis and without."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import Page, expect

from regulars.testing.browser import DESKTOP, PHONE, TABLET, People
from regulars.testing.installation import free_port
from regulars.testing.merchants import Merchant
from tests.e2e.steps import House, enrol, owner_at

pytestmark = pytest.mark.e2e
SLUG, CUSTOMER = "pizza", "Mia Ledoux"
SECONDS = 20


@pytest.fixture
async def other_server(house: House) -> AsyncIterator[str]:
    """Address of a second web server over the same database and Redis."""
    port = free_port()
    first = house.running.web[0]
    second = replace(first, environment={**first.environment, "REGULARS_PORT": str(port)}, popen=None)
    house.running.web.append(second)
    house.running.ports.append(port)
    second.start()
    await house.running.until_ready(1)
    yield house.running.address(1)
    second.stop()
    house.running.web.pop()
    house.running.ports.pop()


def ear(page: Page) -> list[str]:
    """The words that a page hears from now on."""
    words: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda word: words.append(str(word))))
    return words


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.02)


async def stand_in_a_shop(till: Page) -> str:
    """A device says where it stands.

    Returns:
        The shop's id.
    """
    shop = till.get_by_role("main").get_by_role("button").first
    name = await shop.get_attribute("value")
    assert name
    await shop.tap()
    await expect(till.get_by_role("heading", name="Scan or type a card")).to_be_visible()
    return name


async def sell(address: str, merchant: Merchant, shop: str, number: str) -> None:
    """Somebody else's till records a sale."""
    person = merchant.staff[0]
    async with httpx.AsyncClient(base_url=address, headers={"Host": merchant.host}) as till:
        answer = await till.post(
            "/api/v1/store/loyalty/stamp",
            json={"card": number, "staff": person.id, "pin": person.pin, "shop": shop},
            headers={"Authorization": f"Bearer {merchant.api_key}", "Idempotency-Key": uuid4().hex},
        )
    assert answer.status_code == 200, answer.text


async def test_open_pages_follow_a_sale_on_another_process(house: House, people: People, other_server: str) -> None:
    phone, owner, merchant = await people.someone(PHONE), await people.someone(DESKTOP), house.merchants[SLUG]
    heard = [ear(phone), ear(owner)]
    number = await enrol(phone, house, SLUG, "live@example.com", CUSTOMER)
    stamps = phone.get_by_role("img", name="stamps").first
    count = int((await stamps.get_attribute("aria-label") or "").split(" / ")[0])
    await owner_at(owner, house, SLUG)
    till = await people.someone(TABLET, like=owner)
    heard.append(ear(till))
    await till.goto(house.of(SLUG, "/terminal"))
    shop = await stand_in_a_shop(till)
    await until(lambda: all("on" in words for words in heard))

    await sell(other_server, merchant, shop, number)
    await until(lambda: all("changed" in words for words in heard))
    await expect_stamp(phone, owner, till, count + 1)

    await asyncio.to_thread(house.running.redis.kill)
    try:
        await until(lambda: all("off" in words for words in heard))
        await house.clock.advance(hours=24)
        await sell(other_server, merchant, shop, number)
        await expect_stamp(phone, owner, till, count + 2)
    finally:
        await asyncio.to_thread(house.running.redis.start)
    await until(lambda: all(words.count("on") >= 2 for words in heard))

    await house.clock.advance(hours=24)
    line = till.get_by_role("link", name=CUSTOMER)
    await line.dispatch_event("pointerdown")
    async with till.expect_response("**/terminal/recent*") as answer:
        await sell(other_server, merchant, shop, number)
    await (await answer.value).finished()
    await expect(phone.get_by_role("img", name=f"{count + 3} / ")).to_be_visible()
    await expect(line).to_contain_text(f"{count + 2} / ")  # nothing changes places under a finger
    await line.dispatch_event("pointerup")
    await expect(line).to_contain_text(f"{count + 3} / ")


async def expect_stamp(phone: Page, owner: Page, till: Page, count: int) -> None:
    """Everybody sees it, without a click."""
    await expect(phone.get_by_role("img", name=f"{count} / ")).to_be_visible(timeout=SECONDS * 1000)
    await expect(phone.get_by_text("Last visits")).to_be_visible()
    feed = owner.get_by_role("main").get_by_role("listitem").filter(has_text=f"Mia L. earned stamp #{count}")
    await expect(feed).to_be_visible(timeout=SECONDS * 1000)
    line = till.get_by_role("link", name=CUSTOMER)
    await expect(line).to_contain_text(f"{count} / ", timeout=SECONDS * 1000)
