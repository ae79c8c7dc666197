"""What merchants, callers and customers see of promotions, over HTTP; two merchants, one of whom sees nothing of it."""

import re

PATH = "/manage/p/promotions/"
API = "/api/v1/store/loyalty/promotions/"
HAPPY = {
    "title": "Happy hour",
    "key": "happy",
    "kind": "discount_percent",
    "percent": 10,
    "from_time": "00:00",
    "to_time": "00:00",
    "budget_minor": 20000,
}
SOON = {"title": "Spring", "key": "spring", "kind": "multiplier", "percent": 200, "starts_on": "2999-03-01"}


def plain(html):
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


async def test_the_merchant_sees_what_runs_and_what_it_has_cost(open_shop, sell, visit):
    cafe, pizza = await open_shop("cafe", HAPPY, SOON), await open_shop("pizza", HAPPY)
    await sell(cafe, amount_minor=1250)
    manager = await visit(cafe, "manager")
    text = plain((await manager.get(PATH)).text)
    assert "Happy hour 10 % off, from 12:00 AM to 12:00 AM at most €200.00 Running 1" in text.replace("\u202f", " ")
    assert "Spring Everything counts double from Mar 1, 2999 Scheduled 0" in text
    assert "€1.25" in text
    parts = plain((await manager.get(f"{PATH}participations")).text)
    assert (cafe.card.email in parts, "€1.25 off" in parts) == (True, True)
    file = (await manager.get(f"{PATH}participations/export?q={cafe.card.email}")).text.splitlines()
    assert (len(file), file[1].split(",")[1], file[1].split(",")[3]) == (2, "Happy hour", cafe.card.email)
    assert len((await manager.get(f"{PATH}participations/export?q=nobody")).text.splitlines()) == 1
    other = await visit(pizza, "manager")
    assert cafe.card.email not in (await other.get(f"{PATH}participations")).text
    assert len((await other.get(f"{PATH}participations/export")).text.splitlines()) == 1
    assert (await (await visit(cafe, "staff")).get(PATH)).status_code == 403


async def test_the_api_lists_promotions_and_who_took_part(open_shop, sell, web):
    cafe, pizza = await open_shop("cafe", HAPPY, SOON), await open_shop("pizza")
    await sell(cafe, amount_minor=1250)
    caller = web.at(cafe.host, authorization=f"Bearer {cafe.api_key}")
    happy, spring = (await caller.get(API)).json()["promotions"]
    assert (happy["key"], happy["status"], happy["uses"], happy["cost_minor"], happy["budget_minor"]) == (
        "happy",
        "running",
        1,
        125,
        20000,
    )
    assert (spring["status"], spring["sentence"]) == ("scheduled", "Everything counts double")
    page = (await caller.get(f"{API}participations?promotion=happy")).json()
    assert (page["total"], page["participations"][0]["discount_minor"]) == (1, 125)
    assert page["participations"][0]["card"] == cafe.card.number
    stranger = web.at(pizza.host, authorization=f"Bearer {pizza.api_key}")
    assert (await stranger.get(API)).json() == {"promotions": []}
    assert (await stranger.get(f"{API}participations")).json() == {"participations": [], "total": 0, "page": 1}


async def test_the_customer_reads_what_is_on_the_card(open_shop, sell, visit):
    cafe = await open_shop(
        "cafe", {**HAPPY, "max_uses_per_member": 1}, SOON, {**SOON, "key": "gold", "segments": ["gold"]}
    )
    member = await visit(cafe, "member")
    text = plain((await member.get("/card")).text)
    assert "For you now Happy hour 10 % off" in text
    assert text.count("Spring Soon Everything counts double") == 1
    await sell(cafe, amount_minor=1250)
    assert "For you now Spring Soon" in plain((await member.get("/card")).text)


async def test_the_till_reads_what_to_take_off(open_shop, visit):
    cafe = await open_shop("cafe", HAPPY, {"title": "Coffee", "key": "c", "kind": "free_item", "item": "Espresso"})
    staff = await visit(cafe, "staff")
    address = f"/terminal/cards/card_{cafe.card.id.hex}"
    assert "Coffee Espresso for free" in plain((await staff.get(address)).text)
    sent = {"unit": "stamps", "key": "k" * 20, "staff": f"staff_{cafe.anna.id.hex}", "pin": cafe.anna.pin}
    done = plain((await staff.submit(f"{address}/add", sent)).text)
    assert "Hand over for free: Espresso Coffee" in done
