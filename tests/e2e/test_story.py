"""The story that the platform is for, told once from end to end in a real browser."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Page, expect

from regulars.testing.browser import DESKTOP, PHONE, TABLET, People
from tests.e2e.steps import (
    House,
    add_stamp,
    card_number,
    click,
    confirm_as,
    enrol,
    find,
    operator_at,
    owner_at,
    sign_in,
    type_pin,
)

pytestmark = pytest.mark.e2e
SLUG, STRANGERS = "boulangerie", "cafe"
CUSTOMER, STAFF, REWARD = "Austėja Žukauskaitė", "Emilija Petit", "pain au chocolat"
ZONE = ZoneInfo("Europe/Luxembourg")
PATIENCE = 100
"""So often somebody looks again for what arrives by itself."""


async def test_from_an_empty_card_to_a_redeemed_reward(house: House, people: People) -> None:
    owner, phone, till = await people.someone(DESKTOP), await people.someone(PHONE), await people.someone(TABLET)
    early, operator = await people.someone(PHONE), await people.someone(DESKTOP)
    await house.clock.set(tomorrow_at_nine())
    await enrol(early, house, SLUG, "ruta@example.com", "Rūta Šimkus")
    await owner_at(owner, house, SLUG)
    await the_operator_takes_stamps_away_and_gives_them_back(operator, owner, early, house)
    await the_owner_sets_the_program_up(owner, house)
    pin = await the_owner_adds(owner, house, STAFF)

    number = await enrol(phone, house, SLUG, "austeja@example.com", CUSTOMER)
    await the_new_card_is_right(phone)
    await the_mail_opens_the_card(operator, await people.someone(PHONE), house, number)
    await staff_open_the_terminal(till, house)
    await find(till, house, SLUG, number)
    await expect(till.get_by_role("heading", name=CUSTOMER)).to_be_visible()
    card_page = till.url
    await staff_stamp_until_the_card_is_full(till, house, pin)
    await staff_hand_the_reward_out(till, pin)
    await the_customer_sees_all_of_it(phone, house)
    await the_figures_are_right(owner, house)
    await the_list_and_the_file_have_the_member(owner, house, number)
    await owner.get_by_role("link", name=CUSTOMER).click()
    await expect(owner.get_by_role("heading", name=CUSTOMER, level=1)).to_be_visible()
    await strangers_see_nothing(await people.someone(DESKTOP), house, number, [card_page, owner.url])


def tomorrow_at_nine() -> datetime:
    """A moment from which a day is long enough for all that happens."""
    tomorrow = datetime.now(ZONE) + timedelta(days=1)
    return tomorrow.replace(hour=9, minute=0)


async def the_operator_takes_stamps_away_and_gives_them_back(
    operator: Page, owner: Page, customer: Page, house: House
) -> None:
    """A toggle is in force at everybody's next click, and nothing is lost."""
    await operator_at(operator, house, "/tenants")
    await click(operator, "Boulangerie du Moulin", role="link")
    await expect_stamps(owner, customer, on=True)
    await decide(operator, "Kill", "Stop the extension", "The extension is stopped.")
    await expect_stamps(owner, customer, on=False)
    answer = await owner.goto(house.of(SLUG, "/manage/p/stamps/"))
    assert answer is not None
    assert answer.status == 404
    await owner.go_back()
    await decide(operator, "Let it work", "Let it work again", "The extension works again.")
    await expect_stamps(owner, customer, on=True)


async def decide(operator: Page, link: str, button: str, said: str) -> None:
    row = operator.get_by_role("table", name="Extensions").get_by_role("row", name="Stamp cards")
    await row.get_by_role("link", name=link).click()
    await operator.get_by_label("Reason").fill("a test of the story")
    await click(operator, button)
    await expect(operator.get_by_text(said)).to_be_visible()


async def expect_stamps(owner: Page, customer: Page, *, on: bool) -> None:
    await owner.reload()
    await expect(owner.get_by_role("heading", name="Dashboard", level=1)).to_be_visible()
    await expect(owner.get_by_role("link", name="Stamp milestones")).to_have_count(int(on))
    await customer.reload()
    await expect(customer.get_by_role("heading", name="My card")).to_be_attached()
    await expect(customer.get_by_role("img", name="1 / 8 stamps")).to_have_count(int(on))


