"""Colours: checked hex notation, OKLab for even steps of lightness, WCAG contrast."""

from __future__ import annotations

import re
from dataclasses import dataclass

import wcag_contrast_ratio

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_STEPS = 24


@dataclass(frozen=True, slots=True)
class Colour:
    """An sRGB colour, each channel from 0 to 1."""

    red: float
    green: float
    blue: float

    @classmethod
    def parse(cls, text: str) -> Colour:
        """Read `#rrggbb`.

        Raises:
            ValueError: anything else, with a sentence that says what is expected.
        """
        if not _HEX.fullmatch(text):
            raise ValueError(f"{text!r} is not a colour such as #4f46e5.")
        red, green, blue = (int(text[start : start + 2], 16) / 255 for start in (1, 3, 5))
        return cls(red, green, blue)

    def __str__(self) -> str:
        return "#" + "".join(f"{round(channel * 255):02x}" for channel in self.channels)

    @property
    def channels(self) -> tuple[float, float, float]:
        """Red, green and blue."""
        return (self.red, self.green, self.blue)

    def contrast(self, other: Colour) -> float:
        """WCAG 2 contrast ratio, from 1 to 21."""
        return float(wcag_contrast_ratio.rgb(self.channels, other.channels))

    def mixed(self, other: Colour, share: float) -> Colour:
        """This colour with a share (0 to 1) of another, mixed in OKLab."""
        mine, theirs = _to_oklab(self), _to_oklab(other)
        lightness, a, b = (m + (t - m) * share for m, t in zip(mine, theirs, strict=True))
        return _from_oklab(lightness, a, b)

    def lightness(self) -> float:
        """Perceived lightness, from 0 to 1 (OKLab)."""
        return _to_oklab(self)[0]

    def with_lightness(self, lightness: float) -> Colour:
        """The same hue at another lightness; chroma is reduced until the colour exists on screens."""
        _, a, b = _to_oklab(self)
        low, high = 0.0, 1.0
        if _exists(lightness, a, b):
            return _from_oklab(lightness, a, b)
        for _ in range(_STEPS):
            middle = (low + high) / 2
            if _exists(lightness, a * middle, b * middle):
                low = middle
            else:
                high = middle
        return _from_oklab(lightness, a * low, b * low)


WHITE = Colour(1, 1, 1)
BLACK = Colour(0, 0, 0)
INK = Colour.parse("#14151a")


def readable_on(background: Colour, minimum: float = 4.5) -> Colour:
    """White, near-black or black, the first that reaches the contrast on a background."""
    return next((colour for colour in (WHITE, INK) if colour.contrast(background) >= minimum), BLACK)


def corrected(colour: Colour, background: Colour, minimum: float) -> Colour:
    """The nearest lightness of a colour that reaches a contrast against a background, hue kept.

    Args:
        colour: what a merchant chose.
        background: what it stands on.
        minimum: WCAG ratio: 4.5 for text, 3 for graphics.

    Returns:
        The colour itself when it is readable already.
    """
    if colour.contrast(background) >= minimum:
        return colour
    start = colour.lightness()
    end = 1.0 if background.lightness() < 0.5 else 0.0
    unreadable, readable = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (unreadable + readable) / 2
        candidate = Colour.parse(str(colour.with_lightness(start + (end - start) * middle)))
        if candidate.contrast(background) >= minimum:
            readable = middle
        else:
            unreadable = middle
    return Colour.parse(str(colour.with_lightness(start + (end - start) * readable)))


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _gamma(channel: float) -> float:
    return 12.92 * channel if channel <= 0.0031308 else float(1.055 * channel ** (1 / 2.4) - 0.055)


def _cube_root(value: float) -> float:
    return float(abs(value) ** (1 / 3)) * (1 if value >= 0 else -1)


def _to_oklab(colour: Colour) -> tuple[float, float, float]:
    red, green, blue = (_linear(channel) for channel in colour.channels)
    long = _cube_root(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = _cube_root(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = _cube_root(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _linear_from_oklab(lightness: float, a: float, b: float) -> tuple[float, float, float]:
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _exists(lightness: float, a: float, b: float) -> bool:
    return all(-1e-4 <= channel <= 1 + 1e-4 for channel in _linear_from_oklab(lightness, a, b))


def _from_oklab(lightness: float, a: float, b: float) -> Colour:
    red, green, blue = (
        min(max(_gamma(max(channel, 0.0)), 0.0), 1.0) for channel in _linear_from_oklab(lightness, a, b)
    )
    return Colour(red, green, blue)
