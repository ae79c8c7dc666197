"""What counts for a tier, as SQL on the ledger: one expression for a sale's fact, the review and the check of both."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Integer,
    ScalarSelect,
    Text,
    Uuid,
    bindparam,
    case,
    func,
    literal_column,
    select,
)
from sqlalchemy.orm import aliased

from regulars.sdk.db import SALE_STANDS, Account, LedgerEntry, Sale
from regulars_tiers.settings import TierSettings

TENANT = bindparam("tenant_id", type_=Uuid(), required=True)
CARD = bindparam("card_id", type_=Uuid(), required=True)
_DAY_START = bindparam("day_start", type_=DateTime(timezone=True), required=True)
_ZONE = bindparam("time_zone", type_=Text(), required=True)
_basis = bindparam("tiers_basis", type_=Text(), required=True)
_unit = bindparam("tiers_unit", type_=Text(), required=True)
_period = bindparam("tiers_period", type_=Text(), required=True)
_days = bindparam("tiers_days", type_=Integer(), required=True)
_MOMENT = bindparam("moment", type_=DateTime(timezone=True), required=True)
_SPENT = func.sum(Sale.amount_minor - Sale.refunded_minor)
_NONE: ColumnElement[int] = literal_column("0", BigInteger())
_EVER: ColumnElement[Any] = literal_column("'-infinity'::timestamptz")


def count_values(settings: TierSettings) -> dict[str, Any]:
    """The parameters of the expression that depend on settings."""
    return {
        "tiers_basis": settings.basis,
        "tiers_unit": settings.unit,
        "tiers_period": settings.period,
        "tiers_days": settings.days,
    }


def count_of(card: Any, past: Any = None) -> ColumnElement[Any]:
    """What counts for a card: `{"value": …, "previous": …}`, money in minor units.

    A reversal counts against what it takes back, whenever that was earned; so does a refund against its sale, and one
    that was refunded as a whole is no visit. "The last days" are so many calendar days
    before today, and today.

    Args:
        card: its id, a parameter or a column; the other parameters are `tenant_id`, `day_start`, `time_zone` and
            those of `count_values`.
        past: what its past is compared with where it is another's too; a fact's is widened by the host.
    """
    past = card if past is None else past
    today = func.timezone(_ZONE, _DAY_START)
    year = func.date_trunc(literal_column("'year'"), today)
    begin, year_before = _begin(today, year), _moment(year - literal_column("interval '1 year'"))
    previous = case((_period == literal_column("'year'"), _sum(card, past, year_before, _moment(year))), else_=_NONE)
    return func.jsonb_build_object(
        literal_column("'value'"), _sum(card, past, begin, None), literal_column("'previous'"), previous
    )


def _begin(today: ColumnElement[Any], year: ColumnElement[Any]) -> ColumnElement[Any]:
    return case(
        (_period == literal_column("'days'"), _moment(today - func.make_interval(0, 0, 0, _days))),
        (_period == literal_column("'year'"), _moment(year)),
        else_=_EVER,
    )


def _moment(local: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.timezone(_ZONE, local)


def _sum(card: Any, past: Any, begin: ColumnElement[Any], end: ColumnElement[Any] | None) -> ColumnElement[Any]:
    """Of the basis that is wanted; the database computes no other."""
    in_all = _period == literal_column("'lifetime'")
    earned: ColumnElement[Any] = literal_column("'earned'")
    return case(
        ((_basis == earned) & in_all, func.coalesce(_account(card, Account.lifetime), _NONE)),
        (_basis == earned, _earned(past, begin, end)),
        (_basis == literal_column("'spend'"), _sales(past, _SPENT, begin, end)),
        (_basis == literal_column("'visits'"), _sales(past, func.count(), begin, end)),
        else_=func.coalesce(_account(card, Account.balance), _NONE),
    )


def count_then(card: Any) -> ColumnElement[Any]:
    """As `count_of` at a moment of the past, but without what was taken back since: what has counted rightly.

    Args:
        card: as for `count_of`; `day_start` is that of the moment, and the moment is the parameter `moment`.
    """
    today = func.timezone(_ZONE, _DAY_START)
    year = func.date_trunc(literal_column("'year'"), today)
    begin, year_before = _begin(today, year), _moment(year - literal_column("interval '1 year'"))
    previous = case((_period == literal_column("'year'"), _sum_then(card, year_before, _moment(year))), else_=_NONE)
    return func.jsonb_build_object(
        literal_column("'value'"), _sum_then(card, begin, _MOMENT), literal_column("'previous'"), previous
    )


def _sum_then(card: ColumnElement[Any], begin: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[Any]:
    return case(
        (_basis == literal_column("'earned'"), _earned(card, begin, end)),
        (_basis == literal_column("'spend'"), _sales(card, _SPENT, begin, end)),
        (_basis == literal_column("'visits'"), _sales(card, func.count(), begin, end)),
        else_=_moved(card, LedgerEntry.kind != literal_column("'reverse'"), _EVER, end),
    )


def _account(card: ColumnElement[Any], column: Any) -> ScalarSelect[Any]:
    return (
        select(column)
        .where(Account.tenant_id == TENANT, Account.card_id == card, Account.unit == _unit)
        .correlate_except(Account)
        .scalar_subquery()
    )


def _earned(card: ColumnElement[Any], begin: ColumnElement[Any], end: ColumnElement[Any] | None) -> ColumnElement[Any]:
    return _moved(card, LedgerEntry.kind == literal_column("'earn'"), begin, end)


def _moved(
    card: ColumnElement[Any], which: ColumnElement[bool], begin: ColumnElement[Any], end: ColumnElement[Any] | None
) -> ColumnElement[Any]:
    """Entries of some kinds, less what was taken back of them whenever."""
    back = aliased(LedgerEntry)
    taken_back = (
        select(func.coalesce(func.sum(back.amount), _NONE))
        .where(back.tenant_id == TENANT, back.reverses_id == LedgerEntry.id)
        .correlate(LedgerEntry)
        .scalar_subquery()
    )
    query = select(func.sum(LedgerEntry.amount + taken_back)).where(
        LedgerEntry.tenant_id == TENANT,
        LedgerEntry.card_id == card,
        LedgerEntry.unit == _unit,
        which,
        LedgerEntry.created_at >= begin,
    )
    if end is not None:
        query = query.where(_before(LedgerEntry.created_at, end))
    return func.coalesce(query.correlate_except(LedgerEntry).scalar_subquery(), _NONE)


def _sales(
    card: ColumnElement[Any], what: ColumnElement[Any], begin: ColumnElement[Any], end: ColumnElement[Any] | None
) -> ColumnElement[Any]:
    query = (
        select(what)
        .select_from(Sale)
        .where(Sale.tenant_id == TENANT, Sale.card_id == card, SALE_STANDS, Sale.created_at >= begin)
    )
    if end is not None:
        query = query.where(_before(Sale.created_at, end))
    return func.coalesce(query.correlate_except(Sale).scalar_subquery(), _NONE)


def _before(column: Any, end: ColumnElement[Any]) -> ColumnElement[bool]:
    """Years end before the next begins; the moment at which something counted belongs to it."""
    found: ColumnElement[bool] = column <= end if end is _MOMENT else column < end
    return found
