"""Watches over child processes: starts again what ended, more slowly each time."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from regulars.kernel.embedded import EmbeddedError
from regulars.kernel.embedded.logs import open_log
from regulars.kernel.embedded.process import spawn

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_STABLE_AFTER = 60.0


class Command:
    """A subcommand of ours as a child process; its output goes to a log file.

    Args:
        arguments: what follows `regulars`.
        environ: the whole environment.
        folder: folder to run in.
        log: file to which the output is appended.
    """

    def __init__(self, arguments: Sequence[str], environ: Mapping[str, str], folder: Path, log: Path) -> None:
        self._arguments = arguments
        self._environ = environ
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.log = log

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Process id of the running child, else None."""
        return self._process.pid if self.running and self._process else None

    def start(self) -> None:
        """Start the process, and end what an earlier one of it has left."""
        self._end_group()
        with open_log(self.log) as output:
            self._process = spawn(
                [sys.executable, "-m", "regulars.cli", *self._arguments],
                cwd=self._folder,
                output=output,
                environ=self._environ,
            )

    def wait(self) -> int:
        """Wait for the end and give the exit code; when we are interrupted, the process is ended."""
        assert self._process is not None, "start it first"
        try:
            return self._process.wait()
        finally:
            self.ask_to_stop()
            self.stop(5)

    def ask_to_stop(self) -> None:
        """Send SIGTERM, without waiting."""
        if self._process is not None:
            self._process.terminate()

    def stop(self, seconds: float) -> None:
        """Wait for the end that was asked for; after `seconds` it is forced."""
        if self._process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        self._end_group()
        self._process.wait()
        self._process = None

    def _end_group(self) -> None:
        """Kill what is left of the child's process group (a server may have workers of its own)."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)


class Watched:
    """Something that has to run all the time.

    Args:
        name: for messages.
        start: starts it (again); may raise `EmbeddedError`.
        running: tells whether it runs.
        say: takes a line for the operator.
    """

    def __init__(
        self, name: str, start: Callable[[], None], running: Callable[[], bool], say: Callable[[str], None]
    ) -> None:
        self.name = name
        self.failures = 0
        self._start = start
        self._running = running
        self._say = say
        self._started = 0.0
        self._due: float | None = None

    def start(self, now: float) -> None:
        """Start it for the first time.

        Args:
            now: reading of the monotonic clock, in seconds.
        """
        self._started = now
        self._start()

    def check(self, now: float) -> None:
        """Look after it: notice the end, wait a little longer each time, start again.

        Args:
            now: reading of the monotonic clock, in seconds.
        """
        if self._due is not None:
            if now >= self._due:
                self._start_again(now)
        elif not self._running():
            self._plan(now, "ended")
        elif now - self._started > _STABLE_AFTER:
            self.failures = 0

    def _start_again(self, now: float) -> None:
        self._due = None
        try:
            self.start(now)
        except EmbeddedError as error:
            self._plan(now, f"does not start ({error})")

    def _plan(self, now: float, what: str) -> None:
        self.failures += 1
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (self.failures - 1))
        self._due = now + pause
        self._say(f"{self.name} {what}; next start in {pause:g} s")
