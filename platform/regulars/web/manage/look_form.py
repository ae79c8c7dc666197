"""The form of a look: a theme's typed settings drawn and read, and what was done so that it can be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regulars.domain.tenants.looks import PRIMARY
from regulars.kernel.i18n import format_number
from regulars.kernel.i18n import gettext as _
from regulars.kernel.templating.brand import FONT_TITLES
from regulars.kernel.templating.readability import Reading
from regulars.kernel.templating.theme_settings import (
    ChoiceField,
    FontField,
    ImageField,
    RangeField,
    ThemeField,
    Value,
)

PREFIX = "v."
"""Of the settings' names in the form."""
UPLOAD, NONE = ".file", ".none"
"""Endings of the names that belong to an image: the file that is sent, and the tick that takes it away."""
LOGO = "logo"
Sent = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LookField:
    """A setting as the form shows it.

    Attributes:
        name: in the form.
        kind: of the component `field`, or `tiles`.
        value: as text; for images the address.
        clear_name: of the tick that takes an image away.
    """

    name: str
    kind: str
    label: str
    help: str
    value: str
    error: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    options: Sequence[tuple[str, str]] = ()
    clear_name: str = ""


@dataclass(frozen=True, slots=True)
class LookGroup:
    """Settings under one heading."""

    title: str
    fields: Sequence[LookField]


@dataclass(frozen=True, slots=True)
class Note:
    """What a colour does to a text, in words and as a sample.

    Attributes:
        ground, ink: `#rrggbb` of the sample.
        corrected: whether another colour is used than was chosen.
    """

    title: str
    text: str
    ground: str
    ink: str
    corrected: bool


def groups_of(
    fields: Sequence[ThemeField],
    values: Mapping[str, Value],
    typed: Sent,
    errors: Mapping[str, str],
    image_url: Mapping[str, str],
) -> Sequence[LookGroup]:
    """The form.

    Args:
        fields: of the theme's chain.
        values: setting → value as it was chosen.
        typed: setting → what was typed, where that is to be shown again.
        errors: setting → sentence.
        image_url: image setting → address of the present image.
    """
    groups: dict[str, list[LookField]] = {}
    for field in fields:
        value = typed.get(field.key, str(values[field.key]))
        if isinstance(field, ImageField):
            value = image_url.get(field.key, "")
        groups.setdefault(field.group, []).append(_shown(field, value, errors.get(field.key, "")))
    return [LookGroup(_(title) if title else "", shown) for title, shown in groups.items()]


def _shown(field: ThemeField, value: str, error: str) -> LookField:
    kind, more = field.kind, dict[str, Any]()
    if isinstance(field, RangeField):
        kind = "number"
        more = {"unit": field.unit, "minimum": field.minimum, "maximum": field.maximum, "step": field.step}
    elif isinstance(field, FontField):
        kind, more = "select", {"options": list(FONT_TITLES.items())}
    elif isinstance(field, ChoiceField):
        kind, more = "tiles", {"options": [(key, _(label)) for key, label in field.options.items()]}
    elif isinstance(field, ImageField):
        more = {"clear_name": f"{PREFIX}{field.key}{NONE}"}
    name = f"{PREFIX}{field.key}{UPLOAD if isinstance(field, ImageField) else ''}"
    help_text = _(field.help) if field.help else ""
    return LookField(name, kind, _(field.label), help_text, value, error, **more)


def read_values(fields: Sequence[ThemeField], sent: Sent, folder: Path) -> tuple[dict[str, Value], dict[str, str]]:
    """Read what was typed.

    Args:
        fields: of the theme's chain.
        sent: full name → text; settings that were not sent are left out.
        folder: with the tenant's own files, in which images must be.

    Returns:
        Setting → value of what can be used, and setting → sentence of what cannot.
    """
    values: dict[str, Value] = {}
    errors: dict[str, str] = {}
    for field in fields:
        text = sent.get(f"{PREFIX}{field.key}")
        if text is None:
            continue
        try:
            value = field.read(text)
        except ValueError as error:
            errors[field.key] = str(error)
            continue
        is_lost = isinstance(field, ImageField) and bool(value) and not (folder / str(value)).is_file()
        values[field.key] = "" if is_lost else value
    return values, errors


def typed_values(fields: Sequence[ThemeField], sent: Sent) -> Sent:
    """Setting → what was typed, whatever it is worth."""
    return {field.key: sent[f"{PREFIX}{field.key}"] for field in fields if f"{PREFIX}{field.key}" in sent}


def notes(fields: Sequence[ThemeField], found: Sequence[Reading]) -> Iterator[Note]:
    """What the colours do to texts, in the reader's language.

    Args:
        fields: of the theme's chain, for their labels.
        found: as `kernel.templating.readability.readings` gives it.
    """
    labels = {field.key: _(field.label) for field in fields}
    for one in found:
        title = _place(one) if one.key == PRIMARY else labels[one.key]
        yield Note(title, _words(one), one.ground, one.used, one.corrected)


def _place(one: Reading) -> str:
    titles = {
        "fill": _("Text on your colour"),
        "light": _("Words and links on light pages"),
        "dark": _("Words and links on dark pages"),
    }
    return titles[one.place]


def _words(one: Reading) -> str:
    ratio = format_number(round(one.ratio, 1))
    if not one.corrected:
        return _("Easy to read: %(ratio)s to 1.", ratio=ratio)
    was = format_number(round(one.was, 1))
    return _(
        "%(wanted)s is hard to read here (%(was)s to 1, at least 4.5 is needed). We use %(used)s: %(ratio)s to 1.",
        wanted=one.wanted,
        was=was,
        used=one.used,
        ratio=ratio,
    )
