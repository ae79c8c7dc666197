"""Starting and watching the process behind the admin port, beside the command that it tells about."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from regulars.cli.network import check_port
from regulars.cli.supervise import Watched
from regulars.kernel.config import Config
from regulars.kernel.observability.sharing import share_in

log = structlog.get_logger(__name__)

_METRICS = "regulars.kernel.observability.metrics"
_LOOK_EVERY = 0.5
_STOP_SECONDS = 5.0


@contextmanager
def admin_port(config: Config) -> Iterator[None]:
    """Share metrics while the block runs, and tell them on the admin port where there is one.

    To be entered before anything is imported that counts: what counts looks for the folder when it is imported.

    Args:
        config: for the port, 0 for none, and the folder, one of our own when it names none.

    Raises:
        click.ClickException: the port is in use.
    """
    assert _METRICS not in sys.modules, "metrics were imported before their folder was known"
    if config.metrics_dir is not None:
        share_in(config.metrics_dir, os.environ)
        with _telling(config):
            yield
    elif config.admin_port:
        with tempfile.TemporaryDirectory(prefix="regulars-metrics-") as folder:
            share_in(Path(folder), os.environ)
            with _telling(config):
                yield
    else:
        yield


@contextmanager
def _telling(config: Config) -> Iterator[None]:
    if not config.admin_port:
        yield
        return
    check_port(config.admin_bind, config.admin_port, "REGULARS_ADMIN_PORT")
    process, stopped = _Process(), threading.Event()
    watched = Watched("admin port", process.start, process.running, lambda line: log.warning("admin_port", line=line))
    watched.start(time.monotonic())
    watching = threading.Thread(target=_watch, args=(watched, stopped), name="admin-port", daemon=True)
    watching.start()
    try:
        yield
    finally:
        stopped.set()
        watching.join()
        process.stop()


def _watch(watched: Watched, stopped: threading.Event) -> None:
    while not stopped.wait(_LOOK_EVERY):
        watched.check(time.monotonic())


class _Process:
    """`regulars admin` as a child; it ends by itself when we are gone."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._child = subprocess.Popen([sys.executable, "-m", "regulars.cli", "admin"], start_new_session=True)

    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def stop(self) -> None:
        if self._child is None:
            return
        self._child.send_signal(signal.SIGTERM)
        try:
            self._child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
