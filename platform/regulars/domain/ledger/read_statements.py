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
    func,
    literal_column,
    select,
    text,
    true,
)
from sqlalchemy.sql.visitors import iterate, replacement_traverse

from regulars.domain.cards.models import Card
from regulars.domain.ledger.extra_statements import CARD_ID, READS, SALE_OF, TENANT, Extra, json_object
from regulars.domain.ledger.fellow_queries import fellows
from regulars.domain.ledger.merged_queries import PAST, across_cards
from regulars.domain.ledger.models import Account, Idempotency
from regulars.domain.programs.models import Program, ProgramPause
from regulars.domain.staff.models import Staff
from regulars.kernel.db.prepared import Prepared, prepare

CardBy = Literal["id", "number", "token", "short", "itself"]
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
            One that leads to another card is found as `itself` (by id) only.
    """
    claim = (
        select(func.pg_try_advisory_xact_lock(bindparam("claim", type_=BigInteger)).label("got"), PLAN_ONCE)
        .cte("claim")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    card = (
        select(
            Card.id,
            Card.number,
            Card.status,
            Card.member_id,
            Card.program_id,
            Card.created_at,
            Card.has_merged,
            Card.household_id,
        )
        .join(claim, claim.c.got)
        .where(Card.tenant_id == TENANT, named(by), *(() if by == "itself" else (Card.merged_into.is_(None),)))
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


def named(by: CardBy) -> ColumnElement[bool]:
    """Whether a card is the one that is named, by the parameter `card`."""
    if by == "short":
        short = bindparam("card", type_=Text)
        return and_(
            Card.number >= func.concat(short, text("'0000'")), Card.number <= func.concat(short, text("'9999'"))
        )
    column = {"id": Card.id, "itself": Card.id, "number": Card.number, "token": Card.token}[by]
    return column == bindparam("card", type_=Uuid if by in {"id", "itself"} else Text)


@lru_cache
def leads_to_statement(by: CardBy) -> Prepared:
    """Where a card leads that was merged into another one: a row, none when there is no such card."""
    return prepare(
        select(Card.merged_into).distinct().where(Card.tenant_id == TENANT, named(by), Card.merged_into.is_not(None))
    )


def facts_statement(
    plugin_facts: Sequence[tuple[str, ScalarSelect[Any]]],
    extra: Extra,
    *,
    has_merged: bool = False,
    has_fellows: bool = False,
) -> Prepared:
    """Read, in one row, all that decides: clock, stored answer, program, accounts, and the plugins' facts.

    Args:
        plugin_facts: (label, scalar subquery) of the enabled plugins.
        extra: what one kind of transaction needs besides; facts ask by `sale_id` where a sale is taken back.
        has_merged: other cards lead to this one: its past is theirs too.
        has_fellows: other cards share with it.
    """
    pause = (
        select(json_object(until=ProgramPause.until, redeems=ProgramPause.redeems))
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
        select(json_object(status=Program.status, pause=case((is_paused, pause))))
        .where(Program.tenant_id == TENANT, Program.id == bindparam("program_id", type_=Uuid))
        .scalar_subquery()
    )
    accounts = (
        select(
            func.jsonb_agg(
                json_object(
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
    columns += [fellows().label("fellows")] if has_fellows else []
    everywhere = across_cards if has_merged else _as_it_is
    past = everywhere if extra in PAST else _as_it_is
    columns += [past(read()).label(label) for label, read in READS[extra].items()]
    sale = SALE_OF.get(extra)
    of_sale = None if sale is None else past(sale)  # the facts' sale is the one that is read
    columns += [
        _bound(everywhere(query), of_sale).label(label)
        for label, query in plugin_facts
        if sale is not None or not _asks_for_sale(query)
    ]
    return prepare(select(*columns))


def _as_it_is(query: ColumnElement[Any]) -> ColumnElement[Any]:
    return query


def _stored() -> ScalarSelect[Any]:
    return (
        select(
            json_object(
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


def _bound(query: ColumnElement[Any], sale: ColumnElement[Any] | None) -> ColumnElement[Any]:
    """A fact's query with the parameters `day_start` and `sale_id` computed in the same statement."""
    once = select(DAY_START).scalar_subquery()  # a subquery of its own, or it would be computed for every row
    computed = {"day_start": once} | ({} if sale is None else {"sale_id": sale})

    def replace(element: object, **_: object) -> object | None:
        return computed.get(element.key) if isinstance(element, BindParameter) else None

    replaced: ColumnElement[Any] = replacement_traverse(query, {}, replace)
    return replaced


def _asks_for_sale(query: ScalarSelect[Any]) -> bool:
    return any(isinstance(element, BindParameter) and element.key == "sale_id" for element in iterate(query))


STORED_ANSWER = prepare(select(_stored().label("stored")))
"""The answer that a key has, for a request whose card is not found (any more)."""
