"""What `regulars up` runs: servers, migrations, demo data, web server and worker, in one process tree."""

import asyncio
import contextlib
import http.client
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import click

from regulars.cli import data_folder
from regulars.cli.supervise import Command, Watched
from regulars.cli.summary import demo_lines, plain_lines
from regulars.kernel.config import ConfigError, load_config
from regulars.kernel.embedded import EmbeddedError, EmbeddedPostgres, EmbeddedRedis, Urls, load_secrets
from regulars.kernel.embedded.folder import FolderLock, prepare_folder
from regulars.kernel.embedded.logs import tail
from regulars.kernel.embedded.roles import prepare_server
from regulars.kernel.paths import bundled

_READY_SECONDS = 120.0
_STOP_SECONDS = 20.0


@dataclass(frozen=True)
class Options:
    """What the operator wants.

    Attributes:
        port: web port.
        data: absolute path of the data folder.
        base: base domain, lower case.
        database_url: a server of the operator's own, as a role that may create roles, else None.
        redis_url: a Redis of the operator's own, else None.
        demo: whether to make the demo's data.
    """

    port: int
    data: Path
    base: str
    database_url: str | None
    redis_url: str | None
    demo: bool
