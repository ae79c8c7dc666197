"""Settings of a program's points."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from regulars.sdk import N_
from regulars.sdk.rules import Conditions
from regulars_points import formula

UNIT = "points"
MOST = 1_000_000_000
"""Points of one rule, one limit, one reward."""
_POINTS, _POINT = N_("points"), N_("point")


class CategoryRate(BaseModel):
    """A rate of its own for goods of a category; 0 where nothing is to be earned."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    category: str = Field(default="", min_length=1, max_length=80, title=N_("Category"))
    rate: Decimal = Field(
        default=Decimal(0), ge=0, le=10_000, decimal_places=2, title=N_("Points for each unit of money")
    )


class Rule(Conditions):
    """A rule that adds to what the rates give, where its conditions hold."""

    title: str = Field(default="", min_length=1, max_length=80, title=N_("Name"))
    type: Literal["fixed", "percentage", "multiplier", "dynamic"] = Field(
        default="fixed",
        title=N_("What it gives"),
        json_schema_extra={
            "choices": {
                "fixed": N_("A number of points"),
                "percentage": N_("Percent of the amount"),
                "multiplier": N_("Percent of the usual points (200 is double)"),
                "dynamic": N_("By a formula"),
            }
        },
    )
    value: int = Field(default=0, ge=0, le=1_000_000, title=N_("Number"))
    formula: str = Field(
        default="",
        max_length=formula.MAX_LENGTH,
        title=N_("Formula"),
        description=N_("For rules by a formula, such as max(0, amount - 10) * 2."),
    )
    cooldown_hours: int | None = Field(
        default=None,
        ge=1,
        le=24 * 366,
        title=N_("Not again for"),
        description=N_("Hours until it gives to the same customer again. Empty for every sale."),
        json_schema_extra={"unit": N_("hours"), "one": N_("hour")},
    )
    key: str = Field(default="", max_length=60, pattern="^[a-z0-9_]*$", title=N_("Short name"))

    @model_validator(mode="after")
    def _is_complete(self) -> Rule:
        if self.type == "dynamic":
            formula.parse(self.formula)
        elif self.value == 0:
            raise ValueError(N_("How many? A number above 0 is needed."))
        if self.type == "multiplier" and self.value <= 100:
            raise ValueError(N_("A multiplier must be above 100 percent."))
        return self


