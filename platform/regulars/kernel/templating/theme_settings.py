"""Typed settings of a theme: settings.toml declares them, tenants fill them, CSS custom properties carry them."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from regulars.kernel.templating.brand import FONTS, brand_css
from regulars.kernel.templating.colour import Colour
from regulars.kernel.templating.errors import ThemeError

_KEY = re.compile(r"[a-z][a-z0-9_]{0,40}")
_UNITS = {"", "px", "rem", "%"}


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
    def check(self, value: object) -> str | int | float:
        """Accept a value of this type.

        Raises:
            ValueError: a sentence that says what is allowed.
        """

    def css(self, value: object) -> str:
        """The checked value in CSS."""
        return str(self.check(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourField(ThemeField):
    """A colour, `#rrggbb`."""

    kind: ClassVar[str] = "colour"

    def check(self, value: object) -> str:
        """Accept a hex colour, in lower case."""
        return str(Colour.parse(str(value)))


@dataclass(frozen=True, slots=True, kw_only=True)
class FontField(ThemeField):
    """A family from the self-hosted list."""

    kind: ClassVar[str] = "font"

    def check(self, value: object) -> str:
        """Accept a key of `FONTS`."""
        if value not in FONTS:
            raise ValueError(f"{value!r} is not one of {', '.join(FONTS)}.")
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
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{value!r} is not a number.")
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"{value} is not between {self.minimum} and {self.maximum}.")
        return value

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
        if value not in self.options:
            raise ValueError(f"{value!r} is not one of {', '.join(self.options)}.")
        return str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageField(ThemeField):
    """An uploaded image; its value is a path below the tenant's assets, empty without one. It never reaches CSS."""

    kind: ClassVar[str] = "image"

    def check(self, value: object) -> str:
        """Accept a plain relative path."""
        text = str(value)
        if (text and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_./-]*", text)) or ".." in text:
            raise ValueError(f"{text!r} is not the path of an uploaded image.")
        return text


_KINDS: Mapping[str, type[ThemeField]] = {
    field.kind: field for field in (ColourField, FontField, RangeField, ChoiceField, ImageField)
}
DEFAULT_PRIMARY = "#4f46e5"
_BRAND = {"primary", "font", "radius", "texture"}
"""Keys that `brand.brand_css` turns into the host's own properties."""


def tenant_css(fields: Sequence[ThemeField], values: Mapping[str, object]) -> str:
    """Style sheet of a tenant: brand colours and theme settings as CSS custom properties.

    Args:
        fields: of the theme's chain (`Themes.fields`).
        values: what the tenant chose; missing ones take the default, unknown ones are ignored (another theme's).

    Returns:
        CSS; a field beyond `primary`, `font`, `radius` and `texture` becomes `--theme-<key>`, images are left out.

    Raises:
        ValueError: a value is not of its type; the text names the key.
    """
    brand: dict[str, Any] = {"primary": values.get("primary", DEFAULT_PRIMARY)}
    properties: dict[str, str] = {}
    for field in fields:
        value = values.get(field.key, field.default)
        try:
            checked, css = field.check(value), field.css(value)
        except ValueError as error:
            raise ValueError(f"{field.key}: {error}") from error
        if field.key in _BRAND:
            brand[field.key] = checked
        elif not isinstance(field, ImageField):
            properties[f"--theme-{field.key.replace('_', '-')}"] = css
    return brand_css(brand.pop("primary"), extra=properties, **brand)


def load_fields(file: Path, data: Mapping[str, Any]) -> tuple[ThemeField, ...]:
    """Read the tables of a settings.toml.

    Args:
        file: for messages.
        data: table for each key, with `type`, `label`, `default` and what the type needs.

    Raises:
        ThemeError: the text names file and dotted key.
    """
    return tuple(_field(file, key, table) for key, table in data.items())


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
