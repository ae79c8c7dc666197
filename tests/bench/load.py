"""The load generator: raw HTTP/1.1 over kept connections, cheap enough to share the machine with what it measures.

In the closed loop each connection sends the next request when it has its answer. In the open loop requests are due at
fixed times, and a request's time counts from when it was due, whether or not a connection was free: what waits because
the server is slow is not left out ("coordinated omission").
"""

from __future__ import annotations

import asyncio
import gc
import math
import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STATUS = slice(9, 12)
_PATIENCE = 30


@dataclass
class Result:
    """What came back.

    Attributes:
        seconds: how long it was measured.
        times: of each answer, in seconds.
        statuses: HTTP status → answers.
    """

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.times) / self.seconds

    def percentile(self, percent: float) -> float:
        """Milliseconds within which so many per cent of the answers came (nearest rank)."""
        ranked = sorted(self.times)
        return ranked[math.ceil(len(ranked) * percent / 100) - 1] * 1000


class _Connection(asyncio.Protocol):
    """One connection with at most one request under way."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._buffer = b""
        self._since = 0.0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def send(self, request: bytes, since: float) -> None:
        assert self.transport is not None
        self._since = since
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        head = buffer.find(_END)
        length = _LENGTH.search(buffer, 0, head + 2) if head >= 0 else None
        if length is None or len(buffer) < head + len(_END) + int(length[1]):
            self._buffer = buffer
            return
        self._buffer = b""
        self._run.answered(self, buffer[_STATUS].decode(), perf_counter() - self._since)

    def connection_lost(self, error: Exception | None) -> None:
        self._run.lost(error)


class _Run:
    """Common to both loops: the connections, and what they got."""

    def __init__(self) -> None:
        self.result = Result()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def connect(self, port: int, count: int) -> list[_Connection]:
        loop = asyncio.get_running_loop()
        pairs = [await loop.create_connection(lambda: _Connection(self), "127.0.0.1", port) for _ in range(count)]
        return [connection for _, connection in pairs]

    def answered(self, connection: _Connection, status: str, seconds: float) -> None:
        self.result.times.append(seconds)
        self.result.statuses[status] += 1
        self.next(connection)

    def next(self, connection: _Connection) -> None:
        raise NotImplementedError

    def lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed a connection"))

    async def finish(self, connections: Sequence[_Connection], seconds: float) -> Result:
        begin = perf_counter()
        try:
            await asyncio.wait_for(self.done, seconds + _PATIENCE)
        finally:
            self.result.seconds = perf_counter() - begin
            self.done.cancel()
            for connection in connections:
                assert connection.transport is not None
                connection.transport.close()
        return self.result


class _Closed(_Run):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._end = perf_counter() + seconds
        self._queues: dict[_Connection, Iterator[bytes]] = {}
        self._open = 0

    def begin(self, connection: _Connection, requests: Iterator[bytes]) -> None:
        self._queues[connection] = requests
        self._open += 1
        self.next(connection)

    def next(self, connection: _Connection) -> None:
        now = perf_counter()
        request = next(self._queues[connection], None) if now < self._end else None
        if request is not None:
            connection.send(request, now)
            return
        self._open -= 1
        if not self._open and not self.done.done():
            self.done.set_result(None)


class _Open(_Run):
    def __init__(self, requests: Iterator[bytes], rate: float, count: int) -> None:
        super().__init__()
        self._requests, self._pause, self._left = requests, 1 / rate, count
        self._unanswered = count
        self._free: deque[_Connection] = deque()
        self._waiting: deque[float] = deque()

    def begin(self, connections: Sequence[_Connection]) -> None:
        self._free.extend(connections)
        self._due(asyncio.get_running_loop().time())

    def _due(self, at: float) -> None:
        """A request is due at this time of the loop's clock (which is `perf_counter`'s on Linux)."""
        loop = asyncio.get_running_loop()
        if self._free:
            self._free.popleft().send(next(self._requests), at)
        else:
            self._waiting.append(at)
        self._left -= 1
        if self._left:
            loop.call_at(at + self._pause, self._due, at + self._pause)

    def next(self, connection: _Connection) -> None:
        self._unanswered -= 1
        if not self._unanswered and not self.done.done():
            self.done.set_result(None)
        if self._waiting:
            connection.send(next(self._requests), self._waiting.popleft())
        else:
            self._free.append(connection)


async def closed_loop(port: int, queues: Sequence[Iterator[bytes]], seconds: float) -> Result:
    """Send as fast as answers come.

    Args:
        port: of the server on 127.0.0.1.
        queues: for each connection its requests; a connection whose queue is empty ends.
        seconds: no request begins later.
    """
    with _undisturbed():
        run = _Closed(seconds)
        connections = await run.connect(port, len(queues))
        for connection, requests in zip(connections, queues, strict=True):
            run.begin(connection, requests)
        return await run.finish(connections, seconds)


async def open_loop(port: int, requests: Iterator[bytes], *, rate: float, seconds: float, connections: int) -> Result:
    """Send at a fixed rate, whatever the server does.

    Args:
        port: of the server on 127.0.0.1.
        requests: at least `rate * seconds`.
        rate: requests per second.
        seconds: how long.
        connections: most requests under way at once; further ones wait, and their time runs.
    """
    with _undisturbed():
        run = _Open(requests, rate, int(rate * seconds))
        made = await run.connect(port, connections)
        run.begin(made)
        return await run.finish(made, seconds)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Our own garbage collector must not look like the server's pauses."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
