"""Child processes that end with us, even when we are killed (on Linux; elsewhere the next start tidies up).

The kernel sends a child its death signal when the *thread* that started it ends. So all children are started by one
thread that lives as long as the process.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import IO

from regulars.kernel.embedded.account import Account

_LAUNCHER = Path(__file__).with_name("launcher.py")
_Order = tuple[Callable[[], "subprocess.Popen[bytes]"], "Future[subprocess.Popen[bytes]]"]


class _Spawner:
    """The thread that starts all children of this process."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._orders: queue.SimpleQueue[_Order] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="regulars-spawner", daemon=True).start()

    def _run(self) -> None:
        while True:
            start, answer = self._orders.get()
            try:
                answer.set_result(start())
            except BaseException as error:  # noqa: BLE001 - handed to the thread that asked
                answer.set_exception(error)

    def spawn(self, start: Callable[[], "subprocess.Popen[bytes]"]) -> "subprocess.Popen[bytes]":
        answer: Future[subprocess.Popen[bytes]] = Future()
        self._orders.put((start, answer))
        return answer.result()


_spawner: _Spawner | None = None
_spawner_guard = threading.Lock()


def spawn(
    argv: Sequence[str | Path],
    *,
    cwd: Path,
    output: IO[bytes] | int,
    stdin: int = subprocess.DEVNULL,
    environ: Mapping[str, str] | None = None,
    account: Account | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
) -> "subprocess.Popen[bytes]":
    """Start a direct child in a session of its own (a Ctrl-C at our terminal does not reach it).

    Args:
        argv: absolute path of the program, and its arguments.
        cwd: folder to run in; entered before the user changes, so the folders above it may be closed to that user.
        output: file for standard output and error.
        stdin: as for `subprocess.Popen`.
        environ: whole environment; a minimal one by default.
        account: user to become; only root can.
        death_signal: what the child gets when we die.
    """
    order = {
        "argv": [str(part) for part in argv],
        "parent": os.getpid(),
        "death_signal": int(death_signal),
        "cwd": str(cwd.resolve()),
        "account": None if account is None else [account.uid, account.gid],
    }

    def start() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603 - our own launcher with arguments of ours
            [sys.executable, "-I", "-S", str(_LAUNCHER), json.dumps(order)],
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environ) if environ is not None else {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            start_new_session=True,
        )

    global _spawner  # noqa: PLW0603 - one thread per process, made when first needed
    with _spawner_guard:
        if _spawner is None or _spawner.pid != os.getpid():  # threads do not survive a fork
            _spawner = _Spawner()
    return _spawner.spawn(start)


def run(
    argv: Sequence[str | Path], *, cwd: Path, account: Account | None, text: str = "", timeout: float = 120
) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end as `spawn` does, with `text` as its input.

    Args:
        argv: absolute path of the program, and its arguments.
        cwd: folder to run in.
        account: user to become.
        text: standard input.
        timeout: seconds after which it is killed.

    Returns:
        The exit code and everything that it printed.
    """
    with spawn(
        argv,
        cwd=cwd,
        account=account,
        output=subprocess.PIPE,
        stdin=subprocess.PIPE,
        death_signal=signal.SIGKILL,
    ) as process:
        try:
            printed, _ = process.communicate(text.encode(), timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            printed, _ = process.communicate()
    return subprocess.CompletedProcess(list(argv), process.returncode, printed.decode("utf-8", "replace"))


def stop(process: "subprocess.Popen[bytes]", steps: Sequence[tuple[signal.Signals, float]]) -> int:
    """End a child politely, then firmly.

    Args:
        process: the child.
        steps: signals in order, each with the seconds to wait after it; SIGKILL follows the last.

    Returns:
        The exit code.
    """
    for number, seconds in steps:
        process.send_signal(number)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    process.kill()
    return process.wait()
