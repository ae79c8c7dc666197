"""Program settings: one form made from the plugins' models, faults that keep what was typed, effects on cards."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping

from asyncpg import Connection
from pages_under_test import FEATURES, MakeWorld, actions_of, as_role, open_shop
from visitors import Seen, led_to, read

from regulars.kernel import ids
from regulars.testing.till import Till
from regulars.testing.web import Browser, WebServer
from regulars.testing.world import World

PATH = "/manage/program"
STORED = "SELECT values FROM core.plugin_settings WHERE tenant_id = $1 AND plugin = $2"


async def form_of(visitor: Browser) -> tuple[Seen, dict[str, str]]:
    """The form as it came, with the selects that the page reader does not know."""
    page = read(await visitor.get(PATH))
    return page, {**page.fields, "_program.timezone": "Europe/Luxembourg", "_program.currency": "EUR"}


def url(world: World) -> str:
    """Address of the world's program."""
    return f"{PATH}?program={ids.show(ids.PROGRAM, world.program_id)}"


async def send(visitor: Browser, world: World, form: Mapping[str, str]) -> Seen | str:
    """Send the form; where it leads to, or the page that comes back."""
    response = await visitor.submit(url(world), form)
    return led_to(response) if response.status_code == 303 else read(response, response.status_code)


