"""The scripts in a real browser, under the content security policy that the web layer sends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.async_api import Browser, Page

from regulars.kernel.paths import bundled
from regulars.kernel.templating.assets import Assets
from regulars.kernel.templating.chrome import Chrome, Flash, Link
from regulars.kernel.templating.engine import TemplateEngine
from regulars.kernel.templating.icons import Icons
from regulars.kernel.templating.themes import discover
from regulars.testing.browser import chromium
from regulars.web.headers import CONTENT_SECURITY_POLICY

pytestmark = pytest.mark.e2e

WEB = Path(__file__).resolve().parents[2] / "platform" / "regulars" / "web"
DIST = WEB / "static" / "dist"
SKELETON = """{% extends "layouts/LAYOUT.html" %}{% import "components/ui.html" as ui %}
{% block title %}Test{% endblock %}
{% block content %}CONTENT{% endblock %}
{% block scripts %}{{ super() }}{{ ui.script("SCRIPT") }}{% endblock %}"""
STAFF = [{"id": "emma", "name": "Emma"}, {"id": "tom", "name": "Tom", "locked": "Locked until 15:10"}]
PIN = '{{ ui.pin_pad("/done", "Add a stamp", fields={"card": "c1"}, staff=staff, error=error, selected=selected) }}'
TILL = """<p>Till</p>{{ ui.card_lookup("/done") }}
{% call ui.waiting() %}Next stamp in {{ ui.countdown(soon, "2 seconds") }}{% endcall %}
{{ ui.button("Add stamp", "primary till", disabled=true, attrs={"data-enable-after-countdown": ""}) }}"""
SETTINGS = """{% call ui.form("/done", settings=true) %}
{{ ui.field("name", "Card name", value="Coffee", attrs={"data-preview-text": "card-name"}) }}
{{ ui.field("colour", "Colour", "colour", "#4f46e5", attrs={"data-preview-var": "--brand"}) }}
<div data-preview>{{ ui.loyalty_card("Café", "Coffee") }}</div>
{{ ui.save_bar() }}{% endcall %}"""
SHELL = """{{ ui.confirm_button("Block", "ask", "Block this card?", "No one can use it.", "/done", "/confirm-page") }}
{{ ui.menu(links) }}{{ ui.copy_button("rk_live_1") }}
{{ ui.chart("line", "Activity", ["Day", "Stamps"], [["1", 3], ["2", 5]]) }}"""


class Handler(SimpleHTTPRequestHandler):
    """Serves the pages with the policy and keeps what is posted."""

    posted: list[dict[str, list[str]]]

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        super().end_headers()

    def do_POST(self) -> None:
        self.posted.append(parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        body = b'<!doctype html><title>Done</title><link rel="icon" href="data:,"><h1>Done</h1>'
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


class Site:
    """A folder of pages behind an address of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.posted: list[dict[str, list[str]]] = []
        (folder / "_assets").mkdir()
        (folder / "_assets" / "host").symlink_to(DIST)
        (folder / "plugin" / "sample").mkdir(parents=True)
        handler = partial(type("Kept", (Handler,), {"posted": self.posted}), directory=str(folder))
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.thread = Thread(target=self.server.serve_forever)
        self.thread.start()
        self.engine = TemplateEngine(
            host=WEB / "templates",
            themes=discover([bundled("themes")], "1.0.0"),
            plugins=[("sample", folder / "plugin")],
            assets=Assets(DIST),
            icons=Icons(DIST / "icons.json", strict=True),
            strict=True,
        )

    def write(self, name: str, layout: str, content: str, script: str = "app.js", **values: Any) -> str:
        """Make a page; the answer is its address."""
        source = SKELETON.replace("LAYOUT", layout).replace("CONTENT", content).replace("SCRIPT", script)
        (self.folder / "plugin" / "sample" / f"{name}.html").write_text(source, "utf-8")
        page = self.engine.mail("classic", f"sample/{name}.html", **{"chrome": Chrome(name="Café"), **values})
        (self.folder / f"{name}.html").write_text(page, "utf-8")
        return f"http://127.0.0.1:{self.server.server_port}/{name}.html"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as made:
        yield made


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport={"width": 1024, "height": 768}, locale="en-GB")
    made = await context.new_page()
    faults: list[str] = []
    made.on("pageerror", lambda error: faults.append(str(error)))
    made.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    yield made
    await context.close()
    assert faults == []


async def test_a_person_and_four_digits_make_one_sale(site: Site, page: Page):
    await page.goto(site.write("pin", "terminal", PIN, "pinpad.js", staff=STAFF, error="", selected=""))
    confirm = page.get_by_role("button", name="Confirm")
    assert not await confirm.is_visible()
    await page.get_by_role("radio", name="Emma").check()
    assert await page.get_by_role("button", name="Emma").is_visible()
    await page.keyboard.type("12")
    await page.get_by_role("button", name="3", exact=True).click()
    await page.keyboard.press("Enter")
    assert await confirm.is_disabled()
    await page.keyboard.type("9")
    await page.get_by_role("button", name="Delete the last digit").click()
    await page.keyboard.type("45")
    await confirm.dblclick(no_wait_after=True)
    await page.get_by_role("heading", name="Done").wait_for()
    assert site.posted == [{"card": ["c1"], "staff": ["emma"], "pin": ["1234"]}]


