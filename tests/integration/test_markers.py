"""Fault G14: what people typed stands in every column, and every page, file, answer and mail shows it as words only.

Columns are read from the database and routes from the application: a new column is planted, and a new page visited,
without anybody thinking of it. What no person types stands in `CODES` and `CODES_OF`.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from html.parser import HTMLParser
from itertools import product
from typing import Any
from urllib.parse import unquote_plus

import httpx
import pytest
from asyncpg import Connection
from conftest import EVERYTHING
from pages_under_test import operator_at
from signing_up import BARE, OFFERING, stranger
from test_foreign_ids import PATH, TOKENS, names_of
from visitors import member_at, staff_at
from werkzeug.routing import Rule

from regulars.contracts.ledger import Item, Purchase
from regulars.kernel import ids
from regulars.kernel.keys import digest
from regulars.testing.till import Till
from regulars.testing.web import WebServer
from regulars.testing.world import World

SIGN = "zqx"
EVIL = "=1\"><img/src=x/onerror=a>'onfocus=b/{{7*7}}{member.first_name}%(n)s;=2"
"""Ends an attribute, is an element, a handler, a template, two formats and a formula in either kind of spreadsheet."""
IN_ADDRESS = "=1+1'{{7*7}}{x}%s"
"""What of it an e-mail address may hold."""


def marker(number: int, evil: str = EVIL) -> str:
    return f"{evil[0]}{SIGN}{number}z{evil[1:]}"


MARKED = re.compile(f"{SIGN}(\\d+)z(?!1?-)")
"""Not in addresses that were proposed for a shop of that name."""
FORMULA = re.compile(r"(^|[;\t\r\n])[=+@\t\r-]")
COLUMNS = """
    SELECT c.table_schema || '.' || c.table_name AS table, c.column_name AS name, c.data_type AS type
    FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE (c.table_schema = 'core' OR c.table_schema LIKE 'plg\\_%')
      AND c.data_type IN ('text', 'jsonb') AND t.table_type = 'BASE TABLE'
    ORDER BY 1, c.ordinal_position