class EventRule(BaseModel):
    """Points for something besides sales that the merchant's own system reports."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(
        default="",
        pattern="^[a-z0-9_-]{1,40}$",
        title=N_("Short name"),
        description=N_("As your system reports it, such as review."),
        validate_default=True,
    )
    title: str = Field(default="", min_length=1, max_length=80, title=N_("Name"))
    points: int = Field(default=10, ge=1, le=1_000_000, title=N_("Points"))
    most: int | None = Field(
        default=1,
        ge=1,
        le=1_000_000,
        title=N_("At most"),
        description=N_("How often it counts for one card. Empty for every time."),
    )


class PointSettings(BaseModel):
    """What points ask for and give."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "groups": {
                "rate": N_("Points"),
                "rules": N_("Rules"),
                "limits": N_("Limits"),
                "reward": N_("Reward"),
                "life": N_("How long they last"),
            }
        },
    )

    rate: Decimal = Field(
        default=Decimal(10),
        ge=0,
        le=10_000,
        decimal_places=2,
        title=N_("Points for each unit of money"),
        description=N_("10 means: 10 points for each euro."),
        json_schema_extra={
            "group": "rate",
            "unit": _POINTS,
            "one": _POINT,
            "env": ["REGULARS_DEFAULT_POINTS_PER_EURO", "LOYALTY_DEFAULT_POINTS_PER_EURO"],
        },
    )
    category_rates: tuple[CategoryRate, ...] = Field(
        default=(),
        max_length=50,
        title=N_("Other rates"),
        description=N_("For goods of a category, where the till sends the lines of a sale."),
        json_schema_extra={"group": "rate"},
    )
    rounding: Literal["down", "nearest", "up"] = Field(
        default="down",
        title=N_("Rounding"),
        json_schema_extra={
            "group": "rate",
            "choices": {"down": N_("Down"), "nearest": N_("To the nearest point"), "up": N_("Up")},
        },
    )
    carry_over: bool = Field(
        default=True,
        title=N_("Keep parts of points for the next sale"),
        description=N_("Then several small sales give exactly what one large sale gives."),
        json_schema_extra={"group": "rate"},
    )
    rules: tuple[Rule, ...] = Field(
        default=(),
        max_length=50,
        title=N_("Rules"),
        description=N_("Each adds to what the rates give. Two multipliers are added, not multiplied."),
        json_schema_extra={"group": "rules"},
    )
    welcome_points: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        title=N_("Welcome points"),
        description=N_("Points on a new card."),
        json_schema_extra={"group": "rules", "unit": _POINTS, "one": _POINT},
    )
    birthday_points: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        title=N_("Birthday points"),
        json_schema_extra={"group": "rules", "unit": _POINTS, "one": _POINT},
    )
    events: tuple[EventRule, ...] = Field(
        default=(),
        max_length=30,
        title=N_("Points for other things"),
        description=N_("A review, a survey, a visit: your own system reports it through the API."),
        json_schema_extra={"group": "rules"},
    )
    min_amount_minor: int | None = Field(
        default=None,
        ge=1,
        le=10**11,
        title=N_("Smallest sale that earns"),
        json_schema_extra={"group": "limits", "widget": "money"},
    )
    max_amount_minor: int = Field(
        default=500_000,
        ge=1,
        le=10**11,
        title=N_("Largest sale"),
        description=N_("A larger amount is refused: it is most likely a slip."),
        json_schema_extra={"group": "limits", "widget": "money"},
    )
    max_per_sale: int | None = Field(
        default=None,
        ge=1,
        le=MOST,
        title=N_("Most in one sale"),
        json_schema_extra={"group": "limits", "unit": _POINTS, "one": _POINT},
    )
    max_per_day: int | None = Field(
        default=None,
        ge=1,
        le=MOST,
        title=N_("Most in one day"),
        json_schema_extra={"group": "limits", "unit": _POINTS, "one": _POINT},
    )
    max_per_member: int | None = Field(
        default=None,
        ge=1,
        le=MOST,
        title=N_("Most on one card, ever"),
        json_schema_extra={"group": "limits", "unit": _POINTS, "one": _POINT},
    )
    reward_text: str = Field(
        default="free drink",
        min_length=1,
        max_length=80,
        title=N_("Reward"),
        description=N_("As it reads in a sentence: 250 more points until your free drink."),
        json_schema_extra={"group": "reward"},
    )
    reward_cost: int = Field(
        default=500,
        ge=1,
        le=MOST,
        title=N_("Its price"),
        json_schema_extra={"group": "reward", "unit": _POINTS, "one": _POINT},
    )
    reward_value_minor: int | None = Field(
        default=None,
        ge=0,
        le=100_000_00,
        title=N_("Value of the reward"),
        description=N_("What the reward usually costs; shows what your customers have saved."),
        json_schema_extra={"group": "reward", "widget": "money"},
    )
    hundred_worth_minor: int | None = Field(
        default=None,
        ge=0,
        le=100_000_00,
        title=N_("What 100 points are worth"),
        description=N_("For your books: what you owe your customers."),
        json_schema_extra={"group": "reward", "widget": "money"},
    )
    pending_days: int | None = Field(
        default=None,
        ge=1,
        le=365,
        title=N_("Points can be spent after"),
        description=N_("For shops that take goods back. Empty for at once."),
        json_schema_extra={"group": "life", "unit": N_("days"), "one": N_("day")},
    )
    expiry: Literal["never", "age", "inactivity"] = Field(
        default="never",
        title=N_("Points expire"),
        json_schema_extra={
            "group": "life",
            "choices": {
                "never": N_("Never"),
                "age": N_("Some time after they were earned"),
                "inactivity": N_("When a card was not used for some time"),
            },
        },
    )
    expiry_days: int = Field(
        default=365,
        ge=1,
        le=3650,
        title=N_("After"),
        json_schema_extra={"group": "life", "unit": N_("days"), "one": N_("day")},
    )
    reminder_days: int = Field(
        default=30,
        ge=0,
        le=365,
        title=N_("Remind customers before"),
        json_schema_extra={"group": "life", "unit": N_("days"), "one": N_("day")},
    )
    refund_policy: Literal["debt", "clip"] = Field(
        default="debt",
        title=N_("When a sale is taken back whose points are spent"),
        json_schema_extra={
            "group": "life",
            "choices": {
                "debt": N_("The card owes them; the next points pay"),
                "clip": N_("The balance stays at nothing"),
            },
        },
    )
    max_debt: int = Field(
        default=10_000,
        ge=1,
        le=MOST,
        title=N_("Owed at most"),
        json_schema_extra={"group": "life", "unit": _POINTS, "one": _POINT},
    )

    @field_validator("category_rates")
    @classmethod
    def _once(cls, rates: tuple[CategoryRate, ...]) -> tuple[CategoryRate, ...]:
        """One rate for each category."""
        if len({one.category.strip().casefold() for one in rates}) < len(rates):
            raise ValueError(N_("A category has two rates."))
        return rates

    @field_validator("events")
    @classmethod
    def _told_apart(cls, events: tuple[EventRule, ...]) -> tuple[EventRule, ...]:
        """One rule for each event."""
        if len({one.name for one in events}) < len(events):
            raise ValueError(N_("Two rules have the same short name."))
        return events

    @field_validator("rules")
    @classmethod
    def _keyed(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        """Every rule gets a short name that stays, by which versions know it."""
        used: set[str] = {rule.key for rule in rules if rule.key}
        if len(used) < sum(bool(rule.key) for rule in rules):
            raise ValueError(N_("Two rules have the same short name."))
        keyed = []
        for rule in rules:
            key = rule.key or _free(_slug(rule.title), used)
            used.add(key)
            keyed.append(rule.model_copy(update={"key": key}))
        return tuple(keyed)

    def rate_of(self, category: str) -> Decimal:
        """The rate for goods of a category, the usual one where it has none of its own."""
        wanted = category.strip().casefold()
        return next((one.rate for one in self.category_rates if one.category.strip().casefold() == wanted), self.rate)


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", title.casefold()).strip("_")[:40] or "rule"


def _free(name: str, used: set[str]) -> str:
    numbered = (f"{name}_{number}" for number in range(2, len(used) + 3))
    return next(one for one in (name, *numbered) if one not in used)


def settings_of(settings: Any) -> PointSettings:
    """The plugin's settings, as hooks and providers get them."""
    assert isinstance(settings, PointSettings)
    return settings
