"""Every page of every audience: nothing scrolls sideways, nothing is missing, nobody is kept out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
from asyncpg import connect
from playwright.async_api import Page, expect
from werkzeug.routing import Map

from regulars.app import create_app
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.browser import PHONE, TABLET, People, Theme, barriers, has_visible_focus, shifts, wear
from tests.e2e.conftest import open_house
from tests.e2e.steps import (
    House,
    begin_sign_up,
    click,
    confirm_as,
    enrol,
    find,
    operator_at,
    owner_at,
    sign_in,
    type_pin,
)
from tests.e2e.walk import FILES, Look, Walk

pytestmark = pytest.mark.e2e
SLUG = "pizza"
MEMBERS = 22
VISITS = ((6, 6, 5, 4, 1), (5, 3))
"""For each day the stamps of the first members; the first card is full then."""
API = "/api/v1/store/loyalty"
HEIGHT = 800
OWN_DOMAINS = {"loyalty.pizza-roma.lu": "live", "xn--rckzahlungsprmienprogramm-xec94d.pizza.lu": "waiting"}
OWN_DOMAIN = (
    "INSERT INTO core.tenant_domain (tenant_id, host, proof, status, problem, next_check_at) "
    "VALUES ($1, $2, 'an-example-of-a-proof-of-32-chars', $3, CASE $3 WHEN 'waiting' THEN 'proof' ELSE '' END, "
    "core.now() + interval '1 day')"
)
OWN_TEXT = (
    "INSERT INTO core.own_text (tenant_id, locale, context, english, forms) "
    "VALUES ($1, 'en', '', 'Get your card', '[\"Join our pizza club\"]') ON CONFLICT DO NOTHING"
)
OWN_CHANGE = """
INSERT INTO core.program_change
  (tenant_id, id, program_id, values, note, is_public, effective_from, status, actor_kind, actor_name)
SELECT tenant_id, gen_random_uuid(), id, '{"stamps": {"target": 14}}', 'Two more stamps', true,
       now() + interval '20 days', 'planned', 'staff', 'Olga' FROM core.program WHERE tenant_id = $1 LIMIT 1
"""
HOUSEHOLD = """
WITH program AS (UPDATE core.program SET household_size = 6, claim_days = 30 WHERE tenant_id = $1 RETURNING id),
     inside AS (SELECT id, program_id, number FROM core.card WHERE tenant_id = $1 AND number = ANY ($2::text[])),
     home AS (INSERT INTO core.household (tenant_id, id, program_id, head_id)
              SELECT $1, gen_random_uuid(), program_id, id FROM inside ORDER BY number LIMIT 1 RETURNING id),
     sharers AS (INSERT INTO core.household_member (tenant_id, id, household_id, card_id)
                 SELECT $1, gen_random_uuid(), home.id, inside.id FROM home, inside)
UPDATE core.card c SET household_id = home.id FROM home, inside WHERE c.tenant_id = $1 AND c.id = inside.id
"""
MAIL = "SELECT text_body FROM core.mail WHERE recipient = $1 AND text_body <> '' ORDER BY created_at DESC LIMIT 1"
SIGHTS: dict[int, tuple[Theme, ...]] = {1440: ("light",), 1024: ("light",), 390: ("light", "dark")}
"""Widths and themes; at the widest and the narrowest the last theme is held against the rules for everybody."""


@pytest.fixture(scope="module")
async def house(registry: PluginRegistry, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A house of its own: a walk leaves words, rules and people behind that no story knows."""
    async with open_house(registry, tmp_path_factory.mktemp("packages")) as opened:
        yield opened


@pytest.fixture(scope="module")
async def busy(house: House) -> House:
    """A merchant with members, stamps and a full card."""
    merchant = house.merchants[SLUG]
    headers = {"Host": merchant.host, "Authorization": f"Bearer {merchant.api_key}"}
    async with httpx.AsyncClient(base_url=house.running.address(), headers=headers) as till:
        numbers = []
        for number in range(MEMBERS):
            person = {"email": f"member{number}@example.com", "name": f"Member Number {number}", "terms": True}
            answer = await till.post(f"{API}/cards/enroll", json=person)
            assert answer.status_code == 201, answer.text
            numbers.append(answer.json()["number"])
        for day, visits in enumerate(VISITS):
            for number, quantity in zip(numbers, visits, strict=False):
                sale = {
                    "card": number,
                    "quantity": quantity,
                    "staff": merchant.staff[0].id,
                    "pin": merchant.staff[0].pin,
                }
                answer = await till.post(f"{API}/stamp", json=sale, headers={"Idempotency-Key": f"{day}-{number}"})
                assert answer.status_code == 200, answer.text
            await house.clock.advance(days=1)
        await put_a_reward_aside(till, numbers[1])
    await let_share(house, numbers[4:6])
    return house


