"""T5: whoever names a thing of another tenant gets the answer that a made-up name gets, at every route.

Routes and their path's arguments are read from the application. What a route reads from its query or body stands in
`SAYS`; a route that is in neither list, or an argument that nobody knows, fails the build.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

import httpx
import pytest
from asyncpg import Connection
from conftest import EVERYTHING
from visitors import member_at, staff_at
from werkzeug.routing import Rule

from regulars.domain.cards.numbers import new_number, new_token
from regulars.domain.messaging.office import CARD_LINK_PURPOSE
from regulars.kernel import ids
from regulars.kernel.db.base import new_id
from regulars.kernel.keys import digest
from regulars.kernel.tokens import sign
from regulars.testing.web import Browser, WebServer
from regulars.testing.world import World

Where = Literal["path", "query", "form", "json"]
PUBLIC = {
    "member": ids.MEMBER,
    "card": ids.CARD,
    "shop": ids.SHOP,
    "staff": ids.STAFF,
    "program": ids.PROGRAM,
    "key": ids.API_KEY,
    "change": ids.CHANGE,
    "redemption": ids.REDEMPTION,
    "sale": ids.SALE,
    "refund": ids.REFUND,
    "adjustment": ids.ADJUSTMENT,
    "back_test": ids.BACK_TEST,
    "merge": ids.MERGE,
    "household": ids.HOUSEHOLD,
}
"""Kind of thing → prefix of its public ids."""
PATH = {
    "member": "member",
    "member_id": "member",
    "merge_id": "merge",
    "merge": "merge",
    "household": "household",
    "household_id": "household",
    "other": "member",
    "bill_id": "sale",
    "card": "card",
    "shop": "shop",
    "person": "staff",
    "staff_id": "staff",
    "change_id": "change",
    "key": "key",
    "change": "change",
    "host": "host",
    "redemption": "redemption",
    "sale": "sale",
    "correction": "adjustment",
    "refund_id": "refund",
    "adjustment_id": "adjustment",
    "back_test": "back_test",
}
"""Argument of an address → kind of thing."""
TOKENS = {
    "terminal.scan": "code",
    "portal.code": "code",
    "portal.open_card": "link",
    "portal.open_card_form": "link",
    "manage.enter": "enter",
    "manage.enter_form": "enter",
    "manage.password_form": "password",
    "manage.set_password": "password",
}
"""Endpoint → what its argument `token` is."""
PLAIN = {"name", "path", "code", "kind", "action", "wallet", "digest"}
"""Arguments that name nothing of a tenant's: plugins, files, problem types, wallets, pictures."""
HOUR = timedelta(hours=1)
DOMAIN = (
    "WITH answers AS (INSERT INTO core.tenant_host (tenant_id, host, is_primary) VALUES ($1, $2, false)) "
    "INSERT INTO core.tenant_domain (tenant_id, host, proof, status) VALUES ($1, $2, 'proof', 'verified')"
)
CHANGE = (
    "INSERT INTO core.program_change (tenant_id, id, program_id, values, note, is_public, effective_from, status, "
    'actor_kind, actor_name) VALUES ($1, $2, $3, \'{"stamps": {"reward_text": "tea"}}\', \'\', true, '
    "now() + interval '1 day', 'planned', 'staff', '')"
)
BACK_TEST = (
    "INSERT INTO core.back_test (tenant_id, id, program_id, changes, since, until, status, actor_name) "
    "VALUES ($1, $2, $3, '{}', now() - interval '1 day', now(), 'done', 'Ben')"
)
MERGE = (
    "INSERT INTO core.member_merge (tenant_id, id, source_id, target_id, reason, merged_by, created_at) "
    "VALUES ($1, $2, $3, $4, 'a test', 'Anna', now())"
)
LINK = (
    "INSERT INTO core.staff_link (tenant_id, id, staff_id, kind, token_hash, expires_at) "
    "VALUES ($1, $2, $3, $4, $5, now() + interval '1 hour')"
)
REDEMPTION = (
    "INSERT INTO core.redemption (tenant_id, id, card_id, reward_kind, reward_key, title, unit, cost, currency, "
    "status, source, device, created_at, captured_at) "
    "VALUES ($1, $2, $3, 'rewards.catalogue', 'mug', 'Mug', 'stamps', 1, 'EUR', 'captured', 'api', '', $4, $4)"
)
REDEMPTION_ENTRY = (
    "INSERT INTO core.ledger_entry (tenant_id, id, card_id, unit, seq, kind, amount, balance_after, lifetime_after, "
    "occasion, plugin, rule, counts_for_limits, redemption_id, source, device, created_at) "
    "VALUES ($1, $2, $3, 'samples', 1, 'redeem', -1, 0, 0, 'redemption', 'rewards', 'mug', true, $4, 'api', '', $5)"
)
SALE = (
    "INSERT INTO core.sale (tenant_id, id, card_id, quantity, source, device, occurred_at, created_at) "
    "VALUES ($1, $2, $3, 1, 'api', '', now(), now()) RETURNING id"
)
REFUND = (
    "INSERT INTO core.refund (tenant_id, id, sale_id, card_id, source, status, device, quantity, created_at) "
    "VALUES ($1, $2, $3, $4, 'api', 'done', '', 1, now()) RETURNING id"
)
ADJUSTMENT = (
    "INSERT INTO core.adjustment (tenant_id, id, card_id, unit, amount, reason, status, asked_by_name, created_at) "
    "VALUES ($1, $2, $3, 'stamps', 1, 'a test', 'waiting', 'Anna', now()) RETURNING id"
)
HOUSEHOLD = (
    "WITH home AS (INSERT INTO core.household (tenant_id, id, program_id, head_id) VALUES ($1, $2, $3, $4)), "
    "sharers AS (INSERT INTO core.household_member (tenant_id, id, household_id, card_id) "
    "SELECT $1, gen_random_uuid(), $2, one FROM unnest(ARRAY[$4, $5]::uuid[]) one) "
    "UPDATE core.card SET household_id = $2 WHERE id IN ($4, $5)"
)
FRESH = re.compile(r"[0-9a-f]{32}|[A-Za-z0-9_-]{22,}")
"""Ids, nonces and keys of forms, which differ each time."""
SAME_FOR_ALL = {"GET /c/<token> path token=code", "GET /card/wallet/<wallet> query card=card"}
"""Where one's own thing has the same answer too: the page says nothing about it, or there is no wallet here."""


