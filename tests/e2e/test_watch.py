"""The watch over pages itself: what goes wrong on a page does not go unnoticed."""

from __future__ import annotations

import pytest

from regulars.testing.browser import People
from tests.e2e.steps import House

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("document.body.setAttribute('style', 'color: red')", "style"),
        ("setTimeout(() => { throw new Error('broken') })", "broken"),
        ("console.error('something is odd')", "something is odd"),
        ("fetch('/missing')", "404: GET"),
    ],
)
async def test_faults_are_seen(house: House, people: People, fault: str, told: str) -> None:
    page = await people.someone()
    await page.goto(house.of("cafe"))
    assert people.faults == []
    await page.evaluate(f"() => {{ {fault} }}")
    await page.get_by_role("link", name="Get my card").click()
    await page.wait_for_url("**/join")
    assert [told in one for one in people.faults] == [True]
    people.faults.clear()