async def put_a_reward_aside(till: httpx.AsyncClient, card: str) -> None:
    """A reward that can be had online, and somebody who has it."""
    reward = {"key": "tea", "title": "Tea", "unit": "stamps", "cost": 1, "handing": "code", "category": "Drinks"}
    answer = await till.patch(f"{API}/program", json={"settings": {"rewards": {"rewards": [reward]}}})
    assert answer.status_code == 200, answer.text
    wanted = {"card": card, "reward": "rewards.catalogue/tea", "hold": True, "channel": "online"}
    answer = await till.post(f"{API}/redemptions", json=wanted, headers={"Idempotency-Key": "tea"})
    assert answer.status_code == 201, answer.text


async def let_share(house: House, numbers: Sequence[str]) -> None:
    """A household of two."""
    connection = await connect(house.running.config.database_url_migrator.replace("+asyncpg", ""))
    try:
        await connection.execute(HOUSEHOLD, house.merchants[SLUG].tenant.id, [one.replace("-", "") for one in numbers])
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def routes(house: House, registry: PluginRegistry) -> Map:
    """All addresses that the application knows."""
    return create_app(house.running.config, registry=registry).url_map


@pytest.fixture
def look(axe: str) -> Look:
    """What is looked at on each page."""

    async def look_at(page: Page, name: str) -> Sequence[str]:
        await page.bring_to_front()
        faults = [f"moves while it loads: {shift}" for shift in await shifts(page)]
        await page.keyboard.press("Tab")
        if await page.locator("dialog[open]").count():  # the only button had the focus: it goes round once
            await page.keyboard.press("Tab")
        faults += [] if await has_visible_focus(page) else ["the keyboard's focus cannot be seen"]
        for width, themes in SIGHTS.items():  # a theme changes colours and no size
            await page.set_viewport_size({"width": width, "height": HEIGHT})
            for theme, wider in (await wear(page, *themes)).items():
                if wider > 0:
                    faults.append(f"{width} {theme}: {wider} px wider than the window")
            if width != TABLET.width:
                faults += [f"{width} {themes[-1]}: {fault}" for fault in await barriers(page, axe)]
        await page.set_viewport_size({"width": 1440, "height": HEIGHT})
        return faults

    return look_at


async def test_the_platforms_own_pages(busy: House, people: People, routes: Map, look: Look) -> None:
    walk, visitor = Walk(routes, "bare", "site", look), await people.someone()
    await walk.go([await people.someone(), await people.someone()], [busy.at("localhost", "/")])
    await visitor.goto(busy.at("localhost", "/sign-up"))
    await click(visitor, "Go on")
    await expect(visitor.get_by_text("Please accept the terms.")).to_be_visible()
    await walk.stop(visitor, "the first form with faults")
    await begin_sign_up(visitor, busy, "walker@example.com", "Walker's bakery")
    await walk.go([visitor], [visitor.url])
    await visitor.goto(busy.at("localhost", f"/sign-up/address?slug={SLUG}"))
    await expect(visitor.get_by_text("is taken")).to_be_visible()
    await walk.stop(visitor, "an address that is taken")
    await visitor.get_by_label("Address", exact=True).fill("walkers")
    await click(visitor, "Go on")
    await walk.go([visitor], [busy.at("localhost", "/sign-up/offering")])
    await visitor.goto(busy.at("localhost", "/sign-up/offering"))
    await click(visitor, "Open my shop")
    await expect(visitor.get_by_role("heading", name="Your shop is open")).to_be_visible()
    await walk.stop(visitor, "arriving")
    await click(visitor, "Go to my dashboard")
    await expect(visitor.get_by_text("Please confirm your mail address")).to_be_visible()
    await walk.stop(visitor, "the first dashboard")
    await visitor.goto(busy.at("localhost", "/sign-up"))
    await walk.stop(visitor, "the way in again")
    walk.judge(besides={"site.address_check"})


