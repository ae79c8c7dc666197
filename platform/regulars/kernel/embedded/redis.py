"""A real Redis (or Valkey) server of our own: nothing that it holds needs to survive it."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

from regulars.kernel.embedded.account import server_account
from regulars.kernel.embedded.binaries import redis_program
from regulars.kernel.embedded.errors import EmbeddedError
from regulars.kernel.embedded.folder import FolderLock, prepare_folder
from regulars.kernel.embedded.logs import open_log, tail
from regulars.kernel.embedded.ports import free_port, is_free
from regulars.kernel.embedded.process import spawn, stop
from regulars.kernel.embedded.secrets import Secrets, load_secrets

_START_SECONDS = 20.0


class EmbeddedRedis:
    """One server. `start` and `stop` may be called again and again; the port stays.

    Args:
        data: data folder of the installation; the server runs in `redis/` below it.
        port: port on 127.0.0.1; a free one by default.
    """

    def __init__(self, data: Path, port: int | None = None) -> None:
        self.data = data.absolute()
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._secrets: Secrets | None = None
        self._lock = FolderLock(self.data / "redis.lock", f"The Redis in {self.data}")

    @property
    def folder(self) -> Path:
        """Where the server runs."""
        return self.data / "redis"

    @property
    def log(self) -> Path:
        """Where the server writes its log."""
        return self.data / "log" / "redis.log"

    @property
    def port(self) -> int:
        """Port of the server.

        Raises:
            EmbeddedError: it was never started and no port was given.
        """
        if self._port is None:
            raise EmbeddedError("The embedded Redis was not started.")
        return self._port

    @property
    def pid(self) -> int | None:
        """Process id of the running server, else None."""
        return self._process.pid if self.running and self._process else None

    @property
    def running(self) -> bool:
        """Whether the server's process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def url(self) -> str:
        """Address, with the password.

        Raises:
            EmbeddedError: the server was never started.
        """
        if self._secrets is None:
            raise EmbeddedError("The embedded Redis was not started.")
        return f"redis://:{self._secrets.redis_password}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start the server and return when it answers.

        Raises:
            EmbeddedError: with a sentence that says what to do.
        """
        if self.running:
            return
        prepare_folder(self.data)
        self._lock.acquire()
        try:
            self._secrets = load_secrets(self.data)
            self._launch(self._secrets.redis_password)
        except BaseException:
            self.stop()
            raise

    def _launch(self, password: str) -> None:
        """Start the process; a free port that was taken in the meantime is replaced, a given one is not."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        account = server_account(self.folder)
        if account is not None:
            os.chown(self.folder, account.uid, account.gid)
        program = redis_program(account)
        tries = 1 if self._port is not None else 5
        for attempt in range(1, tries + 1):
            port = self._port if self._port is not None else free_port()
            if self._port is not None and not is_free(port):
                raise EmbeddedError(f"Port {port}, meant for Redis, is in use: stop what uses it, or name another.")
            with open_log(self.log) as output:
                begin = output.tell()
                process = spawn(
                    [program, "-"],
                    cwd=self.folder,
                    output=output,
                    stdin=subprocess.PIPE,
                    account=account,
                    death_signal=signal.SIGKILL,
                )
            self._process = process
            # Not on the command line, where everyone could read the password. A process that ended is seen below.
            with contextlib.suppress(BrokenPipeError), cast("IO[bytes]", process.stdin) as settings:
                settings.write(_settings(port, password).encode())
            if self._wait_until_ready(process, port, password):
                self._port = port
                return
            if attempt == tries:
                raise EmbeddedError(f"Redis did not start; its log {self.log} ends with:\n{tail(self.log, begin)}")

    def _wait_until_ready(self, process: "subprocess.Popen[bytes]", port: int, password: str) -> bool:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            if process.poll() is not None:
                return False
            if _answers(port, password):
                return True
            time.sleep(0.02)
        stop(process, [])
        return False

    def stop(self) -> None:
        """End the server; the folder is free again."""
        process, self._process = self._process, None
        if process is not None:
            stop(process, [(signal.SIGTERM, 10)])
        self._lock.release()

    def kill(self) -> None:
        """Kill the server; `start` brings it back, empty, on the same port."""
        process, self._process = self._process, None
        if process is not None:
            stop(process, [])
        self._lock.release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)


def _settings(port: int, password: str) -> str:
    return f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nappendonly no\nsave ""\ndaemonize no\n'


def _answers(port: int, password: str) -> bool:
    """Tell whether the server with our password answers on the port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2:
                part = connection.recv(64)
                if not part:
                    break
                answer += part
    except OSError:
        return False
    return answer == b"+OK\r\n+PONG\r\n"
