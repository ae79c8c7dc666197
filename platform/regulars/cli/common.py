"""What several subcommands need."""

import os

import click

from regulars.contracts.errors import ConfigurationError
from regulars.kernel.config import Config, ConfigError, load_config
from regulars.kernel.observability.reports import report_errors


def environment() -> dict[str, str]:
    """Copy the environment of this process: a command is a composition root and hands it to whoever reads it."""
    return dict(os.environ)


def read_config() -> Config:
    """Make the configuration from the environment; errors of the command are reported where it says so.

    Raises:
        click.ClickException: it has faults; the text has one sentence for each.
    """
    try:
        config = load_config(environment())
        report_errors(config)
    except (ConfigError, ConfigurationError) as error:
        raise click.ClickException(str(error)) from None
    return config
