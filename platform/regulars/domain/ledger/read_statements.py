"""The two statements that a card transaction reads with: first the locks, then all that decides.

Round trips: BEGIN · enter the tenant · lock · facts · writes · COMMIT. Nothing that decides is read in the statement
that takes the lock, except columns of the locked rows: after a wait on the lock, a joined read would still show the old
snapshot.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    DateTime,
    ScalarSelect,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased
from sqlalchemy.sql.visitors import replacement_traverse

from regulars.domain.cards.models import Card
from regulars.domain.ledger.models import Account, Idempotency, LedgerEntry, LedgerLot, LedgerLotUse
from regulars.domain.programs.models import Program, ProgramPause
from regulars.domain.sales.models import Sale
from regulars.domain.staff.models import Staff
from regulars.kernel.db.prepared import Prepared, prepare

CardBy = Literal["id", "number", "token", "short"]
Extra = Literal["", "sale", "lots", "last"]
LOT_FIELDS = ("id", "entry_id", "unit", "amount_left", "expires_at", "created_at")
LAST_FIELDS = (
    "id",
    "unit",
    "kind",
    "amount",
    "balance_after",
    "lifetime_after",
    "rule",
    "plugin",
    "counts_for_limits",
    "sale_id",
    "redemption_id",
    "staff_id",
    "created_at",
)
TENANT, CARD_ID = bindparam("tenant_id", type_=Uuid), bindparam("card_id", type_=Uuid)
TIME_ZONE = bindparam("time_zone", type_=Text)
CORE_NOW: ColumnElement[Any] = func.core.now(type_=DateTime(timezone=True))
_MOMENT: ColumnElement[Any] = literal_column("interval '1 microsecond'")
DAY_START: ColumnElement[Any] = (
    func.timezone(
        TIME_ZONE,
        func.date_trunc(literal_column("'day'"), func.timezone(TIME_ZONE, CORE_NOW)) - _MOMENT,
        type_=DateTime(timezone=True),
    )
    + _MOMENT
)
"""Right after the last moment of the day before: where clocks go back to midnight, that is the first of the two."""
PLAN_ONCE: ColumnElement[Any] = func.core.plan_once().label("plan_mode")
"""What follows in this transaction is planned once per connection: planning anew took a fifth of the time."""


@lru_cache
def lock_statement(by: CardBy) -> Prepared:
    """Claim the idempotency key and lock card and PIN row.

    Card and staff are locked in this order by every caller, and only when the key was got.

    Args:
        by: how the card is named: `id`, 12-digit `number`, QR `token`, or first 8 digits (`short`, perhaps two rows).
    """
    claim = (
        select(func.pg_try_advisory_xact_lock(bindparam("claim", type_=BigInteger)).label("got"), PLAN_ONCE)
        .cte("claim")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    card = (
        select(Card.id, Card.number, Card.status, Card.member_id, Card.program_id, Card.created_at)
        .join(claim, claim.c.got)
        .where(Card.tenant_id == TENANT, _named(by))
        .with_for_update(key_share=True, of=Card)
        .cte("locked_card")
    )
    staff = (
        select(
            Staff.id,
            Staff.name,
            Staff.status,
            Staff.pin_hash,
            Staff.pin_failures,
            Staff.pin_locked_until,
            Staff.pin_used_at,
        )
        .join(card, true())
        .where(Staff.tenant_id == TENANT, Staff.id == bindparam("staff_id", type_=Uuid))
        .with_for_update(key_share=True, of=Staff)
        .cte("locked_staff")
    )
    return prepare(
        select(
            claim.c.got,
            *(card.c[c].label(f"card_{c}") for c in card.c.keys()),  # noqa: SIM118 -- not a dict
            *(staff.c[c].label(f"staff_{c}") for c in staff.c.keys()),  # noqa: SIM118 -- not a dict
        )
        .select_from(claim)
        .outerjoin(card, true())
        .outerjoin(staff, true())
    )


def _named(by: CardBy) -> ColumnElement[bool]:
    if by == "short":
        short = bindparam("card", type_=Text)
        return and_(
            Card.number >= func.concat(short, text("'0000'")), Card.number <= func.concat(short, text("'9999'"))
        )
    column = {"id": Card.id, "number": Card.number, "token": Card.token}[by]
    return column == bindparam("card", type_=Uuid if by == "id" else Text)


def facts_statement(plugin_facts: Sequence[tuple[str, ScalarSelect[Any]]], extra: Extra) -> Prepared:
    """Read, in one row, all that decides: clock, stored answer, program, accounts, and the plugins' facts.

    Args:
        plugin_facts: (label, scalar subquery) of the enabled plugins.
        extra: what one kind of transaction needs besides: whether the external sale is known (earning), open lots
            (redeeming), or the card's last action (undoing).
    """
    pause = (
        select(_object(until=ProgramPause.until, redeems=ProgramPause.redeems))
        .where(
            ProgramPause.tenant_id == TENANT,
            ProgramPause.program_id == bindparam("program_id", type_=Uuid),
            ProgramPause.ended_at.is_(None),
            ProgramPause.finished_at.is_(None),
        )
        .scalar_subquery()
    )
    is_paused = Program.status == literal_column("'paused'")  # so that only a paused program's pause is looked for
    program = (
        select(_object(status=Program.status, pause=case((is_paused, pause))))
        .where(Program.tenant_id == TENANT, Program.id == bindparam("program_id", type_=Uuid))
        .scalar_subquery()
    )
    accounts = (
        select(
            func.jsonb_agg(
                _object(
                    unit=Account.unit,
                    balance=Account.balance,
                    lifetime=Account.lifetime,
                    seq=Account.seq,
                    last_at=Account.last_at,
                )
            )
        )
        .where(Account.tenant_id == TENANT, Account.card_id == CARD_ID)
        .scalar_subquery()
    )
    columns: list[ColumnElement[Any]] = [
        CORE_NOW.label("now"),
        DAY_START.label("day_start"),
        _stored().label("stored"),
        program.label("program"),
        accounts.label("accounts"),
    ]
    if extra == "sale":
        columns.append(_known_sale().label("known_sale"))
    elif extra == "lots":
        columns.append(_open_lots().label("lots"))
    elif extra == "last":
        columns.append(_last_action().label("last"))
    columns += [_with_day_start(query).label(label) for label, query in plugin_facts]
    return prepare(select(*columns))


def _stored() -> ScalarSelect[Any]:
    return (
        select(
            _object(
                hash=func.encode(Idempotency.request_hash, literal_column("'hex'")),
                status=Idempotency.status,
                body=func.convert_from(Idempotency.body, literal_column("'UTF8'")),
            )
        )
        .where(
            Idempotency.tenant_id == TENANT,
            Idempotency.principal == bindparam("principal", type_=Text),
            Idempotency.key == bindparam("key", type_=Text),
        )
        .scalar_subquery()
    )


def _with_day_start(query: ScalarSelect[Any]) -> ColumnElement[Any]:
    """A fact's query with the bind parameter `day_start` computed in the same statement."""
    once = select(DAY_START).scalar_subquery()  # a subquery of its own, or it would be computed for every row

    def replace(element: object, **_: object) -> object | None:
        return once if isinstance(element, BindParameter) and element.key == "day_start" else None

    replaced: ColumnElement[Any] = replacement_traverse(query, {}, replace)
    return replaced


