"""A tenant's brand as a style sheet of CSS custom properties, safe by type and readable by construction (WCAG AA)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from regulars.kernel.templating.colour import BLACK, WHITE, Colour, corrected, readable_on

FONTS: Mapping[str, str] = MappingProxyType(
    {
        "inter": '"Inter Variable", ui-sans-serif, system-ui, sans-serif',
        "bricolage": '"Bricolage Grotesque Variable", "Inter Variable", sans-serif',
        "dm-sans": '"DM Sans Variable", "Inter Variable", sans-serif',
        "fraunces": '"Fraunces Variable", ui-serif, Georgia, serif',
        "nunito": '"Nunito Variable", "Inter Variable", sans-serif',
        "bodoni-moda": '"Bodoni Moda Variable", ui-serif, Georgia, serif',
        "syne": '"Syne Variable", "Inter Variable", sans-serif',
    }
)
"""Families that a theme may choose from: key → CSS font stack."""
FONT_TITLES: Mapping[str, str] = MappingProxyType(
    {key: stack.split('"')[1].removesuffix(" Variable") for key, stack in FONTS.items()}
)
"""What the families are called."""

_LINE = "color-mix(in oklab, var(--brand-content) 9%, transparent)"
TEXTURES: Mapping[str, str] = MappingProxyType(
    {
        "rings": f"repeating-radial-gradient(circle at 108% 118%, transparent 0 24px, {_LINE} 24px 25px)",
        "lines": f"repeating-linear-gradient(115deg, transparent 0 20px, {_LINE} 20px 21px)",
        "plain": "linear-gradient(transparent, transparent)",
    }
)
"""Fine patterns of the card: key → CSS image."""

_TEXT = 4.5
_GRAPHIC = 3.0
TINT = 0.2
"""A little more of the brand than the strongest soft ground behind its text has (`--tint` of the style sheet)."""
LIGHT_CANVAS = Colour.parse("#f6f6f7")
DARK_CANVAS = Colour.parse("#17191e")
"""The grounds against which text is made readable; a theme's own may have more contrast, never less."""


@dataclass(frozen=True, slots=True)
class SchemeColours:
    """A brand in one colour scheme.

    Attributes:
        fill: of buttons and stamps: the brand as chosen, since their content and their edge carry the contrast.
        content: text and icons on the fill, at least 4.5.
        graphic: edges of fills, lines, bars and rings, at least 3 against the page.
        text: words and links, at least 4.5 against the page and against the soft ground of badges and avatars.
    """

    fill: str
    content: str
    graphic: str
    text: str


@dataclass(frozen=True, slots=True)
class BrandColours:
    """What follows from a merchant's one colour.

    Attributes:
        brand: as chosen; the card's background.
        brand_content: readable on it.
        brand_deep: a second tone for the card's texture, away from `brand_content`, so that contrast only grows.
        light, dark: what stands on the page, for the two colour schemes.
    """

    brand: str
    brand_content: str
    brand_deep: str
    light: SchemeColours
    dark: SchemeColours


def brand_colours(primary: str) -> BrandColours:
    """Derive every colour of a brand.

    Args:
        primary: `#rrggbb`.

    Raises:
        ValueError: not a hex colour.
    """
    brand = Colour.parse(primary)
    content = readable_on(brand)
    away = BLACK if content == WHITE else WHITE
    return BrandColours(
        brand=str(brand),
        brand_content=str(content),
        brand_deep=str(brand.mixed(away, 0.22)),
        light=_scheme(brand, LIGHT_CANVAS),
        dark=_scheme(brand, DARK_CANVAS),
    )


def _scheme(brand: Colour, canvas: Colour) -> SchemeColours:
    text = corrected(corrected(brand, canvas, _TEXT), canvas.mixed(brand, TINT), _TEXT)
    return SchemeColours(
        fill=str(brand),
        content=str(readable_on(brand)),
        graphic=str(corrected(brand, canvas, _GRAPHIC)),
        text=str(text),
    )


def button_colors(primary: str) -> tuple[str, str]:
    """Fill and text of a button on white, for mails.

    Raises:
        ValueError: not a hex colour.
    """
    colours = brand_colours(primary).light
    return colours.fill, colours.content


