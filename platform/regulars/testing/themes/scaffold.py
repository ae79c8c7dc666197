"""A new theme that works at once: what `regulars theme new` writes."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image, ImageDraw

from regulars import __version__
from regulars.contracts.errors import InvalidInput
from regulars.kernel.templating.theme_files import SCREENSHOT

_NAME = re.compile(r"[a-z][a-z0-9_-]{1,30}")
_SKELETON = Path(__file__).parent / "skeleton"
"""The new theme's files; NAME, TITLE, EXTENDS, HOST_FROM and HOST_BELOW in them and in their names are filled in."""
_BRAND, _PAPER = "#0f5f5c", "#f4efe6"


def make_theme(parent: Path, name: str, extends: str) -> Path:
    """Write a theme.

    Args:
        parent: folder that gets it; made when it is missing.
        name: of the theme and its folder.
        extends: theme that it builds on.

    Returns:
        The theme's folder.

    Raises:
        InvalidInput: the name cannot be one, or there is such a folder.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"“{name}” must be lower-case letters, digits, - and _, a letter first.")
    folder = parent / name
    if folder.exists():
        raise InvalidInput(f"{folder} is there already; choose another name.")
    major = int(__version__.partition(".")[0])
    words = {
        "NAME": name,
        "TITLE": name.replace("-", " ").replace("_", " ").capitalize(),
        "EXTENDS": extends,
        "HOST_FROM": f"{major}.0",
        "HOST_BELOW": str(major + 1),
    }
    for source in sorted(path for path in _SKELETON.rglob("*") if path.is_file() and path.suffix != ".pyc"):
        file = folder / _filled(source.relative_to(_SKELETON).as_posix(), words)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_filled(source.read_text("utf-8"), words), "utf-8")
    (folder / "locale").mkdir()
    _picture().save(folder / SCREENSHOT, optimize=True)
    return folder


def _filled(text: str, words: dict[str, str]) -> str:
    for place, word in words.items():
        text = text.replace(place, word)
    return text


def _picture() -> Image.Image:
    """A card on paper: a picture until there is a better one."""
    picture = Image.new("RGB", (480, 360), _PAPER)
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((80, 60, 400, 260), 16, fill=_BRAND)
    draw.rounded_rectangle((280, 140, 380, 240), 8, fill="white")
    for place in range(5):
        box = (80 + place * 66, 285, 136 + place * 66, 341)
        draw.ellipse(box, fill=_BRAND if place < 3 else _PAPER, outline=_BRAND, width=3)
    return picture
