"""Filling a database fast: tenants of different size whose cards have months of history, written as the ledger does."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from asyncpg import Connection

from regulars.domain.cards.numbers import new_number, new_token
from regulars.kernel.config import Config
from regulars.kernel.db.base import new_id
from regulars.kernel.keys import digest
from regulars.kernel.keys import new_token as new_session_token
from regulars.testing.world import World, make_tenant
from tests.bench.bulk import bulk

STAFF = 32
"""Staff members of each tenant: so many tills at once do not wait for each other's PIN row."""
PIN = "4711"
_INTO = re.compile(r"INSERT INTO (core\.\w+)")
RESERVED_VISITS = 3
"""Cards with so many visits are kept for the ceiling: all look alike, so one recorded sale fits them all."""
RARE = (0, 1, 2, 2, 2, 1, 2, 4, 1, 2)
"""Visits of one card after the other where hardly anybody has come yet."""
OFTEN = (0, 1, 2, 3, 3, 3, 5, 12, 24, 48)
"""… and where people have come for long: nearly eleven entries for each card."""
CARDS = """
CREATE TEMP TABLE seeded AS
SELECT n, number, token, visits, gap, steps, now() - (steps + 1) * gap AS joined,
       uuidv7(-(steps + 1) * gap) AS card_id, uuidv7(-(steps + 1) * gap) AS member_id
FROM (SELECT n, number, token, visits, visits + visits / 10 AS steps,
             make_interval(hours => 24 + (n * 5 % 96)::int) AS gap
      FROM (SELECT n, number, token, ($3::int[])[1 + n % cardinality($3)] AS visits
            FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS given(number, token, n)) a) b
"""
STEPS = """
CREATE TEMP TABLE step AS
SELECT card_id, member_id, seq, round, round * 11 = seq AS redeems, (round + 1) * 11 <= steps AS spent, at,
       uuidv7(at - now()) AS entry_id, uuidv7(at - now()) AS origin_id, uuidv7(at - now()) AS lot_id,
       ($1::uuid[])[1 + (n + seq) % cardinality($1)] AS staff_id, seq % 11 AS balance, seq - round AS lifetime
FROM (SELECT *, joined + seq * gap AS at, seq / 11 AS round FROM seeded, generate_series(1, steps) AS seq) s
"""
"""Ten visits, then the free one, again and again: a round is what was redeemed so far."""
TABLES = (
    """
    INSERT INTO core.member (tenant_id, id, email, name, search, enrolled_at, last_activity_at)
    SELECT $1, member_id, 'customer' || n || '@example.com', 'Customer ' || n,
           'customer ' || n || ' customer' || n || '@example.com', joined, joined + steps * gap FROM seeded
    """,
    """
    INSERT INTO core.card (tenant_id, id, member_id, program_id, number, token, created_at)
    SELECT $1, card_id, member_id, $2, number, token, joined FROM seeded
    """,
    """
    INSERT INTO core.sale (tenant_id, id, card_id, shop_id, staff_id, quantity, source, device, occurred_at, created_at)
    SELECT $1, origin_id, card_id, $2, staff_id, 1, 'terminal', 'Till', at, at FROM step WHERE NOT redeems
    """,
    """
    INSERT INTO core.redemption (tenant_id, id, card_id, shop_id, staff_id, reward_kind, reward_key, title, unit, cost,
                                 currency, status, source, device, created_at, captured_at)
    SELECT $1, origin_id, card_id, $2, staff_id, 'stamps.full_card', '', 'free coffee', 'stamps', 10, 'EUR', 'captured',
           'terminal', 'Till', at, at FROM step WHERE redeems
    """,
    """
    INSERT INTO core.redemption_step (tenant_id, redemption_id, number, status, fulfilment, created_at)
    SELECT $1, origin_id, 1, 'captured', '', at FROM step WHERE redeems
    """,
    """
    INSERT INTO core.ledger_entry (tenant_id, id, card_id, unit, seq, kind, amount, balance_after, lifetime_after,
      occasion, plugin, rule, counts_for_limits, explanation, sale_id, redemption_id, shop_id, staff_id, source, device,
      created_at)
    SELECT $1, entry_id, card_id, 'stamps', seq, CASE WHEN redeems THEN 'redeem' ELSE 'earn' END,
           CASE WHEN redeems THEN -10 ELSE 1 END, balance, lifetime,
           CASE WHEN redeems THEN 'redemption' ELSE 'purchase' END, 'stamps',
           CASE WHEN redeems THEN 'full_card' ELSE 'visit' END, true, '{"quantity": 1}',
           CASE WHEN NOT redeems THEN origin_id END, CASE WHEN redeems THEN origin_id END, $2, staff_id, 'terminal',
           'Till', at FROM step
    """,
    """
    INSERT INTO core.ledger_lot (tenant_id, id, card_id, unit, entry_id, amount, amount_left, created_at)
    SELECT $1, lot_id, card_id, 'stamps', entry_id, 1, CASE WHEN spent THEN 0 ELSE 1 END, at
    FROM step WHERE NOT redeems
    """,
    """
    INSERT INTO core.ledger_lot_use (tenant_id, lot_id, entry_id, amount)
    SELECT $1, earned.lot_id, redeemed.entry_id, 1
    FROM step redeemed JOIN step earned ON earned.card_id = redeemed.card_id AND earned.round + 1 = redeemed.round
    WHERE redeemed.redeems AND NOT earned.redeems
    """,
    """
    INSERT INTO core.account (tenant_id, card_id, unit, balance, lifetime, seq, last_at)
    SELECT DISTINCT ON (card_id) $1::uuid, card_id, 'stamps', balance, lifetime, seq, at FROM step
    ORDER BY card_id, seq DESC
    """,
    """
    INSERT INTO core.outbox_event (tenant_id, id, name, version, order_key, entry_id, payload, created_at, published_at)
    SELECT $1, uuidv7(at - now()), 'ledger.entry_posted', 1, card_id, entry_id,
           jsonb_build_object('entry_id', entry_id, 'card_id', card_id, 'seq', seq), at, at FROM step
    """,
    """
    INSERT INTO core.audit_log (tenant_id, id, actor_kind, actor_id, actor_name, action, outcome, subject_kind,
                                subject_id, ip, device, request_id, created_at)
    SELECT $1, uuidv7(at - now()), 'staff', staff_id, 'Clerk',
           CASE WHEN redeems THEN 'reward.redeem' ELSE 'sale.record' END, 'done',
           CASE WHEN redeems THEN 'redemption' ELSE 'sale' END, origin_id, '192.0.2.1', 'Till', '', at FROM step
    """,
    """
    INSERT INTO core.idempotency (tenant_id, principal, key, request_hash, status, body, sale_id, redemption_id,
                                  created_at)
    SELECT $1, 'staff:' || staff_id, 'seed-' || entry_id, '\\x00', 200, '{}', CASE WHEN NOT redeems THEN origin_id END,
           CASE WHEN redeems THEN origin_id END, at FROM step WHERE at > now() - interval '31 days'
    """,
)
SESSION = """
INSERT INTO core.session (tenant_id, id, token_hash, staff_id, member_id, shop_id, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, now() + interval '1 day')
"""
SEEDED = """
SELECT c.id, c.number, c.member_id, a.seq IS NOT DISTINCT FROM $2 AS reserved
FROM core.card c LEFT JOIN core.account a ON a.tenant_id = c.tenant_id AND a.card_id = c.id
WHERE c.tenant_id = $1 AND c.number = ANY($3::text[]) ORDER BY md5(c.number)
"""


