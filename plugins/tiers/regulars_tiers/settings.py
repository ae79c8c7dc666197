"""Settings of a program's tiers."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from regulars.sdk import N_

Basis = Literal["earned", "spend", "visits", "balance"]
Period = Literal["lifetime", "days", "year"]
PLAIN = 100
"""The multiplier that changes nothing, in percent."""


def slug(title: str) -> str:
    """A short name of ASCII letters, made from a title."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "tier"


class Tier(BaseModel):
    """A step of the ladder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(default="", min_length=1, max_length=40, title=N_("Name"), validate_default=True)
    threshold: int = Field(
        default=0, ge=0, le=1_000_000_000, title=N_("From"), description=N_("Units, visits, or money without cents.")
    )
    multiplier: int = Field(
        default=PLAIN,
        ge=PLAIN,
        le=1000,
        title=N_("Multiplier"),
        description=N_("150 gives one and a half times as much."),
        json_schema_extra={"unit": "%"},
    )
    birthday_gift: int = Field(default=0, ge=0, le=1_000_000, title=N_("Birthday gift"))
    free_delivery: bool = Field(default=False, title=N_("Free delivery"))
    rewards: tuple[str, ...] = Field(
        default=(),
        max_length=50,
        title=N_("Rewards from this tier on"),
        description=N_("Keys of rewards that lower tiers cannot have, with commas."),
    )
    key: str = Field(
        default="",
        max_length=40,
        pattern=r"^[a-z0-9_-]*$",
        title=N_("Key"),
        description=N_("Short name for other rules; made from the name when empty."),
    )

    @property
    def factor(self) -> str:
        """The multiplier as people read it: `1.5`."""
        units, rest = divmod(self.multiplier, PLAIN)
        return f"{units}.{rest:02}".rstrip("0").rstrip(".")

    @model_validator(mode="before")
    @classmethod
    def _with_key(cls, values: Any) -> Any:
        """A stable short name for everybody who refers to the tier."""
        if isinstance(values, dict) and not values.get("key"):
            return {**values, "key": slug(str(values.get("title", "")))}
        return values


def segment_of(tier: Tier) -> str:
    """The key of the group of customers who have reached a tier, as other rules name it."""
    return f"tier:{tier.key}"


class TierSettings(BaseModel):
    """Who gets which tier, how long it lasts, and what it brings."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"groups": {"counting": N_("Tiers: what counts"), "ladder": N_("Tiers: the ladder")}},
    )

    basis: Basis = Field(
        default="earned",
        title=N_("What counts"),
        description=N_("Spending points lowers a tier only when the balance counts."),
        json_schema_extra={
            "group": "counting",
            "choices": {
                "earned": N_("What was earned"),
                "spend": N_("Money spent"),
                "visits": N_("Visits"),
                "balance": N_("The balance"),
            },
        },
    )
    unit: Literal["points", "stamps"] = Field(
        default="points",
        title=N_("Unit"),
        description=N_("What is counted, and what the multiplier is for."),
        json_schema_extra={"group": "counting", "choices": {"points": N_("Points"), "stamps": N_("Stamps")}},
    )
    period: Period = Field(
        default="lifetime",
        title=N_("In which time"),
        description=N_("What is reached in a calendar year holds to the end of the next."),
        json_schema_extra={
            "group": "counting",
            "choices": {
                "lifetime": N_("In all"),
                "days": N_("In the last days"),
                "year": N_("In a calendar year"),
            },
        },
    )
    days: int = Field(
        default=365,
        ge=1,
        le=3650,
        title=N_("How many days"),
        json_schema_extra={"group": "counting", "unit": N_("days"), "one": N_("day")},
    )
    grace_days: int = Field(
        default=30,
        ge=0,
        le=365,
        title=N_("Grace"),
        description=N_("How long a tier is kept when it is not reached any more."),
        json_schema_extra={"group": "counting", "unit": N_("days"), "one": N_("day")},
    )
    notice_days: int = Field(
        default=14,
        ge=0,
        le=365,
        title=N_("Notice"),
        description=N_("How long before the end of the grace a mail says so."),
        json_schema_extra={"group": "counting", "unit": N_("days"), "one": N_("day")},
    )
    keep_forever: bool = Field(
        default=False,
        title=N_("Never downgrade"),
        description=N_("Only a refund takes back what it had brought."),
        json_schema_extra={"group": "counting"},
    )
    ladder: tuple[Tier, ...] = Field(
        default=(
            Tier(title="Bronze", threshold=0),
            Tier(title="Silver", threshold=500, multiplier=125),
            Tier(title="Gold", threshold=2000, multiplier=150),
        ),
        min_length=1,
        max_length=10,
        title=N_("Ladder"),
        json_schema_extra={"group": "ladder"},
    )

    @field_validator("ladder")
    @classmethod
    def _in_order(cls, ladder: tuple[Tier, ...]) -> tuple[Tier, ...]:
        """Sort by threshold; keys and thresholds are unique."""
        if len({tier.threshold for tier in ladder}) < len(ladder):
            raise ValueError(N_("Two tiers begin at the same number."))
        if len({tier.key for tier in ladder}) < len(ladder):
            raise ValueError(N_("Two tiers have the same key."))
        return tuple(sorted(ladder, key=lambda tier: tier.threshold))

    @model_validator(mode="after")
    def _notice_in_grace(self) -> TierSettings:
        if self.notice_days > self.grace_days:
            raise ValueError(N_("The notice cannot be longer than the grace."))
        return self

    def find(self, key: str) -> Tier | None:
        """The tier of a key, `None` when the ladder has none (any more)."""
        return next((tier for tier in self.ladder if tier.key == key), None)

    def rank(self, key: str) -> int:
        """How high a tier is, -1 for none."""
        return next((rank for rank, tier in enumerate(self.ladder) if tier.key == key), -1)
