"""`regulars plugin new`: a distribution with a rule, a page, a slot, a table and green tests, to be changed."""

from __future__ import annotations

import re
from keyword import iskeyword
from pathlib import Path

import click

from regulars import __version__
from regulars.cli.scaffold import title_fault, write_skeleton
from regulars.contracts.manifest import NAME_PATTERN

LONGEST = 24
"""Characters of a name; more are possible by hand, but the skeleton's lines would not be well-formed."""

LONGEST_UNIT = 12
_PLURAL = re.compile(rf"[a-z]{{1,{LONGEST_UNIT - 2}}}[a-rt-z]s")


@click.command("new")
@click.argument("name")
@click.option("--title", default="", help="What people read; made from the name when left out.")
@click.option(
    "--unit",
    "units",
    default="",
    help="What customers earn, in the plural; NAME's last word if that is one, or hearts.",
)
@click.option("--dir", "folder", default="", help="Folder to make; regulars-plugin-NAME when left out.")
def new(name: str, title: str, units: str, folder: str) -> None:
    """Write a new plugin NAME: a distribution of its own, with a rule, a page, a slot, a table and tests.

    NAME is lower case, such as coffee_club; it is the prefix of everything that the plugin names.
    """
    distribution = f"regulars-plugin-{name.replace('_', '-')}"
    title, into = title or name.replace("_", " ").capitalize(), Path(folder or distribution)
    units = units or unit_of(name)
    fault = name_fault(name) or title_fault(title) or unit_fault(units) or folder_fault(into)
    if fault is not None:
        raise click.ClickException(fault)
    values = {
        "name": name,
        "title": title,
        "package": f"regulars_{name}",
        "distribution": distribution,
        **words_of(units),
        "path": name.replace("_", "-").rstrip("-"),
        "host": f">={__version__.split('.', maxsplit=1)[0]},<{int(__version__.split('.', maxsplit=1)[0]) + 1}",
    }
    files = write_skeleton("plugin", into, values)
    click.echo(f"{title} is in {into}: {len(files)} files.\n")
    click.echo("Next:")
    click.echo(f"  pip install -e '{into}[dev]'")
    click.echo(f"  cd {into} && pytest")
    click.echo("  regulars plugin list")


def name_fault(name: str) -> str | None:
    """Why a plugin cannot be called so, `None` when it can."""
    from regulars.kernel.plugins.discovery import discover
    from regulars.kernel.plugins.namespace import RESERVED_NAMES

    if not NAME_PATTERN.match(name) or len(name) > LONGEST or iskeyword(name) or name.endswith("_") or "__" in name:
        return f"{name!r} cannot be a plugin's name: 2 to {LONGEST} lower-case letters, digits and single underscores."
    taken = {found.name: found.distribution for found in discover()}
    if name in taken:
        return f"There is a plugin {name!r} already, of the distribution {taken[name]}: choose another name."
    if name in RESERVED_NAMES:
        return f"The name {name!r} belongs to the host: choose another one."
    return None


def unit_of(name: str) -> str:
    """The plural that a plugin's name ends with, such as beans of `golden_beans`; hearts where it does not."""
    last = name.rpartition("_")[2]
    return last if unit_fault(last) is None else "hearts"


def unit_fault(units: str) -> str | None:
    """Why the skeleton cannot speak of such units, `None` when it can."""
    if _PLURAL.fullmatch(units) and not iskeyword(singular(units)):
        return None
    return f"{units!r} cannot be a unit: a plural such as hearts, 3 to {LONGEST_UNIT} lower-case letters."


def singular(units: str) -> str:
    """One of several: `heart` of `hearts`, `berry` of `berries`, `peach` of `peaches`."""
    if units.endswith("ies") and len(units) > 4:
        return f"{units[:-3]}y"
    return units[:-2] if units.endswith(("ches", "shes", "sses", "xes", "zes")) else units[:-1]


def words_of(units: str) -> dict[str, str]:
    """The words that the skeleton writes of a unit."""
    unit = singular(units)
    article = "an" if unit[0] in "aeiou" else "a"
    return {"unit": unit, "units": units, "Units": units.capitalize(), "a": article, "A": article.capitalize()}


def folder_fault(into: Path) -> str | None:
    """Why nothing can be written there, `None` when it can."""
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        return f"{into} is there already and not empty: nothing was written. Name another folder with --dir."
    return None
