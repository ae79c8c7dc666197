"""`regulars worker`."""

import click

from regulars.cli.admin_port import admin_port
from regulars.cli.common import read_config


@click.command("worker")
def command() -> None:
    """Run the worker for jobs and events until SIGTERM; several may run at once."""
    config = read_config()
    with admin_port(config):
        from regulars.cli.parts import faults_told
        from regulars.kernel.observability import configure_logging
        from regulars.worker import build_worker, run

        configure_logging(config.log_level, json_lines=config.log_json)
        with faults_told():
            worker = build_worker(config)
        run(worker)
