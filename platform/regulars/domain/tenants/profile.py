"""What a tenant is called and looks like: checked values, shared by operators, merchants and files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.numbers import list_currencies

from regulars.contracts.context import Branding
from regulars.contracts.errors import InvalidInput
from regulars.kernel.i18n import LANGUAGES
from regulars.kernel.i18n import gettext as _
from regulars.kernel.timezones import timezone_names

ICONS = ("coffee", "croissant", "pizza", "scissors", "leaf", "star")
"""Icons for stamps."""
MAX_NAME = 80
MAX_TAGLINE = 120
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_LOGO = re.compile(r"[a-zA-Z0-9_-]+(/[a-zA-Z0-9_-]+)*\.(png|webp|jpg)")


@dataclass(frozen=True, slots=True)
class Profile:
    """What a tenant says about itself.

    Attributes:
        locales: languages of its pages, e.g. `en`, `lt`.
        default_locale: one of them.
        timezone: IANA name, for new programs.
        currency: ISO 4217, for new programs.
        country: ISO 3166-1, for phone numbers and formats.
    """

    name: str
    branding: Branding = field(default_factory=Branding)
    theme: str = "classic"
    locales: tuple[str, ...] = LANGUAGES
    default_locale: str = "en"
    timezone: str = "Europe/Luxembourg"
    currency: str = "EUR"
    country: str = "LU"

    def columns(self) -> dict[str, Any]:
        """The columns of the tenant's row."""
        return {
            "name": self.name,
            "branding": asdict(self.branding),
            "theme": self.theme,
            "locales": list(self.locales),
            "default_locale": self.default_locale,
            "timezone": self.timezone,
            "currency": self.currency,
            "country": self.country,
        }

    @classmethod
    def of(cls, row: Mapping[Any, Any]) -> Profile:
        """The profile in a tenant's row."""
        return cls(
            name=row["name"],
            branding=Branding(**{key: row["branding"][key] for key in Branding.__slots__ if key in row["branding"]}),
            theme=row["theme"],
            locales=tuple(row["locales"]),
            default_locale=row["default_locale"],
            timezone=row["timezone"],
            currency=row["currency"],
            country=row["country"],
        )


def check_profile(profile: Profile) -> None:
    """Refuse values that no page could show.

    Raises:
        InvalidInput: one sentence per field.
    """
    faults = {**_name_faults(profile), **_branding_faults(profile.branding), **_locale_faults(profile)}
    if profile.timezone not in timezone_names():
        faults["timezone"] = _("This is no time zone such as Europe/Luxembourg.")
    if profile.currency not in list_currencies():
        faults["currency"] = _("This is no currency such as EUR.")
    if not _COUNTRY.fullmatch(profile.country):
        faults["country"] = _("This is no country code such as LU.")
    if faults:
        raise InvalidInput(" ".join(faults.values()), fields=faults)


def _name_faults(profile: Profile) -> dict[str, str]:
    if 0 < len(profile.name) <= MAX_NAME and profile.name == " ".join(profile.name.split()):
        return {}
    return {"name": _("A name has 1 to %(most)s characters.", most=MAX_NAME)}


def _branding_faults(branding: Branding) -> dict[str, str]:
    faults = {}
    if not _COLOUR.fullmatch(branding.primary_color):
        faults["primary_color"] = _("This is no colour such as #4f46e5.")
    if branding.icon not in ICONS:
        faults["icon"] = _("Choose one of these icons: %(icons)s.", icons=", ".join(ICONS))
    if branding.logo and not _LOGO.fullmatch(branding.logo):
        faults["logo"] = _("This is no name of a logo such as logo.png.")
    if len(branding.tagline) > MAX_TAGLINE:
        faults["tagline"] = _("A tagline has at most %(most)s characters.", most=MAX_TAGLINE)
    return faults


def _locale_faults(profile: Profile) -> dict[str, str]:
    faults = {}
    for code in profile.locales:
        try:
            Locale.parse(code)
        except (ValueError, UnknownLocaleError):
            faults["locales"] = _("“%(code)s” is no language such as en or lt.", code=code)
    if profile.default_locale not in profile.locales:
        faults["default_locale"] = _("Choose one of the languages.")
    return faults
