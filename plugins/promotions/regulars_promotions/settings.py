"""Settings of a program's promotions: each one a row with what it gives, when, to whom and for how much at most."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from regulars.sdk import N_
from regulars.sdk.rules import Conditions

Kind = Literal["bonus_points", "multiplier", "discount_percent", "discount_fixed", "free_item"]
Stacking = Literal["all", "best"]
WHOLE = 10_000
"""Basis points of 100 %."""
MAX_UNITS = 10**9
MAX_MONEY = 10**11
MAX_PROMOTIONS = 50
_NEEDS = {
    "bonus_points": ("units", N_("Say how many points the promotion gives.")),
    "multiplier": ("percent", N_("Say what the points become, in percent: 200 for double.")),
    "discount_percent": ("percent", N_("Say how many percent are taken off.")),
    "discount_fixed": ("amount_minor", N_("Say how much is taken off.")),
    "free_item": ("item", N_("Say what is given for nothing.")),
}


class Gift(BaseModel):
    """What a promotion is called, gives and costs at most; in a form it stands before the conditions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str = Field(
        default="",
        max_length=40,
        pattern=r"^[a-z0-9_]*$",
        title=N_("Short name"),
        description=N_("For reports and the API; made from the title when empty. Do not change it later."),
    )
    title: str = Field(default="", max_length=80, title=N_("Title"), description=N_("As your customers read it."))
    text: str = Field(default="", max_length=200, title=N_("Description"))
    kind: Kind = Field(
        default="bonus_points",
        title=N_("What it gives"),
        json_schema_extra={
            "choices": {
                "bonus_points": N_("Extra points"),
                "multiplier": N_("More points per purchase"),
                "discount_percent": N_("Percent off"),
                "discount_fixed": N_("Money off"),
                "free_item": N_("Something for nothing"),
            }
        },
    )
    units: int | None = Field(
        default=None, ge=1, le=MAX_UNITS, title=N_("Extra points"), json_schema_extra={"unit": N_("points or stamps")}
    )
    percent: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        title=N_("Percent"),
        description=N_("Of the bill, 10 for a tenth off; or what points become, 200 for double."),
        json_schema_extra={"unit": "%"},
    )
    amount_minor: int | None = Field(
        default=None, ge=1, le=MAX_MONEY, title=N_("Money off"), json_schema_extra={"widget": "money"}
    )
    item: str = Field(default="", max_length=80, title=N_("Free item"), description=N_("What staff hand over."))
    item_cost_minor: int | None = Field(
        default=None, ge=0, le=MAX_MONEY, title=N_("What the item costs you"), json_schema_extra={"widget": "money"}
    )
    unit: str = Field(
        default="",
        max_length=60,
        pattern=r"^[a-z0-9_.]*$",
        title=N_("Unit"),
        description=N_("points or stamps, where a purchase gives both; empty for the first."),
    )
    active: bool = Field(default=True, title=N_("Switched on"))
    budget_units: int | None = Field(
        default=None, ge=1, le=MAX_UNITS, title=N_("At most so many points"), description=N_("Of all customers.")
    )
    budget_minor: int | None = Field(
        default=None,
        ge=1,
        le=MAX_MONEY,
        title=N_("At most so much money"),
        description=N_("Of all customers."),
        json_schema_extra={"widget": "money"},
    )
    max_uses: int | None = Field(
        default=None, ge=1, le=MAX_UNITS, title=N_("How often"), description=N_("Of all customers.")
    )
    max_uses_per_member: int | None = Field(default=None, ge=1, le=1000, title=N_("How often per customer"))
    not_after: str = Field(
        default="",
        max_length=40,
        pattern=r"^[a-z0-9_]*$",
        title=N_("Not for users of"),
        description=N_("Short name of a promotion: whoever has used it is left out."),
    )


class Promotion(Conditions, Gift):
    """One promotion."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="after")
    def _complete(self) -> Promotion:
        """What it gives is said, and in bounds."""
        if not self.title.strip():
            raise ValueError(N_("Each promotion needs a title."))
        name, sentence = _NEEDS[self.kind]
        if not getattr(self, name):
            raise ValueError(sentence)
        if self.kind == "multiplier" and (self.percent or 0) <= 100:
            raise ValueError(N_("More points means above 100 %: 200 for double."))
        if self.kind == "discount_percent" and (self.percent or 0) > 100:
            raise ValueError(N_("More than 100 % cannot be taken off."))
        return self

    @property
    def gives_units(self) -> bool:
        """Whether it adds units; all others take something off the bill or hand something over."""
        return self.kind in {"bonus_points", "multiplier"}

    @property
    def basis_points(self) -> int:
        """`percent` in basis points."""
        return (self.percent or 0) * 100


class PromotionSettings(BaseModel):
    """All promotions of a program."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"groups": {"promotions": N_("Promotions")}}
    )

    stacking: Stacking = Field(
        default="all",
        title=N_("When several fit"),
        json_schema_extra={
            "group": "promotions",
            "choices": {
                "all": N_("All of them count, in this order"),
                "best": N_("The best for points and the best for the bill"),
            },
        },
    )
    hundred_units_minor: int | None = Field(
        default=None,
        ge=0,
        le=MAX_MONEY,
        title=N_("What 100 points cost you"),
        description=N_("Shows what promotions have cost in money."),
        json_schema_extra={"group": "promotions", "widget": "money"},
    )
    promotions: tuple[Promotion, ...] = Field(
        default=(), max_length=MAX_PROMOTIONS, title=N_("Promotions"), json_schema_extra={"group": "promotions"}
    )

    @field_validator("promotions")
    @classmethod
    def _named(cls, promotions: tuple[Promotion, ...]) -> tuple[Promotion, ...]:
        """Give every promotion a short name of its own; it stays when the title changes."""
        taken = [promotion.key for promotion in promotions if promotion.key]
        if len(set(taken)) < len(taken):
            raise ValueError(N_("Two promotions have the same short name."))
        keys, named = set(taken), []
        for promotion in promotions:
            key = promotion.key or _free(slug(promotion.title), keys)
            keys.add(key)
            named.append(promotion if promotion.key else promotion.model_copy(update={"key": key}))
        return tuple(named)


def slug(title: str) -> str:
    """`Happy hour!` → `happy_hour`; `promotion` where nothing of it is left."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:32].strip("_") or "promotion"


def _free(wanted: str, taken: Iterable[str]) -> str:
    used: Any = set(taken)
    number = 1
    name = wanted
    while name in used:
        number += 1
        name = f"{wanted}_{number}"
    return name
