"""Every rule of the ledger finds the fault that it is for: planted as superuser, past triggers and constraints."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from regulars.domain.ledger.invariants import INVARIANTS, breaches
from regulars.kernel.embedded import Urls
from regulars.testing.clock import Clock
from regulars.testing.till import Till
from regulars.testing.world import World

LAST = "(SELECT id FROM core.ledger_entry WHERE kind = 'earn' ORDER BY seq DESC LIMIT 1)"
HOME = """INSERT INTO core.household (tenant_id, id, program_id, head_id)
            SELECT tenant_id, id, program_id, id FROM core.card;
          INSERT INTO core.household_member (tenant_id, id, household_id, card_id)
            SELECT tenant_id, id, id, id FROM core.card;
          UPDATE core.card SET household_id = id;"""
FAULTS = {
    "L2": "UPDATE core.account SET balance = balance + 1",
    "L3": f"UPDATE core.ledger_entry SET balance_after = balance_after + 1 WHERE id = {LAST}",
    "L4": "UPDATE core.account SET seq = seq + 1",
    "L5": """UPDATE core.ledger_entry SET reverses_id =
             (SELECT id FROM core.ledger_entry WHERE kind = 'redeem' LIMIT 1) WHERE kind = 'reverse'""",
    "L6": f"UPDATE core.ledger_entry SET kind = 'adjust', occasion = 'transfer' WHERE id = {LAST}",
    "L7": f"ALTER TABLE core.ledger_entry DROP CONSTRAINT ck_ledger_entry_sign; "
    f"UPDATE core.ledger_entry SET amount = -amount WHERE id = {LAST}",
    "L8": f"UPDATE core.ledger_entry SET created_at = created_at - interval '1 year' WHERE id = {LAST}",
    "L10": "INSERT INTO core.ledger_chain (tenant_id, seq, entry_id, hash) "
    f"SELECT tenant_id, 1, id, sha256('forged') FROM core.ledger_entry WHERE id = {LAST}",
    "O1": "UPDATE core.ledger_lot SET amount = amount + 1",
    "O2": "UPDATE core.ledger_lot SET amount_left = amount_left - 1 WHERE amount_left > 0",
    "O3a": "UPDATE core.ledger_lot_use SET amount = amount + 1",
    "O3b": "DELETE FROM core.ledger_lot_use",
    "I3": "DELETE FROM core.idempotency",
    "P4": f"UPDATE core.ledger_entry SET staff_id = NULL WHERE id = {LAST}",
    "X1": f"DELETE FROM core.outbox_event WHERE entry_id = {LAST}",
    "B5": "UPDATE core.redemption_step SET fulfilment = 'shipped'",
    "M1": """WITH person AS (INSERT INTO core.member (tenant_id, id, email)
               SELECT tenant_id, gen_random_uuid(), 'twin@example.org' FROM core.card LIMIT 1 RETURNING tenant_id, id),
             twin AS (INSERT INTO core.card (tenant_id, id, member_id, program_id, number, token)
               SELECT p.tenant_id, gen_random_uuid(), p.id, c.program_id, '000000000000', 'twin'
               FROM person p JOIN core.card c ON c.tenant_id = p.tenant_id LIMIT 1 RETURNING tenant_id, id)
             UPDATE core.card c SET merged_into = t.id FROM twin t WHERE c.tenant_id = t.tenant_id""",
    "H1": f"{HOME} UPDATE core.household_member SET left_at = core.now()",
    "H2": f"{HOME} UPDATE core.household SET ended_at = core.now()",
    "H3": f"UPDATE core.ledger_entry SET kind = 'adjust', occasion = 'household' WHERE id = {LAST}",
    "U1": f"""UPDATE core.sale SET undone_at = now()
              WHERE id = (SELECT sale_id FROM core.ledger_entry WHERE id = {LAST})""",
    "U2": "UPDATE core.sale SET refunded_at = now()",
}


def test_every_rule_has_a_planted_fault() -> None:
    assert list(FAULTS) == [invariant.name for invariant in INVARIANTS]


@pytest.mark.parametrize("name", FAULTS)
async def test_a_planted_fault_is_found(
    name: str, make_till: Callable[[World], Till], cafe: World, clock: Clock, database_urls: Urls
) -> None:
    await history(make_till(cafe), clock)
    engine = create_async_engine(database_urls.superuser, poolclass=NullPool)
    async with engine.connect() as connection:
        assert await breaches(connection) == []
        await connection.execute(text("SET session_replication_role = replica"))
        for statement in FAULTS[name].split(";"):
            await connection.execute(text(statement))
        assert name in {breach.invariant.name for breach in await breaches(connection)}
        await connection.rollback()
        assert await breaches(connection) == []


async def history(till: Till, clock: Clock) -> None:
    """A card with earnings, a redemption, and a sale that was undone."""
    await till.world.set_settings("stamps", target=2)
    till.source = "terminal"
    for action, pause in (
        (till.sale, 16),
        (till.sale, 16),
        (till.redeem, 0),
        (till.sale, 1),
        (till.undo, 16),
        (till.sale, 0),
    ):
        answer = await action()
        assert answer.status == 200, answer.body
        await clock.advance(minutes=pause)
