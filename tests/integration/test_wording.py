"""Own words: a merchant says our texts differently, in one language, for the own customers only, as data."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from asyncpg import Connection
from visitors import led_to, member_at, read, staff_at

from regulars.testing.web import Browser, WebServer
from regulars.testing.world import World

URL = "/manage/languages/wording"
GERMAN = {"Accept-Language": "de"}


@pytest.fixture
async def german(sql: Connection, cafe: World, pizza: World) -> World:
    """The café; both merchants speak English and German."""
    await sql.execute("""UPDATE core.tenant SET locales = '["en", "de"]'""")
    return cafe


async def owner_of(web: WebServer, sql: Connection, world: World) -> Browser:
    await sql.execute("UPDATE core.staff SET role = 'owner' WHERE id = $1", world.staff[1].id)
    return await staff_at(web, sql, world)


async def text_url(owner: Browser, language: str, words: str) -> str:
    """Where a text is changed."""
    page = read(await owner.get(URL, params={"language": language, "q": words}))
    [url] = [link for link in page.links if link.startswith(f"{URL}/text")]
    return url


async def say(owner: Browser, language: str, words: str, *forms: str) -> None:
    url = await text_url(owner, language, words)
    sent = await owner.submit(url, {f"form{number}": form for number, form in enumerate(forms)})
    assert led_to(sent) == f"{URL}?language={language}&show=own"


async def test_own_words_are_in_force_at_the_next_request_and_only_here(
    web: WebServer, sql: Connection, german: World, pizza: World
) -> None:
    owner = await owner_of(web, sql, german)
    here, there = web.at(german.host), web.at(pizza.host)
    assert "Hol dir deine Karte" in read(await here.get("/", headers=GERMAN)).text
    await say(owner, "de", "Hol dir deine Karte", "Komm in den Bohnenklub")
    await say(
        owner, "de", "bis zu deiner Prämie", "{num} Bohne noch, dann: {reward}!", "Noch {num} Bohnen, dann: {reward}!"
    )
    page = read(await here.get("/", headers=GERMAN)).text
    assert "Komm in den Bohnenklub" in page
    assert "Noch 10 Bohnen, dann: free coffee!" in page
    assert "Komm in den Bohnenklub" not in read(await here.get("/")).text  # English stays as it is
    assert "Hol dir deine Karte" in read(await there.get("/", headers=GERMAN)).text
    lines = await sql.fetch("SELECT action, details FROM core.audit_log WHERE tenant_id = $1", german.tenant.id)
    assert [line["action"] for line in lines] == ["wording.changed"] * 2
    assert json.loads(lines[0]["details"]) == {
        "language": "de",
        "text": "Get your card",
        "words": "Komm in den Bohnenklub",
    }


async def test_empty_is_the_standard_text_again(web: WebServer, sql: Connection, german: World) -> None:
    owner = await owner_of(web, sql, german)
    await say(owner, "de", "Hol dir deine Karte", "Komm in den Klub")
    await say(owner, "de", "Hol dir deine Karte", "")
    assert "Hol dir deine Karte" in read(await web.at(german.host).get("/", headers=GERMAN)).text
    assert await sql.fetchval("SELECT count(*) FROM core.own_text") == 0


async def test_own_words_are_data(web: WebServer, sql: Connection, german: World) -> None:
    """Quotes, entities and braces of a template reach nobody as markup, not even from the database."""
    owner = await owner_of(web, sql, german)
    await say(owner, "en", "Get your card", "\" onclick=x & &lt;b&gt; 'now'")
    answer = (await web.at(german.host).get("/")).text
    assert "&#34; onclick=x &amp; &amp;lt;b&amp;gt; &#39;now&#39;" in answer
    await sql.execute("""UPDATE core.own_text SET forms = '["<script>alert(1)</script>"]'""")
    answer = (await web.at(german.host).get("/")).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer
    assert "<script>alert(1)" not in answer


@pytest.mark.parametrize(
    ("sought", "form", "sentence"),
    [
        ("Get your card", "<b>Card</b>", "The sign < cannot be used here."),
        ("Get your card", "100 % yours", "The sign % cannot be used here."),
        ("Get your card", "Card of {merchant}", "No value is put in here. Please leave out names in braces."),
        ("Get your card", "x" * 401, "At most 400 characters are possible."),
        ("Powered by", "Made here", "Values are put in here. Keep each of these as it stands: {platform}"),
        ("Powered by", "Made by {platform} with {love}", "Keep each of these as it stands: {platform}"),
    ],
)
async def test_what_cannot_be_said_is_refused_with_a_sentence(
    web: WebServer, sql: Connection, german: World, sought: str, form: str, sentence: str
) -> None:
    owner = await owner_of(web, sql, german)
    refused = read(await owner.submit(await text_url(owner, "en", sought), {"form0": form}), 422)
    assert sentence in refused.text
    assert refused.fields["form0"] == form
    assert await sql.fetchval("SELECT count(*) FROM core.own_text") == 0


async def test_every_form_of_a_counted_text_is_asked_for(web: WebServer, sql: Connection, german: World) -> None:
    owner = await owner_of(web, sql, german)
    url = await text_url(owner, "de", "bis zu deiner Prämie")
    page = read(await owner.get(url))
    assert "Für 1" not in page.text  # the owner reads English
    assert {"For 1", "For 0, 2, 3"} <= set(re.findall(r"For \d[\d, ]*\b", page.text))
    refused = read(await owner.submit(url, {"form0": "{num} Bohne noch: {reward}!", "form1": ""}), 422)
    assert "Please fill this in." in refused.text


async def test_a_word_is_replaced_everywhere_after_a_look(web: WebServer, sql: Connection, german: World) -> None:
    owner = await owner_of(web, sql, german)
    query = {"language": "de", "one": "Stempel", "own_one": "Bohne", "many": "Stempel", "own_many": "Bohnen"}
    page = read(await owner.get(f"{URL}/word", params=query))
    keys = {value for name, value in page.fields.items() if name == "use"}
    proposed = {name: value for name, value in page.fields.items() if "." in name}
    assert keys <= {name.split(".")[0] for name in proposed}
    assert {
        "{num} Bohne ist drauf!",
        "{num} Bohnen sind drauf!",
        "Noch {num} Bohnen bis zu deiner Prämie: {reward}!",
    } <= set(proposed.values())
    added = next(name.split(".")[0] for name, value in proposed.items() if value == "Bohne ist drauf!")
    action = next(one for one in page.actions if one.startswith(f"{URL}/word?"))
    wrong = {**proposed, f"{added}.0": "<i>Bohne</i>", "use": added}
    assert "The sign < cannot be used here." in read(await owner.submit(action, wrong), 422).text
    assert led_to(await owner.submit(action, {**proposed, "use": added})) == f"{URL}?language=de&show=own"
    rows = await sql.fetch("SELECT english, forms FROM core.own_text")
    assert [(row["english"], json.loads(row["forms"])) for row in rows] == [("Stamp added!", ["Bohne ist drauf!"])]


async def test_own_words_are_exported_and_reset(web: WebServer, sql: Connection, german: World, pizza: World) -> None:
    owner, other = await owner_of(web, sql, german), await owner_of(web, sql, pizza)
    await say(owner, "de", "Hol dir deine Karte", "Komm in den Klub")
    await say(other, "de", "Hol dir deine Karte", "Pizza für alle")
    text = (await owner.get(f"{URL}/export?language=de")).text.removeprefix("\ufeff")
    assert list(csv.reader(io.StringIO(text)))[1:] == [["Hol dir deine Karte", "Komm in den Klub"]]
    assert "Use the standard words everywhere?" in read(await owner.get(f"{URL}/reset?language=de")).text
    assert led_to(await owner.submit(f"{URL}/reset?language=de", {})) == f"{URL}?language=de"
    rows = await sql.fetch("SELECT tenant_id FROM core.own_text")
    assert [row["tenant_id"] for row in rows] == [pizza.tenant.id]
    assert (await owner.get(f"{URL}?language=lt")).status_code == 404


async def test_mails_and_the_api_use_own_words(web: WebServer, sql: Connection, german: World) -> None:
    owner = await owner_of(web, sql, german)
    asked = "Somebody, probably you, asked {merchant} for the link to your card."
    await say(owner, "en", asked, "You asked {merchant} for your bean card.")
    visitor = web.at(german.host)
    await visitor.submit("/signin", {"email": german.card.email})
    assert "\nYou asked Cafe for your bean card.\n" in await sql.fetchval("SELECT text_body FROM core.mail")


async def test_languages_are_chosen(web: WebServer, sql: Connection, german: World) -> None:
    owner = await owner_of(web, sql, german)
    page = read(await owner.get("/manage/languages"))
    assert page.fields["language"] == "de"
    refused = read(await owner.submit("/manage/languages", {"default": "en"}), 422)
    assert "Choose one of the languages." in refused.text
    assert led_to(await owner.submit("/manage/languages", {"language": "lt", "default": "lt"})) == "/manage/languages"
    assert '<html lang="lt">' in (await web.at(german.host).get("/", headers=GERMAN)).text


async def test_only_who_may_change_looks_may_change_words(web: WebServer, sql: Connection, german: World) -> None:
    anna, member = await staff_at(web, sql, german, german.anna), await member_at(web, sql, german)
    await sql.execute("UPDATE core.staff SET role = 'staff' WHERE id = $1", german.anna.id)
    for path in ("/manage/languages", URL, f"{URL}/word", f"{URL}/export?language=de"):
        assert (await anna.get(path)).status_code == 403
        assert led_to(await member.get(path)).startswith("/manage/log-in")
