"""What one kind of card transaction reads besides, as columns of its facts statement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ScalarSelect,
    Subquery,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.orm import aliased

from regulars.domain.awards.models import Award
from regulars.domain.ledger.last_use_queries import last_use
from regulars.domain.ledger.models import LedgerEntry, LedgerLot, LedgerLotUse, LedgerPending, SaleEvaluation
from regulars.domain.programs.models import ProgramPause
from regulars.domain.redemptions.models import Redemption
from regulars.domain.refunds.models import Refund
from regulars.domain.sales.models import Sale

Extra = Literal["", "sale", "lots", "last", "refund", "upkeep", "redemption", "award", "occasion"]
LOT_FIELDS = ("id", "entry_id", "unit", "amount_left", "expires_at", "created_at")
ENTRY_FIELDS = (
    "id",
    "unit",
    "kind",
    "amount",
    "balance_after",
    "lifetime_after",
    "rule",
    "plugin",
    "counts_for_limits",
    "explanation",
    "sale_id",
    "redemption_id",
    "staff_id",
    "created_at",
)
PENDING_FIELDS = (
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
)
SALE_FIELDS = (
    "id",
    "shop_id",
    "staff_id",
    "quantity",
    "amount_minor",
    "currency",
    "items",
    "channel",
    "counts",
    "undone_at",
)
REFUND_FIELDS = ("id", "amount_minor", "quantity", "items", "result")
REDEMPTION_FIELDS = (
    "id",
    "title",
    "unit",
    "cost",
    "reward_kind",
    "reward_key",
    "status",
    "fulfilment",
    "steps",
    "code",
    "ship_to",
    "created_at",
    "expires_at",
    "captured_at",
)
TENANT, CARD_ID = bindparam("tenant_id", type_=Uuid), bindparam("card_id", type_=Uuid)
SALE_ID = bindparam("sale_id", type_=Uuid)
AWARD = "award"
"""In the explanation of what an award gave: its key."""
_OPEN: ColumnElement[str] = literal_column("'open'")
_CANCELLED: ColumnElement[str] = literal_column("'cancelled'")
_WAITING: ColumnElement[str] = literal_column("'waiting'")


def json_object(**columns: ColumnElement[Any] | Any) -> ColumnElement[Any]:
    """`jsonb_build_object` with literal keys, so that they are no parameters."""
    pairs = [part for name, column in columns.items() for part in (literal_column(f"'{name}'"), column)]
    return func.jsonb_build_object(*pairs)


def _fields(model: Any, names: tuple[str, ...], **more: Any) -> ColumnElement[Any]:
    return json_object(**{name: getattr(model, name) for name in names}, **more)


def _open_lots() -> ScalarSelect[Any]:
    return (
        select(func.jsonb_agg(_fields(LedgerLot, LOT_FIELDS)))
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


def _early_refund() -> ScalarSelect[Any]:
    """Whether a refund waits for the sale that is being recorded."""
    return (
        select(func.count(Refund.id))
        .where(
            Refund.tenant_id == TENANT,
            Refund.source == bindparam("source", type_=Text),
            Refund.sale_ref == bindparam("external_ref", type_=Text),
            Refund.status == _WAITING,
        )
        .scalar_subquery()
    )


def _last_moment() -> Subquery:
    """Sale and redemption, person and time of the card's last action that stands; ids tell moments apart."""
    reversal = aliased(LedgerEntry)
    moments = union_all(
        select(LedgerEntry.sale_id, LedgerEntry.redemption_id, LedgerEntry.staff_id, LedgerEntry.created_at).where(
            LedgerEntry.tenant_id == TENANT,
            LedgerEntry.card_id == CARD_ID,
            LedgerEntry.occasion.in_((literal_column("'purchase'"), literal_column("'redemption'"))),
            ~exists().where(reversal.tenant_id == TENANT, reversal.reverses_id == LedgerEntry.id),
            ~exists().where(Refund.tenant_id == TENANT, Refund.sale_id == LedgerEntry.sale_id),
        ),
        select(
            Sale.id.label("sale_id"), cast(null(), Uuid).label("redemption_id"), Sale.staff_id, Sale.created_at
        ).where(  # also one that gave nothing but a discount, or whose units all wait
            Sale.tenant_id == TENANT,
            Sale.card_id == CARD_ID,
            Sale.undone_at.is_(None),
            ~exists().where(Refund.tenant_id == TENANT, Refund.sale_id == Sale.id),
        ),
    ).subquery("moments")
    latest = (moments.c.created_at.desc(), func.coalesce(moments.c.sale_id, moments.c.redemption_id).desc())
    return select(moments).order_by(*latest).limit(literal_column("1")).subquery("last_action")


