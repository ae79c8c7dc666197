"""The ledger unit `points`, its answers in the API, and how long points last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from regulars.sdk import AccountState, LedgerContext, Progress, Purchase, RewardOffer
from regulars.sdk.i18n import _
from regulars_points import texts
from regulars_points.settings import UNIT, settings_of

CLOSE = 5
"""A card is close to its reward when less than a fifth of the points is missing."""


class PointBody(BaseModel):
    """What `points` accepts beyond what every sale says: nothing; the amount is the host's."""

    model_config = ConfigDict(extra="forbid", strict=True)


class PointAnswer(BaseModel):
    """Answer of `points`."""

    success: bool = True
    points_earned: int = Field(description="Points of this sale that can be spent at once.")
    points_balance: int = Field(description="Points on the card.")
    points_until_reward: int = Field(description="Points still missing, 0 when the reward is ready.")
    message: str = Field(description="Sentence for the customer.")


class PointRedeemAnswer(BaseModel):
    """Answer of `points/redeem`."""

    success: bool = True
    points_redeemed: int = Field(description="Points that were taken.")
    points_balance: int = Field(description="Points that are left on the card.")
    reward: str = Field(description="What was redeemed.")
    message: str = Field(description="Sentence for the customer.")


class PointUnit:
    """Provider of the unit `points`: words, answers, expiry."""

    unit = UNIT
    path = "points"
    needs_amount: Literal[True] = True
    earn_body: type[BaseModel] = PointBody
    earn_answer: type[BaseModel] = PointAnswer
    redeem_answer: type[BaseModel] = PointRedeemAnswer

    def purchase(self, body: BaseModel) -> Purchase:
        """One visit; the host adds the amount."""
        return Purchase()

    def progress(self, account: AccountState, settings: BaseModel) -> Progress:
        """`750 points`, and how far it is to the reward."""
        points = settings_of(settings)
        left = texts.missing(points, account.balance)
        return Progress(
            count=account.balance,
            target=points.reward_cost,
            label=texts.amount(account.balance),
            message=texts.progress(points, account.balance),
            ready=left == 0,
            close=0 < left * CLOSE <= points.reward_cost,
        )

    def ready_at(self, settings: BaseModel) -> int | None:
        """The price of the reward."""
        return settings_of(settings).reward_cost

    def answer_earn(
        self, ctx: LedgerContext, account: AccountState, earned: int, next_at: datetime | None
    ) -> BaseModel:
        """What was earned and what there is now."""
        return PointAnswer(
            points_earned=earned,
            points_balance=account.balance,
            points_until_reward=texts.missing(settings_of(ctx.settings), account.balance),
            message=texts.earned(earned),
        )

    def answer_redeem(self, ctx: LedgerContext, account: AccountState, offer: RewardOffer) -> BaseModel:
        """`−500 points, balance 250 points`."""
        taken, left = texts.amount(offer.cost), texts.amount(account.balance)
        return PointRedeemAnswer(
            points_redeemed=offer.cost,
            points_balance=account.balance,
            reward=offer.title,
            message=_("−%(points)s, balance %(balance)s.", points=taken, balance=left),
        )

    def title(self) -> str:
        """The heading of columns and charts."""
        return _("Points")

    def action(self) -> str:
        """The till's button."""
        return _("Add points")

    def amount(self, number: int) -> str:
        """`250 points`."""
        return texts.amount(number)

    def reached(self, number: int, balance: int) -> str:
        """`250 points`: they have no order."""
        return texts.amount(number)

    def earned(self, number: int) -> str:
        """`+250 points!`."""
        return texts.earned(number)

    def explain(self, rule: str, details: Mapping[str, Any]) -> str:
        """Why there are these points."""
        return texts.explanation(rule, details)

    def expires_at(self, ctx: LedgerContext) -> datetime | None:
        """The end of the day so many days from now, in the program's zone; only where points expire by age."""
        settings = settings_of(ctx.settings)
        return _end_of_day(ctx, settings.expiry_days) if settings.expiry == "age" else None

    def pending_until(self, ctx: LedgerContext) -> datetime | None:
        """So many days from now, to the minute."""
        days = settings_of(ctx.settings).pending_days
        return ctx.now + timedelta(days=days) if days else None

    def floor(self, settings: BaseModel) -> int:
        """Nothing, or the largest debt."""
        points = settings_of(settings)
        return -points.max_debt if points.refund_policy == "debt" else 0

    def idle_days(self, settings: BaseModel) -> int | None:
        """Days without a movement after which all points of a card expire, `None` where they do not."""
        points = settings_of(settings)
        return points.expiry_days if points.expiry == "inactivity" else None

    def reminder_days(self, settings: BaseModel) -> int:
        """Days before points expire at which customers are told."""
        return settings_of(settings).reminder_days


def _end_of_day(ctx: LedgerContext, days: int) -> datetime:
    """Midnight after the day, of the calendar: days of 23 or 25 hours and leap days count as days."""
    zone = ZoneInfo(ctx.program.timezone)
    last = ctx.now.astimezone(zone).date() + timedelta(days=days + 1)
    return datetime.combine(last, time.min, zone)