"""
CODES = {
    *("action", "actor_kind", "base_domain", "channel", "code", "context", "country", "currency", "dedup_key"),
    *("default_locale", "english", "features", "first_steps", "fulfilment", "host", "ip", "key", "kind", "limits"),
    *("locale", "locales", "number", "occasion", "offering", "order_key", "outcome", "password_hash", "payload"),
    *("permissions", "plugin", "prefix", "principal", "problem", "proof", "purpose", "request_id", "reward_key"),
    *("reward_kind", "role", "rule", "slug", "source", "status", "subject_kind", "template", "text_version", "theme"),
    *("timezone", "token", "unit"),
}
"""Columns of this name hold what programs make or choose from, in every table."""
CODES_OF = {
    "core.adjustment.flags",
    "core.award.name",
    "core.back_test.changes",
    "core.back_test.result",
    "core.cron_slot.name",
    "core.job.name",
    "core.ledger_entry.explanation",
    "core.ledger_pending.explanation",
    "core.mail.html_body",
    "core.member.attributes",
    "core.outbox_event.name",
    "core.refund.result",
    "core.sale_evaluation.inputs",
    "core.sale_evaluation.result",
    "core.sale_evaluation.rules",
    "core.tenant_override.name",
    "core.wallet_line.fault",
    "core.wallet_line.wallet",
    "core.wallet_pass.fault",
    "core.wallet_pass.serial",
    "core.wallet_pass.wallet",
    "plg_apple_wallet.device.push_token",
    "plg_apple_wallet.registration.pass_type",
    "plg_apple_wallet.registration.serial",
    "plg_google_wallet.callback.nonce",
    "plg_google_wallet.loyalty_class.class_id",
    "plg_google_wallet.loyalty_class.digest",
    "plg_google_wallet.loyalty_object.digest",
    "plg_google_wallet.loyalty_object.object_id",
    "plg_google_wallet.picture.digest",
    "plg_promotions.participation.promotion",
    "plg_promotions.usage.promotion",
    "plg_promotions.usage.scope",
    "plg_promotions.usage.what",
    "plg_referrals.invitation.reason",
    "plg_tiers.member_tier.granted",
    "plg_tiers.member_tier.tier",
    "plg_tiers.tier_change.before",
    "plg_tiers.tier_change.reason",
    "plg_tiers.tier_change.tier",
}
TYPED_AS = {
    **dict.fromkeys(("core.mail.recipient", "core.member.email", "core.operator.email"), IN_ADDRESS),
    **dict.fromkeys(("core.sign_up.email", "core.staff.email"), IN_ADDRESS),
    "core.own_text.forms": "=1\"'onfocus=b;=2",
}
"""Where not all of it can be typed, what of it can."""
INSIDE = {
    "core.plugin_settings.values": "{reward_text}",
    "core.program_change.values": "{stamps,reward_text}",
    "core.tenant.branding": "{tagline}",
}
"""Where in a column of JSON somebody's text stands; elsewhere it is every text."""
UNSEEN = {
    "core.back_test.actor_name",
    "core.ledger_entry.device",
    "core.ledger_entry.reason",
    "core.member.search",
    "core.operator_session.device",
    "core.platform.name",
    "core.program_pause.actor_name",
    "core.program_pause.note",
    "core.receipt.items",
    "core.redemption.device",
    "core.refund.device",
    "core.refund.external_ref",
    "core.refund.items",
    "core.refund.sale_ref",
    "core.sale.benefits",
    "core.sale.counts",
    "core.sale.device",
    "core.sale.external_ref",
    "core.sale.items",
    "core.session.device",
    "plg_google_wallet.loyalty_object.news",
}
"""Stored, and shown nowhere."""


ELSEWHERE = {
    *("assets", "problem_bare", "problem_console", "problem_tenant", "tenant_asset", "tls_ask"),
    *("admin_api.program", "console.console", "manage.text_form", "portal.card_live", "terminal.add_sheet"),
    *("apple_wallet_manage.remove_form", "manage.card_household", "portal.hand_over", "portal.leave_household_form"),
    *(
        "terminal.find_again",
        "terminal.hand_out_sheet",
        "terminal.split_sheet",
        "terminal.redeem_sheet",
        "terminal.scan",
        "terminal.scan_again",
    ),
}
"""What leads on, is asked for what is not there, or says what another page says."""
HOSTILE = {"q": SIGN, "lang": marker(0), "next": marker(0), "slug": marker(0), "error": marker(0), "email": marker(0)}
ENGLISH = {"language": "en"}
USUAL = {"manage.wording_list": ENGLISH | {"show": "own"}, "manage.reset_wording_form": ENGLISH}
USUAL |= {"portal.reward_form": {"reward": "rewards.catalogue/mug"}}
USUAL |= {"manage.word_form": ENGLISH, "manage.export_wording": ENGLISH, "console.job_list": {"q": ""}}
"""What a page must be asked for."""
OPERATOR_KEY = (
    "INSERT INTO core.operator_key (id, operator_id, name, prefix, key_hash) "
    "SELECT gen_random_uuid(), id, 'key', 'rk_ops_', $1 FROM core.operator"
)