@dataclass(frozen=True)
class Said:
    """Where a route reads an identifier.

    Attributes:
        where, name: of the value in the request.
        kind: of the thing.
        besides: what else the request must say so that the route looks for the thing; `own card` stands for that of
            our card, `fresh` for a key that was not used before.
    """

    where: Where
    name: str
    kind: str
    besides: Mapping[str, Any] = field(default_factory=dict)


MUG = "rewards.catalogue/mug"
REWARD = {"key": "mug", "title": "Mug", "unit": "stamps", "cost": 1, "handing": "code"}
A_REVIEW = {"event": "review", "reference": "r-1"}
SALE_OF_FIVE = {"amount": "5.00"}
EARNS = (
    Said("json", "card", "card", SALE_OF_FIVE),
    Said("json", "card", "number", SALE_OF_FIVE),
    Said("json", "card", "code", SALE_OF_FIVE),
    Said("json", "shop", "shop", {**SALE_OF_FIVE, "card": "own card", "staff": "own staff", "pin": "4711"}),
    Said("json", "staff", "staff", {**SALE_OF_FIVE, "card": "own card", "pin": "1111"}),
)
SAYS: dict[str, tuple[Said, ...]] = {
    "manage.create_key": (Said("form", "shop", "shop", {"name": "A shop system", "permissions": "sales.record"}),),
    "manage.program_changes": (Said("query", "program", "program"),),
    "manage.pause_form": (Said("query", "program", "program"),),
    "manage.pause_program": (Said("query", "program", "program"),),
    "manage.resume_form": (Said("query", "program", "program"),),
    "manage.resume_program": (Said("query", "program", "program"),),
    "manage.program_form": (Said("query", "program", "program"),),
    "manage.save_program": (Said("query", "program", "program"),),
    "manage.change_kind": (Said("query", "program", "program"),),
    "manage.preview_program": (Said("query", "program", "program"),),
    "manage.trial_form": (Said("query", "program", "program"),),
    "manage.begin_back_test": (Said("query", "program", "program"),),
    "manage.try_rules": (
        Said("query", "program", "program"),
        Said("form", "_trial.card", "number", {"step": "try"}),
        Said("form", "_trial.card", "code", {"step": "try"}),
        Said("form", "_trial.shop", "shop", {"step": "try"}),
    ),
    "manage.refund_sale": (Said("form", "reward", "redemption"),),
    "manage.transfer_units": (Said("form", "to", "number", {"amount": "1", "reason": "a test"}),),
    "manage.set_correction_limit": (Said("form", "program", "program", {"limit": "5"}),),
    "manage.set_household_size": (Said("form", "program", "program", {"size": "5"}),),
    "manage.add_to_household": (Said("form", "card", "number"),),
    "manage.start_household": (Said("form", "card", "number"),),
    "portal.household": (Said("query", "card", "card"),),
    "portal.invite_to_household": (Said("form", "card", "card"),),
    "portal.withdraw_invitation": (Said("form", "card", "card"),),
    "portal.household_invitation": (Said("query", "card", "card"),),
    "portal.join_household": (Said("form", "card", "card"),),
    "portal.leave_household_form": (
        Said("query", "card", "card", {"who": "own card"}),
        Said("query", "who", "card"),
    ),
    "portal.leave_household": (
        Said("form", "who", "card"),
        Said("form", "card", "card", {"who": "own twin_card"}),
    ),
    "store_api.share": (
        Said("json", "card", "card", {"joins": "own twin"}),
        Said("json", "joins", "card", {"card": "own twin"}),
    ),
    "store_api.leave_household": (Said("json", "card", "card"),),
    "store_api.household_size": (Said("json", "program", "program", {"household_size": 5}),),
    "portal.card": (Said("query", "card", "card"),),
    "portal.hand_over": (Said("query", "card", "card"),),
    "portal.card_history": (Said("query", "card", "card"),),
    "portal.card_live": (Said("query", "card", "card"),),
    "portal.rewards": (Said("query", "card", "card"),),
    "portal.reward_form": (Said("query", "card", "card", {"reward": MUG}),),
    "portal.get_reward": (Said("form", "card", "card", {"reward": MUG, "key": "fresh"}),),
    "store_api.redemptions": (Said("query", "card", "card"),),
    "store_api.redeem_reward": (Said("json", "card", "card", {"reward": MUG}),),
    "store_api.redeem_rewards": (Said("json", "card", "card", {"rewards": [MUG]}),),
    "rewards_manage.catalogue": (Said("query", "program", "bare_program"),),
    "rewards_manage.reward_form": (Said("query", "program", "bare_program"),),
    "rewards_manage.save_reward": (Said("query", "program", "bare_program"),),
    "rewards_manage.add_codes": (Said("form", "program", "bare_program", {"key": "mug"}),),
    "store_api.add_pin": (Said("json", "staff", "staff", {"pin": "8264"}),),
    "store_api.enroll": (Said("json", "program", "program", {"email": "new@example.org", "terms": True}),),
    "store_api.stamp_earn": EARNS,
    "store_api.stamp_redeem": (Said("json", "card", "card"), Said("json", "card", "number")),
    "store_api.points_earn": EARNS,
    "store_api.points_redeem": (Said("json", "card", "card"), Said("json", "card", "number")),
    "store_api.adjust": (Said("json", "card", "card", {"unit": "stamps", "amount": 1, "reason": "a test"}),),
    "store_api.adjust_limit": (Said("json", "program", "program", {"adjust_limit": 5}),),
    "store_api.event": (
        Said("json", "card", "card", A_REVIEW),
        Said("json", "card", "number", A_REVIEW),
        Said("json", "card", "code", A_REVIEW),
    ),
    "store_api.refund": (Said("json", "sale", "sale"),),
    "store_api.bill": (
        *(Said("json", "card", kind, {**SALE_OF_FIVE, "shares": "two"}) for kind in ("card", "number", "code")),
        Said("json", "shop", "shop", {**SALE_OF_FIVE, "shares": "two", "staff": "own staff", "pin": "4711"}),
        Said("json", "staff", "staff", {**SALE_OF_FIVE, "shares": "two", "pin": "1111"}),
    ),
    "store_api.record_sales": (
        *(Said("json", "card", kind, {"parts": "one"}) for kind in ("card", "number", "code")),
        Said("json", "shop", "shop", {"parts": "one", "card": "own card", "staff": "own staff", "pin": "4711"}),
        Said("json", "staff", "staff", {"parts": "one", "card": "own card", "pin": "1111"}),
    ),
    "store_api.keep_receipt": (Said("json", "shop", "shop", {"external_ref": "R-1", "amount": "5.00"}),),
    "store_api.claim_receipt": tuple(
        Said("json", "card", kind, {"number": "R-1", "amount": "5.00"}) for kind in ("card", "number", "code")
    ),
    "store_api.receipt_days": (Said("json", "program", "program", {"claim_days": 5}),),
    "manage.set_receipt_days": (Said("form", "program", "program", {"days": "5"}),),
    "manage.claim_receipt": (Said("form", "card", "number", {"number": "R-1", "amount": "5.00"}),),
    "portal.missing": (Said("query", "card", "card"),),
    "portal.claim_missing": (Said("form", "card", "card", {"number": "R-1", "amount": "5.00"}),),
    "store_api.merge_members": (
        Said("json", "from", "member", {"into": "own member", "reason": "a test"}),
        Said("json", "into", "member", {"from": "own member", "reason": "a test"}),
    ),
    "store_api.transfer": (
        Said("json", "from", "card", {"to": "own card", "unit": "stamps", "amount": 1, "reason": "a test"}),
        Said("json", "to", "card", {"from": "own card", "unit": "stamps", "amount": 1, "reason": "a test"}),
    ),
    "store_api.test_program": (
        Said("json", "program", "program"),
        Said("json", "shop", "shop"),
        Said("json", "card", "number"),
        Said("json", "card", "code"),
    ),
    "store_api.undo": (Said("json", "card", "card"), Said("json", "card", "number")),
    "terminal.refund_form": (Said("query", "sale", "sale"),),
    "terminal.refund": (Said("form", "sale", "sale"),),
    "terminal.add": (Said("form", "staff", "staff", {"unit": "stamps", "key": "fresh", "pin": "1111"}),),
    "terminal.hand_out": (Said("form", "redemption", "redemption", {"pin": "1111"}),),
    "terminal.hand_out_sheet": (Said("query", "redemption", "redemption"),),
    "terminal.find": (Said("form", "card", "number"), Said("form", "card", "code")),
    "terminal.scanned": (Said("form", "card", "code"),),
    "terminal.place": (Said("form", "shop", "shop"),),
}
"""Endpoint → identifiers in its query and body."""
BESIDES: dict[str, dict[str, Any]] = {
    "store_api.redemption_fulfilment": {"status": "delivered"},
    "terminal.refund": {"sale": "own sale"},
    "store_api.leave_household": {"card": "own card"},
    "manage.correct_balance": {"unit": "stamps", "amount": "1", "reason": "a test"},
    "manage.transfer_units": {"unit": "stamps", "amount": "1", "reason": "a test"},
    "manage.decide_correction": {"decision": "refuse"},
}
"""What a route with an identifier in its path must be sent besides to look at it."""
NOTHING = {
    *(
        "assets",
        "brand_css",
        "healthz",
        "openapi",
        "problem_tenant",
        "problems_tenant",
        "readyz",
        "tenant_asset",
        "tls_ask",
    ),
    *("manage.export_passes", "manage.passes", "manage.resync", "manage.wallets"),
    *("manage.add_shop", "manage.add_staff", "manage.audit_log", "manage.create_program", "manage.export_audit"),
    *("manage.export_members", "manage.feed", "manage.home", "manage.key_list", "manage.log_in", "manage.log_in_form"),
    *("manage.log_out", "manage.member_list", "manage.new_key_form", "manage.new_program_form", "manage.new_shop_form"),
    *("manage.new_staff_form", "manage.plugin_list", "manage.plugin_off", "manage.plugin_off_form", "manage.plugin_on"),
    *("manage.rewards", "manage.export_rewards", "manage.shop_list", "manage.staff_list"),
    *("manage.redemptions", "manage.export_redemptions", "manage.sales", "manage.export_sales", "manage.refunds"),
    *("manage.export_refunds", "manage.corrections", "manage.export_corrections", "manage.correction_limits"),
    *("manage.add_domain", "manage.domain_list", "manage.set_moves", "manage.counter_sheet", "manage.sheet_is_there"),
    *("manage.forgotten", "manage.forgotten_form", "manage.send_proof_again", "manage.hide_steps", "manage.show_steps"),
    *("manage.look", "manage.look_frame", "manage.look_style", "manage.preview_look", "manage.save_look"),
    *("manage.ask_reset", "manage.reset"),
    *("manage.change_languages", "manage.languages", "manage.change_text", "manage.text_form", "manage.export_wording"),
    *("manage.replace_word", "manage.word_form", "manage.reset_wording", "manage.reset_wording_form"),
    *("manage.wording_list", "terminal.scan_again"),
    *("language_manage", "language_portal", "language_terminal", "terminal.recent"),
    *("manage.socket", "portal.card_socket", "terminal.socket"),  # see test_live
    *("portal.account", "portal.home", "portal.join", "portal.join_form", "portal.news", "portal.privacy"),
    *("portal.program_changes", "portal.sign_in", "portal.sign_in_form", "portal.sign_out", "portal.terms"),
    *(
        "probe_manage.owners_only",
        "probe_manage.staff_only",
        "probe_manage.staff_only_post",
        "probe_portal.member_only",
    ),
    *("probe_portal.names", "probe_portal.rename", "probe_portal.show", "probe_portal.show_flash"),
    *("probe_portal.write_by_get", "probe_store_api.echo", "probe_storefront_api.hello", "probe_terminal.at_terminal"),
    *("manage.households", "manage.export_households", "manage.household_sizes", "store_api.households"),
    *("manage.receipts", "manage.export_receipts", "manage.receipt_days", "manage.claim_receipt_form"),
    "store_api.receipts",
    "stamps_manage.milestones",
    "points_manage.rules",
    *("google_wallet_manage.ask", "google_wallet_manage.forget", "google_wallet_manage.issuer"),
    *("google_wallet_manage.save", "google_wallet_manage.test"),
    *("apple_wallet_manage.certificate", "apple_wallet_manage.upload"),
    *("apple_wallet_manage.remove", "apple_wallet_manage.remove_form"),
    *("referrals_manage.export", "referrals_manage.referrals", "referrals_portal.share"),
    *("tiers_manage.export", "tiers_manage.history", "tiers_manage.members", "tiers_store_api.ladders"),
    *("promotions_manage.promotions", "promotions_manage.participations", "promotions_manage.download"),
    *("promotions_store_api.promotions", "promotions_store_api.participations"),
    *("store_api.cards", "store_api.change_program", "store_api.create_program", "store_api.pins", "store_api.program"),
    *("store_api.program_changes", "store_api.plan_change"),
    "store_api.adjustments",
    "store_api.refunds",
    *("store_api.stats", "storefront_api.card", "storefront_api.enroll", "storefront_api.transactions"),
    *("terminal.enrol", "terminal.enrol_form", "terminal.find_again", "terminal.place_form", "terminal.sign_out"),
    "terminal.start",
}
"""Endpoints that are told no identifier."""