def brand_css(
    primary: str,
    *,
    font: str = "inter",
    radius: float = 12,
    texture: str = "rings",
    extra: Mapping[str, str] | None = None,
    accents: Mapping[str, str] | None = None,
) -> str:
    """Style sheet of a tenant, served at an address that carries the tenant's revision.

    Args:
        primary: the merchant's colour, `#rrggbb`.
        font: key of `FONTS` for the merchant's name and headings.
        radius: corner radius of cards in pixels, 0 to 24.
        texture: key of `TEXTURES` for the card.
        extra: further custom properties, already checked (`theme_settings.tenant_css` does it).
        accents: custom property → colour, already checked; `…-content` and `…-text` are derived from it.

    Returns:
        CSS for the light and dark scheme.

    Raises:
        ValueError: a value is not what its type allows; nothing that a merchant types reaches the sheet unchecked.
    """
    if font not in FONTS:
        raise ValueError(f"{font!r} is not one of the fonts {', '.join(FONTS)}.")
    if texture not in TEXTURES:
        raise ValueError(f"{texture!r} is not one of the textures {', '.join(TEXTURES)}.")
    if not 0 <= radius <= 24:
        raise ValueError(f"The radius {radius} is not between 0 and 24 pixels.")
    colours = brand_colours(primary)
    common = {
        "--brand": colours.brand,
        "--brand-content": colours.brand_content,
        "--brand-deep": colours.brand_deep,
        "--font-brand": FONTS[font],
        "--card-texture": TEXTURES[texture],
        "--radius-box": f"{radius:g}px",
        "--radius-field": f"{radius * 2 / 3:.0f}px",
        **(extra or {}),
    }
    derived = {name: brand_colours(value) for name, value in (accents or {}).items()}
    common |= {f"{name}-content": one.brand_content for name, one in derived.items()}
    light = _properties(colours.light) | {f"{name}-text": one.light.text for name, one in derived.items()}
    dark = _properties(colours.dark) | {f"{name}-text": one.dark.text for name, one in derived.items()}
    return "\n".join(
        (
            _rule(":root", {**common, **light}),
            _rule('[data-theme="dark"]', dark),
            "@media (prefers-color-scheme: dark) {",
            _rule(":root:not([data-theme])", dark),
            "}",
            "",
        )
    )


def _properties(scheme: SchemeColours) -> dict[str, str]:
    return {
        "--color-primary": scheme.fill,
        "--color-primary-content": scheme.content,
        "--primary-graphic": scheme.graphic,
        "--primary-text": scheme.text,
    }


def _rule(selector: str, properties: Mapping[str, str]) -> str:
    return f"{selector} {{\n" + "".join(f"  {name}: {value};\n" for name, value in properties.items()) + "}"


PROPERTIES: Mapping[str, str] = MappingProxyType(
    {
        "--brand": "the merchant's colour as chosen: ground of the card",
        "--brand-content": "text and icons on it",
        "--brand-deep": "a second tone of it, for textures",
        "--color-primary": "fill of the main button and of progress",
        "--color-primary-content": "text on that fill",
        "--primary-graphic": "edges, lines, bars and rings, at least 3 to 1 against the page",
        "--primary-text": "words and links in the brand's colour, at least 4.5 to 1",
        "--font-brand": "typeface of the merchant's name and of headings",
        "--card-texture": "the fine pattern, an image of CSS",
        "--radius-box": "corners of cards and panels",
        "--radius-field": "corners of fields and buttons",
    }
)
"""Every property that `brand_css` sets → what it is for."""
STAGE_PROPERTIES: Mapping[str, str] = MappingProxyType(
    {
        "--color-base-100": "surfaces: cards, panels, fields",
        "--color-base-200": "the page",
        "--color-base-300": "lines",
        "--color-base-content": "text",
        "--muted": "text that steps back, at least 4.5 to 1",
        "--faint": "icons and edges that step back, at least 3 to 1",
        "--field-line": "edges of fields",
        "--color-success": "what went well; also `-content`",
        "--color-warning": "what needs attention; also `-content`",
        "--color-error": "what went wrong; also `-content`",
        "--primary-soft": "a soft ground in the brand's colour",
        "--primary-line": "a soft line in the brand's colour",
        "--float": "the one shadow, for what floats",
        "--ease": "the easing of all motion",
    }
)
"""Properties of the host's style sheet that themes may use and set anew → what they are for."""
