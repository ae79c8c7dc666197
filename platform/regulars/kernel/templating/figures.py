"""Small drawings and texts that templates compute from data: QR codes, sparklines, initials, card numbers."""

from __future__ import annotations

from collections.abc import Sequence

import qrcode
from markupsafe import Markup

_QUIET_ZONE = 4
_SPARK_WIDTH = 100.0
_SPARK_HEIGHT = 32.0


def qr_svg(data: str) -> Markup:
    """QR code as one SVG path, black on transparent, with the quiet zone of four modules that scanners need.

    Args:
        data: text of the code; a card's address or number.

    Returns:
        An `<svg>` that fills its box; put it on white.

    Raises:
        ValueError: the text is empty or too long for a QR code.
    """
    if not data:
        raise ValueError("A QR code needs a text.")
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=0)
    code.add_data(data)
    code.make(fit=True)
    modules = code.get_matrix()
    size = len(modules) + 2 * _QUIET_ZONE
    path = "".join(
        f"M{x + _QUIET_ZONE} {y + _QUIET_ZONE}h{length}v1h-{length}z"
        for y, row in enumerate(modules)
        for x, length in _runs(row)
    )
    return Markup(  # noqa: S704 -- only numbers are put in
        f'<svg viewBox="0 0 {size} {size}" shape-rendering="crispEdges" aria-hidden="true">'
        f'<path fill="#000" d="{path}"/></svg>'
    )


def _runs(row: Sequence[bool | None]) -> list[tuple[int, int]]:
    """Start and length of each run of dark modules in a row."""
    runs: list[tuple[int, int]] = []
    start = -1
    for x, dark in enumerate([*row, False]):
        if dark and start < 0:
            start = x
        elif not dark and start >= 0:
            runs.append((start, x - start))
            start = -1
    return runs


def spark_path(values: Sequence[float], area: bool = False) -> str:
    """Path of a sparkline in a box of 100 × 32.

    Args:
        values: at least two numbers, oldest first.
        area: closed down to the base line, for the soft fill below the line.

    Returns:
        The `d` attribute of a `<path>`.
    """
    low, high = min(values), max(values)
    span = (high - low) or 1
    step = _SPARK_WIDTH / (len(values) - 1)
    points = [
        f"{index * step:.1f} {_SPARK_HEIGHT - 2 - (value - low) / span * (_SPARK_HEIGHT - 4):.1f}"
        for index, value in enumerate(values)
    ]
    line = "M" + "L".join(points)
    return f"{line}L{_SPARK_WIDTH:.0f} {_SPARK_HEIGHT:.0f}L0 {_SPARK_HEIGHT:.0f}Z" if area else line


def initials(name: str) -> str:
    """One or two letters that stand for a person or thing: `Marie Leroy` → `ML`; `?` without a name."""
    words = name.replace("@", " ").split()
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def card_number(number: str) -> str:
    """Card number in groups of four: `482174932841` → `4821-7493-2841`.

    Args:
        number: digits, with or without hyphens; anything else is returned as it is.
    """
    digits = number.replace("-", "").replace(" ", "")
    if not digits.isdigit():
        return number
    return "-".join(digits[start : start + 4] for start in range(0, len(digits), 4))
