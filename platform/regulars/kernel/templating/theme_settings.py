"""Typed settings of a theme: settings.toml declares them, tenants fill them, CSS custom properties carry them."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from regulars.kernel.i18n import gettext as _
from regulars.kernel.templating.brand import FONTS, brand_css
from regulars.kernel.templating.colour import Colour, corrected
from regulars.kernel.templating.errors import ThemeError

_KEY = re.compile(r"[a-z][a-z0-9_]{0,40}")
_IMAGE = re.compile(r"[a-z0-9][a-z0-9_-]{0,80}\.(png|jpg|webp)")
_UNITS = {"", "px", "rem", "%"}
_READABLE = 4.5
Value = str | int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeField(ABC):
    """One setting.

    Attributes:
        key: name of the setting, and of its property `--theme-<key>`.
        label, help: English texts, translated in the theme's or the host's catalogue.
        group: heading in the form.
        default: value without a choice of the tenant.
    """

    kind: ClassVar[str] = ""

    key: str
    label: str
    help: str = ""
    group: str = ""
    default: Any = None

    @abstractmethod
    def check(self, value: object) -> Value:
        """Accept a value of this type.

        Raises:
            ValueError: a sentence that says what is allowed.
        """

    def read(self, text: str) -> Value:
        """Accept what somebody typed or chose in a form.

        Raises:
            ValueError: as `check`.
        """
        return self.check(text.strip())

    def css(self, value: object) -> str:
        """The checked value in CSS."""
        return str(self.check(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourField(ThemeField):
    """A colour, `#rrggbb`.

    Attributes:
        on: key of the colour that it is written on and corrected to be readable on; empty for one that is no text.
    """

    kind: ClassVar[str] = "colour"

    on: str = ""

    def check(self, value: object) -> str:
        """Accept a hex colour, in lower case."""
        try:
            return str(Colour.parse(value if isinstance(value, str) else ""))
        except ValueError:
            raise ValueError(_("This is no colour such as #4f46e5.")) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class FontField(ThemeField):
    """A family from the self-hosted list."""

    kind: ClassVar[str] = "font"

    def check(self, value: object) -> str:
        """Accept a key of `FONTS`."""
        if not isinstance(value, str) or value not in FONTS:
            raise ValueError(_("Choose one of these: %(choices)s.", choices=", ".join(FONTS)))
        return str(value)

    def css(self, value: object) -> str:
        """The font stack."""
        return FONTS[self.check(value)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeField(ThemeField):
    """A bounded number with a unit."""

    kind: ClassVar[str] = "range"

    minimum: float
    maximum: float
    step: float = 1
    unit: str = ""

    def check(self, value: object) -> int | float:
        """Accept a number between the bounds."""
        allowed = {"least": f"{self.minimum:g}", "most": f"{self.maximum:g}"}
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.minimum <= value <= self.maximum:
            raise ValueError(_("A number from %(least)s to %(most)s is needed.", **allowed))
        return int(value) if value == int(value) else value

    def read(self, text: str) -> int | float:
        """Accept a number as it is typed."""
        try:
            return self.check(float(text))
        except ValueError:
            return self.check(None)

    def css(self, value: object) -> str:
        """The number with its unit."""
        return f"{self.check(value)}{self.unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceField(ThemeField):
    """One of several words."""

    kind: ClassVar[str] = "choice"

    options: Mapping[str, str]

    def check(self, value: object) -> str:
        """Accept a key of the options."""
        if not isinstance(value, str) or value not in self.options:
            raise ValueError(_("Choose one of these: %(choices)s.", choices=", ".join(self.options)))
        return str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageField(ThemeField):
    """An uploaded image; its value is the name of one of the tenant's files, empty for none. It never reaches CSS."""

    kind: ClassVar[str] = "image"

    def check(self, value: object) -> str:
        """Accept a plain name."""
        if value != "" and not (isinstance(value, str) and _IMAGE.fullmatch(value)):
            raise ValueError(_("This is no uploaded image."))
        return value


_KINDS: Mapping[str, type[ThemeField]] = {
    field.kind: field for field in (ColourField, FontField, RangeField, ChoiceField, ImageField)
}
DEFAULT_PRIMARY = "#4f46e5"
DEFAULT_FONT = "inter"
"""The platform's own family, which every page has."""
_BRAND = {"primary", "font", "radius", "texture"}
"""Keys that `brand.brand_css` turns into the host's own properties."""


def value_faults(fields: Sequence[ThemeField], values: Mapping[str, object]) -> dict[str, str]:
    """What is wrong with values.

    Args:
        fields: of the theme's chain (`Themes.fields`).
        values: key → value.

    Returns:
        Key → sentence; empty when all can be used.
    """
    known = {field.key: field for field in fields}
    faults = {}
    for key, value in values.items():
        if key not in known:
            faults[key] = _("The theme has no such setting.")
            continue
        try:
            known[key].check(value)
        except ValueError as error:
            faults[key] = str(error)
    return faults


