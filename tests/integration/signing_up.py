"""Strangers who open shops, step by step as their browsers do."""

from __future__ import annotations

import re
from dataclasses import dataclass

import httpx
from asyncpg import Connection
from visitors import Seen, led_to, read

from regulars.testing.web import Browser, WebServer

BARE = "localhost"
ABOUT = {"email": "marie@example.com", "name": "Café Šiaulių", "country": "IE", "terms": "1"}
OFFERING = (
    "INSERT INTO core.offering (code, title, rank, features, limits) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"
)
BASIC = '["cards", "enrolment", "staff_pins", "stats", "sandbox", "stamps", "antifraud"]'
LINK = re.compile(r"http://[^\s\"]+/manage/password/[\w-]+")


async def sell(sql: Connection) -> None:
    """Put two offerings into the catalogue."""
    await sql.execute(OFFERING, "basic", "Basic", 1, BASIC, '{"shops": 1, "programs": 1}')
    await sql.execute(OFFERING, "plus", "Plus", 2, BASIC, '{"shops": 10, "programs": 10}')


@dataclass
class Stranger:
    """Somebody on the way to a shop."""

    browser: Browser

    async def about(self, **changes: str) -> httpx.Response:
        """Send the first form."""
        return await self.browser.submit("/sign-up", {**ABOUT, **changes})

    async def address(self, slug: str) -> httpx.Response:
        """Send the second form."""
        return await self.browser.submit("/sign-up/address", {"slug": slug})

    async def open(self, offering: str = "basic") -> httpx.Response:
        """Send the third form."""
        return await self.browser.submit("/sign-up/offering", {"offering": offering})

    async def all_of_it(self, slug: str, **changes: str) -> str:
        """All three forms.

        Returns:
            The address that the browser is sent to.
        """
        assert led_to(await self.about(**changes)) == "/sign-up/address"
        assert led_to(await self.address(slug)) == "/sign-up/offering"
        return led_to(await self.open())


def stranger(web: WebServer, **headers: str) -> Stranger:
    """Somebody who was never here."""
    return Stranger(web.at(BARE, **headers))


async def owner(web: WebServer, address: str) -> Browser:
    """Whoever follows the address that the sign-up ends with, and presses the button."""
    host, path = address.removeprefix("http://").split(":8000", 1)
    browser = web.at(host)
    read(await browser.get(path))
    assert led_to(await browser.submit(path, {})) == "/manage"
    return browser


async def page(response: httpx.Response, status: int = 200) -> Seen:
    """The page that an answer shows."""
    return read(response, status)


async def link_mailed_to(sql: Connection, email: str) -> str:
    """Path of the link in the latest mail to somebody."""
    text = await sql.fetchval(
        "SELECT text_body FROM core.mail WHERE recipient = $1 ORDER BY created_at DESC, id DESC LIMIT 1", email
    )
    found = LINK.search(text)
    assert found is not None, text
    return "/manage" + found[0].partition("/manage")[2]
