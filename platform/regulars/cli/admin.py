"""`regulars admin`: the process behind the admin port; `regulars web` and `regulars worker` start it."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import click

from regulars.cli.common import environment, read_config
from regulars.cli.parts import faults_told, load_registry

_PARENT_SECONDS = 1.0


@click.command("admin", hidden=True)
def command() -> None:
    """Tell metrics and health on the admin port, for as long as the command lives that started this."""
    from regulars.kernel.db.database import Database
    from regulars.kernel.observability import configure_logging
    from regulars.kernel.observability.sharing import FOLDER_VARIABLE
    from regulars.kernel.redis import TenantRedis
    from regulars.web.admin.app import AdminParts, create_admin_app

    folder = environment().get(FOLDER_VARIABLE)
    if folder is None:
        raise click.ClickException("Start `regulars web` or `regulars worker` with REGULARS_ADMIN_PORT instead.")
    config = read_config()
    configure_logging(config.log_level, json_lines=config.log_json)
    with faults_told():
        plugins = load_registry(config)
    small = config.model_copy(update={"pool_size": 2})
    parts = AdminParts(config, plugins, Database(small), TenantRedis(config.redis_url), Path(folder))
    asyncio.run(_serve(create_admin_app(parts), config.admin_bind, config.admin_port))


async def _serve(app: object, bind: str, port: int) -> None:
    from granian.constants import Interfaces
    from granian.server.embed import Server

    server = Server(app, address=bind, port=port, interface=Interfaces.ASGI, log_enabled=False)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    serving = asyncio.create_task(server.serve())
    parent = os.getppid()
    while not stop.is_set() and not serving.done() and os.getppid() == parent:
        await asyncio.wait({asyncio.ensure_future(stop.wait()), serving}, timeout=_PARENT_SECONDS)
    server.stop()  # type: ignore[no-untyped-call]
    await serving
