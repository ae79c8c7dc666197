"""Which language a reader gets: the person's own, the device's, the browser's, the tenant's, in this order."""

from __future__ import annotations

import json

import pytest
from asyncpg import Connection
from pages_under_test import operator_at, platform_actions
from visitors import led_to, member_at, read, staff_at

from regulars.testing.web import Browser, WebServer
from regulars.testing.world import World

GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.8"}
AUDIT = "SELECT action, details FROM core.audit_log WHERE tenant_id = $1 ORDER BY created_at"


@pytest.fixture
async def speaks(sql: Connection, cafe: World) -> World:
    """The café, which speaks all languages and French unless asked."""
    await sql.execute(
        """UPDATE core.tenant SET locales = '["en", "lt", "fr", "de"]', default_locale = 'fr' WHERE id = $1""",
        cafe.tenant.id,
    )
    return cafe


async def language_of(visitor: Browser, path: str = "/", **headers: str) -> str:
    """What a page says of its language."""
    response = await visitor.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    page = response.text
    language = response.headers["content-language"]
    assert f'<html lang="{language}">' in page
    assert {"Accept-Language", "Cookie", "Host"} <= set(response.headers["vary"].split(", "))
    return language


async def test_the_browser_is_heard_and_the_tenants_default_is_last(web: WebServer, speaks: World) -> None:
    visitor = web.at(speaks.host)
    assert await language_of(visitor, Accept_Language="de-AT,de;q=0.9,en;q=0.8") == "de"
    assert await language_of(visitor, Accept_Language="pt-BR,en;q=0.3,lt;q=0.7") == "lt"
    assert await language_of(visitor, Accept_Language="pt-BR") == "fr"
    assert await language_of(visitor) == "fr"
    assert "Hol dir deine Karte" in read(await visitor.get("/", headers=GERMAN)).text


async def test_a_tenant_speaks_only_what_it_has_switched_on(web: WebServer, speaks: World, pizza: World) -> None:
    visitor = web.at(pizza.host)
    assert await language_of(visitor, Accept_Language="de") == "en"
    refused = await visitor.submit("/language", {"locale": "de", "next": "/"})
    assert (refused.status_code, "set-cookie" in refused.headers) == (422, False)
    assert await language_of(visitor, "/?lang=de") == "en"


async def test_a_device_remembers_what_was_chosen(web: WebServer, speaks: World) -> None:
    visitor = web.at(speaks.host, **GERMAN)
    page = await visitor.get("/terms?a=1&lang=fr")
    assert 'name="next" value="/terms?a=1"' in page.text
    assert await language_of(visitor) == "fr"  # the link of a poster, kept
    assert led_to(await visitor.submit("/language", {"locale": "lt", "next": "/terms?a=1"})) == "/terms?a=1"
    assert await language_of(visitor) == "lt"
    assert led_to(await visitor.submit("/language", {"locale": "en", "next": "https://evil.example/"})) == "/"


async def test_a_members_choice_follows_the_member(web: WebServer, sql: Connection, speaks: World) -> None:
    phone, tablet = await member_at(web, sql, speaks), await member_at(web, sql, speaks)
    assert await language_of(tablet, "/account", Accept_Language="de") == "de"
    page = read(await phone.get("/account", headers=GERMAN))
    assert "In dieser Sprache sind Seiten und E-Mails." in page.text
    assert '<option value="de" selected>Deutsch</option>' in page.html
    await phone.submit("/language", {"locale": "lt", "next": "/account"})
    await phone.submit("/language", {"locale": "lt", "next": "/account"})
    assert await language_of(tablet, "/account", Accept_Language="de") == "lt"
    assert "Ką apie jus žinome" in read(await tablet.get("/account", headers=GERMAN)).text
    locale = await sql.fetchval("SELECT locale FROM core.member WHERE id = $1", speaks.card.member_id)
    lines = [(line["action"], json.loads(line["details"])) for line in await sql.fetch(AUDIT, speaks.tenant.id)]
    assert (locale, lines) == ("lt", [("member.changed", {"fields": ["locale"]})])


async def test_staff_have_a_language_of_their_own(web: WebServer, sql: Connection, speaks: World) -> None:
    office, till = await staff_at(web, sql, speaks), await staff_at(web, sql, speaks)
    assert led_to(await office.submit("/manage/language", {"locale": "de", "next": ""})) == "/manage"
    assert await language_of(till, "/terminal", Accept_Language="lt") == "de"
    anna = await staff_at(web, sql, speaks, speaks.anna)
    assert await language_of(anna, "/terminal", Accept_Language="lt") == "lt"
    assert led_to(await anna.submit("/terminal/language", {"locale": "en"})) == "/terminal"
    rows = await sql.fetch(
        "SELECT id, locale FROM core.staff WHERE locale IS NOT NULL AND tenant_id = $1", speaks.tenant.id
    )
    assert {row["id"]: row["locale"] for row in rows} == {speaks.staff[1].id: "de", speaks.anna.id: "en"}


async def test_the_platforms_own_pages_speak_too(web: WebServer, sql: Connection, speaks: World) -> None:
    visitor = web.at("localhost", **GERMAN)
    assert "Aus Kunden werden Stammkunden." in read(await visitor.get("/")).text
    assert led_to(await visitor.submit("/language", {"locale": "lt", "next": "/"})) == "/"
    assert "Paverskite klientus nuolatiniais." in read(await visitor.get("/")).text
    operator = await operator_at(web, sql, speaks)
    assert await language_of(operator, "/jobs", Accept_Language="fr") == "fr"
    assert led_to(await operator.submit("/language", {"locale": "de", "next": "/jobs"})) == "/jobs"
    operator.client.cookies.delete("rg_locale")
    assert await language_of(operator, "/jobs", Accept_Language="fr") == "de"
    assert [action for action, *_ in await platform_actions(sql)][-1] == "operator.changed"


async def test_an_unknown_host_answers_in_the_browsers_language(web: WebServer) -> None:
    response = await web.at("nobody.localhost", **GERMAN).get("/")
    assert (response.status_code, response.headers["content-language"]) == (404, "de")
    assert "Unter dieser Adresse gibt es nichts." in response.text


async def test_the_api_answers_in_the_callers_language(web: WebServer, speaks: World) -> None:
    till = web.at(speaks.host, authorization=f"Bearer {speaks.api_key}", **GERMAN)
    problem = await till.post("/api/v1/store/loyalty/stamp", content=b"{", headers={"Content-Type": "application/json"})
    assert (problem.status_code, problem.headers["content-language"]) == (400, "de")
    assert problem.json()["detail"] == "Der Inhalt ist kein JSON."


async def test_who_is_enrolled_by_others_has_chosen_nothing_yet(web: WebServer, sql: Connection, speaks: World) -> None:
    till = web.at(speaks.host, authorization=f"Bearer {speaks.api_key}", **GERMAN)
    for number, extra in enumerate(({}, {"locale": "lt"})):
        body = {"email": f"new{number}@example.org", "terms": True, **extra}
        assert (await till.post("/api/v1/store/loyalty/cards/enroll", json=body)).status_code == 201
    rows = await sql.fetch("SELECT locale FROM core.member WHERE email LIKE 'new%' ORDER BY email")
    assert [row["locale"] for row in rows] == [None, "lt"]
