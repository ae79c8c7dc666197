"""The ledger units of stamp cards and their answers in the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from math import ceil
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

from regulars.sdk import N_, AccountState, LedgerContext, Progress, Purchase, RewardOffer
from regulars.sdk.i18n import _
from regulars_stamps import texts
from regulars_stamps.settings import KEY, MOST_CARDS, UNIT, Card, StampCard, StampSettings

_STEPPER: dict[str, Any] = {"widget": "stepper"}
MOST_AT_ONCE = 100
CLOSE = 0.2
"""A card is close to its reward when at most this share of the stamps is missing."""


MAX_DEBT = 1000
"""Stamps that a card may owe: more than sales of a day give."""


class StampBody(BaseModel):
    """What `stamp` accepts beyond card, staff and PIN."""

    model_config = ConfigDict(extra="forbid", strict=True)

    quantity: int = Field(default=1, ge=1, le=MOST_AT_ONCE, description="Stamps to give.")
    counts: dict[str, Annotated[int, Field(ge=0, le=MOST_AT_ONCE)]] | None = Field(
        default=None,
        max_length=1 + MOST_CARDS,
        description="Unit → stamps to give, for several stamp cards in one sale; `quantity` is not looked at then.",
    )


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


class StampUnit:
    """Provider of the unit `stamps` and of its family, the stamps of further cards, with their words.

    Args:
        unit: of which card.
        name: of the card, as people know it; empty where there is only one.
    """

    path = "stamp"
    earn_body: type[BaseModel] = StampBody
    earn_answer: type[BaseModel] = StampAnswer
    redeem_answer: type[BaseModel] = StampRedeemAnswer

    def __init__(self, unit: str = UNIT, name: str = "") -> None:
        self.unit = unit
        self.name = name

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), self.unit, self.name))

    def purchase(self, body: BaseModel) -> Purchase:
        """Stamps are counted by the till, for this card or for several."""
        assert isinstance(body, StampBody)
        if body.counts:
            return Purchase(quantity=max(1, sum(body.counts.values())), counts=body.counts)
        return Purchase(quantity=body.quantity, counts={self.unit: body.quantity})

    def progress(self, account: AccountState, settings: BaseModel) -> Progress:
        """`8 / 10 stamps`, and how far it is to the reward."""
        card = self._card(settings)
        missing = texts.missing_stamps(card, account.balance)
        return Progress(
            count=account.balance,
            target=card.target,
            label=texts.named(self.name, texts.label(card, account.balance)),
            message=texts.progress_sentence(card, account.balance),
            ready=missing == 0,
            close=0 < missing <= ceil(card.target * CLOSE),
        )

    def ready_at(self, settings: BaseModel) -> int | None:
        """A full card."""
        return self._card(settings).target

    def answer_earn(
        self, ctx: LedgerContext, account: AccountState, earned: int, next_at: datetime | None
    ) -> BaseModel:
        """The fields that the brief names."""
        card = self._card(ctx.settings)
        return StampAnswer(
            stamp_count=account.balance,
            stamps_target=card.target,
            stamps_until_reward=texts.missing_stamps(card, account.balance),
            message=texts.progress_sentence(card, account.balance),
            next_stamp_available=next_at,
        )

    def answer_redeem(self, ctx: LedgerContext, account: AccountState, offer: RewardOffer) -> BaseModel:
        """What was taken and what is left."""
        card = self._card(ctx.settings)
        return StampRedeemAnswer(
            stamp_count=account.balance,
            stamps_target=card.target,
            stamps_until_reward=texts.missing_stamps(card, account.balance),
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
        return -MAX_DEBT if self._card(settings).refund_policy == "debt" else 0

    def title(self) -> str:
        """The heading of columns and charts."""
        return self.name or _("Stamps")

    def action(self) -> str:
        """The till's button."""
        return _("Add stamp")

    def amount(self, number: int) -> str:
        """`3 stamps`."""
        return texts.named(self.name, texts.amount(number))

    def reached(self, number: int, balance: int) -> str:
        """`stamp #8`."""
        return texts.named(self.name, texts.reached(number, balance))

    def earned(self, number: int) -> str:
        """`Stamp added!`."""
        return texts.earned(number)

    def explain(self, rule: str, details: Mapping[str, Any]) -> str:
        """Why there are these stamps."""
        return texts.explanation(rule, details)

    def member(self, key: str) -> StampUnit | None:
        """The unit of a further card; without the settings its name is made of its short name."""
        return StampUnit(f"{UNIT}.{key}", key.replace("_", " ").capitalize()) if KEY.fullmatch(key) else None

    def units(self, settings: BaseModel) -> Sequence[ProgramCard]:
        """The program's cards. The first one's button asks for everything that staff count or type."""
        assert isinstance(settings, StampSettings)
        name = (settings.title or _("Stamps")) if settings.more else ""
        return (till_unit(settings, name), *(CardWithoutButton(card.unit, card.title) for card in settings.more))

    def _card(self, settings: BaseModel) -> Card:
        """The card as the settings have it; what is left of one that is gone is told as of any closed one."""
        assert isinstance(settings, StampSettings)
        return settings.card(self.unit) or StampCard(
            title=self.name or UNIT, key=self.unit.partition(".")[2], closed=True
        )


