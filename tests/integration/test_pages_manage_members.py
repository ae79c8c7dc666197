"""The merchant's members: list, filters, pages, export, detail with reasons, changes, blocked cards."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

from asyncpg import Connection
from pages_under_test import MakeWorld, actions_of, as_role, open_shop, person
from visitors import Seen, led_to, read

from regulars.domain.cards.numbers import format_number
from regulars.kernel import ids
from regulars.testing.clock import Clock
from regulars.testing.till import Till
from regulars.testing.web import WebServer
from regulars.testing.world import TestCard, World

AUDIT = "SELECT action FROM core.audit_log WHERE action LIKE 'member.%merge' ORDER BY created_at, id"


def url(card: TestCard) -> str:
    """Page of a card's member."""
    return f"/manage/members/{ids.show(ids.MEMBER, card.member_id)}"


async def test_search_filters_and_pages(
    web: WebServer, make_world: MakeWorld, sql: Connection, make_till: Callable[[World], Till], clock: Clock
) -> None:
    cafe = await open_shop(make_world, "cafe", settings={"stamps": {"target": 5, "welcome_stamps": 0}})
    cards = [await cafe.add_card(f"p{n:02d}@cafe.example", name=f"Person {n:02d}") for n in range(24)]
    await clock.advance(days=40)
    for card, stamps in ((cards[3], 5), (cards[4], 4), (cards[5], 2)):
        await make_till(cafe).sale(stamps, card=card)
    visitor = await as_role(web, sql, cafe, "manager")

    first = read(await visitor.get("/manage/members"))
    assert "1–20 of 25" in first.text
    assert "/manage/members?page=2" in first.links
    assert "21–25 of 25" in read(await visitor.get("/manage/members?page=2")).text
    for words in ("Person 03", "5 / 5 stamps", "Reward ready", "4 / 5 stamps", "Nearly there", "2 / 5 stamps", "Today"):
        assert words in first.text, words
    assert format_number(cards[3].number)[:9] in first.text
    assert format_number(cards[3].number) not in first.text

    ready = read(await visitor.get("/manage/members?show=ready"))
    assert "1–1 of 1" in ready.text
    assert url(cards[3]) in ready.links
    active = read(await visitor.get("/manage/members?show=active"))
    assert "1–3 of 3" in active.text
    found = read(await visitor.get("/manage/members?q=person+1&sort=name"))
    assert "1–12 of 12" in found.text
    assert "/manage/members?q=person+1&show=ready&sort=name" in found.links
    by_number = read(await visitor.get(f"/manage/members?q={format_number(cards[7].number)[:9]}"))
    assert next(link for link in by_number.links if link.startswith("/manage/members/mem_")) == url(cards[7])
    nobody = read(await visitor.get("/manage/members?q=nobody-at-all"))
    assert "Nobody found" in nobody.text
    assert led_to(await visitor.get("/manage/members?page=99")) == "/manage/members?page=2"
    assert read(await visitor.get("/manage/members?page=x&show=everything&sort=age")).text == first.text


async def test_the_export_is_the_list_and_is_written_down(
    web: WebServer, make_world: MakeWorld, sql: Connection, make_till: Callable[[World], Till]
) -> None:
    cafe = await open_shop(make_world, "cafe")
    await cafe.add_card("agne@cafe.example", name="Agnė Žukaitė-Šimkė")
    evil = await cafe.add_card("evil@cafe.example", name='=HYPERLINK("https://evil.example")')
    await make_till(cafe).sale(card=evil)
    visitor = await as_role(web, sql, cafe, "manager")
    response = await visitor.submit("/manage/members/export", {})
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"] == "attachment; filename*=UTF-8''cafe-members.csv"
    assert response.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert rows[0][:4] == ["Name", "E-mail", "Phone", "Card number"]
    assert {row[0] for row in rows[1:]} == {
        "Mia Ledoux",
        "Agnė Žukaitė-Šimkė",
        '\'=HYPERLINK("https://evil.example")',
    }
    by_name = {row[1]: row for row in rows[1:]}
    assert by_name[evil.email][3] == format_number(evil.number)
    assert by_name[evil.email][rows[0].index("Stamps")] == "1"
    some = await visitor.submit("/manage/members/export", {"q": "agne", "show": "all"})
    assert len(some.text.splitlines()) == 2
    assert await actions_of(sql, cafe) == ["sale.record", "member.exported", "member.exported"]


async def test_a_member_with_history_and_reasons(
    web: WebServer, make_world: MakeWorld, sql: Connection, make_till: Callable[[World], Till], clock: Clock
) -> None:
    cafe = await open_shop(make_world, "cafe")
    till = make_till(cafe)
    await till.sale(2)
    await clock.advance(minutes=1)
    await till.undo()
    visitor = await as_role(web, sql, cafe, "manager")
    page = read(await visitor.get(url(cafe.card)))
    for words in (
        "Mia Ledoux",
        cafe.card.email,
        f"Card {format_number(cafe.card.number)}",
        "0 / 10 stamps",
        "+2 stamps",
        "−2 stamps",
        "Taken back",
        "Why?",
        "One stamp for each of 2 items or visits.",
        "Decided by Stamp cards, rule “visit”.",
        "None on record.",
    ):
        assert words in page.text, words


