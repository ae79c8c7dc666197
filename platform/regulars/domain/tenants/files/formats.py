"""The form of `offerings.toml` and `<slug>/tenant.toml`. TOML has no null: unlimited is written "unlimited"."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, EmailStr, Field, StringConstraints

from regulars.kernel.i18n import LANGUAGES

Text = Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,30}$")]
ThemeName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{1,40}$")]
FeatureName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$")]
Number = Annotated[int, Field(ge=0, le=10**9, strict=True)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OfferingFile(_Part):
    """One table of `offerings.toml`; its name is the code."""

    title: Text
    rank: Annotated[int, Field(ge=0, strict=True)]
    features: list[FeatureName]
    limits: dict[FeatureName, Number | Literal["unlimited"]] = Field(default_factory=dict)


class BrandingFile(_Part):
    """`[branding]`; `logo` names a file in `assets/`."""

    primary_color: str
    icon: str = "star"
    tagline: str = ""
    logo: str = ""


class ShopFile(_Part):
    """`[[shops]]`; known by its name."""

    name: Text
    address: str = Field(default="", max_length=200)


class ProgramFile(_Part):
    """`[[programs]]`; known by its name. `settings` holds a table for each plugin."""

    name: Text
    kind: Literal["stamps", "points", "hybrid"] = "stamps"
    status: Literal["setup", "active", "inactive"] = "active"
    require_pin: bool = True
    settings: dict[Code, dict[str, Any]] = Field(default_factory=dict)


class StaffFile(_Part):
    """`[[staff]]`; known by the e-mail address, or by the name without one. Passwords and PINs never stand in files."""

    name: Text
    role: Literal["owner", "manager", "staff"]
    email: EmailStr | Literal[""] = ""


class TenantFile(_Part):
    """`tenant.toml`; the folder's name is the slug. Without `theme_settings` the merchant's own choices stay."""

    name: Text
    offering: Code
    hosts: list[str] = Field(default_factory=list)
    theme: ThemeName = "classic"
    theme_settings: dict[str, str | int | float] | None = None
    locales: list[str] = Field(default_factory=lambda: list(LANGUAGES), min_length=1)
    default_locale: str = "en"
    timezone: str = "Europe/Luxembourg"
    currency: str = "EUR"
    country: str = "LU"
    branding: BrandingFile
    shops: list[ShopFile] = Field(min_length=1)
    programs: list[ProgramFile] = Field(default_factory=list)
    staff: list[StaffFile] = Field(default_factory=list)
