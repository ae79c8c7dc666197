"""Strips of passes: boxes where they belong, in every cut of the picture."""

import io
from dataclasses import replace
from itertools import pairwise

import pytest
from PIL import Image, ImageChops

from regulars.contracts.wallets import StampRow
from regulars.domain.tenants.strips import draw_sign, draw_strip, fit_logo
from regulars.testing.wallets import make_card

LOOK = make_card().look
GROUND = (0x4A, 0x2C, 0x2A)


def opened(content):
    return Image.open(io.BytesIO(content)).convert("RGB")


def drawn(stamps, look=LOOK, scale=1):
    return opened(draw_strip(look, stamps, 375, 144, scale=scale, cut=11))


def test_every_stamp_fills_one_box_in_reading_order():
    strips = [drawn(StampRow(count, 10)) for count in range(11)]
    boxes = [ImageChops.difference(*pair).getbbox() for pair in pairwise(strips)]
    assert all(box[2] - box[0] <= 48 and box[3] - box[1] <= 48 for box in boxes)
    assert [(box[1] > 72, box[0]) for box in boxes] == sorted((box[1] > 72, box[0]) for box in boxes)
    assert drawn(StampRow(12, 10)).tobytes() == strips[10].tobytes(), "never more than there are"


@pytest.mark.parametrize("stamps", [StampRow(3, 5), StampRow(8, 10), StampRow(20, 30), StampRow(120, 200)])
def test_nothing_stands_where_a_wallet_cuts(stamps):
    strip = drawn(stamps, scale=2)
    assert strip.size == (750, 288)
    mark = ImageChops.difference(strip, Image.new("RGB", strip.size, GROUND)).getbbox()
    assert mark[0] >= 2 * 16 - 1
    assert mark[1] >= 2 * 11
    assert mark[2] <= 750 - 2 * 16 + 1
    assert mark[3] <= 288 - 2 * 11


def test_a_long_card_is_a_bar_that_grows():
    short, long = drawn(StampRow(50, 200)), drawn(StampRow(150, 200))
    left, _top, right, _bottom = ImageChops.difference(short, long).getbbox()
    start = 16 + 55 + 13
    assert abs(left - (start + (375 - 16 - start) / 4)) <= 12
    assert abs(right - (start + (375 - 16 - start) * 3 / 4)) <= 12


def test_a_picture_lies_below_and_what_was_drawn_is_kept():
    photo = io.BytesIO()
    Image.new("RGB", (600, 200), "#ffffff").save(photo, "PNG")
    look = replace(LOOK, picture=photo.getvalue())
    plain = drawn(None, look)
    assert plain.getpixel((370, 70)) > (240, 240, 240)
    assert plain.getpixel((4, 70)) < (130, 130, 130)
    assert draw_strip(look, None, 375, 144) is draw_strip(replace(look), None, 375, 144)
    assert draw_strip(look, None, 375, 144) is not draw_strip(replace(look, background="#000000"), None, 375, 144)


def test_a_logo_fits_and_who_has_none_gets_a_sign():
    assert opened(fit_logo(LOOK.logo, 160, 50, scale=2)).size == (100, 100)
    assert opened(fit_logo(LOOK.logo, 29, 29, scale=3, ground="#ffffff")).size == (87, 87)
    assert opened(draw_sign("unknown", "#4a2c2a", "#ffffff", 58)).getpixel((1, 1)) == GROUND