class Hurt(HTMLParser):
    """What a marker has become on a page, besides words."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        is_ours = given.get("src") != "x" and not any(name.startswith("on") or SIGN in name for name in given)
        runs = [
            value for name, value in given.items() if name in {"href", "src", "action"} and ":" in value.split("/")[0]
        ]
        if SIGN in tag or not is_ours or any(value.startswith("javascript") for value in runs):
            self.found.append(self.get_starttag_text() or tag)
        self.words += [unquote_plus(value) if "%22" in value else value for value in given.values()]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


async def plant(sql: Connection) -> dict[int, str]:
    """Write a marker of its own into every column that somebody may have typed; gives number → column."""
    planted = {}
    for number, row in enumerate(await sql.fetch(COLUMNS), 1):
        table, column, name = row["table"], f'"{row["name"]}"', f"{row['table']}.{row['name']}"
        if row["name"] in CODES or name in CODES_OF:
            continue
        planted[number] = name
        evil = TYPED_AS.get(name, EVIL)
        text = marker(number, evil)
        await sql.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")  # the ledger and the logs are append-only
        if row["type"] == "text":
            value = f"$1 || {column}" if evil == IN_ADDRESS else "$1"
            await sql.execute(f"UPDATE {table} SET {column} = {value} WHERE {column} IS NOT NULL", text)
        elif name in INSIDE:
            value = f"jsonb_set({column}, '{INSIDE[name]}', to_jsonb($1::text), false)"
            await sql.execute(f"UPDATE {table} SET {column} = {value}", text)
        else:
            for old in await sql.fetch(f"SELECT ctid, {column} AS value FROM {table} WHERE {column} IS NOT NULL"):
                said = json.dumps(_planted(json.loads(old["value"]), text))
                await sql.execute(f"UPDATE {table} SET {column} = $1 WHERE ctid = $2", said, old["ctid"])
        await sql.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    return planted


def _planted(value: Any, text: str) -> Any:
    if isinstance(value, dict):
        return {key: _planted(one, text) for key, one in value.items()}
    if isinstance(value, list):
        return [_planted(one, text) for one in value]
    return text if isinstance(value, str) else value


def judged(response: httpx.Response) -> Iterator[str]:
    """What is wrong with an answer."""
    kind = response.headers.get("content-type", "").partition(";")[0]
    if response.status_code >= 500:
        yield f"{response.status_code}"
    if kind == "text/html":
        yield from wrong_in(response.text)
    elif kind == "text/csv":
        cells = [cell for row in csv.reader(io.StringIO(response.text.removeprefix("\ufeff"))) for cell in row]
        yield from (f"formula: {cell}" for cell in cells if FORMULA.search(cell) and SIGN in cell)
    elif kind in {"application/json", "application/problem+json"}:
        json.loads(response.text)
    elif SIGN in response.text:
        yield f"in a file of the kind {kind}"
    if response.headers.get("x-content-type-options") != "nosniff":
        yield "its kind may be guessed"


def wrong_in(html: str) -> Iterator[str]:
    """Markers that are markup, and those that something was filled into; what is cut at the end is no harm."""
    page = Hurt(html)
    yield from page.found
    evils = [evil[1:] for evil in (EVIL, *TYPED_AS.values())]
    for words in page.words:
        for found in MARKED.finditer(words):
            rest = words[found.end() :].rstrip("… ")
            if not any(rest.startswith(evil) or evil.startswith(rest) for evil in evils):
                yield f"changed: {words[found.start() : found.end() + 60]}"


ALL = (*EVERYTHING, "points", "tiers", "rewards", "promotions", "referrals", "apple_wallet", "google_wallet")
TOLD: dict[str, dict[str, Any]] = {
    "stamps": {"target": 2, "reward_text": "tea", "milestones": [{"at": 3, "bonus": 1}]},
    "antifraud": {"cooldown_minutes": 0, "max_daily_stamps": 100},
    "tiers": {"ladder": [{"title": "Bronze", "threshold": 1, "free_delivery": True}]},
    "promotions": {
        "promotions": [{"title": "Biscuit", "key": "biscuit", "kind": "free_item", "item": "A biscuit", "max_uses": 9}]
    },
}


@pytest.fixture
async def lived_in(
    web: WebServer,
    make_world: Callable[..., Awaitable[World]],
    make_till: Callable[[World], Till],
    run_jobs: Callable[..., Awaitable[object]],
    sql: Connection,
) -> World:
    """A merchant of whom every table has a row, or nearly."""
    await sql.execute(OFFERING, "basic", "Basic", 1, json.dumps(EVERYTHING), '{"shops": 9, "programs": 9}')
    staff = (("Anna", "staff", "4711"), ("Olga", "owner", "0815"))
    world = await make_world("own", offering="all", features=ALL, staff=staff, settings=TOLD)
    tenant, branding = world.tenant.id, json.dumps({"tagline": "Tea for two"})
    await sql.execute("UPDATE core.tenant SET branding = $2, country = 'LU' WHERE id = $1", tenant, branding)
    await sql.execute("UPDATE core.shop SET address = 'Here 1' WHERE tenant_id = $1", tenant)
    await sql.execute("UPDATE core.member SET phone = '+352621123456' WHERE tenant_id = $1", tenant)
    till = make_till(world)
    tea = Purchase(2, 500, "EUR", (Item("tea-1", "Tea", "drinks", 2, 500),))
    await till.sale(external_ref="r-1", purchase=tea)
    for action in (till.redeem(), till.sale(2), till.sale(2), till.undo()):
        await action
    for number in range(6):
        await till.sale(1, pin="0000", key=f"wrong-{number}")
    owner = await staff_at(web, sql, world, world.staff[1])
    await owner.submit("/manage/shops/new", {"name": "Second", "address": "There 2"})
    await owner.submit("/manage/api-keys/new", {"name": "Shop", "permissions": "sales.record"})
    await web.at(world.host).submit("/join", {"email": "new@own.example", "name": "New", "terms": "1"})
    await run_jobs()
    for statement in ROWS:
        await sql.execute(statement, tenant)
    return world


ROWS = (
    """INSERT INTO core.receipt (tenant_id, id, quantity, amount_minor, currency, items, channel, source, external_ref,
      occurred_at, kept_until)
    VALUES ($1, gen_random_uuid(), 1, 500, 'EUR', '[{"title": "Tea"}]', 'store', 'api', 'R-1', now(),
      now() + '1 day')""",
    """INSERT INTO core.job (tenant_id, id, name, payload, status, attempts, error)
    VALUES ($1, gen_random_uuid(), 'core.send_mail', '{}', 'dead', 5, 'SmtpError')""",
    """INSERT INTO core.cron_slot (name, scheduled_at, error)
    SELECT 'core.tidy', now(), 'Boom' WHERE $1::uuid IS NOT NULL""",
    """INSERT INTO core.program_pause
      (tenant_id, id, program_id, started_at, redeems, tells_members, note, actor_kind, actor_name)
    SELECT $1, gen_random_uuid(), id, now(), true, false, 'Holidays', 'staff', 'Olga' FROM core.program
    WHERE tenant_id = $1""",
    "INSERT INTO core.tenant_override (tenant_id, name, kind, reason) VALUES ($1, 'stamps', 'grant', 'a trial')",
    "INSERT INTO core.kill_switch (id, plugin, tenant_id, reason) VALUES (gen_random_uuid(), 'antifraud', $1, 'why')",
    """INSERT INTO core.own_text (tenant_id, locale, context, english, forms)
    VALUES ($1, 'en', '', 'Get your card', '["Be one of us"]')""",
    """INSERT INTO core.platform_audit
      (id, actor_kind, actor_name, action, reason, subject, details, ip, device, request_id)
    VALUES
      (gen_random_uuid(), 'operator', 'Oli', 'plugin.killed', 'why', 'own', '{"plugin": "a"}', '', 'd', $1::uuid)""",
)


async def test_what_people_typed_is_words_everywhere(
    web: WebServer, lived_in: World, sql: Connection, run_jobs: Callable[..., Awaitable[object]]
) -> None:
    world, config = lived_in, web.app.settings
    operator, signing = await operator_at(web, sql, world), stranger(web)
    await sql.execute(OPERATOR_KEY, digest("rk_ops_secret"))
    await signing.about(name="Shop")
    await signing.address("some-shop")
    member, owner = await member_at(web, sql, world), await staff_at(web, sql, world, world.staff[1], world.shop_id)
    owner.client.cookies.update(member.client.cookies)
    names = (await names_of(world, config.secret_key, sql)).of
    planted = await plant(sql)
    await send_mails(web, sql, world)
    await run_jobs()
    mail = await sql.fetchval("SELECT id FROM core.mail LIMIT 1")
    values = {argument: names[kind] for argument, kind in PATH.items()}
    values |= {"tenant": ids.show(ids.TENANT, world.tenant.id), "mail": mail.hex, "name": "stamps", "code": "all"}
    keys = {
        "store_api": web.at(world.host, authorization=f"Bearer {world.api_key}"),
        "storefront_api": web.at(world.host, authorization=f"Bearer {world.card.token}"),
        "admin_api": web.at(config.console_host, authorization="Bearer rk_ops_secret"),
    }
    people = {
        "tenant": (owner, web.at(world.host)),
        "console": (operator, web.at(config.console_host)),
        "bare": (signing.browser, web.at(BARE)),
    }
    wrong, shown, unreached = [], set(), set()
    for rule in web.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.websocket or rule.endpoint.startswith("probe_"):
            continue
        if rule.rule.startswith("/hooks/"):  # no page: machines of others read files there
            continue
        path, blueprint = address(rule, values, names), rule.endpoint.split(".")[0]
        area = next((one for one in keys if blueprint.endswith(one)), "")  # a plugin's is called `tiers_store_api`
        unreached.add(rule.endpoint)
        query = USUAL.get(rule.endpoint, {}) if area else HOSTILE | USUAL.get(rule.endpoint, {})
        askers = (keys[area],) if area else people[rule.subdomain or ""]
        for visitor, headers in product(askers, ({}, {"HX-Request": "true"})):
            answer = await visitor.client.get(path, params=query, headers=headers)
            wrong += [f"{answer.request.url}: {fault}" for fault in judged(answer)]
            shown |= {int(number) for number in MARKED.findall(answer.text)}
            if answer.status_code == 200:
                unreached.discard(rule.endpoint)
                break
    for row in await sql.fetch("SELECT template, html_body FROM core.mail"):
        wrong += [f"mail {row['template']}: {fault}" for fault in wrong_in(row["html_body"])]
    assert not wrong, "\n".join(wrong)
    assert {planted[number] for number in planted.keys() - shown} == UNSEEN
    assert unreached == ELSEWHERE


async def send_mails(web: WebServer, sql: Connection, world: World) -> None:
    """Every mail that somebody outside can cause, of what was planted."""
    email = await sql.fetchval("SELECT email FROM core.member WHERE tenant_id = $1 LIMIT 1", world.tenant.id)
    owner = await sql.fetchval("SELECT email FROM core.staff WHERE role = 'owner' AND tenant_id = $1", world.tenant.id)
    visitor = web.at(world.host)
    for path, form in (
        ("/signin", {"email": email}),
        ("/manage/forgotten", {"email": owner}),
        ("/join", {"email": "later@own.example", "name": marker(0), "terms": "1"}),
    ):
        assert (await visitor.submit(path, form)).status_code < 400, path
    somebody = stranger(web)
    await somebody.all_of_it("evil-shop", email="marie@own.example", name=marker(0))


def address(rule: Rule, values: dict[str, str], names: dict[str, str]) -> str:
    """A route's path with arguments put in."""
    path = re.sub(r"<any\((\w+)[^>]*>", r"\1", rule.rule)
    for argument in rule.arguments:
        value = names[TOKENS[rule.endpoint]] if argument == "token" else values.get(argument, "x")
        path = re.sub(rf"<(?:[^<>]+:)?{argument}>", value, path)
    return path
