"""What is drawn across a pass in the phone: the boxes of a stamp card, a picture of the merchant's, or a pattern.

Wallets cut such a strip in more than one shape, so nothing that matters stands at its edges.
"""

from __future__ import annotations

import hashlib
import io
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import lru_cache
from threading import Lock

from PIL import Image, ImageDraw, ImageOps

from regulars.contracts.wallets import StampRow, WalletLook
from regulars.domain.tenants.emblems import EMBLEMS, Colour, Pen

_SMOOTH = 4
"""A box is drawn this many times larger and then reduced, for smooth edges."""
_MARGIN = 16
"""Units at the sides where no box stands."""
_FILL = 0.84
"""How much of its place a box takes."""
_SMALLEST = 17
"""Units; more boxes than fit in that size become a bar."""
_KEPT_BYTES = 32_000_000


class _Kept:
    """Files that were drawn, up to so many bytes; those that were asked for longest ago go first."""

    def __init__(self, most: int) -> None:
        self._most, self._bytes = most, 0
        self._files: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, draw: Callable[[], bytes]) -> bytes:
        """The file of that key, drawn when it is not there; two threads may both draw it."""
        with self._lock:
            if key in self._files:
                self._files.move_to_end(key)
                return self._files[key]
        drawn = draw()
        with self._lock:
            self._bytes += len(drawn) - len(self._files.pop(key, b""))
            self._files[key] = drawn
            while self._bytes > self._most and len(self._files) > 1:
                self._bytes -= len(self._files.popitem(last=False)[1])
        return drawn


_KEPT = _Kept(_KEPT_BYTES)


def draw_strip(
    look: WalletLook, stamps: StampRow | None, width: int, height: int, *, scale: int = 1, cut: int = 0
) -> bytes:
    """A strip as a PNG file; what was drawn lately is kept. Takes up to 100 ms: call it in a thread.

    Args:
        look: colours and pictures of the pass.
        stamps: the boxes; without them it is the merchant's picture, or a pattern of their icon.
        width, height: in units.
        scale: pixels in a unit.
        cut: units at the top and at the bottom that may be cut off.

    Returns:
        A picture of `width * scale` by `height * scale` pixels; the same for the same arguments.
    """
    colours = (look.background, look.foreground, look.label)
    picture = hashlib.sha256(look.picture).digest() if look.picture else b""
    key = ("strip", colours, look.icon, picture, stamps, width, height, scale, cut)
    return _KEPT.get(key, lambda: _file(_strip(look, stamps, width, height, scale, cut)))


def fit_logo(logo: bytes, width: int, height: int, *, scale: int = 1, ground: str = "") -> bytes:
    """A logo as large as fits, as a PNG file; kept and called as `draw_strip`.

    Args:
        logo: a PNG file.
        width, height: units that there are at most.
        scale: pixels in a unit.
        ground: `#rrggbb` of the square of exactly that size on which it stands; empty for the logo alone.
    """
    key = ("logo", hashlib.sha256(logo).digest(), width, height, scale, ground)
    return _KEPT.get(key, lambda: _file(_fitted(logo, width * scale, height * scale, ground)))


def draw_sign(icon: str, colour: str, ink: str, side: int) -> bytes:
    """A stamp icon on a square of the brand's colour, as a PNG file: for a merchant without logo.

    Args:
        icon: name of a stamp icon.
        colour: `#rrggbb` of the square.
        ink: `#rrggbb` of the icon.
        side: pixels.
    """
    return _KEPT.get(("sign", icon, colour, ink, side), lambda: _file(_sign(icon, _rgba(colour), _rgba(ink), side)))


def _strip(look: WalletLook, stamps: StampRow | None, width: int, height: int, scale: int, cut: int) -> Image.Image:
    ground, ink = _rgba(look.background), _rgba(look.foreground)
    strip = Image.new("RGBA", (width * scale, height * scale), ground)
    if look.picture:
        _lay_picture(strip, look.picture, ground, is_plain=stamps is None)
    if stamps is not None:
        room = (_MARGIN * scale, (cut + 6) * scale, (width - _MARGIN) * scale, (height - cut - 6) * scale)
        _lay_stamps(strip, stamps, stamps.icon or look.icon, room, scale, (ground, ink))
    elif not look.picture:
        _lay_pattern(strip, look.icon, ink, scale)
    return strip.convert("RGB")


def _lay_picture(strip: Image.Image, picture: bytes, ground: Colour, *, is_plain: bool) -> None:
    """The merchant's picture, veiled where something is to be read on it: at the left, or below boxes everywhere."""
    with Image.open(io.BytesIO(picture)) as opened:
        strip.paste(ImageOps.fit(opened.convert("RGB"), strip.size, Image.Resampling.LANCZOS))
    if is_plain:
        veil = ImageOps.invert(Image.linear_gradient("L").rotate(90)).resize(strip.size)
        veil = veil.point(lambda value: int(value * 0.8))
    else:
        veil = Image.new("L", strip.size, 190)
    strip.paste(ground, (0, 0), veil)


