"""`regulars config`."""

import click

from regulars.cli.common import read_config
from regulars.kernel.config import Described, describe


@click.command("config")
def command() -> None:
    """Show each effective option and where its value came from; secrets are masked.

    Each option is an environment variable. With REGULARS_DATA_DIR, the options of that data folder are shown.
    """
    lines = list(describe(read_config()))
    width = max(len(line.name) for line in lines)
    for line in lines:
        click.echo(f"{line.name:<{width}}  {line.value or '-'}  ({_origin(line)})")


def _origin(line: Described) -> str:
    return f"{line.source}, as {line.alias}" if line.alias else line.source
