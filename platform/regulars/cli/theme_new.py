"""`regulars theme new`: a theme that works at once, to be changed."""

from __future__ import annotations

import re
from pathlib import Path

import click
from PIL import Image, ImageDraw

from regulars import __version__
from regulars.cli.scaffold import title_fault, write_skeleton
from regulars.kernel.templating.theme_files import SCREENSHOT

_NAME = re.compile(r"[a-z][a-z0-9_-]{1,30}")
_BRAND, _PAPER = "#0f5f5c", "#f4efe6"


@click.command("new")
@click.argument("name")
@click.option("--title", default="", help="What merchants read; made from the name when left out.")
@click.option("--extends", default="classic", show_default=True, help="Theme that it builds on.")
@click.option("--dir", "folder", default="", help="Folder to make; themes/NAME when left out.")
def new(name: str, title: str, extends: str, folder: str) -> None:
    """Write a new theme NAME: settings, a preset, one override, a style sheet, a picture and a test.

    NAME is lower case, such as night-owl; the folder is called so too.
    """
    title, into = title or re.sub("[-_]", " ", name).capitalize(), Path(folder or f"themes/{name}")
    fault = _fault(name, into) or title_fault(title)
    if fault is not None:
        raise click.ClickException(fault)
    major = int(__version__.partition(".")[0])
    values = {"name": name, "title": title, "extends": extends, "host": f">={major}.0,<{major + 1}"}
    files = write_skeleton("theme", into, values)
    (into / "locale").mkdir()
    _picture().save(into / SCREENSHOT, optimize=True)
    click.echo(f"{title} is in {into}: {len(files) + 1} files.\n")
    click.echo("Next:")
    click.echo(f"  regulars theme check {into}")
    click.echo(f"  REGULARS_THEMES_DIR={into.parent} regulars up --demo")
    click.echo(f"Then choose {title} on a merchant's page “Look”, such as http://pizza.localhost:8000/manage/look.")


def _fault(name: str, into: Path) -> str | None:
    if not _NAME.fullmatch(name):
        return f"{name!r} cannot be a theme's name: lower-case letters, digits, - and _, a letter first."
    if into.name != name:
        return f"The folder must be called {name} too, as the theme in it."
    if into.exists():
        return f"{into} is there already: nothing was written."
    return None


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