def _last_action() -> ScalarSelect[Any]:
    """The card's last sale or redemption that is not taken back: its entries, and what of it is still pending."""
    last = _last_moment()
    entries = (
        select(func.jsonb_agg(aggregate_order_by(_entry(), LedgerEntry.seq.desc())))
        .where(
            LedgerEntry.tenant_id == TENANT,
            LedgerEntry.card_id == CARD_ID,
            LedgerEntry.reverses_id.is_(None),
            or_(LedgerEntry.sale_id == last.c.sale_id, LedgerEntry.redemption_id == last.c.redemption_id),
        )
        .correlate(last)
        .scalar_subquery()
    )
    pending = (
        select(func.jsonb_agg(_fields(LedgerPending, PENDING_FIELDS)))
        .where(
            LedgerPending.tenant_id == TENANT,
            LedgerPending.card_id == CARD_ID,
            LedgerPending.status == _OPEN,
            LedgerPending.sale_id == last.c.sale_id,
        )
        .correlate(last)
        .scalar_subquery()
    )
    return select(json_object(**dict(last.c.items()), entries=entries, pending=pending)).scalar_subquery()


def _refunded_sale() -> ScalarSelect[Any]:
    """A sale with all that it has given and what was asked back of it."""
    mine = (LedgerEntry.tenant_id == TENANT, LedgerEntry.card_id == CARD_ID)
    waiting = _fields(LedgerPending, (*PENDING_FIELDS, "status"))
    wanted = LedgerEntry.redemption_id == any_(bindparam("redemptions", type_=ARRAY(Uuid)))
    entries = (
        select(func.jsonb_agg(aggregate_order_by(_entry(), LedgerEntry.created_at, LedgerEntry.seq)))
        .where(*mine, LedgerEntry.reverses_id.is_(None), or_(LedgerEntry.sale_id == SALE_ID, wanted))
        .scalar_subquery()
    )
    pending = (
        select(func.jsonb_agg(aggregate_order_by(waiting, LedgerPending.id)))
        .where(LedgerPending.tenant_id == TENANT, LedgerPending.sale_id == SALE_ID, LedgerPending.status != _CANCELLED)
        .scalar_subquery()
    )
    refunds = (
        select(func.jsonb_agg(aggregate_order_by(_fields(Refund, REFUND_FIELDS), Refund.created_at, Refund.id)))
        .where(Refund.tenant_id == TENANT, Refund.sale_id == SALE_ID)
        .scalar_subquery()
    )
    evaluation = (
        select(_fields(SaleEvaluation, ("rules", "inputs", "result")))
        .where(SaleEvaluation.tenant_id == TENANT, SaleEvaluation.sale_id == SALE_ID)
        .scalar_subquery()
    )
    return (
        select(_fields(Sale, SALE_FIELDS, entries=entries, pending=pending, refunds=refunds, evaluation=evaluation))
        .where(Sale.tenant_id == TENANT, Sale.id == SALE_ID, Sale.card_id == CARD_ID)
        .scalar_subquery()
    )


def _known_refund() -> ScalarSelect[Any]:
    return (
        select(Refund.id)
        .where(
            Refund.tenant_id == TENANT,
            Refund.source == bindparam("source", type_=Text),
            Refund.external_ref == bindparam("external_ref", type_=Text),
        )
        .scalar_subquery()
    )


def _open_pending() -> ScalarSelect[Any]:
    return (
        select(func.jsonb_agg(aggregate_order_by(_fields(LedgerPending, PENDING_FIELDS), LedgerPending.id)))
        .where(LedgerPending.tenant_id == TENANT, LedgerPending.card_id == CARD_ID, LedgerPending.status == _OPEN)
        .scalar_subquery()
    )


def _last_use() -> ColumnElement[Any]:
    return last_use(TENANT, CARD_ID)


def _redemption() -> ScalarSelect[Any]:
    """The entries that a redemption began with."""
    return (
        select(func.jsonb_agg(aggregate_order_by(_entry(), LedgerEntry.seq)))
        .where(
            LedgerEntry.tenant_id == TENANT,
            LedgerEntry.card_id == CARD_ID,
            LedgerEntry.redemption_id == bindparam("redemption_id", type_=Uuid),
            LedgerEntry.reverses_id.is_(None),
        )
        .scalar_subquery()
    )


def _frozen_since() -> ScalarSelect[Any]:
    """Since when the dates of the program's cards stand still, if they do."""
    return (
        select(ProgramPause.started_at)
        .where(
            ProgramPause.tenant_id == TENANT,
            ProgramPause.program_id == bindparam("program_id", type_=Uuid),
            ProgramPause.finished_at.is_(None),
        )
        .scalar_subquery()
    )


