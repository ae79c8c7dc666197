"""`regulars plugin new`: a distribution with a rule, a page, a slot, a table and green tests, to be changed."""

from __future__ import annotations

from keyword import iskeyword
from pathlib import Path

import click

from regulars import __version__
from regulars.cli.scaffold import title_fault, write_skeleton
from regulars.contracts.manifest import NAME_PATTERN

LONGEST = 24
"""Characters of a name; more are possible by hand, but the skeleton's lines would not be well-formed."""


@click.command("new")
@click.argument("name")
@click.option("--title", default="", help="What people read; made from the name when left out.")
@click.option("--dir", "folder", default="", help="Folder to make; regulars-plugin-NAME when left out.")
def new(name: str, title: str, folder: str) -> None:
    """Write a new plugin NAME: a distribution of its own, with a rule, a page, a slot, a table and tests.

    NAME is lower case, such as coffee_club; it is the prefix of everything that the plugin names.
    """
    distribution = f"regulars-plugin-{name.replace('_', '-')}"
    title, into = title or name.replace("_", " ").capitalize(), Path(folder or distribution)
    fault = name_fault(name) or title_fault(title) or folder_fault(into)
    if fault is not None:
        raise click.ClickException(fault)
    values = {
        "name": name,
        "title": title,
        "package": f"regulars_{name}",
        "distribution": distribution,
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


def folder_fault(into: Path) -> str | None:
    """Why nothing can be written there, `None` when it can."""
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        return f"{into} is there already and not empty: nothing was written. Name another folder with --dir."
    return None