async def test_the_customers_pages(busy: House, people: People, routes: Map, look: Look) -> None:
    walk = Walk(routes, "tenant", "portal", look)
    stranger, member, again = await people.someone(), await people.someone(), await people.someone()
    await walk.go([stranger, await people.someone()], [busy.of(SLUG), busy.of(SLUG, "/c/a-code-that-was-found")])
    await stranger.goto(busy.of(SLUG, "/join"))
    await stranger.get_by_label("E-mail").fill("nobody")
    await click(stranger, "Get my card")
    await expect(stranger.get_by_text("Please accept the terms")).to_be_visible()
    await walk.stop(stranger, "the form with faults")
    await enrol(member, busy, SLUG, "walker@example.com", "Walker")
    await walk.go([member, await people.someone(like=member)], [busy.of(SLUG, "/card")])
    await member.goto(busy.of(SLUG, "/card"))
    await click(member, "Show the code large")
    await walk.stop(member, "the code large")
    await member.goto(busy.of(SLUG, "/household"))
    await click(member, "Invite somebody")
    await expect(member.get_by_role("heading", name="Your invitation")).to_be_visible()
    await walk.stop(member, "an invitation")
    invitation = re.findall(r"http://\S+/household/join\S+", await member.locator("main").inner_text())[0]
    leave = await member.get_by_role("link", name="Leave the household").get_attribute("href")
    await walk.go([member], [busy.of(SLUG, leave or "")])
    friend = await people.someone()
    await enrol(friend, busy, SLUG, "friend@example.com", "Friend")
    await friend.goto(invitation)
    await walk.stop(friend, "asked into a household")
    await again.goto(busy.of(SLUG, "/signin"))
    await again.get_by_label("E-mail").fill("walker@example.com")
    await click(again, "Send me the link")
    await expect(again.get_by_role("heading", name="Look into your mail")).to_be_visible()
    await walk.stop(again, "the mail is on its way")
    await walk.go([again], [await link_in_mail(busy, "walker@example.com", "/card/open/")])
    walk.judge(besides={"portal.card_live", "portal.hand_over"})


async def test_the_tills_pages(busy: House, people: People, routes: Map, look: Look) -> None:
    walk, till, colleague = (
        Walk(routes, "tenant", "terminal", look),
        await people.someone(TABLET),
        busy.merchants[SLUG].staff[-1],
    )
    await till.goto(busy.of(SLUG, "/terminal"))
    await sign_in(till, colleague.email)
    await walk.stop(till, "which shop")
    await till.get_by_role("button", name="Esch").tap()
    await expect(till.get_by_role("heading", name="Scan or type a card")).to_be_visible()
    for text, said in (("member", "Who is"), ("stranger@example.com", "Nobody found"), ("482174932840", "mistake")):
        await find(till, busy, SLUG, text)
        await expect(till.get_by_text(said).first).to_be_visible()
        await walk.stop(till, f"search for {text}")
    await find(till, busy, SLUG, "member0@example.com")
    await expect(till.get_by_text("Reward ready").first).to_be_visible()
    await walk.go([till, await people.someone(TABLET, like=till)], [till.url, busy.of(SLUG, "/terminal")])
    await find(till, busy, SLUG, "member1@example.com")
    await till.get_by_role("button", name="Hand out: Tea").click()
    await expect(till.get_by_text("Tea").first).to_be_visible()
    await walk.go([till], [till.url])
    await find(till, busy, SLUG, "member1@example.com")
    number = await till.locator(".num").first.inner_text()
    await find(till, busy, SLUG, "member5@example.com")
    await walk.go([till], [f"{till.url}/split?bill=12.00&card1={number}"])
    await find(till, busy, SLUG, "member5@example.com")
    await click(till, "Add stamp")
    other = await till.context.new_page()
    await other.goto(till.url)
    await walk.stop(till, "who it is")
    await confirm_as(till, colleague.name, wrong(colleague.pin))
    await expect(till.get_by_role("alert")).to_contain_text("Attempts left")
    await walk.stop(till, "the wrong PIN")
    await type_pin(till, colleague.pin)
    await expect(till.get_by_role("heading", name="Stamp added!")).to_be_visible()
    await walk.stop(till, "stamp added")
    await confirm_as(other, colleague.name, colleague.pin)
    await expect(other.get_by_role("alert")).to_contain_text("Still")
    await walk.stop(other, "refused")
    await click(till, "Back to the customer", role="link")
    await walk.stop(till, "waiting")
    await walk.go([till], [till.url + "/undo"])
    await till.goto(busy.of(SLUG, "/terminal/enrol"))
    await till.get_by_label("E-mail").fill("till@example.com")
    await click(till, "Enrol")
    await expect(till.get_by_role("heading", name="The card is ready")).to_be_visible()
    await walk.stop(till, "enrolled")
    boss = await people.someone(TABLET)
    await owner_at(boss, busy, SLUG)
    await boss.goto(busy.of(SLUG, "/terminal"))
    await boss.get_by_role("button", name="Esch").tap()
    await expect(boss.get_by_role("textbox", name="Scan or type a card")).to_be_visible()
    await find(boss, busy, SLUG, "member5@example.com")
    refund = f"{boss.url}/refund"
    await walk.go([boss], [refund])
    await boss.goto(refund)
    await click(boss, "Refund all: 1 piece")
    await expect(boss.get_by_text("The money is not moved from here").first).to_be_visible()
    await walk.stop(boss, "what a refund comes to")
    walk.judge(besides={"terminal.scan", "terminal.find_again", "terminal.scan_again", "terminal.recent"})