class ProgramCard(StampUnit):
    """A card of a program that is looked at: its amounts stand beside its name or its reward and need not say it."""

    def amount(self, number: int) -> str:
        """`3 stamps`."""
        return texts.amount(number)


class CardWithoutButton(ProgramCard):
    """A further card: its stamps are counted with those of the first, or come by themselves."""

    has_no_button: Literal[True] = True


class StampTill(ProgramCard):
    """The unit whose button at a till asks for what a program's cards want to know.

    Args:
        name: of the first card.
        earn_body: what staff count.
        counted: field of it → unit that it counts for.
    """

    def __init__(self, name: str, earn_body: type[BaseModel], counted: Mapping[str, str]) -> None:
        super().__init__(UNIT, name)
        self.earn_body = earn_body
        self._counted = counted

    def purchase(self, body: BaseModel) -> Purchase:
        """What was counted for each card; nothing is counted for those that are stamped for money."""
        counts = {unit: getattr(body, field) for field, unit in self._counted.items()}
        return Purchase(quantity=max(1, sum(counts.values())), counts=counts)


class StampTillByAmount(StampTill):
    """The same in a program that gives stamps for money."""

    needs_amount: Literal[True] = True


class CountBody(BaseModel):
    """What a till says; a field for each card that staff count for is added."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="after")
    def _something(self) -> CountBody:
        counts = dict(self)
        if counts and not any(counts.values()):
            raise ValueError(N_("Say how many stamps."))
        return self


class CountBesideAmountBody(BaseModel):
    """The same where the amount may be all that there is to say."""

    model_config = ConfigDict(extra="forbid", strict=True)


def till_unit(settings: StampSettings, name: str) -> StampTill:
    """The first card's unit, as tills ask for it.

    Args:
        settings: of the program.
        name: of the first card.
    """
    by_hand = tuple(card for card in settings.open_cards if card.per != "amount")
    asks_amount = len(by_hand) < len(settings.open_cards)
    fields = {f"count_{card.key}" if len(by_hand) > 1 or card.key else "quantity": card for card in by_hand}
    asked = tuple((field, card.title or name) for field, card in fields.items())
    kind = StampTillByAmount if asks_amount else StampTill
    return kind(name, _body(asked, asks_amount), {field: card.unit for field, card in fields.items()})


@lru_cache(maxsize=256)
def _body(asked: tuple[tuple[str, str], ...], asks_amount: bool) -> type[BaseModel]:
    """The model of a till's form: a number for each card; without an amount to type, one stamp on the first of them."""
    fields: dict[str, Any] = {}
    for field, title in asked:
        usual, least = int(not fields and not asks_amount), int(len(asked) == 1 and not asks_amount)
        about = Field(default=usual, ge=least, le=MOST_AT_ONCE, title=title, json_schema_extra=_STEPPER)
        fields[field] = (int, about)
    return create_model("TillBody", __base__=CountBesideAmountBody if asks_amount else CountBody, **fields)
