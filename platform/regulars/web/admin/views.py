"""Metrics and health of this machine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Protocol

from prometheus_client import CONTENT_TYPE_LATEST
from quart import Response

from regulars.kernel.observability.exposition import exposition, loop_lag
from regulars.kernel.observability.sharing import sharers
from regulars.kernel.observability.watchdog import BLOCKED_SECONDS
from regulars.web.health import OK, Examined, answer, examine

SERVING = frozenset({"web", "worker"})


class Watched(Examined, Protocol):
    """What these views look at."""

    @property
    def metrics(self) -> Path:
        """Folder in which the processes of this machine share their metrics."""


async def metrics(parts: Watched) -> Response:
    """All metrics of this machine, for Prometheus."""
    text = await asyncio.to_thread(exposition, parts.metrics)
    return Response(text, content_type=CONTENT_TYPE_LATEST)


async def alive(parts: Watched) -> Response:
    """Whether the processes of this machine live and none of them is stuck."""
    return _told(await asyncio.to_thread(_processes, parts.metrics))


async def ready(parts: Watched) -> Response:
    """Whether this machine can take requests: not while it stops, and not without what it needs."""
    return _told(await asyncio.to_thread(_processes, parts.metrics) | await examine(parts))


def _processes(folder: Path) -> dict[str, str]:
    """Health of the processes by name, `ok` or what is wrong."""
    roles = {sharer.role for sharer in sharers(folder)}
    lag = loop_lag(folder)
    stopping = "stopping" if "stopping" in roles else "none lives"
    return {
        "processes": OK if roles & SERVING else stopping,
        "event loops": OK if lag < BLOCKED_SECONDS else f"one has been stuck for {lag:.0f} s; its stack is in the log",
    }


def _told(checks: dict[str, str]) -> Response:
    well = all(outcome == OK for outcome in checks.values())
    return answer({"status": OK if well else "unavailable", "checks": checks}, 200 if well else 503)