async def the_owner_sets_the_program_up(page: Page, house: House) -> None:
    await page.goto(house.of(SLUG, "/manage/program"))
    preview = page.get_by_role("complementary", name="Preview")
    card = preview.locator(".lcard")
    before = await card.evaluate("element => getComputedStyle(element).backgroundColor")
    await page.get_by_label("Stamps needed").first.fill("10")
    await expect(preview.get_by_role("img", name="8 / 10 stamps")).to_be_visible()
    await page.get_by_label("Reward", exact=True).first.fill(REWARD)
    await expect(preview.get_by_text(REWARD, exact=True)).to_be_visible()
    await page.get_by_role("textbox", name="Colour", exact=True).fill("#14532d")
    assert before != "rgb(20, 83, 45)"
    await expect(card).to_have_css("background-color", "rgb(20, 83, 45)")
    await page.get_by_label("Value of the reward").first.fill("2.80")
    await page.get_by_label("Cooldown between stamps").fill("15")
    await page.get_by_label("Stamps per day").fill("5")
    await click(page, "Save changes")
    await expect(page.get_by_text("A reward needs 10 stamps instead of 8 stamps.")).to_be_visible()
    await expect(page.get_by_text("1 card is in use.")).to_be_visible()
    await click(page, "Save changes")
    await expect(page.get_by_text("Saved. Your customers see it at once.")).to_be_visible()
    await expect(page.get_by_label("Stamps needed").first).to_have_value("10")
    await expect(page.get_by_label("Reward", exact=True).first).to_have_value(REWARD)


async def the_owner_adds(page: Page, house: House, name: str) -> str:
    await page.goto(house.of(SLUG, "/manage/staff"))
    await click(page, "Add person", role="link")
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Make one and show it once").check()
    await click(page, "Add person")
    pin = await page.locator("[data-pin-shown]").inner_text()
    assert len(pin) == 4
    assert pin.isdigit()
    await click(page, "Done", role="link")
    await expect(page.get_by_role("row", name=name)).to_contain_text("Active")
    assert pin not in await page.content()
    return pin


async def the_new_card_is_right(page: Page) -> None:
    await expect(page.get_by_text("Welcome! This is your card.")).to_be_visible()
    await expect(page.get_by_role("button", name="Show the code large")).to_be_visible()
    await expect(page.get_by_role("img", name="1 / 10 stamps")).to_be_visible()
    await expect(page.get_by_text(f"9 more stamps until your {REWARD}!")).to_be_visible()


async def the_mail_opens_the_card(operator: Page, other_phone: Page, house: House, number: str) -> None:
    """Without a mail server the operator reads the welcome mail; its link opens the card on any phone."""
    mail = operator.get_by_role("row", name="austeja@example.com").get_by_role("link")
    for _ in range(PATIENCE):
        await operator.goto(house.console + "/mail")
        if await mail.count():
            break
    await mail.first.click()
    link = operator.get_by_role("link", name="/card/open/")
    await other_phone.goto(await link.inner_text())
    await click(other_phone, "Open my card")
    await expect(other_phone.get_by_role("img", name="1 / 10 stamps")).to_be_visible()
    assert await card_number(other_phone) == number


async def staff_open_the_terminal(page: Page, house: House) -> None:
    await page.goto(house.of(SLUG, "/terminal"))
    await sign_in(page, "marc@boulangerie.example")
    await expect(page.get_by_role("heading", name="Which shop is this?")).to_be_visible()
    await page.get_by_role("button", name="Mersch").tap()
    await expect(page.get_by_role("heading", name="Scan or type a card")).to_be_visible()


async def staff_stamp_until_the_card_is_full(till: Page, house: House, pin: str) -> None:
    """Ten stamps with a PIN, one of them taken back: with the welcome stamp the card is full."""
    other = await till.context.new_page()
    await other.goto(till.url)
    for page in (till, other):
        await page.get_by_role("button", name="Add stamp").tap()
    await confirm_as(till, STAFF, "0008" if pin == "0009" else "0009")
    await expect(till.get_by_role("alert")).to_contain_text("Attempts left: 4.")
    await type_pin(till, pin)
    await expect_stamped(till, 2)
    await confirm_as(other, STAFF, pin)
    await expect(other.get_by_role("alert")).to_contain_text(
        "It is too soon after the last stamp. Next stamp possible at"
    )
    await expect(other.get_by_role("alert")).to_contain_text("Still 15 minutes to go.")
    await other.close()
    for count in (3, 4, 5, 6):
        await stamp_again(till, house, pin, minutes=15)
        await expect_stamped(till, count)
    await house.clock.advance(minutes=15)
    await click(till, "Back to the customer", role="link")
    await expect(till.get_by_text("All 5 stamps of today are on the card.")).to_be_visible()
    await expect(till.get_by_role("button", name="Add stamp")).to_be_disabled()
    await till.get_by_role("link", name="Back").tap()
    await stamp_again(till, house, pin, days=1)
    await expect_stamped(till, 7)
    await stamp_again(till, house, pin, minutes=15)
    await expect_stamped(till, 8)
    await click(till, "Undo", role="link")
    await type_pin(till, pin)
    await expect(till.get_by_role("heading", name="Taken back")).to_be_visible()
    await expect(till.get_by_role("img", name="7 / 10 stamps")).to_be_visible()
    for count in (8, 9, 10):
        await stamp_again(till, house, pin, minutes=15)
        await expect_stamped(till, count)


