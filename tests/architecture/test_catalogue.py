"""What the database's own catalogue says about isolation: every table of the host and of every plugin."""

import asyncpg
import pytest

from regulars.kernel.db.catalogue import RULES, TENANT_MAY_BE_NULL, UNIQUE_WITHOUT_TENANT, broken_rules
from regulars.kernel.embedded import Urls

CHANGEABLE = {
    "account": {"balance", "last_at", "lifetime", "seq"},
    "adjustment": {"decided_at", "decided_by", "decided_by_name", "entry_id", "status"},
    "api_key": {"revoked_at"},
    "card": {"has_merged", "household_id", "merged_into", "status"},
    "card_merge": set(),
    "household": {"ended_at", "head_id"},
    "household_invitation": {"status"},
    "household_member": {"left_at"},
    "idempotency": set(),
    "ledger_lot": {"amount_left", "expires_at"},
    "mail": {"attempts", "error", "sent_at", "status"},
    "member_merge": {"undone_at", "undone_by"},
    "program_change": {"announced_at", "error", "settled_at", "status"},
    "program_pause": {"ended_at", "finished_at", "shifted_to", "until"},
    "redemption": {"status", "fulfilment", "steps", "ship_to", "captured_at", "undone_at", "expires_at"},
    "refund": {"amount_minor", "card_id", "done_at", "items", "quantity", "result", "sale_id", "status"},
    "sale": {"refunded_at", "refunded_minor", "undone_at"},
    "session": {"shop_id"},
    "settings_version": set(),
}
"""What the app role may change of rows that stand for money, access or proof; everything else of them stays."""

_TABLE = "CREATE TABLE core.planted (tenant_id uuid NOT NULL, id uuid NOT NULL{}); "
_FORCED = "ALTER TABLE core.planted ENABLE ROW LEVEL SECURITY; ALTER TABLE core.planted FORCE ROW LEVEL SECURITY; "
FAULTS = {
    "every tenant table forces row-level security": (_TABLE.format(""), "core.planted"),
    "every policy is FOR ALL with USING and WITH CHECK": (_TABLE.format("") + _FORCED, "planted none"),
    "every foreign key between tenant tables carries the tenant": (
        "CREATE UNIQUE INDEX one ON core.shop (id); " + _TABLE.format(" REFERENCES core.shop (id)"),
        "planted_id_fkey",
    ),
    "no foreign key nulls the tenant or cascades": (
        _TABLE.format(", FOREIGN KEY (tenant_id, id) REFERENCES core.shop (tenant_id, id) ON DELETE CASCADE"),
        "planted_tenant_id_id_fkey",
    ),
    "no view with the owner's rights, no materialised view": (
        "CREATE VIEW core.planted AS SELECT * FROM core.shop",
        "planted",
    ),
    "our roles are neither superuser nor above policies, and the two that serve own nothing": (
        "ALTER ROLE regulars_app BYPASSRLS",
        "regulars_app",
    ),
    "nobody who serves may truncate, reference or add triggers": (
        "GRANT TRUNCATE ON core.shop TO regulars_app",
        "core.shop regulars_app TRUNCATE",
    ),
    "the ledger and the audit log can only grow": (
        "GRANT UPDATE ON core.ledger_entry TO regulars_app",
        "ledger_entry regulars_app UPDATE",
    ),
    "every unique index starts with the tenant": ("CREATE UNIQUE INDEX planted ON core.shop (id)", "core.planted"),
    "no row is without a tenant": ("CREATE TABLE core.planted (tenant_id uuid)", "core.planted"),
    "only known functions run with their owner's rights": (
        "CREATE FUNCTION core.planted() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        "core.planted",
    ),
}
"""Rule → what breaks it, and the name under which that is found."""


@pytest.fixture
async def catalogue(database_urls: Urls):
    connection = await asyncpg.connect(database_urls.superuser.replace("+asyncpg", ""))
    yield connection
    await connection.close()


@pytest.mark.parametrize("rule", RULES)
async def test_rule_holds_for_every_table(catalogue: asyncpg.Connection, rule: str) -> None:
    assert [row[0] for row in await catalogue.fetch(RULES[rule])] == []


async def test_exceptions_are_still_needed(catalogue: asyncpg.Connection) -> None:
    names = [*UNIQUE_WITHOUT_TENANT, *TENANT_MAY_BE_NULL]
    found = await catalogue.fetch("SELECT name FROM unnest($1::text[]) name WHERE to_regclass(name) IS NULL", names)
    assert found == []


async def test_of_money_access_and_proof_only_the_state_changes(catalogue: asyncpg.Connection) -> None:
    rows = await catalogue.fetch(
        """SELECT c.relname, a.attname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
           WHERE n.nspname = 'core' AND has_column_privilege('regulars_app', c.oid, a.attnum, 'UPDATE')"""
    )
    found = {table: {row["attname"] for row in rows if row["relname"] == table} for table in CHANGEABLE}
    assert found == CHANGEABLE


async def test_each_rule_finds_its_fault(catalogue: asyncpg.Connection) -> None:
    assert FAULTS.keys() == RULES.keys()
    for rule, (plant, name) in FAULTS.items():
        transaction = catalogue.transaction()
        await transaction.start()
        await catalogue.execute(plant)
        assert name in (await broken_rules(catalogue.fetch))[rule], rule
        await transaction.rollback()
    assert await broken_rules(catalogue.fetch) == {}
