"""How readable a look is: every pair of text and ground that a merchant's colours make, and what was done about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from regulars.kernel.templating.brand import DARK_CANVAS, LIGHT_CANVAS, TINT, brand_colours
from regulars.kernel.templating.colour import Colour
from regulars.kernel.templating.theme_settings import ColourField, ThemeField, Value, readable

ENOUGH = 4.5
"""WCAG 2 AA for text."""
Place = Literal["fill", "light", "dark", "ground"]


@dataclass(frozen=True, slots=True)
class Reading:
    """A text on a ground.

    Attributes:
        key: the setting whose colour it is.
        place: on the colour itself, on light or dark pages, or on the ground that the setting names.
        ground: `#rrggbb`.
        wanted: colour as chosen; on the colour itself, what is written there.
        used: colour that is used, the chosen one where it can be read.
    """

    key: str
    place: Place
    ground: str
    wanted: str
    used: str

    @property
    def was(self) -> float:
        """Contrast of what was chosen, 1 to 21."""
        return Colour.parse(self.wanted).contrast(Colour.parse(self.ground))

    @property
    def ratio(self) -> float:
        """Contrast of what is used."""
        return Colour.parse(self.used).contrast(Colour.parse(self.ground))

    @property
    def corrected(self) -> bool:
        """Whether what was chosen is hard to read; being off by less than anybody sees does not count."""
        return round(self.was, 1) < ENOUGH


def readings(fields: Sequence[ThemeField], values: Mapping[str, Value]) -> Iterator[Reading]:
    """Every pair that a look makes.

    Args:
        fields: of the theme's chain.
        values: checked; text colours as they were chosen, before any correction.
    """
    for field in fields:
        if not isinstance(field, ColourField):
            continue
        chosen = str(values[field.key])
        if field.on:
            ground = str(values[field.on])
            yield Reading(field.key, "ground", ground, chosen, readable(chosen, ground))
        elif field.key == "primary":
            derived = brand_colours(chosen)
            yield Reading(field.key, "fill", chosen, derived.brand_content, derived.brand_content)
            yield Reading(field.key, "light", _tinted(LIGHT_CANVAS, chosen), chosen, derived.light.text)
            yield Reading(field.key, "dark", _tinted(DARK_CANVAS, chosen), chosen, derived.dark.text)


def _tinted(canvas: Colour, colour: str) -> str:
    """The ground where words of a colour are hardest to read: the page with a soft tint of that colour."""
    return str(canvas.mixed(Colour.parse(colour), TINT))
