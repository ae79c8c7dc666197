"""Small drawings and texts that templates compute from data: sparklines, initials, card numbers."""

from __future__ import annotations

from collections.abc import Sequence

_SPARK_WIDTH = 100.0
_SPARK_HEIGHT = 32.0


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