async def stamp_again(page: Page, house: House, pin: str, **later: float) -> None:
    """Some time later the same customer is here again."""
    await house.clock.advance(**later)
    if await page.get_by_role("link", name="Next customer").is_visible():
        await click(page, "Next customer", role="link")
    await page.get_by_role("link", name=CUSTOMER).tap()
    await add_stamp(page, STAFF, pin)


async def expect_stamped(page: Page, count: int) -> None:
    await expect(page.get_by_role("heading", name="Stamp added!")).to_be_visible()
    await expect(page.get_by_role("img", name=f"{count} / 10 stamps")).to_be_visible()


async def staff_hand_the_reward_out(page: Page, pin: str) -> None:
    await click(page, "Back to the customer", role="link")
    await expect(page.get_by_text("Reward ready")).to_be_visible()
    await page.get_by_role("button", name=f"Redeem: {REWARD}").tap()
    await confirm_as(page, STAFF, pin)
    await expect(page.get_by_role("heading", name="Reward redeemed")).to_be_visible()
    await expect(page.get_by_text(f"Please hand it over: {REWARD}")).to_be_visible()
    await expect(page.get_by_role("img", name="0 / 10 stamps")).to_be_visible()


async def the_customer_sees_all_of_it(page: Page, house: House) -> None:
    """The open card has followed by itself; the history has every movement with its reason."""
    await expect(page.get_by_role("img", name="0 / 10 stamps")).to_be_visible(timeout=10_000)
    await click(page, "History", role="link")
    await expect(page.get_by_role("heading", name="History", level=1)).to_be_visible()
    moves = page.get_by_role("main").get_by_role("listitem")
    balances = ["0", "10", "9", "8", "7", "8", "7", "6", "5", "4", "3", "2", "1"]
    amounts = ["−10", "+1", "+1", "+1", "−1", "+1", "+1", "+1", "+1", "+1", "+1", "+1", "+1"]
    lines = await moves.locator(".move-line").all_inner_texts()
    assert [line.split()[0] for line in lines] == amounts
    assert [line.split()[-1] for line in lines] == balances
    await expect(moves.nth(5)).to_contain_text("taken back")
    await expect(moves.nth(0)).to_contain_text("Mersch")
    await expect(page.get_by_text(STAFF)).to_have_count(0)
    await moves.last.get_by_text("Why?").click()
    await expect(moves.last.get_by_text("A present for getting the card.")).to_be_visible()


async def the_figures_are_right(page: Page, house: House) -> None:
    await page.goto(house.of(SLUG, "/manage"))
    for tile, list_title, rows in (
        ("Members 2 2 new in 30 days", "Members", 2),
        ("Active in 30 days 2 100% of all members", "Members", 2),
        ("Redeemed this month 1 rewards handed out", "Rewards handed out", 1),
        ("Saved value €2.80 €2.80 this month", "Rewards handed out", 1),
    ):
        await page.get_by_role("link", name=tile).click()
        await expect(page.get_by_role("heading", name=list_title, level=1)).to_be_visible()
        await expect(page.get_by_role("row")).to_have_count(1 + rows)
        await page.go_back()
    feed = page.locator("#feed").get_by_role("listitem")
    await expect(feed.first).to_contain_text(f"Austėja Ž. redeemed {REWARD}")
    await expect(feed.nth(1)).to_contain_text("Austėja Ž. earned stamp #10")


async def the_list_and_the_file_have_the_member(page: Page, house: House, number: str) -> None:
    await page.goto(house.of(SLUG, "/manage/members"))
    search = page.get_by_role("searchbox", name="Name, e-mail, phone or card number")
    await search.fill("žukau")
    await search.press("Enter")
    await expect(page.get_by_role("row")).to_have_count(2)
    await expect(page.get_by_role("row", name=CUSTOMER)).to_contain_text("0 / 10 stamps")
    await page.goto(house.of(SLUG, "/manage/members"))
    async with page.expect_download() as waiting:
        await click(page, "Export")
    download = await waiting.value
    content = (await download.path()).read_text("utf-8-sig")
    rows = {row["Name"]: row for row in csv.DictReader(content.splitlines())}
    assert sorted(rows) == [CUSTOMER, "Rūta Šimkus"]
    assert rows[CUSTOMER]["Card number"] == number
    assert rows[CUSTOMER]["Stamps"] == "0"


async def strangers_see_nothing(page: Page, house: House, number: str, addresses: list[str]) -> None:
    """The same platform, another merchant: no search finds the member, no address leads there."""
    await owner_at(page, house, STRANGERS)
    await expect(page.get_by_role("link", name="Members 0")).to_be_visible()
    for text in ("austeja@example.com", "Žukauskaitė", number):
        await page.goto(house.of(STRANGERS, "/manage/members?q=" + quote(text)))
        await expect(page.get_by_text(CUSTOMER)).to_have_count(0)
        await find(page, house, STRANGERS, text)
        await expect(page.get_by_text(CUSTOMER)).to_have_count(0)
    for address in addresses:
        response = await page.goto(house.of(STRANGERS, urlsplit(address).path))
        assert response is not None
        assert response.status == 404