async def test_the_merchants_pages(busy: House, people: People, routes: Map, look: Look) -> None:
    walk, owner = Walk(routes, "tenant", "manage", look), await people.someone()
    await own_things(busy)
    await walk.go([owner], [busy.of(SLUG, "/manage/log-in")])
    await owner_at(owner, busy, SLUG)
    await walk.go([owner, await people.someone(like=owner)], [busy.of(SLUG, "/manage")])
    await owner.goto(busy.of(SLUG, "/manage/program"))
    await owner.get_by_label("Stamps needed").first.fill("8")
    await click(owner, "Save changes")
    await expect(owner.get_by_text("A reward needs 8 stamps instead of 12 stamps.")).to_be_visible()
    await walk.stop(owner, "what it does to cards")
    await owner.goto(busy.of(SLUG, "/manage/program"))
    await owner.get_by_label("Stamps needed").first.fill("8")
    await click(owner, "Test the rules")
    await click(owner, "Test this sale")
    await expect(owner.get_by_text("Judged as of")).to_be_visible()
    await walk.stop(owner, "a tried sale")
    await click(owner, "Try on past sales")
    await expect(owner.get_by_role("heading", name="On past sales")).to_be_visible()
    await expect(owner.get_by_text("How this was reckoned")).to_be_visible()
    await walk.go([owner], [busy.of(SLUG, "/manage/program/test")])
    await owner.goto(busy.of(SLUG, "/manage/sales?q=Member+Number+3"))
    await owner.locator(".row-link").first.click()
    await click(owner, "Refund all: 4 pieces")
    await expect(owner.get_by_role("heading", name="Refund the whole sale")).to_be_visible()
    await walk.stop(owner, "what a refund comes to")
    await owner.goto(busy.of(SLUG, "/manage/corrections/limit"))
    await owner.get_by_label("One person alone").first.fill("0")
    await click(owner, "Save")
    await owner.goto(busy.of(SLUG, "/manage/members?q=Member+Number+3"))
    await owner.locator(".row-link").first.click()
    await click(owner, "Correct", role="link")
    await owner.get_by_label("How many").fill("5")
    await owner.get_by_label("Reason").fill("A party that the till has missed")
    await click(owner, "Go on")
    await click(owner, "Ask for it")
    await expect(owner.get_by_text("Another person decides.")).to_be_visible()
    await walk.stop(owner, "a correction that waits")
    await owner.goto(busy.of(SLUG, "/manage/staff/new"))
    await owner.get_by_label("Name").fill("Nico")
    await click(owner, "Add person")
    await expect(owner.locator("[data-pin-shown]")).to_be_visible()
    await walk.stop(owner, "the PIN")
    await owner.goto(busy.of(SLUG, "/manage/api-keys/new"))
    await owner.get_by_label("What it is for").fill("A shop system")
    await click(owner, "Create key")
    await expect(owner.locator("[data-key-shown]")).to_be_visible()
    await walk.stop(owner, "the key")
    someone, email = await people.someone(), busy.merchants[SLUG].owner.email
    await someone.goto(busy.of(SLUG, "/manage/forgotten"))
    await someone.get_by_label("E-mail").fill(email)
    await click(someone, "Send me the link")
    await expect(someone.get_by_role("heading", name="Look into your mail")).to_be_visible()
    await walk.stop(someone, "the mail is on its way")
    await walk.go([someone], [await link_in_mail(busy, email, "/manage/password/")])
    await owner.goto(busy.of(SLUG, "/manage/program/pause"))
    await click(owner, "Pause the program")
    await walk.go([owner], [busy.of(SLUG, "/manage/program/resume")])
    await click(owner, "Go on")
    await walk.go([owner], [busy.of(SLUG, "/manage/look/reset")])  # linked once there is something to take back
    await walk.go([owner], [busy.of(SLUG, "/manage/p/google_wallet/forget")])  # linked once there is an own issuer
    walk.judge(
        besides={
            "manage.feed",
            "manage.back_test_progress",
            "manage.socket",
            "manage.enter_form",
            "manage.look_frame",
            "manage.look_style",
        }
    )


