"""The pictures of a card, which Google fetches from us: PNG, named by their content. They are drawn in a thread."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from io import BytesIO

from PIL import Image

from regulars.sdk.pictures import draw_sign, draw_strip, fit_logo
from regulars.sdk.wallets import StampRow, WalletLook

SIDE, ROUND = 660, 462
"""Google's own size for logos, and what its round cut leaves of it, in pixels."""
HERO = (344, 112, 3)
"""Width and height of the picture below the card, in units, and pixels in a unit."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture.

    Attributes:
        digest: its name.
        content: PNG.
    """

    digest: str
    content: bytes


@lru_cache(maxsize=128)
def logo(look: WalletLook) -> Picture:
    """The merchant's logo with room around it; without one, the stamp icon."""
    if not look.logo:
        return _named(draw_sign(look.icon, look.background, look.foreground, SIDE))
    square = Image.new("RGBA", (SIDE, SIDE), look.background)
    with Image.open(BytesIO(fit_logo(look.logo, ROUND, ROUND))) as opened:
        fitted = opened.convert("RGBA")
    square.alpha_composite(fitted, ((SIDE - fitted.width) // 2, (SIDE - fitted.height) // 2))
    kept = BytesIO()
    square.convert("RGB").save(kept, "PNG", optimize=True)
    return _named(kept.getvalue())


def hero(look: WalletLook, stamps: StampRow | None) -> Picture | None:
    """The row of stamps, or the merchant's picture; `None` where there is neither."""
    if stamps is None and not look.picture:
        return None
    width, height, scale = HERO
    return _named(draw_strip(look, stamps, width, height, scale=scale))


def _named(content: bytes) -> Picture:
    return Picture(sha256(content).hexdigest()[:40], content)
