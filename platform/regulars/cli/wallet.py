"""`regulars wallet`."""

from __future__ import annotations

from pathlib import Path

import click


@click.group("wallet")
def command() -> None:
    """Make certificates for passes in development."""


@command.command("dev-certs")
@click.option(
    "--into", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder; it is made if need be."
)
def dev_certs(*, into: Path) -> None:
    """Make an authority and a Pass Type ID certificate for development, and say how to use them.

    Phones take no passes that are signed with them: they are for simulators and for openssl.
    """
    from regulars.cli.dev_certs import write_files

    if into.exists() and any(into.iterdir()):
        raise click.ClickException(f"{into} is not empty: nothing was written.")
    variables = write_files(into)
    click.echo(f"The certificates are in {into}. Start the platform with:\n")
    for variable, path in variables.items():
        click.echo(f"  export {variable}={path}")
    click.echo("\nA pass is a zip file; in the folder where it was unpacked this verifies it:\n")
    click.echo(
        "  openssl smime -verify -inform DER -in signature -content manifest.json "
        f"-CAfile {into.resolve() / 'root.pem'} -purpose any -out /dev/null"
    )
