"""`regulars theme`."""

from __future__ import annotations

from pathlib import Path

import click

from regulars.cli.parts import faults_told
from regulars.cli.theme_new import new


@click.group("theme")
def command() -> None:
    """Make themes, and check them."""


@command.command("check")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def check(*, folder: Path) -> None:
    """Say what is wrong with the theme in FOLDER, a sentence each; the exit code is 1 when anything is."""
    from regulars.cli.theme_check import check_theme

    with faults_told():
        found = check_theme(folder)
    for finding in found:
        click.echo(str(finding))
    errors = sum(finding.is_error for finding in found)
    if errors:
        raise click.ClickException(f"{errors} to mend.")
    click.echo("The theme is sound.")


command.add_command(new)
