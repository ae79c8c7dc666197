"""The first page that a customer sees is light, in every theme, and nothing on it moves while it loads."""

from __future__ import annotations

import pytest
from playwright.async_api import Page

from regulars.testing.browser import PHONE, People, shifts
from tests.e2e.steps import House

pytestmark = pytest.mark.e2e
MOST = 100_000
"""Bytes on the wire: page, style sheets, scripts, fonts and pictures."""
RECEIVED = """() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    .map((part) => [new URL(part.name).pathname, part.transferSize])"""


async def first_visit(page: Page, address: str) -> dict[str, int]:
    """What a visitor's first page brings over the wire: path → bytes."""
    await page.goto(address, wait_until="networkidle")
    return dict(await page.evaluate(RECEIVED))


async def test_the_enrolment_page_is_light(house: House, people: People) -> None:
    heavy, shifted = {}, {}
    for slug in house.merchants:
        page = await people.someone(PHONE)
        received = await first_visit(page, house.of(slug, "/join"))
        assert {path.rpartition(".")[2] for path in received} >= {"/join", "css", "js", "woff2"}
        if sum(received.values()) > MOST:
            heavy[slug] = received
        shifted[slug] = await shifts(page)
    assert heavy == {}
    assert shifted == {key: [] for key in house.merchants}