def in_force(fields: Sequence[ThemeField], values: Mapping[str, object]) -> dict[str, Value]:
    """The value of every setting: the tenant's own, else the default; text colours made readable on their ground.

    A stored value that its type does not allow (any more) counts as not set, so that no page breaks by it.

    Args:
        fields: of the theme's chain.
        values: what the tenant chose; those of other themes are ignored.
    """
    bad = value_faults(fields, values)
    found = {
        field.key: field.check(values[field.key])
        if field.key in values and field.key not in bad
        else field.check(field.default)
        for field in fields
    }
    return found | {
        field.key: readable(str(found[field.key]), str(found[field.on]))
        for field in fields
        if isinstance(field, ColourField) and field.on
    }


@lru_cache(maxsize=1024)
def readable(colour: str, ground: str) -> str:
    """A text's colour, its lightness corrected until it is readable (WCAG AA) on a ground; both `#rrggbb`."""
    return str(corrected(Colour.parse(colour), Colour.parse(ground), _READABLE))


def fonts_of(fields: Sequence[ThemeField], values: Mapping[str, Value]) -> Sequence[str]:
    """The families that a tenant's pages need besides the platform's own.

    Args:
        fields: of the theme's chain.
        values: as `in_force` gives them.
    """
    chosen = {str(values[field.key]) for field in fields if isinstance(field, FontField)}
    return sorted(chosen - {DEFAULT_FONT})


def tenant_css(fields: Sequence[ThemeField], values: Mapping[str, object]) -> str:
    """Style sheet of a tenant: brand colours and theme settings as CSS custom properties.

    Args:
        fields: of the theme's chain (`Themes.fields`).
        values: what the tenant chose; see `in_force`.

    Returns:
        CSS; a field beyond `primary`, `font`, `radius` and `texture` becomes `--theme-<key>`, a colour also
        `--theme-<key>-content` (readable on it) and `--theme-<key>-text` (readable on the page); images are left out.
    """
    chosen = in_force(fields, values)
    brand: dict[str, Any] = {"primary": values.get("primary", DEFAULT_PRIMARY)}
    properties: dict[str, str] = {}
    accents: dict[str, str] = {}
    for field in fields:
        name = f"--theme-{field.key.replace('_', '-')}"
        if field.key in _BRAND:
            brand[field.key] = chosen[field.key]
        elif not isinstance(field, ImageField):
            properties[name] = field.css(chosen[field.key])
            if isinstance(field, ColourField):
                accents[name] = str(chosen[field.key])
    return brand_css(brand.pop("primary"), extra=properties, accents=accents, **brand)


def load_fields(file: Path, data: Mapping[str, Any]) -> tuple[ThemeField, ...]:
    """Read the tables of a settings.toml.

    Args:
        file: for messages.
        data: table for each key, with `type`, `label`, `default` and what the type needs.

    Raises:
        ThemeError: the text names file and dotted key.
    """
    fields = tuple(_field(file, key, table) for key, table in data.items())
    colours = {field.key for field in fields if isinstance(field, ColourField)}
    for field in fields:
        if isinstance(field, ColourField) and field.on and field.on not in colours - {field.key}:
            raise ThemeError(file, f"{field.key}.on", "must be the key of another colour in this file")
    return fields


def _field(file: Path, key: str, table: object) -> ThemeField:
    if not isinstance(table, dict):
        raise ThemeError(file, key, "must be a table")
    if not _KEY.fullmatch(key):
        raise ThemeError(file, key, "must be lower-case letters, digits and _")
    values = dict(table)
    kind = values.pop("type", None)
    if kind not in _KINDS:
        raise ThemeError(file, f"{key}.type", f"must be one of {', '.join(_KINDS)}")
    for name in ("label", "default"):
        if name not in values:
            raise ThemeError(file, f"{key}.{name}", "is missing")
    allowed = {f for f in _KINDS[kind].__dataclass_fields__ if f != "key"}
    unknown = sorted(set(values) - allowed)
    if unknown:
        raise ThemeError(file, f"{key}.{unknown[0]}", "unknown key")
    if values.get("unit", "") not in _UNITS:
        raise ThemeError(file, f"{key}.unit", "must be px, rem or %")
    try:
        field = _KINDS[kind](key=key, **values)
    except TypeError as error:
        raise ThemeError(file, key, str(error)) from None
    try:
        field.check(field.default)
    except ValueError as error:
        raise ThemeError(file, f"{key}.default", str(error)) from None
    return field
