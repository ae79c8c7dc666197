"""A unit and a kind of reward."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from regulars.sdk import AccountState, LedgerContext, Progress, Purchase, RewardOffer
from regulars.sdk.i18n import _, ngettext
from regulars_fixture.settings import UNIT

COST = 2


class Body(BaseModel):
    """What `sample` takes."""

    model_config = ConfigDict(extra="forbid", strict=True)

    quantity: int = Field(default=1, ge=1, le=100)


class Answer(BaseModel):
    """What `sample` answers."""

    samples: int


class Samples:
    """Provider of the unit `samples`."""

    unit = UNIT
    path = "sample"
    earn_body: type[BaseModel] = Body
    earn_answer: type[BaseModel] = Answer
    redeem_answer: type[BaseModel] = Answer

    def purchase(self, body: BaseModel) -> Purchase:
        """As many as were sent."""
        assert isinstance(body, Body)
        return Purchase(quantity=body.quantity)

    def progress(self, account: AccountState, settings: BaseModel) -> Progress:
        """How many there are."""
        text = self.amount(account.balance)
        return Progress(account.balance, COST, text, text, ready=account.balance >= COST, close=False)

    def ready_at(self, settings: BaseModel) -> int | None:
        """What the badge costs."""
        return COST

    def answer_earn(
        self, ctx: LedgerContext, account: AccountState, earned: int, next_at: datetime | None
    ) -> BaseModel:
        """How many there are."""
        return Answer(samples=account.balance)

    def answer_redeem(self, ctx: LedgerContext, account: AccountState, offer: RewardOffer) -> BaseModel:
        """How many are left."""
        return Answer(samples=account.balance)

    def title(self) -> str:
        """As a heading."""
        return _("Samples")

    def action(self) -> str:
        """On a button."""
        return _("Add sample")

    def amount(self, number: int) -> str:
        """A number of them."""
        return ngettext("%(num)s sample", "%(num)s samples", number)

    def reached(self, number: int, balance: int) -> str:
        """In the feed."""
        return self.amount(number)

    def earned(self, number: int) -> str:
        """At the till."""
        return self.amount(number)

    def explain(self, rule: str, details: Mapping[str, Any]) -> str:
        """Why."""
        return _("Samples are for everybody.") if rule == "sample" else ""


class Badge:
    """Provider of the reward kind `sampler.badge`."""

    kind = "sampler.badge"

    def offers(self, ctx: LedgerContext, facts: Mapping[str, Any]) -> Sequence[RewardOffer]:
        """A badge that costs something, and a golden one that nobody gets."""
        missing = max(0, COST - ctx.account(UNIT).balance)
        badge = RewardOffer(self.kind, "", _("badge"), UNIT, COST, None, ready=missing == 0, missing=missing)
        return (badge, replace(badge, key="gold", cost=1, ready=True, missing=0))


class Fans:
    """Provider of the segment `fan`: whoever has taken samples."""

    kind = "sampler.fans"

    def segments(self, ctx: LedgerContext, facts: Mapping[str, Any]) -> Iterable[str]:
        """Fans have taken one before."""
        return ("fan",) if facts["taken_before"] else ()