@dataclass(frozen=True, eq=False)
class Visit:
    """One identifier at one route.

    Attributes:
        rule: the route.
        method: of the request.
        said: where the identifier goes.
    """

    rule: Rule
    method: str
    said: Said

    def __str__(self) -> str:
        return f"{self.method} {self.rule.rule} {self.said.where} {self.said.name}={self.said.kind}"


def visits(rules: list[Rule]) -> Iterator[Visit]:
    """Every identifier at every route and method; what nobody has described is an error."""
    for rule in rules:
        arguments = set(rule.arguments) - PLAIN
        known = {name: TOKENS.get(rule.endpoint) if name == "token" else PATH.get(name) for name in arguments}
        strange = [name for name, kind in known.items() if kind is None]
        assert not strange, f"{rule.endpoint}: say in PATH what {strange} name"
        besides = BESIDES.get(rule.endpoint, {})
        said = [Said("path", name, kind, besides) for name, kind in sorted(known.items()) if kind is not None]
        said += SAYS.get(rule.endpoint, ())
        assert said or rule.endpoint in NOTHING, (
            f"{rule.endpoint}: say in SAYS which identifiers it reads, or in NOTHING"
        )
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield from (Visit(rule, method, one) for one in said)


@dataclass
class Names:
    """How the things of one tenant are called.

    Attributes:
        of: kind of thing → its name.
    """

    of: dict[str, str]


