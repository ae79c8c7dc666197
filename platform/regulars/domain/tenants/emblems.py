"""Emblems drawn by code: the logos of the demo's merchants, and of whoever has none yet."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from PIL import Image, ImageDraw

SIZE = 192
_SCALE = 8
"""Drawn this many times larger and then reduced, for smooth edges."""
_CREAM = (255, 250, 243, 255)
Colour = tuple[int, int, int, int]


class Pen:
    """Draws on a square whose sides are 100 units long.

    Args:
        picture: what is drawn on.
        paper: colour of the emblem's ground, for gaps between shapes.
    """

    def __init__(self, picture: Image.Image, paper: Colour) -> None:
        self._draw = ImageDraw.Draw(picture)
        self._unit = picture.width / 100
        self.ink = _CREAM
        self.paper = paper

    def ellipse(self, left: float, top: float, right: float, bottom: float, colour: Colour | None = None) -> None:
        """A filled ellipse."""
        self._draw.ellipse(self._box(left, top, right, bottom), fill=colour or self.ink)

    def polygon(self, points: list[tuple[float, float]], colour: Colour | None = None) -> None:
        """A filled polygon."""
        self._draw.polygon([(x * self._unit, y * self._unit) for x, y in points], fill=colour or self.ink)

    def rounded(
        self,
        box: tuple[float, float, float, float],
        radius: float,
        *,
        colour: Colour | None = None,
        bottom: bool = False,
    ) -> None:
        """A filled rectangle with round corners, or with `bottom` round ones at its foot only."""
        corners = (not bottom, not bottom, True, True)
        self._draw.rounded_rectangle(self._box(*box), radius * self._unit, fill=colour or self.ink, corners=corners)

    def ring(self, left: float, top: float, right: float, bottom: float, width: float) -> None:
        """An ellipse's outline."""
        self._draw.ellipse(self._box(left, top, right, bottom), outline=self.ink, width=round(width * self._unit))

    def stroke(self, points: list[tuple[float, float]], width: float, colour: Colour | None = None) -> None:
        """A line with round ends through points."""
        fill, radius = colour or self.ink, width / 2
        scaled = [(x * self._unit, y * self._unit) for x, y in points]
        self._draw.line(scaled, fill=fill, width=round(width * self._unit), joint="curve")
        for x, y in (points[0], points[-1]):
            self.ellipse(x - radius, y - radius, x + radius, y + radius, fill)

    def _box(self, left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
        return (left * self._unit, top * self._unit, right * self._unit, bottom * self._unit)


def draw_emblem(icon: str, colour: str) -> Image.Image:
    """An emblem: a sign on a disc of the brand's colour, transparent around it.

    Args:
        icon: one of `EMBLEMS`.
        colour: `#rrggbb`.

    Returns:
        A picture of 192 pixels a side; the same for the same arguments.
    """
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    paper = (red, green, blue, 255)
    large = Image.new("RGBA", (SIZE * _SCALE, SIZE * _SCALE), (red, green, blue, 0))
    pen = Pen(large, paper)
    pen.ellipse(1, 1, 99, 99, paper)
    EMBLEMS[icon](pen)
    return large.resize((SIZE, SIZE), Image.Resampling.LANCZOS)


def emblem_file(icon: str, colour: str) -> bytes:
    """An emblem as a small PNG file (a few kilobytes); the same for the same arguments.

    Args:
        icon: one of `EMBLEMS`.
        colour: `#rrggbb`.
    """
    output = io.BytesIO()
    draw_emblem(icon, colour).quantize(64, method=Image.Quantize.FASTOCTREE).save(output, "PNG", optimize=True)
    return output.getvalue()


def _coffee(pen: Pen) -> None:
    """A cup on its saucer, with steam."""
    pen.ring(59, 45, 77, 63, 4.5)
    pen.rounded((25, 42, 66, 71), 14, bottom=True)
    pen.rounded((21, 75, 73, 79.5), 2.2)
    for x in (36, 46, 56):
        pen.stroke(_wave(x, 22, 36, 2.4), 3.4)


def _croissant(pen: Pen) -> None:
    """A crescent, thick in the middle, with horns that bend down and the folds of its rolls."""
    first, last, folds = 168.0, 372.0, (203.0, 236.0, 304.0, 337.0)
    borders = (first, *folds, last)
    outer, inner = [], []
    for step in range(241):
        degrees = first + (last - first) * step / 240
        swell = math.sin(math.pi * (degrees - first) / (last - first)) ** 0.75
        roll = next(place for place in range(5) if degrees <= borders[place + 1])
        bulge = math.sin(math.pi * (degrees - borders[roll]) / (borders[roll + 1] - borders[roll]))
        outer.append(_polar(50, 63, 26 + 4 + 9.5 * swell + 3.2 * bulge * swell, degrees))
        inner.append(_polar(50, 63, 26 - 2.5 - 10.5 * swell, degrees))
    pen.polygon([*outer, *reversed(inner)])
    for degrees in folds:
        lean = 9 if degrees < 270 else -9
        pen.stroke([_polar(50, 63, 8, degrees + 2.4 * lean), _polar(50, 63, 46, degrees - lean * 0.4)], 3, pen.paper)


def _pizza(pen: Pen) -> None:
    """A slice with crust and toppings."""
    pen.stroke([_polar(50, 90, 64, degrees) for degrees in range(246, 295)], 8.5)
    pen.polygon([*(_polar(50, 90, 54.5, degrees) for degrees in range(245, 296)), (50, 83)])
    for x, y, size in ((43, 46, 5), (58, 49, 4.6), (49, 62, 4.2)):
        pen.ellipse(x - size, y - size, x + size, y + size, pen.paper)


def _leaf(pen: Pen) -> None:
    """A leaf with its rib and stalk."""
    upper = [_bezier((24, 70), (18, 30), (50, 20), (78, 24), step / 48) for step in range(49)]
    lower = [_bezier((78, 24), (80, 54), (66, 82), (24, 70), step / 48) for step in range(49)]
    pen.polygon([*upper, *lower])
    pen.stroke([(22, 78), (40, 60), (62, 40)], 3.6, pen.paper)
    pen.stroke([(20, 80), (27, 72.5)], 3.6)


def _scissors(pen: Pen) -> None:
    """A pair of scissors, open upwards."""
    pen.polygon([(31, 19), (36, 18), (62, 66), (56, 69)])
    pen.polygon([(69, 19), (64, 18), (38, 66), (44, 69)])
    pen.ring(24, 60, 46, 82, 5.5)
    pen.ring(54, 60, 76, 82, 5.5)
    pen.ellipse(47.4, 47.4, 52.6, 52.6, pen.paper)


def _star(pen: Pen) -> None:
    """A star with five points."""
    points = [_polar(50, 52, 32 if corner % 2 == 0 else 14.5, -90 + 36 * corner) for corner in range(10)]
    pen.polygon(points)


def _wave(x: float, top: float, bottom: float, swing: float) -> list[tuple[float, float]]:
    steps = 24
    return [
        (x + swing * math.sin(2 * math.pi * step / steps), top + (bottom - top) * step / steps)
        for step in range(steps + 1)
    ]


def _bezier(
    start: tuple[float, float],
    first: tuple[float, float],
    second: tuple[float, float],
    end: tuple[float, float],
    at: float,
) -> tuple[float, float]:
    """The point of a cubic Bézier curve at 0 to 1."""
    weights = ((1 - at) ** 3, 3 * at * (1 - at) ** 2, 3 * at**2 * (1 - at), at**3)
    points = (start, first, second, end)
    x, y = (sum(weight * point[axis] for weight, point in zip(weights, points, strict=True)) for axis in (0, 1))
    return (x, y)


def _polar(x: float, y: float, radius: float, degrees: float) -> tuple[float, float]:
    """The point at a distance and angle from (x, y); 270 degrees is up."""
    angle = math.radians(degrees)
    return (x + radius * math.cos(angle), y + radius * math.sin(angle))


EMBLEMS: Mapping[str, Callable[[Pen], None]] = MappingProxyType(
    {
        "coffee": _coffee,
        "croissant": _croissant,
        "leaf": _leaf,
        "pizza": _pizza,
        "scissors": _scissors,
        "star": _star,
    }
)
"""Icon → what draws it."""
