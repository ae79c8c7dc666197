"""Bodies and answers of the API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from regulars.contracts.conditions import MAX_MONEY
from regulars.contracts.i18n import N_
from regulars.contracts.ledger import StepKind
from regulars.contracts.paging import PageRequest
from regulars.kernel import ids
from regulars.kernel.db.listing import no_such_row

Text = Annotated[str, StringConstraints(max_length=200)]
Units = Mapping[str, int]


def _as_text(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError(N_('Write the amount as a text such as "25.00".'))
    return value


class Sent(BaseModel):
    """Base of what callers send: nothing unknown, no conversions."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Asked(BaseModel):
    """Base of query strings: nothing unknown."""

    model_config = ConfigDict(extra="forbid")


class Page(Asked):
    """Which page of a list."""

    page: int = Field(default=1, ge=1, le=100_000, description="From 1.")
    size: int = Field(default=50, ge=1, le=200, description="Rows a page.")


class FollowingPage(Page):
    """Which page of a list in which nothing moves."""

    after: str = Field(
        default="",
        max_length=60,
        description="Id of the last row you have, instead of a page: no row comes twice or is missed, whatever happens"
        " meanwhile.",
    )

    def request(self, kind: str) -> PageRequest:
        """The page that is asked for.

        Args:
            kind: prefix of the ids of the list.

        Raises:
            InvalidInput: what it would follow is no id of that kind.
        """
        after = ids.read(kind, self.after) if self.after else None
        if self.after and after is None:
            raise no_such_row()
        return PageRequest(self.page, self.size, after)