async def test_changing_a_member(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe")
    visitor = await as_role(web, sql, cafe, "manager")
    form = f"{url(cafe.card)}/edit"
    assert read(await visitor.get(form)).fields["name"] == "Mia Ledoux"
    wrong = read(await visitor.submit(form, {"name": "Mia L.", "phone": "call me"}), 422)
    assert wrong.fields["name"] == "Mia L."
    assert wrong.fields["phone"] == "call me"
    assert "Please enter a phone number with its country code" in wrong.text
    assert await actions_of(sql, cafe) == []
    assert led_to(await visitor.submit(form, {"name": "Mia L.", "phone": "621 123 456"})) == url(cafe.card)
    page = read(await visitor.get(url(cafe.card)))
    assert "Mia L." in page.text
    assert "+352621123456" in page.text
    assert "Saved." in page.text
    assert "Saved." not in read(await visitor.get(url(cafe.card))).text
    assert await actions_of(sql, cafe) == ["member.changed"]


async def test_blocking_a_card_is_asked_and_undone(
    web: WebServer, make_world: MakeWorld, sql: Connection, make_till: Callable[[World], Till]
) -> None:
    cafe = await open_shop(make_world, "cafe")
    visitor = await as_role(web, sql, cafe, "manager")
    card = f"{url(cafe.card)}/cards/{ids.show(ids.CARD, cafe.card.id)}"
    question = read(await visitor.get(f"{card}/block"))
    assert "Nobody can collect or redeem" in question.text
    assert f"{card}/block" in question.actions
    assert led_to(await visitor.submit(f"{card}/block", {})) == url(cafe.card)
    page = read(await visitor.get(url(cafe.card)))
    assert "The card is blocked." in page.text
    assert f"{card}/unblock" in page.actions
    refused = await make_till(cafe).sale()
    assert refused.refused
    assert led_to(await visitor.submit(f"{card}/unblock", {})) == url(cafe.card)
    assert not (await make_till(cafe).sale()).refused
    assert await actions_of(sql, cafe) == ["card.blocked", "sale.record", "card.unblocked", "sale.record"]


async def test_the_dashboard_and_the_lists_behind_it(
    web: WebServer, make_world: MakeWorld, sql: Connection, make_till: Callable[[World], Till], clock: Clock
) -> None:
    values = {"target": 2, "reward_text": "free cake", "reward_value_minor": 350}
    cafe = await open_shop(make_world, "cafe", settings={"stamps": values})
    ida = await cafe.add_card("ida@cafe.example", name="Ida Moreau")
    till = make_till(cafe)
    await till.sale(2, card=ida)
    await clock.advance(minutes=20)
    await till.redeem(card=ida)
    visitor = await as_role(web, sql, cafe, "manager")
    page = read(await visitor.get("/manage"))
    for words in ("Members 2", "Redeemed this month 1", "Saved value €3.50", "Ida M. redeemed free cake", "Add stamp"):
        assert words in page.text, words
    for link in ("/manage/members", "/manage/members?show=active", "/manage/rewards", "/manage/rewards?show=all"):
        assert link in page.links
    behind = read(await visitor.get("/manage/rewards"))
    for words in ("Ida Moreau", "free cake", "2 stamps", "€3.50", "Main street · Olga", "1–1 of 1"):
        assert words in behind.text, words
    assert "free cake" in read(await visitor.get("/manage/rewards?q=moreau")).text
    assert "None found" in read(await visitor.get("/manage/rewards?q=nobody")).text
    file = await visitor.submit("/manage/rewards/export", {"q": "cake", "show": "month"})
    (row,) = list(csv.reader(io.StringIO(file.text.removeprefix("\ufeff"))))[1:]
    assert row[1:] == ["free cake", "Ida Moreau", ida.email, "stamps", "2", "€3.50", "Main street", "Olga"]
    assert await actions_of(sql, cafe) == ["sale.record", "reward.redeem", "redemption.exported"]
    feed = next(part for part in page.html.split('"') if part.startswith("/manage/feed?since="))
    part = {"HX-Request": "true"}
    assert (await visitor.get(feed, headers=part)).status_code == 204
    assert led_to(await visitor.get(feed)) == "/manage", "it is no page of its own"
    await clock.advance(minutes=20)
    await till.sale()
    renewed = read(await visitor.get(feed, headers=part))
    assert renewed.text.startswith("Mia L. earned stamp #1")


OPEN = '<span class="font-medium">'
"""What stands before the title of a step that is not done."""


def left_to_do(page: Seen) -> list[str]:
    """Titles of the first steps that are not done."""
    return [part.partition("<")[0] for part in page.html.split(OPEN)[1:]]


async def test_first_steps_tick_themselves_off(
    web: WebServer, make_world: MakeWorld, sql: Connection, make_till: Callable[[World], Till]
) -> None:
    cafe = await open_shop(make_world, "cafe")
    key, visitor = cafe.tenant.id, await as_role(web, sql, cafe, "owner")
    await sql.execute("UPDATE core.program SET status = 'setup' WHERE tenant_id = $1", key)
    pins = await sql.fetch("SELECT pin_hash, id FROM core.staff WHERE tenant_id = $1", key)
    await sql.execute("UPDATE core.staff SET pin_hash = NULL WHERE tenant_id = $1", key)
    await sql.execute("UPDATE core.member SET status = 'inactive' WHERE tenant_id = $1", key)
    steps = [
        "Set up your program",
        "Give it your looks",
        "Give out the first PIN",
        "Put the code on your counter",
        "Enrol the first customer",
        "Record the first visit",
    ]
    page = read(await visitor.get("/manage"))
    assert left_to_do(page) == steps
    for link in ("/manage/program", "/manage/counter-sheet", "/terminal/enrol", "/terminal"):
        assert link in page.links
    own_pin = next(link for link in page.links if link.endswith("/pin"))
    assert person(cafe, "owner").name in read(await visitor.get(own_pin)).text
    assert "Nobody can join yet" in read(await visitor.get("/manage/counter-sheet")).text

    await sql.execute("UPDATE core.program SET status = 'active' WHERE tenant_id = $1", key)
    assert left_to_do(read(await visitor.get("/manage"))) == steps[1:]
    await sql.execute("""UPDATE core.tenant SET branding = '{"logo": "logo.png"}' WHERE id = $1""", key)
    await sql.executemany("UPDATE core.staff SET pin_hash = $1 WHERE id = $2", pins)
    sheet = read(await visitor.get("/manage/counter-sheet"))
    assert "cafe.localhost:8000/join" in sheet.text
    assert led_to(await visitor.submit("/manage/counter-sheet", {})) == "/manage"
    assert left_to_do(read(await visitor.get("/manage"))) == steps[4:]
    await sql.execute("UPDATE core.member SET status = 'active' WHERE tenant_id = $1", key)
    assert left_to_do(read(await visitor.get("/manage"))) == steps[5:]

    assert led_to(await visitor.submit("/manage/first-steps/hide", {})) == "/manage"
    hidden = read(await visitor.get("/manage"))
    assert "First steps" not in hidden.text
    assert "/manage/first-steps/show" in hidden.actions
    await visitor.submit("/manage/first-steps/show", {})
    assert "First steps" in read(await visitor.get("/manage")).text
    staff = await as_role(web, sql, cafe, "staff")
    for path in ("/manage/first-steps/hide", "/manage/counter-sheet"):
        assert (await staff.submit(path, {})).status_code == 403
    await make_till(cafe).sale()
    assert "First steps" not in read(await visitor.get("/manage")).text
    lines = await sql.fetch("SELECT details FROM core.audit_log WHERE action = 'tenant.first_steps' ORDER BY id")
    assert [line["details"] for line in lines] == ['{"sheet": true}', '{"hidden": true}', '{"hidden": false}']


async def test_two_members_become_one_and_two_again(
    web: WebServer, make_world: MakeWorld, sql: Connection, make_till: Callable[[World], Till]
) -> None:
    cafe = await open_shop(make_world, "cafe")
    twin = await cafe.add_card("mia2@cafe.example", name="Mia Ledoux")
    for card, stamps in ((cafe.card, 2), (twin, 3)):
        await make_till(cafe).sale(stamps, card=card)
    visitor = await as_role(web, sql, cafe, "manager")
    search = read(await visitor.get(f"{url(cafe.card)}/merge"))
    preview = next(link for link in search.links if f"{url(cafe.card)}/merge/" in link)
    page = read(await visitor.get(preview))
    for words in ("What will happen", "2 stamps", "3 stamps", "5 stamps", format_number(twin.number)):
        assert words in page.text, words
    nothing = await visitor.submit(preview, {"reason": " ", "key": "k"})
    assert (nothing.status_code, "Say why" in nothing.text) == (422, True)
    key = {"reason": "the same phone", "key": "k"}
    assert led_to(await visitor.submit(preview, key)) == url(cafe.card)
    merged = read(await visitor.get(url(cafe.card)))
    for words in ("Merged with", "mia2@cafe.example", "the same phone", "Two cards have become one."):
        assert words in merged.text, words
    assert read(await visitor.get(url(twin))).text == read(await visitor.get(url(cafe.card))).text
    assert url(twin) not in read(await visitor.get("/manage/members")).links
    assert led_to(await visitor.submit(preview, key)) == url(cafe.card)
    again = await visitor.get(preview)
    assert (again.status_code, "merged already" in again.text) == (409, True)
    undo = next(action for action in merged.actions if action.endswith("/undo"))
    assert led_to(await visitor.submit(undo, {})) == url(cafe.card)
    assert "They are two cards again." in read(await visitor.get(url(cafe.card))).text
    assert led_to(await visitor.submit(undo, {})) == url(cafe.card)
    assert "undone already" in read(await visitor.get(url(cafe.card))).text
    assert [row["action"] for row in await sql.fetch(AUDIT)] == ["member.merge", "member.unmerge"]
    staff = await as_role(web, sql, cafe, "staff")
    assert (await staff.get(preview)).status_code == 403
