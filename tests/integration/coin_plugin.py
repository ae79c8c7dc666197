"""A unit that is earned by money, waits, expires and may be owed: for tests of the ledger's other operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from regulars.contracts.manifest import Plugin, ProviderRef
from regulars.sdk import (
    AccountState,
    EntryDraft,
    LedgerContext,
    Occasion,
    Progress,
    Purchase,
    RewardOffer,
    hookimpl,
)

UNIT = "coins"


class CoinSettings(BaseModel):
    """Rules of the coins; amounts of sales are in cents."""

    model_config = ConfigDict(extra="forbid")

    per_euro: int = 10
    big_from: int = 5000
    big_per_euro: int = 20
    bakery_bonus: int = 0
    lives_days: int = 0
    idle_days: int = 0
    reminder_days: int = 14
    waits_days: int = 0
    debt: int = 0
    reward: int = 100


class CoinBody(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    amount_minor: int = Field(ge=0)


class CoinAnswer(BaseModel):
    balance: int
    earned: int


class CoinHooks:
    @hookimpl
    def earn(self, ctx: LedgerContext, occasion: Occasion) -> Sequence[EntryDraft]:
        rules = _settings(ctx)
        if not isinstance(occasion, Purchase):
            return ()
        amount = occasion.amount_minor or 0
        is_big = amount >= rules.big_from
        coins = amount * (rules.big_per_euro if is_big else rules.per_euro) // 100
        drafts = [EntryDraft(UNIT, coins, "big" if is_big else "base")] if coins else []
        bread = sum(item.quantity for item in occasion.items if item.category == "bakery")
        if bread and rules.bakery_bonus:
            drafts.append(EntryDraft(UNIT, bread * rules.bakery_bonus, "bakery"))
        return drafts


class CoinUnit:
    unit = UNIT
    path = "coins"
    earn_body: type[BaseModel] = CoinBody
    earn_answer: type[BaseModel] = CoinAnswer
    redeem_answer: type[BaseModel] = CoinAnswer

    def purchase(self, body: BaseModel) -> Purchase:
        assert isinstance(body, CoinBody)
        return Purchase(amount_minor=body.amount_minor, currency="EUR")

    def progress(self, account: AccountState, settings: BaseModel) -> Progress:
        return Progress(account.balance, None, str(account.balance), "", ready=False, close=False)

    def ready_at(self, settings: BaseModel) -> int | None:
        return None

    def answer_earn(
        self, ctx: LedgerContext, account: AccountState, earned: int, next_at: datetime | None
    ) -> BaseModel:
        return CoinAnswer(balance=account.balance, earned=earned)

    def answer_redeem(self, ctx: LedgerContext, account: AccountState, offer: RewardOffer) -> BaseModel:
        return CoinAnswer(balance=account.balance, earned=0)

    def expires_at(self, ctx: LedgerContext) -> datetime | None:
        days = _settings(ctx).lives_days
        return ctx.now + timedelta(days=days) if days else None

    def pending_until(self, ctx: LedgerContext) -> datetime | None:
        days = _settings(ctx).waits_days
        return ctx.now + timedelta(days=days) if days else None

    def idle_days(self, settings: BaseModel) -> int | None:
        assert isinstance(settings, CoinSettings)
        return settings.idle_days or None

    def reminder_days(self, settings: BaseModel) -> int:
        assert isinstance(settings, CoinSettings)
        return settings.reminder_days

    def floor(self, settings: BaseModel) -> int:
        assert isinstance(settings, CoinSettings)
        return -settings.debt


class CoinReward:
    kind = "coins.mug"

    def offers(self, ctx: LedgerContext, facts: Mapping[str, Any]) -> Sequence[RewardOffer]:
        cost, balance = _settings(ctx).reward, ctx.account(UNIT).balance
        return [RewardOffer(self.kind, "", "A mug", UNIT, cost, 500, balance >= cost, max(0, cost - balance))]


def _settings(ctx: LedgerContext) -> CoinSettings:
    assert isinstance(ctx.settings, CoinSettings)
    return ctx.settings


COINS = Plugin(
    name="coins",
    title="Coins",
    host=">=1,<2",
    settings="coin_plugin:CoinSettings",
    settings_scope="program",
    hooks="coin_plugin:CoinHooks",
    providers=(
        ProviderRef("unit", "coins", "coin_plugin:CoinUnit"),
        ProviderRef("reward", "mug", "coin_plugin:CoinReward"),
    ),
)
