"""The language of the ledger: occasions, facts, drafts, writes and refusals.

Ledger hooks are functions without I/O: they get facts that the host has read, and return values that the host writes.
So the same rules run in a sale, in a dry run and in the oracle of the tests, and a sale costs the same number of
round trips however many plugins take part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel
from sqlalchemy import ScalarSelect
from sqlalchemy.sql.dml import UpdateBase

from regulars.contracts.context import AccountState, CardInfo, ProgramInfo, TenantSnapshot

EntryKind = Literal["earn", "redeem", "expire", "adjust", "reverse"]
Channel = Literal["store", "online"]
MAX_AMOUNT = 10**12


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a sale.

    Attributes:
        sku: the shop's own number of the article, empty when unknown.
        title: as it stands on the receipt.
        category: the shop's own word, e.g. `bakery`; compared without regard to case.
        quantity: pieces, at least 1.
        amount_minor: money of the whole line, in minor units of the sale's currency.
    """

    sku: str = ""
    title: str = ""
    category: str = ""
    quantity: int = 1
    amount_minor: int = 0


@dataclass(frozen=True, slots=True)
class Purchase:
    """A sale at a till or in a shop.

    Attributes:
        quantity: visits, stamps or items that count, at least 1.
        amount_minor: money in minor units of `currency`; `None` when the till does not send it.
        items: the lines, when the till sends them; their amounts need not add up to the whole (tips, discounts).
        channel: a till, or a shop on the web.
        counts: unit → what staff counted for it, where they say so; `quantity` is their sum then. `None` when nobody
            counted for single units: each unit that goes by visits takes `quantity`.
    """

    quantity: int = 1
    amount_minor: int | None = None
    currency: str | None = None
    items: tuple[Item, ...] = ()
    channel: Channel = "store"
    counts: Mapping[str, int] | None = None

    def counted(self, unit: str) -> int:
        """What staff counted for a unit."""
        return self.quantity if self.counts is None else self.counts.get(unit, 0)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A member got the card; welcome bonuses are given on this occasion."""


@dataclass(frozen=True, slots=True)
class Birthday:
    """A member's birthday; comes once a year, whatever happens to the date in the profile.

    Attributes:
        year: of the birthday, in the program's zone.
    """

    year: int


@dataclass(frozen=True, slots=True)
class Referral:
    """A friend whom a member has brought made the first qualifying purchase.

    Attributes:
        side: whose card this is.
        referral_id: the same for both sides.
    """

    side: Literal["referrer", "friend"]
    referral_id: UUID


@dataclass(frozen=True, slots=True)
class Custom:
    """Something that a shop rewards besides sales: a review, a survey, a visit of an event.

    Attributes:
        name: the shop's own word for it.
        earlier: how often it was counted for this card before.
    """

    name: str
    earlier: int = 0


Occasion = Purchase | Enrolment | Birthday | Referral | Custom


@lru_cache(maxsize=256)
def _local(moment: datetime, timezone: str) -> datetime:
    """A moment in a zone; each rule of a sale asks for the same one."""
    return moment.astimezone(ZoneInfo(timezone))


@dataclass(frozen=True, slots=True)
class LedgerContext:
    """What a ledger hook may look at.

    Attributes:
        settings: the settings model of the plugin that is being called, for this program.
        now: the database's clock under the card's lock.
        day_start: the moment at which the calendar day of the program's zone began, in UTC: convert it before
            asking for a weekday.
        accounts: unit → state; a unit that has no entry yet is missing, use `account()`.
        occurred_at: when it happened: rules about days, hours and dates go by it; `now` when nobody said.
        segments: keys of the groups of customers that the member belongs to, see `SegmentProvider`.
        sale_id: the sale that is being recorded or taken back, once that is certain: in the `…_posted` hooks.
        continues: a further sale of a visit whose first one was judged in the same call, one from before there was a
            card, or one that a receipt proves: a time that must pass between two visits is not asked for, what is
            limited by the day is.
        explains: whether anybody will read the steps of drafts; a back-test wants the amounts alone, and hooks may
            leave the steps out.
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
    occurred_at: datetime | None = None
    segments: frozenset[str] = frozenset()
    sale_id: UUID | None = None
    continues: bool = False
    explains: bool = True

    @property
    def at(self) -> datetime:
        """The moment by which rules go, in the program's zone."""
        return _local(self.occurred_at or self.now, self.program.timezone)

    def account(self, unit: str) -> AccountState:
        """State of a unit's account, all zero when the card has no entry of it yet."""
        return self.accounts.get(unit) or AccountState(unit)


