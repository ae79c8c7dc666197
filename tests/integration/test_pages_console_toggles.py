"""What operators decide is in force at the merchant's next request, says first what it means, and is written down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from json import loads

import pytest
from asyncpg import Connection
from pages_under_test import FEATURES, MakeWorld, actions_of, as_role, open_shop, operator_at, platform_actions
from visitors import led_to, read

from regulars.kernel import ids
from regulars.testing.web import WebServer
from regulars.testing.world import World

WHY = {"reason": "agreed on the phone"}
LISTED = "SELECT features FROM core.offering WHERE code = $1"


def url(world: World, path: str = "") -> str:
    """Page of a merchant."""
    return f"/tenants/{ids.show(ids.TENANT, world.tenant.id)}{path}"


async def test_denying_and_granting_a_feature(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe, pizza = await open_shop(make_world, "cafe"), await open_shop(make_world, "pizza")
    owner, other = await as_role(web, sql, cafe), await as_role(web, sql, pizza)
    operator = await operator_at(web, sql, cafe)
    assert "Dashboard" in read(await owner.get("/manage")).text
    form = url(cafe, "/exceptions/stats/deny")
    assert "menus, pages and API are gone, data stays" in read(await operator.get(form)).text
    refused = read(await operator.submit(form, {"reason": " ", "until": "tomorrow"}), 422)
    assert "A date such as 2027-12-31 is needed." in refused.text
    assert refused.fields["until"] == "tomorrow"
    assert "Please say why" in read(await operator.submit(form, {"reason": " "}), 422).text
    assert led_to(await operator.submit(form, WHY)) == url(cafe)
    assert led_to(await owner.get("/manage")) == "/manage/members"
    read(await owner.get("/manage/rewards"), 404)
    read(await other.get("/manage"))
    page = read(await operator.get(url(cafe)))
    assert "Dashboard with figuresstats · loyalty_stats Off Deniedagreed on the phone" in page.text
    assert led_to(await operator.submit(url(cafe, "/exceptions/stats/remove"), WHY)) == url(cafe)
    assert "Recent activity" in read(await owner.get("/manage")).text
    until = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    granted = await operator.submit(url(cafe, "/exceptions/api_access/grant"), {**WHY, "until": until})
    assert led_to(granted) == url(cafe)
    read(await owner.get("/manage/api-keys/new"))
    assert "API accessapi_access On Grantedagreed on the phone · until" in read(await operator.get(url(cafe))).text
    assert [(action, on) for action, on, _why in await platform_actions(sql)] == [
        ("tenant.override_deny", "cafe"),
        ("tenant.override_removed", "cafe"),
        ("tenant.override_grant", "cafe"),
    ]
    assert len(await actions_of(sql, cafe)) == 3
    assert await actions_of(sql, pizza) == []


async def test_a_limit_of_ones_own(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe", limits={"shops": 1, "programs": 1})
    owner, operator = await as_role(web, sql, cafe), await operator_at(web, sql, cafe)
    form = url(cafe, "/exceptions/shops/limit")
    wrong = read(await operator.submit(form, {**WHY, "value": "a few"}), 422)
    assert "A whole number is needed, or nothing for unlimited." in wrong.text
    assert wrong.fields["value"] == "a few"
    assert led_to(await operator.submit(form, {**WHY, "value": "3"})) == url(cafe)
    assert "1 of 3 open shops" in read(await owner.get("/manage/shops")).text
    assert led_to(await operator.submit(form, {**WHY, "value": ""})) == url(cafe)
    assert "1 open shop" in read(await owner.get("/manage/shops")).text
    assert led_to(await operator.submit(url(cafe, "/exceptions/shops/remove"), WHY)) == url(cafe)
    assert "1 of 1 open shops" in read(await owner.get("/manage/shops")).text


async def test_another_offering_says_what_it_takes(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    small = tuple(name for name in FEATURES if name != "stats")
    await open_shop(make_world, "other", offering="small", features=small, limits={"shops": 1, "programs": 1})
    cafe = await open_shop(make_world, "cafe", limits={"shops": 5, "programs": 1})
    owner, operator = await as_role(web, sql, cafe), await operator_at(web, sql, cafe)
    for name in ("Two", "Three"):
        await owner.submit("/manage/shops/new", {"name": name})
    page = read(await operator.get(url(cafe, "/offering")))
    assert "Choose one to see what it would change." in page.text
    preview = read(await operator.get(url(cafe, "/offering?to=small")))
    for words in (
        "What changes with Small",
        "Dashboard with figures",
        "Shops5 1",
        "Shops: 3 are in use and 1 allowed. They all stay; new ones are refused.",
        "Nothing is deleted.",
    ):
        assert words.replace(" ", "") in preview.text.replace(" ", ""), words
    again = read(await operator.submit(url(cafe, "/offering"), {"to": "small", "reason": ""}), 422)
    assert "Please say why" in again.text
    assert led_to(await operator.submit(url(cafe, "/offering"), {"to": "small", **WHY})) == url(cafe)
    assert led_to(await owner.get("/manage")) == "/manage/members"
    shops = read(await owner.get("/manage/shops"))
    assert "3 of 1 open shops" in shops.text
    assert await platform_actions(sql) == [("tenant.offering_changed", "cafe", WHY["reason"])]


@pytest.mark.parametrize("for_all", [False, True])
async def test_the_kill_switch(web: WebServer, make_world: MakeWorld, sql: Connection, for_all: bool) -> None:
    cafe, pizza = await open_shop(make_world, "cafe"), await open_shop(make_world, "pizza")
    owner, other = await as_role(web, sql, cafe), await as_role(web, sql, pizza)
    operator = await operator_at(web, sql, cafe)
    place = "/plugins/stamps" if for_all else url(cafe, "/plugins/stamps")
    back = "/plugins" if for_all else url(cafe)
    read(await owner.get("/manage/p/stamps/"))
    question = read(await operator.get(f"{place}/kill"))
    assert "stop within a second, on every process" in question.text
    assert ("Every merchant loses it at once" in question.text) == for_all
    assert "Please say why" in read(await operator.submit(f"{place}/kill", {"reason": ""}), 422).text
    assert led_to(await operator.submit(f"{place}/kill", WHY)) == back
    read(await owner.get("/manage/p/stamps/"), 404)
    assert (await other.get("/manage/p/stamps/")).status_code == (404 if for_all else 200)
    assert "We have stopped this extension for the moment." in read(await owner.get("/manage/plugins")).text
    page = read(await operator.get(back))
    assert WHY["reason"] in page.text
    twice = read(await operator.submit(f"{place}/kill", WHY), 422)
    assert "already" in twice.text
    assert led_to(await operator.submit(f"{place}/revive", WHY)) == back
    read(await owner.get("/manage/p/stamps/"))
    read(await operator.submit(f"{place}/revive", WHY), 404)
    assert [(action, why) for action, _on, why in await platform_actions(sql)] == [
        ("plugin.killed", WHY["reason"]),
        ("plugin.revived", WHY["reason"]),
    ]


async def test_suspending_and_reactivating(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe, pizza = await open_shop(make_world, "cafe"), await open_shop(make_world, "pizza")
    owner, other = await as_role(web, sql, cafe), await as_role(web, sql, pizza)
    operator = await operator_at(web, sql, cafe)
    question = read(await operator.get(url(cafe, "/suspend")))
    assert "are turned away from the next request on" in question.text
    assert "Please say why" in read(await operator.submit(url(cafe, "/suspend"), {}), 422).text
    assert led_to(await operator.submit(url(cafe, "/suspend"), WHY)) == url(cafe)
    suspended = read(await owner.get("/manage/members"), 403)
    assert "Please ask the shop when it will be back." in suspended.text
    read(await other.get("/manage/members"))
    assert led_to(await operator.submit(url(cafe, "/reactivate"), WHY)) == url(cafe)
    read(await owner.get("/manage/members"))
    assert [action for action, _on, _why in await platform_actions(sql)] == ["tenant.suspended", "tenant.reactivated"]


async def test_changing_an_offering_is_confirmed_when_it_takes(
    web: WebServer, make_world: MakeWorld, sql: Connection
) -> None:
    cafe = await open_shop(make_world, "cafe", limits={"shops": 5, "programs": 1})
    await sql.execute("UPDATE core.offering SET features = features || '[\"campaigns\"]' WHERE code = 'offer_cafe'")
    owner, operator = await as_role(web, sql, cafe), await operator_at(web, sql, cafe)
    matrix = read(await operator.get("/offerings"))
    assert "Sold, but not installed here" in matrix.text
    page = read(await operator.get("/offerings/offer_cafe"))
    assert page.fields["limit.shops"] == "5"
    kept = [name for name in FEATURES if name != "stats"]
    form = {"features": [*kept, "api_access"], "limit.shops": "2", "limit.programs": "", "limit.connectors": "0", **WHY}
    question = read(await operator.submit("/offerings/offer_cafe", form))
    for words in ("1 merchant has this offering", "They lose: Dashboard with figures.", "Shops: 5 becomes 2."):
        assert words in question.text, words
    assert question.fields["limit.shops"] == "2"
    assert question.fields["reason"] == WHY["reason"]
    read(await owner.get("/manage/rewards"))
    confirmed = await operator.submit("/offerings/offer_cafe", {**form, "confirmed": "1"})
    assert led_to(confirmed) == "/offerings"
    read(await owner.get("/manage/rewards"), 404)
    read(await owner.get("/manage/api-keys/new"))
    assert "1 of 2 open shops" in read(await owner.get("/manage/shops")).text
    listed = await sql.fetchval(LISTED, "offer_cafe")
    assert '"campaigns"' in listed, "what is not installed here stays"
    assert '"stats"' not in listed
    wrong = read(await operator.submit("/offerings/offer_cafe", {**form, "limit.shops": "few", "confirmed": "1"}), 422)
    assert wrong.fields["limit.shops"] == "few"
    assert "A whole number is needed, or nothing for unlimited." in wrong.text
    assert [action for action, _on, _why in await platform_actions(sql)] == [
        "offering.features_changed",
        "offering.features_changed",
        "offering.limit_changed",
        "offering.limit_changed",
    ]


async def test_copying_an_offering(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe")
    operator = await operator_at(web, sql, cafe)
    taken = {"code": "offer_cafe", "title": "Café special", **WHY}
    page = read(await operator.submit("/offerings/offer_cafe/copy", taken), 422)
    assert "There is an offering with the code “offer_cafe” already." in page.text
    assert page.fields["title"] == "Café special"
    made = await operator.submit("/offerings/offer_cafe/copy", {**taken, "code": "special"})
    assert led_to(made) == "/offerings/special"
    copied, original = await sql.fetchval(LISTED, "special"), await sql.fetchval(LISTED, "offer_cafe")
    assert sorted(loads(copied)) == sorted(loads(original))
    assert "Café special" in read(await operator.get("/offerings")).text
    assert await platform_actions(sql) == [("offering.copied", "special", WHY["reason"])]