async def test_german_words_fit_on_a_phone(busy: House, people: People, routes: Map) -> None:
    """German has long words; all pages that need no further address, of customers, till and merchant."""
    member, owner = await people.someone(PHONE), await people.someone(PHONE)
    await enrol(member, busy, SLUG, "germany@example.com", "Rückzahlungsprämie")
    await owner_at(owner, busy, SLUG)
    await owner.goto(busy.of(SLUG, "/terminal"))
    await owner.get_by_role("button", name="Esch").tap()
    faults, seen = [], 0
    for rule in routes.iter_rules():
        area = rule.endpoint.partition(".")[0]
        visitor = {"portal": member, "terminal": owner, "manage": owner}.get(area)
        if (
            visitor is None
            or rule.arguments
            or rule.websocket
            or "GET" not in (rule.methods or ())
            or FILES.search(rule.rule)
        ):
            continue
        answer = await visitor.goto(busy.of(SLUG, f"{rule.rule}?lang=de&language=de"))
        if answer is None or not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        seen += 1
        wider = (await wear(visitor, "light"))["light"]
        faults += [f"{rule.rule}: {wider} px wider than the phone"] if wider > 0 else []
    assert (faults, seen > 30) == ([], True)


async def test_the_operators_pages(busy: House, people: People, routes: Map, look: Look) -> None:
    walk, operator = Walk(routes, "console", "console", look), await people.someone()
    await walk.go([operator], [busy.console + "/log-in"])
    await operator_at(operator, busy, "/tenants")
    await click(operator, "Café du Coin", role="link")
    await operator.goto(operator.url + "/exceptions/reports/grant")
    await operator.get_by_label("Reason").fill("a trial")
    await click(operator, "Grant")
    await expect(operator.get_by_text("Saved. It holds from the merchant's next click.")).to_be_visible()
    starts = [operator.url, busy.console + "/", busy.console + "/console"]
    await walk.go([operator, await people.someone(like=operator)], starts)
    walk.judge(besides={"console.console", "console.mail_html"})


async def own_things(house: House) -> None:
    """A text in own words, a planned change, a domain that works, and a long one that is waited for, not in ASCII."""
    connection = await connect(house.running.config.database_url_migrator.replace("+asyncpg", ""))
    try:
        for host, status in (
            ("loyalty.pizza-roma.lu", "live"),
            ("xn--rckzahlungsprmienprogramm-xec94d.pizza.lu", "waiting"),
        ):
            await connection.execute(OWN_DOMAIN, house.merchants[SLUG].tenant.id, host, status)
        await connection.execute(OWN_TEXT, house.merchants[SLUG].tenant.id)
        await connection.execute(OWN_CHANGE, house.merchants[SLUG].tenant.id)
    finally:
        await connection.close()


def wrong(pin: str) -> str:
    return pin[:-1] + ("0" if pin[-1] == "9" else "9")


async def link_in_mail(house: House, recipient: str, path: str) -> str:
    """The address in the latest mail to somebody, as soon as it is written."""
    connection = await connect(house.running.config.database_url_migrator.replace("+asyncpg", ""))
    try:
        async with asyncio.timeout(10):
            while True:
                text = await connection.fetchval(MAIL, recipient)
                if text is not None:
                    return re.findall(rf"http://\S+{path}\S+", text)[0]
                await asyncio.sleep(0.05)
    finally:
        await connection.close()
