"""The parts that commands on data need: plugins, database, settings; and how their faults are told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from regulars.contracts.errors import RegularsError, Unavailable
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.kernel.plugins.loader import load_plugins
from regulars.kernel.plugins.registry import PluginRegistry

T = TypeVar("T")


def load_registry(config: Config) -> PluginRegistry:
    """Load the plugins as the configuration says.

    Raises:
        PluginLoadError: one line per fault.
    """
    return load_plugins(allowed=config.plugins, blocked=config.plugin_blocklist, policy=config.plugin_errors)


def with_database(config: Config, work: Callable[[Database], Coroutine[Any, Any, T]]) -> T:
    """Run something asynchronous with the database's engines.

    Args:
        config: the configuration.
        work: what to do.
    """

    async def run() -> T:
        database = Database(config)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


@contextmanager
def faults_told() -> Iterator[None]:
    """Turn designed errors into a clear end of the command.

    Raises:
        click.ClickException: with the error's own sentences.
    """
    try:
        yield
    except Unavailable as error:
        text = "The database cannot be reached: is it running, and do the REGULARS_DATABASE_URL_… variables name it?"
        raise click.ClickException(text) from error
    except RegularsError as error:
        raise click.ClickException(error.detail or str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{error.strerror or error}: is the database running?") from error