async def names_of(world: World, secret: str, sql: Connection) -> Names:
    """What a tenant's things are called, with an own domain and links for its first person."""
    tenant, host = world.tenant.id, f"{world.tenant.slug}.example.org"
    await sql.execute(DOMAIN, tenant, host)
    tokens = {kind: new_token() for kind in ("enter", "password")}
    for kind, token in tokens.items():
        await sql.execute(LINK, tenant, new_id(), world.anna.id, kind, digest(token))
    change = new_id()
    await sql.execute(CHANGE, tenant, change, world.program_id)
    keys = {
        "member": world.card.member_id,
        "card": world.card.id,
        "shop": world.shop_id,
        "staff": world.anna.id,
        "program": world.program_id,
        "key": world.api_key_id,
        "change": change,
        "sale": await sql.fetchval(SALE, tenant, new_id(), world.card.id),
    }
    await world.set_settings("rewards", rewards=[REWARD])
    keys["redemption"] = await redemption_of(world, sql)
    keys["refund"] = await sql.fetchval(REFUND, tenant, new_id(), keys["sale"], world.card.id)
    keys["adjustment"] = await sql.fetchval(ADJUSTMENT, tenant, new_id(), world.card.id)
    keys["back_test"] = new_id()
    await sql.execute(BACK_TEST, tenant, keys["back_test"], world.program_id)
    keys["merge"], twin = new_id(), await world.add_card("twin@example.org")
    await sql.execute(MERGE, tenant, keys["merge"], twin.member_id, world.card.member_id)
    await world.allow_households()
    await sql.execute("UPDATE core.program SET claim_days = 9 WHERE tenant_id = $1", tenant)
    keys["household"] = new_id()
    await sql.execute(HOUSEHOLD, tenant, keys["household"], world.program_id, world.card.id, twin.id)
    public = {kind: ids.show(prefix, keys[kind]) for kind, prefix in PUBLIC.items()}
    public["bare_program"] = world.program_id.hex
    link = sign(secret, purpose=CARD_LINK_PURPOSE, tenant_id=world.tenant.id, subject=str(keys["card"]), lifetime=HOUR)
    public["twin"], public["twin_card"] = twin.number, ids.show(ids.CARD, twin.id)
    return Names(public | {"number": world.card.number, "code": world.card.token, "link": link, "host": host} | tokens)


