"""Settings of a program's referrals."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from regulars.sdk import N_


class ReferralSettings(BaseModel):
    """What bringing a friend gives, and when."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"groups": {"rewards": N_("Bring a friend"), "limits": N_("Bring a friend: limits")}},
    )

    unit: Literal["points", "stamps"] = Field(
        default="points",
        title=N_("Unit"),
        json_schema_extra={"group": "rewards", "choices": {"points": N_("Points"), "stamps": N_("Stamps")}},
    )
    referrer_reward: int = Field(
        default=100, ge=0, le=1_000_000, title=N_("For the member"), json_schema_extra={"group": "rewards"}
    )
    friend_reward: int = Field(
        default=50, ge=0, le=1_000_000, title=N_("For the friend"), json_schema_extra={"group": "rewards"}
    )
    min_amount_minor: int | None = Field(
        default=None,
        ge=1,
        le=10**11,
        title=N_("First purchase of at least"),
        json_schema_extra={"group": "limits", "widget": "money"},
    )
    wait_days: int = Field(
        default=7,
        ge=0,
        le=365,
        title=N_("Waiting time"),
        description=N_("So long after the purchase both are rewarded, unless it was taken back."),
        json_schema_extra={"group": "limits", "unit": N_("days"), "one": N_("day")},
    )
    most: int = Field(
        default=10,
        ge=1,
        le=10_000,
        title=N_("Rewards a member"),
        description=N_("So many friends are rewarded at most in the period."),
        json_schema_extra={"group": "limits"},
    )
    period_days: int = Field(
        default=365,
        ge=1,
        le=3650,
        title=N_("Period"),
        json_schema_extra={"group": "limits", "unit": N_("days"), "one": N_("day")},
    )
    same_place_hours: int = Field(
        default=24,
        ge=0,
        le=720,
        title=N_("Same connection"),
        description=N_("Cards made from one connection within this time are not rewarded; 0 if that is no matter."),
        json_schema_extra={"group": "limits", "unit": N_("hours"), "one": N_("hour")},
    )
