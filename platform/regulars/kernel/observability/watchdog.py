"""Notices an event loop that is stuck: a thread beside it looks whether the loop still comes round.

Where it does not, the stack of the loop's thread goes to the log, so that the plugin or library at fault can be named.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from collections.abc import Callable

import structlog

from regulars.kernel.observability.metrics import LOOP_BLOCKS
from regulars.kernel.observability.sharing import come_round

log = structlog.get_logger(__name__)

BLOCKED_SECONDS = 5.0
"""From here on it is logged and the machine's health is red."""
_LOOK_EVERY = 0.5


class Watchdog:
    """Watches the event loop that is running when it is started.

    Args:
        role: tells what this process is, for its machine's health.
        each_round: called in the loop, twice a second: for what is measured rather than counted.
        blocked: seconds from which on the loop counts as stuck.
    """

    def __init__(
        self, role: Callable[[], str], each_round: Callable[[], None] = lambda: None, blocked: float = BLOCKED_SECONDS
    ) -> None:
        self._role = role
        self._each_round = each_round
        self._blocked = blocked
        self._stopped = threading.Event()
        self._last = time.monotonic()
        self._thread = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Watch from now on. Needs a running event loop."""
        self._thread = threading.get_ident()
        self._task = asyncio.create_task(self._come_round(), name="watchdog")
        threading.Thread(target=self._look, name="watchdog", daemon=True).start()

    async def stop(self) -> None:
        """Watch no more."""
        self._stopped.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _come_round(self) -> None:
        while True:
            self._last = time.monotonic()
            come_round(self._role())
            self._each_round()
            await asyncio.sleep(_LOOK_EVERY)

    def _look(self) -> None:
        told = False
        while not self._stopped.wait(_LOOK_EVERY):
            lag = max(0.0, time.monotonic() - self._last - _LOOK_EVERY)
            if lag < self._blocked:
                told = False
            elif not told:
                told = True
                LOOP_BLOCKS.inc()
                log.error("event_loop_blocked", seconds=round(lag, 1), stack=self._stack())

    def _stack(self) -> str:
        frame = sys._current_frames().get(self._thread)
        return "".join(traceback.format_stack(frame)) if frame is not None else ""