async def test_the_form_is_made_from_the_models(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe")
    visitor = await as_role(web, sql, cafe, "manager")
    page, form = await form_of(visitor)
    for words in (
        "Stamps needed",
        "Reward",
        "Cooldown between stamps",
        "Stamps per day",
        "Ask for a staff PIN",
        "Colour",
    ):
        assert words in page.text, words
    assert form["stamps.target"] == "10"
    assert form["stamps.reward_text"] == "free coffee"
    assert form["antifraud.cooldown_minutes"] == "15"
    assert form["antifraud.max_daily_stamps"] == "5"
    assert form["_program.require_pin"] == "1"
    assert form["_brand.name"] == "Cafe"
    assert "8 / 10 stamps" in page.text, "the preview"


async def test_saving_everything_at_once(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe")
    visitor = await as_role(web, sql, cafe, "manager")
    _page, form = await form_of(visitor)
    form |= {
        "_program.name": "Bean club",
        "_program.timezone": "Europe/Vilnius",
        "stamps.reward_text": "free tea",
        "stamps.reward_value_minor": "3.20",
        "antifraud.cooldown_minutes": "5",
        "_brand.name": "Café du Coin",
        "_brand.primary_color": "#7A3E1D",
        "_brand.tagline": "Round the corner",
    }
    del form["_program.require_pin"]
    assert await send(visitor, cafe, form) == url(cafe)
    page, saved = await form_of(visitor)
    assert "Saved. Your customers see it at once." in page.text
    assert saved["_program.name"] == "Bean club"
    assert saved["stamps.reward_value_minor"] == "3.20"
    assert saved["_brand.primary_color"] == "#7a3e1d"
    assert "_program.require_pin" not in saved
    row = await sql.fetchrow("SELECT name, timezone, require_pin FROM core.program WHERE id = $1", cafe.program_id)
    assert tuple(row) == ("Bean club", "Europe/Vilnius", False)
    assert await sql.fetchval("SELECT name FROM core.tenant WHERE id = $1", cafe.tenant.id) == "Café du Coin"
    assert '"reward_text": "free tea"' in await sql.fetchval(STORED, cafe.tenant.id, "stamps")
    assert await actions_of(sql, cafe) == [
        "program.changed",
        "tenant.profile_changed",
        "settings.changed",
        "settings.changed",
    ]
    assert await send(visitor, cafe, saved | {"_program.timezone": "Europe/Vilnius"}) == url(cafe)
    assert len(await actions_of(sql, cafe)) == 4, "nothing new, nothing written"


async def test_faults_keep_what_was_typed_and_nothing_is_saved(
    web: WebServer, make_world: MakeWorld, sql: Connection
) -> None:
    cafe = await open_shop(make_world, "cafe")
    visitor = await as_role(web, sql, cafe, "manager")
    _page, form = await form_of(visitor)
    wrong = form | {
        "_program.name": "Renamed",
        "stamps.target": "1",
        "stamps.reward_value_minor": "cheap",
        "antifraud.cooldown_minutes": "soon",
        "stamps.milestones.1.at": "7",
        "_brand.tagline": "A new one",
    }
    page = await send(visitor, cafe, wrong)
    assert isinstance(page, Seen)
    for words in ("At least 2 is needed.", "An amount such as 4.50 is needed.", "A whole number is needed."):
        assert words in page.text, words
    for name in ("stamps.target", "stamps.reward_value_minor", "antifraud.cooldown_minutes", "_program.name"):
        assert page.fields[name] == wrong[name], name
    assert page.fields["stamps.milestones.1.at"] == "7"
    assert page.fields["_brand.tagline"] == "A new one"
    page = await send(
        visitor, cafe, form | {"_program.name": " ", "_brand.primary_color": "brown", "_brand.icon": "cat"}
    )
    assert isinstance(page, Seen)
    for words in ("A program needs a name", "This is no colour such as #4f46e5.", "Choose one of these icons"):
        assert words in page.text, words
    assert await sql.fetchval("SELECT name FROM core.program WHERE id = $1", cafe.program_id) == "Card"
    assert await actions_of(sql, cafe) == []


async def test_a_new_target_says_first_what_happens_to_cards(
    web: WebServer, make_world: MakeWorld, sql: Connection, make_till: Callable[[World], Till]
) -> None:
    cafe = await open_shop(make_world, "cafe", settings={"antifraud": {"max_daily_stamps": 100}})
    ready, near = await cafe.add_card("a@cafe.example"), await cafe.add_card("b@cafe.example")
    till = make_till(cafe)
    await till.sale(10, card=ready)
    await till.sale(8, card=near)
    visitor = await as_role(web, sql, cafe, "manager")
    _page, form = await form_of(visitor)
    lower = form | {"stamps.target": "8", "stamps.reward_text": "free tea"}
    question = await send(visitor, cafe, lower)
    assert isinstance(question, Seen)
    assert "A reward needs 8 stamps instead of 10 stamps." in question.text
    assert "3 cards are in use. 1 more has the reward ready at once (2 in all)." in question.text
    assert question.fields["stamps.reward_text"] == "free tea"
    assert await sql.fetchval(STORED, cafe.tenant.id, "stamps") is None
    back = await send(visitor, cafe, question.fields | {"step": "edit"})
    assert isinstance(back, Seen)
    assert back.fields["stamps.target"] == "8"
    assert back.fields["_program.is_open"] == "1"
    assert await send(visitor, cafe, question.fields | {"step": "confirmed"}) == url(cafe)
    assert '"target": 8' in await sql.fetchval(STORED, cafe.tenant.id, "stamps")
    _page, form = await form_of(visitor)
    higher = await send(visitor, cafe, form | {"stamps.target": "12"})
    assert isinstance(higher, Seen)
    assert "2 that have the reward ready now must collect more first (0 stay ready)." in higher.text


async def test_closing_is_asked_and_opening_is_not(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe")
    visitor = await as_role(web, sql, cafe, "manager")
    status = "SELECT status FROM core.program WHERE id = $1"
    _page, form = await form_of(visitor)
    del form["_program.is_open"]
    question = await send(visitor, cafe, form)
    assert isinstance(question, Seen)
    assert "Nobody can collect or redeem until you open the program again." in question.text
    assert await sql.fetchval(status, cafe.program_id) == "active"
    assert await send(visitor, cafe, question.fields | {"step": "confirmed"}) == url(cafe)
    assert await sql.fetchval(status, cafe.program_id) == "inactive"
    _page, form = await form_of(visitor)
    assert await send(visitor, cafe, form | {"_program.is_open": "1"}) == url(cafe)
    assert await sql.fetchval(status, cafe.program_id) == "active"


async def test_two_people_at_one_form(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe")
    ben, olga = await as_role(web, sql, cafe, "manager"), await as_role(web, sql, cafe, "owner")
    _page, mine = await form_of(ben)
    _page, hers = await form_of(olga)
    assert await send(olga, cafe, hers | {"stamps.reward_text": "free cake"}) == url(cafe)
    page = await send(ben, cafe, mine | {"stamps.reward_text": "free tea"})
    assert isinstance(page, Seen)
    assert "Somebody else has changed these settings in the meantime." in page.text
    assert page.fields["stamps.reward_text"] == "free tea"
    assert '"reward_text": "free cake"' in await sql.fetchval(STORED, cafe.tenant.id, "stamps")


async def test_the_preview_follows_the_form(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe")
    visitor = await as_role(web, sql, cafe, "manager")
    _page, form = await form_of(visitor)
    typed = form | {"stamps.target": "6", "stamps.reward_text": "free tea", "_program.name": "Tea club"}
    preview = url(cafe).replace(PATH, f"{PATH}/preview")
    part = read(await visitor.submit(preview, typed))
    for words in ("Tea club", "4 / 6 stamps", "free tea"):
        assert words in part.text, words
    assert "<html" not in part.html
    unreadable = read(await visitor.submit(preview, form | {"stamps.target": "many"}))
    assert "8 / 10 stamps" in unreadable.text
    assert await actions_of(sql, cafe) == []


async def test_a_logo_is_kept_while_a_question_is_asked(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe")
    visitor = await as_role(web, sql, cafe, "owner")
    _page, form = await form_of(visitor)
    del form["_program.is_open"]
    headers = {"Sec-Fetch-Site": "same-origin"}
    upload = {"_brand.upload": ("logo.png", png(8, 8), "image/png")}
    form.pop("_brand.upload", None)
    response = await visitor.send("POST", url(cafe), data=form, files=upload, headers=headers)
    question = read(response)
    name = question.fields["_brand.logo"]
    assert name.startswith("logo-")
    assert await send(visitor, cafe, question.fields | {"step": "confirmed"}) == url(cafe)
    assert name in (await visitor.get("/manage")).text
    assert (await visitor.get(f"/_assets/tenant/{name}")).headers["content-type"] == "image/png"
    _page, form = await form_of(visitor)
    no_picture = {"_brand.upload": ("logo.png", b"not a picture", "image/png")}
    page = read(await visitor.send("POST", url(cafe), data=form, files=no_picture, headers=headers), 422)
    assert "Choose a PNG, JPEG or WebP image" in page.text
    elsewhere = await send(visitor, cafe, form | {"_brand.logo": "../../secret.png", "_program.is_open": "1"})
    assert elsewhere == url(cafe)
    branding = await sql.fetchval("SELECT branding FROM core.tenant WHERE id = $1", cafe.tenant.id)
    assert name in branding


async def test_the_first_program_and_one_too_many(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe", limits={"programs": 1, "shops": 1})
    visitor = await as_role(web, sql, cafe, "owner")
    page = read(await visitor.submit("/manage/program/new", {"kind": "stamps", "name": "Second"}), 422)
    assert "You have used 1 of 1." in page.text
    assert page.fields["name"] == "Second"
    await sql.execute("DELETE FROM core.card WHERE tenant_id = $1", cafe.tenant.id)
    await sql.execute("DELETE FROM core.program WHERE tenant_id = $1", cafe.tenant.id)
    assert led_to(await visitor.get(PATH)) == f"{PATH}/new"
    asked = read(await visitor.get(f"{PATH}/new"))
    assert asked.fields["kind"] == "stamps"
    made = led_to(await visitor.submit(f"{PATH}/new", {"kind": "stamps", "name": "First"}))
    page = read(await visitor.get(made))
    assert page.fields["_program.name"] == "First"
    assert "Not open yet" in page.text
    assert "_program.is_open" not in page.fields


async def test_a_program_gives_something_else_until_it_was_open(
    web: WebServer, make_world: MakeWorld, sql: Connection
) -> None:
    cafe = await open_shop(make_world, "cafe", limits={"programs": 1, "shops": 1}, features=(*FEATURES, "points"))
    visitor, kind = await as_role(web, sql, cafe, "owner"), url(cafe).replace("/program?", "/program/kind?")
    assert "What do your customers collect?" not in (await visitor.get(PATH)).text
    refused = read(await visitor.submit(kind, {"kind": "points"}), 409)
    assert "This program has been open." in refused.text
    await sql.execute("UPDATE core.program SET status = 'setup' WHERE tenant_id = $1", cafe.tenant.id)
    assert "What do your customers collect?" in (await visitor.get(PATH)).text
    assert led_to(await visitor.submit(kind, {"kind": "points"})) == url(cafe)
    _page, form = await form_of(visitor)
    assert (form["points.rate"], "stamps.target" in form) == ("10", False)
    assert await actions_of(sql, cafe) == ["program.changed"]


def png(width: int, height: int) -> bytes:
    """A grey picture."""
    rows = b"".join(b"\0" + b"\x80\x80\x80" * width for _ in range(height))
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