async def redemption_of(world: World, sql: Connection) -> UUID:
    """A reward that was handed out."""
    found, now = new_id(), await sql.fetchval("SELECT now()")
    await sql.execute(REDEMPTION, world.tenant.id, found, world.card.id, now)
    await sql.execute(REDEMPTION_ENTRY, world.tenant.id, new_id(), world.card.id, found, now)
    return found


def made_up(own: World, secret: str) -> Names:
    """Names that look right and name nothing."""
    public = {kind: ids.show(prefix, new_id()) for kind, prefix in PUBLIC.items()}
    link = sign(secret, purpose=CARD_LINK_PURPOSE, tenant_id=own.tenant.id, subject=str(new_id()), lifetime=HOUR)
    unknown = {
        "bare_program": new_id().hex,
        "host": f"{new_id().hex}.example.org",
        "enter": new_token(),
        "password": new_token(),
    }
    return Names(public | {"number": new_number(), "code": new_token(), "link": link} | unknown)


@dataclass
class Shop:
    """Everybody who may ask at our tenant, and what our things are called."""

    names: Names
    visitors: dict[str, Browser]
    stranger: Browser

    async def ask(self, visit: Visit, name: str) -> tuple[int, list[tuple[str, str]], str]:
        """Send the request with a name; gives what can be told apart in the answer."""
        own, said = self.names.of, visit.said
        values = {argument: own.get(PATH.get(argument, ""), "") for argument in visit.rule.arguments}
        instead = {f"own {kind}": value for kind, value in own.items()} | {"fresh": new_id().hex}
        sent = {
            key: instead.get(value, value) if isinstance(value, str) else value for key, value in said.besides.items()
        }
        if said.where == "path":
            values[said.name] = name
        else:
            sent[said.name] = name
        if "shares" in sent:  # of a bill: that of the card in question, and that of another one
            sent["shares"] = [{"card": sent.pop("card", own["twin"])}, {"card": own["number"]}]
        if "parts" in sent:  # of a bill of several shops
            sent["parts"] = [{"shop": sent.pop("shop", own["shop"])}]
        path = visit.rule.rule
        for argument, value in values.items():
            path = re.sub(rf"<(?:[^:<>]+:)?{argument}>", value, path)
        blueprint = visit.rule.endpoint.split(".")[0]  # a plugin's is called `tiers_manage`
        area = next(area for area in self.visitors if blueprint.endswith(area))
        visitor = self.stranger if said.kind in {"enter", "password"} else self.visitors[area]
        options: dict[str, Any] = {"headers": {"Sec-Fetch-Site": "same-origin", "Idempotency-Key": new_id().hex}}
        if said.where == "query":
            options["params"] = sent
        elif said.where == "json" or path.startswith("/api/"):
            options["content"] = json.dumps(sent)
            options["headers"]["Content-Type"] = "application/json"
        else:
            options["data"] = sent
        if visit.method == "GET":
            options.pop("content", None)
            options.pop("data", None)
        response = await visitor.client.request(visit.method, path, **options)
        return told_apart(response, name)


