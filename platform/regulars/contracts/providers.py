"""Providers: for a *kind* of thing that exactly one plugin handles, found by key in a registry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable

from pydantic import BaseModel

from regulars.contracts.context import AccountState
from regulars.contracts.ledger import LedgerContext, Purchase, RewardOffer


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a card is, for lists and short sentences.

    Attributes:
        count, target: 8 of 10; `target` is `None` for units without one.
        label: "8 / 10 stamps", in the reader's language.
        message: "2 more stamps until your free coffee!", in the reader's language.
        ready: a reward can be had now.
        close: a reward is near (for the "close to reward" marker).
    """

    count: int
    target: int | None
    label: str
    message: str
    ready: bool
    close: bool


class UnitProvider(Protocol):
    """A ledger unit such as stamps or points. All methods are pure.

    Attributes:
        unit: name in the ledger, e.g. `stamps`.
        path: API path below `/api/v1/store/loyalty/`; the host registers `<path>` and `<path>/redeem`.
        earn_body: extra body fields of `<path>` beyond card, staff, pin (a pydantic model with `extra="forbid"`).
        earn_answer, redeem_answer: models of the success answers.
    """

    unit: str
    path: str
    earn_body: type[BaseModel]
    earn_answer: type[BaseModel]
    redeem_answer: type[BaseModel]

    def purchase(self, body: BaseModel) -> Purchase:
        """Turn the extra body fields into the occasion."""

    def progress(self, account: AccountState, settings: BaseModel) -> Progress:
        """Describe a balance, in the current locale."""

    def ready_at(self, settings: BaseModel) -> int | None:
        """Balance from which a reward can be had (for list filters in SQL), `None` when there is none."""

    def answer_earn(
        self, ctx: LedgerContext, account: AccountState, earned: int, next_at: datetime | None
    ) -> BaseModel:
        """The API's answer after earning; `ctx.settings` are the provider's."""

    def answer_redeem(self, ctx: LedgerContext, account: AccountState, offer: RewardOffer) -> BaseModel:
        """The API's answer after redeeming."""


@runtime_checkable
class UnitWords(Protocol):
    """How people speak of a unit; a unit provider brings it too, or the host says it without naming the unit.

    All methods are pure and answer in the current locale.
    """

    def title(self) -> str:
        """What the unit is called as a heading: `Stamps`."""

    def action(self) -> str:
        """What the till's button says: `Add stamp`."""

    def amount(self, number: int) -> str:
        """A number of units, without sign: `3 stamps`."""

    def reached(self, number: int, balance: int) -> str:
        """What somebody earned, as the feed says it: `stamp #8`, or `50 points` for units without order."""

    def earned(self, number: int) -> str:
        """What the till says after a sale: `Stamp added!`."""

    def explain(self, rule: str, details: Mapping[str, Any]) -> str:
        """Why a rule gave what it gave, one sentence; empty for a rule that the provider does not know."""


@runtime_checkable
class UnitLife(Protocol):
    """How long units last; a unit provider brings it too, or its units can be spent at once and never expire.

    Both are asked for every draft of the unit that does not say itself; pure.
    """

    def expires_at(self, ctx: LedgerContext) -> datetime | None:
        """When what is earned now expires, `None` for never; `ctx.settings` are the provider's."""

    def pending_until(self, ctx: LedgerContext) -> datetime | None:
        """When what is earned now can be spent, `None` for at once."""

    def floor(self, settings: BaseModel) -> int:
        """The lowest balance that a refund may leave: 0, or below for a debt that later earnings pay off."""


@runtime_checkable
class UnitExpiry(Protocol):
    """What makes units expire besides the dates of their lots; a unit provider brings it too, or nothing does. Pure."""

    def idle_days(self, settings: BaseModel) -> int | None:
        """Days without a movement after which all units of a card expire, `None` where they do not.

        They are counted from the card's last use, at the earliest from when this number began to hold.
        """

    def reminder_days(self, settings: BaseModel) -> int:
        """Days before units expire at which `units.expiring` comes and customers get a mail; 0 for never."""


@runtime_checkable
class UnitByAmount(Protocol):
    """A unit that is given for money; a unit provider says so, or tills do not ask for amounts.

    Attributes:
        needs_amount: a sale on the unit's path is refused without its amount, and the terminal asks for it.
    """

    needs_amount: Literal[True]


@runtime_checkable
class UnitOfProgram(Protocol):
    """A unit that is asked for in another way in some programs; a unit provider says so, or it always is the same."""

    def of_program(self, settings: BaseModel) -> UnitProvider:
        """The provider as a program's settings make it, of the same unit: other fields at the till, or the amount."""


@runtime_checkable
class UnitFamily(Protocol):
    """A unit of which a program may have several, such as stamp cards; a unit provider says so, or there is only one.

    The first one has the unit's own name, each other one is `<unit>.<key>` with its own accounts. Pure.
    """

    def member(self, key: str) -> UnitProvider | None:
        """The provider of `<unit>.<key>`, `None` for what cannot be a key.

        It does not depend on any program: the past speaks of units that a program has no longer.
        """

    def units(self, settings: BaseModel) -> Sequence[UnitProvider]:
        """The units that a program has, in the order in which people see them, each as the settings make it."""


@runtime_checkable
class UnitWithoutButton(Protocol):
    """A unit for which tills have no button of its own; a unit provider says so, or they have.

    It is counted together with another one of its family, or it can only be spent.

    Attributes:
        has_no_button: always true.
    """

    has_no_button: Literal[True]


class RewardProvider(Protocol):
    """A kind of reward. All methods are pure.

    Attributes:
        kind: `<plugin>.<key>`, e.g. `stamps.full_card`.
    """

    kind: str

    def offers(self, ctx: LedgerContext, facts: Mapping[str, Any]) -> Sequence[RewardOffer]:
        """All rewards of this kind for the card, reachable or not.

        Args:
            ctx: with the plugin's settings.
            facts: the plugin's own facts by name.
        """


class SegmentProvider(Protocol):
    """Says which groups of customers a card's member belongs to; rules name them in their conditions. Pure.

    Attributes:
        kind: `<plugin>.<key>`, e.g. `tiers.standing`.
    """

    kind: str

    def segments(self, ctx: LedgerContext, facts: Mapping[str, Any]) -> Iterable[str]:
        """Keys of the groups, as merchants write them in conditions.

        Args:
            ctx: with the plugin's settings; its own `segments` are empty here.
            facts: the plugin's own facts by name.
        """