def _open_lots() -> ScalarSelect[Any]:
    return (
        select(func.jsonb_agg(_object(**{name: getattr(LedgerLot, name) for name in LOT_FIELDS})))
        .where(LedgerLot.tenant_id == TENANT, LedgerLot.card_id == CARD_ID, LedgerLot.amount_left > literal_column("0"))
        .scalar_subquery()
    )


def _known_sale() -> ScalarSelect[Any]:
    return (
        select(Sale.id)
        .where(
            Sale.tenant_id == TENANT,
            Sale.source == bindparam("source", type_=Text),
            Sale.external_ref == bindparam("external_ref", type_=Text),
        )
        .scalar_subquery()
    )


def _last_action() -> ScalarSelect[Any]:
    """The entries of the card's last sale or redemption that is not undone, each with its lot and what it used."""
    undo = aliased(LedgerEntry)
    last = (
        select(LedgerEntry.sale_id, LedgerEntry.redemption_id)
        .where(
            LedgerEntry.tenant_id == TENANT,
            LedgerEntry.card_id == CARD_ID,
            LedgerEntry.occasion.in_((literal_column("'purchase'"), literal_column("'redemption'"))),
            ~exists().where(undo.tenant_id == TENANT, undo.reverses_id == LedgerEntry.id),
        )
        .order_by(LedgerEntry.created_at.desc(), LedgerEntry.seq.desc())
        .limit(literal_column("1"))
        .subquery("last_action")
    )
    lot = (
        select(_object(**{name: getattr(LedgerLot, name) for name in LOT_FIELDS}))
        .where(LedgerLot.tenant_id == TENANT, LedgerLot.entry_id == LedgerEntry.id)
        .correlate(LedgerEntry)
        .scalar_subquery()
    )
    uses = (
        select(
            func.jsonb_agg(
                _object(lot_id=LedgerLotUse.lot_id, amount=LedgerLotUse.amount, amount_left=LedgerLot.amount_left)
            )
        )
        .join(LedgerLot, and_(LedgerLot.tenant_id == TENANT, LedgerLot.id == LedgerLotUse.lot_id))
        .where(LedgerLotUse.tenant_id == TENANT, LedgerLotUse.entry_id == LedgerEntry.id)
        .correlate(LedgerEntry)
        .scalar_subquery()
    )
    entry = _object(**{name: getattr(LedgerEntry, name) for name in LAST_FIELDS}, lot=lot, uses=uses)
    return (
        select(func.jsonb_agg(aggregate_order_by(entry, LedgerEntry.seq.desc())))
        .join(
            last,
            or_(
                LedgerEntry.sale_id == last.c.sale_id,
                LedgerEntry.redemption_id == last.c.redemption_id,
            ),
        )
        .where(LedgerEntry.tenant_id == TENANT, LedgerEntry.card_id == CARD_ID, LedgerEntry.reverses_id.is_(None))
        .scalar_subquery()
    )


def _object(**columns: ColumnElement[Any] | Any) -> ColumnElement[Any]:
    """`jsonb_build_object` with literal keys, so that they are no parameters."""
    pairs = [part for name, column in columns.items() for part in (literal_column(f"'{name}'"), column)]
    return func.jsonb_build_object(*pairs)


STORED_ANSWER = prepare(select(_stored().label("stored")))
"""The answer that a key has, for a request whose card is not found (any more)."""