def told_apart(response: httpx.Response, name: str) -> tuple[int, list[tuple[str, str]], str]:
    """Status, headers and body, without what differs between any two requests."""
    request_id = response.headers.get("X-Request-ID", "-")

    def clean(text: str) -> str:
        return FRESH.sub("…", text.replace(name, "…").replace(request_id, "…"))

    headers = [(key, clean(value)) for key, value in response.headers.multi_items() if key not in {"date", "etag"}]
    return response.status_code, [pair for pair in headers if pair[0] != "content-length"], clean(response.text)


@pytest.fixture
async def shop(web: WebServer, make_world: Callable[..., Awaitable[World]], sql: Connection) -> Shop:
    """Our tenant, with an owner, a person at the till, a member and an API key."""
    staff = (("Anna", "staff", "4711"), ("Olga", "owner", "0815"))
    own = await make_world("own", offering="all", features=(*EVERYTHING, "points", "tiers", "referrals"), staff=staff)
    owner, member = await staff_at(web, sql, own, own.staff[1]), await member_at(web, sql, own)
    key = web.at(own.host, authorization=f"Bearer {own.api_key}")
    front = web.at(own.host, authorization=f"Bearer {own.card.token}")
    visitors = {"manage": owner, "terminal": owner, "portal": member, "store_api": key, "storefront_api": front}
    return Shop(await names_of(own, web.app.settings.secret_key, sql), visitors, web.at(own.host))


