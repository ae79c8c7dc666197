"""Whatever colour a merchant picks: text on it and in it is readable; only checked values get into the sheet."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from regulars.kernel.templating.brand import SchemeColours, brand_colours, brand_css, button_colors
from regulars.kernel.templating.colour import Colour, corrected

hex_colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
LIGHT, DARK = Colour.parse("#f6f6f7"), Colour.parse("#17191e")


@given(hex_colours)
@example("#777777")
@example("#ffffff")
@example("#000000")
@example("#facc15")
def test_every_brand_is_readable(primary: str):
    colours = brand_colours(primary)
    content = Colour.parse(colours.brand_content)
    assert content.contrast(Colour.parse(colours.brand)) >= 4.5
    assert content.contrast(Colour.parse(colours.brand_deep)) >= 4.5
    for scheme, canvas in ((colours.light, LIGHT), (colours.dark, DARK)):
        assert Colour.parse(scheme.content).contrast(Colour.parse(scheme.fill)) >= 4.5
        assert Colour.parse(scheme.graphic).contrast(canvas) >= 3
        assert Colour.parse(scheme.text).contrast(canvas) >= 4.5
        assert Colour.parse(scheme.text).contrast(canvas.mixed(Colour.parse(primary), 0.15)) >= 4.5


def test_a_readable_colour_is_left_alone():
    assert brand_colours("#9A3412").light == SchemeColours("#9a3412", "#ffffff", "#9a3412", "#9a3412")
    assert brand_colours("#facc15").dark == SchemeColours("#facc15", "#14151a", "#facc15", "#facc15")
    assert button_colors("#9a3412") == ("#9a3412", "#ffffff")


def test_correction_keeps_the_hue():
    yellow = corrected(Colour.parse("#facc15"), LIGHT, 4.5)
    red, green, blue = yellow.channels
    assert red > green > blue
    assert 4.5 <= yellow.contrast(LIGHT) < 4.6


@pytest.mark.parametrize("bad", ["", "red", "#fff", "#12345g", "4f46e5", "#4f46e5;", "#4f46e5\n", "#４f46e5", "url(x)"])
def test_only_hex_colours_are_colours(bad: str):
    with pytest.raises(ValueError, match="is not a colour"):
        brand_css(bad)


@pytest.mark.parametrize("options", [{"font": "comic"}, {"radius": -1}, {"radius": 25}, {"texture": "x"}])
def test_other_values_are_checked_by_type(options: dict[str, object]):
    with pytest.raises(ValueError, match="is not"):
        brand_css("#4f46e5", **options)


def test_the_sheet_has_both_schemes_and_only_properties():
    css = brand_css("#4f46e5", font="fraunces", radius=6)
    assert css.count("--color-primary:") == 3
    assert '[data-theme="dark"] {' in css
    assert "--radius-box: 6px;" in css
    declarations = re.findall(r"^  (\S+): .*;$", css, re.MULTILINE)
    assert all(name.startswith("--") for name in declarations)
    assert css.count("{") == css.count("}") == 4