class Problem(BaseModel):
    """An RFC 9457 problem document."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="Stable name of the problem: `/problems/<code>`.")
    title: str = Field(description="What happened, in the reader's language.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What happened and what to do, in the reader's language.")
    code: str = Field(description="The last part of `type`.")
    instance: str | None = Field(default=None, description="Id of the request, by which its log is found.")
    fields: Mapping[str, str] | None = Field(default=None, description="Field → sentence, for invalid input.")
    retry_after: int | None = Field(default=None, description="Seconds to wait, where waiting helps.")
    retry_at: datetime | None = Field(default=None, description="When it is possible again, where time heals it.")


class ProgramAnswer(BaseModel):
    """A loyalty program."""

    id: str
    merchant: str
    name: str
    type: Literal["stamps", "points", "hybrid"]
    status: Literal["setup", "active", "paused", "inactive"]
    is_active: bool
    timezone: str = Field(description="IANA name; days, expiry and birthdays go by it.")
    currency: str = Field(description="ISO 4217 code.")
    require_pin: bool = Field(description="Whether till operations need a staff PIN.")
    settings: Mapping[str, Mapping[str, Any]] = Field(description="Plugin → its settings for this program.")
    created_at: datetime


class ProgramChange(Sent):
    """What can be changed of a program; what is left out stays."""

    name: Text | None = None
    timezone: Text | None = None
    currency: Text | None = None
    require_pin: bool | None = None
    is_active: bool | None = None
    is_paused: bool | None = Field(default=None, description="Pause an open program, or let it go on.")
    paused_until: datetime | None = Field(default=None, description="With `is_paused`: when it goes on by itself.")
    settings: dict[str, dict[str, Any]] | None = Field(
        default=None, description="Plugin → settings to change; what is left out stays."
    )


class NewProgram(Sent):
    """A program to begin."""

    name: Text
    type: Literal["stamps", "points", "hybrid"]
    timezone: Text | None = Field(default=None, description="IANA name; the shop's by default.")
    currency: Text | None = Field(default=None, description="ISO 4217 code; the shop's by default.")
    require_pin: bool = True


class BenefitAnswer(BaseModel):
    """What the till takes off the bill or hands over because of a sale."""

    plugin: str = Field(description="Which extension gives it.")
    kind: Literal["discount", "item"]
    key: str = Field(description="Which of its rules.")
    title: str = Field(description="The rule in the shop's words.")
    amount_minor: int = Field(description="Money off, in minor units of `currency`; 0 for an item.")
    item: str = Field(description="What is handed over; empty for money.")
    currency: str = Field(description="ISO 4217 code.")


class StatsAnswer(BaseModel):
    """Figures of the shop and of its program."""

    members_total: int
    members_active: int = Field(description="Here in the last 30 days.")
    redeemed_this_month: int
    redeemed_total: int
    saved_this_month_minor: int = Field(description="Worth of rewards, in minor units of `currency`.")
    saved_total_minor: int
    currency: str
    cards_total: int
    cards_active: int
    issued_this_month: Units = Field(description="Unit → units given, less those taken back.")
    issued_total: Units


class ProgressAnswer(BaseModel):
    """How far a card is in one unit."""

    count: int
    target: int | None
    label: str
    message: str
    ready: bool = Field(description="A reward can be had now.")
    close: bool = Field(description="A reward is near.")


class CardAnswer(BaseModel):
    """A card in a list."""

    id: str
    number: str = Field(description="Twelve digits, shown as 4821-7493-2841.")
    status: Literal["active", "blocked", "closed"]
    program: str
    balances: Units
    progress: Mapping[str, ProgressAnswer]


class CustomerAnswer(BaseModel):
    """A customer with all cards."""

    id: str
    name: str
    email: str
    phone: str
    member_since: datetime
    last_visit: datetime
    cards: list[CardAnswer]


class CustomerList(BaseModel):
    """A page of customers."""

    items: list[CustomerAnswer]
    total: int
    page: int
    size: int
    pages: int


class CustomerQuery(FollowingPage):
    """Search and filter of the list of customers."""

    q: str = Field(default="", max_length=200, description="Parts of name, e-mail or phone, or the start of a number.")
    filter: Literal["all", "active", "ready"] = Field(default="all", description="Here lately; has a reward ready.")
    order: Literal["last_visit", "enrolled"] = Field(
        default="last_visit", description="Who came, or enrolled, last first; `after` needs `enrolled`."
    )


class NewCustomer(Sent):
    """Somebody who wants a card."""

    email: Annotated[str, StringConstraints(min_length=3, max_length=254)]
    name: Text = ""
    phone: Annotated[str, StringConstraints(max_length=40)] = ""
    terms: bool = Field(description="The person has accepted the terms of the program; must be true.")
    marketing: bool = Field(default=False, description="The person has agreed to news.")
    birthday: date | None = None
    locale: Annotated[str, StringConstraints(max_length=20)] | None = None
    program: Text | None = Field(default=None, description="Id of a program; the first active one by default.")
    ref: Annotated[str, StringConstraints(max_length=40)] = Field(
        default="", description="Code of the member's link by which the person came, as it stands there after `ref=`."
    )


class EnrolledAnswer(BaseModel):
    """The card of somebody who was enrolled."""

    member: str
    card: str
    number: str
    token: str = Field(description="Text of the card's QR code.")
    program: str
    is_new: bool = Field(description="False when the person had this card before; then nothing was changed.")


class TillSent(Sent):
    """What every operation at a till says."""

    card: Annotated[str, StringConstraints(min_length=1, max_length=300)] = Field(
        description="Id, number, first eight digits, or text of the QR code."
    )
    staff: Annotated[str, StringConstraints(max_length=60)] | None = Field(
        default=None, description="Who does it; needed where the program wants a PIN."
    )
    pin: Annotated[str, StringConstraints(max_length=20)] | None = Field(default=None, description="That person's PIN.")
    shop: Annotated[str, StringConstraints(max_length=60)] | None = Field(
        default=None, description="Where; the key's own shop by default."
    )


Amount = Annotated[str, BeforeValidator(_as_text), StringConstraints(min_length=1, max_length=40)]
MinorUnits = Annotated[int, Field(ge=1, le=MAX_MONEY)]


class SoldItem(Sent):
    """A line of a sale."""

    sku: Annotated[str, StringConstraints(max_length=80)] = Field(default="", description="Your number of the article.")
    title: Text = ""
    category: Annotated[str, StringConstraints(max_length=80)] = Field(default="", description="Such as `bakery`.")
    quantity: int = Field(default=1, ge=1, le=100_000)
    amount: Amount | None = Field(default=None, description="Money of the whole line, as `amount` of the sale.")
    amount_minor: MinorUnits | None = Field(default=None, description="The same in minor units; one of the two.")


class SaleSent(Sent):
    """What was bought."""

    amount: Amount | None = Field(
        default=None,
        description='What was paid, as a text: `"25.00"` or `"25,00"`. Units that are given for money ask for it.',
    )
    amount_minor: MinorUnits | None = Field(
        default=None, description="The same in minor units of the currency (cents); one of the two."
    )
    currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")] | None = Field(
        default=None, description="ISO 4217 code; the shop's by default. It must be the program's."
    )
    items: list[SoldItem] = Field(default=[], max_length=200, description="The lines, for rules about goods.")
    channel: Literal["store", "online"] = "store"
    external_ref: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        default=None, description="The sale's name in the system it comes from; counted once for ever."
    )
    occurred_at: AwareDatetime | None = Field(
        default=None,
        description="When it happened, with its offset from UTC; now by default. Earlier ones count for as many days as"
        " the program says, also those from before there was a card.",
    )


class EarnSent(SaleSent, TillSent):
    """A sale at a till."""


class OfFamily(BaseModel):
    """Which unit of a family a till means."""

    unit: Annotated[str, StringConstraints(max_length=80)] | None = Field(
        default=None, description="Which one, where the program has several: `stamps.lunch`; the first by default."
    )


class RedeemSent(TillSent):
    """A reward to hand over."""

    reward: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        default=None, description="Which reward, `<kind>` or `<kind>/<key>`; the unit's first by default."
    )


class UndoneEntry(BaseModel):
    """A movement that took another one back."""

    id: str
    unit: str
    amount: int
    balance: int


class UndoAnswer(BaseModel):
    """The card's last action was taken back."""

    success: Literal[True]
    message: str
    entries: list[UndoneEntry]


