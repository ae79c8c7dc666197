"""`regulars theme`."""

from __future__ import annotations

from pathlib import Path

import click

from regulars.cli.parts import faults_told

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group("theme")
def command() -> None:
    """Make themes, and check them."""


@command.command("new")
@click.argument("name")
@click.option("--in", "parent", type=_FOLDER, default="themes", show_default=True, help="Folder that gets it.")
@click.option("--extends", default="classic", show_default=True, help="Theme that it builds on.")
def new(*, name: str, parent: Path, extends: str) -> None:
    """Make a theme called NAME that works: settings, presets, one override, a style sheet, a picture and a test."""
    from regulars.testing.themes.scaffold import make_theme

    with faults_told():
        folder = make_theme(parent, name, extends)
    click.echo(f"{folder} is made. Check it with: regulars theme check {folder}")


@command.command("check")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def check(*, folder: Path) -> None:
    """Say what is wrong with the theme in FOLDER, a sentence each; the exit code is 1 when anything is."""
    from regulars.testing.themes import check_theme

    with faults_told():
        found = check_theme(folder)
    for finding in found:
        click.echo(str(finding))
    errors = sum(finding.is_error for finding in found)
    if errors:
        raise click.ClickException(f"{errors} to mend.")
    click.echo("The theme is sound.")
