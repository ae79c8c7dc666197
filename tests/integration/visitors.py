"""Visitors of pages, signed in without going through the log-in, and what they read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256
from html.parser import HTMLParser
from uuid import UUID

import httpx
from asyncpg import Connection

from regulars.kernel.db.base import new_id
from regulars.testing.web import Browser, WebServer
from regulars.testing.world import Person, TestCard, World

_UNREAD = {"script", "style", "title", "svg"}
_INLINE = {"a", "b", "code", "em", "small", "span", "strong", "time"}
_BLANK = re.compile(r"\s+")


async def staff_at(
    web: WebServer, sql: Connection, world: World, person: Person | None = None, shop: UUID | None = None
) -> Browser:
    """Somebody of the staff at a device.

    Args:
        web: the application.
        sql: as the migrator.
        world: the tenant.
        person: the manager by default.
        shop: where the device stands, if that was chosen.
    """
    visitor = web.at(world.host)
    await _sign_in(visitor, sql, world, "staff", (person or world.staff[1]).id, shop)
    return visitor


async def member_at(web: WebServer, sql: Connection, world: World, card: TestCard | None = None) -> Browser:
    """A member with a phone."""
    visitor = web.at(world.host)
    await _sign_in(visitor, sql, world, "member", (card or world.card).member_id, None)
    return visitor


async def _sign_in(visitor: Browser, sql: Connection, world: World, kind: str, holder: UUID, shop: UUID | None) -> None:
    token = f"session-{new_id().hex}"
    await sql.execute(
        f"INSERT INTO core.session (tenant_id, id, token_hash, {kind}_id, shop_id, expires_at) "
        "VALUES ($1, $2, $3, $4, $5, now() + interval '1 hour')",
        world.tenant.id,
        new_id(),
        sha256(token.encode()).digest(),
        holder,
        shop,
    )
    visitor.client.cookies.set(f"rg_{kind}", token)


@dataclass
class Seen(HTMLParser):
    """A page as somebody reads it.

    Attributes:
        fields: name → value of all inputs; the checked one where there are several.
        links: addresses of links.
        actions: addresses of forms.
        inline: inline scripts and styles, which must not be there.
    """

    html: str
    fields: dict[str, str] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)
    _words: list[str] = field(default_factory=list)
    _skipped: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.html)

    @property
    def text(self) -> str:
        """All that is written on the page, spaces made single."""
        return _BLANK.sub(" ", "".join(self._words)).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "style" in given or (tag == "script" and "src" not in given) or tag == "style":
            self.inline.append(self.get_starttag_text() or tag)
        self._part(tag)
        if tag in _UNREAD:
            self._skipped.append(tag)
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "form":
            self.actions.append(given.get("action", ""))
        if (
            tag == "input"
            and "name" in given
            and (given.get("type") not in {"radio", "checkbox"} or "checked" in given)
        ):
            self.fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        self._part(tag)
        if self._skipped and self._skipped[-1] == tag:
            self._skipped.pop()

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self._words.append(data)

    def _part(self, tag: str) -> None:
        if tag not in _INLINE:
            self._words.append(" ")


def read(response: httpx.Response, status: int = 200) -> Seen:
    """The page of an answer, which has no inline scripts and styles."""
    assert response.status_code == status, response.text[:2000]
    page = Seen(response.text)
    assert page.inline == []
    return page


def led_to(response: httpx.Response) -> str:
    """Where an answer sends the visitor."""
    assert response.status_code == 303, response.text[:2000]
    return response.headers["location"]