@dataclass(frozen=True, slots=True)
class Fact:
    """A question that a plugin's ledger hooks need answered, asked in the sale's one facts statement.

    Attributes:
        name: key in the `facts` mapping that the plugin's hooks get.
        query: a scalar subquery (one row, one column; several values as `jsonb_build_object`) that may use the bind
            parameters `tenant_id`, `card_id`, `member_id`, `program_id` (uuid), `day_start` (timestamptz) and
            `time_zone` (text, of the program), and those of `values`. One that uses
            `sale_id` (uuid) is asked only when a sale is taken back, of that sale; else its name is missing.
        values: the plugin's settings of the program → further parameters, where what is asked depends on them; their
            names begin with the plugin's and are always the same.
    """

    name: str
    query: ScalarSelect[Any]
    values: Callable[[Any], Mapping[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class WriteStatement:
    """A prebuilt INSERT, UPDATE or DELETE of a plugin that becomes part of the sale's one write statement.

    Attributes:
        name: how `Write` refers to it.
        statement: reads its rows from `jsonb_to_recordset(:rows)`; build it with `insert_rows`,
            `update_rows` or `delete_rows`.
        adds: columns of counters (`count_rows`) that are added up where one unit of work has several rows about the
            same: a refund gives back two rewards of one kind.
    """

    name: str
    statement: UpdateBase
    adds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Write:
    """Rows for one of the plugin's write statements; the host checks that exactly `len(rows)` rows were written.

    Attributes:
        rows: column → JSON-serialisable value; `tenant_id` and `card_id` are filled in by the host.
        contended: others may have taken the last of it since the facts were read (a budget, a stock; see
            `count_rows`): when fewer rows are written, everything is decided again with new facts instead of the
            plugin being blamed.
    """

    name: str
    rows: Sequence[Mapping[str, Any]]
    contended: bool = False


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event of the plugin to be written to the outbox with the sale.

    Attributes:
        name: without the plugin's prefix, which the host adds.
        payload: JSON-serialisable.
    """

    name: str
    payload: Mapping[str, Any]


StepKind = Literal["given", "missed", "multiplied", "added", "capped", "rounded", "carried"]


@dataclass(frozen=True, slots=True)
class Step:
    """One line of "why these points?": what a rule did, or why it did nothing.

    Attributes:
        kind: what happened.
        message: English sentence with `{placeholders}`, marked with `N_`; translated when shown.
        params: values of the placeholders, JSON-serialisable; names of rules are the merchant's words. Money is
            `{"minor": 450, "currency": "EUR"}` and a currency alone `{"currency": "EUR"}`: both are shown by locale.
        change: units that this step added (or took away).
    """

    kind: StepKind
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)
    change: int = 0


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """A ledger entry that a plugin proposes.

    Attributes:
        unit: a unit that this plugin provides.
        amount: units, not 0; positive on earning.
        rule: short stable name of the rule that gave it, for "why these points?".
        explanation: JSON-serialisable details: what matched, what missed, what was cut; `title` is the rule in the
            merchant's words, where it has any.
        counts_for_limits: False for welcome, milestone and other gifts that no till gave.
        expires_at: when what is left of it expires; `None` for what the unit's provider says (`UnitLife`), else never.
        pending_until: when it can be spent; until then it waits outside of the balance. `None` for at once, or for what
            the unit's provider says.
        steps: how the amount came about, in order.
    """

    unit: str
    amount: int
    rule: str
    explanation: Mapping[str, Any] = field(default_factory=dict)
    counts_for_limits: bool = True
    expires_at: datetime | None = None
    pending_until: datetime | None = None
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A draft on its way through `adjust_earn`.

    Attributes:
        plugin: who proposed it, and under whose name it is written.
    """

    plugin: str
    draft: EntryDraft

    def changed(self, amount: int, step: Step) -> Proposal:
        """The same draft with another amount, and the step that says why."""
        steps = (*self.draft.steps, replace(step, change=amount - self.draft.amount))
        return replace(self, draft=replace(self.draft, amount=amount, steps=steps))

    def noted(self, *steps: Step) -> Proposal:
        """The same draft with further steps that change nothing."""
        if not steps:
            return self
        return replace(self, draft=replace(self.draft, steps=(*self.draft.steps, *steps)))


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
    """A ledger entry as written, given to the `…_posted` hooks.

    Attributes:
        explanation: of the draft, as it is stored.
        at: when it was written; `None` for an entry of this very unit of work.
    """

    id: UUID
    unit: str
    kind: EntryKind
    amount: int
    balance_after: int
    lifetime_after: int
    rule: str
    plugin: str
    explanation: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CardMerge:
    """Another card is merged into the one that a hook is asked about, or that is undone.

    Attributes:
        other: the card that leads to this one from now on, or did until now; its accounts are those before.
        facts: the plugin's own facts of that card. Its rows in the plugin's tables stay as they are while it is merged,
            so they are the same when the merge is undone.
        is_undone: whether the merge is taken back.
    """

    other: LedgerContext
    facts: Mapping[str, Any]
    is_undone: bool


BenefitKind = Literal["discount", "item"]


@dataclass(frozen=True, slots=True)
class Benefit:
    """What a sale gives besides units: the till takes it off the bill or hands it over.

    It is kept with the sale, and shown in the API's answer and on the terminal.

    Attributes:
        kind: money off, or something for nothing.
        key: which of the plugin's rules gave it.
        title: the rule, in the merchant's words.
        amount_minor: money off, in minor units of the sale's currency; of one sale never more than its amount.
        item: what is handed over, in the merchant's words; empty for money.
    """

    kind: BenefitKind
    key: str
    title: str
    amount_minor: int = 0
    item: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a `…_posted` hook adds to the unit of work: own writes and own events.

    Attributes:
        benefits: what the till takes off or hands over; of `sale_posted` of a purchase only.
    """

    writes: Sequence[Write] = ()
    events: Sequence[EventDraft] = ()
    benefits: Sequence[Benefit] = ()


Fulfilment = Literal["counter", "code", "shipping"]
WEEK_MINUTES = 7 * 24 * 60


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
        description, image, category, featured: for the catalogue; `image` is a path below the tenant's asset address.
        refusal: why it cannot be had now though the balance may be enough (sold out, not this tier, once only).
        fulfilment: handed over at the counter, a code to be shown or typed, or sent by post.
        left: how many there are still, `None` without a limit.
        code: what whoever gets it shows or types elsewhere, from the provider's own store; empty for one that the host
            makes when it is needed. Never shown before it is had.
        hold_minutes: how long it waits to be used once it is put aside.
        groups: keys of groups of customers (`SegmentProvider`) that it is for, empty for all; a `check_redemption`
            keeps it from others, and whoever knows the group says how far it is.
        shows_locked: whether those see it, too, from whom a `check_redemption` keeps it.
        is_locked: whether one does, and `refusal` says why; the host fills it in where a card is shown.
    """

    kind: str
    key: str
    title: str
    unit: str
    cost: int
    value_minor: int | None
    ready: bool
    missing: int
    description: str = ""
    image: str = ""
    category: str = ""
    featured: bool = False
    refusal: Refusal | None = None
    fulfilment: Fulfilment = "counter"
    left: int | None = None
    code: str = ""
    hold_minutes: int = WEEK_MINUTES
    groups: tuple[str, ...] = ()
    shows_locked: bool = True
    is_locked: bool = False
