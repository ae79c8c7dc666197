"""`regulars worker`."""

import click

from regulars.cli.common import read_config
from regulars.cli.parts import faults_told


@click.command("worker")
def command() -> None:
    """Run the worker for jobs and events until SIGTERM; several may run at once."""
    from regulars.kernel.observability import configure_logging
    from regulars.worker import build_worker, run

    config = read_config()
    configure_logging(config.log_level, json_lines=config.log_json)
    with faults_told():
        worker = build_worker(config)
    run(worker)