@dataclass(frozen=True, slots=True)
class Card:
    """A seeded card."""

    id: UUID
    number: str
    member_id: UUID


@dataclass(frozen=True, slots=True)
class Merchant:
    """A tenant with its cards.

    Attributes:
        cards: for sales over HTTP, in no order.
        reserved: for the ceiling.
        members: tokens of signed-in members, each with a card.
        tills: tokens of signed-in staff.
        path: of a sale in the API.
        purchase: what a sale's body says besides who and where.
    """

    world: World
    cards: Sequence[Card]
    reserved: Sequence[Card]
    members: Sequence[str]
    tills: Sequence[str]
    path: str = "stamp"
    purchase: Mapping[str, Any] = field(default_factory=dict)


async def seed(connection: Connection, *given: tuple[World, int, Sequence[int]]) -> list[Merchant]:
    """Give tenants the history of their cards, and gather the planner's statistics.

    Args:
        connection: of the migrator role.
        given: tenant, how many cards, and the visits of one card after the other, again and again.
    """
    numbers = [list({new_number() for _ in range(cards - 1)}) for _, cards, _ in given]
    async with bulk(connection, [name for statement in TABLES for name in _INTO.findall(statement)]):
        for (world, _, visits), own in zip(given, numbers, strict=True):
            await _fill(connection, world, own, visits)
    await connection.execute("VACUUM ANALYZE")
    return [await _opened(connection, world, own) for (world, *_), own in zip(given, numbers, strict=True)]


async def make_world(config: Config, slug: str, **options: Any) -> World:
    """Make a tenant with enough staff.

    Args:
        config: of the installation.
        slug: of the tenant.
        options: of `make_tenant`.
    """
    staff = [(f"Clerk{number}", "staff", PIN) for number in range(STAFF)]
    return await make_tenant(config, slug, staff=staff, **options)


async def _fill(connection: Connection, world: World, numbers: Sequence[str], visits: Sequence[int]) -> None:
    tenant_id, people = world.tenant.id, [person.id for person in world.staff]
    await connection.execute(CARDS, numbers, [new_token() for _ in numbers], visits)
    await connection.execute(STEPS, people)
    await connection.execute("ANALYZE seeded; ANALYZE step")
    for statement in TABLES:
        given = world.program_id if "core.card " in statement else world.shop_id
        await connection.execute(statement, *((tenant_id, given) if "$2" in statement else (tenant_id,)))
    await connection.execute("DROP TABLE seeded; DROP TABLE step")


async def _opened(connection: Connection, world: World, numbers: Sequence[str]) -> Merchant:
    rows = await connection.fetch(SEEDED, world.tenant.id, RESERVED_VISITS, numbers)
    found = [(row["reserved"], Card(row["id"], row["number"], row["member_id"])) for row in rows]
    everyday = [card for reserved, card in found if not reserved]
    return Merchant(
        world=world,
        cards=everyday,
        reserved=[card for reserved, card in found if reserved],
        members=[await _sign_in(connection, world, member=card.member_id) for card in everyday[:STAFF]],
        tills=[await _sign_in(connection, world, staff=person.id) for person in world.staff],
    )


async def _sign_in(
    connection: Connection, world: World, *, staff: UUID | None = None, member: UUID | None = None
) -> str:
    token = new_session_token()
    shop = world.shop_id if staff else None
    await connection.execute(SESSION, world.tenant.id, new_id(), digest(token), staff, member, shop)
    return token