def _occasion() -> ScalarSelect[Any]:
    """Whether this was awarded before, and how often others of its kind and name were."""
    is_this: ColumnElement[bool] = Award.key == bindparam("award_key", type_=Text)
    count = func.count().filter
    return (
        select(json_object(known=count(is_this) > literal_column("0"), earlier=count(~is_this)))
        .where(
            Award.tenant_id == TENANT,
            Award.card_id == CARD_ID,
            Award.occasion == bindparam("award_occasion", type_=Text),
            Award.name == bindparam("award_name", type_=Text),
        )
        .scalar_subquery()
    )


def _award() -> ScalarSelect[Any]:
    """What an award gave: its entries, and what of it is still pending."""
    key = bindparam("award_key", type_=Text)
    entries = (
        select(func.jsonb_agg(aggregate_order_by(_entry(), LedgerEntry.seq)))
        .where(
            LedgerEntry.tenant_id == TENANT,
            LedgerEntry.card_id == CARD_ID,
            LedgerEntry.kind == literal_column("'earn'"),
            LedgerEntry.explanation.op("->>")(literal_column(f"'{AWARD}'")) == key,
        )
        .scalar_subquery()
    )
    pending = (
        select(func.jsonb_agg(aggregate_order_by(_fields(LedgerPending, PENDING_FIELDS), LedgerPending.id)))
        .where(
            LedgerPending.tenant_id == TENANT,
            LedgerPending.card_id == CARD_ID,
            LedgerPending.status == _OPEN,
            LedgerPending.explanation.op("->>")(literal_column(f"'{AWARD}'")) == key,
        )
        .scalar_subquery()
    )
    return select(json_object(entries=entries, pending=pending)).scalar_subquery()


def _entry() -> ColumnElement[Any]:
    """An entry with its lot, what it took from lots, whether it was taken back, and the redemption that it is of."""
    reversal = aliased(LedgerEntry)
    lot = (
        select(_fields(LedgerLot, LOT_FIELDS))
        .where(LedgerLot.tenant_id == TENANT, LedgerLot.entry_id == LedgerEntry.id)
        .limit(literal_column("1"))
        .correlate(LedgerEntry)
        .scalar_subquery()
    )
    use = json_object(
        lot_id=LedgerLotUse.lot_id,
        amount=LedgerLotUse.amount,
        amount_left=LedgerLot.amount_left,
        expires_at=LedgerLot.expires_at,
        created_at=LedgerLot.created_at,
        is_elsewhere=LedgerLot.card_id != CARD_ID,
    )
    uses = (
        select(func.jsonb_agg(use))
        .join(LedgerLot, and_(LedgerLot.tenant_id == TENANT, LedgerLot.id == LedgerLotUse.lot_id))
        .where(LedgerLotUse.tenant_id == TENANT, LedgerLotUse.entry_id == LedgerEntry.id)
        .correlate(LedgerEntry)
        .scalar_subquery()
    )
    reversed_ = (
        select(cast(func.coalesce(func.sum(reversal.amount), literal_column("0")), BigInteger))
        .where(reversal.tenant_id == TENANT, reversal.reverses_id == LedgerEntry.id)
        .correlate(LedgerEntry)
        .scalar_subquery()
    )
    redemption = (
        select(_fields(Redemption, REDEMPTION_FIELDS))
        .where(Redemption.tenant_id == TENANT, Redemption.id == LedgerEntry.redemption_id)
        .correlate(LedgerEntry)
        .scalar_subquery()
    )
    return _fields(LedgerEntry, ENTRY_FIELDS, lot=lot, uses=uses, reversed=reversed_, redemption=redemption)


READS: Mapping[Extra, Mapping[str, Callable[[], ColumnElement[Any]]]] = MappingProxyType(
    {
        "": {},
        "sale": {"known_sale": _known_sale, "early_refund": _early_refund},
        "lots": {"lots": _open_lots},
        "last": {"last": _last_action},
        "refund": {"lots": _open_lots, "refunded": _refunded_sale, "known_refund": _known_refund},
        "upkeep": {"lots": _open_lots, "pending": _open_pending, "last_use": _last_use},
        "redemption": {"redemption": _redemption, "frozen_since": _frozen_since},
        "award": {"lots": _open_lots, "award": _award},
        "occasion": {"occasion": _occasion},
    }
)
"""Kind of transaction → column of the facts statement → its query."""
READ_NAMES = frozenset(name for reads in READS.values() for name in reads)
SALE_OF: Mapping[Extra, ColumnElement[Any]] = MappingProxyType(
    {"last": select(_last_moment().c.sale_id).scalar_subquery(), "refund": SALE_ID}
)
"""Kind of transaction → the sale that is taken back, for the facts that ask by `sale_id`."""
