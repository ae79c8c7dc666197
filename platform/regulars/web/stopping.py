"""How a process of the web ends on SIGTERM so that no request that was let in fails.

1. `/readyz` says no and every answer closes its connection, while requests are served as ever: the load balancer takes
   the process out, and whoever keeps a connection open comes again elsewhere.
2. After `REGULARS_DRAIN_SECONDS` nobody new gets in. Who has got in but was not seen yet is served: a server that just
   closes its socket resets those connections.
3. Open pages are told to come again, and the server is asked to end: it finishes what it has begun.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress

import psutil
import structlog

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 0.05
_LOOKS = 100
_SO_ATTACH_FILTER = 26
_TCP_INFO_LENGTH = 104
_WAITING_OFFSET = 24


class Stopping:
    """The end of one process.

    Args:
        port: on which the process listens.
        drain_seconds: how long it still serves while it says that it is not ready.
        at_begin: called when it is asked to end.
        at_end: called when nobody new gets in any more.
    """

    def __init__(
        self, port: int, drain_seconds: float, at_begin: Callable[[], None], at_end: Callable[[], None]
    ) -> None:
        self._port = port
        self._drain_seconds = drain_seconds
        self._at_begin = at_begin
        self._at_end = at_end
        self._task: asyncio.Task[None] | None = None

    async def install(self) -> None:
        """Take SIGTERM over from the server, in the running event loop; SIGINT stays the server's: stop at once."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._begin)

    def _begin(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._end(), name="stopping")

    async def _end(self) -> None:
        log.info("web_stops", drain_seconds=self._drain_seconds)
        self._at_begin()
        await asyncio.sleep(self._drain_seconds)
        await _let_nobody_in(self._port)
        self._at_end()
        os.kill(os.getpid(), signal.SIGINT)


async def _let_nobody_in(port: int) -> None:
    """Let the kernel refuse new connections, and wait until the server has taken the ones that it had let in.

    Only Linux can do that; elsewhere connections of the last moment are reset, as they always were.
    """
    if sys.platform != "linux":
        return
    listening = _listening(port)
    try:
        for one in listening:
            _refuse(one)
        for _ in range(_LOOKS):
            await asyncio.sleep(_LOOK_SECONDS)  # what was taken before is read by now
            if not any(_waiting(one) for one in listening):
                break
    except OSError as error:
        log.warning("web_stops_early", error=str(error))
    finally:
        for one in listening:
            one.close()


def _listening(port: int) -> list[socket.socket]:
    """This process's own sockets that listen on a port."""
    found = psutil.Process().net_connections(kind="tcp")
    ours = [one.fd for one in found if one.status == psutil.CONN_LISTEN and one.laddr.port == port and one.fd >= 0]
    sockets = []
    for descriptor in ours:
        with suppress(OSError):
            sockets.append(socket.socket(fileno=os.dup(descriptor)))
    return sockets


def _refuse(listening: socket.socket) -> None:
    """Drop what comes in for a listening socket: a BPF program of one instruction, "keep 0 bytes" (socket(7)).

    A connection that is open already is not touched. Who knocks now gets no answer, tries again after a second, and by
    then another process listens or the kernel refuses.
    """
    program = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", 1, ctypes.addressof(program)))


def _waiting(listening: socket.socket) -> int:
    """How many connections the kernel has let in and the server has not taken yet (`tcpi_unacked` in linux/tcp.h)."""
    told = listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_LENGTH)
    number: int = struct.unpack_from("I", told, _WAITING_OFFSET)[0]
    return number
