"""Settings of a program's stamp cards."""

from __future__ import annotations

import re
from datetime import date
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from regulars.sdk import N_
from regulars.sdk.rules import Conditions

UNIT = "stamps"
KEY = re.compile(r"[a-z0-9][a-z0-9_]{0,39}")
"""What tells a further card from the first: its unit is `stamps.<key>`."""
MOST_CARDS = 10
"""Further cards of one program."""
Icon = Literal["brand", "coffee", "pizza", "scissors", "leaf", "star", "croissant"]


class Milestone(BaseModel):
    """A number of stamps ever collected that is rewarded with extra stamps."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: int = Field(default=50, ge=2, le=1_000_000, title=N_("Stamps collected"))
    bonus: int = Field(default=1, ge=1, le=100, title=N_("Extra stamps"))


class CardRules(BaseModel):
    """What a stamp card asks for and gives."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: int = Field(
        default=10,
        ge=2,
        le=50,
        title=N_("Stamps needed"),
        description=N_("A card with this many stamps is full."),
        json_schema_extra={"group": "card", "unit": N_("stamps"), "one": N_("stamp")},
    )
    reward_text: str = Field(
        default="free coffee",
        min_length=1,
        max_length=80,
        title=N_("Reward"),
        description=N_("As it reads in a sentence: 2 more stamps until your free coffee."),
        json_schema_extra={"group": "card", "preview": {"text": "reward"}},
    )
    reward_value_minor: int | None = Field(
        default=None,
        ge=0,
        le=100_000_00,
        title=N_("Value of the reward"),
        description=N_("What the reward usually costs; shows what your customers have saved."),
        json_schema_extra={"group": "card", "widget": "money"},
    )
    icon: Icon = Field(
        default="brand",
        title=N_("Stamp"),
        json_schema_extra={
            "group": "card",
            "widget": "icon",
            "preview": {"attr": "icon"},
            "icons": {"brand": "palette"},
            "choices": {
                "brand": N_("As in the branding"),
                "coffee": N_("Coffee cup"),
                "pizza": N_("Pizza"),
                "scissors": N_("Scissors"),
                "leaf": N_("Leaf"),
                "star": N_("Star"),
                "croissant": N_("Croissant"),
            },
        },
    )
    per: Literal["visit", "amount", "item"] = Field(
        default="visit",
        title=N_("A stamp for"),
        json_schema_extra={
            "group": "earning",
            "choices": {
                "visit": N_("Each visit, as staff say"),
                "amount": N_("So much money"),
                "item": N_("Each piece"),
            },
        },
    )
    step_minor: int = Field(
        default=1000,
        ge=1,
        le=10**11,
        title=N_("Money for one stamp"),
        description=N_("What is left over counts with the next sale."),
        json_schema_extra={"group": "earning", "widget": "money"},
    )
    categories: tuple[str, ...] = Field(
        default=(),
        max_length=50,
        title=N_("Categories that count"),
        description=N_("Where the till sends the lines of a sale. Your own words, with commas; empty for all."),
        json_schema_extra={"group": "earning"},
    )
    products: tuple[str, ...] = Field(
        default=(),
        max_length=50,
        title=N_("Products that count"),
        description=N_("Article numbers, with commas."),
        json_schema_extra={"group": "earning"},
    )
    welcome_stamps: int = Field(
        default=1,
        ge=0,
        le=50,
        title=N_("Welcome stamps"),
        description=N_("Stamps on a new card."),
        json_schema_extra={"group": "earning", "unit": N_("stamps"), "one": N_("stamp")},
    )
    birthday_stamps: int = Field(
        default=0,
        ge=0,
        le=50,
        title=N_("Birthday stamps"),
        description=N_("A present on the morning of the birthday."),
        json_schema_extra={"group": "earning", "unit": N_("stamps"), "one": N_("stamp")},
    )
    max_per_sale: int = Field(
        default=10,
        ge=1,
        le=100,
        title=N_("Most stamps at once"),
        description=N_("What staff can add in one step."),
        json_schema_extra={"group": "earning", "unit": N_("stamps"), "one": N_("stamp")},
    )
    refund_policy: Literal["debt", "clip"] = Field(
        default="debt",
        title=N_("When a sale is taken back whose stamps are spent"),
        description=N_("Where nothing is owed, buying, redeeming and bringing it back is a way to a free reward."),
        json_schema_extra={
            "group": "earning",
            "choices": {
                "debt": N_("The card owes them; the next stamps pay"),
                "clip": N_("The card stays at nothing"),
            },
        },
    )
    milestones: tuple[Milestone, ...] = Field(
        default=(Milestone(at=50, bonus=1),),
        max_length=20,
        title=N_("Milestones"),
        description=N_("Extra stamps, and a mail, for whoever has collected this many stamps in all."),
        json_schema_extra={"group": "earning"},
    )

    @field_validator("categories", "products")
    @classmethod
    def _short(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if any(not 0 < len(word.strip()) <= 80 for word in words):
            raise ValueError(N_("Each needs 1 to 80 characters."))
        return tuple(word.strip() for word in words)

    @property
    def goods(self) -> Conditions:
        """The goods that count."""
        return Conditions(categories=self.categories, products=self.products)

    @field_validator("milestones")
    @classmethod
    def _lowest_first(cls, milestones: tuple[Milestone, ...]) -> tuple[Milestone, ...]:
        """Sort by number; two at one number make no sense."""
        if len({milestone.at for milestone in milestones}) < len(milestones):
            raise ValueError(N_("Two milestones have the same number of stamps."))
        return tuple(sorted(milestones, key=lambda milestone: milestone.at))


class NamedCard(BaseModel):
    """What people call a card."""

    title: str = Field(default="", min_length=1, max_length=40, title=N_("Name"), validate_default=True)


class StampCard(Conditions, CardRules, NamedCard):
    """A further card of a program, for sales that its conditions hold for."""

    key: str = Field(
        default="",
        max_length=40,
        pattern="^([a-z0-9][a-z0-9_]*)?$",
        title=N_("Short name"),
        description=N_("Made from the name; it stays the same for ever."),
    )
    closed: bool = Field(default=False, title=N_("Closed: no more stamps"))
    redeem_until: date | None = Field(
        default=None,
        title=N_("Rewards until"),
        description=N_("Last day for the rewards of a closed card; empty for ever."),
    )

    @property
    def unit(self) -> str:
        """What the ledger calls its stamps."""
        return f"{UNIT}.{self.key}"

    @cached_property
    def besides_goods(self) -> Conditions:
        """Its conditions where staff count and the till sends no lines: what was bought is theirs to judge."""
        return self.model_copy(update={"categories": (), "products": ()})


class StampSettings(CardRules):
    """The stamp cards of a program: the first one, and further ones."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "groups": {"card": N_("Stamp card"), "earning": N_("Earning"), "more": N_("More stamp cards")}
        },
    )

    title: str = Field(
        default="",
        max_length=40,
        title=N_("Name of the first card"),
        description=N_("Needed only where there are several."),
        json_schema_extra={"group": "more"},
    )
    more: tuple[StampCard, ...] = Field(
        default=(),
        max_length=MOST_CARDS,
        title=N_("Further cards"),
        description=N_("Each collects its own stamps for its own reward; one sale can give stamps on several."),
        json_schema_extra={"group": "more"},
    )

    @property
    def unit(self) -> str:
        """What the ledger calls the stamps of the first card."""
        return UNIT

    @property
    def key(self) -> str:
        """The first card needs no short name."""
        return ""

    @property
    def closed(self) -> bool:
        """The first card is always open; without a stamp card the program is of another kind."""
        return False

    @field_validator("more")
    @classmethod
    def _keyed(cls, cards: tuple[StampCard, ...]) -> tuple[StampCard, ...]:
        """Every card gets a short name that stays, by which the ledger knows it."""
        used = {card.key for card in cards if card.key}
        if len(used) < sum(bool(card.key) for card in cards):
            raise ValueError(N_("Two cards have the same short name."))
        keyed = []
        for card in cards:
            key = card.key or _free(_slug(card.title), used)
            used.add(key)
            keyed.append(card.model_copy(update={"key": key}))
        return tuple(keyed)

    @property
    def cards(self) -> tuple[Card, ...]:
        """All cards, closed ones too, in the order in which people see them."""
        return (self, *self.more)

    @property
    def open_cards(self) -> tuple[Card, ...]:
        """Those on which stamps are collected."""
        return tuple(card for card in self.cards if not card.closed)

    def card(self, unit: str) -> Card | None:
        """The card of a unit, `None` for one that the program has no longer."""
        return next((card for card in self.cards if card.unit == unit), None)


Card = StampSettings | StampCard


def is_ours(unit: str) -> bool:
    """Whether a unit is that of a stamp card."""
    return unit == UNIT or unit.startswith(f"{UNIT}.")


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", title.casefold()).strip("_")[:30] or "card"


def _free(name: str, used: set[str]) -> str:
    numbered = (f"{name}_{number}" for number in range(2, len(used) + 3))
    return next(one for one in (name, *numbered) if one not in used)
