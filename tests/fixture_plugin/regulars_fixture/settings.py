"""A setting of every kind."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from regulars.sdk import N_

UNIT = "samples"


class Row(BaseModel):
    """A row of a list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int = Field(default=1, ge=1, title=N_("Number"))


class Settings(BaseModel):
    """What can be set."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"groups": {"all": N_("Samples")}})

    label: str = Field(default="sample", max_length=40, title=N_("Label"), json_schema_extra={"group": "all"})
    about: str = Field(
        default="", max_length=400, title=N_("About"), json_schema_extra={"group": "all", "widget": "textarea"}
    )
    most: int = Field(
        default=5, ge=1, le=100, title=N_("Most at once"), json_schema_extra={"group": "all", "unit": N_("samples")}
    )
    share: Decimal = Field(default=Decimal("0.5"), ge=0, le=1, title=N_("Share"), json_schema_extra={"group": "all"})
    worth_minor: int | None = Field(
        default=None, ge=0, title=N_("Worth"), json_schema_extra={"group": "all", "widget": "money"}
    )
    loud: bool = Field(default=False, title=N_("Loud"), json_schema_extra={"group": "all"})
    kind: Literal["plain", "fancy"] = Field(
        default="plain",
        title=N_("Kind"),
        json_schema_extra={"group": "all", "choices": {"plain": N_("Plain"), "fancy": N_("Fancy")}},
    )
    icon: Literal["star", "leaf"] = Field(
        default="star",
        title=N_("Picture"),
        json_schema_extra={"group": "all", "widget": "icon", "choices": {"star": N_("Star"), "leaf": N_("Leaf")}},
    )
    colour: str = Field(
        default="#112233",
        pattern="^#[0-9a-f]{6}$",
        title=N_("Colour"),
        json_schema_extra={"group": "all", "widget": "colour"},
    )
    picture: str = Field(default="", title=N_("Photo"), json_schema_extra={"group": "all", "widget": "image"})
    hello: dict[str, str] = Field(
        default_factory=dict, title=N_("Greeting"), json_schema_extra={"group": "all", "widget": "i18n"}
    )
    key: SecretStr | None = Field(default=None, title=N_("Key"), json_schema_extra={"group": "all"})
    day: date | None = Field(default=None, title=N_("Label"), json_schema_extra={"group": "all"})
    hour: time | None = Field(default=None, title=N_("Number"), json_schema_extra={"group": "all"})
    names: tuple[str, ...] = Field(default=(), title=N_("Rows"), json_schema_extra={"group": "all"})
    rows: tuple[Row, ...] = Field(default=(), max_length=3, title=N_("Rows"), json_schema_extra={"group": "all"})
