"""The one statement that a card transaction writes with: every table's rows are one JSON parameter of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import CTE, and_, func, literal_column, select
from sqlalchemy.sql.dml import UpdateBase

from regulars.domain.adjustments.models import Adjustment
from regulars.domain.audit.models import AuditLog
from regulars.domain.awards.models import Award
from regulars.domain.ledger.models import (
    Account,
    Idempotency,
    LedgerEntry,
    LedgerLot,
    LedgerLotUse,
    LedgerPending,
    SaleEvaluation,
)
from regulars.domain.members.models import Member
from regulars.domain.redemptions.models import Redemption, RedemptionStep
from regulars.domain.refunds.models import Refund
from regulars.domain.sales.models import Sale
from regulars.domain.staff.models import Staff
from regulars.kernel.db.prepared import Prepared, prepare
from regulars.kernel.db.rows import insert_rows, update_rows
from regulars.kernel.jobs.models import OutboxEvent

Part = Literal[
    "account",
    "activity",
    "adjustment",
    "adjustment_decided",
    "audit",
    "award",
    "entry",
    "evaluation",
    "event",
    "idempotency",
    "lot",
    "lot_change",
    "lot_use",
    "pending",
    "pending_change",
    "redemption",
    "redemption_move",
    "redemption_step",
    "refund",
    "sale",
    "sale_refunded",
    "sale_undone",
    "staff",
]
ENTRY_COLUMNS = (
    "id",
    "unit",
    "seq",
    "kind",
    "amount",
    "balance_after",
    "lifetime_after",
    "occasion",
    "plugin",
    "rule",
    "counts_for_limits",
    "explanation",
    "reason",
    "sale_id",
    "redemption_id",
    "reverses_id",
    "shop_id",
    "staff_id",
    "source",
    "device",
    "created_at",
)


def write_statement(parts: Sequence[Part], plugin_writes: Sequence[tuple[str, UpdateBase]]) -> Prepared:
    """Join the parts and the plugins' statements into one, which answers how many rows each wrote.

    Args:
        parts: which of the host's tables take part.
        plugin_writes: (name, statement) of the enabled plugins; the name is also the statement's parameter.
    """
    ctes = [_counted(PARTS[part], part) for part in parts]
    ctes += [_counted(statement, name) for name, statement in plugin_writes]
    counts = [select(func.count()).select_from(cte).scalar_subquery().label(cte.name) for cte in ctes]
    return prepare(select(*counts).add_cte(*ctes))


def _counted(statement: UpdateBase, name: str) -> CTE:
    return statement.returning(literal_column("1").label("one")).cte(name)


def _accounts_upsert() -> UpdateBase:
    upsert = insert_rows(Account, "unit", "balance", "lifetime", "seq", "last_at", bind="account")
    return upsert.on_conflict_do_update(
        index_elements=["tenant_id", "card_id", "unit"],
        set_={name: upsert.excluded[name] for name in ("balance", "lifetime", "seq", "last_at")},
        where=and_(Account.seq < upsert.excluded.seq),
    )


PARTS: dict[str, UpdateBase] = {
    "award": insert_rows(Award, "occasion", "name", "key", "created_at", bind="award"),
    "sale": insert_rows(
        Sale,
        "id",
        "shop_id",
        "staff_id",
        "quantity",
        "amount_minor",
        "currency",
        "source",
        "external_ref",
        "bill_id",
        "items",
        "benefits",
        "channel",
        "counts",
        "device",
        "occurred_at",
        "created_at",
        bind="sale",
    ),
    "redemption": insert_rows(
        Redemption,
        "id",
        "shop_id",
        "staff_id",
        "reward_kind",
        "reward_key",
        "title",
        "unit",
        "cost",
        "value_minor",
        "currency",
        "status",
        "fulfilment",
        "steps",
        "code",
        "ship_to",
        "source",
        "device",
        "created_at",
        "expires_at",
        "captured_at",
        bind="redemption",
    ),
    "redemption_step": insert_rows(
        RedemptionStep, "redemption_id", "number", "status", "fulfilment", "created_at", bind="redemption_step"
    ),
    "redemption_move": update_rows(
        Redemption,
        "status",
        "fulfilment",
        "steps",
        "ship_to",
        "captured_at",
        "undone_at",
        match=("id",),
        bind="redemption_move",
        of_card=False,
        where=Redemption.undone_at.is_(None),
    ),
    "entry": insert_rows(LedgerEntry, *ENTRY_COLUMNS, bind="entry"),
    "lot": insert_rows(
        LedgerLot, "id", "unit", "entry_id", "amount", "amount_left", "expires_at", "created_at", bind="lot"
    ),
    "pending": insert_rows(
        LedgerPending,
        "id",
        "unit",
        "amount",
        "plugin",
        "rule",
        "counts_for_limits",
        "explanation",
        "expires_at",
        "due_at",
        "sale_id",
        "shop_id",
        "staff_id",
        "status",
        "created_at",
        bind="pending",
    ),
    "pending_change": update_rows(
        LedgerPending,
        "amount",
        "status",
        match=("id",),
        bind="pending_change",
        of_card=False,
        where=LedgerPending.status == literal_column("'open'"),
    ),
    "evaluation": insert_rows(SaleEvaluation, "sale_id", "rules", "inputs", "result", "created_at", bind="evaluation"),
    "lot_use": insert_rows(LedgerLotUse, "lot_id", "entry_id", "amount", bind="lot_use"),
    "lot_change": update_rows(LedgerLot, "amount_left", match=("id",), bind="lot_change"),
    "account": _accounts_upsert(),
    "activity": update_rows(Member, "last_activity_at", match=("id",), bind="activity"),
    "staff": update_rows(Staff, "pin_failures", "pin_locked_until", "pin_used_at", match=("id",), bind="staff"),
    "sale_undone": update_rows(Sale, "undone_at", match=("id",), bind="sale_undone", where=Sale.undone_at.is_(None)),
    "sale_refunded": update_rows(
        Sale,
        "refunded_minor",
        "refunded_at",
        match=("id",),
        bind="sale_refunded",
        where=Sale.undone_at.is_(None),
        of_card=False,
    ),
    "refund": insert_rows(
        Refund,
        "id",
        "sale_id",
        "sale_ref",
        "source",
        "external_ref",
        "amount_minor",
        "quantity",
        "items",
        "reason",
        "status",
        "result",
        "device",
        "created_at",
        "done_at",
        bind="refund",
    ),
    "adjustment": insert_rows(
        Adjustment,
        "id",
        "unit",
        "amount",
        "reason",
        "status",
        "asked_by",
        "asked_by_name",
        "flags",
        "entry_id",
        "created_at",
        "decided_at",
        bind="adjustment",
    ),
    "adjustment_decided": update_rows(
        Adjustment,
        "status",
        "entry_id",
        "decided_by",
        "decided_by_name",
        "decided_at",
        match=("id",),
        bind="adjustment_decided",
        where=Adjustment.status == literal_column("'waiting'"),
    ),
    "event": insert_rows(
        OutboxEvent, "id", "name", "version", "order_key", "entry_id", "payload", "created_at", bind="event"
    ),
    "audit": insert_rows(
        AuditLog,
        "id",
        "actor_kind",
        "actor_id",
        "actor_name",
        "action",
        "outcome",
        "subject_kind",
        "subject_id",
        "details",
        "ip",
        "device",
        "request_id",
        "created_at",
        bind="audit",
    ),
    "idempotency": insert_rows(
        Idempotency,
        "principal",
        "key",
        "request_hash",
        "status",
        "body",
        "sale_id",
        "redemption_id",
        "created_at",
        bind="idempotency",
    ),
}
