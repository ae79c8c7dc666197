"""Random histories: the product and the oracle agree on every answer, entry and lot, and every invariant holds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import uuid4

from asyncpg import Connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regulars.domain.ledger.commands import Answer
from regulars.testing.clock import Clock
from regulars.testing.oracle import StampOracle
from regulars.testing.till import Till, content
from regulars.testing.world import World

CODES = {
    "antifraud.cooldown": "cooldown",
    "antifraud.daily_limit": "daily_limit",
    "stamps.too_many": "too_many",
    "reward.not_ready": "not_ready",
    "undo.nothing": "nothing",
    "undo.not_yours": "not_yours",
    "undo.too_late": "too_late",
    "undo.already_spent": "spent",
}
SETTINGS = {
    "target": 4,
    "welcome_stamps": 1,
    "max_per_sale": 3,
    "milestones": [{"at": 6, "bonus": 2}, {"at": 8, "bonus": 1}],
}
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["sale", "sale", "sale", "redeem", "undo"]),
        st.integers(1, 4),
        st.integers(0, 1),
        st.sampled_from([0, 1, 5, 11, 15, 16, 600]),
    ),
    max_size=14,
)


def result_of(answer: Answer) -> str:
    return CODES[content(answer)["code"]] if answer.refused else "ok"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_product_and_oracle_agree(
    steps: list[tuple[str, int, int, int]],
    make_till: Callable[[World], Till],
    cafe: World,
    clock: Clock,
    sql: Connection,
    healthy: Callable[[], Awaitable[None]],
) -> None:
    await cafe.set_settings("stamps", **SETTINGS)
    till = make_till(cafe)
    oracle = StampOracle(target=4, welcome=1, max_per_sale=3, milestones=((6, 2), (8, 1)))
    email = f"{uuid4().hex}@example.com"
    enrolled = await till.enrol(email)
    oracle.enrol(await created(sql, enrolled.card_id))
    card = await cafe.card_of(enrolled.card_id)
    for action, quantity, person, minutes in steps:
        await clock.advance(minutes=minutes)
        staff = cafe.staff[person]
        if action == "sale":
            answer = await till.sale(quantity, card=card, staff=staff)
            expected = oracle.sale(await last_moment(sql), quantity, staff.name)
        elif action == "redeem":
            answer = await till.redeem(card=card, staff=staff)
            expected = oracle.redeem(await last_moment(sql), staff.name)
        else:
            answer = await till.undo(card=card, staff=staff)
            expected = oracle.undo(await last_moment(sql), staff.name)
        assert result_of(answer) == expected
    assert await entries(sql, enrolled.card_id) == [
        (entry.kind, entry.amount, entry.balance, entry.lifetime) for entry in oracle.entries
    ]
    assert await lots(sql, enrolled.card_id) == [(lot.amount, lot.left) for lot in oracle.lots]
    await healthy()


async def created(sql: Connection, card_id: object) -> datetime:
    return await sql.fetchval("SELECT created_at FROM core.card WHERE id = $1", card_id)


async def last_moment(sql: Connection) -> datetime:
    """The time at which the last action was judged: the audit row of it carries the transaction's clock."""
    return await sql.fetchval("SELECT max(created_at) FROM core.audit_log")


async def entries(sql: Connection, card_id: object) -> list[tuple[object, ...]]:
    query = "SELECT kind, amount, balance_after, lifetime_after FROM core.ledger_entry WHERE card_id = $1 ORDER BY seq"
    return [tuple(row) for row in await sql.fetch(query, card_id)]


async def lots(sql: Connection, card_id: object) -> list[tuple[object, ...]]:
    query = """SELECT l.amount, l.amount_left FROM core.ledger_lot l JOIN core.ledger_entry e
               ON e.tenant_id = l.tenant_id AND e.id = l.entry_id WHERE l.card_id = $1 ORDER BY e.seq"""
    return [tuple(row) for row in await sql.fetch(query, card_id)]
