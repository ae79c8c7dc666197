"""The operators' console: log-in, overview, merchants, lists, mailbox, jobs, configuration."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from asyncpg import Connection
from pages_under_test import FEATURES, MakeWorld, open_shop, operator_at, platform_actions
from visitors import led_to, read

from regulars.kernel import ids
from regulars.kernel.config import Config
from regulars.kernel.db.base import new_id
from regulars.testing.merchants import OPERATOR, PASSWORD, add_operator
from regulars.testing.till import Till
from regulars.testing.web import WebServer
from regulars.testing.world import World

PAGES = (
    "/",
    "/tenants",
    "/tenants/export",
    "/offerings",
    "/plugins",
    "/jobs",
    "/mail",
    "/audit",
    "/audit/export",
    "/settings",
    "/operators",
)


async def test_signing_in_and_out(web: WebServer, config: Config, cafe: World, sql: Connection) -> None:
    await add_operator(config)
    visitor = web.at(config.console_host)
    for path in PAGES:
        assert led_to(await visitor.get(path)).startswith("/log-in"), path
    assert led_to(await visitor.get("/tenants?q=cafe")) == "/log-in?next=%2Ftenants%3Fq%3Dcafe"
    wrong = read(await visitor.submit("/log-in", {"email": OPERATOR, "password": "wrong", "next": "/jobs"}), 401)
    assert "do not belong together" in wrong.text
    assert wrong.fields["next"] == "/jobs"
    form = {"email": OPERATOR, "password": PASSWORD, "next": "//evil.example"}
    assert led_to(await visitor.submit("/log-in", form)) == "/"
    assert led_to(await visitor.get("/console")) == "/"
    assert "Platform overview" in read(await visitor.get("/")).text
    assert led_to(await visitor.submit("/log-out", {})) == "/log-in"
    assert led_to(await visitor.get("/")) == "/log-in?next=%2F"
    assert [action for action, _on, _why in await platform_actions(sql)] == [
        "operator.log_in_refused",
        "operator.logged_in",
    ]


async def test_nothing_of_it_on_other_hosts(web: WebServer, config: Config, cafe: World, sql: Connection) -> None:
    operator = await operator_at(web, sql, cafe)
    for host in (cafe.host, config.base_domain):
        visitor = web.at(host)
        visitor.client.cookies.set("rg_operator", operator.client.cookies["rg_operator"])
        for path in ("/tenants", "/offerings", "/jobs", "/mail", f"/tenants/{ids.show(ids.TENANT, cafe.tenant.id)}"):
            assert (await visitor.get(path)).status_code == 404, (host, path)
    assert (await operator.get("/manage")).status_code == 404


async def test_the_overview(
    web: WebServer, make_world: MakeWorld, sql: Connection, make_till: Callable[[World], Till]
) -> None:
    cafe = await open_shop(make_world, "cafe", settings={"stamps": {"target": 2, "reward_value_minor": 450}})
    pizza = await open_shop(make_world, "pizza")
    await sql.execute("UPDATE core.program SET status = 'setup' WHERE tenant_id = $1", pizza.tenant.id)
    till = make_till(cafe)
    await till.sale(2)
    await till.redeem()
    visitor = await operator_at(web, sql, cafe)
    page = read(await visitor.get("/"))
    for words in ("Programs 2", "Active programs 1", "Members 2", "Saved value €4.50", "Stamps2 100%", "1–2 of 2"):
        assert words in page.text, words
    rows = page.text.partition("Store Type")[2]
    assert "CafeCard Stamps 1 High Active" in rows
    assert "PizzaCard Stamps 1 High Setup" in rows
    setup = read(await visitor.get("/?status=setup"))
    assert "1–1 of 1" in setup.text
    assert "Cafe" not in setup.text.partition("Store Type")[2]
    assert "1–1 of 1" in read(await visitor.get("/?q=pizz")).text


async def test_merchants_are_searched_and_exported(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe, pizza = await open_shop(make_world, "cafe"), await open_shop(make_world, "pizza")
    await sql.execute("UPDATE core.tenant SET status = 'suspended' WHERE id = $1", pizza.tenant.id)
    visitor = await operator_at(web, sql, cafe)
    assert "1–2 of 2" in read(await visitor.get("/tenants")).text
    for query in ("q=pizza.local", "status=suspended", "offering=offer_pizza"):
        page = read(await visitor.get(f"/tenants?{query}"))
        assert "1–1 of 1" in page.text, query
        assert f"/tenants/{ids.show(ids.TENANT, pizza.tenant.id)}" in page.links
    response = await visitor.get("/tenants/export?status=active")
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert [row[:4] for row in rows] == [
        ["Name", "Address", "Offering", "Status"],
        ["Cafe", "cafe.localhost", "offer_cafe", "active"],
    ]


async def test_who_signed_up_is_seen(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    await make_world("cafe")
    kava, arbata = await make_world("kava"), await make_world("arbata")
    await sql.execute("UPDATE core.tenant SET signed_up_at = '2026-03-01' WHERE slug IN ('kava', 'arbata')")
    await sql.execute("UPDATE core.tenant SET verify_by = '2026-03-08' WHERE slug = 'kava'")
    operator = await operator_at(web, sql, kava)
    page = read(await operator.get("/tenants"))
    assert page.text.count("Signed up") == 1
    filtered = read(await operator.get("/tenants?status=unproved"))
    assert "Kava" in filtered.text
    assert "Arbata" not in filtered.text
    for world, words in ((kava, "sign-up; address to be proved by Mar 8, 2026"), (arbata, "Came by sign-up")):
        assert words in read(await operator.get(f"/tenants/{ids.show(ids.TENANT, world.tenant.id)}")).text
    export = (await operator.get("/tenants/export?status=unproved")).text.strip().splitlines()
    assert export[0].endswith("Signed up,Address to be proved by")
    assert [line for line in export[1:] if line.endswith("2026-03-01,2026-03-08")] == export[1:]


async def test_unknown_things_are_not_found(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe")
    visitor = await operator_at(web, sql, cafe)
    here, nobody = ids.show(ids.TENANT, cafe.tenant.id), ids.show(ids.TENANT, new_id())
    for path in (
        f"/tenants/{nobody}",
        "/tenants/ten_x",
        f"/tenants/{nobody}/suspend",
        f"/tenants/{here}/close",
        f"/tenants/{here}/exceptions/nothing/grant",
        f"/tenants/{here}/exceptions/stamps/limit",
        f"/tenants/{here}/exceptions/stamps/remove",
        f"/tenants/{here}/plugins/nothing/kill",
        "/plugins/nothing/kill",
        "/offerings/nothing",
        "/offerings/nothing/copy",
        f"/mail/{here}/{new_id().hex}",
        f"/mail/{here}/x/html",
    ):
        read(await visitor.get(path), 404)
    read(await visitor.submit(f"/jobs/{here}/{new_id().hex}/retry", {}), 404)
    assert await platform_actions(sql) == []


async def add_mail(sql: Connection, world: World, html: str) -> UUID:
    mail = new_id()
    await sql.execute(
        "INSERT INTO core.mail (tenant_id, id, template, recipient, event_id, subject, text_body, html_body, status) "
        "VALUES ($1, $2, 'mails/welcome', 'mia@cafe.example', $3, 'Welcome to Cafe', $4, $5, 'kept')",
        world.tenant.id,
        mail,
        new_id(),
        "Open your card: http://cafe.localhost/card/open/abc",
        html,
    )
    return mail


async def test_a_mail_is_read_behind_glass(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe")
    html = "<!doctype html><html><head><title>x</title></head><body><script>alert(1)</script><p>Hello</p></body></html>"
    mail = await add_mail(sql, cafe, html)
    visitor = await operator_at(web, sql, cafe)
    box = read(await visitor.get("/mail?q=mia@"))
    url = f"/mail/{ids.show(ids.TENANT, cafe.tenant.id)}/{mail.hex}"
    assert url in box.links
    assert "There is no mail server" in box.text
    assert "No mails here" in read(await visitor.get("/mail?status=failed")).text
    response = await visitor.get(url)
    page = read(response)
    assert "http://cafe.localhost/card/open/abc" in page.links
    assert "alert(1)" not in page.html
    assert f'src="{url}/html" sandbox="allow-popups allow-popups-to-escape-sandbox"' in page.html
    assert response.headers["content-security-policy"].count("frame-src 'self'") == 1
    part = await visitor.get(f"{url}/html")
    policy = part.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
    assert "script-src" not in policy
    assert part.text == html.replace("<head>", '<head><base target="_blank">')
    stranger = web.at(cafe.config.console_host)
    assert led_to(await stranger.get(f"{url}/html")).startswith("/log-in")


async def add_job(sql: Connection, world: World, status: str, **values: Any) -> UUID:
    job = new_id()
    await sql.execute(
        "INSERT INTO core.job (tenant_id, id, name, payload, status, attempts, error) "
        "VALUES ($1, $2, 'core.send_mail', '{}', $3, $4, $5)",
        world.tenant.id,
        job,
        status,
        values.get("attempts", 0),
        values.get("error", ""),
    )
    return job


async def test_a_dead_job_is_seen_and_tried_again(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe")
    dead = await add_job(sql, cafe, "dead", attempts=8, error="ConnectionRefusedError: no\n  at line 3")
    await add_job(sql, cafe, "queued")
    await sql.execute(
        "INSERT INTO core.cron_slot (name, scheduled_at, finished_at, error) VALUES "
        "('core.clean_up', now() - interval '1 day', now(), 'old fault'), ('core.clean_up', now(), now(), '')"
    )
    visitor = await operator_at(web, sql, cafe)
    page = read(await visitor.get("/jobs"))
    for words in ("Waiting 1", "Dead 1", "8 / 8", "ConnectionRefusedError: no", "core.clean_up"):
        assert words in page.text, words
    assert "old fault" not in page.text
    assert "1–1 of 1" in read(await visitor.get("/jobs?status=dead")).text
    retry = f"/jobs/{ids.show(ids.TENANT, cafe.tenant.id)}/{dead.hex}/retry"
    assert page.actions.count(retry) == 1
    assert led_to(await visitor.submit(retry, {})) == "/jobs"
    row = await sql.fetchrow("SELECT status, attempts FROM core.job WHERE id = $1", dead)
    assert tuple(row) == ("queued", 0)
    read(await visitor.submit(retry, {}), 404)
    assert [(action, on) for action, on, _why in await platform_actions(sql)] == [("job.retried", "cafe")]


async def test_the_configuration_hides_its_secrets(
    web: WebServer, config: Config, make_world: MakeWorld, sql: Connection
) -> None:
    cafe = await open_shop(make_world, "cafe")
    operator = await operator_at(web, sql, cafe)
    page = read(await operator.get("/settings"))
    for words in ("REGULARS_BASE_DOMAIN", "localhost", "LOYALTY_DEFAULT_COOLDOWN_MINUTES", "Environment", "Default"):
        assert words in page.text or words in page.html.replace("<wbr>", ""), words
    for secret in (config.secret_key, config.pin_pepper, config.encryption_key, config.database_url_app):
        assert secret not in page.html
    assert "********" in page.text


async def test_an_operators_key_is_shown_once(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe")
    visitor = await operator_at(web, sql, cafe)
    wrong = read(await visitor.submit("/operators/keys", {"name": ""}), 422)
    assert "A name has 1 to 80 characters." in wrong.text
    shown = read(await visitor.submit("/operators/keys", {"name": "Reports"}))
    found = re.search(r"data-key-shown>(rk_ops_\w+)<", shown.html)
    assert found is not None
    script = web.at(cafe.config.console_host, authorization=f"Bearer {found[1]}")
    assert (await script.get("/api/v1/admin/loyalty/stats")).status_code == 200
    page = read(await visitor.get("/operators"))
    assert found[1] not in page.html
    revoke = next(action for action in page.actions if action.endswith("/revoke"))
    assert led_to(await visitor.submit(revoke, {})) == "/operators"
    assert (await script.get("/api/v1/admin/loyalty/stats")).status_code == 401


@pytest.mark.parametrize("path", ["/audit", "/audit/export"])
async def test_the_platform_log(web: WebServer, make_world: MakeWorld, sql: Connection, path: str) -> None:
    cafe = await open_shop(make_world, "cafe", features=FEATURES)
    visitor = await operator_at(web, sql, cafe)
    here = f"/tenants/{ids.show(ids.TENANT, cafe.tenant.id)}"
    await visitor.submit(f"{here}/suspend", {"reason": "unpaid, =1+1"})
    response = await visitor.get(f"{path}?action=tenant.")
    if path == "/audit":
        page = read(response)
        for words in ("Suspended a merchant", "unpaid, =1+1", "cafe", "Olivia Operator", "127.0.0.1", "1–1 of 1"):
            assert words in page.text, words
    else:
        rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
        assert [row[1:5] for row in rows[1:]] == [["Olivia Operator", "tenant.suspended", "cafe", "unpaid, =1+1"]]
    own = read(await visitor.get(f"{here}/audit"))
    assert "Suspended a merchant" in own.text
