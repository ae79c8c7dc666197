"""`regulars web`."""

from math import ceil

import click

from regulars.cli.admin_port import admin_port
from regulars.cli.common import read_config
from regulars.kernel.config import Config

_BACKLOG = 1024
GRACE_SECONDS = 20
"""For requests that were begun, after the time of draining."""
_HEADER_MILLISECONDS = 15_000
_HEADER_BYTES = 64 * 1024
_RESPAWN_SECONDS = 0.5
_LOGS_OUR_WAY = {"formatters": {}, "handlers": {}, "loggers": {"_granian": {"propagate": True}}}
"""The server's own lines take the way of all others, so that every line is JSON."""


@click.command("web")
def command() -> None:
    """Run the web server until SIGTERM; a worker that dies is started again."""
    config = read_config()
    with admin_port(config):
        _check_plugins(config)
        serve(config)


def _check_plugins(config: Config) -> None:
    """Tell faults of plugins once, here, instead of in every worker again and again."""
    from regulars.contracts.errors import ConfigurationError
    from regulars.kernel.plugins.loader import load_plugins

    try:
        load_plugins(allowed=config.plugins, blocked=config.plugin_blocklist, policy=config.plugin_errors)
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from None


def serve(config: Config, factory: str = "regulars.app:create_from_environment") -> None:
    """Serve an application until SIGTERM.

    Args:
        config: address, number of worker processes, log level.
        factory: `module:function` that makes the application of a worker process.
    """
    from granian import Granian
    from granian.constants import Interfaces
    from granian.http import HTTP1Settings, HTTP2Settings
    from granian.log import LogLevels

    from regulars.kernel.observability import configure_logging

    configure_logging(config.log_level, json_lines=config.log_json)
    _make_room(config.live_connections)
    Granian(
        factory,
        factory=True,
        address=config.bind,
        port=config.port,
        interface=Interfaces.ASGI,
        workers=config.web_workers,
        backlog=_BACKLOG,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_MILLISECONDS),
        http2_settings=HTTP2Settings(max_headers_size=_HEADER_BYTES),
        respawn_failed_workers=True,
        respawn_interval=_RESPAWN_SECONDS,
        workers_kill_timeout=ceil(config.drain_seconds) + GRACE_SECONDS,
        log_level=LogLevels(config.log_level),
        log_dictconfig=_LOGS_OUR_WAY,
    ).serve()


def _make_room(live_connections: int) -> None:
    """Let each worker hold so many sockets beside everything else: the usual soft limit is 1,024 open files."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = live_connections + 2 * _BACKLOG
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
