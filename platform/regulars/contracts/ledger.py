"""The language of the ledger: occasions, facts, drafts, writes and refusals.

Ledger hooks are functions without I/O: they get facts that the host has read, and return values that the host writes.
So the same rules run in a sale, in a dry run and in the oracle of the tests, and a sale costs the same number of
round trips however many plugins take part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import ScalarSelect
from sqlalchemy.sql.dml import UpdateBase

from regulars.contracts.context import AccountState, CardInfo, ProgramInfo, TenantSnapshot

EntryKind = Literal["earn", "redeem", "expire", "adjust", "reverse"]
MAX_AMOUNT = 10**12


@dataclass(frozen=True, slots=True)
class Purchase:
    """A sale at a till or in a shop.

    Attributes:
        quantity: visits, stamps or items that count, at least 1.
        amount_minor: money in minor units of `currency`; `None` when the till does not send it.
    """

    quantity: int = 1
    amount_minor: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A member got the card; welcome bonuses are given on this occasion."""


Occasion = Purchase | Enrolment


@dataclass(frozen=True, slots=True)
class LedgerContext:
    """What a ledger hook may look at.

    Attributes:
        settings: the settings model of the plugin that is being called, for this program.
        now: the database's clock under the card's lock.
        day_start: the moment at which the calendar day of the program's zone began, in UTC: convert it before
            asking for a weekday.
        accounts: unit → state; a unit that has no entry yet is missing, use `account()`.
    """

    tenant: TenantSnapshot
    program: ProgramInfo
    card: CardInfo
    now: datetime
    day_start: datetime
    accounts: Mapping[str, AccountState]
    settings: BaseModel
    shop_id: UUID | None = None
    staff_id: UUID | None = None

    def account(self, unit: str) -> AccountState:
        """State of a unit's account, all zero when the card has no entry of it yet."""
        return self.accounts.get(unit) or AccountState(unit)


@dataclass(frozen=True, slots=True)
class Fact:
    """A question that a plugin's ledger hooks need answered, asked in the sale's one facts statement.

    Attributes:
        name: key in the `facts` mapping that the plugin's hooks get.
        query: a scalar subquery (one row, one column; several values as `jsonb_build_object`) that may use the bind
            parameters `tenant_id`, `card_id`, `program_id` (uuid) and `day_start` (timestamptz).
    """

    name: str
    query: ScalarSelect[Any]


@dataclass(frozen=True, slots=True)
class WriteStatement:
    """A prebuilt INSERT, UPDATE or DELETE of a plugin that becomes part of the sale's one write statement.

    Attributes:
        name: how `Write` refers to it.
        statement: reads its rows from `jsonb_to_recordset(:rows)`; build it with `insert_rows`,
            `update_rows` or `delete_rows`.
    """

    name: str
    statement: UpdateBase


@dataclass(frozen=True, slots=True)
class Write:
    """Rows for one of the plugin's write statements; the host checks that exactly `len(rows)` rows were written.

    Attributes:
        rows: column → JSON-serialisable value; `tenant_id` and `card_id` are filled in by the host.
    """

    name: str
    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event of the plugin to be written to the outbox with the sale.

    Attributes:
        name: without the plugin's prefix, which the host adds.
        payload: JSON-serialisable.
    """

    name: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """A ledger entry that a plugin proposes.

    Attributes:
        unit: a unit that this plugin provides.
        amount: units, not 0; positive on earning.
        rule: short stable name of the rule that gave it, for "why these points?".
        explanation: JSON-serialisable details: what matched, what missed, what was cut.
        counts_for_limits: False for welcome, milestone and other gifts that no till gave.
        expires_at: when what is left of it expires, `None` for never.
    """

    unit: str
    amount: int
    rule: str
    explanation: Mapping[str, Any] = field(default_factory=dict)
    counts_for_limits: bool = True
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer "no, because": a value that is stored, replayed and committed, never raised.

    Attributes:
        code: stable name, e.g. `antifraud.cooldown`; also the problem type.
        message: English sentence with `{placeholders}`, marked with `N_`; translated when shown.
        params: values of the placeholders; datetimes are shown in the program's zone.
        status: HTTP status of the problem.
        retry_at: when it is possible again, if time heals it.
    """

    code: str
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)
    status: int = 409
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Clearance:
    """The answer "yes, and the next one is possible at".

    Attributes:
        next_at: when the same could be done again after this one; `None` when at once.
    """

    next_at: datetime | None = None


Verdict = Refusal | Clearance | None


@dataclass(frozen=True, slots=True)
class PostedEntry:
    """A ledger entry as written, given to `sale_posted` and `reversal_posted`."""

    id: UUID
    unit: str
    kind: EntryKind
    amount: int
    balance_after: int
    lifetime_after: int
    rule: str
    plugin: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a `…_posted` hook adds to the unit of work: own writes and own events."""

    writes: Sequence[Write] = ()
    events: Sequence[EventDraft] = ()


@dataclass(frozen=True, slots=True)
class RewardOffer:
    """A reward that a card can have now or later.

    Attributes:
        kind: reward kind of the provider, e.g. `stamps.full_card`.
        key: which reward of that kind; empty when there is only one.
        title: what the member gets, in the merchant's words.
        unit, cost: what it costs.
        value_minor: worth in minor units of the program's currency, for "saved value"; `None` when unknown.
        ready: whether the balance is enough now.
        missing: units still missing.
    """

    kind: str
    key: str
    title: str
    unit: str
    cost: int
    value_minor: int | None
    ready: bool
    missing: int
