"""`regulars worker`."""

import click

from regulars.cli.common import read_config


@click.command("worker")
def command() -> None:
    """Run the worker for jobs and events until SIGTERM; several may run at once."""
    from regulars.contracts.errors import ConfigurationError
    from regulars.kernel.observability import configure_logging
    from regulars.worker import build_worker, run

    config = read_config()
    configure_logging(config.log_level, json_lines=config.log_json)
    try:
        worker = build_worker(config)
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from None
    run(worker)
