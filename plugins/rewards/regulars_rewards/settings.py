"""The catalogue of a program."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from regulars.sdk import N_

MAX_UNITS = 1_000_000_000
MAX_MINOR = 10_000_000_00
MOST = 1_000_000
KEY = r"^[a-z0-9][a-z0-9-]{0,39}$"
Kind = Literal["physical", "digital", "experience", "discount_percent", "discount_fixed", "free_product", "voucher"]
Handing = Literal["counter", "code", "shipping"]
KINDS: dict[str, str] = {
    "physical": N_("Thing"),
    "digital": N_("Digital: a code or content"),
    "experience": N_("Experience or service"),
    "discount_percent": N_("Discount in percent"),
    "discount_fixed": N_("Discount of an amount"),
    "free_product": N_("Free product"),
    "voucher": N_("Voucher"),
}
HANDINGS: dict[str, str] = {
    "counter": N_("Over the counter"),
    "code": N_("With a code, also online"),
    "shipping": N_("By post"),
}


class Reward(BaseModel):
    """A reward in the catalogue."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str = Field(
        default="reward",
        pattern=KEY,
        title=N_("Short name"),
        description=N_("Small letters, digits and hyphens; it stays the same for ever."),
    )
    title: str = Field(default="Reward", min_length=1, max_length=80, title=N_("Title"))
    description: str = Field(default="", max_length=190, title=N_("Description"))
    kind: Kind = Field(default="free_product", title=N_("Kind"), json_schema_extra={"choices": {**KINDS}})
    percent: int | None = Field(default=None, ge=1, le=100, title=N_("Discount in percent"))
    unit: str = Field(default="points", pattern=r"^[a-z][a-z0-9_]{1,30}(\.[a-z0-9_]{1,40})?$", title=N_("Paid with"))
    cost: int = Field(default=100, ge=1, le=MAX_UNITS, title=N_("Cost"))
    value_minor: int | None = Field(
        default=None, ge=0, le=MAX_MINOR, title=N_("Value"), json_schema_extra={"widget": "money"}
    )
    handing: Handing = Field(
        default="counter", title=N_("How it is handed out"), json_schema_extra={"choices": {**HANDINGS}}
    )
    hold_hours: int = Field(default=168, ge=1, le=24 * 366, title=N_("Hours to use a code"))
    stock: int | None = Field(
        default=None, ge=0, le=MOST, title=N_("Stock"), description=N_("How many there are in all; empty for no limit.")
    )
    most_per_member: int | None = Field(default=None, ge=1, le=MOST, title=N_("Most for one customer"))
    most_per_day: int | None = Field(default=None, ge=1, le=MOST, title=N_("Most for one customer and day"))
    starts_on: date | None = Field(default=None, title=N_("First day"))
    ends_on: date | None = Field(default=None, title=N_("Last day"))
    segments: tuple[str, ...] = Field(
        default=(),
        max_length=50,
        title=N_("Customers"),
        description=N_("Tiers or segments by their short names, with commas; empty for all."),
    )
    show_locked: bool = Field(
        default=True,
        title=N_("Others see it"),
        description=N_("Locked, with what is missing: “For Gold: 340 points more.”"),
    )
    category: str = Field(default="", max_length=40, title=N_("Category"))
    photo: str = Field(default="", max_length=80, pattern=r"^[\w.-]*$", title=N_("Photo"))
    featured: bool = Field(default=False, title=N_("Shown first"))
    active: bool = Field(default=True, title=N_("Can be had"))

    @model_validator(mode="after")
    def _makes_sense(self) -> Reward:
        if self.kind == "discount_percent" and self.percent is None:
            raise ValueError(N_("Say how many percent the discount is."))
        if self.kind == "discount_fixed" and not self.value_minor:
            raise ValueError(N_("Say in the value how much the discount is."))
        if self.starts_on is not None and self.ends_on is not None and self.starts_on > self.ends_on:
            raise ValueError(N_("The last day is before the first."))
        return self


class RewardSettings(BaseModel):
    """What customers can choose from."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"groups": {"rewards": N_("Rewards")}})

    rewards: tuple[Reward, ...] = Field(
        default=(),
        max_length=200,
        title=N_("Catalogue"),
        description=N_("What customers can have for their points or stamps."),
        json_schema_extra={"group": "rewards"},
    )

    @field_validator("rewards")
    @classmethod
    def _names_once(cls, rewards: tuple[Reward, ...]) -> tuple[Reward, ...]:
        if len({reward.key for reward in rewards}) < len(rewards):
            raise ValueError(N_("Two rewards have the same short name."))
        return rewards

    def find(self, key: str) -> Reward | None:
        """The reward of that short name."""
        return next((reward for reward in self.rewards if reward.key == key), None)
