"""What several subcommands need."""

import os

import click

from regulars.kernel.config import Config, ConfigError, load_config


def environment() -> dict[str, str]:
    """Copy the environment of this process: a command is a composition root and hands it to whoever reads it."""
    return dict(os.environ)


def read_config() -> Config:
    """Make the configuration from the environment.

    Raises:
        click.ClickException: it has faults; the text has one sentence for each.
    """
    try:
        return load_config(environment())
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