async def test_foreign_names_are_unknown_names(
    web: WebServer, shop: Shop, make_world: Callable[..., Awaitable[World]], sql: Connection
) -> None:
    secret = web.app.settings.secret_key
    theirs = await make_world("theirs", offering="all", features=EVERYTHING)
    foreign = await names_of(theirs, secret, sql)
    rules = [rule for rule in web.app.url_map.iter_rules() if rule.subdomain == "tenant"]
    everywhere = list(visits(rules))
    answers = {visit: await shop.ask(visit, made_up(theirs, secret).of[visit.said.kind]) for visit in everywhere}
    told = [visit for visit in everywhere if answers[visit] != await shop.ask(visit, foreign.of[visit.said.kind])]
    assert [str(visit) for visit in told] == []
    blind = {
        str(visit)
        for visit in sorted(everywhere, key=ends_something)
        if answers[visit] == await shop.ask(visit, shop.names.of[visit.said.kind])
    }
    assert blind == SAME_FOR_ALL


def ends_something(visit: Visit) -> int:
    """Reading first, then changing, then what takes the thing away from those who come after."""
    last = any(
        word in visit.rule.endpoint
        for word in ("block", "close", "delete", "dismiss", "revoke", "prefer", "remove", "set_password")
    )
    return 2 if last else int(visit.method != "GET")
