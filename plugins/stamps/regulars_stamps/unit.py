"""The ledger unit `stamps` and its answers in the API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import ceil
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from regulars.sdk import AccountState, LedgerContext, Progress, Purchase, RewardOffer
from regulars.sdk.i18n import _
from regulars_stamps import texts
from regulars_stamps.hooks import settings_of
from regulars_stamps.settings import UNIT, StampSettings

CLOSE = 0.2
"""A card is close to its reward when at most this share of the stamps is missing."""


MAX_DEBT = 1000
"""Stamps that a card may owe: more than sales of a day give."""


class StampBody(BaseModel):
    """What `stamp` accepts beyond card, staff and PIN."""

    model_config = ConfigDict(extra="forbid", strict=True)

    quantity: int = Field(default=1, ge=1, le=100, description="Stamps to give.")


class StampAnswer(BaseModel):
    """Answer of `stamp`."""

    success: bool = True
    stamp_count: int = Field(description="Stamps on the card.")
    stamps_target: int = Field(description="Stamps of a full card.")
    stamps_until_reward: int = Field(description="Stamps still missing, 0 when the reward is ready.")
    message: str = Field(description="Sentence for the customer.")
    next_stamp_available: datetime | None = Field(description="When the next stamp is possible; null for at once.")


class StampRedeemAnswer(BaseModel):
    """Answer of `stamp/redeem`."""

    success: bool = True
    stamp_count: int = Field(description="Stamps that are left on the card.")
    stamps_target: int = Field(description="Stamps of a full card.")
    stamps_until_reward: int = Field(description="Stamps missing for the next reward.")
    reward: str = Field(description="What was redeemed.")
    message: str = Field(description="Sentence for the customer.")


class AmountBody(BaseModel):
    """What a till says where stamps are given for money: nothing; the amount is the host's."""

    model_config = ConfigDict(extra="forbid", strict=True)


class StampUnit:
    """Provider of the unit `stamps`, with its words."""

    unit = UNIT
    path = "stamp"
    earn_body: type[BaseModel] = StampBody
    earn_answer: type[BaseModel] = StampAnswer
    redeem_answer: type[BaseModel] = StampRedeemAnswer

    def purchase(self, body: BaseModel) -> Purchase:
        """Stamps are counted by the till."""
        assert isinstance(body, StampBody)
        return Purchase(quantity=body.quantity)

    def progress(self, account: AccountState, settings: BaseModel) -> Progress:
        """`8 / 10 stamps`, and how far it is to the reward."""
        assert isinstance(settings, StampSettings)
        missing = texts.missing_stamps(settings, account.balance)
        return Progress(
            count=account.balance,
            target=settings.target,
            label=texts.label(settings, account.balance),
            message=texts.progress_sentence(settings, account.balance),
            ready=missing == 0,
            close=0 < missing <= ceil(settings.target * CLOSE),
        )

    def ready_at(self, settings: BaseModel) -> int | None:
        """A full card."""
        assert isinstance(settings, StampSettings)
        return settings.target

    def answer_earn(
        self, ctx: LedgerContext, account: AccountState, earned: int, next_at: datetime | None
    ) -> BaseModel:
        """The fields that the brief names."""
        settings = settings_of(ctx)
        return StampAnswer(
            stamp_count=account.balance,
            stamps_target=settings.target,
            stamps_until_reward=texts.missing_stamps(settings, account.balance),
            message=texts.progress_sentence(settings, account.balance),
            next_stamp_available=next_at,
        )

    def answer_redeem(self, ctx: LedgerContext, account: AccountState, offer: RewardOffer) -> BaseModel:
        """What was taken and what is left."""
        settings = settings_of(ctx)
        return StampRedeemAnswer(
            stamp_count=account.balance,
            stamps_target=settings.target,
            stamps_until_reward=texts.missing_stamps(settings, account.balance),
            reward=offer.title,
            message=_("Reward redeemed: %(reward)s. Stamps: %(count)s.", reward=offer.title, count=account.balance),
        )

    def expires_at(self, ctx: LedgerContext) -> datetime | None:
        """Never."""
        del ctx
        return None

    def pending_until(self, ctx: LedgerContext) -> datetime | None:
        """At once."""
        del ctx
        return None

    def floor(self, settings: BaseModel) -> int:
        """Nothing, or what sales of a day may have given."""
        assert isinstance(settings, StampSettings)
        return -MAX_DEBT if settings.refund_policy == "debt" else 0

    def title(self) -> str:
        """The heading of columns and charts."""
        return _("Stamps")

    def action(self) -> str:
        """The till's button."""
        return _("Add stamp")

    def amount(self, number: int) -> str:
        """`3 stamps`."""
        return texts.amount(number)

    def reached(self, number: int, balance: int) -> str:
        """`stamp #8`."""
        return texts.reached(number, balance)

    def earned(self, number: int) -> str:
        """`Stamp added!`."""
        return texts.earned(number)

    def explain(self, rule: str, details: Mapping[str, Any]) -> str:
        """Why there are these stamps."""
        return texts.explanation(rule, details)

    def of_program(self, settings: BaseModel) -> StampUnit:
        """Tills ask for the amount where stamps are given for money."""
        assert isinstance(settings, StampSettings)
        return StampByAmount() if settings.per == "amount" else self


class StampByAmount(StampUnit):
    """The unit in a program that gives stamps for money."""

    needs_amount: Literal[True] = True
    earn_body: type[BaseModel] = AmountBody

    def purchase(self, body: BaseModel) -> Purchase:
        """One visit; the host adds the amount."""
        return Purchase()