class PinAnswer(BaseModel):
    """Somebody with a PIN."""

    id: str
    name: str
    role: Literal["owner", "manager", "staff"]
    status: Literal["active", "locked", "none"] = Field(description="`none`: this person has no PIN yet.")
    locked_until: datetime | None
    last_used_at: datetime | None
    pin: str | None = Field(default=None, description="A PIN that was made by us, shown this once.")


class PinList(BaseModel):
    """Everybody who works here."""

    items: list[PinAnswer]


class NewPin(Sent):
    """A PIN for somebody: for a staff member by id, or for a new one by name."""

    staff: Annotated[str, StringConstraints(max_length=60)] | None = None
    name: Text | None = None
    role: Literal["owner", "manager", "staff"] = "staff"
    pin: Annotated[str, StringConstraints(max_length=20)] | None = Field(
        default=None, description="Four digits; a random one is made and shown once when it is left out."
    )


class PinChange(Sent):
    """What can be changed; what is left out stays."""

    name: Text | None = None
    role: Literal["owner", "manager", "staff"] | None = None
    pin: Annotated[str, StringConstraints(max_length=20)] | None = None


class RewardAnswer(BaseModel):
    """A reward of a card."""

    kind: str
    key: str
    title: str
    unit: str
    cost: int
    ready: bool = Field(description="Whether the balance is enough.")
    missing: int
    locked: bool = Field(description="It is for other customers, a higher tier say; `reason` says what leads there.")
    reason: str = Field(description="Why it cannot be had though the balance may be enough; empty when it can.")


class OwnCardAnswer(BaseModel):
    """A customer's own card."""

    id: str
    number: str
    token: str = Field(description="Text of the QR code.")
    status: Literal["active", "blocked", "closed"]
    program: str
    program_name: str
    name: str
    member_since: datetime
    balances: Units
    progress: Mapping[str, ProgressAnswer]
    rewards: list[RewardAnswer]


class WhyStep(BaseModel):
    """One step of how an amount came about: what a rule did, or why it did nothing."""

    kind: StepKind
    message: str
    change: int = Field(description="Units that this step added or took away.")


class TransactionAnswer(BaseModel):
    """A movement on a card."""

    id: str
    type: Literal["earn", "redeem", "expire", "adjust", "reverse"]
    unit: str
    amount: int
    balance: int
    at: datetime
    shop: str
    undone: bool
    why: str = Field(description="Why there are these stamps or points.")
    why_steps: list[WhyStep] = Field(description="The same step by step, in order; empty when there is no more to say.")


class TransactionList(BaseModel):
    """A page of a card's movements, newest first."""

    items: list[TransactionAnswer]
    total: int
    page: int
    size: int
    pages: int


class SelfEnrolledAnswer(BaseModel):
    """What a customer is told after enrolling.

    A person who is a member already gets no card here: anybody can type an address.
    """

    is_new: bool
    message: str
    number: str | None = None
    token: str | None = Field(default=None, description="Text of the QR code of a new card.")


class PlatformProgram(BaseModel):
    """A program of some merchant."""

    id: str
    tenant: str
    merchant: str
    name: str
    type: Literal["stamps", "points", "hybrid"]
    status: Literal["setup", "active", "paused", "inactive"]
    timezone: str
    currency: str
    offering: str
    members: int
    activity: Literal["high", "medium", "low"]
    last_activity_at: datetime | None
    created_at: datetime


class PlatformProgramList(BaseModel):
    """A page of all programs."""

    items: list[PlatformProgram]
    total: int
    page: int
    size: int
    pages: int


class PlatformStatsAnswer(BaseModel):
    """Figures of the whole platform."""

    programs_total: int
    programs_active: int
    programs_by_type: Units
    members_total: int
    saved_total_minor: Units = Field(description="Currency → worth of the rewards handed out, in minor units.")
