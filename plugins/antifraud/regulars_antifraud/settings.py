"""Settings of a program."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from regulars.sdk import N_


class AntifraudSettings(BaseModel):
    """How often one card can be used."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"groups": {"fraud": N_("Fraud protection")}}
    )

    cooldown_minutes: int = Field(
        default=15,
        ge=0,
        le=7 * 24 * 60,
        title=N_("Cooldown between stamps"),
        description=N_("Time that must pass between two sales on one card; 0 for none."),
        json_schema_extra={
            "group": "fraud",
            "unit": N_("minutes"),
            "one": N_("minute"),
            "env": ["REGULARS_DEFAULT_COOLDOWN_MINUTES", "LOYALTY_DEFAULT_COOLDOWN_MINUTES"],
        },
    )
    max_daily_stamps: int = Field(
        default=5,
        ge=1,
        le=1000,
        title=N_("Stamps per day"),
        description=N_("Most stamps that one card gets at the till on one day."),
        json_schema_extra={
            "group": "fraud",
            "unit": N_("stamps"),
            "one": N_("stamp"),
            "env": ["REGULARS_MAX_DAILY_STAMPS", "LOYALTY_MAX_DAILY_STAMPS"],
        },
    )