async def test_the_pin_sheet_works_by_keyboard_alone(site: Site, page: Page):
    await page.goto(site.write("pin", "terminal", PIN, "pinpad.js", staff=STAFF, error="", selected=""))
    await page.get_by_role("radio", name="Emma").focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("Enter")
    await page.keyboard.type("0007")
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Done").wait_for()
    assert site.posted == [{"card": ["c1"], "staff": ["emma"], "pin": ["0007"]}]


async def test_after_a_wrong_pin_the_same_person_is_asked_again(site: Site, page: Page):
    error = "Wrong PIN. 3 tries left."
    await page.goto(site.write("pin", "terminal", PIN, "pinpad.js", staff=STAFF, error=error, selected="emma"))
    form = page.locator("form[data-pinpad]")
    assert "is-wrong" in (await form.get_attribute("class") or "")
    assert await page.get_by_role("alert").inner_text() == error
    await page.keyboard.type("1")
    assert "is-wrong" not in (await form.get_attribute("class") or "")
    await page.get_by_role("button", name="Emma").click()
    assert await page.get_by_role("radio", name="Tom").is_disabled()


async def test_the_pin_form_works_without_a_script(site: Site, browser: Browser):
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(site.write("pin", "terminal", PIN, "pinpad.js", staff=STAFF, error="", selected=""))
    await page.get_by_role("radio", name="Emma").check()
    await page.get_by_label("PIN", exact=True).fill("1234")
    await page.locator(".pin-submit").click()
    await page.get_by_role("heading", name="Done").wait_for()
    await context.close()
    assert site.posted == [{"card": ["c1"], "staff": ["emma"], "pin": ["1234"]}]


async def test_a_card_number_is_grouped_while_it_is_typed(site: Site, page: Page):
    await page.goto(site.write("till", "terminal", TILL, soon=datetime.now(UTC) + timedelta(hours=1)))
    field = page.locator("[data-card-number]")
    await page.keyboard.type("4821749")
    assert await field.input_value() == "4821-749"
    await page.get_by_text("Till", exact=True).click()
    await page.keyboard.type("32841")
    assert await field.input_value() == "4821-7493-2841"
    await field.fill("ona@example.com")
    assert await field.input_value() == "ona@example.com"


async def test_waiting_ends_by_itself(site: Site, page: Page):
    await page.goto(site.write("till", "terminal", TILL, soon=datetime.now(UTC) + timedelta(seconds=3)))
    button = page.get_by_role("button", name="Add stamp")
    assert await button.is_disabled()
    await page.get_by_text("Next stamp in").wait_for(state="hidden", timeout=10_000)
    assert await button.is_enabled()


async def test_a_countdown_speaks_minutes_and_seconds(site: Site, page: Page):
    await page.goto(site.write("till", "terminal", TILL, soon=datetime.now(UTC) + timedelta(minutes=12)))
    assert await page.locator("time").inner_text() == "12 minutes"


async def test_the_preview_follows_and_the_save_bar_appears(site: Site, page: Page):
    await page.goto(site.write("settings", "shell", SETTINGS, "settings.js"))
    bar = page.locator(".save-bar")
    assert not await bar.is_visible()
    await page.get_by_label("Card name").fill("Bean card")
    await page.get_by_label("Colour (optional)").fill("#facc15")
    assert await page.locator("[data-show=card-name]").inner_text() == "Bean card"
    card = page.locator(".lcard")
    assert await card.evaluate("element => getComputedStyle(element).backgroundColor") == "rgb(250, 204, 21)"
    assert await card.evaluate("element => getComputedStyle(element).color") == "rgb(20, 21, 26)"
    assert await bar.is_visible()
    await page.get_by_role("button", name="Cancel").click()
    await bar.wait_for(state="hidden")
    assert await page.locator("[data-show=card-name]").inner_text() == "Coffee"


async def test_dialogs_menus_toasts_charts_and_theme(site: Site, page: Page):
    chrome = Chrome(name="Café", search_url="/s", flashes=[Flash(text="Saved.")])
    links = [Link(label="Open", url="#")]
    await page.goto(site.write("shell", "shell", SHELL, "charts.js", chrome=chrome, links=links))
    await page.keyboard.press("/")
    assert await page.evaluate("document.activeElement.name") == "q"
    await page.get_by_role("link", name="Block").click()
    await page.get_by_role("dialog", name="Block this card?").wait_for()
    await page.get_by_role("button", name="Cancel").click()
    await page.get_by_role("dialog").wait_for(state="hidden")
    await page.get_by_label("More actions").click()
    assert await page.get_by_role("link", name="Open").is_visible()
    await page.keyboard.press("Escape")
    assert not await page.get_by_role("link", name="Open").is_visible()
    await page.get_by_role("button", name="Close").click()
    await page.get_by_text("Saved.").wait_for(state="hidden")
    assert await page.get_by_role("img", name="Activity").is_visible()
    before = await page.locator("html").get_attribute("data-theme")
    await page.get_by_label("Light or dark").click()
    await page.reload()
    assert (before, await page.locator("html").get_attribute("data-theme")) == ("light", "dark")


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
async def test_nothing_scrolls_sideways(site: Site, page: Page, width: int):
    await page.set_viewport_size({"width": width, "height": 700})
    for name, layout, content, values in (
        ("settings", "shell", SETTINGS, {}),
        ("till", "terminal", TILL, {"soon": datetime.now(UTC) + timedelta(hours=1)}),
        ("pin", "terminal", PIN, {"staff": STAFF, "error": "", "selected": ""}),
    ):
        await page.goto(site.write(name, layout, content, **values))
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