def _lay_stamps(
    strip: Image.Image,
    stamps: StampRow,
    icon: str,
    room: tuple[int, int, int, int],
    scale: int,
    colours: tuple[Colour, Colour],
) -> None:
    left, top, right, bottom = room
    wide, high = right - left, bottom - top
    target = max(1, stamps.target)
    rows = max(range(1, 6), key=lambda rows: (min(wide / -(-target // rows), high / rows), -rows))
    columns = -(-target // rows)
    place = min(wide / columns, high / rows, 62 * scale)
    if place * _FILL < _SMALLEST * scale:
        _lay_bar(strip, stamps, icon, room, colours)
        return
    side = round(place * _FILL)
    gap = min(wide / columns, place * 1.25)
    for number in range(target):
        row, column = divmod(number, columns)
        in_row = min(columns, target - row * columns)
        x = left + (wide - gap * in_row) / 2 + gap * (column + 0.5)
        y = top + (high - place * rows) / 2 + place * (row + 0.5)
        box = _box(icon, *colours, side, is_full=number < stamps.count)
        strip.alpha_composite(box, (round(x - side / 2), round(y - side / 2)))


def _lay_bar(
    strip: Image.Image, stamps: StampRow, icon: str, room: tuple[int, int, int, int], colours: tuple[Colour, Colour]
) -> None:
    """So many boxes that one could not tell them apart: a bar that fills, with one stamp before it."""
    left, top, right, bottom = room
    middle, side = (top + bottom) // 2, (bottom - top) // 2
    strip.alpha_composite(_box(icon, *colours, side, is_full=True), (left, middle - side // 2))
    start, thick = left + side + side // 4, side // 3
    filled = start + round((right - start) * min(stamps.count, stamps.target) / stamps.target)
    draw = ImageDraw.Draw(strip)
    ground, ink = colours
    empty = tuple(round(below + (above - below) * 0.25) for below, above in zip(ground, ink, strict=True))
    for end, colour in ((right, empty), (filled, ink)):
        if end - start >= thick:
            box = (start, middle - thick // 2, end, middle + thick // 2)
            draw.rounded_rectangle(box, thick // 2, fill=colour)


def _lay_pattern(strip: Image.Image, icon: str, ink: Colour, scale: int) -> None:
    """The icon again and again, so faint that anything can be read on it."""
    side, step = 40 * scale, 62 * scale
    sign = _sign(icon, (*ink[:3], 0), ink, side)
    faint = sign.getchannel("A").point(lambda value: value // 11)
    for row, y in enumerate(range(-side // 3, strip.height, step * 3 // 4)):
        for x in range(-(step // 2) * (row % 2) - side // 4, strip.width, step):
            strip.paste(ink, (x, y), faint)


@lru_cache(maxsize=512)
def _box(icon: str, ground: Colour, ink: Colour, side: int, *, is_full: bool) -> Image.Image:
    """One box: full ones carry the icon, empty ones are a ring."""
    if is_full:
        return _sign(icon, (*ink[:3], 0), ground, side, disc=ink)
    large = Image.new("RGBA", (side * _SMOOTH, side * _SMOOTH), (*ink[:3], 0))
    pen = Pen(large, ground)
    pen.ink = (*ink[:3], 120)
    pen.ring(2, 2, 98, 98, 4)
    return large.resize((side, side), Image.Resampling.LANCZOS)


def _sign(icon: str, ground: Colour, ink: Colour, side: int, disc: Colour | None = None) -> Image.Image:
    """The icon in `ink`, on a disc where one is asked for."""
    large = Image.new("RGBA", (side * _SMOOTH, side * _SMOOTH), ground)
    pen = Pen(large, disc or ground)
    pen.ink = ink
    if disc:
        pen.ellipse(1, 1, 99, 99, disc)
    EMBLEMS.get(icon, EMBLEMS["star"])(pen)
    return large.resize((side, side), Image.Resampling.LANCZOS)


def _fitted(logo: bytes, width: int, height: int, ground: str) -> Image.Image:
    with Image.open(io.BytesIO(logo)) as opened:
        picture = ImageOps.contain(opened.convert("RGBA"), (width, height), Image.Resampling.LANCZOS)
    if not ground:
        return picture
    square = Image.new("RGBA", (width, height), _rgba(ground))
    square.alpha_composite(picture, ((width - picture.width) // 2, (height - picture.height) // 2))
    return square


def _rgba(colour: str) -> Colour:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return (red, green, blue, 255)


def _file(picture: Image.Image) -> bytes:
    """A PNG file, in true colours: a palette would shift the ground, and the strip would stand out from the pass."""
    output = io.BytesIO()
    picture.save(output, "PNG")
    return output.getvalue()
