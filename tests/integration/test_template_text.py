"""Fault G8: templates, formats and placeholders that somebody types are words: printed as they are, and bounded."""

from __future__ import annotations

import re

from asyncpg import Connection
from pages_under_test import MakeWorld, as_role, open_shop
from test_pages_manage_program import form_of, send
from visitors import member_at, read

from regulars.testing.web import WebServer

CARD_NUMBER = re.compile(r"\d{4}-\d{4}-\d{4}")
"""Drawn at random: it may hold a 49 of its own."""
TEXT = "{{7*7}}{%raw%}{0.__class__}{x!r}%n%(x)s${7*7}<b>"
"""Would be 49, nothing, a class or an error wherever it was filled in."""
BOUNDS = {"_brand.name": 80, "_brand.tagline": 120, "_program.name": 80, "stamps.reward_text": 80}
MORE = {
    "loop": "{% for a in range(10**9) %}{{ a }}{% endfor %}",
    "recursion": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "escape": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "format": "{0:>999999999}%999999999d",
}


async def test_every_text_of_a_merchant_is_printed_as_it_is(
    web: WebServer, make_world: MakeWorld, sql: Connection
) -> None:
    cafe = await open_shop(make_world, "cafe")
    owner, member, stranger = await as_role(web, sql, cafe), await member_at(web, sql, cafe), web.at(cafe.host)
    _page, form = await form_of(owner)
    typed = {f"_brand.{name}": TEXT for name in ("name", "tagline")}
    typed |= {"_program.name": TEXT, "stamps.reward_text": TEXT}
    assert isinstance(await send(owner, cafe, form | typed), str)
    await owner.submit("/manage/shops/new", {"name": TEXT, "address": TEXT})
    await owner.submit("/manage/staff/new", {"name": TEXT, "role": "staff"})
    await sql.execute("UPDATE core.member SET name = $2 WHERE tenant_id = $1", cafe.tenant.id, TEXT)
    for theme in ("classic", "noir"):
        await sql.execute("UPDATE core.tenant SET theme = $2 WHERE id = $1", cafe.tenant.id, theme)
        for visitor, path, times in (
            (stranger, "/", 4),
            (stranger, "/join", 3),
            (stranger, "/terms", 4),
            (member, "/card", 4),
            (member, "/account", 3),
        ):
            page = read(await visitor.get(path))
            assert page.text.count(TEXT) >= times, (theme, path, page.text)
            assert "49" not in CARD_NUMBER.sub("", page.text), (theme, path)
    for path in ("/manage/shops", "/manage/staff", "/manage/members", "/manage/program", "/manage/look"):
        page = read(await owner.get(path))
        assert TEXT in page.text or TEXT in page.fields.values() or path == "/manage/look", path
        assert page.inline == []


async def test_they_are_bounded(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe")
    owner = await as_role(web, sql, cafe)
    _page, form = await form_of(owner)
    for field, most in BOUNDS.items():
        for text in ("{{7*7}}" * 18, "{x}" * 100_000):
            answer = await send(owner, cafe, form | {field: text})
            assert not isinstance(answer, str), field
            assert f"{most} characters" in answer.text, field
    for text in MORE.values():
        assert isinstance(await send(owner, cafe, form | {"_brand.tagline": text}), str)
        assert text in read(await web.at(cafe.host).get("/")).text
